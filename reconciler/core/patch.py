"""The body of one PATCH: the smallest that settles what differs and loses nothing (contract, section 3).

The API does not say whether it merges a nested object or replaces it. An object is therefore sent whole,
the live one with the declared keys laid over it: a server that replaces loses nothing, one that merges
changes nothing else.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from reconciler.assistant.fields import REQUIRED_INSIDE, takes_null
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.canonical import Whole, asks, equal
from reconciler.core.tree import MISSING, Missing
from reconciler.errors import ReconcilerError

Kept = Callable[[FieldPath], bool]


class IncompleteObject(ReconcilerError):  # noqa: N818 - it names what the definition is
    """An object that is not there live, and of which the definition does not declare all that the API requires."""


def build_patch(
    declared: Mapping[str, Any],
    live: Mapping[str, Any],
    fields: Collection[str],
    *,
    kept: Kept,
    always_send: Collection[str] = (),
) -> dict[str, Any] | None:
    """Return the body that brings some top-level fields to what is declared, or None where there are none.

    `fields` are those in which something is to change, `kept` tells the paths that keep their live value
    all the same. `always_send` fields ride along with their live value, or the declared one. Raises
    IncompleteObject.
    """
    if not fields:
        return None
    patch: dict[str, Any] = {}
    for field in [*fields, *(field for field in always_send if field not in fields)]:
        value = _field(field, declared, live, kept)
        if value is not MISSING:
            patch[field] = value
    return patch


def lost_keys(declared: Any, live: Any, path: FieldPath) -> Iterator[FieldPath]:
    """Yield the undeclared live keys that are lost with list elements sent as declared (contract, section 3)."""
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        for key in declared.keys() & live.keys():
            yield from lost_keys(declared[key], live[key], (*path, key))
    elif isinstance(declared, Whole):
        return
    elif isinstance(declared, list) and isinstance(live, list) and not equal(declared, live, path):
        for index, (element, old) in enumerate(zip(declared, live, strict=False)):
            if not equal(element, old):
                yield from _undeclared(element, old, (*path, str(index)))


def _undeclared(declared: Any, live: Any, path: FieldPath) -> Iterator[FieldPath]:
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        for key, value in live.items():
            if key in declared:
                yield from _undeclared(declared[key], value, (*path, key))
            elif value is not None:
                yield (*path, key)
    elif isinstance(declared, list) and isinstance(live, list):
        for index, pair in enumerate(zip(declared, live, strict=False)):
            yield from _undeclared(*pair, (*path, str(index)))


def _field(field: str, declared: Mapping[str, Any], live: Mapping[str, Any], kept: Kept) -> Any | Missing:
    """Return one top-level field as it is sent; `MISSING` where there is only a null that the API does not take."""
    old = live.get(field, MISSING)
    if field not in declared:
        return _without_refused_nulls(old, (field,))
    value = _overlay(declared[field], old, (field,), kept)
    if isinstance(value, Mapping) and not isinstance(old, Mapping):
        lacking = [key for key in REQUIRED_INSIDE.get(field, ()) if value.get(key) is None]
        if lacking:
            names = " and ".join(dotted((field, key)) for key in lacking)
            msg = f"live has no {field}, and the API requires {names} in a new one"
            raise IncompleteObject(msg, hint=f"declare {names} as well")
    return value


def _overlay(declared: Any, live: Any | Missing, path: FieldPath, kept: Kept) -> Any | Missing:
    """Return live with the declared keys laid over it; `MISSING` where the key stays away."""
    if kept(path) or not asks(declared):
        return _without_refused_nulls(live, path)
    if isinstance(declared, Mapping):
        laid = _laid_object(declared, live if isinstance(live, Mapping) else {}, path, kept)
        return laid if laid or isinstance(live, Mapping) else MISSING
    if isinstance(declared, list) and isinstance(live, list) and not isinstance(declared, Whole):
        return _laid_list(declared, live, path)
    return declared


def _laid_object(declared: Mapping[str, Any], live: Mapping[str, Any], path: FieldPath, kept: Kept) -> dict[str, Any]:
    laid: dict[str, Any] = {}
    for key in [*live, *(key for key in declared if key not in live)]:
        below, old = (*path, key), live.get(key, MISSING)
        value = _overlay(declared[key], old, below, kept) if key in declared else _without_refused_nulls(old, below)
        if value is not MISSING:
            laid[key] = value
    return laid


def _laid_list(declared: list[Any], live: list[Any], path: FieldPath) -> list[Any]:
    if equal(declared, live, path):
        return live
    return [
        live[index] if index < len(live) and equal(element, live[index]) else element
        for index, element in enumerate(declared)
    ]


def _without_refused_nulls(live: Any | Missing, path: FieldPath) -> Any | Missing:
    """Return a live value that nobody declared as it may be sent: without nulls that the API would refuse."""
    if live is None:
        return None if takes_null(path) else MISSING
    if isinstance(live, Mapping):
        kept = ((key, _without_refused_nulls(value, (*path, key))) for key, value in live.items())
        return {key: value for key, value in kept if value is not MISSING}
    return live
