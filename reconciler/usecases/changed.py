"""Which definitions differ from where a branch left the base: requests follow the change, not the fleet."""

import dataclasses
from pathlib import Path

from reconciler.core.definition import is_definition_file
from reconciler.errors import RepositoryError
from reconciler.files.folders import folder_in_git
from reconciler.git.record import Record
from reconciler.git.repository import Git


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """Definition files that differ: those that are there, and the names from the root of those that are gone."""

    files: tuple[Path, ...]
    removed: frozenset[str]


def changed_files(git: Git, folder: Path, since: str, record: Record | None) -> Changed:
    """Return the definitions or overlays below a folder that differ now from the merge base of `since` and HEAD.

    Those that the applied record has not settled count too: it holds an older file of them, or says that
    their last write is unclear. Raises RepositoryError.
    """
    fork = git.merge_base(since, "HEAD")
    if fork is None:
        hint = "fetch the whole history (fetch-depth: 0 in CI)" if git.is_shallow() else "name another revision"
        raise RepositoryError(f"{since[:12]} and HEAD have no commit in common", hint=hint)
    below = folder_in_git(folder, git.root)
    found = {*git.changed_paths(fork, below), *git.untracked_paths(below)}
    if record is not None:
        _check_present(git, record)
        found |= {*git.changed_paths(record.applied, below, record.commit)}
        found |= {unclear.file for unclear in record.unclear}
    names = sorted(name for name in found if is_definition_file(name, below))
    there = {name: git.root / name for name in names if (git.root / name).exists()}
    return Changed(tuple(there.values()), frozenset(names) - there.keys())


def _check_present(git: Git, record: Record) -> None:
    """Refuse a record without the commit that it is about: nobody could say what it has not settled."""
    if git.resolve(record.applied) is None:
        raise RepositoryError(
            f"{record.applied[:12]}, which was applied last, is not in this clone",
            hint="fetch the whole history (fetch-depth: 0 in CI, git fetch --unshallow)",
        )
