"""Objects as JSON has them, at paths of keys: for tests that state by themselves what a value must be."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[Any, ...]


def value_at(tree: Any, path: Path) -> Any:
    """Return the value at a path; a missing one is None, like a null."""
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def set_value(tree: dict[str, Any], path: Path, value: Any) -> None:
    """Set a value at a path; whatever is in the way and is no object becomes one."""
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = copy.deepcopy(value)


def list_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of a value and of everything inside it, through objects and lists."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from list_paths(inner, (*path, key))


def merge_objects(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return one object on top of another, key by key at every depth; both stay as they are."""
    both = (key for key in below.keys() & above.keys() if isinstance(below[key], dict) and isinstance(above[key], dict))
    return copy.deepcopy({**below, **above, **{key: merge_objects(below[key], above[key]) for key in both}})
