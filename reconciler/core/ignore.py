"""Differences that a team accepts: what the `ignore` rules of one assistant keep as it is live. Pure."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, covers
from reconciler.core.canonical import Whole, asks_anything, equal
from reconciler.core.origin import Change
from reconciler.core.settings import IgnoreRule
from reconciler.core.tree import Missing, item_at, paths_matching, prune, put_all


@dataclasses.dataclass(frozen=True, slots=True)
class Ignored:
    """A differing leaf, or a place inside a list, that an `ignore` rule accepts."""

    path: FieldPath
    rule: IgnoreRule


def rule_for(path: FieldPath, rules: Sequence[IgnoreRule]) -> IgnoreRule | None:
    """Return the first rule that names a path, or something above it."""
    return next((rule for rule in rules if covers(rule.path, path)), None)


def split_ignored(
    found: Sequence[Change], rules: Sequence[IgnoreRule], inside: Iterable[Ignored] = ()
) -> tuple[tuple[Change, ...], tuple[Ignored, ...]]:
    """Return the changes that no rule accepts, and what is accepted: leaves, and the places `inside` lists."""
    # Accepted is a leaf too with which what live holds at an ignored path would go, or that declares nothing else.
    # A leaf can be larger than what a rule names, and is sent or left as one. Left is safe; to send it would
    # overwrite what the rule protects.
    ignored = tuple(
        Ignored(change.path, rule)
        for change in found
        if (rule := rule_for(change.path, rules) or _rule_inside(change, rules)) is not None
    )
    paths = {entry.path for entry in ignored}
    left = tuple(change for change in found if change.path not in paths)
    return left, tuple(sorted((*ignored, *inside), key=lambda entry: entry.path))


def keep_in_lists(tree: Any, live: Any, rules: Sequence[IgnoreRule]) -> tuple[Any, tuple[Ignored, ...]]:
    """Return a definition with live's values at the ignored places inside its lists, and those that differ."""
    # A list is one leaf and is sent in one piece, so what is to stay as it is live has to stand in that piece.
    ignored: dict[FieldPath, Ignored] = {}
    for rule in rules:
        paths = [path for path in paths_matching(tree, rule.path) if _meet_in_list(tree, live, path)]
        for path in paths:
            # Rules may overlap; a report names the first, as it does for a leaf.
            if not equal(item_at(tree, path), item_at(live, path)):
                ignored.setdefault(path, Ignored(path, rule))
        tree = put_all(tree, [(path, item_at(live, path)) for path in paths])
    return tree, tuple(ignored[path] for path in sorted(ignored))


def _rule_inside(change: Change, rules: Sequence[IgnoreRule]) -> IgnoreRule | None:
    """Return the first rule for what live holds inside a leaf and would lose, or for all that is declared there."""
    depth = len(change.path)
    left = prune(change.desired, lambda path: rule_for(path, rules) is not None, change.path)
    # What is left asks for nothing, so the leaf differs at ignored paths alone.
    is_idle = not asks_anything(left)
    for rule in rules:
        # The part of the rule above the leaf must match too, or a rule for another object would count here.
        if not covers(rule.path[:depth], change.path):
            continue
        below = rule.path[depth:]
        if _loses(change.desired, change.live, below) or (is_idle and paths_matching(change.desired, below)):
            return rule
    return None


def _loses(declared: Any, live: Any | Missing, pattern: FieldPath) -> bool:
    """Return whether live holds something where a pattern leads, and what is declared has no place for it."""
    # Two lists are no loss: `keep_in_lists` has put live's value into the declared one.
    if not pattern or (isinstance(declared, list) and isinstance(live, list)):
        return False
    # Objects are merged when they are sent, so that a key which live alone has stays.
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        both = (key for key in declared.keys() & live.keys() if pattern[0] in ("*", key))
        return any(_loses(declared[key], live[key], pattern[1:]) for key in both)
    return any(item_at(live, path) is not None for path in paths_matching(live, pattern))


def _meet_in_list(tree: Any, live: Any, path: FieldPath) -> bool:
    """Return whether a path leads through a list, and live has the same objects and lists on the way."""
    in_list = False
    for key in path:
        if isinstance(tree, list) and isinstance(live, list):
            # A list that asks for exactly its elements gives live no say, and elements beyond live's are new.
            if isinstance(tree, Whole) or int(key) >= len(live):
                return False
            in_list = True
        elif not (isinstance(tree, Mapping) and isinstance(live, Mapping)):
            return False
        tree, live = item_at(tree, (key,)), item_at(live, (key,))
    return in_list
