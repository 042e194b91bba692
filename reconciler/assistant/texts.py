"""Texts in files of their own: where a layer mentions them, and which text a file's content is. Reads no file."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.paths import FieldPath

TEXT_KEY: Final = "$file"
# What no text file may hold: control characters, as in YAML, and halves of surrogate pairs, which UTF-8 lacks.
FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def find_references(fields: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Mapping[str, Any]]]:
    """Yield the path of each object that mentions a text file, at any depth and in lists, and that object."""
    # Plain dictionaries, as they are read: to ask for a Mapping takes far longer, and every value is looked at.
    if isinstance(fields, dict):
        if TEXT_KEY in fields:
            yield path, fields
            return
        for key, value in fields.items():
            yield from find_references(value, (*path, key))
    elif isinstance(fields, list):
        for index, item in enumerate(fields):
            yield from find_references(item, (*path, str(index)))


def may_mention(text: str) -> bool:
    """Return whether a YAML text may mention a text file: most mention none, which is seen without parsing them."""
    # Between quotes the key may be written with escapes.
    return TEXT_KEY in text or "\\" in text


def resolve_reference(reference: str, file: str) -> str:
    """Return the path, from the repository's root, of the text file that a YAML file mentions."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), reference))


def clean_text(content: str) -> str:
    """Return the text that a file's content is, as every system's editors write it."""
    # Editors add a line end to the end of a file, and nobody means the assistant to say it.
    return content.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n")
