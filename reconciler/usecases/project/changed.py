"""Which definitions a branch has changed, so that other assistants need not be read."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.core.base import Entry, are_same
from reconciler.core.definition import NEW, SUFFIXES, Definition, is_defaults_file, is_definition_file, key_of
from reconciler.dataclass import dataclass
from reconciler.errors import DefinitionError, RepositoryError
from reconciler.files.find import find_all
from reconciler.files.folders import is_there
from reconciler.git.record import read_entries
from reconciler.git.repository import SHALLOW, Repository
from reconciler.usecases.project.environments import find_mentioning
from reconciler.usecases.project.project import Project


@dataclass(frozen=True, slots=True)
class Changed:
    """Definition files that may differ, named from the root: those that are there, and those that are gone.

    `fork` is the commit from which they may differ. The `outdated` count whether they do or not.
    """

    files: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()
    fork: str = ""


def find_changed(project: Project, since: str, *, also_undone: bool = False) -> Changed:
    """Return the definitions of a project of which a file differs now from the merge base of `since` and `HEAD`.

    With `also_undone` they are compared with `since` itself: what `HEAD` lacks of it counts, too.
    """
    repository, root, below, settings = project.repository, project.root, project.below, project.settings
    fork = since if also_undone else _find_fork(project, since)
    differing = set[str]().union(*(_find_differing(project, fork, place) for place in project.places))
    names = {name for name in differing if is_definition_file(name, below)}
    shared = differing - names
    names |= set(_find_users(project, shared) if shared else ())
    # The settings name the overlay folder, so an environment may get other overlays without a changed overlay.
    path = project.settings_path
    if settings.environment is not None and has_changed(root / path, repository, fork, path):
        names |= {definition.file for definition in find_all(project.folder, root, settings).definitions}
    # An apply also sends what the record has not settled, whatever the branch changes.
    outdated = frozenset(_find_outdated(project) if project.record.commit else ())
    names |= outdated
    existing = tuple(name for name in sorted(names) if is_there(root / name))
    removed = frozenset(names.difference(existing))
    # Only reading shows whether a file still has an id. Until then it may have to be listed as gone.
    if settings.environment is not None:  # a definition that has lost its id is no longer part of it
        removed |= set(existing)
    return Changed(existing, removed, outdated, fork)


def find_alike(project: Project, changed: Changed, definitions: Sequence[Definition]) -> frozenset[str]:
    """Return the files of those definitions that still declare what they declared at the fork, in whatever files."""
    current = [definition for definition in definitions if definition.file not in changed.outdated]
    if not current:
        return frozenset()
    entries = project.snapshot(changed.fork, current).read({definition.key for definition in current})
    return frozenset(each.file for each in current if are_same(entries.by_file.get(each.file), each))


def has_changed(file: Path, repository: Repository, commit: str, path: str) -> bool:
    """Return whether a file differs from a commit's file at a path, line by line."""
    # Git may convert line ends.
    blob = repository.files(commit, path).get(path)
    committed = (repository.read(path, blob) or b"").splitlines() if blob is not None else None
    return committed != (file.read_bytes().splitlines() if file.is_file() else None)


def _find_fork(project: Project, since: str) -> str:
    repository = project.repository
    try:
        return repository.merge_base(since, project.head)
    except RepositoryError as error:
        message = f"{since[:12]} and HEAD have no commit in common that git can name ({error.message})"
        hint = SHALLOW if repository.is_shallow else "pass another revision"
        raise RepositoryError(message, hint=hint) from error


def _find_differing(project: Project, fork: str, below: str) -> set[str]:
    repository = project.repository
    # Files that may differ between the working tree and a commit: git's answer, and the files that git ignores.
    tracked, untracked = repository.uncommitted_paths(below)
    # Git names a nested repository only by its folder.
    nested_files = (file for name in untracked if name.endswith("/") for file in (repository.root / name).rglob("*"))
    names = {file.relative_to(repository.root).as_posix() for file in nested_files}
    return repository.differing_paths(fork, project.head, below) | tracked | untracked | names


def _find_users(project: Project, differing: set[str]) -> Iterator[str]:
    """Yield the definitions that have one of some files as a layer or a text. An overlay without one counts as one."""
    # If no definition is left, nobody uses these files. Another check reports that.
    with contextlib.suppress(DefinitionError):
        files = find_all(project.folder, project.root, project.settings)
        # A file that no longer mentions a text differs itself.
        texts = {name for name in differing if not name.endswith(SUFFIXES)}
        yield from (definition.file for definition in find_mentioning(files, texts))
        lost = dict(files.overlays)
        for definition in files.definitions:
            # Compared by name, since the files may be gone.
            if not differing.isdisjoint(project.list_layers(definition.key)):
                yield definition.file
            lost.pop(definition.key, None)
        yield from (overlay.file for overlays in lost.values() for overlay in overlays if overlay.file in differing)


def _find_outdated(project: Project) -> set[str]:
    """Return the definitions that the record has not settled: with an unclear write, or as `_compare_entries` does."""
    record, below = project.record, project.below
    unclear = {write.file for write in record.unclear if is_definition_file(write.file, below)}
    return unclear | (record.outdated[below] if below in record.outdated else _compare_entries(project))


def _compare_entries(project: Project) -> set[str]:
    """Return the definitions of the applied commit whose entry differs from them, or that have no entry."""
    repository, record, below = project.repository, project.record, project.below
    if not repository.has(record.applied):
        hint = "fetch the whole history (fetch-depth: 0 in CI, git fetch --unshallow)"
        raise RepositoryError(f"{record.applied[:12]}, which was applied last, is not in this clone", hint=hint)
    defined = repository.files(record.applied, below)
    blobs = repository.files(record.commit, below)
    # With other layers, the definition alone does not show what is declared. Without them, equal objects need no
    # parsing.
    shared = project.settings.environment is not None or any(is_defaults_file(path) for path in defined)
    names = {
        path for path in defined if is_definition_file(path, below) and (shared or defined[path] != blobs.get(path))
    }
    if not names:
        return names
    if not record.resolved:
        return names | {path for path in blobs.keys() - defined.keys() if is_definition_file(path, below)}
    snapshot = project.snapshot(record.applied)
    applied = snapshot.read({key_of(path, below) for path in names}).by_file
    entries = read_entries(record, snapshot, only=applied).by_file
    return {path for path, entry in applied.items() if not _is_settled(entries.get(path), entry)}


def _is_settled(entry: Entry | None, applied: Entry) -> bool:
    """Return whether an entry is what the applied commit declares."""
    # While the file says `id: new`, only the record has the id.
    known = replace(entry, id=NEW) if entry is not None and applied.id == NEW else entry
    return are_same(known, applied)
