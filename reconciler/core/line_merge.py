"""What git and live make of a base together: texts merged line by line, lists element by element.

Lines are matched by patience, which takes blank lines and others that recur for landmarks last. Now and then it sees a
conflict where `git merge-file` dares to merge, which is the safe answer; the other way round only in texts of little
but such lines, where both edits survive all the same.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import equal
from reconciler.core.tree import MISSING, Missing

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def merge_values(base: Any | Missing, live: Any | Missing, desired: Any | Missing) -> Any | Missing:
    """Return the value that holds both live's and git's edits of a base, `MISSING` where the two touch.

    Texts are merged, and lists of one length whose elements differ in nothing but texts; of live, only what is
    declared counts. What differs otherwise has no merge.
    """
    if isinstance(base, str) and isinstance(live, str) and isinstance(desired, str):
        return _merge_texts(base, live, desired)
    if isinstance(base, list) and isinstance(live, list) and isinstance(desired, list):
        if not len(base) == len(live) == len(desired):
            return MISSING
        items = [merge_values(*three) for three in zip(base, live, desired, strict=True)]
        return MISSING if MISSING in items else items
    if isinstance(base, Mapping) and isinstance(live, Mapping) and isinstance(desired, Mapping):
        if base.keys() != desired.keys():
            return MISSING
        fields = {key: merge_values(base[key], live.get(key), value) for key, value in desired.items()}
        return MISSING if MISSING in fields.values() else fields
    return desired if equal(desired, base) and equal(desired, live) else MISSING


def find_touching(
    base: Any | Missing, live: Any | Missing, desired: Any | Missing, path: FieldPath
) -> Iterator[tuple[FieldPath, tuple[Any | Missing, ...]]]:
    """Yield where a value has no merge, with the three versions there; nothing for lists of different lengths."""
    if isinstance(base, list) and isinstance(live, list) and isinstance(desired, list):
        if len(base) == len(live) == len(desired):
            for index, three in enumerate(zip(base, live, desired, strict=True)):
                yield from find_touching(*three, (*path, str(index)))
    elif isinstance(base, Mapping) and isinstance(live, Mapping) and isinstance(desired, Mapping):
        for key in sorted(base.keys() | desired.keys()):
            versions = (base.get(key, MISSING), live.get(key, MISSING), desired.get(key, MISSING))
            yield from find_touching(*versions, (*path, key))
    elif merge_values(base, live, desired) is MISSING:
        yield path, (base, live, desired)


def has_lines(*values: Any | Missing) -> bool:
    """Tell whether one of some values is, or has in it, a text of several lines."""
    for value in values:
        if isinstance(value, str) and "\n" in value.rstrip("\n"):
            return True
        if isinstance(value, Mapping | list) and has_lines(*(value.values() if isinstance(value, Mapping) else value)):
            return True
    return False


def _merge_texts(base: str, live: str, desired: str) -> str | Missing:
    if desired in (base, live):
        return live
    if live == base:
        return desired
    # Two versions of one line touch, whatever stands in them.
    if not has_lines(base, live, desired):
        return MISSING
    # Few runs have a conflict, and all would pay for the import.
    from merge3 import Merge3
    from patiencediff import PatienceSequenceMatcher

    # Lines end at `\n` alone, and the last one may lack its end, which git sees as another line.
    old, theirs, ours = (_LINE.findall(text) for text in (base, live, desired))
    lines = {"unchanged": old, "a": theirs, "same": theirs, "b": ours}
    merged: list[str] = []
    matcher: Any = PatienceSequenceMatcher  # whose type is narrower than the one that is asked for
    for region in Merge3(old, theirs, ours, sequence_matcher=matcher).merge_regions():
        if region[0] == "conflict":
            return MISSING
        merged += lines[region[0]][region[1] : region[2]]
    return "".join(merged)
