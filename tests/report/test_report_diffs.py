"""What changed inside long values."""

from collections.abc import Iterable

import pytest
from bounded import WORK, measure_least_work
from hypothesis import given, settings, strategies as st

from reconciler.report.differences.diffs import DiffLine, count_changed_lines, diff_texts
from reconciler.report.differences.sequences import Opcode, find_opcodes
from reconciler.report.differences.values import escape, show_apart


def format_lines(lines: Iterable[DiffLine]) -> list[str]:
    """Lines as text, with the changed words marked."""
    return [f"{line.sign}|{''.join(piece.text for piece in line.marked_pieces)}" for line in lines]


def test_changes_that_only_a_space_separates_are_one_change() -> None:
    assert format_lines(diff_texts("can I help me please now", "can I assist you please now")) == [
        "~|can I [-help me-]{+assist you+} please now"
    ]


def test_a_word_with_an_apostrophe_is_one_word() -> None:
    assert format_lines(diff_texts("so it isn't that easy", "so it is that easy")) == [
        "~|so it [-isn't-]{+is+} that easy"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "\u5165\u5b66" * 30 + "\u672c" + "\u65e5" * 30,
            "\u5165\u5b66" * 30 + "\u660e" + "\u65e5" * 30,
            "[-\u672c-]{+\u660e+}",
        ),
        # A vowel sign stays with its letter.
        (
            "\u0e01\u0e34" * 30 + "\u0e02",
            "\u0e01\u0e34" * 29 + "\u0e01\u0e35\u0e02",
            "[-\u0e01\u0e34-]{+\u0e01\u0e35+}\u0e02",
        ),
        ("x" * 50 + "A" + "y" * 50, "x" * 50 + "B" + "y" * 50, "x[-A-]{+B+}y"),
        ("a" * 50, "a" * 51, "a{+a+}"),
    ],
)
def test_of_a_long_word_the_part_that_differs_is_marked(old: str, new: str, line: str) -> None:
    (shown,) = format_lines(diff_texts(old, new))
    assert line in shown


def test_similar_lines_are_paired_even_where_a_line_was_added() -> None:
    assert format_lines(diff_texts("say hello to everybody", "say hello to nobody\nand then leave")) == [
        "~|say hello to [-everybody-]{+nobody+}",
        "+|and then leave",
    ]


def test_a_line_that_is_edited_below_a_new_one_is_shown_as_edited() -> None:
    assert format_lines(diff_texts("top\nsay hello to everybody", "top\nDo not guess.\nsay hello to nobody")) == [
        " |top",
        "+|Do not guess.",
        "~|say hello to [-everybody-]{+nobody+}",
    ]


def test_a_line_that_moves_and_changes_its_look_alike_letters_looks_different() -> None:
    assert format_lines(diff_texts("Caf\u00e9\nb\nc\nd", "b\nc\nd\nCafe\u0301")) == [
        r"-|Caf\xe9",
        " |b",
        " |c",
        " |d",
        r"+|Cafe\u0301",
    ]


def test_a_mark_for_a_blank_is_none_that_stands_in_the_text() -> None:
    assert format_lines(diff_texts("a\tb", "a\u2192b")) == ["-|a\u21e5b", "+|a\u2192b"]
    assert format_lines(diff_texts("same\nend ", "same\nend\u00b7")) == [" |same", "~|end[-\u2423-]{+\u00b7+}"]


@pytest.mark.parametrize("mark", ["[-", "-]", "{+", "+}"])
def test_words_are_not_marked_in_a_line_that_holds_such_marks(mark: str) -> None:
    old, new = f"Say {mark} to everybody", f"Say {mark} to nobody"
    assert format_lines(diff_texts(old, new)) == [f"-|{old}", f"+|{new}"]
    # A line that would take pages is marked, so that the difference is found.
    assert [line.sign for line in diff_texts("x " * 5_000 + old, "x " * 5_000 + new)] == ["~"]


def test_removed_lines_come_before_the_lines_in_their_place() -> None:
    assert format_lines(diff_texts("aaa\nbbb", "ccc\nddd")) == ["-|aaa", "-|bbb", "+|ccc", "+|ddd"]


def test_unlike_lines_before_a_pair_stay_before_it() -> None:
    assert format_lines(diff_texts("aaa\nsay hello to all", "ccc\nsay hello to some")) == [
        "-|aaa",
        "+|ccc",
        "~|say hello to [-all-]{+some+}",
    ]


