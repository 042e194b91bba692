"""Changes of JSON values, piece by piece. Knows nothing about YAML's text."""

import copy
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from reconciler.assistant.paths import FieldPath
from reconciler.core.tree import item_at

# Of longer lists, finding the elements that moved takes too long.
_MOST_ITEMS: Final = 500


class Change(NamedTuple):
    """One change directly below a list or object: a value is set, an entry removed, or several entries inserted."""

    path: FieldPath  # of the entry; of the element that the inserted ones come before, or the first inserted key
    kind: Literal["set", "insert", "remove"]
    value: Any = None  # the inserted entries as a list or object


def is_same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: numbers by value, a boolean only to a boolean."""
    return left is right or encode(left) == encode(right)


def apply_changes(document: Any, changes: Iterable[Change]) -> Any:
    """Return a copy of a value with some changes made, one after the other."""
    # Copied once, since an object may have thousands of changes.
    document = copy.deepcopy(document)
    for path, kind, value in changes:
        container: Any = item_at(document, path[:-1])
        if isinstance(container, list):
            at = int(path[-1])
            container[at : at + (kind != "insert")] = {"set": [value], "insert": value, "remove": []}[kind]
        elif kind == "remove":
            del container[path[-1]]
        else:
            container |= {path[-1]: value} if kind == "set" else value
    return document


def find_inner_changes(document: Any, change: Change) -> list[Change]:
    """Return the changes inside a list or object that is set, from last to first; none if it must be written whole."""
    before: Any = item_at(document, change.path)
    if change.kind != "set" or not before or not change.value or type(before) is not type(change.value):
        return []
    if isinstance(before, list) and len(before) + len(change.value) <= _MOST_ITEMS:
        return [*_list_changes(before, change.value, change.path)]
    if isinstance(before, dict) and before.keys() & change.value.keys():
        return [*find_key_changes(before, change.value, change.path)]
    return []


def find_key_changes(before: dict[str, Any], after: dict[str, Any], path: FieldPath) -> Iterator[Change]:
    """Yield the changes from one object at a path to another, from last to first."""
    if inserted := {key: value for key, value in after.items() if key not in before}:
        yield Change((*path, next(iter(inserted))), "insert", inserted)
    for key in reversed(before):
        if key not in after:
            yield Change((*path, key), "remove")
        elif not is_same(before[key], after[key]):
            yield Change((*path, key), "set", after[key])


def _list_changes(before: list[Any], after: list[Any], path: FieldPath) -> Iterator[Change]:
    # From last to first, so that the other indices stay right. autojunk is meant for the lines of long texts.
    old, new = ([*map(encode, items)] for items in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, low, high, new_low, new_high in reversed(matcher.get_opcodes()):
        common = min(high - low, new_high - new_low)
        yield from (Change((*path, str(index)), "remove") for index in reversed(range(low + common, high)))
        if inserted := after[new_low + common : new_high]:
            yield Change((*path, str(low + common)), "insert", inserted)
        if tag == "replace":
            for offset in reversed(range(common)):
                yield Change((*path, str(low + offset)), "set", after[new_low + offset])


def encode(value: Any) -> str:
    """Return a text that is equal for equal values: `True == 1` in Python, but not in JSON."""
    return json.dumps(_unify_numbers(value), sort_keys=True)


def _unify_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unify_numbers(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_unify_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
