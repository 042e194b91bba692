"""Finds definition files without leaving their folder, and reads them as text. Does not parse the text."""

import codecs
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.assistant.problem import InvalidSettings, Problem
from reconciler.core.definition import DEFAULTS, MAX_BYTES, SUFFIXES, LayerKind, correct_name, defaults_above
from reconciler.core.settings import FILE_NAME, Settings
from reconciler.dataclass import dataclass
from reconciler.errors import DefinitionError
from reconciler.files.folders import locate_overlays, shown_path
from reconciler.yamltext.nodes import place_in, refuse_text

_CHUNK = 64 * 1024  # bytes; most definitions are smaller
_AS_IT_IS = getattr(os, "O_BINARY", 0)  # on Windows, a file is otherwise opened as text
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# The first bytes of documents that people may save under the name of a definition.
_DOCUMENTS = {
    b"PK\x03\x04": "a Word document or an archive",
    b"\xd0\xcf\x11\xe0": "a Word document",
    b"{\\rtf": "a Rich Text document",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True, slots=True)
class YamlFile:
    """One file of the folder; `problem` says why it cannot be read, where that is known already.

    `file` is its path from the repository's root, `name` the one below `folder`.
    """

    key: str
    file: str
    folder: Path
    name: str
    kind: LayerKind
    problem: str = ""
    right_name: str = ""  # of a file that is not read for its name alone

    @property
    def path(self) -> Path:
        """The file's path, made on demand, since most files of a large fleet are never opened."""
        return self.folder / self.name

    def read(self) -> str:
        """Return the file's text. Raises UnreadableText."""
        if self.problem:
            raise refuse_text((1, 1), self.problem)
        return read_text(f"{self.folder}/{self.name}")

    def read_bytes(self) -> bytes:
        """Return the file's content, whatever it is; nothing if it cannot be read."""
        try:
            return b"" if self.problem else read_beginning(f"{self.folder}/{self.name}")
        except OSError:
            return b""


@dataclass(frozen=True, slots=True)
class YamlFiles:
    """All files that make up the definitions of a folder."""

    definitions: Sequence[YamlFile]
    overlays: Mapping[str, Sequence[YamlFile]]  # of the chosen environment, by key
    defaults: Sequence[Mapping[str, YamlFile]]  # of the folder, then of the overlays' folder, by their path below it
    skipped: Sequence[YamlFile]  # probably meant to be read, and not read for their names

    def stack(self, file: YamlFile) -> list[YamlFile]:
        """Return the files that declare the fields of one definition, the lowest first."""
        # Few folders have defaults.
        places = defaults_above(file.key) if any(self.defaults) else ()
        shared = [each[place] for each in self.defaults for place in places if place in each]
        return [*shared, file, *reversed(self.overlays.get(file.key, ()))]


def find_all(folder: Path, root: Path, *forms: Settings) -> YamlFiles:
    """Return all files of a folder's definitions; where there are several forms, the overlays of each.

    Files that cannot be read come with their problem; names that begin with a dot are skipped. Raises DefinitionError
    if there is no such folder, or no definition in it, and as `find_overlay_folder`.
    """
    if not folder.is_dir():
        hint = "run this in the folder that contains it, or pass --directory; `reconciler init` starts a new project"
        raise DefinitionError(f"there is no folder {shown_path(folder, Path.cwd())}", hint=hint)
    files = _find_sorted(folder, root)
    definitions = [each for each in files if _is_layer(each)]
    if not definitions:
        hint = "write one that ends in .yaml or .yml; `reconciler import ID` does it for a live assistant"
        if misnamed := next((each for each in files if each.right_name), None):
            hint = f"{misnamed.file} is not read; rename it to {misnamed.right_name}"
        raise DefinitionError(f"the folder {shown_path(folder.resolve(), root)} contains no definition", hint=hint)
    places = dict.fromkeys(find_overlay_folder(folder, form, root) for form in forms)
    groups = [files, *(_find_sorted(place, root, "overlay") for place in places if place is not None)]
    overlays: dict[str, list[YamlFile]] = {}
    for overlay in (each for group in groups[1:] for each in group if _is_layer(each)):
        overlays.setdefault(overlay.key, []).append(overlay)
    skipped = [each for group in groups for each in group if each.right_name]
    return YamlFiles(definitions, overlays, [*map(_pick_defaults, groups)], skipped)


def find_defaults(folder: Path, root: Path) -> dict[str, YamlFile]:
    """Return the files of defaults in a folder and below, by their path from it; nothing if there is no folder."""
    return _pick_defaults(_find_sorted(folder, root)) if folder.is_dir() else {}


def _is_layer(file: YamlFile) -> bool:
    return not file.right_name and file.kind != "defaults"


def _pick_defaults(files: Sequence[YamlFile]) -> dict[str, YamlFile]:
    return {file.name: file for file in files if file.kind == "defaults"}


