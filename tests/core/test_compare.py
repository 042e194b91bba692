"""Which leaves differ."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st

from reconciler.core.canonical import equal, find_differing_leaves, find_differing_line
from reconciler.core.tree import MISSING, value_at


@pytest.mark.parametrize(
    ("declared", "live", "leaves"),
    [
        ({"name": "a"}, {"name": "a"}, []),
        ({"name": "a"}, {}, ["name"]),
        ({"metadata": {"a": {"b": 1, "c": 2}}}, {"metadata": {"a": {"b": 2, "c": 2}}}, ["metadata a b"]),
        ({"metadata": {"a": {"b": 1, "c": 2}}}, {"metadata": None}, ["metadata a b", "metadata a c"]),
        ({"metadata": {"a": {"b": 1}}}, {"metadata": {"a": "text"}}, ["metadata a"]),
        ({"metadata": {"a": "text"}}, {"metadata": {"a": {"b": 1}}}, ["metadata a"]),
        ({"metadata": {"a": [1, {"x": 1}]}}, {"metadata": {"a": [1, {"x": 2}]}}, ["metadata a"]),
        ({"metadata": {"a": True}}, {"metadata": {"a": False}}, ["metadata a"]),
        ({"metadata": {"a": True}}, {"metadata": {"a": 1}}, ["metadata a"]),
        ({"metadata": {"a": [1]}}, {"metadata": {"a": True}}, ["metadata a"]),
        ({"metadata": {"__a": 1, "__b__": {"__c": 2}}}, {"metadata": {}}, ["metadata __a", "metadata __b__ __c"]),
        ({"metadata": {"__a": 1}}, {"metadata": {"__a": 2}}, ["metadata __a"]),
        ({"metadata": {"'\"][": 1, "": 2}}, {"metadata": {"": 1}}, ["metadata ", "metadata '\"]["]),
        ({"metadata": {"0": 1}}, {"metadata": {"0": 2}}, ["metadata 0"]),
        ({"metadata": {"a": "x\ny"}}, {"metadata": {"a": "x\nz"}}, ["metadata a"]),
        ({"metadata": None}, {"metadata": {"a": None}}, ["metadata"]),
    ],
)
def test_the_leaves_that_differ_from_live_are_named(declared: Any, live: Any, leaves: list[str]) -> None:
    assert [" ".join(path) for path in find_differing_leaves(declared, live)] == leaves


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "a\nb", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "__a", "0", "", "'"]), inner),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(["a", "__a", "0", "'"]), values)


@given(objects, objects)
def test_leaves_are_there_where_something_differs_and_name_it(declared: Any, live: Any) -> None:
    """What a run would miss silently: a difference that has no leaf."""
    leaves = find_differing_leaves({"metadata": declared}, {"metadata": live})
    assert bool(leaves) != equal(declared, live)
    for leaf in leaves:
        wanted = value_at({"metadata": declared}, leaf)
        assert wanted is not MISSING
        assert not equal(wanted, value_at({"metadata": live}, leaf), leaf)


def test_a_path_leads_to_a_value_or_to_none() -> None:
    tree = {"a": {"b": None}, "c": [1]}
    assert value_at(tree, ("a", "b")) is None
    assert value_at(tree, ("a", "x")) is MISSING
    assert value_at(tree, ("c", "0")) is MISSING
    assert value_at(tree, ()) == tree


def test_deepdiff_is_imported_only_where_something_differs() -> None:
    program = (
        "import sys; from reconciler.core.canonical import find_differing_leaves as leaves\n"
        "leaves({'name': 'a'}, {'name': 'a'}); print('deepdiff' in sys.modules)\n"
        "leaves({'name': 'a'}, {'name': 'b'}); print('deepdiff' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "False\nTrue\n"


@pytest.mark.parametrize(
    ("text", "other", "line"),
    [
        ("a\nb\nc", "a\nB\nc", 2),
        ("a\nb\nc", "a\r\nb\r\nC", 3),
        ("a\nb\nc", "a\nb", 3),
        ("a\nb", "a\nb\nc", 2),
        ("", "a", 1),
        ("a\nb", None, 1),
        ("a\nb", MISSING, 1),
    ],
)
def test_the_first_line_that_differs_is_one_of_the_text(text: str, other: Any, line: int) -> None:
    assert find_differing_line(text, other) == line
