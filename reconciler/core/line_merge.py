"""Merges the edits of git and live: texts line by line, lists element by element. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import equal
from reconciler.core.tree import MISSING, Missing, walk_leaves

# Gets a base text, live's and git's; returns all three merged line by line, None if the edits touch. Git does it
# (`reconciler.git.merge_file`).
MergeTexts = Callable[[str, str, str], str | None]


def never_merge(_base: str, _live: str, _desired: str) -> None:
    """Report that edits overlap: without a repository there is no base, and nothing to merge."""


def merge_values(
    base: Any | Missing, live: Any | Missing, desired: Any | Missing, merge_texts: MergeTexts
) -> Any | Missing:
    """Return the value that holds both live's and git's edits of a base, `MISSING` where the two touch.

    Texts are merged, and lists of one length whose elements differ in nothing but texts; of live, only what is
    declared counts. What differs otherwise has no merge.
    """
    if isinstance(base, str) and isinstance(live, str) and isinstance(desired, str):
        return _merge_two_texts(base, live, desired, merge_texts)
    if isinstance(base, list) and isinstance(live, list) and isinstance(desired, list):
        if not len(base) == len(live) == len(desired):
            return MISSING
        items = [merge_values(*three, merge_texts) for three in zip(base, live, desired, strict=True)]
        return MISSING if MISSING in items else items
    if isinstance(base, Mapping) and isinstance(live, Mapping) and isinstance(desired, Mapping):
        if base.keys() != desired.keys():
            return MISSING
        fields = {key: merge_values(base[key], live.get(key), value, merge_texts) for key, value in desired.items()}
        return MISSING if MISSING in fields.values() else fields
    return desired if equal(desired, base) and equal(desired, live) else MISSING


def find_touching(
    base: Any | Missing, live: Any | Missing, desired: Any | Missing, path: FieldPath, merge_texts: MergeTexts
) -> Iterator[tuple[FieldPath, tuple[Any | Missing, ...]]]:
    """Yield where a value has no merge, with the three versions there; nothing for lists of different lengths."""
    if isinstance(base, list) and isinstance(live, list) and isinstance(desired, list):
        if len(base) == len(live) == len(desired):
            for index, three in enumerate(zip(base, live, desired, strict=True)):
                yield from find_touching(*three, (*path, str(index)), merge_texts)
    elif isinstance(base, Mapping) and isinstance(live, Mapping) and isinstance(desired, Mapping):
        for key in sorted(base.keys() | desired.keys()):
            versions = (base.get(key, MISSING), live.get(key, MISSING), desired.get(key, MISSING))
            yield from find_touching(*versions, (*path, key), merge_texts)
    elif merge_values(base, live, desired, merge_texts) is MISSING:
        yield path, (base, live, desired)


def has_lines(*values: Any | Missing) -> bool:
    """Return whether one of the values is or contains a text of several lines."""
    leaves = (leaf for value in values for _, leaf in walk_leaves(value))
    return any(isinstance(leaf, str) and "\n" in leaf.rstrip("\n") for leaf in leaves)


def _merge_two_texts(base: str, live: str, desired: str, merge_texts: MergeTexts) -> str | Missing:
    if desired in (base, live):
        return live
    if live == base:
        return desired
    # Two versions of one line always overlap.
    merged = merge_texts(base, live, desired) if has_lines(base, live, desired) else None
    return MISSING if merged is None else merged
