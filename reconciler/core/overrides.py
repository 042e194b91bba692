"""The exceptions of `reconciler.yaml` for single assistants: which of ignore, enforce and frozen apply when. Pure."""

import datetime
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.assistant.paths import FieldPath, covers, dotted, part_below, write_path
from reconciler.core.canonical import Whole, asks_anything, equal
from reconciler.core.definition import Definition, InvalidDefinition
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind, Unsent
from reconciler.core.rules import explain_dead_rule
from reconciler.core.settings import Dated, EnforceRule, ForAssistants, Freeze, IgnoreRule, LintLevel, Rule, Settings
from reconciler.core.tree import MISSING, Missing, item_at, paths_matching, prune, put_all
from reconciler.dataclass import dataclass

NOTICE_DAYS: Final = 14
_RENEW: Final = "renew or remove it in reconciler.yaml"


@dataclass(frozen=True, slots=True)
class Ignored:
    """A differing leaf, or a place inside a list, that an `ignore` rule accepts."""

    path: FieldPath
    rule: IgnoreRule
    changed_in_git: bool = False  # git's value is no longer the recorded one, and does not become live


@dataclass(frozen=True, slots=True)
class Overrides:
    """The entries that apply to one assistant on one day; `freeze` is None if it is not frozen."""

    ignore: tuple[IgnoreRule, ...] = ()
    enforce: tuple[EnforceRule, ...] = ()
    freeze: Freeze | None = None

    def find_enforced(self, changes: Iterable[Change]) -> dict[FieldPath, EnforceRule]:
        """Return the live edits among some changes that are to be reverted, by path, each with its entry."""
        drifted = [change for change in changes if change.kind is Kind.DRIFT]
        # The first rule that matches counts, so it is stored last.
        pairs = ((change, rule) for change in drifted for rule in reversed(self.enforce))
        return {change.path: rule for change, rule in pairs if _is_enforced(change, rule.path)}

    def find_enforced_inside(self, change: Change) -> tuple[FieldPath, ...]:
        """Return the enforced places inside a list that were edited live, if the list is not restored as a whole."""
        patterns = [pattern for rule in self.enforce if (pattern := part_below(rule.path, change.path))]
        paths = {path for pattern in patterns for path in paths_matching(change.desired, pattern)}
        differing = (path for path in paths if not equal(item_at(change.desired, path), item_at(change.live, path)))
        return tuple(sorted((*change.path, *path) for path in differing))

    def warn_of_kept(self, changes: Iterable[Change]) -> Iterator[str]:
        """Yield a sentence for each enforced place inside a list that keeps a live edit, since the whole list does."""
        for change in (change for change in changes if change.unsent is Unsent.KEPT):
            for path in self.find_enforced_inside(change):
                yield (
                    f"{dotted(path)} is enforced, but its live edit stays: {dotted(change.path)} is sent as a whole, "
                    "and other parts of it were edited live. Apply with --on-drift revert, or edit it by hand"
                )


NO_OVERRIDES: Final = Overrides()


def find_overrides(settings: Settings, key: str) -> Overrides:
    """Return the entries that apply to the definition with a key on the day of the settings."""
    freezes = [entry for entry in settings.frozen if entry.concerns(key) and entry.holds(settings.today)]
    return Overrides(
        ignore=tuple(rule for rule in settings.ignore if rule.concerns(key)),
        enforce=tuple(rule for rule in settings.enforce if rule.concerns(key)),
        # Of several the one that ends last: its date is the day on which the assistant may be written again.
        freeze=max(freezes, key=lambda entry: entry.expires or datetime.date.max, default=None),
    )


def rule_for(path: FieldPath, rules: Sequence[IgnoreRule]) -> IgnoreRule | None:
    """Return the first rule that names a path, or something above it."""
    return next((rule for rule in rules if covers(rule.path, path)), None)


def split_ignored(
    changes: Sequence[Change], rules: Sequence[IgnoreRule], inside_lists: Iterable[Ignored] = ()
) -> tuple[tuple[Change, ...], tuple[Ignored, ...]]:
    """Return the changes that no rule accepts, and what rules accept: leaves, and the places `inside_lists`."""
    # A leaf is also accepted if sending it would remove a live value at an ignored path, or if it declares nothing
    # else. A leaf can be larger than what a rule names, and is sent or left as one. Leaving it is safe. Sending it
    # would overwrite what the rule protects.
    found = {change.path: rule_for(change.path, rules) or _find_rule_inside(change, rules) for change in changes}
    ignored = [Ignored(path, rule) for path, rule in found.items() if rule is not None]
    remaining = tuple(change for change in changes if found[change.path] is None)
    return remaining, tuple(sorted((*ignored, *inside_lists), key=lambda entry: entry.path))


