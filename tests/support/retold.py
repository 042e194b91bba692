"""The contract's rules once more, by other means than the reconciler's own: for tests to compare with."""

import copy
import ctypes
import itertools
import math
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from json_reports import AssistantEntry, ChangeEntry, Document

Fields = dict[str, Any]

MISSING = object()
MULTISETS = (("endCallPhrases",),)


def both(first: Any, second: Any) -> bool:
    return isinstance(first, dict) and isinstance(second, dict)


def laid_over(fields: Fields, more: Fields) -> Fields:
    return {
        **fields,
        **{key: {**fields[key], **item} if both(fields.get(key), item) else item for key, item in more.items()},
    }


def plain(value: Any, path: tuple[str, ...] = ()) -> Any:
    """A value as people compare it: no nulls in objects, numbers by value, a multiset in order."""
    if isinstance(value, dict):
        return {key: plain(item, (*path, key)) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        items = [plain(item) for item in value]
        return sorted(items) if path in MULTISETS else items
    if isinstance(value, bool):
        return f"boolean {value}"
    return single(value) if isinstance(value, float) and not value.is_integer() else value


def single(value: float) -> float:
    """A fraction as a server has it that keeps numbers in 32 bits, where it can."""
    kept = ctypes.c_float(value).value
    return kept if math.isfinite(kept) else value


def at(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree


def base_at(tree: Any, path: tuple[str, ...]) -> Any:
    """What the base says at a path: nothing, or null where it wanted all of it empty."""
    for key in path:
        if tree is None:
            return None
        if not isinstance(tree, dict) or key not in tree:
            return MISSING
        tree = tree[key]
    return MISSING if tree == {} else tree


def shows(live: Any, wanted: Any, path: tuple[str, ...] = ()) -> bool:
    """Whether live has everything that is declared."""
    if isinstance(wanted, dict):
        if not wanted:
            return True
        inner = {} if live is None else live
        return isinstance(inner, dict) and all(
            shows(inner.get(key), item, (*path, key)) for key, item in wanted.items()
        )
    if isinstance(wanted, list) and isinstance(live, list) and path not in MULTISETS:
        return len(wanted) == len(live) and all(shows(*pair[::-1]) for pair in zip(wanted, live, strict=True))
    return bool(plain(wanted, path) == plain(live, path))


def kind(wanted: Any, found: Any, base: Any, path: tuple[str, ...]) -> str:
    if base is MISSING:
        return "change"
    git_moved = plain(base, path) != plain(wanted, path)
    live_moved = not shows(found, base, path)
    if git_moved and live_moved and holds_both(base, found, wanted):
        return "change"
    return {(True, True): "conflict", (True, False): "change", (False, True): "drift"}[git_moved, live_moved]


def holds_both(base: Any, found: Any, wanted: Any) -> bool:
    """Whether what is wanted holds live's edit already: where live moved it is live's, or the merge of lines."""
    three = (base, found, wanted)
    if all(isinstance(one, list) for one in three):
        return len(base) == len(found) == len(wanted) and all(map(holds_both, *three))
    if all(isinstance(one, dict) for one in three):
        return base.keys() == wanted.keys() and all(holds_both(base[key], found.get(key), wanted[key]) for key in base)
    if not all(isinstance(one, str) for one in three):
        return plain(base) == plain(wanted) and shows(found, wanted)
    return found in (base, wanted) or merged_by_git(*three) == wanted


def merged_by_git(base: str, live: str, desired: str) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("live", "base", "desired")]
        for file, text in zip(files, (live, base, desired), strict=True):
            file.write_text(text, "utf-8", newline="")
        done = subprocess.run(["git", "merge-file", "-p", "-q", *map(str, files)], capture_output=True, check=False)
    return done.stdout.decode() if done.returncode == 0 else None


def sent_changes(entry: AssistantEntry, document: Document) -> Iterator[tuple[tuple[str, ...], ChangeEntry]]:
    options = document["options"]
    kinds = {"change"}
    kinds |= {"drift"} if options["on_drift"] == "revert" else set()
    kinds |= {"conflict"} if options["force_conflicts"] else set()
    for change in entry["changes"]:
        if change["kind"] in kinds:
            yield tuple(change["path"][1:].split("/")), change


def cannot_be_undone(sent: tuple[tuple[str, ...], ChangeEntry]) -> bool:
    path, change = sent
    old = plain(change.get("live"), path)
    is_new = old is None and path[0] in ("name", "model", "voice")
    return is_new or (isinstance(old, dict) and has_nothing_inside(old))


def has_nothing_inside(fields: Fields) -> bool:
    return not fields or any(isinstance(item, dict) and has_nothing_inside(item) for item in fields.values())


def with_values(fields: Fields, values: list[tuple[tuple[str, ...], Any]]) -> Fields:
    """An assistant in which some paths hold other values; None takes a key away."""
    made = copy.deepcopy(fields)
    for path, value in values:
        if value is None and at(made, path) is None:
            continue
        inner = made
        for key in path[:-1]:
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        if value is None:
            inner.pop(path[-1], None)
        else:
            inner[path[-1]] = plain(value, path)
    return made


def kept_elements(wanted: Any, live: Any) -> Any:
    """A list as it is sent: an element that live shows at its place keeps what else it holds there."""
    if not isinstance(wanted, list) or not isinstance(live, list):
        return wanted
    pairs = itertools.zip_longest(wanted, live[: len(wanted)], fillvalue=MISSING)
    return [old if old is not MISSING and shows(old, new) else new for new, old in pairs]


def without_id(fields: Fields) -> Fields:
    return {key: value for key, value in fields.items() if key != "id"}
