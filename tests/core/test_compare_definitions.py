"""What two definitions declare differently: unlike live, one that declares nothing is not like one that says null."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from reconciler.core.canonical import find_differing_declarations
from reconciler.core.tree import MISSING, value_at

CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, ...]]]] = [
    ("numbers by value", {"maxDurationSeconds": 1}, {"maxDurationSeconds": 1.0}, []),
    ("booleans apart", {"metadata": {"a": True}}, {"metadata": {"a": 1}}, [("metadata", "a")]),
    ("absent is not null", {"firstMessage": None}, {}, [("firstMessage",)]),
    ("null is null", {"firstMessage": None}, {"firstMessage": None}, []),
    ("below an absent object", {"metadata": {"a": {"b": 1}, "c": 2}}, {}, [("metadata", "a", "b"), ("metadata", "c")]),
    ("an empty object asks for nothing", {"metadata": {"a": {}}}, {}, []),
    ("an empty object is not null", {"metadata": {}}, {"metadata": None}, [("metadata",)]),
    ("the shallowest place", {"metadata": {"a": {"b": 1}}}, {"metadata": {"a": [1]}}, [("metadata", "a")]),
    ("null for an object", {"metadata": {"a": 1}}, {"metadata": None}, [("metadata",)]),
    ("a list is one leaf", {"metadata": {"a": [1, {"b": 1}]}}, {"metadata": {"a": [1, {"b": 2}]}}, [("metadata", "a")]),
    ("phrases in any order", {"endCallPhrases": ["a", "b"]}, {"endCallPhrases": ["b", "a"]}, []),
    ("phrases as often", {"endCallPhrases": ["a", "a"]}, {"endCallPhrases": ["a"]}, [("endCallPhrases",)]),
    ("sorted", {"name": "A", "firstMessage": "x"}, {"name": "B"}, [("firstMessage",), ("name",)]),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 1.5]) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
declared = st.dictionaries(st.sampled_from(["name", "metadata", "endCallPhrases"]), values, max_size=3)


@pytest.mark.parametrize(
    ("definition", "other", "leaves"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_leaves_that_two_definitions_declare_differently_are_named(
    definition: dict[str, Any], other: dict[str, Any], leaves: list[tuple[str, ...]]
) -> None:
    assert find_differing_declarations(definition, other) == tuple(leaves)
    assert find_differing_declarations(other, definition) == tuple(leaves)


@given(declared, declared)
def test_neither_side_counts_more_and_no_leaf_lies_in_another(one: dict[str, Any], other: dict[str, Any]) -> None:
    paths = find_differing_declarations(one, other)
    assert paths == find_differing_declarations(other, one)
    assert paths == tuple(sorted(set(paths)))
    assert not [path for path in paths for above in paths if path != above and path[: len(above)] == above]
    assert find_differing_declarations(one, one) == ()
    assert all(value_at(one, path) is not MISSING or value_at(other, path) is not MISSING for path in paths)


@given(declared, declared)
def test_with_its_leaves_taken_over_a_definition_is_the_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    """What is not named as a leaf does not differ: one with the other's leaves is the other."""
    merged = one
    for path in find_differing_declarations(one, other):
        merged = _set_value(merged, path, value_at(other, path))
    assert find_differing_declarations(merged, other) == ()


def _set_value(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    key, *rest = path
    if rest:
        return {**tree, key: _set_value(tree.get(key, {}), tuple(rest), value)}
    without = {name: item for name, item in tree.items() if name != key}
    return without if value is MISSING else {**without, key: value}
