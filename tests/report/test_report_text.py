"""The text report: what a person sees at a terminal."""

import re

import pytest
from rendered import render_markdown, render_text
from report_documents import BASE, assistant, change, document, failure, problem

from reconciler.report.report import ChangeEntry


def render_leaf(entry: ChangeEntry, width: int = 80) -> list[str]:
    """The lines that one difference takes, below what stands above it."""
    text = render_text(document("plan", assistant("a", entry), base=BASE), width=width)
    return text.split("\n\n")[0].splitlines()[3:]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (change("/model/temperature", 0.6, 0.7), "  ~ model.temperature: 0.7 -> 0.6"),
        (change("/model/temperature", 1, None), "  + model.temperature: nothing -> 1"),
        (change("/model/temperature", 1), "  + model.temperature: nothing -> 1"),
        (change("/endCallMessage", None, "Bye"), '  - endCallMessage: "Bye" -> nothing'),
        (change("/name", "", "A"), '  ~ name: "A" -> ""'),
        (change("/metadata/x", True, 1), "  ~ metadata.x: 1 -> true"),
        (change("/metadata/x", {"b": [1, {}]}, "1"), '  ~ metadata.x: "1" -> {b: [1, {}]}'),
        (change("/metadata/a.b", 1, 2), '  ~ metadata."a.b": 2 -> 1'),
        (change("/metadata/x", "a\tb \u00a0", 2), r'  ~ metadata.x: 2 -> "a\tb \xa0"'),
        (change("/metadata/x", 'say "\\n"', 2), r'  ~ metadata.x: 2 -> "say \"\\n\""'),
        (
            change("/name", "B", "A", kind="drift", base="B", unsent="read_only"),
            '  ~ name: git has "B", live now has "A"',
        ),
        (
            change("/name", "B", "A", kind="conflict", base="C"),
            '  ~ name: was "C", git now has "B", live now has "A"',
        ),
        (change("/name", "B", "A", kind="conflict"), '  ~ name: git now has "B", live now has "A"'),
        (change("/metadata/key", "(sensitive)", "(sensitive)"), "  ~ metadata.key: (sensitive) -> (sensitive)"),
    ],
)
def test_a_short_difference_takes_one_line(entry: ChangeEntry, line: str) -> None:
    assert render_leaf(entry) == [line]


def test_two_short_values_that_do_not_fit_side_by_side_are_shown_whole_below_each_other() -> None:
    assert render_leaf(change("/name", "b" * 50, "a" * 50, kind="drift", unsent="read_only")) == [
        f'  ~ name: git has "{"b" * 50}",',
        f'      live now has "{"a" * 50}"',
    ]


def test_a_long_line_marks_its_changed_words() -> None:
    old = "Good morning, this is North Campus, welcome to the office of admissions. How may I help you today?"
    assert render_leaf(change("/firstMessage", old.replace("help you", "be of service"), old), width=90) == [
        "  ~ firstMessage:",
        "      ~ … to the office of admissions. How may I [-help you-]{+be of service+} today?",
    ]


def test_a_line_that_has_nothing_in_common_is_replaced() -> None:
    assert render_leaf(change("/firstMessage", "b" * 61, "a" * 61)) == [
        "  ~ firstMessage:",
        "      - " + "a" * 61,
        "      + " + "b" * 61,
    ]


def test_a_new_long_text_is_shown_in_full() -> None:
    text = "".join(f"line {number}\n" for number in range(100))
    lines = render_leaf(change("/firstMessage", text))
    assert lines == ["  + firstMessage: nothing -> this", *(f"      + line {number}" for number in range(100))]


def test_white_space_that_differs_can_be_seen() -> None:
    assert render_leaf(change("/firstMessage", "one \ntwo\tthree\nfour", "one\ntwo three\nfour\n")) == [
        "  ~ firstMessage:",
        "      ~ one{+·+}",
        "      ~ two[-·-]{+→+}three",
        "        four",
        "      - (a newline at the end)",
    ]


