"""What of a JSON value changes, piece by piece, and values with one piece changed. Knows nothing of YAML's text."""

import copy
import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from reconciler.assistant.paths import FieldPath
from reconciler.core.tree import item_at, put_at

# Beyond these a list is written anew: each piece costs a reading of the whole text.
_MOST_ITEMS: Final = 500
_MOST_CHANGES: Final = 50


class Change(NamedTuple):
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


def apply_change(whole: Any, path: FieldPath, change: Change) -> Any:
    """Return a value with one change made to the list or object at a path; the original stays."""
    holder: Any = copy.copy(item_at(whole, path))
    if change.kind == "remove":
        del holder[change.step]
    elif change.kind == "insert" and isinstance(holder, list):
        holder.insert(change.step, change.value)
    else:
        holder[change.step] = change.value
    return put_at(whole, path, holder)


def find_changes(before: Any, after: Any) -> list[Change] | None:
    """Return what turns one list or object into another, in the order to do it: from last to first, then new keys.

    None where the two have nothing to do with each other, or where very much changes: then the whole is
    written anew.
    """
    if not before or not after or type(before) is not type(after) or not isinstance(before, list | dict):
        return None
    if isinstance(before, list):
        changes = [*_list_changes(before, after)] if len(before) + len(after) <= _MOST_ITEMS else None
    else:
        changes = _object_changes(before, after) if before.keys() & after.keys() else None
    return changes if changes is None or len(changes) <= _MOST_CHANGES else None


def _object_changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    changed = [
        Change(key, "set", after[key]) if key in after else Change(key, "remove")
        for key in reversed(before)
        if key not in after or not is_same(before[key], after[key])
    ]
    return changed + [Change(key, "insert", after[key]) for key in after if key not in before]


def _list_changes(before: list[Any], after: list[Any]) -> Iterator[Change]:
    # From last to first, so that the indices of what is still to change stay what they are.
    old, new = ([json.dumps(_plain(item), sort_keys=True) for item in items] for items in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, low, high, new_low, new_high in reversed(matcher.get_opcodes()):
        common = min(high - low, new_high - new_low)
        yield from (Change(index, "remove") for index in reversed(range(low + common, high)))
        inserted = reversed(range(new_low + common, new_high))
        yield from (Change(low + common, "insert", after[index]) for index in inserted)
        for offset in reversed(range(common)):
            if old[low + offset] != new[new_low + offset]:
                yield Change(low + offset, "set", after[new_low + offset])


def _plain(value: Any) -> Any:
    """Return a value in which equal numbers are written alike."""
    if isinstance(value, Mapping):
        return {key: _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
