"""When two values are equal: the rules of the contract's section 2, one by one."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from reconciler.core.canonical import asks_anything, canonical, equal, restrict_to_declared
from reconciler.core.tree import MISSING

EQUAL: list[tuple[Any, Any]] = [
    (1, 1.0),
    (10**20, 1e20),
    (-0.0, 0),
    (0.4, 0.4000000059604645),
    (0.99999999999, 1),
    ([{"a": 0.1}], [{"a": 0.10000000149011612}]),
    (1e-50, 0.0),
    (3.5e38, 3.5e38),
    (None, MISSING),
    ({}, None),
    ({}, "text"),
    ({"a": {}}, MISSING),
    ({"a": None}, None),
    ({"a": 1}, {"a": 1.0, "b": 2}),
    ({"a": {"b": None}}, {"a": None}),
    ([{"a": 1}], [{"a": 1, "b": 2}]),
    ([[{"a": 1}]], [[{"a": 1.0, "b": 2}]]),
    ([{"a": None}], [{}]),
    ([1, True, None], [1.0, True, None]),
    ({"__x": 1}, {"__x": 1}),
]
DIFFERENT: list[tuple[Any, Any]] = [
    (True, 1),
    (False, 0),
    (False, None),
    ("1", 1),
    ("a", "a "),
    ("é", "e\u0301"),
    (None, ""),
    (None, {}),
    (None, []),
    ([], None),
    ([1, 2], [2, 1]),
    ([1], [1, 1]),
    ([True], [1]),
    ([None], []),
    (["1"], [1]),
    ({"a": 1}, "text"),
    ({"a": 1}, [("a", 1)]),
    ({"a": 1}, None),
    ("text", {"a": 1}),
    ([["boolean", "True"]], [True]),
    (["list"], [["list"]]),
    ([{"a": 1}], [{"a": 1}, {}]),
    (9007199254740993, 9007199254740992.0),
    (16777217, 16777216),
    (16777217.0, 16777216),
    (0.4, 0.40000005),
    (0.5, "0.5"),
    (3.5e38, 3.6e38),
    ({"__x": 1}, {"__x": 2}),
    ([[1, 2]], [[2, 1]]),
    ([{"endCallPhrases": ["a", "b"]}], [{"endCallPhrases": ["b", "a"]}]),
]


@pytest.mark.parametrize(("declared", "live"), EQUAL)
def test_these_declared_and_live_values_are_equal(declared: Any, live: Any) -> None:
    assert equal(declared, live)


@pytest.mark.parametrize(("declared", "live"), DIFFERENT)
def test_these_declared_and_live_values_differ(declared: Any, live: Any) -> None:
    assert not equal(declared, live)


def test_the_order_counts_everywhere_but_in_end_call_phrases() -> None:
    assert equal(["a", "b", "b"], ["b", "a", "b"], ("endCallPhrases",))
    assert not equal(["a", "b", "b"], ["b", "a"], ("endCallPhrases",))
    assert not equal(["a", "b", "b"], ["b", "a", "a"], ("endCallPhrases",))
    assert not equal(["a", "b"], ["b", "a"], ("metadata", "endCallPhrases"))
    assert equal({"endCallPhrases": ["a", "b"]}, {"endCallPhrases": ["b", "a"]})


def test_lists_in_lists_stay_small() -> None:
    deep: Any = "x"
    for _ in range(90):
        deep = [deep]
    assert equal(deep, deep)
    assert not equal(deep, [deep])
    assert len(str(canonical(deep))) < 5000


def test_what_asks_for_nothing() -> None:
    assert not asks_anything({})
    assert not asks_anything({"a": {"b": {}}})
    assert asks_anything({"a": {"b": None}})
    assert asks_anything([])
    assert asks_anything(None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_every_value_equals_itself(value: Any) -> None:
    assert equal(value, value)
    assert canonical(restrict_to_declared(value, value)) == canonical(value)


@given(json_values, json_values)
def test_scalars_and_lists_are_equal_both_ways(one: Any, other: Any) -> None:
    if not isinstance(one, dict | list) and not isinstance(other, dict | list):
        assert equal(one, other) == equal(other, one)
