"""Differences that a team accepts: which rules concern an assistant, and which are out of date."""

import datetime
import fnmatch
from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.compare import value_at
from reconciler.core.definition import Definition
from reconciler.core.missing import MISSING
from reconciler.core.paths import FieldPath, to_pointer
from reconciler.core.settings import IgnoreRule

NOTICE_DAYS = 14


def rules_for(rules: Sequence[IgnoreRule], key: str) -> tuple[IgnoreRule, ...]:
    """Return the rules that concern the definition with a key; a rule's patterns are shell-style, `admissions/*`."""
    return tuple(rule for rule in rules if _concerns(rule, key))


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
    """Tell whether a definition declares a path that matches, `*` standing for any one key."""
    trees: list[object] = [definition.declared]
    for part in pattern:
        found: list[object] = []
        for tree in trees:
            if part == "*":
                found.extend(tree.values() if isinstance(tree, dict) else ())
            elif (value := value_at(tree, (part,))) is not MISSING:
                found.append(value)
        trees = found
    return bool(trees)
