"""Texts in separate files: where a layer mentions one, and how a file's content becomes a text. Reads no file."""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.paths import FieldPath

TEXT_KEY: Final = "$file"
HOW_TO_RESOLVE: Final = (
    "keep the lines above or below =======, and delete the others and the lines with <<<<<<<, ======= and >>>>>>>"
)
# A text file must not contain control characters, as in YAML, halves of surrogate pairs, which UTF-8 lacks, or the
# markers of a merge that git could not finish. One class of characters comes first, which is four times as fast.
FORBIDDEN: Final = "(?m)[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff<>](?:(?<![<>])|(?<=^<)<{6} |(?<=^>)>{6} )"


def find_references(fields: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Mapping[str, Any]]]:
    """Yield the path of each object that mentions a text file, at any depth and in lists, and that object."""
    # Check for `dict`, which the reader makes: checking for Mapping is far slower, and every value is visited.
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
    """Return whether a YAML text may mention a text file. Most mention none, and that is clear without parsing."""
    # In quotes, the key may contain escapes.
    return TEXT_KEY in text or "\\" in text


def resolve_reference(reference: str, file: str) -> str:
    """Return the path, from the repository's root, of the text file that a YAML file mentions."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), reference))


def clean_text(content: str) -> str:
    """Return the text in a file, whatever line endings and byte order mark its editor has written."""
    # Editors add a line end at the end of a file, which is not meant to be part of the text.
    return content.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n")
