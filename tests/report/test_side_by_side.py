"""Before and after beside each other: lines that belong together share a row."""

from typing import Any

import pytest

from reconciler.report.side_by_side import Cell, compare_sides

PROMPT = "\n".join(f"Rule {number}: stay friendly whatever happens, and listen." for number in range(40))


def cell(pieces: Cell) -> str:
    """A cell with its marks: `-old-`, `+new+`, `(gap)`."""
    signs = {"old": "-", "new": "+", "gap": "|", "same": ""}
    return "".join(f"{signs[piece.mark]}{piece.text}{signs[piece.mark]}" for piece in pieces)


def rows(old: Any, new: Any) -> list[tuple[str, str]]:
    return [(cell(row.left), cell(row.right)) for row in compare_sides(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (0.7, 0.6, ("-0.7-", "+0.6+")),
        (None, 0.6, ("|not set|", "+0.6+")),
        ("Bye", None, ('-"Bye"-', "|not set|")),
        ("5", 5, ('-"5"-', "+5+")),
        ("nova", "alloy", ('-"nova"-', '+"alloy"+')),
        ("Hello dear caller", "Hello caller", ('"Hello -dear -caller"', '"Hello caller"')),
        ("a b c", "a b c ", ('"a b c"', '"a b c+\u00b7+"')),
        ("(sensitive)", "(sensitive)", ("(sensitive)", "(sensitive)")),
        ({}, [1], ("-{}-", "+[1]+")),
    ],
)
def test_a_short_value_takes_one_row(old: Any, new: Any, shown: tuple[str, str]) -> None:
    assert rows(old, new) == [shown]


def test_a_long_text_shows_its_changed_line_between_unchanged_ones() -> None:
    found = rows(PROMPT, PROMPT.replace("Rule 20: stay", "Rule 20: always stay"))
    assert found[0] == ("|(18 lines unchanged)|", "")
    assert found[3] == (
        "Rule 20: stay friendly whatever happens, and listen.",
        "Rule 20: +always +stay friendly whatever happens, and listen.",
    )
    assert len(found) == 7


def test_lines_that_were_replaced_share_rows_as_far_as_there_are_two() -> None:
    found = rows("one\nfirst thing\nend", "one\nquite another line\nand more\nend")
    assert found == [
        ("one", "one"),
        ("-first thing-", "+quite another line+"),
        ("", "+and more+"),
        ("end", "end"),
    ]


def test_a_long_value_that_was_not_set_says_so() -> None:
    found = rows(None, "one\ntwo")
    assert found == [("|not set|", "+one+"), ("", "+two+")]
    assert rows("one\ntwo", None)[0] == ("-one-", "|not set|")


def test_sensitive_parts_that_differ_leave_nothing_to_show() -> None:
    value = {"key": "(sensitive)", "note": "x" * 70}
    assert rows(value, dict(value)) == []