def keep_in_lists(tree: Any, live: Any, rules: Sequence[IgnoreRule]) -> tuple[Any, tuple[Ignored, ...]]:
    """Return a definition with live's values at the ignored places inside its lists, and its own that differ."""
    # A list is one leaf and is sent as a whole, so live values that must stay have to be in it.
    ignored: dict[FieldPath, Ignored] = {}
    for rule in rules:
        # What only live has inside an element would be lost with it, too: an element is sent as it is declared.
        places = dict.fromkeys([*paths_matching(tree, rule.path), *paths_matching(live, rule.path)])
        paths = [path for path in places if _meet_in_list(tree, live, path)]
        for path in paths:
            # Rules may overlap. A report names the first one, as for a leaf.
            declared = item_at(tree, path)
            if declared is not MISSING and not equal(declared, item_at(live, path)):
                ignored.setdefault(path, Ignored(path, rule))
        tree = put_all(tree, [(path, item_at(live, path)) for path in paths])
    return tree, tuple(ignored[path] for path in sorted(ignored))


def list_expired(settings: Settings) -> Iterator[tuple[Dated, str]]:
    """Yield the entries that are past their date, each with what to say about it."""
    for day, entry, name in settings.expiring:
        if day < settings.today:
            # An expired `ignore` still protects; otherwise, one day, an apply would overwrite a value unasked. A
            # freeze ends on its day, since no assistant should stay frozen because nobody looked at this file.
            effect = "no longer applies" if isinstance(entry, Freeze) else "still applies"
            yield entry, f"{name} expired on {day} and {effect}: {_RENEW}"


