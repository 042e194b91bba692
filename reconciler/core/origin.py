"""Desired, live and base compared leaf by leaf (docs/reference.md, "Where a difference comes from")."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import canonical, equal, find_differing_leaves
from reconciler.core.line_merge import MergeTexts, Versions, merge_values, never_merge
from reconciler.core.outcome import Kind, Unsent
from reconciler.core.tree import MISSING, Missing, prune, value_at
from reconciler.dataclass import dataclass

Base = Mapping[str, Any] | Missing


@dataclass(frozen=True, slots=True)
class Since:
    """The commit that set a desired value, with its author and date (ISO 8601)."""

    commit: str
    author: str
    date: str

    def __str__(self) -> str:
        """Return the commit for people: `4f1c0de, Ada, 2026-11-20`."""
        return f"{self.commit[:7]}, {self.author}, {self.date[:10]}"


def describe_last_update(updated_at: object) -> str:
    """Return when live was last updated, to the second; nothing if the API gave no time."""
    moment = re.sub(r"(T\d\d:\d\d:\d\d)[.,]\d+", r"\1", updated_at) if isinstance(updated_at, str) else ""
    return f"live last updated {moment}" if moment else ""


@dataclass(frozen=True, slots=True)
class Change:
    """One leaf at which desired and live differ; `live` and `base` are `MISSING` where that side has no such key."""

    path: FieldPath
    kind: Kind
    desired: Any
    live: Any | Missing
    base: Any | Missing = MISSING
    since: Since | None = None
    # Decided with the plan, and again if the run ends before a request is sent.
    unsent: Unsent | None = None

    @property
    def sent(self) -> bool:
        """Return whether a request carries the desired value, or may have carried it."""
        return self.unsent is None


def find_changes(
    desired: Mapping[str, Any],
    live: Mapping[str, Any],
    base: Base,
    *,
    ignored: Callable[[FieldPath], bool] = lambda _: False,
    merge_texts: MergeTexts = never_merge,
) -> tuple[Change, ...]:
    """Return the differing leaves with their origins, sorted by path; `base` is `MISSING` if there is none.

    `merge_texts` shows whether the definition already contains a live edit: such a conflict is resolved.
    """
    # A difference at an `ignored` path does not show who changed the object around it.
    bases: dict[FieldPath, Any | Missing] = {}
    for path in find_differing_leaves(desired, live):
        leaf, base_value = find_leaf(base, path)
        # The rule names only this leaf, so the leaf must not become part of a larger one.
        if leaf != path and ignored(path):
            leaf, base_value = path, MISSING
        bases[leaf] = base_value
    changes = []
    for path in sorted(bases):
        new, old, before = value_at(desired, path), value_at(live, path), bases[path]
        versions = (prune(before, ignored, path), old, prune(new, ignored, path))
        changes.append(Change(path, _find_kind(path, versions, merge_texts), new, old, before))
    return tuple(changes)


def find_released(desired: Mapping[str, Any], base: Base) -> tuple[FieldPath, ...]:
    """Return the paths that base declared and desired no longer does: each the shallowest, sorted."""
    # The base of an assistant that has not changed is its definition's own object.
    return () if base is MISSING or base is desired else tuple(sorted(_walk_released((), desired, base)))


def _walk_released(path: FieldPath, desired: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[FieldPath]:
    for key, value in base.items():
        desired_value = desired.get(key, MISSING)
        # `{}` declares nothing, so it is never released. If it replaces an object, each of that object's keys is
        # released.
        if desired_value is MISSING or (desired_value == {} and not isinstance(value, Mapping)):
            if value != {}:
                yield (*path, key)
        elif isinstance(desired_value, Mapping) and isinstance(value, Mapping):
            yield from _walk_released((*path, key), desired_value, value)


def _find_kind(path: FieldPath, versions: Versions, merge_texts: MergeTexts) -> Kind:
    base, live, desired = versions
    # The field was not managed before, so its live value is no edit of a value that we set.
    if base is MISSING:
        return Kind.CHANGE
    # Two declarations are compared completely. Live is compared only where base declares something.
    git_moved = canonical(base, path) != canonical(desired, path)
    if git_moved and not equal(base, live, path):
        # Somebody may have merged both edits by hand. Then live lacks only git's part.
        merged = merge_values(versions, merge_texts)
        return Kind.CHANGE if merged is not MISSING and equal(merged, desired, path) else Kind.CONFLICT
    return Kind.CHANGE if git_moved else Kind.DRIFT


def find_leaf(declared: Base, path: FieldPath) -> tuple[FieldPath, Any | Missing]:
    """Return a leaf and what is declared there. The leaf is shallower if there is no object on the way."""
    for depth in range(1, len(path)):
        value = value_at(declared, path[:depth])
        # A declared null says that everything below it is empty, so the leaf is null too.
        if value is None:
            return path, None
        # The base may have, for example, a text where desired has an object. They differ as one leaf.
        if value is not MISSING and not isinstance(value, Mapping):
            return path[:depth], value
    value = value_at(declared, path)
    # An empty object asks for nothing.
    return path, MISSING if value == {} else value