def test_a_gap_of_one_line_shows_the_line_instead() -> None:
    lines = diff_texts("1\n2\n3\nold", "1\n2\n3\nnew")
    assert format_lines(lines) == [" |1", " |2", " |3", "-|old", "+|new"]


def test_a_text_in_place_of_a_number_shows_both() -> None:
    assert format_lines(diff_texts(5, "a\nb")) == ["-|5", "+|a", "+|b"]


def test_equal_values_have_no_lines() -> None:
    assert diff_texts("a\nb", "a\nb") == diff_texts(None, None) == ()


def test_nothing_that_differs_is_cut_away() -> None:
    ((line),) = diff_texts(None, "x" * 10_000)
    assert line.pieces[0].text == "x" * 10_000
    new = "".join(f"line {number}\n" for number in range(500)) + "end"
    assert [line.sign for line in diff_texts("end", new)] == ["+"] * 500 + [" "]
    assert count_changed_lines("end", new) == 500


def test_two_enormous_texts_of_equal_words_are_compared_without_delay() -> None:
    old, new = "yes " * 20_000, "no " + "yes " * 20_001 + "no"
    assert diff_texts(old, new)


def test_a_long_line_of_equal_words_shows_a_window_around_each_difference() -> None:
    middle = "Yes and no and yes and no. " * 4_000
    (line,) = format_lines(
        diff_texts(f"Well, yes. {middle}Oh? {middle}Bye now!", f"Well, no. {middle}Ah? {middle}Bye then!")
    )
    assert len(line) < 400
    for window in ("Well, [-yes-]{+no+}. Yes", " no. [-Oh-]{+Ah+}? Yes", "Bye [-now-]{+then+}!"):
        assert window in line


def test_one_word_in_the_middle_of_a_line_of_225_kb_is_shown_alone() -> None:
    words = [f"word{number}" for number in range(25_000)]
    old = " ".join(words)
    words[12_345] = "never"
    (line,) = format_lines(diff_texts(old, " ".join(words)))
    assert "[-word12345-]{+never+}" in line
    assert len(line) < 160


def test_a_change_in_every_sentence_of_an_endless_line_is_marked_in_each() -> None:
    # No word is there once: each number is there twice.
    old = " ".join(f"Rule {number}: never tell a caller about fee {number}." for number in range(1_500))
    (line,), work = measure_least_work(lambda: diff_texts(old, old.replace("never tell", "kindly, always, tell")))
    assert [piece.text for piece in line.pieces if piece.mark == "new"] == ["kindly, always,"] * 1_500
    assert work < WORK / 4


@pytest.mark.parametrize("replacement", ["kindly", "kindly, kindly", "not"])
def test_changes_in_a_line_of_a_few_sentences_that_repeat_are_marked_in_each(replacement: str) -> None:
    sentences = ("never say it. ", "You must never ask it twice. ", "If it is late, never hang up. ")
    old = "".join(sentences[number * number % 7 % 3] for number in range(400))
    (line,), work = measure_least_work(lambda: diff_texts(old, old.replace("never", replacement)))
    removed = [piece.text for piece in line.pieces if piece.mark == "old"]
    added = " ".join(piece.text for piece in line.pieces if piece.mark == "new")
    # Where one search ends and the next begins, the way may be a little longer than the shortest.
    assert (removed.count("never"), len(removed) < 420) == (400, True)
    assert added.count(replacement[:3]) >= 400
    assert len(added) < 430 * len(f"{replacement} ")
    assert work < WORK / 4


