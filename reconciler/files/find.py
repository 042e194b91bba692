"""Finds and reads definition files: walks the folder, never out of it, and turns bytes into text.

What the text means is none of its business.
"""

import codecs
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.assistant.problem import Problem
from reconciler.core.definition import MAX_BYTES, SUFFIXES
from reconciler.core.settings import InvalidSettings, Settings
from reconciler.errors import DefinitionError
from reconciler.files.folders import shown_path
from reconciler.yamltext.nodes import place_in

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclasses.dataclass(frozen=True, slots=True)
class FoundFile:
    """One file of the folder; `trouble` says why it cannot be read, where that is known already."""

    key: str
    file: str
    path: Path
    trouble: str = ""


class UnreadableText(Exception):  # noqa: N818
    """A file without a readable text; line and column count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def find_files(folder: Path, root: Path) -> list[FoundFile]:
    """Return the folder's definition files, sorted by file.

    Names that begin with a dot are skipped, folders too. Links out of the folder, links to folders, and what
    cannot be opened are returned with their trouble. Raises DefinitionError if there is no such folder, or
    nothing in it.
    """
    if not folder.is_dir():
        message = f"there is no folder {shown_path(folder, Path.cwd())}"
        raise DefinitionError(
            message,
            hint="Run this where the definitions' folder is, or name it with --directory; "
            "`reconciler import ID` makes one.",
        )
    folder = folder.resolve()
    files = _found(folder, root)
    if not files:
        message = f"the folder {shown_path(folder, root)} holds no definition"
        raise DefinitionError(
            message,
            hint="Definitions end in .yaml or .yml; `reconciler import ID` writes one for a live assistant.",
        )
    return files


def _found(folder: Path, root: Path) -> list[FoundFile]:
    prefix = shown_path(folder, root)
    files = [
        FoundFile(
            name.rpartition(".")[0] or name,
            name if prefix == "." else f"{prefix}/{name}",
            folder / name,
            trouble,
        )
        for name, trouble in _walk(folder, folder, "")
    ]
    return sorted(files, key=lambda found: found.file)


def find_overlays(folder: Path, settings: Settings, root: Path) -> dict[str, list[FoundFile]]:
    """Return the files of the chosen environment's overlay folder, which stands beside `folder`, by their key.

    Raises InvalidSettings if there is no such folder, or where a link leads to another place; an empty one is fine.
    """
    if settings.overlay is None:
        return {}
    beside = folder.resolve().parent
    place = beside / settings.overlay
    wrong = None
    if not place.is_dir():
        wrong = (
            f"there is no overlay folder {shown_path(place, root)}; correct this line, or create the folder (git keeps "
            "it once a file is in it, such as an empty .gitkeep)"
        )
    elif not place.resolve().is_relative_to(beside):
        wrong = (
            f"the overlay folder {shown_path(place, root)} is a link to another place, which is not followed; put a "
            "folder there, or correct this line"
        )
    if wrong is not None:
        raise InvalidSettings([Problem(settings.file or "reconciler.yaml", *settings.overlay_place, wrong)])
    overlays: dict[str, list[FoundFile]] = {}
    for found in _found(place.resolve(), root):
        overlays.setdefault(found.key, []).append(found)
    return overlays


def select(
    files: Sequence[FoundFile], overlays: Mapping[str, Sequence[FoundFile]], folder: Path, paths: Sequence[Path]
) -> set[str]:
    """Return the `file`s that PATHS, files or folders, select; all of them without PATHS.

    An overlay selects its definition, and one without a definition itself, so that it is told. Raises
    DefinitionError for a path outside the folder, one that does not exist, and one that selects nothing.
    """
    if not paths:
        return {found.file for found in files}
    folder = folder.resolve()
    chosen: set[str] = set()
    defined = {found.key: found.file for found in files}
    upper = {one.path: defined.get(key, one.file) for key, ones in overlays.items() for one in ones}
    for given in paths:
        absolute = Path(os.path.abspath(given))  # noqa: PTH100 - a link itself is meant, not what it leads to
        path = absolute.parent.resolve() / absolute.name
        if not path.exists() and not path.is_symlink():
            message = f"{given} does not exist"
            raise DefinitionError(message)
        if path in upper:
            chosen.add(upper[path])
            continue
        if not path.is_relative_to(folder):
            message = f"{given} is not in the definitions' folder {shown_path(folder, Path.cwd())}"
            raise DefinitionError(
                message,
                hint="Name files or folders inside it, or another folder with --directory.",
            )
        if path.is_dir():
            below = {found.file for found in files if found.path.is_relative_to(path)}
        else:
            below = {found.file for found in files if found.path == path}
        if not below:
            raise DefinitionError(_nothing_selected(given, path))
        chosen |= below
    return chosen


def read_text(path: Path) -> str:
    """Return a file's text, without a byte order mark.

    Raises UnreadableText for a file that cannot be opened, is larger than MAX_BYTES, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"this file cannot be read: {error.strerror}"
        raise UnreadableText(message) from None
    if len(content) > MAX_BYTES:
        raise UnreadableText("this file is larger than 1 MiB, far more than an assistant's definition needs")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content.startswith(_UTF_16):
            raise UnreadableText("this file is saved as UTF-16; save it as UTF-8") from None
        before = content[: error.start].decode("utf-8-sig")
        message = "this character is not saved as UTF-8; save the file as UTF-8"
        raise UnreadableText(message, *place_in(before, len(before))) from None


def _nothing_selected(given: Path, path: Path) -> str:
    if path.is_dir():
        return f"{given} holds no definition (a file that ends in .yaml or .yml)"
    if path.suffix not in SUFFIXES:
        return f"{given} is no definition: its name does not end in .yaml or .yml"
    return f"{given} is skipped, since a name in its path begins with a dot"


def _walk(folder: Path, directory: Path, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield each definition file's path below the folder, and its trouble."""
    try:
        with os.scandir(directory) as scan:
            entries = [entry for entry in scan if not entry.name.startswith(".")]
    except OSError as error:
        yield prefix.rstrip("/"), f"this folder cannot be read: {error.strerror}"
        return
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, directory / entry.name, f"{name}/")
        elif entry.is_symlink() and Path(entry.path).is_dir():
            yield (
                name,
                "this is a link to a folder; links to folders are not followed: move the definitions here",
            )
        elif entry.name.endswith(SUFFIXES):
            yield name, _trouble(folder, entry)


def _trouble(folder: Path, entry: "os.DirEntry[str]") -> str:
    """Return why an entry with a definition's name is not opened; empty for one that is."""
    if entry.is_symlink():
        inside = Path(os.path.realpath(entry.path)).is_relative_to(folder)
        return "" if inside else "this is a link to a file outside the definitions' folder, which is not followed"
    return "" if entry.is_file() else "this is not a regular file"
