"""Which leaves differ between what is declared and what is live, or what two definitions declare. A list is a leaf."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import canonical, holds_as_written, restrict_to_declared
from reconciler.core.tree import MISSING, Missing


def differing_leaves(declared: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[FieldPath, ...]:
    """Return the sorted paths of the shallowest leaves at which live does not hold what is declared."""
    # Field by field, so that deepdiff sees only those that differ: it takes far longer than `==`.
    wanted: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for field, value in declared.items():
        if holds_as_written(value, live.get(field, MISSING)):
            continue
        left, right = canonical(value, (field,)), canonical(restrict_to_declared(value, live.get(field)), (field,))
        if left != right:
            wanted[field], found[field] = left, right
    return tuple(sorted(_walk(wanted, found))) if wanted else ()


def differing_declarations(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[FieldPath, ...]:
    """Return the sorted paths of the shallowest leaves at which two definitions do not declare the same."""
    # A field that only one of them declares is a difference, a null too.
    return tuple(sorted(_find_differences(one, other, ())))


def find_only_difference(declared: Any, live: Any, path: FieldPath) -> FieldPath:
    """Return where all that differs from live is, with the definition's indices; `path` if at several places."""
    found = list(_differences_inside(declared, live, path))
    return found[0] if len(found) == 1 else path


def find_differing_line(text: Any, other: Any) -> int:
    """Return the first line, from 1, in which a text differs from another value; its last where only lines went."""
    if not (isinstance(text, str) and isinstance(other, str)):
        return 1
    lines, others = (side.replace("\r\n", "\n").split("\n") for side in (text, other))
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(lines, others, strict=False))
    return min(sum(1 for _ in alike) + 1, len(lines))


def _differences_inside(declared: Any, live: Any, path: FieldPath) -> Iterator[FieldPath]:
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        for key, value in declared.items():
            yield from _differences_inside(value, live.get(key), (*path, key))
    elif isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live):
        for index, (item, shown) in enumerate(zip(declared, live, strict=True)):
            yield from _differences_inside(item, shown, (*path, str(index)))
    elif canonical(declared, path) != canonical(live, path):
        yield path


def _find_differences(one: Any | Missing, other: Any | Missing, path: FieldPath) -> Iterator[FieldPath]:
    # An object that one side lacks is compared key by key, so that `{}` on the other side is no difference.
    if one is MISSING and isinstance(other, Mapping):
        one = {}
    elif other is MISSING and isinstance(one, Mapping):
        other = {}
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in one.keys() | other.keys():
            yield from _find_differences(one.get(key, MISSING), other.get(key, MISSING), (*path, key))
    elif canonical(one, path) != canonical(other, path):
        yield path


def _walk(wanted: dict[str, Any], found: dict[str, Any]) -> set[FieldPath]:
    # It takes a fifth of a second to import, and a run in which nothing differs never needs it.
    from deepdiff import DeepDiff

    # By default deepdiff takes objects with few keys in common as one difference, and skips keys that begin with `__`.
    difference = DeepDiff(wanted, found, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    # A key inside a tagged tuple (a list, a boolean) is an integer: the leaf ends before it.
    paths = (level.path(output_format="list") for levels in difference.values() for level in levels)
    return {tuple(itertools.takewhile(lambda key: isinstance(key, str), path)) for path in paths}
