"""What of a live assistant a new definition declares, and what it leaves out."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.assistant import find_faults
from reconciler.core.compare import value_at
from reconciler.core.fields import READ_ONLY, is_documented, keys_inside
from reconciler.core.missing import MISSING, Missing
from reconciler.core.paths import FieldPath, covers
from reconciler.core.settings import Settings

# Definitions hold whole numbers of 64 bits; the reader of definitions refuses longer ones.
LARGEST = 2**63 - 1


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """The fields of a new definition, `id` first, and the live paths that it leaves out, by reason.

    `unknown` are undocumented, `refused` hold a value that a definition may not, `hidden` are named by
    `sensitive`.
    """

    fields: Mapping[str, Any]
    unknown: tuple[FieldPath, ...]
    refused: tuple[FieldPath, ...]
    hidden: tuple[FieldPath, ...]


def declare(assistant_id: str, live: Mapping[str, Any], settings: Settings) -> Declared:
    """Return the definition that a live assistant is in sync with: documented fields in the API's order, no nulls."""
    unknown: list[FieldPath] = []
    hidden: list[FieldPath] = []
    writable = {key: value for key, value in live.items() if key not in READ_ONLY}
    fields = _declared(writable, (), settings, unknown, hidden)
    refused = set(_too_large(fields, ()))
    fields = _without(fields, (), refused)
    while faults := find_faults({"id": assistant_id, **fields}, settings.extra_fields):
        faulty = {_existing(finding.path, fields) for finding in faults} - {()}
        if not faulty:
            break
        refused |= faulty
        fields = _without(fields, (), faulty)
    return Declared(
        {"id": assistant_id, **fields}, tuple(sorted(unknown)), tuple(sorted(refused)), tuple(sorted(hidden))
    )


def _declared(
    live: Mapping[str, Any], path: FieldPath, settings: Settings, unknown: list[FieldPath], hidden: list[FieldPath]
) -> dict[str, Any]:
    documented = [key for key in keys_inside(path) if key in live]
    fields: dict[str, Any] = {}
    for key in [*documented, *sorted(key for key in live if key not in documented)]:
        value = _leaf(live[key], (*path, key), settings, unknown, hidden)
        if value is not MISSING:
            fields[key] = value
    return fields


def _leaf(
    value: Any, path: FieldPath, settings: Settings, unknown: list[FieldPath], hidden: list[FieldPath]
) -> Any | Missing:
    if value is None:
        return MISSING
    if not is_documented(path) and not any(covers(extra, path) for extra in settings.extra_fields):
        unknown.append(path)
        return MISSING
    if isinstance(value, Mapping) and not any(covers(pattern, path) for pattern in settings.sensitive):
        return _declared(value, path, settings, unknown, hidden) or MISSING
    if not settings.may_show(path):
        hidden.append(path)
        return MISSING
    return value


def _too_large(fields: Mapping[str, Any], path: FieldPath) -> Iterator[FieldPath]:
    """Yield the paths of leaves with a whole number in them that not every YAML parser keeps exactly."""
    for key, value in fields.items():
        if isinstance(value, Mapping):
            yield from _too_large(value, (*path, key))
        elif any(abs(number) > LARGEST for number in _whole_numbers(value)):
            yield (*path, key)


def _whole_numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _whole_numbers(item)


def _existing(path: FieldPath, fields: Mapping[str, Any]) -> FieldPath:
    """Return the part of a fault's path that names a field: inside a list, the list."""
    while path and value_at(fields, path) is MISSING:
        path = path[:-1]
    return path


def _without(fields: Mapping[str, Any], path: FieldPath, left_out: set[FieldPath]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in fields.items():
        below = (*path, key)
        if below in left_out:
            continue
        kept[key] = _without(value, below, left_out) if isinstance(value, Mapping) else value
    return kept
