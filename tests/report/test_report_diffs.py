"""What changed inside long values."""

from hypothesis import given, strategies as st

from reconciler.report.diffs import DiffLine, diff_values
from reconciler.report.values import escape


def shown(lines: list[DiffLine]) -> list[str]:
    """Lines as text, with the changed words marked."""
    marks = {"old": "[-{}-]", "new": "{{+{}+}}"}
    return [
        line.sign
        + "|"
        + "".join((marks.get(p.mark, "{}") if line.sign == "~" else "{}").format(p.text) for p in line.pieces)
        for line in lines
    ]


def test_changes_that_only_a_space_separates_are_one_change() -> None:
    assert shown(diff_values("can I help me please now", "can I assist you please now")) == [
        "~|can I [-help me-]{+assist you+} please now"
    ]


def test_a_word_with_an_apostrophe_is_one_word() -> None:
    assert shown(diff_values("so it isn't that easy", "so it is that easy")) == ["~|so it [-isn't-]{+is+} that easy"]


def test_similar_lines_are_paired_even_where_a_line_was_added() -> None:
    assert shown(diff_values("say hello to everybody", "say hello to nobody\nand then leave")) == [
        "~|say hello to [-everybody-]{+nobody+}",
        "+|and then leave",
    ]


def test_removed_lines_come_before_the_lines_in_their_place() -> None:
    assert shown(diff_values("aaa\nbbb", "ccc\nddd")) == ["-|aaa", "-|bbb", "+|ccc", "+|ddd"]


def test_unlike_lines_before_a_pair_stay_before_it() -> None:
    assert shown(diff_values("aaa\nsay hello to all", "ccc\nsay hello to some")) == [
        "-|aaa",
        "+|ccc",
        "~|say hello to [-all-]{+some+}",
    ]


def test_a_gap_of_one_line_shows_the_line_instead() -> None:
    lines = diff_values("1\n2\n3\nold", "1\n2\n3\nnew")
    assert shown(lines) == [" |1", " |2", " |3", "-|old", "+|new"]


def test_an_object_is_compared_key_by_key() -> None:
    assert shown(diff_values({"a": 1, "b c": [2]}, {"a": 1, "b c": [3]})) == [" |a: 1", '~|"b c": [[-2-]{+3+}]']


def test_a_text_in_place_of_a_number_shows_both() -> None:
    assert shown(diff_values(5, "a\nb")) == ["-|5", "+|a", "+|b"]


def test_equal_values_have_no_lines() -> None:
    assert diff_values("a\nb", "a\nb") == []
    assert diff_values(None, None) == []


def test_a_changed_piece_of_enormous_length_is_cut_and_says_so() -> None:
    ((line),) = diff_values(None, "x" * 10_000)
    assert [piece.mark for piece in line.pieces] == ["new", "gap", "new"]
    assert line.pieces[1].text == "… (8,800 characters more) …"
    assert diff_values(None, "x" * 10_000, full=True)[0].pieces[0].text == "x" * 10_000


def test_two_enormous_texts_of_equal_words_are_compared_without_delay() -> None:
    old, new = "yes " * 20_000, "no " + "yes " * 20_001 + "no"
    assert diff_values(old, new)


def test_a_long_line_with_too_many_equal_words_is_compared_by_sentences() -> None:
    middle = "Yes and no and yes and no. " * 90
    (line,) = shown(diff_values(f"Well, yes. {middle}Bye now!", f"Well, no. {middle}Bye then!"))
    assert line.startswith("~|[-Well, yes. -]{+Well, no. +}Yes and no and yes and no. Yes and no …")
    assert line.endswith("… yes and no. Yes and no and yes and no. [-Bye now!-]{+Bye then!+}")


def test_too_many_equal_lines_are_compared_place_by_place() -> None:
    lines = diff_values("same\n" + "a\n" * 500 + "end", "same\nb\n" + "a\n" * 500 + "c\nend", full=True)
    assert [line.sign for line in lines] == [" ", "-", "+", *" " * 499, "+", "+", " "]


@given(st.text(), st.text())
def test_a_full_diff_holds_both_texts_whole(old: str, new: str) -> None:
    plain = {ord(char): None for char in " \t\n·→"}
    lines = diff_values(old, new, full=True)
    if not lines:
        return
    for mark, signs, text in (("old", "-", old), ("new", "+", new)):
        pieces = [
            p for line in lines for p in line.pieces if line.sign in (signs, " ", "~") and p.mark in (mark, "same")
        ]
        kept = "".join(piece.text for piece in pieces).translate(plain)
        if escape(text) == text:
            assert kept == text.translate(plain)


@given(st.text(), st.text())
def test_texts_that_differ_never_look_equal(old: str, new: str) -> None:
    changed = any(line.sign in ("+", "-", "~") for line in diff_values(old, new))
    assert changed == (old != new)
