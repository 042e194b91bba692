"""The only place that gets, sets, removes and merges values at paths of nested objects, and changes none of them."""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.assistant.paths import FieldPath, covers, meets


class Missing(enum.Enum):
    """The type of `MISSING`, which stands for a key that is not there: `None` is the API's null."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        """Return False: a missing value is false in a condition."""
        return False


MISSING: Final = Missing.MISSING


def value_at(tree: Any, path: FieldPath) -> Any | Missing:
    """Return the value at a path of objects, or `MISSING` if there is no such key; a list is a leaf."""
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return MISSING
        tree = tree[key]
    return tree


def item_at(tree: Any, path: FieldPath) -> Any | Missing:
    """Return the value at a path that may lead into lists, where an index is a key; else as `value_at`."""
    for key in path:
        is_index = isinstance(tree, list) and key.isdecimal() and int(key) < len(tree)
        tree = tree[int(key)] if is_index else value_at(tree, (key,))
    return tree


def put_at(tree: Any, path: FieldPath, value: Any | Missing) -> Any:
    """Return a tree with a value set at a path, as by `put_all`; missing objects are created."""
    return put_all(tree, [(path, value)])


def put_all(tree: Any, leaves: Iterable[tuple[FieldPath, Any]]) -> Any:
    """Return a tree with values set at their paths; `MISSING` removes a key, and of two values the last counts.

    Lists keep their length, so nothing is removed from one.
    """
    # Grouped by their first key, so that each object and list is copied once, however many leaves are in it.
    by_key: dict[str, list[tuple[FieldPath, Any]]] = {}
    for path, value in leaves:
        if path:
            by_key.setdefault(path[0], []).append((path[1:], value))
        else:
            tree, by_key = value, {}
    if not by_key:
        return tree
    if isinstance(tree, list) and all(key.isdecimal() and int(key) < len(tree) for key in by_key):
        items = [put_all(item, by_key.get(str(index), ())) for index, item in enumerate(tree)]
        # An element is never removed, since the following ones would get other indices.
        return [old if new is MISSING else new for old, new in zip(tree, items, strict=True)]
    # A value that is in the way becomes an object, such as a null with fields declared below it.
    fields = dict(tree) if isinstance(tree, Mapping) else {}
    fields |= {key: put_all(fields.get(key, MISSING), inner) for key, inner in by_key.items()}
    remaining = {key: value for key, value in fields.items() if value is not MISSING}
    # There is nothing to remove from a value that is no object.
    return remaining if remaining or isinstance(tree, Mapping) else tree


def build_tree(leaves: Iterable[tuple[FieldPath, Any]]) -> dict[str, Any]:
    """Return the object that has only some values at their paths, in their order."""
    return dict(put_all({}, leaves))


def merge_overlay(shared: Any, overlay: Any) -> Any:
    """Return a value with another one on top: objects are merged, everything else, null too, is replaced."""
    if not isinstance(shared, Mapping) or not isinstance(overlay, Mapping):
        return overlay
    # Shared keys first and in their order, so that a definition keeps its shape under every overlay.
    return {**shared, **{key: merge_overlay(shared.get(key), value) for key, value in overlay.items()}}


def prune(tree: Any, left_out: Callable[[FieldPath], bool], path: FieldPath = ()) -> Any:
    """Return what is at a path without the keys, at any depth of its objects, that are left out."""
    # A list is a leaf to every comparison, so nothing is taken out of one.
    if not isinstance(tree, Mapping):
        return tree
    return {key: prune(value, left_out, (*path, key)) for key, value in tree.items() if not left_out((*path, key))}


def walk_leaves(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """Yield everything inside a value, or it itself, that is neither an object nor a list, each with its path."""
    # No recursion: live values may be nested deeper than Python's limit.
    stack = [(path, value)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, Mapping | list):
            pairs = value.items() if isinstance(value, Mapping) else ((str(at), item) for at, item in enumerate(value))
            stack += [((*path, key), item) for key, item in pairs][::-1]
        else:
            yield path, value


def replace_covered(tree: Any, path: FieldPath, patterns: Sequence[FieldPath], replace: Callable[[Any], Any]) -> Any:
    """Return what is at a path with each part that a pattern covers replaced; an index of a list is a key."""
    # Live values may be huge, and few patterns concern one. The others are dropped before the walk.
    near = [pattern for pattern in patterns if meets(pattern, path)]
    if not near:
        return tree
    if any(covers(pattern, path) for pattern in near):
        return replace(tree)
    if isinstance(tree, Mapping):
        return {key: replace_covered(item, (*path, key), near, replace) for key, item in tree.items()}
    if isinstance(tree, list):
        return [replace_covered(item, (*path, str(index)), near, replace) for index, item in enumerate(tree)]
    return tree


def paths_matching(tree: Any, pattern: FieldPath, path: FieldPath = ()) -> list[FieldPath]:
    """Return the paths of a tree that a pattern leads to; `*` in it stands for any key or any index."""
    if not pattern:
        return [path]
    if isinstance(tree, list):
        keys = [str(index) for index in range(len(tree)) if pattern[0] in ("*", str(index))]
    elif isinstance(tree, Mapping):
        keys = list(tree) if pattern[0] == "*" else [pattern[0]] if pattern[0] in tree else []
    else:
        keys = []
    return [match for key in keys for match in paths_matching(item_at(tree, (key,)), pattern[1:], (*path, key))]
