"""A definition as it was read: what one YAML file declares about one assistant."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """One valid definition.

    `key` is the file's path below the folder without its suffix, `file` its path from the repository's
    root, `declared` the writable fields as plain JSON values: a key that is not in it is not managed,
    `None` is enforced to be empty. `text` is the file as it was read, from which the places of fields are
    found when somebody asks.
    """

    key: str
    file: str
    id: str
    declared: Mapping[str, Any]
    text: str = dataclasses.field(default="", repr=False, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class InvalidDefinition:
    """A file that is no valid definition; `id` is None where it could not be read."""

    key: str
    file: str
    id: str | None
    message: str
    kind: Literal["invalid", "duplicate"] = "invalid"
