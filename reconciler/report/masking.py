"""Sensitive values leave a document here, before any renderer sees it.

A pattern such as `/metadata/*/key` names fields; their values become `(sensitive)` wherever a document holds
values, and are taken out of the sentences that might quote them. A null stays null: that a field
is empty gives nothing away, and a report that hid it would no longer show what a patch does.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, covers, parse_pointer
from reconciler.report.document import AssistantEntry, ChangeEntry, Document
from reconciler.report.values import SENSITIVE

_WORTH_SCRUBBING = 4  # characters: a shorter value would be found in ordinary words


def mask(document: Document, sensitive: Sequence[FieldPath]) -> Document:
    """Return the document without the values of the fields that the patterns name.

    `*` in a pattern stands for any one segment, and an index of a list is a segment. Masked are a leaf that a
    pattern names, a leaf below a named field, and the named part of a leaf above. The input stays as it is.
    """
    if not sensitive:
        return document
    secrets = sorted(set(_secrets(document, sensitive)), key=lambda text: (-len(text), text))
    pattern = re.compile("|".join(map(re.escape, secrets)) or r"(?!)")  # the longest first; without any, never

    def scrub(text: str) -> str:
        return pattern.sub(SENSITIVE, text)

    return {
        **document,
        "warnings": [scrub(warning) for warning in document["warnings"]],
        "problems": [{**problem, "message": scrub(problem["message"])} for problem in document["problems"]],
        "assistants": [_mask_assistant(entry, sensitive, scrub) for entry in document["assistants"]],
    }


def _mask_assistant(
    entry: AssistantEntry, sensitive: Sequence[FieldPath], scrub: Callable[[str], str]
) -> AssistantEntry:
    error = entry["error"]
    return {
        **entry,
        "name": mask_value(entry["name"], ("name",), sensitive),
        "changes": [_mask_change(change, sensitive) for change in entry["changes"]],
        "patch": mask_value(entry["patch"], (), sensitive),
        "warnings": [scrub(warning) for warning in entry["warnings"]],
        "error": {**error, "message": scrub(error["message"])} if error else None,
    }


def _mask_change(change: ChangeEntry, sensitive: Sequence[FieldPath]) -> ChangeEntry:
    path = parse_pointer(change["path"])
    masked: ChangeEntry = {**change, "desired": mask_value(change["desired"], path, sensitive)}
    if "live" in change:
        masked["live"] = mask_value(change["live"], path, sensitive)
    if "base" in change:
        masked["base"] = mask_value(change["base"], path, sensitive)
    return masked


def mask_value(value: Any, path: FieldPath, sensitive: Sequence[FieldPath]) -> Any:
    """Return a value that stands at a path with its sensitive parts replaced."""
    near = [pattern for pattern in sensitive if _meets(pattern, path)]
    if not near or value is None:
        return value
    if any(covers(pattern, path) for pattern in near):
        return SENSITIVE
    if isinstance(value, dict):
        return {key: mask_value(item, (*path, key), near) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_value(item, (*path, str(place)), near) for place, item in enumerate(value)]
    return value


def _meets(pattern: FieldPath, path: FieldPath) -> bool:
    """Tell whether a pattern names the path, something above it, or something below it."""
    return all(part in ("*", key) for part, key in zip(pattern, path, strict=False))


def _secrets(document: Document, sensitive: Sequence[FieldPath]) -> Iterator[str]:
    """Return every text that stands at a sensitive place, also as JSON writes it inside a quotation."""
    for entry in document["assistants"]:
        found = [*_hidden(entry["name"], ("name",), sensitive), *_hidden(entry["patch"], (), sensitive)]
        for change in entry["changes"]:
            path = parse_pointer(change["path"])
            for value in (change["desired"], change.get("live"), change.get("base")):
                found += _hidden(value, path, sensitive)
        for text in _texts(found):
            if len(text) >= _WORTH_SCRUBBING:
                yield text
                yield json.dumps(text)[1:-1]
                yield json.dumps(text, ensure_ascii=False)[1:-1]
                yield repr(text)[1:-1]


def _hidden(value: Any, path: FieldPath, sensitive: Sequence[FieldPath]) -> Iterator[Any]:
    near = [pattern for pattern in sensitive if _meets(pattern, path)]
    if not near:
        return
    if any(covers(pattern, path) for pattern in near):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _hidden(item, (*path, key), near)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _hidden(item, (*path, str(place)), near)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    """Return every text in some values; without recursion, since live values may be nested deeply."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if value != SENSITIVE:
                yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
