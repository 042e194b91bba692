"""The text report: what a person sees at a terminal."""

import re

import pytest
from report_documents import BASE, assistant, change, document, failure, problem

from reconciler.report.report import ChangeEntry
from reconciler.report.text import render_text


def leaf(entry: ChangeEntry, width: int = 80, *, verbose: bool = False) -> list[str]:
    """The lines that one difference takes."""
    text = render_text(document("plan", assistant("a", entry), base=BASE), width=width, verbose=verbose)
    return [line for line in text.split("\n\n")[0].splitlines()[2:] if "Values read" not in line]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (change("/model/temperature", 0.6, 0.7), "  ~ model.temperature: 0.7 -> 0.6"),
        (change("/model/temperature", 1, None), "  + model.temperature: 1"),
        (change("/model/temperature", 1), "  + model.temperature: 1"),
        (change("/endCallMessage", None, "Bye"), '  - endCallMessage: "Bye" -> null'),
        (change("/name", "", "A"), '  ~ name: "A" -> ""'),
        (change("/metadata/x", True, 1), "  ~ metadata.x: 1 -> true"),
        (change("/metadata/x", {"b": [1, {}]}, "1"), '  ~ metadata.x: "1" -> {b: [1, {}]}'),
        (change("/metadata/a.b", 1, 2), '  ~ metadata."a.b": 2 -> 1'),
        (change("/metadata/x", "a\tb \u00a0", 2), r'  ~ metadata.x: 2 -> "a\tb \xa0"'),
        (change("/metadata/x", 'say "\\n"', 2), r'  ~ metadata.x: 2 -> "say \"\\n\""'),
        (
            change("/name", "B", "A", kind="drift", base="B", unsent="read_only"),
            '  ~ name: "A" -> "B" (drift: edited live)',
        ),
        (
            change("/name", "B", "A", kind="conflict", base="C"),
            '  ~ name: "A" -> "B" (conflict: both moved from "C")',
        ),
        (change("/name", "B", "A", kind="conflict"), '  ~ name: "A" -> "B" (conflict: both moved)'),
        (change("/metadata/key", "(sensitive)", "(sensitive)"), "  ~ metadata.key: (sensitive) -> (sensitive)"),
        (change("nowhere", 1, 2), '  ~ "nowhere": 2 -> 1'),
    ],
)
def test_a_short_difference_takes_one_line(entry: ChangeEntry, line: str) -> None:
    assert leaf(entry) == [line]


def test_two_short_values_that_do_not_fit_side_by_side_are_shown_whole_below_each_other() -> None:
    assert leaf(change("/name", "b" * 50, "a" * 50, kind="drift", unsent="read_only")) == [
        f'  ~ name: "{"a" * 50}"',
        f'      -> "{"b" * 50}"',
        "      (drift: edited live)",
    ]


def test_a_long_line_marks_its_changed_words() -> None:
    old = "Good morning, this is North Campus, welcome to the office of admissions. How may I help you today?"
    assert leaf(change("/firstMessage", old.replace("help you", "be of service"), old), width=90) == [
        "  ~ firstMessage:",
        "      ~ … to the office of admissions. How may I [-help you-]{+be of service+} today?",
    ]


def test_a_line_that_has_nothing_in_common_is_replaced() -> None:
    assert leaf(change("/firstMessage", "b" * 61, "a" * 61)) == [
        "  ~ firstMessage:",
        "      - " + "a" * 61,
        "      + " + "b" * 61,
    ]


def test_a_new_long_text_is_shown_in_full_only_when_asked_for() -> None:
    text = "".join(f"line {number}\n" for number in range(100))
    lines = leaf(change("/firstMessage", text))
    assert lines[0] == "  + firstMessage:"
    assert lines[1] == "      + line 0"
    assert lines[-1] == "        (70 lines more added)"
    assert leaf(change("/firstMessage", text), verbose=True)[-1] == "      + line 99"


def test_white_space_that_differs_can_be_seen() -> None:
    assert leaf(change("/firstMessage", "one \ntwo\tthree\nfour", "one\ntwo three\nfour\n")) == [
        "  ~ firstMessage:",
        "      ~ one{+·+}",
        "      ~ two[-·-]{+→+}three",
        "        four",
        "      - (a newline at the end)",
    ]


def test_an_added_blank_line_is_a_sign_without_white_space_behind_it() -> None:
    assert leaf(change("/firstMessage", "one\n\ntwo", "one\ntwo")) == [
        "  ~ firstMessage:",
        "        one",
        "      +",
        "        two",
    ]


def test_a_long_conflict_shows_what_each_side_moved() -> None:
    base = "Open from nine to five. Please call us again tomorrow, or write to us" + ", or just come by in person" * 2
    entry = change(
        "/endCallMessage", base.replace("five", "six"), base.replace("nine", "eight"), kind="conflict", base=base
    )
    assert leaf(entry) == [
        "  ~ endCallMessage: (conflict: both moved)",
        "    live moved:",
        "      ~ Open from [-nine-]{+eight+} to five. Please call us again …",
        "    git moved:",
        "      ~ Open from nine to [-five-]{+six+}. Please call us again tomorrow, or …",
    ]


