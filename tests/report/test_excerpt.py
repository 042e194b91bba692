"""The line of a file with a mark below a place: readable in any width, with everything in it visible."""

import pytest

from reconciler.report.differences.values import count_columns, draw_place


@pytest.mark.parametrize(
    ("source", "column", "lines"),
    [
        ("  provider: azur", 13, ["      provider: azur", "                ^"]),
        ("", 1, []),
        ("   ", 2, []),
        ("name: x", 8, ["    name: x", "           ^"]),
        ("a: \u00a0b", 4, [r"    a: \xa0b", "       ^"]),
        ("日本: x", 5, ["    日本: x", "          ^"]),
        ("a: \x1b[31m", 4, [r"    a: \x1b[31m", "       ^"]),
    ],
)
def test_the_mark_stands_below_the_character(source: str, column: int, lines: list[str]) -> None:
    assert draw_place(source, column) == lines


@pytest.mark.parametrize("char", ["x", "日", "\u200b", "e\u0301"])
@pytest.mark.parametrize(("before", "after"), [(500, 500), (0, 500), (500, 0)])
def test_of_a_long_line_the_part_around_the_place_is_shown(char: str, before: int, after: int) -> None:
    shown, mark = draw_place(char * before + "!" + char * after, len(char) * before + 1)
    # A terminal of 80 columns would wrap a longer line, and the mark would be below another part of it.
    assert 40 < count_columns(shown) <= 80 or not after
    assert count_columns(shown.partition("!")[0]) == mark.index("^")
    assert shown.startswith("    … ") == bool(before)
    assert shown.endswith(" …") == bool(after)
