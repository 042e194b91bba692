"""Values merged: no line that one side alone wrote is lost."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from reconciler.core.line_merge import find_touching, merge_values
from reconciler.core.tree import MISSING
from reconciler.git.merge_file import merge_texts

lines = st.lists(st.sampled_from(["", "be kind", "- a", "- b", "```"]), max_size=8)


@given(lines, st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 2), st.booleans()), max_size=6))
@settings(max_examples=60)
def test_no_line_that_one_side_wrote_is_lost(base: list[str], edits: list[tuple[bool, int, int, bool]]) -> None:
    sides = {True: [*base], False: [*base]}
    for number, (side, at, taken, writes) in enumerate(edits):
        sides[side][at : at + taken] = [f"{side} wrote {number}"] if writes else []
    three = ["".join(f"{line}\n" for line in text) for text in (base, sides[True], sides[False])]
    merged = merge_values((three[0], three[1], three[2]), merge_texts)
    if merged is MISSING:
        assert three[0] not in three[1:]
        assert [path for path, _ in find_touching((three[0], three[1], three[2]), ("x",), merge_texts)] == [("x",)]
        return
    assert isinstance(merged, str)
    wrote = {line for text in sides.values() for line in text if " wrote " in line}
    assert wrote <= {*merged.splitlines()}


def test_a_long_prompt_is_merged() -> None:
    base = "".join(f"Rule {number}: be kind.\n\n" for number in range(3_000))
    live = base.replace("Rule 200: be kind.", "Rule 200: be brief.")
    desired = base.replace("Rule 7: be kind.", "Rule 7: be honest.")
    both = live.replace("Rule 7: be kind.", "Rule 7: be honest.")
    assert merge_values((base, live, desired), merge_texts) == both


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "system", "content": text, **more}


SHORT, KIND, BRIEF = "a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"
MERGED = "A\nb\nC\n"


@pytest.mark.parametrize(
    ("base", "live", "desired", "merged"),
    [
        ([message(SHORT)], [message(KIND)], [message(BRIEF)], [message(MERGED)]),
        ([message(SHORT)], [message(KIND, note="undeclared")], [message(BRIEF)], [message(MERGED)]),
        (["a", "b"], ["A", "b"], ["a", "B"], ["A", "B"]),
        (["a", "b"], ["A", "b"], ["B", "b"], MISSING),
        ([message(SHORT)], [message(KIND)], [message(BRIEF), message("more")], MISSING),
        ([message(SHORT), message("x")], [message(KIND)], [message(BRIEF), message("x")], MISSING),
        ([message(SHORT, n=1)], [message(KIND, n=1.0)], [message(BRIEF, n=1)], [message(MERGED, n=1)]),
        ([message(SHORT, n=1)], [message(KIND, n=1)], [message(BRIEF, n=2)], MISSING),
        ([message(SHORT, n=1)], [message(KIND, n=2)], [message(BRIEF, n=1)], MISSING),
        ([message(SHORT)], [message(KIND)], [message(BRIEF, n=1)], MISSING),
        ([message(SHORT)], [message(KIND)], [message(BRIEF, n=None)], [message(MERGED, n=None)]),
        ([message(SHORT)], [message(KIND, n=1)], [message(BRIEF, n=None)], MISSING),
        ([message(SHORT, n=None)], [message(KIND)], [message(BRIEF)], MISSING),
        ([[SHORT]], [[KIND]], [[BRIEF]], [[MERGED]]),
        ([message(SHORT, n=1)], [message(KIND, n=2)], [message(BRIEF, n=2)], MISSING),
        ([message(SHORT)], [message(KIND)], [None], MISSING),
        ([SHORT], [KIND], None, MISSING),
        (None, KIND, BRIEF, MISSING),
        (1, 2, 3, MISSING),
    ],
)
def test_lists_are_merged_where_nothing_but_texts_differs(base: Any, live: Any, desired: Any, merged: Any) -> None:
    assert merge_values((base, live, desired), merge_texts) == merged


@pytest.mark.parametrize("versions", [(None, ["a"], ["b"]), (["a"], None, ["b"]), (["a"], ["b"], None)])
def test_a_list_that_one_side_has_not_is_in_the_way_as_a_whole(versions: tuple[Any, Any, Any]) -> None:
    assert list(find_touching(versions, ("x",), merge_texts)) == [(("x",), versions)]


def test_a_null_that_git_adds_touches_nothing_where_live_has_no_value() -> None:
    versions = [message(SHORT)], [message(KIND)], [message("B\nb\nc\n", n=None)]
    assert [path for path, _ in find_touching(versions, ("x",), merge_texts)] == [("x", "0", "content")]
