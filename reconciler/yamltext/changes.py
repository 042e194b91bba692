"""Changes of JSON values, piece by piece. Knows nothing about YAML's text."""

import copy
import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from reconciler.assistant.paths import FieldPath
from reconciler.core.tree import item_at, put_at

# Beyond these the whole list is written again, since each change needs the whole text to be read.
_MOST_ITEMS: Final = 500
_MOST_CHANGES: Final = 50


class Change(NamedTuple):
    """One change directly below a list or object: a value is set, removed, or inserted before an index or as a key."""

    step: Any
    kind: Literal["set", "insert", "remove"]
    value: Any = None


def is_same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: numbers by value, a boolean only to a boolean."""
    return left is right or _encode(left) == _encode(right)


def apply_change(document: Any, path: FieldPath, change: Change) -> Any:
    """Return a copy of a value with one change to the list or object at a path."""
    container: Any = copy.copy(item_at(document, path))
    if change.kind == "remove":
        del container[change.step]
    elif change.kind == "insert" and isinstance(container, list):
        container.insert(change.step, change.value)
    else:
        container[change.step] = change.value
    return put_at(document, path, container)


def find_changes(before: Any, after: Any) -> list[Change] | None:
    """Return the changes from one list or object to another, from last to first; None if it must be written whole."""
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
    # From last to first, so that the other indices stay right. autojunk is meant for the lines of long texts.
    old, new = ([*map(_encode, items)] for items in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, low, high, new_low, new_high in reversed(matcher.get_opcodes()):
        common = min(high - low, new_high - new_low)
        yield from (Change(index, "remove") for index in reversed(range(low + common, high)))
        inserted = reversed(range(new_low + common, new_high))
        yield from (Change(low + common, "insert", after[index]) for index in inserted)
        for offset in reversed(range(common)):
            if old[low + offset] != new[new_low + offset]:
                yield Change(low + offset, "set", after[new_low + offset])


def _encode(value: Any) -> str:
    """Return a text that is equal for equal values: `True == 1` in Python, but not in JSON."""
    return json.dumps(_unify_numbers(value), sort_keys=True)


def _unify_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unify_numbers(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_unify_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
