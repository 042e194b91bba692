"""The one canonical form that every comparison runs on (docs/reference.md, "When two values are equal").

Live is first reduced to what a definition declares. Then numbers stand for their value, booleans apart from
numbers, null for a missing key, and a list for one leaf: its elements in order, or sorted where the order means
nothing. Plain `==` and deepdiff agree on the result; no rule of equality stands anywhere else.
"""

import json
from typing import Any, Final

from reconciler.assistant.fields import UNORDERED
from reconciler.assistant.paths import FieldPath
from reconciler.core.tree import MISSING

_written: Final = json.JSONEncoder(sort_keys=True).encode  # one for all: lists may be long


class Whole(list[Any]):
    """A list that asks for exactly its elements: a live one with more keys in an element differs, and is replaced."""


def equal(declared: Any, live: Any, path: FieldPath = ()) -> bool:
    """Tell whether live holds what is declared at a path; undeclared live keys do not count, at any depth."""
    return declared is live or bool(canonical(declared, path) == canonical(restrict_to_declared(declared, live), path))


def equal_as_wholes(one: Any, other: Any) -> bool:
    """Tell whether two live values are equal, each as a whole."""
    # Nearly always they are, and then they are mostly written alike, which costs far less to see.
    return _written(one) == _written(other) or bool(canonical(one) == canonical(other))


def exact_text(value: Any) -> str:
    """Return a text that is equal only for values that are sent alike; a missing value is no null."""
    return json.dumps(value, sort_keys=True, default=lambda missing: {"": repr(missing)})


def restrict_to_declared(declared: Any, live: Any) -> Any:
    """Return live reduced to the keys that are declared, or what is declared where that asks for nothing."""
    # `metadata: {}` is in sync with every live metadata: it names no key that could differ.
    if not asks_anything(declared):
        return declared
    if isinstance(declared, dict):
        # An object of which live has nothing is compared key by key, so that each key is a leaf of its own.
        if live is None or live is MISSING:
            live = {}
        if isinstance(live, dict):
            return {key: restrict_to_declared(value, live.get(key)) for key, value in declared.items()}
    # Elements belong together by their index. With another number of them nobody can say which is which.
    pairs = isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live)
    if pairs and not isinstance(declared, Whole):
        return [restrict_to_declared(*pair) for pair in zip(declared, live, strict=True)]
    return None if live is MISSING else live


def asks_anything(declared: Any) -> bool:
    """Tell whether a declared value asks for anything: an object of nothing but empty objects does not."""
    return any(map(asks_anything, declared.values())) if isinstance(declared, dict) else True


def canonical(value: Any, path: FieldPath = ()) -> Any:
    """Return the canonical form of a JSON value that stands at a path; objects stay dicts, without their nulls."""
    # Lists and booleans become tagged tuples, which no JSON value is, so that nothing else is equal to them.
    # To Python True is 1, and to the API it is not.
    if isinstance(value, bool):
        return ("boolean", str(value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: canonical(item, (*path, key)) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        elements = [_written(_make_element(item)) for item in value]
        return ("list", tuple(sorted(elements) if path in UNORDERED else elements))
    return value


def _make_element(value: Any) -> Any:
    """Return the canonical form of what stands inside a list, lists in lists as they nest."""
    # As a text, as in `canonical`, each level would quote the one inside once more and double its length.
    if isinstance(value, dict):
        return {key: _make_element(item) for key, item in value.items() if item is not None}
    return ["list", *map(_make_element, value)] if isinstance(value, list) else canonical(value)
