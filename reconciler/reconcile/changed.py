"""Which definitions differ from where a branch left the base: requests follow the change, not the fleet."""

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.adapters.base import is_definition_file
from reconciler.adapters.git import Git
from reconciler.adapters.record import Record
from reconciler.errors import RepositoryError


def changed_files(git: Git, folder: Path, since: str, record: Record | None) -> list[Path]:
    """Return the files of a folder of definitions, or overlays, that differ from the merge base of `since` and HEAD.

    Those that the applied record has not settled count too: it holds an older file of them, or says that
    their last write is unclear. Raises RepositoryError.
    """
    fork = git.merge_base(since, "HEAD")
    if fork is None:
        hint = "fetch the whole history (fetch-depth: 0 in CI)" if git.is_shallow() else "name another revision"
        raise RepositoryError(f"{since[:12]} and HEAD have no commit in common", hint=hint)
    prefix = os.path.relpath(folder.resolve(), git.root.resolve())
    below = "" if prefix == "." else Path(prefix).as_posix()
    found = set(git.changed_paths(fork, below)) | set(git.untracked_paths(below))
    if record is not None:
        found |= set(git.changed_paths(record.applied, below, record.commit))
        found |= {unclear.file for unclear in record.unclear}
    return _definitions(git.root, found, below)


def _definitions(root: Path, paths: Iterable[str], folder: str) -> list[Path]:
    files = (root / path for path in sorted(paths) if is_definition_file(path, folder))
    return [file for file in files if file.exists()]
