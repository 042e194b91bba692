"""Where a difference comes from: desired, live and base compared leaf by leaf (contract, section 4)."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import canonical, equal
from reconciler.core.compare import differing_leaves
from reconciler.core.outcome import Kind, Unsent
from reconciler.core.tree import MISSING, Missing, prune, put_at, value_at

Base = Mapping[str, Any] | Missing


@dataclasses.dataclass(frozen=True, slots=True)
class Since:
    """The commit that set a desired value, with its author and date (ISO 8601)."""

    commit: str
    author: str
    date: str


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One leaf at which desired and live differ; `live` and `base` are `MISSING` where that side has no such key.

    `unsent` says why the difference is not sent. It is decided with the plan, and once more where a run ends
    before a request left; everybody else reads it.
    """

    path: FieldPath
    kind: Kind
    desired: Any
    live: Any | Missing
    base: Any | Missing = MISSING
    since: Since | None = None
    unsent: Unsent | None = None

    @property
    def sent(self) -> bool:
        """Tell whether a request carries the desired value, or carried it, or may have."""
        return self.unsent is None


def changes(
    desired: Mapping[str, Any],
    live: Mapping[str, Any],
    base: Base,
    *,
    ignored: Callable[[FieldPath], bool] = lambda _: False,
) -> tuple[Change, ...]:
    """Return the differing leaves with their origins, sorted by path; `base` is `MISSING` where there is none.

    What differs at an `ignored` path stays a leaf of its own, and says nothing about who moved the object around it.
    """
    leaves = differing_leaves(desired, live)
    paths = sorted({path if ignored(path) else _shallowest(path, base) for path in leaves})
    return tuple(_change(path, desired, live, base, ignored) for path in paths)


def released(desired: Mapping[str, Any], base: Base) -> tuple[FieldPath, ...]:
    """Return the paths that base declared and desired no longer does: each the shallowest, sorted."""
    return () if base is MISSING else tuple(sorted(_released((), desired, base)))


def acknowledged(base: Base, live: Mapping[str, Any], ours: Iterable[tuple[FieldPath, Any]]) -> Base:
    """Return the base in which each field that live shows as we may have written it counts as applied.

    `ours` are the fields of writes without a clear answer, with the values that were sent: where live shows
    one, the write did land, and nobody else moved.
    """
    if base is MISSING:
        return base
    for path, value in ours:
        if value is not MISSING and equal(value, value_at(live, path), path):
            base = put_at(base, path, value)
    return base


def _released(path: FieldPath, desired: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[FieldPath]:
    for key, value in base.items():
        now = desired.get(key, MISSING)
        if now is MISSING or (now == {} and not isinstance(value, Mapping)):
            if value != {}:
                yield (*path, key)
        elif isinstance(now, Mapping) and isinstance(value, Mapping):
            yield from _released((*path, key), now, value)


def _change(
    path: FieldPath,
    desired: Mapping[str, Any],
    live: Mapping[str, Any],
    base: Base,
    ignored: Callable[[FieldPath], bool],
) -> Change:
    wanted, found, before = value_at(desired, path), value_at(live, path), _base_value(base, path)
    kind = _kind(path, prune(wanted, ignored, path), found, prune(before, ignored, path))
    return Change(path, kind, wanted, found, before)


def _kind(path: FieldPath, desired: Any, live: Any | Missing, base: Any | Missing) -> Kind:
    if base is MISSING:
        return Kind.CHANGE
    git_moved = canonical(base, path) != canonical(desired, path)
    live_moved = not equal(base, live, path)
    if git_moved and live_moved:
        return Kind.CONFLICT
    return Kind.CHANGE if git_moved else Kind.DRIFT


def _base_value(base: Base, path: FieldPath) -> Any | Missing:
    """Return what base declared at a path: below a declared null all was to be empty, `{}` asked for nothing."""
    for depth in range(1, len(path)):
        if value_at(base, path[:depth]) is None:
            return None
    value = value_at(base, path)
    return MISSING if value == {} else value


def _shallowest(path: FieldPath, base: Base) -> FieldPath:
    """Return the shallowest part of a path at which base is something else than an object, or the path."""
    for depth in range(1, len(path)):
        value = value_at(base, path[:depth])
        if value is MISSING or value is None:
            break
        if not isinstance(value, Mapping):
            return path[:depth]
    return path
