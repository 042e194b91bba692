"""Splits a difference of two values into parts: elements of lists, keys of objects, texts inside either. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from types import NoneType
from typing import Any, Literal

from reconciler.core.canonical import canonical, equal, exact_text
from reconciler.dataclass import dataclass
from reconciler.report.differences.sequences import find_opcodes, pair_alike
from reconciler.report.differences.values import fits_on_a_line, key_name

Declared = Literal["old", "new", "both"]


class _Word:
    """A word in place of a value."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __repr__(self) -> str:
        return self.word


# In a list, a null is an element like any other. In an object, it is the same as a missing key.
NULL = _Word("null")
_LIST = _Word("a list")  # whose elements are parts of their own


@dataclass(frozen=True, slots=True)
class Part:
    """A place inside a field (`[0].content`) where two values differ, and both values. None stands for no value."""

    name: str
    old: Any
    new: Any


def split_difference(old: Any, new: Any, *, unordered: bool = False, declared: Declared = "new") -> list[Part]:
    """Return the parts in which two values differ, in order. Empty if no visible part differs.

    `declared` says which of the two values a definition declares. An element of a list is named by its place in the
    declared list (in `new`, if both are), or else in the other one: `was 2` or `now 2`, if the declared one has another
    element at 2 that differs. `unordered`: the order of the list does not matter.
    """
    if unordered and isinstance(old, list) and isinstance(new, list) and old and new:
        elements = _count_elements(old, new)
        return [
            part for place, removed, added in elements for part in _split_values(f"[{place}]", removed, added, declared)
        ]
    return list(_split_values("", old, new, declared))


def _split_values(name: str, old: Any, new: Any, declared: Declared) -> Iterator[Part]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*new, *old]):
            old_item, new_item = old.get(key), new.get(key)
            if canonical(old_item) != canonical(new_item):
                yield from _split_values(f"{name}.{key_name(key)}", old_item, new_item, declared)
    elif isinstance(old, list) and isinstance(new, list) and ((old and new) or not fits_on_a_line(old or new)):
        # An empty list has no elements that could be shown, and must not look like no list.
        if not old or not new:
            yield Part(name, old and _LIST, new and _LIST)
        for place, old_item, new_item in _pair_elements(old, new, declared):
            # Undeclared values inside an element do not count, as in the comparison itself.
            ours, live = (old_item, new_item) if declared == "old" else (new_item, old_item)
            if declared == "both" or ours is None or live is None or not equal(ours, live):
                yield from _split_values(f"{name}[{place}]", old_item, new_item, declared)
    elif (fits_on_a_line(old) and fits_on_a_line(new)) or {type(old), type(new)} <= {str, NoneType}:
        yield Part(name, old, new)
    else:
        # Two kinds of values have no lines or parts in common: list the removed parts, then the added ones.
        yield from _split_whole(name, old, is_old=True)
        yield from _split_whole(name, new, is_old=False)


def _split_whole(name: str, value: Any, *, is_old: bool) -> Iterator[Part]:
    """Yield the parts of a value that has no counterpart."""
    if isinstance(value, dict | list) and value and not fits_on_a_line(value):
        inner: Iterable[tuple[str, Any]] = (
            ((f".{key_name(key)}", item) for key, item in value.items())
            if isinstance(value, dict)
            else ((f"[{place}]", _see_null(item)) for place, item in enumerate(value))
        )
        for key, item in inner:
            yield from _split_whole(name + key, item, is_old=is_old)
    elif value is not None:
        yield Part(name, value, None) if is_old else Part(name, None, value)


def _pair_elements(old: list[Any], new: list[Any], declared: Declared) -> Iterator[tuple[str, Any, Any]]:
    """Yield pairs of elements that differ, each with its place. An element without a counterpart is next to None."""
    pairs: list[tuple[int | None, int | None]] = []
    old_start = new_start = 0
    for alike, before, after in find_opcodes([*map(_write_canonical, old)], [*map(_write_canonical, new)]):
        pairs += [
            (None if old_place is None else old_start + old_place, None if new_place is None else new_start + new_place)
            for old_place, new_place in (() if alike else pair_alike(before, after))
        ]
        old_start, new_start = old_start + len(before), new_start + len(after)
    ours, other_words = (0, "now ") if declared == "old" else (1, "was ")
    taken = {pair[ours] for pair in pairs}
    for pair in pairs:
        old_place, new_place = pair
        old_item = None if old_place is None else _see_null(old[old_place])
        new_item = None if new_place is None else _see_null(new[new_place])
        # A place in the other list must not look like the one of a declared element.
        place, other_place = pair[ours], pair[1 - ours]
        name = place if place is not None else f"{other_words if other_place in taken else ''}{other_place}"
        yield str(name), old_item, new_item


def _see_null(element: Any) -> Any:
    return NULL if element is None else element


def _count_elements(old: list[Any], new: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    counts = Counter(map(_write_canonical, old)), Counter(map(_write_canonical, new))
    removed, added = counts[0] - counts[1], counts[1] - counts[0]
    for values, extra in ((old, removed), (new, added)):
        for place, value in enumerate(values):
            if extra[_write_canonical(value)] > 0:
                extra[_write_canonical(value)] -= 1
                yield (place, _see_null(value), None) if extra is removed else (place, None, _see_null(value))


def _write_canonical(value: Any) -> str:
    return exact_text(canonical(value))
