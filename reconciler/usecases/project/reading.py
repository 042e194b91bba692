"""Reads a project: settings, the selected definitions, and their history in git.

If there is a repository its history counts, or the run fails: without it a live edit would look like a change.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reconciler.core.settings import FILE_NAME, Settings
from reconciler.errors import RepositoryError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.folders import folder_in_git, repository_root, shown_path
from reconciler.files.settings import find_sensitive
from reconciler.git.record import Record, read_record
from reconciler.git.repository import Repository, open_repository
from reconciler.usecases.project.base_reading import read_base_of
from reconciler.usecases.project.changed import Changed, find_alike, find_changed
from reconciler.usecases.project.checkout import check_checkout
from reconciler.usecases.project.choices import DefinitionOptions, HistoryOptions, PolicyOptions, choose_policy
from reconciler.usecases.project.environments import read_settings, resolve_names
from reconciler.usecases.project.new_assistants import id_finder
from reconciler.usecases.project.project import NOTHING_LOADED, Project, check_policy

OFF = "none"


def read_bare_project(options: DefinitionOptions, *, repository: Repository | None = None) -> Project:
    """Return the project without definitions and base: for commands that say themselves what they write.

    Raises RepositoryError if a checkout hides the settings: what they protect would not be protected.
    """
    root = repository_root(options.directory)
    repository = repository or open_repository(root)
    head = repository.head() if repository is not None else None
    if repository is not None and head is not None:
        check_checkout(repository, head, settings_file(options.directory, root), ())
    project = Project(folder=options.directory, root=root, settings=Settings(), repository=repository, head=head)
    return dataclasses.replace(project, settings=read_settings(options, project.started_at.date()))


def read_project(
    definitions: DefinitionOptions,
    history: HistoryOptions,
    policy: PolicyOptions | None = None,
    *,
    or_head: bool = False,
    repository: Repository | None = None,
) -> Project:
    """Return the definitions that are meant with their history, and the policy that options and settings make.

    With `or_head` the commit that is checked out is the base if there is no record. A `repository` that is open
    already, since its lock is held, is not opened again. Raises RepositoryError if there is a history and it cannot
    be read, and what reading settings and definitions raises.
    """
    project = read_history(definitions, history, repository=repository)
    definitions = resolve_names(definitions, [project.settings], project.root)
    project = dataclasses.replace(project, policy=choose_policy(project.settings, policy))
    record = project.record
    # In this order: what the base is does not depend on which definitions are meant, but with --changed the
    # definitions that are meant depend on the base.
    named = _choose_base(project, record, history.base, or_head=or_head)
    if project.repository is not None:
        since = require_commit(project.repository, history.changed_since) if history.changed_since else None
        before = (record.applied if record is not None else None, named[1] if named is not None else None, since)
        path = settings_file(project.folder, project.root)
        settings = _hide_as_before(project.settings, project.repository, path, before)
        project = dataclasses.replace(project, settings=settings)
    loaded, changed, notes = _load(project, definitions, history, record, named)
    project = dataclasses.replace(project, loaded=loaded, removed=changed.removed, notes=notes)
    _check_environment(project)
    if named is not None:
        project = dataclasses.replace(project, base=read_base_of(project, *named))
    check_policy(project)
    return dataclasses.replace(project, notes=(*project.notes, *_notes_on_order(project)))


def read_history(
    definitions: DefinitionOptions, history: HistoryOptions, *, repository: Repository | None = None
) -> Project:
    """Return the project with its record, without definitions and base. Raises as `read_project` does."""
    project = read_bare_project(definitions, repository=repository)
    opened = project.repository
    if opened is not None and project.head is not None:
        folders = [project.folder, *([project.overlays] if project.overlays is not None else [])]
        below = [folder_in_git(folder, project.root) for folder in folders]
        check_checkout(opened, project.head, settings_file(project.folder, project.root), below)
        project = dataclasses.replace(project, record=read_record(opened, project.ref))
    _check_record(project, project.record, history.base)
    return project


def settings_file(folder: Path, root: Path) -> str:
    """Return the path of the settings beside a folder, from the repository's root."""
    return shown_path(folder.resolve().parent / FILE_NAME, root)


def require_commit(repository: Repository | None, revision: str) -> str:
    """Return the commit that a revision names. Raises RepositoryError that says what to do."""
    if repository is None:
        raise RepositoryError(
            f"there is no git repository to read {revision!r} from",
            hint="run this inside the repository, or pass --base none",
        )
    commit = repository.resolve(revision)
    if commit is not None:
        return commit
    if repository.head() is None:
        raise RepositoryError(
            f"{revision!r} cannot be read: the repository has no commit yet",
            hint="commit the definitions first, or pass --base none",
        )
    hint = f"git fetch origin {revision}, or check the name" if revision else "is it a variable that is not set?"
    if repository.is_shallow:
        hint = "this clone is shallow: fetch its history (fetch-depth: 0 in CI, git fetch --unshallow)"
    raise RepositoryError(f"there is no revision {revision!r} here", hint=hint)


