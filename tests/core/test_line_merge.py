"""Texts merged line by line: as git merges them, with every line that one side alone wrote."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from retold import merged_by_git

from reconciler.core.line_merge import find_touching, merge_values
from reconciler.core.tree import MISSING


def prompt(random: Random) -> str:
    """A prompt as people write them: headings, lists, code, paragraphs, many blank lines, and lines that recur."""
    parts: list[str] = []
    for number in range(random.randrange(2, 12)):
        parts += random.choice(
            [
                [f"## Section {number}", ""],
                [f"- item {random.randrange(6)}" for _ in range(random.randrange(1, 5))],
                ["```", f"code {random.randrange(3)}", "```", ""],
                [f"Rule {number}: be kind."],
                [f"Paragraph {number} with text.", ""],
            ]
        )
    return "\n".join(parts) + random.choice(["", "\n", "\n"])


def edited(random: Random, text: str) -> str:
    """A prompt with a few lines written, inserted or taken out."""
    lines = text.splitlines(keepends=True)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(lines) + 1)
        new = random.choice([f"new {random.randrange(99)}\n", "\n", f"- item {random.randrange(6)}\n", "```\n"])
        lines[at : at + random.randrange(2)] = random.choice([[new], [new, "\n"], []])
    return "".join(lines)


def test_what_git_calls_a_conflict_is_one_and_what_it_merges_is_merged_alike() -> None:
    random = Random(7)
    clean = careful = 0
    for _ in range(250):
        base = prompt(random)
        live, desired = edited(random, base), edited(random, base)
        merged, by_git = merge_values(base, live, desired), merged_by_git(base, live, desired)
        if merged is not MISSING:
            assert merged == by_git, (base, live, desired)
            clean += 1
        careful += merged is MISSING and by_git is not None
    assert clean > 80
    assert careful <= 5  # a conflict is the safe answer, but a rare one where git has none


@pytest.mark.parametrize(
    ("base", "live", "desired"),
    [
        ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"),
        ("a\nb\n", "A\nb\n", "a\nB\n"),  # side by side
        ("a\nb\n", "a\nx\nb\n", "a\ny\nb\n"),
        ("a\nb\n", "a\nx\nb\n", "a\nx\nb\n"),
        ("a\nb", "a\nb\n", "A\nb"),  # git takes a line without its end for another one
        ("a\n\nb\n\nc", "a\n\nB\n\nc", "a\n\nb\n\nc\nd"),
        ("a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n"),
        ("a\x0bb\u2028c\n\nd\n", "a\x0bb\u2028C\n\nd\n", "a\x0bb\u2028c\n\nD\n"),
        ("", "a\n", "b\n"),
        ("a\nb\nc\n", "", "a\nb\nC\n"),
        ("one", "two", "three"),
    ],
)
def test_edges_are_as_git_has_them(base: str, live: str, desired: str) -> None:
    by_git = merged_by_git(base, live, desired)
    assert merge_values(base, live, desired) == (MISSING if by_git is None else by_git)
    assert merge_values(base, desired, live) == (MISSING if by_git is None else by_git)


lines = st.lists(st.sampled_from(["", "be kind", "- a", "- b", "```"]), max_size=8)


@given(lines, st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 2), st.booleans()), max_size=6))
@settings(max_examples=60, deadline=None)
def test_no_line_that_one_side_wrote_is_lost(base: list[str], edits: list[tuple[bool, int, int, bool]]) -> None:
    sides = {True: [*base], False: [*base]}
    for number, (side, at, taken, writes) in enumerate(edits):
        sides[side][at : at + taken] = [f"{side} wrote {number}"] if writes else []
    three = ["".join(f"{line}\n" for line in text) for text in (base, sides[True], sides[False])]
    merged = merge_values(*three)
    if merged is MISSING:
        assert three[0] not in three[1:]
        assert [path for path, _ in find_touching(three[0], three[1], three[2], ("x",))] == [("x",)]
        return
    assert isinstance(merged, str)
    wrote = {line for text in sides.values() for line in text if " wrote " in line}
    assert wrote <= {*merged.splitlines()}


def test_a_long_prompt_is_merged() -> None:
    base = "".join(f"Rule {number}: be kind.\n\n" for number in range(3_000))
    live = base.replace("Rule 200: be kind.", "Rule 200: be brief.")
    desired = base.replace("Rule 7: be kind.", "Rule 7: be honest.")
    assert merge_values(base, live, desired) == merged_by_git(base, live, desired)


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
        ([[SHORT]], [[KIND]], [[BRIEF]], [[MERGED]]),
        (None, KIND, BRIEF, MISSING),
        (1, 2, 3, MISSING),
    ],
)
def test_lists_are_merged_where_nothing_but_texts_differs(base: Any, live: Any, desired: Any, merged: Any) -> None:
    assert merge_values(base, live, desired) == merged
