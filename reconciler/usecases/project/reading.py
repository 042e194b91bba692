"""Reads a project: settings, the selected definitions, and their history in git. An unreadable history is an error."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from reconciler.core.base import NO_BASE, BaseDefinitions
from reconciler.core.definition import path_in
from reconciler.core.settings import FILE_NAME, Settings
from reconciler.errors import RepositoryError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.find import find_all
from reconciler.files.folders import repository_root
from reconciler.files.selection import select_files
from reconciler.files.settings import find_sensitive
from reconciler.git.objects import Blob
from reconciler.git.record import FETCH, Record, applied_ref, read_record
from reconciler.git.repository import SHALLOW, Repository
from reconciler.usecases.project.base_entries import read_base
from reconciler.usecases.project.changed import find_alike, find_changed
from reconciler.usecases.project.checkout import check_checkout, check_nested, check_settings_moved
from reconciler.usecases.project.choices import Choices, choose_policy
from reconciler.usecases.project.environments import name_environments, read_settings, resolve_names
from reconciler.usecases.project.project import NOTHING_LOADED, Project

OFF = "none"
OnRead = Callable[[str], None] | None  # gets the id of each definition that is valid by itself
_NAME = re.compile(r"(?!.*\.\.)\w[\w./-]*")  # a branch, a tag or a commit


def read_bare_project(choices: Choices, *, repository: Repository | None = None, whole: bool = False) -> Project:
    """Return the project without definitions and base; if it must be `whole`, no file of it may be hidden."""
    root = repository_root(choices.directory)
    repository = repository or Repository(root)
    head = repository.head()
    project = Project(folder=choices.directory, root=root, settings=Settings(), repository=repository, head=head)
    # Hidden settings would protect nothing.
    check_checkout(project, ())
    settings = read_settings(choices, project.started_at.date())
    project = dataclasses.replace(project, settings=settings, named_by=choices.named_by)
    if whole:
        check_checkout(project, project.places)
    return project


def read_project(
    choices: Choices,
    *,
    or_head: bool = False,
    allow_older: bool = False,
    without_rules: bool = False,
    repository: Repository | None = None,
    open_early: Callable[[Project], OnRead] | None = None,
) -> Project:
    """Return the project with the selected definitions, their history, and the policy of choices and settings.

    With `or_head` the commit that is checked out is the base if there is no record. With `allow_older` what `HEAD`
    lacks of what was applied has changed, too. `without_rules` lets a definition break the team's rules. A `repository`
    that is open already, since its lock is held, is not opened again. `open_early` gets the project before definitions
    are read, and returns what gets their ids; not with `--changed`, which selects them later. Raises ReconcilerError.
    """
    if choices.changed and choices.changed_since is not None:
        raise UsageError("--changed and --changed-since cannot be combined", hint="use one of them")
    project = read_history(choices, repository=repository)
    if without_rules:
        project = dataclasses.replace(project, settings=dataclasses.replace(project.settings, rules=()))
    # Ids may be in overlays, so they are looked up with the environment's settings.
    choices = resolve_names(choices, [project.settings], project.root)
    project = dataclasses.replace(project, policy=choose_policy(project.settings, choices))
    # With --changed the definitions that are meant depend on the base.
    project = dataclasses.replace(project, base=_choose_base(project, choices.base, or_head=or_head))
    since = _choose_since(project, choices.changed_since) if choices.only_changed else ""
    hidden = _hide_earlier(project, (project.record.applied, project.base.commit, since))
    project = dataclasses.replace(project, settings=hidden)
    on_read = open_early(project) if open_early is not None and not since else None
    project = _load(project, choices, since, on_read, allow_older=allow_older)
    if project.base.commit:
        project = dataclasses.replace(project, base=read_base(project))
        check_settings_moved(project)
    return dataclasses.replace(project, notes=(*project.notes, *_note_order(project)))


def read_history(choices: Choices, *, repository: Repository | None = None) -> Project:
    """Return the project with its record, without definitions and base. Raises as `read_project` does."""
    project = read_bare_project(choices, repository=repository, whole=True)
    check_nested(project.repository, project.folder)
    # A branch may have no commit yet, and the record has those that were applied anyway.
    project = dataclasses.replace(project, record=read_record(project.repository, project.ref))
    _check_record(project, choices.base)
    return project


def require_commit(repository: Repository, revision: str) -> str:
    """Return the commit that a revision names. Raises RepositoryError that says what to do."""
    if not repository.exists:
        hint = "run this inside the repository, or pass --base none"
        raise RepositoryError(f"there is no git repository to read {revision!r} from", hint=hint)
    commit = repository.resolve(revision)
    if commit is not None:
        return commit
    if not repository.head():
        hint = "commit the definitions first, or pass --base none"
        raise RepositoryError(f"{revision!r} cannot be read: the repository has no commit yet", hint=hint)
    hint = "check the name" if revision else "is it a variable that is not set?"
    # No HEAD~99 can be fetched.
    if _NAME.fullmatch(revision):
        hint = f"git fetch origin {revision}, or {hint}"
    if repository.is_shallow:
        hint = SHALLOW
    raise RepositoryError(f"there is no revision {revision!r} here", hint=hint)


def _check_record(project: Project, asked_base: str | None) -> None:
    # Without the promised record, every live edit would look like a change in git, and be overwritten.
    if project.record.commit or not project.settings.record or asked_base is not None:
        return
    if not project.repository.exists:
        hint = "run this inside the repository, or pass --base none"
        raise RepositoryError("reconciler.yaml says `record: true`, but there is no git repository here", hint=hint)
    hint = f"fetch it: {FETCH}; for the first run, pass --base none to `plan` and `apply`"
    refs = {applied_ref(name) for name in project.settings.environments}
    if project.settings.environment is None and refs:
        hint = f"{name_environments(project.settings)}. Without one, {hint}"
    # If the environment was renamed, a new record would make live edits look like changes, and overwrite them.
    existing = project.repository.list_refs("refs/reconciler")
    former = [ref for ref in existing if ref not in refs and ref.endswith("/applied")]
    if project.settings.environment is not None and former:
        copy = f"git update-ref {project.ref} {former[0] if len(former) == 1 else 'OLD'}"
        hint = f"if the environment was renamed, copy its record ({', '.join(former)}): {copy}. Otherwise, {hint}"
    raise RepositoryError(f"reconciler.yaml says `record: true`, but this clone has no record {project.ref}", hint=hint)


def _choose_base(project: Project, option: str | None, *, or_head: bool) -> BaseDefinitions:
    """Return the base without its entries: what was asked for, else the record, else `HEAD` with `or_head`."""
    # This holds even if there is a record: whoever switches the base off wants git's values.
    if option == OFF:
        return BaseDefinitions(ref=OFF, commit="")
    if option is not None:
        return BaseDefinitions(ref=option, commit=require_commit(project.repository, option))
    if project.record.commit:
        return BaseDefinitions(ref=project.ref, commit=project.record.commit)
    return BaseDefinitions(ref="HEAD", commit=project.head) if or_head else NO_BASE


def _choose_since(project: Project, option: str | None) -> str:
    """Return the commit since which the selected definitions have changed."""
    base, record = project.base, project.record
    # Where an older commit was applied last, the record's own history also has the newer ones.
    applied = record.applied if base.commit == record.commit else base.commit
    since = require_commit(project.repository, option) if option is not None else applied
    if not since:
        hint = f"{project.how_to_get_base}; or pass --changed-since REV"
        raise UsageError("--changed needs a base", hint=hint)
    return since


def _load(project: Project, choices: Choices, since: str, on_read: OnRead, *, allow_older: bool) -> Project:
    """Return the project with the selected definitions: all, or those that have changed since a commit."""
    if not since:
        return dataclasses.replace(project, loaded=_load_paths(project, choices.paths, on_read))
    folder, root, paths = project.folder, project.root, choices.paths
    changed = find_changed(project, since, also_undone=allow_older)
    # PATHS may be overlays or defaults, whose definitions are looked at.
    chosen = select_files(find_all(folder, root, project.settings), folder, root, paths) if paths else changed.files
    paths = tuple(root / file for file in changed.files if file in chosen)
    loaded = _load_paths(project, paths) if paths else NOTHING_LOADED
    # A file may differ only in a comment, and declare the same.
    alike = find_alike(project, changed, loaded.definitions)
    differing = tuple(definition for definition in loaded.definitions if definition.file not in alike)
    removed = frozenset() if choices.paths else changed.removed - alike
    loaded = dataclasses.replace(loaded, definitions=differing)
    fork = changed.fork if not choices.paths else None
    return dataclasses.replace(project, loaded=loaded, removed=removed, fork=fork)


def _load_paths(project: Project, paths: Sequence[Path], on_read: OnRead = None) -> Loaded:
    settings = project.settings
    loaded = load(
        project.folder, paths, root=project.root, settings=settings, find_id=project.find_created_id, on_read=on_read
    )
    # If the user forgot the environment, nothing is left to look at: the ids are probably in the overlays.
    forgotten = settings.environment is None and settings.environments
    if forgotten and not loaded.every:
        subject = "no definition" if loaded.whole else "no selected definition"
        raise UsageError(f"{subject} has an id, and no environment is selected", hint=name_environments(settings))
    return loaded


def _note_order(project: Project) -> list[str]:
    # If `HEAD` lacks what was applied, it looks undone although nobody undid it.
    if not project.is_behind:
        return []
    last_applied = f"{project.record.applied[:12]}, which was applied last"
    undone = "what was applied since then looks undone here"
    if project.repository.is_shallow:
        shallow_note = f"This clone is shallow, so it is unknown whether HEAD contains {last_applied}."
        return [f"{shallow_note} If it does not, {undone}."]
    behind_note = f"HEAD is behind the record: {last_applied}, is not in its history."
    return [f"{behind_note} {undone.capitalize()}; merge or rebase first."]


def _hide_earlier(project: Project, commits: Iterable[str]) -> Settings:
    # A value that was sensitive when it was applied stays hidden in the report of the change that makes it public.
    path, repository = project.settings_path, project.repository
    sensitive = list(project.settings.sensitive)
    # A shallow clone may lack the commit that was applied.
    for commit in filter(repository.has, dict.fromkeys(commits)):
        # The project may have been in another folder then, and its settings may have stayed there.
        files = repository.files(commit, path) or _find_settings(repository, commit, project.record)
        for place, blob in files.items():
            text = (repository.read(place, blob) or b"").decode("utf-8", "replace")
            sensitive += find_sensitive(text, project.settings.environment)
    return dataclasses.replace(project.settings, sensitive=tuple(dict.fromkeys(sensitive)))


def _find_settings(repository: Repository, commit: str, record: Record) -> dict[str, Blob]:
    """Return all settings that a commit has beside folders with definitions of the record; without one all settings."""
    folders = repository.folders(record.commit or commit)
    places = sorted(path_in(folder, FILE_NAME) for folder in folders)
    return {path: blob for place in places for path, blob in repository.files(commit, place).items()}
