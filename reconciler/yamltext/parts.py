"""What of a JSON value changes, piece by piece, and values with one piece changed. Knows nothing of YAML's text."""

import copy
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

# Beyond these a list is written anew: each piece costs a reading of the whole text.
_MOST_ITEMS: Final = 500
_MOST_PARTS: Final = 50

Steps = tuple[str | int, ...]
"""A way into a value: keys of objects, indices of lists."""


class Part(NamedTuple):
    """One change directly below a list or object: a value set, inserted before an index or as a key, or removed."""

    step: Any
    kind: Literal["set", "insert", "remove"]
    value: Any = None


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal: numbers by value, a boolean only to a boolean."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def value_at(whole: Any, steps: Iterable[str | int]) -> Any:
    """Return what stands at a path, None for nothing."""
    for step in steps:
        if isinstance(whole, dict):
            whole = whole.get(step)
        elif isinstance(whole, list):
            whole = whole[int(step)]
    return whole


def nested(steps: Sequence[str | int], value: Any) -> Any:
    """Return a value inside objects with one key each."""
    for step in reversed(steps):
        value = {step: value}
    return value


def with_part(whole: Any, steps: Steps, part: Part) -> Any:
    """Return a copy of a value with one change made to the list or object at a path."""
    whole = copy.deepcopy(whole)
    holder = value_at(whole, steps)
    if part.kind == "remove":
        del holder[part.step]
    elif part.kind == "insert" and isinstance(holder, list):
        holder.insert(part.step, part.value)
    else:
        holder[part.step] = part.value
    return whole


def find_parts(before: Any, after: Any) -> list[Part] | None:
    """Return what turns one list or object into another, in the order to do it: from last to first, then new keys.

    None where the two have nothing to do with each other, or where very much changes: then the whole is
    written anew.
    """
    if not before or not after or type(before) is not type(after) or not isinstance(before, list | dict):
        return None
    parts = _object_parts(before, after) if isinstance(before, dict) else _list_parts(before, after)
    return parts if parts is None or len(parts) <= _MOST_PARTS else None


def _object_parts(before: dict[str, Any], after: dict[str, Any]) -> list[Part] | None:
    if not before.keys() & after.keys():
        return None
    changed = [
        Part(key, "set", after[key]) if key in after else Part(key, "remove")
        for key in reversed(before)
        if key not in after or not is_same(before[key], after[key])
    ]
    return changed + [Part(key, "insert", after[key]) for key in after if key not in before]


def _list_parts(before: list[Any], after: list[Any]) -> list[Part] | None:
    return list(_changes(before, after)) if len(before) + len(after) <= _MOST_ITEMS else None


def _changes(before: list[Any], after: list[Any]) -> Iterator[Part]:
    old, new = ([json.dumps(_plain(item), sort_keys=True) for item in items] for items in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, low, high, new_low, new_high in reversed(matcher.get_opcodes()):
        common = min(high - low, new_high - new_low)
        yield from (Part(index, "remove") for index in reversed(range(low + common, high)))
        inserted = reversed(range(new_low + common, new_high))
        yield from (Part(low + common, "insert", after[index]) for index in inserted)
        for offset in reversed(range(common)):
            if old[low + offset] != new[new_low + offset]:
                yield Part(low + offset, "set", after[new_low + offset])


def _plain(value: Any) -> Any:
    """Return a value in which equal numbers are written alike."""
    if isinstance(value, Mapping):
        return {key: _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
