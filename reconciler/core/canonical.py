"""When two values are equal: the one canonical form that every comparison runs on (contract, section 2).

Live is first laid out as a definition declares it, so that what nobody declared falls away. Then numbers
stand for their value, booleans apart from numbers, null for a missing key, and a list for one leaf: its
elements in order, or sorted where the order means nothing. Plain `==` and deepdiff agree on the result; no
rule of equality stands anywhere else.
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
    return declared is live or bool(canonical(declared, path) == canonical(laid_out(declared, live), path))


def same(one: Any, other: Any) -> bool:
    """Tell whether two live values are equal, each as a whole. What is written alike is, which is quick to see."""
    return _written(one) == _written(other) or bool(canonical(one) == canonical(other))


def laid_out(declared: Any, live: Any) -> Any:
    """Return live reduced to the keys that are declared, or what is declared where that asks for nothing."""
    if not asks(declared):
        return declared
    if isinstance(declared, dict):
        if live is None or live is MISSING:
            live = {}
        if isinstance(live, dict):
            return {key: laid_out(value, live.get(key)) for key, value in declared.items()}
    if isinstance(declared, Whole):
        return None if live is MISSING else live
    if isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live):
        return [laid_out(*pair) for pair in zip(declared, live, strict=True)]
    return None if live is MISSING else live


def asks(declared: Any) -> bool:
    """Tell whether a declared value asks for anything: an object of nothing but empty objects does not."""
    return any(map(asks, declared.values())) if isinstance(declared, dict) else True


def canonical(value: Any, path: FieldPath = ()) -> Any:
    """Return the canonical form of a JSON value that stands at a path.

    Objects stay dicts, without their nulls; lists and booleans become tagged tuples, which no JSON value is.
    """
    if isinstance(value, bool):
        return ("boolean", str(value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: canonical(item, (*path, key)) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        elements = [_written(_within_list(item)) for item in value]
        return ("list", tuple(sorted(elements) if path in UNORDERED else elements))
    return value


def _within_list(value: Any) -> Any:
    """Return the canonical form of what stands inside a list, lists in lists as they nest.

    As text each would be quoted once more a level, and twice as long.
    """
    if isinstance(value, dict):
        return {key: _within_list(item) for key, item in value.items() if item is not None}
    return ["list", *map(_within_list, value)] if isinstance(value, list) else canonical(value)