def warn_of_expiry(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each entry that is past its date, or will be within two weeks."""
    yield from (message for _, message in list_expired(settings))
    soon = settings.today + datetime.timedelta(days=NOTICE_DAYS)
    for day, _, name in settings.expiring:
        if settings.today <= day <= soon:
            yield f"{name} expires on {day}: {_RENEW}"


def check_matches(
    settings: Settings, definitions: Sequence[Definition], lives: Sequence[Mapping[str, Any]] = ()
) -> Iterator[tuple[ForAssistants, str]]:
    """Yield every entry, with a sentence if it matches nothing in any definition, else with an empty text."""
    # Most often a typo, and then the value that the entry should protect is not protected.
    for entry, name in settings.entries:
        concerned = [definition for definition in definitions if entry.concerns(definition.key)]
        # A skipped file is not a definition, but its lint may be silenced.
        if not concerned and not (isinstance(entry, LintLevel) and entry.lint == "skipped-file"):
            message = (
                f"{name} matches no definition: remove it from reconciler.yaml, or correct its `assistants` (a "
                "definition's name is its path below the folder, without .yaml)"
            )
            yield entry, message
        elif (
            _are_read(concerned)
            and isinstance(entry, IgnoreRule | EnforceRule)
            and not _has_effect(entry, concerned, lives)
        ):
            yield entry, f"{name} matches nothing in any definition: remove it from reconciler.yaml"
        else:
            yield entry, explain_dead_rule(entry, settings) if isinstance(entry, Rule) else ""


def find_idle_secrets(
    forms: Iterable[tuple[Settings, Sequence[Definition]]], lives: Sequence[Mapping[str, Any]] = ()
) -> Iterator[str]:
    """Yield a sentence for each `sensitive` path that matches nothing in any form of the definitions, or live."""
    # What live alone holds may have to be hidden, too: it goes along in the object that is sent.
    matches: dict[FieldPath, bool] = {}
    for settings, definitions in forms:
        for path in settings.sensitive:
            is_declared = any(_declares(definition, path) for definition in definitions)
            matches[path] = matches.get(path) or is_declared or any(paths_matching(live, path) for live in lives)
    ending = " or live: check its spelling" if lives else ": check its spelling, unless only live has it"
    for path in (path for path, has_match in matches.items() if not has_match):
        yield f"sensitive {write_path(path)} matches nothing in any definition{ending}"


def warn_of_unmatched(
    settings: Settings, definitions: Sequence[Definition], lives: Sequence[Mapping[str, Any]] = ()
) -> Iterator[str]:
    """Yield a sentence for each entry that matches nothing in any definition, and for each that has no effect."""
    matches = check_matches(settings, definitions, lives)
    yield from (message for entry, message in matches if message and not settings.is_shared(entry))
    if _are_read(definitions):
        yield from find_idle_secrets([(settings, definitions)], lives)
    for enforced, ignored in itertools.product(settings.enforce, settings.ignore):
        concerned = (each for each in definitions if enforced.concerns(each.key) and ignored.concerns(each.key))
        if covers(ignored.path, enforced.path) and any(_declares(each, enforced.path) for each in concerned):
            name = write_path(enforced.path)
            yield f"{name} is under both ignore and enforce: ignore wins, and live edits stay; remove one"


def _are_read(definitions: Sequence[Definition]) -> bool:
    """Return whether it is known what the definitions declare. An invalid one may declare anything."""
    return not any(isinstance(each, InvalidDefinition) for each in definitions)


def _has_effect(
    entry: IgnoreRule | EnforceRule, definitions: Sequence[Definition], lives: Sequence[Mapping[str, Any]]
) -> bool:
    if any(_declares(each, entry.path) for each in definitions):
        return True
    # Anything but an object would be sent in place of what live has (or may have, unread) at an ignored path.
    above = (value for each in definitions for value in _list_above(each, entry.path))
    is_in_danger = isinstance(entry, IgnoreRule) and not all(isinstance(value, Mapping) for value in above)
    return is_in_danger and (not lives or any(paths_matching(live, entry.path) for live in lives))


def _declares(definition: Definition, pattern: FieldPath) -> bool:
    """Return whether a definition declares a matching path, or a null above it, which stands for everything below."""
    return bool(paths_matching(definition.declared, pattern)) or None in _list_above(definition, pattern)


def _list_above(definition: Definition, pattern: FieldPath) -> list[Any]:
    paths = (path for depth in range(1, len(pattern)) for path in paths_matching(definition.declared, pattern[:depth]))
    return [item_at(definition.declared, path) for path in paths]


def _is_enforced(change: Change, pattern: FieldPath) -> bool:
    """Return whether a pattern names a leaf, or all inside it that differs."""
    inner = part_below(pattern, change.path)
    if not inner:
        return inner is not None
    # A list is one leaf and is sent in one piece. It is reverted only if that reverts nothing else.
    paths = paths_matching(change.desired, inner)
    reverted = put_all(change.live, [(path, item_at(change.desired, path)) for path in paths])
    return equal(change.desired, reverted, change.path)


def _find_rule_inside(change: Change, rules: Sequence[IgnoreRule]) -> IgnoreRule | None:
    """Return the first rule for what live holds inside a leaf and would lose, or for all that is declared there."""
    desired, live = change.desired, change.live
    remaining = prune(desired, lambda path: rule_for(path, rules) is not None, change.path)
    # The rest asks for nothing, so the leaf differs only at ignored paths.
    is_idle = not asks_anything(remaining)
    for rule in rules:
        pattern = part_below(rule.path, change.path)
        if pattern and (_loses(desired, live, pattern) or (is_idle and paths_matching(desired, pattern))):
            return rule
    return None


def _loses(declared: Any, live: Any | Missing, pattern: FieldPath) -> bool:
    """Return whether live has a value where a pattern leads that the declared value would remove."""
    if not pattern or (isinstance(declared, Whole) and isinstance(live, list)):
        return False
    # `keep_in_lists` has put live's values into a declared list, where its elements have room for them.
    if isinstance(declared, list) and isinstance(live, list):
        declared, live = ({str(index): item for index, item in enumerate(side)} for side in (declared, live))
    # Objects are merged when they are sent, so keys that only live has are kept.
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        keys = (key for key in declared.keys() & live.keys() if pattern[0] in ("*", key))
        return any(_loses(declared[key], live[key], pattern[1:]) for key in keys)
    return any(item_at(live, path) is not None for path in paths_matching(live, pattern))


def _meet_in_list(tree: Any, live: Any, path: FieldPath) -> bool:
    """Return whether a path leads through a list, and live has the same objects and lists on the way."""
    in_list = False
    for key in path:
        if isinstance(tree, list) and isinstance(live, list):
            # A list that asks for exactly its elements ignores live, and elements beyond live's are new.
            if isinstance(tree, Whole) or int(key) >= min(len(tree), len(live)):
                return False
            in_list = True
        # What an element does not declare is in no way: it is not there yet.
        elif not (isinstance(live, Mapping) and isinstance(tree, Mapping | Missing)):
            return False
        tree, live = item_at(tree, (key,)), item_at(live, (key,))
    return in_list
