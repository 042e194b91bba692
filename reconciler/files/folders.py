"""Finds the repository's root, and writes paths as reports show them. Looks only at the disk, never runs git."""

import contextlib
import errno
import os
from pathlib import Path

from reconciler.core.settings import FILE_NAME, Settings

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def repository_root(folder: Path) -> Path:
    """Return the folder that file names are relative to: the nearest one at or above `folder` that contains `.git`.

    Outside a repository it is the working directory if `folder` is in it, else the folder's parent.
    """
    folder = folder.resolve()
    for parent in (folder, *folder.parents):
        # In a worktree or a submodule `.git` is a file. A dead link counts, too, as an unreadable repository.
        if os.path.lexists(parent / ".git"):
            return parent
    # Outside a repository the names in a report are relative to the current folder, to keep them short.
    current = Path.cwd().resolve()
    return current if folder.is_relative_to(current) else folder.parent


def is_sparse(root: Path) -> bool:
    """Return whether git's settings leave files out of this clone's working tree."""
    # This is how git writes it. If the settings cannot be read, commands that need git report it.
    files = [root / ".git" / name for name in ("config.worktree", "config")]
    with contextlib.suppress(OSError):
        return any(b"sparseCheckout = true" in file.read_bytes() for file in files if file.is_file())
    return False


def folder_in_git(folder: Path, root: Path) -> str:
    """Return a folder's path from `repository_root` as git knows it, whatever links lead there; `.` for the root."""
    return shown_path(folder.resolve(), root)


def locate_overlays(folder: Path, settings: Settings) -> Path | None:
    """Return where the overlays of the chosen environment are, beside the definitions' folder; None if it has none."""
    return folder.resolve().parent / settings.overlay if settings.overlay is not None else None


def resolve_above(path: Path) -> Path:
    """Return an absolute path in which the folders above the last name are resolved: a link there stays a link."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow the link
    return absolute.parent.resolve() / absolute.name


def is_there(path: Path) -> bool:
    """Return whether a path exists. Raises OSError where that is unknown: a closed folder does not mean "gone"."""
    # Since Python 3.14, `Path.exists` says "no" for every error.
    try:
        path.stat()
    except OSError as error:
        if error.errno in _NOT_THERE:
            return False
        raise
    return True


def shown_path(path: Path, root: Path) -> str:
    """Return a path relative to the root, with forward slashes."""
    return Path(os.path.relpath(path, root)).as_posix()


def find_definitions_folder(option: Path) -> Path:
    """Return the definitions' folder of the project that the working directory is in, as seen from there.

    The project is the nearest folder, upwards and no further than the repository's root, with settings or with a folder
    of this name. If there is none, and outside a repository, the name is what it says.
    """
    current = Path.cwd()
    around = [current, *current.parents]
    repository_index = next((index for index, folder in enumerate(around) if os.path.lexists(folder / ".git")), 0)
    if not option.is_absolute():
        for folder in around[: repository_index + 1]:
            if (folder / option).is_dir() or (folder / FILE_NAME).exists():
                return option if folder == current else Path(os.path.relpath(folder / option, current))
    return option
