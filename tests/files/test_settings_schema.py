"""The settings' schema says in patterns what the settings' checks judge step by step."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, strategies as st

from reconciler.assistant.paths import parse_path, to_pointer, write_path
from reconciler.files.settings_check import check_settings
from reconciler.files.settings_table import settings_schema

VALIDATOR = jsonschema.Draft7Validator(settings_schema())
check_settings({})  # pydantic loads and builds its models at the first call, which is no example's time


def agree(settings: Any) -> bool:
    """Whether schema and checks say the same of these settings."""
    _, problems = check_settings(settings)
    return VALIDATOR.is_valid(settings) is not bool(problems)


@given(st.lists(st.text("ab0]~", min_size=1, max_size=3), min_size=1, max_size=3))
def test_both_spellings_name_one_path(keys: list[str]) -> None:
    dotted, _ = check_settings({"sensitive": [".".join(keys)]})
    pointer, _ = check_settings({"sensitive": [to_pointer(keys)]})
    assert dotted == pointer == {"sensitive": [tuple(keys)]}


@given(st.lists(st.text("ab0[]~./", min_size=1, max_size=3), min_size=1, max_size=3))
def test_a_path_that_is_written_is_read_as_itself(keys: list[str]) -> None:
    assert parse_path(write_path(tuple(keys))) == tuple(keys)


@given(st.text("./a\\\n", max_size=6))
def test_schema_and_command_agree_on_folders_of_overlays(folder: str) -> None:
    assert agree({"environments": {"a": {"overlay": folder}}})


@given(st.text("aZ0-_\n ", max_size=4) | st.sampled_from(["applied", "applied2", "applied\n"]))
def test_schema_and_command_agree_on_names_of_environments(name: str) -> None:
    assert agree({"environments": {name: {}}})


@pytest.mark.parametrize("day", ["2027-01-31", "20270131", "2027-W04-7", "2027-1-31", "2027-01-31\n", "2027-01-31T00"])
def test_schema_and_command_agree_on_days(day: str) -> None:
    assert agree({"ignore": [{"path": "/a", "reason": "b", "expires": day}]})
