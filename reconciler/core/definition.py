"""A definition as it was read: what the files of one assistant declare about it."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Literal

SUFFIXES: Final = (".yaml", ".yml")
MAX_BYTES: Final = 1024 * 1024  # of one definition file


@dataclasses.dataclass(frozen=True, slots=True)
class Overlay:
    """An environment's file that is laid over a definition: its path from the repository's root, text and fields."""

    file: str
    text: str = dataclasses.field(repr=False)
    fields: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """One valid definition.

    `key` is the file's path below the folder without its suffix, `file` its path from the repository's root,
    `declared` the writable fields as plain JSON values: a key that is not in it is not managed, `None` is
    enforced to be empty. `text` is the file as it was read, from which the places of fields are found when
    somebody asks; `overlay` is what the environment lays over it.
    """

    key: str
    file: str
    id: str
    declared: Mapping[str, Any]
    text: str = dataclasses.field(default="", repr=False, compare=False)
    overlay: Overlay | None = dataclasses.field(default=None, compare=False)

    @property
    def id_layer(self) -> tuple[str, str]:
        """The path and the text of the file that declares the id: the overlay where that does."""
        if self.overlay is not None and "id" in self.overlay.fields:
            return self.overlay.file, self.overlay.text
        return self.file, self.text


@dataclasses.dataclass(frozen=True, slots=True)
class InvalidDefinition:
    """A file that is no valid definition; `id` is None where it could not be read."""

    key: str
    file: str
    id: str | None
    message: str
    kind: Literal["invalid", "duplicate"] = "invalid"


def is_definition_file(path: str, folder: str) -> bool:
    """Tell whether a path from the root is that of a definition below a folder; dot files are none."""
    below = _below(path, folder)
    return below is not None and below.endswith(SUFFIXES) and not any(part[:1] == "." for part in below.split("/"))


def key_of(path: str, folder: str) -> str:
    """Return the key of a definition file: its path below the folder without its suffix."""
    return (_below(path, folder) or path).rpartition(".")[0]


def _below(path: str, folder: str) -> str | None:
    """Return a path as it is below a folder, None where it is elsewhere; `.` is the root."""
    if folder in ("", "."):
        return path
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None
