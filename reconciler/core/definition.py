"""A definition as it was read from the files of one assistant."""

import dataclasses
import functools
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from reconciler.assistant.fields import NEVER_SHARED
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import About
from reconciler.assistant.texts import TEXT_KEY
from reconciler.core.canonical import find_differing_line, find_only_difference
from reconciler.core.tree import MISSING, item_at, merge_overlay, put_all, value_at
from reconciler.dataclass import dataclass

SUFFIXES: Final = (".yaml", ".yml")
NEW: Final = "new"  # the id of an assistant that is still to be created
DEFAULTS: Final = "_defaults.yaml"  # what the definitions of a folder, and of those below it, have in common
MAX_BYTES: Final = 1024 * 1024  # of one definition file, and of one text file
# The limit of a record's entry: a definition with all its texts, however YAML must escape them.
MAX_RESOLVED: Final = 64 * MAX_BYTES
LARGEST: Final = 2**63 - 1  # whole number: not every YAML parser keeps a longer one
LayerKind = Literal["defaults", "definition", "overlay"]
_LIKE_DEFAULTS: Final = re.compile(r"_+defaults?\.ya?ml", re.IGNORECASE)
# Names that come from text editors, mail programs and typos. Backups (`x.yaml~`) are not meant to be read.
_LIKE_DEFINITION: Final = (
    r"(?i)(.+)\.(ya?ml|yalm|ymal|yam|ymll|yamll)(?:\.(?:txt|text|rtf|docx?|html?|md|json|ya?ml))?"
    r"[\s.\u200b-\u200f\u2060\ufeff]*"
)


class Place(NamedTuple):
    """Where a field is in its file: the lines and columns, from 1, of its key and of its value."""

    key: tuple[int, int]
    value: tuple[int, int]

    def of(self, about: About) -> tuple[int, int]:
        """Return where the key begins, or else the value."""
        return self.key if about == "key" else self.value


START: Final = Place((1, 1), (1, 1))  # of a file


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFile:
    """A text in a file of its own, as one layer mentions it."""

    path: FieldPath  # the field that gets the text
    reference: str  # what is after `$file`
    file: str  # from the repository's root
    content: str = dataclasses.field(repr=False)
    text: str = dataclasses.field(repr=False)  # what the field gets of it


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One file that declares some of an assistant's fields, as it was read."""

    file: str  # from the repository's root
    text: str = dataclasses.field(repr=False)
    fields: Mapping[str, Any]  # plain JSON values, `id` and the texts of text files among them
    kind: LayerKind = "definition"
    texts: tuple[TextFile, ...] = ()
    # Computed on demand and once: it costs as much as reading the file, and few files need it.
    find_places: Callable[[str], Mapping[FieldPath, Place]] = dataclasses.field(repr=False, compare=False)

    @functools.cached_property
    def places(self) -> Mapping[FieldPath, Place]:
        """Where each field of the file is."""
        return self.find_places(self.text)

    @functools.cached_property
    def as_written(self) -> Mapping[str, Any]:
        """The fields as the file says them, with `$file` instead of the texts of text files."""
        references = ((text_file.path, {TEXT_KEY: text_file.reference}) for text_file in self.texts)
        return dict(put_all(self.fields, references))

    def text_at(self, path: FieldPath) -> TextFile | None:
        """Return the text file whose text is the value at a path, None if the layer itself has the value."""
        return next((text_file for text_file in self.texts if text_file.path == path), None)


def write_command(*words: str) -> str:
    """Return a command, ready to be pasted into a shell."""
    return f"`reconciler {shlex.join(words)}`"


