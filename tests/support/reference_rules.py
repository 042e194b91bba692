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
from trees import value_at

Fields = dict[str, Any]

MISSING = object()
MULTISETS = (("endCallPhrases",),)


def are_objects(first: Any, second: Any) -> bool:
    return isinstance(first, dict) and isinstance(second, dict)


def merge_fields(fields: Fields, more: Fields) -> Fields:
    return {
        **fields,
        **{key: {**fields[key], **item} if are_objects(fields.get(key), item) else item for key, item in more.items()},
    }


def normalise(value: Any, path: tuple[str, ...] = ()) -> Any:
    """A value as people compare it: no nulls in objects, numbers by value, a multiset in order."""
    if isinstance(value, dict):
        return {key: normalise(item, (*path, key)) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        items = [normalise(item) for item in value]
        return sorted(items) if path in MULTISETS else items
    if isinstance(value, bool):
        return f"boolean {value}"
    return round_to_single(value) if isinstance(value, float) and not value.is_integer() else value


def round_to_single(value: float) -> float:
    """A fraction as a server has it that keeps numbers in 32 bits, where it can."""
    rounded = ctypes.c_float(value).value
    return rounded if math.isfinite(rounded) else value


def base_value_at(tree: Any, path: tuple[str, ...]) -> Any:
    """What the base says at a path: nothing, or null where it wanted all of it empty."""
    for key in path:
        if tree is None:
            return None
        if not isinstance(tree, dict) or key not in tree:
            return MISSING
        tree = tree[key]
    return MISSING if tree == {} else tree


def shows(live: Any, desired: Any, path: tuple[str, ...] = ()) -> bool:
    """Whether live has everything that is declared."""
    if isinstance(desired, dict):
        if not desired:
            return True
        inner = {} if live is None else live
        return isinstance(inner, dict) and all(
            shows(inner.get(key), item, (*path, key)) for key, item in desired.items()
        )
    if isinstance(desired, list) and isinstance(live, list) and path not in MULTISETS:
        return len(desired) == len(live) and all(shows(*pair[::-1]) for pair in zip(desired, live, strict=True))
    return bool(normalise(desired, path) == normalise(live, path))


def change_kind(desired: Any, live: Any, base: Any, path: tuple[str, ...]) -> str:
    if base is MISSING:
        return "change"
    git_moved = normalise(base, path) != normalise(desired, path)
    live_moved = not shows(live, base, path)
    if git_moved and live_moved and holds_both(base, live, desired):
        return "change"
    return {(True, True): "conflict", (True, False): "change", (False, True): "drift"}[git_moved, live_moved]


def holds_both(base: Any, live: Any, desired: Any) -> bool:
    """Whether git's value holds live's edit already: where live moved it is live's, or the merge of lines."""
    versions = (base, live, desired)
    if all(isinstance(version, list) for version in versions):
        return len(base) == len(live) == len(desired) and all(map(holds_both, *versions))
    if all(isinstance(version, dict) for version in versions):
        return base.keys() == desired.keys() and all(holds_both(base[key], live.get(key), desired[key]) for key in base)
    if not all(isinstance(version, str) for version in versions):
        return normalise(base) == normalise(desired) and shows(live, desired)
    return live in (base, desired) or merge_with_git(*versions) == desired


def merge_with_git(base: str, live: str, desired: str) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("live", "base", "desired")]
        for file, text in zip(files, (live, base, desired), strict=True):
            file.write_text(text, "utf-8", newline="")
        process = subprocess.run(["git", "merge-file", "-p", "-q", *map(str, files)], capture_output=True, check=False)
    return process.stdout.decode() if process.returncode == 0 else None


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
    old = normalise(change.get("live"), path)
    is_new = old is None and path[0] in ("name", "model", "voice")
    return is_new or (isinstance(old, dict) and has_nothing_inside(old))


def has_nothing_inside(fields: Fields) -> bool:
    return not fields or any(isinstance(item, dict) and has_nothing_inside(item) for item in fields.values())


def set_values(fields: Fields, values: list[tuple[tuple[str, ...], Any]]) -> Fields:
    """An assistant in which some paths hold other values; None takes a key away."""
    result = copy.deepcopy(fields)
    for path, value in values:
        if value is None and value_at(result, path) is None:
            continue
        inner = result
        for key in path[:-1]:
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        if value is None:
            inner.pop(path[-1], None)
        else:
            inner[path[-1]] = normalise(value, path)
    return result


def keep_elements(desired: Any, live: Any) -> Any:
    """A list as it is sent: an element that live shows at its place keeps what else it holds there."""
    if not isinstance(desired, list) or not isinstance(live, list):
        return desired
    pairs = itertools.zip_longest(desired, live[: len(desired)], fillvalue=MISSING)
    return [old if old is not MISSING and shows(old, new) else new for new, old in pairs]


def drop_id(fields: Fields) -> Fields:
    return {key: value for key, value in fields.items() if key != "id"}