def test_every_changed_line_of_a_text_that_repeats_itself_is_found() -> None:
    old = "\n\n".join(f"Rule {number % 40}: be kind." for number in range(3_000)).split("\n")
    new = list(old)
    for place in range(0, 6_000, 120):
        new[place] += " Now."
    lines = diff_texts("\n".join(old), "\n".join(new))
    assert [line.sign for line in lines if line.sign in "+-~"] == ["~"] * 50


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Cafe\u0301 is open", "Caf\u00e9 is open", r"~|[-Cafe\u0301-]{+Caf\xe9+} is open"),
        ("Cafe\u0301", "Caf\u00e9", r"~|[-Cafe\u0301-]{+Caf\xe9+}"),
        ("no break", "no\u00a0break", r"~|no[-\u00b7-]{+\xa0+}break".replace(r"\u00b7", "\u00b7")),
        ("pay pal now", "pay p\u0430l now", r"~|pay [-pal-]{+p\u0430l+} now"),
        ("from 1/2 on", "from 1\u22152 on", r"~|from [-1/2-]{+1\u22152+} on"),
        ("we don\u2019t close", "we don\u02bct close", r"~|we [-don\u2019t-]{+don\u02bct+} close"),
        ("open 9-5 today", "open 9\u20135 today", r"~|open [-9-5-]{+9\u20135+} today"),
        ("pay pal now", "pay pa\u200bl now", r"~|pay [-pal-]{+pa\u200bl+} now"),
        ("a \ufb01ne day", "a fine day", r"~|a [-\ufb01ne-]{+fine+} day"),
        ("a\\u200bc is here", "a\u200bc is here", r"~|[-a\\u200bc-]{+a\u200bc+} is here"),
        ("open 9 today", "open 9\ufe0e today", r"~|open [-9-]{+9\ufe0e+} today"),
        ("a \u8fba here", "a \u8fba\U000e0101 here", r"~|a [-\u8fba-]{+\u8fba\U000e0101+} here"),
        ("so\u00b7so is here", "so so is here", r"~|so[-\u00b7-]{+\xb7+}so is here"),
    ],
)
def test_what_looks_alike_is_written_so_that_it_looks_different(old: str, new: str, line: str) -> None:
    found = format_lines(diff_texts(old, new))
    assert len(found) == 1
    (pieces,) = [line.pieces for line in diff_texts(old, new)]
    assert found == [line] or "".join(p.text for p in pieces if p.mark != "new") != "".join(
        p.text for p in pieces if p.mark != "old"
    )


def test_two_words_that_look_alike_and_change_places_look_different() -> None:
    old, new = "e\u0301 or \u00e9, both stay", "\u00e9 or e\u0301, both stay"
    text = "".join(format_lines(diff_texts(old, new)))
    assert "\u00e9" not in text
    assert "\u0301" not in text
    # So do two lines.
    assert format_lines(diff_texts("Caf\u00e9\nCafe\u0301", "Cafe\u0301\nCaf\u00e9")) == [
        r"+|Cafe\u0301",
        r" |Caf\xe9",
        r"-|Cafe\u0301",
    ]
    # What looks alike, and is not near a difference in such a word, stays readable.
    assert format_lines(diff_texts(f"A. {old}", f"B. {old}")) == [f"~|[-A-]{{+B+}}. {old}"]


def test_a_word_that_looks_alike_is_not_hidden_by_another_difference() -> None:
    assert show_apart("Cafe\u0301 a", "Caf\u00e9 b") == [r"Cafe\u0301 a", r"Caf\xe9 b"]
    assert show_apart("Caf\u00e9 a", "Caf\u00e9 b") == ["Caf\u00e9 a", "Caf\u00e9 b"]


@settings(max_examples=20)
@given(st.lists(st.sampled_from("abc \n"), max_size=60), st.lists(st.sampled_from("abc \n"), max_size=60))
def test_long_sequences_are_taken_apart_as_short_ones_are(old: list[str], new: list[str]) -> None:
    """What both have and what each has alone make up the two, by every way that costs may choose."""
    for opcodes in (list(find_opcodes(old, new)), _without_difflib(old, new)):
        assert [text for _, before, _ in opcodes for text in before] == old
        assert [text for _, _, after in opcodes for text in after] == new
        assert all((before == after) == equal for equal, before, after in opcodes)


def _without_difflib(old: list[str], new: list[str]) -> list[Opcode]:
    # Long enough to be too much for difflib, and nothing in it stands once.
    filler = [letter for letter in "xyz" for _ in range(150)]
    one, other = [*old, *filler, "", *old], [*new, *filler, "", *new]
    opcodes = list(find_opcodes(one, other))
    assert [text for _, before, _ in opcodes for text in before] == one
    assert [text for _, _, after in opcodes for text in after] == other
    return list(find_opcodes(old, new, junk=True))


@settings(max_examples=60)
@given(st.text(), st.text())
def test_a_full_diff_holds_both_texts_whole(old: str, new: str) -> None:
    plain = {ord(char): None for char in " \t\n·→␣⇥"}
    lines = diff_texts(old, new)
    if not lines:
        return
    for mark, signs, text in (("old", "-", old), ("new", "+", new)):
        pieces = [
            p for line in lines for p in line.pieces if line.sign in (signs, " ", "~") and p.mark in (mark, "same")
        ]
        kept = "".join(piece.text for piece in pieces).translate(plain)
        if escape(text) == text:
            assert kept == text.translate(plain)


@settings(max_examples=60)
@given(st.text(), st.text())
def test_texts_that_differ_never_look_equal(old: str, new: str) -> None:
    changed = any(line.sign in ("+", "-", "~") for line in diff_texts(old, new))
    assert changed == (old != new)