def find_overlay_folder(folder: Path, settings: Settings, root: Path) -> Path | None:
    """Return the chosen environment's overlay folder, which is next to `folder`, or None. Raises InvalidSettings."""
    place = locate_overlays(folder, settings)
    if place is None:
        return None
    if place.is_dir() and place.resolve().is_relative_to(folder.resolve().parent):
        return place.resolve()
    name = shown_path(place, root)
    problem = f"the overlay folder {name} is a link, which is not followed; put a folder there, or correct this line"
    if not place.is_dir():
        problem = (
            f"there is no overlay folder {name}; correct this line, or create the folder (git keeps it once a file is "
            "in it, such as an empty .gitkeep)"
        )
    raise InvalidSettings([Problem(settings.file or FILE_NAME, *settings.overlay_place, problem)])


def read_text(path: Path | str) -> str:
    """Return a file's text, without a byte order mark. Raises UnreadableText."""
    try:
        content = read_beginning(path)
    except OSError as error:
        raise refuse_text((1, 1), f"this file cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise refuse_text((1, 1), "this file is larger than 1 MiB, far more than an assistant's definition needs")
    if kind := describe_foreign(content):
        raise refuse_text((1, 1), f"this file is {kind}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        readable = content[: error.start].decode("utf-8-sig")
        message = "this character is not saved as UTF-8; save the file as UTF-8"
        raise refuse_text(place_in(readable, len(readable)), message) from None
    if text.startswith("\ufeff"):
        message = "this file begins with two byte order marks (U+FEFF), which are invisible; delete one"
        raise refuse_text((1, 1), message)
    return text


def read_beginning(path: Path | str) -> bytes:
    """Return a file's content. Of a file above `MAX_BYTES` return a little more than these, enough to refuse it."""
    # The system's own calls take half the time of `open`. With --changed, most of the time goes into reading.
    number, content = os.open(path, os.O_RDONLY | _AS_IT_IS), b""
    try:
        while len(content) <= MAX_BYTES and (chunk := os.read(number, _CHUNK)):
            content += chunk
        return content
    finally:
        os.close(number)


def describe_foreign(content: bytes) -> str:
    """Return what kind of file has this content instead of text in UTF-8, and what to do about it."""
    if kind := next((kind for prefix, kind in _DOCUMENTS.items() if content.startswith(prefix)), ""):
        return f"{kind}; write its text into a file with a plain text editor"
    # Windows' editors offer UTF-16 as "Unicode". Without its first bytes the zeros give it away.
    is_wide = content.startswith(_UTF_16) or b"\0" in content[:64]
    return "saved as UTF-16, or not text; save it as UTF-8" if is_wide else ""


def _find_sorted(folder: Path, root: Path, kind: LayerKind = "definition") -> list[YamlFile]:
    folder = folder.resolve()
    prefix = shown_path(folder, root)
    return sorted(_walk(folder, "", "" if prefix == "." else f"{prefix}/", kind), key=lambda file: file.file)


def _walk(folder: Path, relative: str, prefix: str, kind: LayerKind) -> Iterator[YamlFile]:
    """Yield the files of a folder, those of one kind and defaults; its path from the root is the `prefix`.

    `relative` is the path inside it.
    """
    try:
        with os.scandir(folder / relative) as scan:
            entries = [entry for entry in scan if not entry.name.startswith(".")]
    except OSError as error:
        name = relative.rstrip("/")
        key = name.rpartition(".")[0] or name
        yield YamlFile(key, prefix + name, folder, name, kind, f"this folder cannot be read: {error.strerror}")
        return
    for entry in entries:
        name = relative + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, f"{name}/", prefix, kind)
            continue
        right_name = correct_name(entry.name) or ""
        # A linked folder may be anywhere, closed to this user, or above this one, and then the walk would never end.
        if entry.is_symlink() and os.path.isdir(entry.path):  # noqa: PTH112 - Path.is_dir fails in a closed folder
            problem = "this is a link to a folder; links to folders are not followed: move the definitions here"
            right_name = ""
        elif right_name or entry.name.endswith(SUFFIXES):
            problem = _find_obstacle(entry, folder)
        else:
            continue
        key = (relative + (right_name or entry.name)).rpartition(".")[0] or name
        own_kind: LayerKind = "defaults" if entry.name == DEFAULTS else kind
        yield YamlFile(key, prefix + name, folder, name, own_kind, problem, right_name)


def _find_obstacle(entry: os.DirEntry[str], folder: Path) -> str:
    """Return why a file is not opened; empty if it is."""
    if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(folder):
        return "this is a link to a file outside the definitions' folder, which is not followed"
    # Opening a pipe would wait for its writer.
    return "" if entry.is_symlink() or entry.is_file() else "this is not a regular file"