def _check_record(project: Project, record: Record | None, asked_base: str | None) -> None:
    """Refuse to go on where the settings promise a record and this clone has none. Raises RepositoryError.

    Without it every live edit would count as newly managed, and be overwritten.
    """
    if record is not None or not project.settings.record or asked_base is not None:
        return
    if project.repository is None:
        raise RepositoryError(
            "reconciler.yaml says `record: true`, and there is no git repository here",
            hint="run this inside the repository, or pass --base none",
        )
    raise RepositoryError(
        f"reconciler.yaml says `record: true`, and this clone has no record {project.ref}",
        hint="fetch it: git fetch origin 'refs/reconciler/*:refs/reconciler/*'; for the first run, pass --base none to "
        "`plan` and `apply`",
    )


def _choose_base(
    project: Project, record: Record | None, asked: str | None, *, or_head: bool
) -> tuple[str, str] | None:
    """Return the base as it was named and its commit: what was asked for, else the record, else perhaps `HEAD`."""
    if asked == OFF:
        return None
    if asked is not None:
        return asked, require_commit(project.repository, asked)
    if record is not None:
        return project.ref, record.commit
    return ("HEAD", project.head) if or_head and project.head is not None else None


def _load(
    project: Project,
    definitions: DefinitionOptions,
    history: HistoryOptions,
    record: Record | None,
    base: tuple[str, str] | None,
) -> tuple[Loaded, Changed, tuple[str, ...]]:
    """Return the definitions that are meant, the files that git has removed, and what the report has to say."""
    folder, root, settings = project.folder, project.root, project.settings
    find_id = id_finder(project.repository, record)
    if not history.changed and history.changed_since is None:
        loaded = load(folder, definitions.paths, root=root, settings=settings, find_id=find_id)
        return loaded, Changed(), ()
    since = base[1] if base is not None else None
    if history.changed_since is not None:
        since = require_commit(project.repository, history.changed_since)
    if project.repository is None or since is None:
        raise UsageError(
            "--changed needs a base", hint=f"pass --base REV or --changed-since REV, or {project.how_to_fetch}"
        )
    changed = find_changed(project.repository, project.head or "", folder, settings, since, record)
    chosen = tuple(path for path in changed.files if _is_selected(path, definitions.paths))
    loaded = load(folder, chosen, root=root, settings=settings, find_id=find_id) if chosen else NOTHING_LOADED
    alike = find_alike(project.repository, changed, loaded.definitions, project.below, settings.environment)
    differing = tuple(definition for definition in loaded.definitions if definition.file not in alike)
    loaded = dataclasses.replace(loaded, definitions=differing)
    removed = frozenset() if definitions.paths else changed.removed - alike
    nothing = not (loaded.definitions or loaded.invalid or removed)
    notes = (f"No definition differs from {since[:12]}: there is nothing to look at.",) if nothing else ()
    return loaded, dataclasses.replace(changed, removed=removed), notes


def _is_selected(path: Path, chosen: Sequence[Path]) -> bool:
    return not chosen or any(path.resolve().is_relative_to(named.resolve()) for named in chosen)


def _check_environment(project: Project) -> None:
    """Refuse to look at nothing if the environment was forgotten: the ids are most likely in the overlays."""
    settings, loaded = project.settings, project.loaded
    forgotten = settings.environment is None and settings.environments
    if loaded.whole and forgotten and not (loaded.definitions or loaded.invalid):
        raise UsageError(
            "no definition has an id, and no environment is selected",
            hint=f"pass --environment NAME; reconciler.yaml has these: {', '.join(sorted(settings.environments))}",
        )


def _notes_on_order(project: Project) -> Iterator[str]:
    """Yield what a reader must know where `HEAD` lacks what was applied: that looks undone, and nobody undid it."""
    repository, record, head = project.repository, project.record, project.head
    if repository is None or record is None or head is None or repository.is_ancestor(record.applied, head):
        return
    if repository.is_shallow:
        yield (
            f"This clone is shallow, so it is unknown whether HEAD contains {record.applied[:12]}, which was applied "
            "last. If it does not, what was applied meanwhile looks undone here."
        )
        return
    yield (
        f"HEAD is behind the record: {record.applied[:12]}, which was applied last, is not in its history. What was "
        "applied meanwhile looks undone here; merge or rebase first."
    )


def _hide_as_before(settings: Settings, repository: Repository, path: str, commits: Iterable[str | None]) -> Settings:
    """Return the settings with the `sensitive` paths that their file had in some commits, too.

    `path` is that of the file from the repository's root. Raises RepositoryError for a commit that cannot be read.
    """
    found = list(settings.sensitive)
    # A shallow clone may lack the commit that was applied.
    there = [commit for commit in dict.fromkeys(commits) if commit is not None and repository.has(commit)]
    for commit in there:
        blob = repository.files(commit, path).get(path)
        content = repository.read(path, blob) if blob is not None else None
        found += find_sensitive(content.decode("utf-8", "replace")) if content else ()
    return dataclasses.replace(settings, sensitive=tuple(dict.fromkeys(found)))
