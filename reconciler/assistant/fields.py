"""The fields of an assistant: what the API's reference documents about each, as one table.

Source: the reference's page "Update an assistant" (EDMO Agent Builder API 1.0.0). The models of
`assistant.py` say the same for validation; a test keeps the two alike. This module stays free of pydantic,
since comparing needs only the facts.
"""

from collections.abc import Mapping
from typing import Final

from reconciler.assistant.paths import FieldPath

# Every documented field in the API's order, and whether the API takes null for it.
_TAKES_NULL: Final[Mapping[FieldPath, bool]] = {
    ("name",): False,
    ("firstMessage",): True,
    ("firstMessageMode",): True,
    ("model",): False,
    ("model", "provider"): False,
    ("model", "model"): False,
    ("model", "temperature"): False,
    ("model", "maxTokens"): False,
    ("voice",): False,
    ("voice", "provider"): False,
    ("voice", "voiceId"): False,
    ("transcriber",): False,
    ("transcriber", "provider"): False,
    ("transcriber", "model"): True,
    ("voicemailMessage",): True,
    ("endCallMessage",): True,
    ("endCallPhrases",): True,
    ("metadata",): True,
    ("maxDurationSeconds",): True,
}

DOCUMENTED: Final[tuple[FieldPath, ...]] = tuple(_TAKES_NULL)
TOP_LEVEL: Final[tuple[str, ...]] = tuple(path[0] for path in _TAKES_NULL if len(path) == 1)
READ_ONLY: Final = ("id", "orgId", "createdAt", "updatedAt")
OBJECT_FIELDS: Final = ("model", "voice", "transcriber", "metadata")
# Objects whose keys the reference lists, in contrast to `metadata`, which takes any.
CLOSED_OBJECTS: Final = ("model", "voice", "transcriber")
REQUIRED_INSIDE: Final[Mapping[str, tuple[str, ...]]] = {"model": ("provider", "model")}
# Lists in which only the elements count, not their order.
UNORDERED: Final[tuple[FieldPath, ...]] = (("endCallPhrases",),)
# Texts that a caller hears.
MESSAGES: Final = ("firstMessage", "voicemailMessage", "endCallMessage")


def takes_null(path: FieldPath) -> bool:
    """Tell whether null may be sent at a path: as documented; yes inside `metadata`, yes if undocumented."""
    return _TAKES_NULL.get(path, True)


def is_documented(path: FieldPath) -> bool:
    """Tell whether the reference lists a writable path; everything below `metadata` counts as listed."""
    return path in _TAKES_NULL or path[:1] == ("metadata",)


def keys_inside(parent: FieldPath) -> tuple[str, ...]:
    """Return the documented keys directly below a path (`()`: the assistant itself), in the API's order."""
    return tuple(path[-1] for path in _TAKES_NULL if path[:-1] == parent)
