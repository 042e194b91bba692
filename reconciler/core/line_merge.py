"""Merges the edits of git and live: texts line by line, lists element by element. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import equal
from reconciler.core.tree import MISSING, Missing, put_all, walk_leaves

# Gets a base text, live's and git's; returns all three merged line by line, None if the edits touch. Git does it
# (`reconciler.git.merge_file`).
MergeTexts = Callable[[str, str, str], str | None]
Versions = tuple[Any, Any, Any]  # of one value: base, live and desired; each may be `MISSING`


def never_merge(_base: str, _live: str, _desired: str) -> None:
    """Report that edits overlap: without a repository there is no base, and nothing to merge."""


def merge_values(versions: Versions, merge_texts: MergeTexts) -> Any | Missing:
    """Return the value with both live's and git's edits of a base, `MISSING` where the two overlap.

    Texts are merged, and so are lists of one length whose elements differ only in texts. Of live, only what is declared
    counts. Any other difference has no merge.
    """
    parts = {path: _merge_part(*part, merge_texts) for path, part in _divide(versions, ())}
    return MISSING if MISSING in parts.values() else put_all(versions[2], parts.items())


def find_touching(versions: Versions, path: FieldPath, merge_texts: MergeTexts) -> Iterator[tuple[FieldPath, Versions]]:
    """Yield where a value has no merge, with the three versions there; nothing for lists of different lengths."""
    for place, part in _divide(versions, path):
        if not _are_all(list, part) and _merge_part(*part, merge_texts) is MISSING:
            yield place, part


def count_equal_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Return how many lines, or other texts, two sequences share at the beginning, and how many more at the end."""
    limit = min(len(old), len(new))
    head = next((at for at in range(limit) if old[at] != new[at]), limit)
    tail = next((at for at in range(limit - head) if old[-1 - at] != new[-1 - at]), limit - head)
    return head, tail


def has_lines(*values: Any | Missing) -> bool:
    """Return whether one of the values is or contains a text of several lines."""
    leaves = (leaf for value in values for _, leaf in walk_leaves(value))
    return any(isinstance(leaf, str) and "\n" in leaf.rstrip("\n") for leaf in leaves)


def _divide(versions: Versions, path: FieldPath) -> Iterator[tuple[FieldPath, Versions]]:
    """Yield what is merged on its own: each value in objects, and in lists of one length."""
    base, live, desired = versions
    if _are_all(list, versions) and len(base) == len(live) == len(desired):
        for index, items in enumerate(zip(base, live, desired, strict=True)):
            yield from _divide(items, (*path, str(index)))
    elif _are_all(Mapping, versions):
        for key in sorted(base.keys() | desired.keys()):
            items = (base.get(key, MISSING), live.get(key, MISSING), desired.get(key, MISSING))
            yield from _divide(items, (*path, key))
    else:
        yield path, versions


def _merge_part(base: Any, live: Any, desired: Any, merge_texts: MergeTexts) -> Any | Missing:
    if _are_all(str, (base, live, desired)):
        if desired in (base, live):
            return live
        if live == base:
            return desired
        # Two versions of one line always overlap.
        merged = merge_texts(base, live, desired) if has_lines(base, live, desired) else None
        return MISSING if merged is None else merged
    return desired if equal(desired, base) and equal(desired, live) else MISSING


def _are_all(kind: type, versions: Versions) -> bool:
    return all(isinstance(version, kind) for version in versions)
