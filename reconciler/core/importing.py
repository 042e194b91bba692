"""What of a live assistant a new definition or overlay declares, and what it leaves out."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.assistant.checks import check_definition
from reconciler.assistant.fields import READ_ONLY, is_documented, keys_inside, takes_null
from reconciler.assistant.paths import FieldPath, covers
from reconciler.core.compare import differing_declarations, differing_leaves
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, Missing, value_at

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


@dataclasses.dataclass(frozen=True, slots=True)
class Overlaid:
    """The fields of a new overlay, `id` first; the declared paths that it leaves out, each with the reason.

    `unmanaged` are the live paths that a definition could declare, and that the one below the overlay does not.
    """

    fields: Mapping[str, Any]
    left: tuple[tuple[FieldPath, str], ...]
    unmanaged: tuple[FieldPath, ...]


def declare(assistant_id: str, live: Mapping[str, Any], settings: Settings) -> Declared:
    """Return the definition that a live assistant is in sync with: documented fields in the API's order, no nulls."""
    unknown: list[FieldPath] = []
    hidden: list[FieldPath] = []
    writable = {key: value for key, value in live.items() if key not in READ_ONLY}
    fields = _declared(writable, (), settings, unknown, hidden)
    refused = set(_too_large(fields, ()))
    fields = _without(fields, (), refused)
    while faults := check_definition({"id": assistant_id, **fields}, settings.extra_fields):
        faulty = {_existing(finding.path, fields) for finding in faults} - {()}
        if not faulty:
            break
        refused |= faulty
        fields = _without(fields, (), faulty)
    return Declared(
        {"id": assistant_id, **fields}, tuple(sorted(unknown)), tuple(sorted(refused)), tuple(sorted(hidden))
    )


def declare_over(shared: Mapping[str, Any], assistant_id: str, live: Mapping[str, Any], settings: Settings) -> Overlaid:
    """Return the overlay with which a definition that others share is in sync with a live assistant."""
    fields: dict[str, Any] = {"id": assistant_id}
    left: list[tuple[FieldPath, str]] = []
    for path in differing_leaves(shared, live):
        value = value_at(live, path)
        reason = why_left(path, value, settings)
        if reason:
            left.append((path, reason))
        else:
            _put(fields, path, None if value is MISSING else value)
    importable = declare(assistant_id, live, settings).fields
    unmanaged = [path for path in differing_declarations(shared, importable) if value_at(shared, path) is MISSING]
    return Overlaid(fields, tuple(left), tuple(path for path in unmanaged if path != ("id",)))


def why_left(path: FieldPath, live: Any | Missing, settings: Settings) -> str:
    """Return why a file cannot take a live value of a field that is declared there; empty where it can."""
    if not settings.may_show(path):
        return "named under sensitive in reconciler.yaml: such values are never written"
    if (live is None or live is MISSING) and not takes_null(path):
        return "live has no value, and a definition cannot say so: remove the line to release it"
    alone: dict[str, Any] = {}
    _put(alone, path, None if live is MISSING else live)
    faults = check_definition(alone, settings.extra_fields, needs_id=False)
    if not faults and not any(_too_large(alone, ())):
        return ""
    return "a definition may not hold what live has" + "".join(f": {fault.message}" for fault in faults[:1])


def _put(fields: dict[str, Any], path: FieldPath, value: Any) -> None:
    for key in path[:-1]:
        fields = fields.setdefault(key, {})
    fields[path[-1]] = value


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
