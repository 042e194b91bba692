"""The settings' schema says in patterns what the settings' checks judge step by step."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, strategies as st

from reconciler.assistant.fields import CLOSED_OBJECTS, DOCUMENTED
from reconciler.assistant.paths import parse_path, to_pointer, write_path
from reconciler.files.settings_check import check_settings
from reconciler.files.settings_table import settings_schema

VALIDATOR = jsonschema.Draft7Validator(settings_schema())


def same(settings: Any) -> bool:
    """Whether schema and checks say the same of these settings."""
    _, problems = check_settings(settings)
    return VALIDATOR.is_valid(settings) is not bool(problems)


@given(st.text("/.~012*ab\n", max_size=6))
def test_paths(text: str) -> None:
    assert same({"sensitive": [text]})
    assert same({"ignore": [{"path": text, "reason": "x"}]})


@given(st.sampled_from([*CLOSED_OBJECTS, "metadata", "name", "id", "tools", ""]), st.text("/~01*ab.\n", max_size=4))
def test_extra_fields(first: str, rest: str) -> None:
    assert same({"extra_fields": [f"/{first}{rest}"]})
    assert same({"extra_fields": [f"/{first}/{rest}"]})
    assert same({"extra_fields": [f"{first}.{rest}"]})
    assert same({"extra_fields": [f"{first}{rest}"]})


@pytest.mark.parametrize("tail", ["", "s", "/x", "/*", "/", "~0", "\n"])
def test_documented_fields_and_their_neighbours_are_extra_fields_alike(tail: str) -> None:
    for path in DOCUMENTED:
        assert same({"extra_fields": [to_pointer(path) + tail]}), (path, tail)


@given(st.lists(st.text("ab~", min_size=1, max_size=3), min_size=1, max_size=3))
def test_both_spellings_name_one_path(keys: list[str]) -> None:
    dotted, _ = check_settings({"sensitive": [".".join(keys)]})
    pointer, _ = check_settings({"sensitive": [to_pointer(keys)]})
    assert dotted == pointer == {"sensitive": [tuple(keys)]}
    assert parse_path(write_path(tuple(keys))) == tuple(keys)


@given(st.text("0123456789.% \n", max_size=8) | st.integers() | st.booleans() | st.none())
def test_limits(limit: Any) -> None:
    assert same({"max_changes": limit})


@pytest.mark.parametrize("share", ["100%", "100.0 %", "100.1%", "099%", "0099%", "99.999999%", "99.9999999%", "1.%"])
def test_shares(share: str) -> None:
    assert same({"max_changes": share})


@given(st.text("./a\\\n", max_size=6))
def test_folders_of_overlays(folder: str) -> None:
    assert same({"environments": {"a": {"overlay": folder}}})


@given(st.text("aZ0-_\n ", max_size=4) | st.sampled_from(["applied", "applied2", "applied\n"]))
def test_names_of_environments(name: str) -> None:
    assert same({"environments": {name: {}}})


@pytest.mark.parametrize("day", ["2027-01-31", "20270131", "2027-W04-7", "2027-1-31", "2027-01-31\n", "2027-01-31T00"])
def test_days(day: str) -> None:
    assert same({"ignore": [{"path": "/a", "reason": "b", "expires": day}]})
