"""Which rules concern an assistant, and which are out of date."""

import datetime

import pytest

from reconciler.core.definition import Definition
from reconciler.core.ignore import expiry_notes, has_expired, rules_for, unmatched_notes
from reconciler.core.settings import IgnoreRule

TODAY = datetime.date(2026, 3, 1)


def rule(*path: str, expires: datetime.date | None = None, assistants: tuple[str, ...] = ("*",)) -> IgnoreRule:
    return IgnoreRule(path=path, reason="why not", assistants=assistants, expires=expires)


@pytest.mark.parametrize(
    ("days", "expired", "told"),
    [
        (-1, True, "expired on 2026-02-28"),
        (0, False, "expires on 2026-03-01"),
        (14, False, "expires on"),
        (15, False, ""),
    ],
)
def test_a_rule_ends_with_its_last_day_and_is_told_14_days_ahead(days: int, expired: bool, told: str) -> None:
    one = rule("metadata", "a/b", expires=TODAY + datetime.timedelta(days=days))
    assert has_expired(one, TODAY) == expired
    notes = list(expiry_notes([one, rule("name")], TODAY))
    assert len(notes) == bool(told)
    for note in notes:
        assert f"ignore /metadata/a~1b {told}" in note


def test_globs_choose_assistants_by_key() -> None:
    some, every = rule("name", assistants=("admissions/*", "it")), rule("name")
    assert rules_for([some, every], "admissions/a/b") == (some, every)
    assert rules_for([some, every], "it") == (some, every)
    assert rules_for([some, every], "it/x") == (every,)
    assert rules_for([rule("name", assistants=("IT",))], "it") == ()


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        (("metadata",), True),
        (("metadata", "crm", "key"), True),
        (("metadata", "*", "key"), True),
        (("*", "other"), False),
        (("metadata", "*", "other"), True),  # below what is declared null
        (("metadata", "crm", "key", "below"), False),
        (("metadata", "null"), True),
        (("metadata", "null", "below"), True),
        (("metadata", "list", "0", "key"), True),
        (("metadata", "list", "*", "key"), True),
        (("metadata", "list", "1"), False),
        (("*",), True),
        (("name", "*"), False),
        (("voice",), False),
    ],
)
def test_a_rule_that_concerns_nothing_declared_is_told(path: tuple[str, ...], matches: bool) -> None:
    declared = {"name": "A", "metadata": {"crm": {"key": 1}, "null": None, "list": [{"key": 1}]}}
    definitions = [Definition("a", "assistants/a.yaml", "asst_1", declared)]
    assert bool(list(unmatched_notes([rule(*path)], definitions))) != matches
    (note,) = unmatched_notes([rule(*path, assistants=("b",))], definitions)
    assert "matches nothing" in note