@dataclass(frozen=True, slots=True)
class Definition:
    """One valid definition."""

    key: str  # the file's path below the folder, without its suffix
    file: str  # from the repository's root
    id: str  # where the files say `id: new`, what the record knows of the file, or nothing
    # The writable fields of all layers: what is not in it is not managed, `None` is enforced to be empty.
    declared: Mapping[str, Any]
    layers: tuple[Layer, ...] = dataclasses.field(default=(), compare=False)  # the lowest first
    says_new: bool = False

    @property
    def is_new(self) -> bool:
        """Return whether the assistant is still to be created."""
        return self.says_new and not self.id

    @property
    def contents(self) -> Mapping[str, str]:
        """The content of each of its files by path: the layers from the lowest on, then the text files."""
        layers = {layer.file: layer.text for layer in self.layers}
        return layers | {text.file: text.content for layer in self.layers for text in layer.texts}

    @property
    def stands_alone(self) -> bool:
        """Return whether its own file declares everything, including the id."""
        return len(self.layers) == 1 and not self.own_layer.texts and self.own_layer.fields.get("id") == self.id

    @property
    def own_layer(self) -> Layer:
        """The definition file itself."""
        return next(layer for layer in self.layers if layer.kind == "definition")

    @property
    def overlay(self) -> Layer | None:
        """The environment's own file on top, where there is one."""
        return next((layer for layer in self.layers if layer.kind == "overlay"), None)

    @property
    def id_file(self) -> str:
        """The path of the uppermost file that declares the id."""
        return next((layer.file for layer in reversed(self.layers) if "id" in layer.fields), self.file)

    def locate(self, path: FieldPath, about: About = "value", line: int = 1) -> tuple[str, int, int]:
        """Return file, line and column of a field's key or value in its uppermost layer, else the file's start.

        In a text file, `line` selects the line.
        """
        for layer in reversed(self.layers):
            if about == "value" and (text := layer.text_at(path)):
                return text.file, line, 1
            if place := layer.places.get(path):
                return layer.file, *place.of(about)
        return self.file, 1, 1

    def find_line(self, path: FieldPath, value: Any, other: Any) -> tuple[str, int] | None:
        """Return file and line of a value that differs from another one; None where no file declares it.

        A list is one leaf, at the line of its key; where all that differs in it is one text, that text's file counts.
        In a text file it is the first line that differs.
        """
        leaf = find_only_difference(value, other, path) if isinstance(value, list) else path
        for layer in reversed(self.layers):
            if text := layer.text_at(leaf):
                return text.file, find_differing_line(*(item_at(side, leaf[len(path) :]) for side in (value, other)))
            if place := layer.places.get(path):
                return layer.file, place.key[0]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidDefinition(Definition):
    """A file that is not a valid definition. It declares nothing, and its `id` is empty if it could not be read."""

    declared: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    message: str
    kind: Literal["invalid", "duplicate"] = "invalid"


def is_definition_file(path: str, folder: str) -> bool:
    """Return whether a path from the root is a definition below a folder. Dot files and defaults are not."""
    relative = _relative_path(path, folder)
    if relative is None or not relative.endswith(SUFFIXES) or is_defaults_file(path):
        return False
    # Names that begin with a dot belong to some tool, for folders as well as files.
    if relative.startswith(".") or "/." in relative:
        return False
    return correct_name(relative.rpartition("/")[2]) is None


def correct_name(name: str) -> str | None:
    """Return the name that a file was probably meant to have; None if its name is right."""
    if _LIKE_DEFAULTS.fullmatch(name) and name != DEFAULTS:
        return DEFAULTS
    match = None if name.endswith(SUFFIXES) else re.fullmatch(_LIKE_DEFINITION, name)
    return f"{match[1]}.{'yml' if match[2].lower() == 'yml' else 'yaml'}" if match else None


def is_defaults_file(path: str) -> bool:
    """Return whether a path is that of a file of defaults, in any folder."""
    return path.rpartition("/")[2] == DEFAULTS


def defaults_above(key: str) -> list[str]:
    """Return where the defaults of a definition may be, below the folder: the outermost first."""
    folders = key.split("/")[:-1]
    return ["/".join([*folders[:depth], DEFAULTS]) for depth in range(len(folders) + 1)]


def path_in(folder: str, relative: str) -> str:
    """Return the path from the root for a path below a folder; `.` is the root."""
    return relative if folder in ("", ".") else f"{folder}/{relative}"


def key_of(path: str, folder: str) -> str:
    """Return the key of a definition file: its path below the folder without its suffix."""
    return (_relative_path(path, folder) or path).rpartition(".")[0]


def _relative_path(path: str, folder: str) -> str | None:
    """Return a path as it is below a folder, None if it is elsewhere; `.` is the root."""
    if folder in ("", "."):
        return path
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None


def merge_layers(layers: Iterable[Layer]) -> dict[str, Any]:
    """Return what layers declare together, the lowest first."""
    return dict(functools.reduce(merge_overlay, (layer.fields for layer in layers), {}))


def drop_id(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document declares: all its fields but the id."""
    return {key: value for key, value in document.items() if key != "id"}


def find_declaring_layer(layers: Sequence[Layer], path: FieldPath) -> Layer | None:
    """Return the uppermost of some layers that says something at a path, None if none does."""
    return next((layer for layer in reversed(layers) if value_at(layer.fields, path) is not MISSING), None)


def get_shared(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what definitions take from a file of defaults."""
    return {key: value for key, value in fields.items() if key not in NEVER_SHARED}