def test_an_added_blank_line_is_a_sign_without_white_space_behind_it() -> None:
    assert render_leaf(change("/firstMessage", "one\n\ntwo", "one\ntwo")) == [
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
    assert render_leaf(entry) == [
        "  ~ endCallMessage: what changed in git",
        "      ~ Open from nine to [-five-]{+six+}. Please call us again tomorrow, or …",
        "  ~ endCallMessage: what changed live",
        "      ~ Open from [-nine-]{+eight+} to five. Please call us again …",
    ]


def test_in_a_list_that_both_changed_each_element_says_whose_it_is() -> None:
    base = [f"phrase number {number}" for number in range(5)]
    entry = change("/metadata/list", [*base, "git's"], [*base[1:], "live's"], kind="conflict", base=base)
    assert render_leaf(entry) == [
        '  + metadata.list[5]: was nothing, git now has "git\'s"',
        '  - metadata.list[0]: was "phrase number 0", live now has nothing',
        '  + metadata.list[4]: was nothing, live now has "live\'s"',
    ]
    phrases = change("/endCallPhrases", [*base, "git's"], [*base[::-1], "live's"], kind="conflict", base=base)
    assert [line.split(":")[0] for line in render_leaf(phrases)] == ["  + endCallPhrases[5]", "  + endCallPhrases[5]"]


def test_a_key_that_live_lost_in_a_list_that_both_changed_is_shown() -> None:
    def steps(*names: str) -> list[dict[str, str]]:
        return [dict.fromkeys(names, "a value of some length"), {"last": "another one"}]

    entry = change("/metadata/list", [*steps("a", "b"), "new"], steps("a"), kind="conflict", base=steps("a", "b"))
    assert '  - metadata.list[0].b: was "a value of some length", live now has nothing' in render_leaf(entry)
    entry = change("/metadata/list", steps("a"), [*steps("a", "b"), "new"], kind="conflict", base=steps("a", "b"))
    assert '  - metadata.list[0].b: was "a value of some length", git now has nothing' in render_leaf(entry)


def test_two_edits_that_look_alike_are_told_apart() -> None:
    base = "Open from nine to five. Please call us again tomorrow, or write to us."
    entry = change("/name", f"{base} Caf\u00e9", f"{base} Cafe\u0301", kind="conflict", base=base)
    assert render_leaf(entry, 200)[-2:] == [
        "  ~ name: git now has [-this-], live now has {+this+}",
        rf"      ~ {base} [-Caf\xe9-]{{+Cafe\u0301+}}",
    ]
    lists = ([f"phrase number {number}" for number in range(5)] + [last] for last in ("Caf\u00e9", "Cafe\u0301", "x"))
    desired, live, before = lists
    entry = change("/metadata/list", desired, live, kind="conflict", base=before)
    assert render_leaf(entry)[-1] == r'  ~ metadata.list[5]: git now has "Caf\xe9", live now has "Cafe\u0301"'


def test_a_list_shows_the_elements_that_differ_by_their_place_in_the_definition() -> None:
    old = [f"phrase number {number}" for number in range(8)]
    assert render_leaf(change("/metadata/phrases", [*old[:4], "another one", *old[4:]], old)) == [
        '  + metadata.phrases[4]: nothing -> "another one"'
    ]
    live_edit = change("/metadata/phrases", old, [*old[:4], *old[5:]], kind="drift")
    assert render_leaf(live_edit) == ['  - metadata.phrases[4]: git has "phrase number 4", live now has nothing']


def test_an_element_that_is_edited_beside_one_that_comes_or_goes_is_shown_as_edited() -> None:
    old = [{"role": "system", "content": "Be kind to all."}, "last"]
    new = ["first", {"role": "system", "content": "Be kind to us."}, "last"]
    edited = '.content: "Be kind to all." -> "Be kind to us."'
    assert render_leaf(change("/model/messages", new, old)) == [
        '  + model.messages[0]: nothing -> "first"',
        f"  ~ model.messages[1]{edited}",
    ]
    assert render_leaf(change("/model/messages", new[1:], ["gone", *old])) == [
        '  - model.messages[was 0]: "gone" -> nothing',
        f"  ~ model.messages[0]{edited}",
    ]


def test_two_elements_that_have_one_place_on_different_sides_have_different_names() -> None:
    old = [{"id": number, "text": f"Paragraph {number} " + "of many words " * 5} for number in range(4)]
    new = [{"id": 9, "text": "Short"}, old[0], {**old[1], "text": f"{old[1]['text']}more"}, old[3]]
    assert [line for line in render_leaf(change("/metadata/x", new, old)) if "metadata" in line] == [
        '  + metadata.x[0]: nothing -> {id: 9, text: "Short"}',
        "  ~ metadata.x[2].text:",
        "  - metadata.x[was 2].id: 2 -> nothing",
        "  - metadata.x[was 2].text: this -> nothing",
    ]
    drift = render_leaf(change("/metadata/x", old, new, kind="drift"))
    assert [line for line in drift if "metadata" in line] == [
        '  + metadata.x[0]: git has nothing, live now has {id: 9, text: "Short"}',
        "  ~ metadata.x[1].text: git has [-this-], live now has {+this+}",
        "  - metadata.x[2].id: git has 2, live now has nothing",
        "  - metadata.x[2].text: git has this, live now has nothing",
    ]
    live = ["new", {"a": 2}, "b"]
    assert render_leaf(change("/metadata/x", [{"a": 1}, "b"], live, kind="drift")) == [
        '  + metadata.x[now 0]: git has nothing, live now has "new"',
        "  ~ metadata.x[0].a: git has 1, live now has 2",
    ]


def test_a_null_is_an_element_of_a_list() -> None:
    assert render_leaf(change("/metadata/x", ["a", None], ["a"])) == ["  + metadata.x[1]: nothing -> null"]
    assert render_leaf(change("/metadata/x", ["a", ""], ["a", None])) == ['  ~ metadata.x[1]: null -> ""']
    assert render_leaf(change("/metadata/x", ["a"], ["a", None], kind="drift")) == [
        "  + metadata.x[1]: git has nothing, live now has null"
    ]


def test_the_order_of_phrases_that_end_a_call_is_no_difference() -> None:
    assert render_leaf(change("/endCallPhrases", ["bye", "thanks", "done"], ["done", "bye"])) == [
        '  + endCallPhrases[1]: nothing -> "thanks"'
    ]


def test_a_text_inside_a_list_is_a_line_diff() -> None:
    rules = [f"{number}. Rule {number} of many." for number in range(1, 8)]
    old = [{"role": "system", "content": "\n".join(rules)}, {"role": "user", "content": "Hi"}]
    new = [{"role": "system", "content": "\n".join([*rules[:3], "Never guess.", *rules[3:]])}, old[1]]
    assert render_leaf(change("/model/messages", new, old)) == [
        "  ~ model.messages[0].content:",
        "        1. Rule 1 of many.",
        "        2. Rule 2 of many.",
        "        3. Rule 3 of many.",
        "      + Never guess.",
        "        4. Rule 4 of many.",
        "        5. Rule 5 of many.",
        "        (2 lines unchanged)",
    ]


def test_a_short_text_of_two_lines_in_a_new_element_is_shown_as_lines() -> None:
    message = {"role": "tool", "content": "Be kind.\nBe short."}
    assert render_leaf(change("/model/messages", [message, message], [message])) == [
        '  + model.messages[1].role: nothing -> "tool"',
        "  + model.messages[1].content: nothing -> this",
        "      + Be kind.",
        "      + Be short.",
    ]


def test_a_list_that_was_emptied_shows_its_elements_and_is_not_said_to_be_new() -> None:
    messages = [{"content": "Be kind.\nBe short."}]
    lines = ["      - Be kind.", "      - Be short."]
    for field, full, name, place in (
        ("/model/messages", messages, "model.messages", "[0].content"),
        ("/metadata/a", {"b": messages}, "metadata.a.b", "[0].content"),
        ("/endCallPhrases", ["Be kind.\nBe short."], "endCallPhrases", "[0]"),
    ):
        empty = {"b": []} if isinstance(full, dict) else []
        assert render_leaf(change(field, full, empty, kind="drift")) == [
            f"  ~ {name}: git has a list, live now has []",
            f"  - {name}{place}: git has this, live now has nothing",
            *lines,
        ]
        assert render_leaf(change(field, empty, full)) == [
            f"  ~ {name}: a list -> []",
            f"  - {name}{place}: this -> nothing",
            *lines,
        ]


def test_what_nobody_declared_in_an_element_that_is_equal_is_no_difference() -> None:
    old = [{"role": "user", "id": 1}, {"role": "system", "id": 2}]
    new = [{"role": "user"}, {"role": "tool"}]
    assert render_leaf(change("/model/messages", new, old)) == [
        '  ~ model.messages[1].role: "system" -> "tool"',
        "  - model.messages[1].id: 2 -> nothing",
    ]


def test_a_long_text_beside_none_says_which_side_has_none() -> None:
    text = "a\nb"
    assert (
        render_leaf(change("/firstMessage", text, kind="drift"))[0]
        == "  - firstMessage: git has this, live now has nothing"
    )
    assert render_leaf(change("/firstMessage", None, text, kind="drift"))[0] == (
        "  + firstMessage: git has nothing, live now has this"
    )
    assert render_leaf(change("/firstMessage", None, text)) == [
        "  - firstMessage: this -> nothing",
        "      - a",
        "      - b",
    ]
    conflict = render_leaf(change("/firstMessage", text, None, kind="conflict", base="c\nd"))
    assert conflict[-3:] == [
        "  - firstMessage: what changed live: was this, live now has nothing",
        "      - c",
        "      - d",
    ]


def test_names_that_look_alike_look_different() -> None:
    assert render_leaf(change("/metadata/x", [{"1\u20132": 1}], [{"1-2": 1}])) == [
        "  + metadata.x[0].1\\u20132: nothing -> 1",
        "  - metadata.x[0].1-2: 1 -> nothing",
    ]
    # A key alone may be taken for another one, too; one of another script is not.
    for key, name in {
        "B\u043eb": r'"B\u043eb"',
        "Cafe\u0301": r'"Cafe\u0301"',
        "Имя": "Имя",
        "K\u0131z": "K\u0131z",
    }.items():
        assert render_leaf(change(f"/metadata/{key}", 1, 2)) == [f"  ~ metadata.{name}: 2 -> 1"]
    text = render_text(document("plan", assistant("\u0412ob", change("/name", "a", "b"))))
    assert r"assistants/\u0412ob.yaml: to change" + "\n" + r"  \u0412ob (asst_" in text


def test_an_element_that_moves_and_changes_its_look_alike_letters_looks_different() -> None:
    assert render_leaf(change("/metadata/x", ["b", "c", "Cafe\u0301"], ["Caf\u00e9", "b", "c"])) == [
        r'  - metadata.x[0]: "Caf\xe9" -> nothing',
        r'  + metadata.x[2]: nothing -> "Cafe\u0301"',
    ]


def test_an_object_in_place_of_a_text_shows_what_goes_and_what_comes() -> None:
    assert render_leaf(change("/metadata/crm", {"key": "long " * 19 + "long", "id": 7}, "none")) == [
        '  - metadata.crm: "none" -> nothing',
        "  + metadata.crm.key: nothing -> this",
        "      + long long long long long long long long long long long long long long",
        "          long long long long long long",
        "  + metadata.crm.id: nothing -> 7",
    ]


def test_a_number_in_place_of_a_text_is_no_line_of_it() -> None:
    assert render_leaf(change("/metadata/x", 7, "5\n7")) == [
        "  - metadata.x: this -> nothing",
        "      - 5",
        "      - 7",
        "  + metadata.x: nothing -> 7",
    ]
    assert render_leaf(change("/metadata/x", "[1]\n[2]", [2], kind="drift"))[-1] == (
        "  + metadata.x: git has nothing, live now has [2]"
    )


def test_a_list_with_hidden_parts_says_that_these_may_differ_too() -> None:
    before, after = ([{"a": number, "key": "(sensitive)"}] for number in (1, 2))
    assert render_leaf(change("/metadata/x", after, before)) == [
        "  ~ metadata.x[0].a: 1 -> 2",
        "  ~ metadata.x: (may also differ in a sensitive part, which is not shown)",
    ]


def test_long_values_that_differ_only_where_they_are_masked_still_show_as_changed() -> None:
    value = {"key": "(sensitive)", "note": "x" * 70}
    assert render_leaf(change("/metadata/crm", value, value)) == [
        "  ~ metadata.crm: (differs in a sensitive part, which is not shown)",
    ]


def test_an_assistant_in_sync_is_only_counted_and_what_is_said_of_it_comes_last() -> None:
    quiet, loud = assistant("quiet"), assistant("loud", warnings=["odd"])
    text = render_text(document("plan", quiet, loud, assistant("a", change("/name", "B", "A")), base=BASE))
    assert "quiet" not in text
    assert text.index('"A" -> "B"') < text.index("warning: assistants/loud.yaml: odd\n")


def test_an_assistant_without_a_name_or_an_id_has_no_empty_brackets() -> None:
    broken = failure("invalid", "empty file")
    text = render_text(document("plan", assistant("a", name=None, id_=None, error=broken), base=BASE))
    assert text.startswith("assistants/a.yaml: error\n  error: empty file\n")
    assert "\n  (asst_a)\n" in render_text(document("plan", assistant("a", name=None, error=broken)))


@pytest.mark.parametrize("name", [" ", "\u00a0"])
def test_an_assistant_whose_name_is_blank_is_called_by_its_key(name: str) -> None:
    text = render_text(document("plan", assistant("desk", change("/name", name, "Desk"), name=name)))
    assert "  desk (asst_desk)\n" in text


def test_an_error_of_several_lines_keeps_them() -> None:
    text = render_text(document("plan", assistant("a", error=failure("server", "first\n\n  second\n"))))
    assert "  error: first\n    second\n" in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_prose_and_diffs_keep_to_the_width(width: int) -> None:
    words = "every word of this long sentence is short so that it can be wrapped anywhere " * 9
    changed = words.replace("sentence is", "sentence was")
    entry = assistant("a", change("/firstMessage", changed, words), change("/name", words), warnings=[words])
    text = render_text(document("plan", entry, warnings=[words], base=BASE), width=width)
    body = text.splitlines()[:-1]  # the sentence of totals is one line, whatever the terminal
    assert max(map(len, body)) <= width
    assert max(map(len, body)) > width - 12


def test_wide_characters_count_two_columns() -> None:
    lines = render_leaf(change("/firstMessage", "\u4f60\u597d " * 40))
    assert len(lines[1].strip()) <= 50


def test_colours_come_on_top_of_the_marks_and_end_on_every_line() -> None:
    old = "Good morning and welcome to the office of admissions, how may I help you today?"
    entry = assistant("a", change("/firstMessage", old.replace("help", "serve"), old))
    text = render_text(document("plan", entry), colour=True)
    assert "\x1b[31m[-help-]\x1b[0m\x1b[32m{+serve+}\x1b[0m" in text
    for line in text.splitlines():
        assert len(re.findall(r"\x1b\[[1-9;]+m", line)) == line.count("\x1b[0m")


def test_colour_changes_nothing_but_the_colour() -> None:
    entry = assistant("a", change("/name", "B", "A"), error=failure("server", "no"), warnings=["w"])
    coloured = render_text(document("plan", entry), colour=True)
    assert re.sub(r"\x1b\[[0-9;]+m", "", coloured) == render_text(document("plan", entry))


def test_validate_lists_the_problems_as_places_that_editors_understand() -> None:
    problems = [problem("a.yaml", 3, 1, "one\x1b"), problem("b.yaml", 1, 2, "two", warning=True)]
    text = render_text(document("validate", problems=problems, warnings=["an ignore entry has expired"]))
    assert text.startswith("a.yaml:3:1: one\\x1b\nb.yaml:1:2: warning: two\n\nwarning: an ignore entry has expired\n")


def test_other_commands_leave_the_problems_to_stderr() -> None:
    problems = [problem("a.yaml", 3, 1, "one")]
    assert "a.yaml" not in render_text(document("plan", problems=problems))


def test_one_error_of_many_assistants_is_told_once() -> None:
    wrong = failure("auth", "Login failed: wrong password.\nCheck RECONCILER_PASSWORD.", 401)
    entries = [assistant(key, status="error", error=wrong) for key in ("a", "b", "d")]
    moved = assistant("c", change("/name", "New", "Old"), outcome="failed", error=wrong)
    first, second, *_ = render_text(document("apply", *entries[:2], moved, entries[2]), width=60).split("\n\n")
    assert first.splitlines() == [
        "3 assistants: error",
        "  error: Login failed: wrong password.",
        "    Check RECONCILER_PASSWORD.",
        "    assistants/a.yaml (asst_a), assistants/b.yaml (asst_b),",
        "    assistants/d.yaml (asst_d)",
    ]
    assert second.startswith("assistants/c.yaml: failed")


def test_one_answer_to_the_requests_of_many_assistants_is_told_once() -> None:
    answer = "the API answered 503\nTry later."
    sent = {"a": 5, "b": 4}
    errors = {
        key: failure("server", f"GET /assistants/asst_{key} (after {times} attempts): {answer}", 503)
        for key, times in sent.items()
    }
    entries = [assistant(key, status="error", error=error) for key, error in errors.items()]
    alone = assistant("c", status="missing", error=failure("not_found", "GET /assistants/asst_c: 404", 404))
    first, second, *_ = render_text(document("plan", *entries, alone)).split("\n\n")
    assert first.splitlines() == [
        "2 assistants: error",
        "  error: GET /assistants/ID (after several attempts): the API answered 503",
        "    Try later.",
        "    assistants/a.yaml (asst_a), assistants/b.yaml (asst_b)",
    ]
    assert "  error: GET /assistants/asst_c: 404" in second.splitlines()


def test_what_a_stopped_run_has_skipped_is_told_once() -> None:
    skipped = [assistant(key, outcome="skipped") for key in ("a", "b", "c")]
    moved = assistant("d", change("/name", "New", "Old"), outcome="skipped")
    text = render_text(document("apply", *skipped, moved))
    assert (
        "3 assistants: skipped, not started\n"
        "    assistants/a.yaml (asst_a), assistants/b.yaml (asst_b),\n"
        "    assistants/c.yaml (asst_c)\n\n"
    ) in text
    assert "assistants/d.yaml: skipped, not started\n" in text


def test_an_assistant_that_is_still_to_be_created_is_not_called_unchanged() -> None:
    entry = assistant("a", change("/name", "New"), status="new", outcome="unchanged", id_=None)
    assert render_text(document("apply", entry)).startswith("assistants/a.yaml: to create\n")


def test_a_valid_definition_that_the_api_refuses_is_not_called_invalid() -> None:
    entry = assistant("a", change("/name", "New"), outcome="failed", error=failure("invalid", "400 (too long)", 400))
    row = "| A | failed, nothing was changed: the API does not accept it | git |"
    assert row in render_markdown(document("apply", entry))
