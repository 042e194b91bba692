"""The body of one PATCH (docs/reference.md, "The patch"), and what else a PATCH may have changed.

The API does not say whether it merges a nested object or replaces it. An object is therefore sent whole, with the
declared keys on top of the live one: a server that replaces loses nothing, one that merges changes nothing else.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from reconciler.assistant.fields import REQUIRED_INSIDE, takes_null
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.canonical import (
    Whole,
    asks_anything,
    canonical,
    equal,
    equal_completely,
    equal_exactly,
    exact_text,
)
from reconciler.core.tree import MISSING, Missing, value_at
from reconciler.errors import ReconcilerError

KeepsLive = Callable[[FieldPath], bool]


class IncompleteObject(ReconcilerError):  # noqa: N818 - it names what the definition is
    """An object that live lacks, and for which the definition lacks a key that the API requires."""


def build_patch(
    declared: Mapping[str, Any],
    live: Mapping[str, Any],
    fields: Collection[str],
    *,
    keeps_live: KeepsLive,
    always_send: Collection[str] = (),
) -> dict[str, Any] | None:
    """Return the body that brings some top-level fields to what is declared, or None if there are none.

    `fields` are those in which something is to change, `keeps_live` tells the paths in them that keep their live value
    anyway. `always_send` fields go along with their live value, or the declared one. Raises IncompleteObject.
    """
    # Without a change, nothing is sent, not even `always_send` fields.
    if not fields:
        return None
    patch: dict[str, Any] = {}
    # In this order, so that a report first shows what the request is about.
    for field in dict.fromkeys((*fields, *always_send)):
        value = _merge_live(declared.get(field, MISSING), live.get(field, MISSING), (field,), keeps_live)
        # An object that live lacks is created by the request, so it must be complete.
        if isinstance(value, Mapping) and not isinstance(live.get(field), Mapping):
            lacking = [dotted((field, key)) for key in REQUIRED_INSIDE.get(field, ()) if value.get(key) is None]
            if lacking:
                names = " and ".join(lacking)
                message = f"live has no {field}, and the API requires {names} in a new one"
                raise IncompleteObject(message, hint=f"declare {names} as well")
        if value is not MISSING:
            patch[field] = value
    return patch


def find_undeclared_changes(
    declared: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], path: FieldPath = ()
) -> Iterator[FieldPath]:
    """Yield the paths that no definition declares and that changed between two readings; null is a missing key."""
    for key in sorted(before.keys() | after.keys()):
        old, new, child = before.get(key), after.get(key), (*path, key)
        if key not in declared:
            # The API changes it with every write.
            if child != ("updatedAt",) and not equal_completely(old, new):
                yield child
        # Other code compares declared values, lists included, with what was sent.
        elif isinstance(declared[key], Mapping) and isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from find_undeclared_changes(declared[key], old, new, child)


def find_dropped_keys(
    patch: Mapping[str, Any], declared: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[FieldPath, ...]:
    """Return the undeclared keys that were sent along in an object, and that live has lost."""
    # A field that was sent without being declared counts as an object of which nothing is declared.
    changed = find_undeclared_changes({**{field: {} for field in patch}, **declared}, before, after)
    return tuple(path for path in changed if path[0] in patch and value_at(after, path) in (MISSING, None))


def shows_nothing_new(paths: Collection[FieldPath], before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether everything that was sent still has exactly its earlier value in the reading after it."""
    pairs = [(value_at(before, path), value_at(after, path)) for path in paths]
    return bool(pairs) and all(equal_exactly(old, new) for old, new in pairs)


def find_lost_keys(sent: Any, live: Any, path: FieldPath) -> Iterator[FieldPath]:
    """Yield the live keys that a patch lacks: undeclared ones inside list elements, which are sent as declared."""
    if isinstance(sent, Mapping) and isinstance(live, Mapping):
        for key, value in live.items():
            if key in sent:
                yield from find_lost_keys(sent[key], value, (*path, key))
            # A null equals a missing key, so it is not lost.
            elif value is not None:
                yield (*path, key)
    # A list that asks for exactly its elements loses nothing by mistake.
    elif isinstance(sent, list) and isinstance(live, list) and not isinstance(sent, Whole):
        pairs = enumerate(zip(sent, live, strict=False))
        lost = {index: keys for index, pair in pairs if (keys := [*find_lost_keys(*pair, (*path, str(index)))])}
        # An element that is sent at another place is not lost. To compare all of them takes long, and is rarely needed.
        if lost:
            texts, lives = ([exact_text(canonical(item)) for item in items] for items in (sent, live))
            moved = {text for index, text in enumerate(texts) if lives[index : index + 1] != [text]}
            yield from (key for index, keys in lost.items() if lives[index] not in moved for key in keys)


def warn_of_leftovers(
    field: str, declared: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a warning of live keys that stay when the provider changes: the new one may not understand them."""
    before, after = old.get("provider"), new.get("provider")
    staying = sorted(key for key, value in old.items() if key not in declared and value is not None)
    if before is not None and before != after and staying:
        names = ", ".join(dotted((field, key)) for key in staying)
        yield (
            f"{field}.provider changes from {before} to {after}, but {names} of the old provider "
            f"{'stays' if len(staying) == 1 else 'stay'}: declare what the new provider needs"
        )


def _merge_live(declared: Any | Missing, live: Any | Missing, path: FieldPath, keeps_live: KeepsLive) -> Any | Missing:
    """Return what is declared on top of live, as it may be sent; `MISSING` for a key that is not sent."""
    if declared is MISSING or keeps_live(path) or not asks_anything(declared):
        # The API returns nulls that it does not accept. Leaving such a key out means the same.
        if live is None:
            return None if takes_null(path) else MISSING
        declared = {} if isinstance(live, Mapping) else live
    if isinstance(declared, Mapping):
        live_object = live if isinstance(live, Mapping) else {}
        # Live's keys come first, in their order, so that people recognise the object in a report.
        merged = {
            key: _merge_live(declared.get(key, MISSING), live_object.get(key, MISSING), (*path, key), keeps_live)
            for key in {**live_object, **declared}
        }
        merged = {key: value for key, value in merged.items() if value is not MISSING}
        # If everything declared keeps its live value, and live has none, no empty object is created.
        return merged if merged or isinstance(live, Mapping) else MISSING
    if isinstance(declared, list) and isinstance(live, list) and not isinstance(declared, Whole):
        if equal(declared, live, path):
            return live
        # An element that is in sync keeps the keys that nobody declared; only the others lose theirs.
        return [live[at] if at < len(live) and equal(item, live[at]) else item for at, item in enumerate(declared)]
    return declared