def test_a_long_list_shows_the_elements_that_differ() -> None:
    old = [f"phrase number {number}" for number in range(8)]
    assert leaf(change("/endCallPhrases", [*old[:4], "another one", *old[4:]], old)) == [
        "  ~ endCallPhrases:",
        "        (2 lines unchanged)",
        '        "phrase number 2"',
        '        "phrase number 3"',
        '      + "another one"',
        '        "phrase number 4"',
        '        "phrase number 5"',
        "        (2 lines unchanged)",
    ]


def test_long_values_that_differ_only_where_they_are_masked_still_show_as_changed() -> None:
    value = {"key": "(sensitive)", "note": "x" * 70}
    assert leaf(change("/metadata/crm", value, value)) == [
        "  ~ metadata.crm:",
        "      (differs in a sensitive part, which is not shown)",
    ]


def test_an_assistant_in_sync_is_only_counted_unless_it_has_something_to_say() -> None:
    quiet, loud = assistant("quiet"), assistant("loud", warnings=["odd"])
    text = render_text(document("plan", quiet, loud, base=BASE))
    assert "quiet" not in text
    assert "assistants/loud.yaml: in sync\n  Loud (asst_loud)\n  warning: odd\n" in text
    assert "assistants/quiet.yaml: in sync" in render_text(document("plan", quiet, loud), verbose=True)


def test_an_assistant_without_a_name_or_an_id_has_no_empty_brackets() -> None:
    broken = failure("invalid", "empty file")
    text = render_text(document("plan", assistant("a", name=None, id_=None, error=broken), base=BASE))
    assert text.startswith("assistants/a.yaml: error\n  error: empty file\n")
    assert "\n  (asst_a)\n" in render_text(document("plan", assistant("a", name=None, error=broken)))


def test_an_error_of_several_lines_keeps_them() -> None:
    text = render_text(document("plan", assistant("a", error=failure("server", "first\n\n  second\n"))))
    assert "  error: first\n    second\n" in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_prose_and_diffs_keep_to_the_width(width: int) -> None:
    words = "every word of this long sentence is short so that it can be wrapped anywhere " * 9
    changed = words.replace("sentence is", "sentence was")
    entry = assistant("a", change("/firstMessage", changed, words), change("/name", words), warnings=[words])
    text = render_text(document("plan", entry, warnings=[words], base=BASE), width=width, verbose=True)
    body = text.splitlines()[:-1]  # the sentence of totals is one line, whatever the terminal
    assert max(map(len, body)) <= width
    assert max(map(len, body)) > width - 12


def test_wide_characters_count_two_columns() -> None:
    lines = leaf(change("/firstMessage", "\u4f60\u597d " * 40))
    assert len(lines[1].strip()) <= 50


def test_colours_mark_words_instead_of_brackets_and_end_on_every_line() -> None:
    old = "Good morning and welcome to the office of admissions, how may I help you today?"
    entry = assistant("a", change("/firstMessage", old.replace("help", "serve"), old))
    text = render_text(document("plan", entry), colour=True)
    assert "\x1b[31mhelp\x1b[0m\x1b[32mserve\x1b[0m" in text
    assert "[-" not in text
    for line in text.splitlines():
        assert len(re.findall(r"\x1b\[[1-9;]+m", line)) == line.count("\x1b[0m")


def test_colour_changes_nothing_but_the_colour() -> None:
    entry = assistant("a", change("/name", "B", "A"), error=failure("server", "no"), warnings=["w"])
    coloured = render_text(document("plan", entry), colour=True)
    assert re.sub(r"\x1b\[[0-9;]+m", "", coloured) == render_text(document("plan", entry))


def test_validate_lists_the_problems_as_places_that_editors_understand() -> None:
    found = [problem("a.yaml", 3, 1, "one\x1b"), problem("b.yaml", 1, 2, "two", warning=True)]
    text = render_text(document("validate", problems=found, warnings=["an ignore entry has expired"]))
    assert text.startswith("a.yaml:3:1: one\\x1b\nb.yaml:1:2: warning: two\n\nwarning: an ignore entry has expired\n")


def test_other_commands_leave_the_problems_to_stderr() -> None:
    found = [problem("a.yaml", 3, 1, "one")]
    assert "a.yaml" not in render_text(document("plan", problems=found))


def test_drift_and_conflicts_say_which_side_is_which() -> None:
    drifted = assistant("a", change("/name", "B", "A", kind="drift"))
    assert "Values read: live -> definition." in render_text(document("drift", drifted))
    assert "Values read" not in render_text(document("plan", assistant("a", change("/name", "B", "A"))))


def test_one_error_of_many_assistants_is_told_once() -> None:
    wrong = failure("auth", "Login failed: wrong password.\nCheck RECONCILER_PASSWORD.", 401)
    entries = [assistant(key, status="error", error=wrong) for key in ("a", "b", "d")]
    moved = assistant("c", change("/name", "New", "Old"), outcome="failed", error=wrong)
    first, second, *_ = render_text(document("apply", *entries[:2], moved, entries[2]), width=60).split("\n\n")
    assert first.splitlines() == [
        "3 assistants: error",
        "  error: Login failed: wrong password.",
        "    Check RECONCILER_PASSWORD.",
        *(f"  assistants/{key}.yaml (asst_{key})" for key in ("a", "b", "d")),
    ]
    assert second.startswith("assistants/c.yaml: failed")
