"""The line of a file with a mark below a place: readable in any width, with everything in it visible."""

import pytest

from reconciler.report.differences.values import draw_place


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


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    shown, mark = draw_place("x" * 500 + "!" + "y" * 500, 501)
    assert len(shown) < 110
    assert shown[mark.index("^")] == "!"
    assert shown.startswith("    … x")
    assert shown.endswith("y …")
