"""Which definitions differ from where a branch left the base: requests follow the change, not the fleet."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from reconciler.core.definition import SUFFIXES, is_definition_file, key_of
from reconciler.core.settings import Settings
from reconciler.errors import RepositoryError
from reconciler.files.folders import folder_in_git
from reconciler.git.record import Record, read_entries
from reconciler.git.repository import Repository
from reconciler.git.snapshot import read_snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """Definition files that differ: those that are there, and the names from the root of those that are gone."""

    files: tuple[Path, ...]
    removed: frozenset[str]


def find_changed(
    repository: Repository, head: str, folder: Path, settings: Settings, since: str, record: Record | None
) -> Changed:
    """Return the definitions below a folder that differ now from the merge base of `since` and `HEAD`.

    Those that the record has not settled count too: their entry says something else than their definition did in
    the commit that was applied, or their last write is unclear. Raises RepositoryError.
    """
    root = repository.root
    below = folder_in_git(folder, root)
    names = set(_differing(repository, head, since, below))
    overlays = folder.resolve().parent / settings.overlay if settings.overlay is not None else None
    if overlays is not None:
        upper = folder_in_git(overlays, root)
        names |= set(_definitions_of(repository, head, since, upper, below))
    if record is not None:
        names |= set(_unsettled(repository, record, below, settings.environment))
    there = {name: root / name for name in sorted(names) if (root / name).exists()}
    gone = frozenset(names) - there.keys()
    # Whether it still has an id is known once it is read; until then it may have to be listed as gone.
    if settings.environment is not None:  # a definition that has lost its id is no longer part of it
        gone |= there.keys()
    return Changed(tuple(there.values()), gone)


def _differing(repository: Repository, head: str, since: str, below: str) -> Iterator[str]:
    """Yield the definition files below a folder that differ between the working tree and where `since` was left."""
    try:
        fork = repository.merge_base(since, head)
    except RepositoryError as error:
        hint = "fetch the whole history (fetch-depth: 0 in CI)" if repository.is_shallow else "name another revision"
        message = f"{since[:12]} and HEAD have no commit in common that git can name ({error.message})"
        raise RepositoryError(message, hint=hint) from error
    for name in (*repository.changed_paths(fork, below), *repository.untracked_paths(below)):
        if is_definition_file(name, below):
            yield name


def _definitions_of(repository: Repository, head: str, since: str, upper: str, below: str) -> Iterator[str]:
    """Yield the definitions whose overlays differ or are gone; an overlay without a definition stands for itself."""
    for name in _differing(repository, head, since, upper):
        named = [f"{below}/{key_of(name, upper)}{suffix}".removeprefix("./") for suffix in SUFFIXES]
        there = [path for path in named if (repository.root / path).exists()]
        yield from there or ([name] if (repository.root / name).exists() else [])


def _unsettled(repository: Repository, record: Record, below: str, environment: str | None) -> Iterator[str]:
    """Yield the definitions of the commit that was applied whose entry says something else, or that have none."""
    if not repository.has(record.applied):
        raise RepositoryError(
            f"{record.applied[:12]}, which was applied last, is not in this clone",
            hint="fetch the whole history (fetch-depth: 0 in CI, git fetch --unshallow)",
        )
    yield from (unclear.file for unclear in record.unclear)
    defined = repository.files(record.applied, below)
    recorded = repository.files(record.commit, below)
    # Where both are one object there is nothing to parse. In an environment entries hold overlays as well.
    names = {path for path in defined if is_definition_file(path, below) and defined[path] != recorded.get(path)}
    if not names:
        return
    if not record.resolved:
        yield from names | {path for path in recorded.keys() - defined.keys() if is_definition_file(path, below)}
        return
    keys = {key_of(path, below) for path in names}
    applied = read_snapshot(repository, record.applied, below, environment, keys=keys)
    entries = read_entries(repository, record, ())
    for path, found in applied.by_file.items():
        entry = entries.by_file.get(path)
        if entry is None or (entry.id, entry.declared) != (found.id, found.declared):
            yield path
