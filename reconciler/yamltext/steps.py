"""The steps from one JSON value to another. Knows nothing about YAML's text."""

import copy
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from reconciler.assistant.paths import FieldPath
from reconciler.core.tree import item_at

# Of longer lists, finding the elements that moved takes too long.
_MOST_ITEMS: Final = 500


class Step(NamedTuple):
    """One change directly below a list or object: a value is set, a member removed, or several members inserted."""

    path: FieldPath  # of the member; of the element that the inserted ones come before, or the first inserted key
    kind: Literal["set", "insert", "remove"]
    value: Any = None  # the inserted members as a list or object


def is_same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: numbers by value, a boolean only to a boolean."""
    return left is right or encode(left) == encode(right)


def apply_steps(document: Any, steps: Iterable[Step]) -> Any:
    """Return a copy of a value with some steps made, one after the other."""
    # Copied once, since an object may have thousands of steps.
    document = copy.deepcopy(document)
    for path, kind, value in steps:
        container: Any = item_at(document, path[:-1])
        if isinstance(container, list):
            at = int(path[-1])
            container[at : at + (kind != "insert")] = {"set": [value], "insert": value, "remove": []}[kind]
        elif kind == "remove":
            del container[path[-1]]
        else:
            container |= {path[-1]: value} if kind == "set" else value
    return document


def find_inner_steps(document: Any, step: Step) -> list[Step]:
    """Return the steps inside a list or object that is set, from last to first; none if it must be written whole."""
    before: Any = item_at(document, step.path)
    if step.kind != "set" or not before or not step.value or type(before) is not type(step.value):
        return []
    if isinstance(before, list) and len(before) + len(step.value) <= _MOST_ITEMS:
        return [*_list_steps(before, step.value, step.path)]
    if isinstance(before, dict) and before.keys() & step.value.keys():
        return [*find_key_steps(before, step.value, step.path)]
    return []


def find_key_steps(before: dict[str, Any], after: dict[str, Any], path: FieldPath) -> Iterator[Step]:
    """Yield the steps from one object at a path to another, from last to first."""
    if inserted := {key: value for key, value in after.items() if key not in before}:
        yield Step((*path, next(iter(inserted))), "insert", inserted)
    for key in reversed(before):
        if key not in after:
            yield Step((*path, key), "remove")
        elif not is_same(before[key], after[key]):
            yield Step((*path, key), "set", after[key])


def _list_steps(before: list[Any], after: list[Any], path: FieldPath) -> Iterator[Step]:
    # From last to first, so that the other indices stay right. autojunk is meant for the lines of long texts.
    old, new = ([*map(encode, items)] for items in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, low, high, new_low, new_high in reversed(matcher.get_opcodes()):
        common = min(high - low, new_high - new_low)
        yield from (Step((*path, str(index)), "remove") for index in reversed(range(low + common, high)))
        if inserted := after[new_low + common : new_high]:
            yield Step((*path, str(low + common)), "insert", inserted)
        if tag == "replace":
            for offset in reversed(range(common)):
                yield Step((*path, str(low + offset)), "set", after[new_low + offset])


def encode(value: Any) -> str:
    """Return a text that is equal for equal values: `True == 1` in Python, but not in JSON."""
    return json.dumps(_unify_numbers(value), sort_keys=True)


def _unify_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unify_numbers(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_unify_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
