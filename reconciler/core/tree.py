"""One place to get, put and drop a value at a path of nested objects, and the value of a key that is not there.

`None` is a value of its own, the API's null, so a missing key needs another one: `MISSING`. No function here
changes what it is given.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from reconciler.assistant.paths import FieldPath


class Missing(enum.Enum):
    """The type of `MISSING`; an enum member, so that type checkers can tell it from every value."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        """Return the name, as it is written in code."""
        return "MISSING"

    def __bool__(self) -> bool:
        """Nothing there is false, as an absent value reads in a condition."""
        return False


MISSING: Final = Missing.MISSING


def value_at(tree: Any, path: FieldPath) -> Any | Missing:
    """Return the value at a path of objects, or `MISSING` where there is no such key; a list is a leaf."""
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return MISSING
        tree = tree[key]
    return tree


def item_at(tree: Any, path: FieldPath) -> Any | Missing:
    """Return the value at a path that may lead into lists, where an index is a key; else as `value_at`."""
    for key in path:
        inside = isinstance(tree, list) and key.isdecimal() and int(key) < len(tree)
        tree = tree[int(key)] if inside else value_at(tree, (key,))
    return tree


def put_at(tree: Any, path: FieldPath, value: Any) -> Any:
    """Return a tree that holds a value at a path; objects that are not there yet are made."""
    if not path:
        return value
    key, below = path[0], path[1:]
    if isinstance(tree, list) and key.isdecimal() and int(key) < len(tree):
        return [put_at(item, below, value) if index == int(key) else item for index, item in enumerate(tree)]
    fields = tree if isinstance(tree, Mapping) else {}
    return {**fields, key: put_at(fields.get(key), below, value)}


def drop_at(tree: Any, path: FieldPath) -> Any:
    """Return a tree without the key at a path, and as it is where there is none; lists keep their length."""
    if not path or item_at(tree, path) is MISSING:
        return tree
    key, below = path[0], path[1:]
    if isinstance(tree, list):
        return [drop_at(item, below) if index == int(key) else item for index, item in enumerate(tree)]
    if not below:
        return {name: value for name, value in tree.items() if name != key}
    return {**tree, key: drop_at(tree[key], below)}


def build(leaves: Iterable[tuple[FieldPath, Any]]) -> dict[str, Any]:
    """Return the object that holds some values at their paths, in their order."""
    tree: Any = {}
    for path, value in leaves:
        tree = put_at(tree, path, value)
    return dict(tree)


def prune(tree: Any, left_out: Callable[[FieldPath], bool], path: FieldPath = ()) -> Any:
    """Return what stands at a path without the keys, at any depth of its objects, that are left out."""
    if not isinstance(tree, Mapping):
        return tree
    return {key: prune(value, left_out, (*path, key)) for key, value in tree.items() if not left_out((*path, key))}


def paths_matching(tree: Any, pattern: FieldPath, path: FieldPath = ()) -> list[FieldPath]:
    """Return the paths of a tree that a pattern leads to; `*` in it stands for any key or any index."""
    if not pattern:
        return [path]
    if isinstance(tree, list):
        keys = [str(index) for index in range(len(tree))]
    else:
        keys = list(tree) if isinstance(tree, Mapping) else []
    chosen = (key for key in keys if pattern[0] in ("*", key))
    return [found for key in chosen for found in paths_matching(item_at(tree, (key,)), pattern[1:], (*path, key))]
