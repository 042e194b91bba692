"""Where things are: the repository's root, and paths as reports show them. Asks the disk only, never git."""

import os
from pathlib import Path


def repository_root(folder: Path) -> Path:
    """Return the folder that files are named from: the nearest one at or above `folder` that holds `.git`.

    Outside a repository it is the working directory if `folder` lies in it, else the folder's parent.
    """
    folder = folder.resolve()
    for parent in (folder, *folder.parents):
        # In a worktree or a submodule `.git` is a file.
        if (parent / ".git").exists():
            return parent
    here = Path.cwd().resolve()
    return here if folder.is_relative_to(here) else folder.parent


def folder_in_git(folder: Path, root: Path) -> str:
    """Return a folder's path from `repository_root` as git knows it, whatever links lead there; `.` for the root."""
    return shown_path(folder.resolve(), root)


def shown_path(path: Path, root: Path) -> str:
    """Return a path relative to the root, with forward slashes."""
    return Path(os.path.relpath(path, root)).as_posix()
