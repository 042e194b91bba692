"""A member that is added to an enum has a word, a colour and a place wherever the report has tables of them."""

import enum
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import reconciler.report
from reconciler.core.outcome import Kind, Outcome, Status, Urgency
from reconciler.report.commands import NEUTRAL, TRAITS, Traits
from reconciler.report.report import Report

ENUMS = (Kind, Outcome, Urgency, Status)


def tables() -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Every table of a module of the report, and of the traits of each command, that has members for keys."""
    for info in pkgutil.walk_packages(reconciler.report.__path__, "reconciler.report."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, Mapping):
                yield f"{info.name}.{name}", value
    for command, traits in {**TRAITS, "?": NEUTRAL}.items():
        yield from ((f"{command}.titles[{written}]", titles) for written, titles in traits.titles.items())


TABLES = {name: table for name, table in tables() if any(isinstance(key, enum.Enum) for key in table)}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_with_one_member_of_an_enum_has_all_of_them(name: str) -> None:
    keys = list(TABLES[name])
    for kind in ENUMS:
        present = any(isinstance(key, kind) for key in keys)
        # By their words: `frozen` is a status and an outcome.
        assert not present or set(kind) <= set(keys), f"{name} lacks {set(kind) - set(keys)}"


def test_every_enum_has_tables() -> None:
    assert len(TABLES) > 15
    for kind in ENUMS:
        assert any(isinstance(key, kind) for table in TABLES.values() for key in table)


@pytest.mark.parametrize("command", TRAITS)
def test_each_command_says_what_its_differences_are_called_whether_sent_or_not(command: str) -> None:
    traits: Traits = TRAITS[command]
    assert set(traits.titles) == {True, False, None}


def test_the_table_of_commands_holds_every_command_that_writes_a_report() -> None:
    assert set(TRAITS) == {"validate", "plan", "apply", "create", "delete", "drift", "rollback", "report"}
    assert isinstance(Report.traits, property)
