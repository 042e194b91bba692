"""Which files git stores as something else: the filters that attributes name, such as those of git-crypt."""

import contextlib
import functools
import os
import posixpath
from pathlib import Path

from reconciler.errors import RepositoryError
from reconciler.git.processes import Batch, Processes


class Filters:
    """The filters of one repository, each looked up once per run."""

    def __init__(self, git: Processes, objects: Batch, root: Path, shared: Path) -> None:
        self._git = git
        self._objects = objects
        self._root = root
        self._shared = shared  # the folder of git's own files, which all worktrees have in common
        self._may_filter: dict[str, bool] = {}

    def find(self, path: str) -> str | None:
        """Return the name of the filter that git's attributes set for a path, or None. Raises RepositoryError."""
        folder = posixpath.dirname(path)
        names = [str(parent / ".gitattributes") for parent in Path(path).parents]
        # Git is asked only if the attributes mention a filter at all: most are about line ends.
        if folder not in self._may_filter:
            places = [*(self._root / name for name in names), self._shared / "info" / "attributes", self._of_user]
            self._may_filter[folder] = any(map(_mentions_filter, places)) or any(map(self._is_only_in_index, names))
        if not self._may_filter[folder]:
            return None
        name = self._git.run_for_lines(1, "check-attr", "filter", "--", path)[0].rpartition(": ")[2]
        if name in ("unspecified", "unset", "set"):
            return None
        # Then git names the filter, and does not apply it when it prints a file.
        if hidden := next(filter(self._is_only_in_index, names), None):
            raise RepositoryError(
                f"{path} goes through git's filter {name!r}, but {hidden} is not checked out", hint="check it out"
            )
        return name

    def _is_only_in_index(self, name: str) -> bool:
        return not (self._root / name).exists() and self._objects.read_object(f":{name}", limit=0) is not None

    @functools.cached_property
    def _of_user(self) -> Path:
        """The attributes that the user has for all repositories (gitattributes(5))."""
        words = ("--default", "", "--type=path", "--get", "core.attributesFile")
        [value] = self._git.run_for_lines(1, "config", *words)
        if value:
            return Path(value)
        # In a container, the user may have no home that anybody knows. `Path.expanduser` fails then.
        folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
        return Path(folder) / "git" / "attributes"


def _mentions_filter(attributes: Path) -> bool:
    # Git ignores attributes that it cannot read, too.
    with contextlib.suppress(OSError):
        return attributes.is_file() and b"filter" in attributes.read_bytes()
    return False
