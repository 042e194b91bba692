"""Differences that a team accepts: which rules concern an assistant, what they keep, and which are out of date."""

import dataclasses
import datetime
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, covers, to_pointer
from reconciler.core.canonical import Whole, asks, equal
from reconciler.core.definition import Definition
from reconciler.core.origin import Change
from reconciler.core.settings import IgnoreRule
from reconciler.core.tree import MISSING, Missing, prune, value_at

NOTICE_DAYS = 14


@dataclasses.dataclass(frozen=True, slots=True)
class Ignored:
    """A differing leaf, or a place inside a list, that an `ignore` rule accepts."""

    path: FieldPath
    rule: IgnoreRule


def rules_for(rules: Sequence[IgnoreRule], key: str) -> tuple[IgnoreRule, ...]:
    """Return the rules that concern the definition with a key; a rule's patterns are shell-style, `admissions/*`."""
    return tuple(rule for rule in rules if _concerns(rule, key))


def rule_for(path: FieldPath, rules: Sequence[IgnoreRule]) -> IgnoreRule | None:
    """Return the first rule that names a path, or something above it."""
    return next((rule for rule in rules if covers(rule.path, path)), None)


def accepted(
    found: Sequence[Change], rules: Sequence[IgnoreRule], inside: Iterable[Ignored] = ()
) -> tuple[tuple[Change, ...], tuple[Ignored, ...]]:
    """Return the changes that no rule accepts, and what is accepted: leaves, and the places `inside` lists.

    A leaf is accepted too where what live holds at an ignored path would go with it, and where nothing is declared
    in it but ignored paths.
    """
    ignored = tuple(
        Ignored(change.path, rule)
        for change in found
        if (rule := rule_for(change.path, rules) or _rule_inside(change, rules)) is not None
    )
    paths = {entry.path for entry in ignored}
    left = tuple(change for change in found if change.path not in paths)
    return left, tuple(sorted((*ignored, *inside), key=lambda entry: entry.path))


def kept_in_lists(tree: Any, live: Any, rules: Sequence[IgnoreRule]) -> tuple[Any, tuple[Ignored, ...]]:
    """Return a definition with live's values at the ignored places inside its lists, and those that differ.

    A list is one leaf, and sent in one piece: what it keeps has to stand in it.
    """
    ignored: dict[FieldPath, Ignored] = {}
    for rule in rules:
        places: list[FieldPath] = []
        tree = _kept(tree, live, rule.path, (), places)
        ignored = {path: Ignored(path, rule) for path in places} | ignored
    return tree, tuple(ignored[path] for path in sorted(ignored))


def has_expired(rule: IgnoreRule, today: datetime.date) -> bool:
    """Tell whether a rule's last day, in UTC, is past."""
    return rule.expires is not None and rule.expires < today


def expiry_notes(rules: Iterable[IgnoreRule], today: datetime.date) -> Iterator[str]:
    """Yield a sentence for each rule that is past its date, or will be within two weeks."""
    for rule in rules:
        if rule.expires is None or rule.expires > today + datetime.timedelta(days=NOTICE_DAYS):
            continue
        when = "expired on" if has_expired(rule, today) else "expires on"
        yield (
            f"ignore {to_pointer(rule.path)} {when} {rule.expires}; the value is still left alone: "
            "renew the entry in reconciler.yaml or remove it"
        )


def unmatched_notes(rules: Iterable[IgnoreRule], definitions: Sequence[Definition]) -> Iterator[str]:
    """Yield a sentence for each rule that concerns nothing that any definition declares."""
    for rule in rules:
        declaring = (_declares(definition, rule.path) for definition in definitions if _concerns(rule, definition.key))
        if not any(declaring):
            pointer = to_pointer(rule.path)
            yield f"ignore {pointer} matches nothing that a definition declares: remove it from reconciler.yaml"


def _concerns(rule: IgnoreRule, key: str) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in rule.assistants)


def _declares(definition: Definition, pattern: FieldPath) -> bool:
    """Tell whether a definition declares a path that matches, or null above it; `*` stands for any one key."""
    trees: list[Any] = [definition.declared]
    for part in pattern:
        trees = [None if tree is None else below for tree in trees for below in _below(tree, part)]
    return bool(trees)


def _rule_inside(change: Change, rules: Sequence[IgnoreRule]) -> IgnoreRule | None:
    """Return the first rule for what live holds inside a leaf and would lose, or for all that is declared there."""
    depth = len(change.path)
    left = prune(change.desired, lambda path: rule_for(path, rules) is not None, change.path)
    idle = not asks(left)
    for rule in rules:
        if not covers(rule.path[:depth], change.path):
            continue
        below = rule.path[depth:]
        if _loses(change.desired, change.live, below) or (idle and _inside(change.desired, below)):
            return rule
    return None


def _loses(declared: Any, live: Any | Missing, pattern: FieldPath) -> bool:
    """Tell whether live holds something where a pattern leads, and what is declared has no place for it."""
    if not pattern or (isinstance(declared, list) and isinstance(live, list)):
        return False
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        both = (key for key in declared.keys() & live.keys() if pattern[0] in ("*", key))
        return any(_loses(declared[key], live[key], pattern[1:]) for key in both)
    return any(value is not None and value is not MISSING for value in _inside(live, pattern))


def _inside(tree: Any | Missing, pattern: FieldPath) -> list[Any | Missing]:
    """Return what stands at the places of a tree that a pattern leads to."""
    trees = [tree]
    for part in pattern:
        trees = [below for tree in trees if tree is not None for below in _below(tree, part)]
    return trees


def _below(tree: Any, part: str) -> list[Any]:
    """Return what stands in an object or list at a key, an index or `*`; null stands for whatever was there."""
    if tree is None:
        return [None]
    if isinstance(tree, list):
        return [item for index, item in enumerate(tree) if part in ("*", str(index))]
    if part == "*":
        return list(tree.values()) if isinstance(tree, Mapping) else []
    value = value_at(tree, (part,))
    return [] if value is MISSING else [value]


def _kept(
    tree: Any, live: Any, pattern: FieldPath, path: FieldPath, places: list[FieldPath], *, inside: bool = False
) -> Any:
    """Return a tree with live's values where a pattern leads into a list; `MISSING` for a key that live lacks."""
    if not pattern:
        if not inside:
            return tree
        if not equal(tree, live):
            places.append(path)
        return live
    part, below = pattern[0], pattern[1:]
    if isinstance(tree, Mapping) and isinstance(live, Mapping):
        laid = {
            key: _kept(value, live.get(key, MISSING), below, (*path, key), places, inside=inside)
            if part in ("*", key)
            else value
            for key, value in tree.items()
        }
        return {key: value for key, value in laid.items() if value is not MISSING}
    if isinstance(tree, list) and isinstance(live, list) and not isinstance(tree, Whole):
        return [
            _kept(item, live[index], below, (*path, str(index)), places, inside=True)
            if part in ("*", str(index)) and index < len(live)
            else item
            for index, item in enumerate(tree)
        ]
    return tree
