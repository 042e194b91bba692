"""The Markdown report: a comment on a pull request that says the most important within its limit."""

import re
from dataclasses import replace

import pytest
from rendered import render_markdown, render_text
from report_documents import BASE, assistant, change, document, failure, problem

from reconciler.report.formats.inert import code, fence, inline
from reconciler.report.formats.markdown import MARKDOWN_LIMIT
from reconciler.report.formats.page import measure_utf16
from reconciler.report.report import Report

PROMPT = "\n".join(f"{line}. Whatever the caller says, stay calm and friendly at all times." for line in range(200))


def fleet(number: int, name: str = "Assistant {0:03} of the Office of Enrolment and Admissions") -> Report:
    entries = [
        assistant(
            f"office/assistant-{place:03}",
            change("/model/messages/0/content", PROMPT.replace("calm", f"cool {place}"), PROMPT),
            change("/model/temperature", 0.5, 0.7 + place / 10_000),
            name=name.format(place),
        )
        for place in range(number)
    ]
    return document("plan", *entries, base=BASE)


def test_500_changed_assistants_with_long_prompts_are_all_named_within_the_limit() -> None:
    text = render_markdown(fleet(500))
    assert len(text) <= MARKDOWN_LIMIT
    for place in range(500):
        assert f"| Assistant {place:03} of the Office" in text
    assert "Left out to fit the size limit" in text
    assert text.count("<details>") == text.count("</details>")


def test_short_and_long_values_keep_the_order_of_the_other_formats() -> None:
    entry = assistant(
        "desk",
        change("/endCallMessage", "Bye", "Goodbye"),
        change("/firstMessage", "Hello\nyou", "Hello\nall of you"),
        change("/maxDurationSeconds", 10, 20),
        change("/voicemailMessage", "We are\nclosed", "We are\nopen"),
    )
    report = document("plan", entry, base=BASE)
    names = re.findall(r"^(?:\| )?`(\w+)`", render_markdown(report), re.MULTILINE)
    assert names == re.findall(r"^  ~ (\w+):", render_text(report), re.MULTILINE)
    assert names == ["endCallMessage", "firstMessage", "maxDurationSeconds", "voicemailMessage"]


def test_emoji_count_twice_as_github_counts_them() -> None:
    text = render_markdown(fleet(500, "\U0001f600" * 30 + " {0:03}"))
    assert measure_utf16(text) <= MARKDOWN_LIMIT
    assert measure_utf16(text) > len(text)


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f393 Northfield University, Office of Enrolment and Admissions, Campus North, evening line {0:03}",
        "Office of everything " * 50 + "{0:03}",
        "\U0001f600" * 200 + "{0:03}",
        "<|>*" * 50 + "{0:03}",
        "\U000e0041" * 50 + "{0:03}",
    ],
)
def test_500_long_names_are_cut_in_the_middle_so_that_each_is_still_its_own(name: str) -> None:
    text = render_markdown(fleet(500, name))
    assert measure_utf16(text) <= MARKDOWN_LIMIT
    rows = [line.split(" | ")[0] for line in text.split("<details>")[0].splitlines() if line.startswith("| ")]
    assert [row[-3:] for row in rows[2:]] == [f"{place:03}" for place in range(500)]
    assert "<details>" in text


def test_assistants_of_one_name_go_by_their_keys_where_their_files_find_no_room() -> None:
    text = render_markdown(fleet(500, "Welcome Desk of the Office of Enrolment and Admissions of Northfield"))
    for place in range(500):
        assert f"| office/assistant-{place:03} | to change | git |" in text


@pytest.mark.parametrize("name", ["Assistant {0:04}", "\U0001f600" * 90 + "{0:04}"])
def test_where_not_even_all_names_fit_the_rest_is_counted_exactly(name: str) -> None:
    text = render_markdown(fleet(2_500, name))
    assert MARKDOWN_LIMIT - 600 < measure_utf16(text) <= MARKDOWN_LIMIT
    named = len(re.findall(r"^\| .* \| to change \| git \|$", text, re.MULTILINE))
    assert named > 1_000
    assert (
        f"Left out to fit the size limit: {2_500 - named} more rows of the table, 2500 sections, 500000 lines of "
        in text
    )


@pytest.mark.parametrize("limit", [1_000, 2_500, 5_000, 20_000])
@pytest.mark.parametrize("number", [1, 3, 40])
def test_any_limit_is_kept(limit: int, number: int) -> None:
    crowded = replace(
        fleet(number, "@`|" * 50),
        warnings=("w | " * 200,) * 9,
        problems=tuple(problem("a.yaml", line, 1, "<" * 300) for line in range(1, 30)),
    )
    text = render_markdown(crowded, limit=limit)
    assert measure_utf16(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert text.startswith("## Plan\n")


def test_a_limit_below_all_sense_is_not_taken_literally() -> None:
    assert "Plan: 1 to change" in render_markdown(fleet(1), limit=10)


def test_where_room_is_short_trouble_is_kept_before_conflicts_drift_and_changes() -> None:
    long = "\n".join("a line of a long text" for _ in range(25))
    entries = [
        assistant("a-change", change("/firstMessage", long)),
        assistant("b-drift", change("/firstMessage", long, kind="drift")),
        assistant("c-conflict", change("/firstMessage", long, kind="conflict")),
        assistant("d-error", error=failure("server", "down " * 50)),
    ]
    run = document("plan", *entries, base=BASE)
    full = render_markdown(run)
    order = [full.index(f"<summary><b>{title}") for title in ("D Error", "C Conflict", "B Drift", "A Change")]
    assert order == sorted(order)
    short = render_markdown(run, limit=2_200)
    assert "<summary><b>D Error" in short
    assert "<summary><b>C Conflict" in short
    assert "A Change" in short.split("<details>")[0]
    assert "Left out" in short


def test_long_errors_are_cut_where_room_is_short() -> None:
    entries = [assistant(f"a{place}", error=failure("server", f"down{place} " * 120)) for place in range(4)]
    text = render_markdown(document("plan", *entries, base=BASE), limit=3_000)
    assert text.count("- **Error:** down") == 4
    assert "\u2026\n" in text
    assert "Left out" not in text


def test_one_giant_section_gives_way_to_its_names() -> None:
    changes = [change(f"/metadata/key{place}", PROMPT) for place in range(40)]
    text = render_markdown(document("plan", assistant("giant", *changes), base=BASE), limit=5_000)
    assert "Not shown here: 200 lines of `metadata.key0`, 200 lines of `metadata.key1`" in text
    assert "Left out to fit the size limit: 200 lines of `metadata.key0`" in text


def test_a_text_that_is_rewritten_throughout_is_begun_and_the_rest_is_counted() -> None:
    old = "\n".join(f"{line}. Old words, which are many: {'old ' * 20}" for line in range(900))
    new = re.sub("[Oo]ld", "brand-new", old)
    small = change("/model/temperature", 0.5, 0.7)
    entries = [assistant("a", change("/model/messages/0/content", new, old)), assistant("b", small)]
    text = render_markdown(document("plan", *entries, base=BASE), limit=8_000)
    assert "- 0. Old words" in text
    (more,) = re.findall(
        r"\u2026 (\d+) more lines of model.messages\[0\].content: the JSON and HTML reports have", text
    )
    assert len(re.findall(r"^[-+] \d", text, re.MULTILINE)) + int(more) == 1_800
    assert "`0.7 -> 0.5` (more consistent answers)" in text
    assert f"Left out to fit the size limit: {more} lines of `model.messages[0].content`" in text


def test_long_texts_leave_room_for_the_small_changes_of_other_assistants() -> None:
    texts = [PROMPT.replace(*(("calm", f"cool {n}"), ("Whatever", f"What {n}", 1))[n % 2]) for n in range(20)]
    content = "/model/messages/0/content"
    entries = [assistant(f"a{place:02}", change(content, text, PROMPT)) for place, text in enumerate(texts)]
    text = render_markdown(document("plan", *entries, base=BASE))
    assert text.count("! 0. [-Whatever-]{+What ") == 10
    assert text.count("<details>") == 20, "each long text is begun"
    assert "section" not in text
    assert 60_000 < len(text) <= MARKDOWN_LIMIT


def test_a_long_text_is_shown_in_full_where_all_fit() -> None:
    short = "\n".join(str(line) for line in range(300))
    long = "\n".join(f"{line} {'word ' * 30}" for line in range(300))
    entries = [assistant("a", change("/firstMessage", long)), assistant("b", change("/firstMessage", short))]
    assert "Left out" not in render_markdown(document("plan", *entries, base=BASE))


def test_the_short_texts_of_an_assistant_take_no_room_from_its_long_ones() -> None:
    rules = "".join(f"{number}. Say what is open, and promise nothing about rule {number}.\n" for number in range(700))
    texts = {"prompt": rules, "style": "Be kind.\nBe brief.\n", "tail": "One.\nTwo.\n"}
    changes = [change(f"/metadata/{name}", text) for name, text in texts.items()]
    text = render_markdown(document("plan", assistant("a", *changes)))
    assert "Left out" not in text
    assert "+ 699. Say what is open" in text
    assert len(text) < MARKDOWN_LIMIT

    changes += [change(f"/metadata/{name}", rules + rules) for name in ("p1", "p2")]
    text = render_markdown(document("plan", assistant("a", *changes)))
    assert [text.count(f"more lines of metadata.{name}") for name in ("prompt", "p1", "p2", "style")] == [1, 1, 1, 0]
    assert MARKDOWN_LIMIT - 3_000 < len(text) < MARKDOWN_LIMIT


def test_a_word_without_an_end_is_cut() -> None:
    old, new = "o" * 3_000, "n" * 3_000
    changes = [change(f"/metadata/{key}", f"{new}{key}", f"{old}{key}") for key in "abc"]
    text = render_markdown(document("plan", assistant("a", *changes), base=BASE), limit=6_000)
    assert text.count("```diff\n- ooo") == 3
    assert len(re.findall(r"  \u2026 2 more lines of metadata.[abc]", text)) == 3


def test_long_lines_of_a_diff_are_wrapped_between_words() -> None:
    text = render_markdown(document("plan", assistant("a", change("/firstMessage", "some more words " * 12, "x"))))
    assert "```diff\n- x\n+ some more words some" in text
    assert "\n+     " in text
    assert max(map(len, text.split("```diff")[1].split("```")[0].splitlines())) <= 98


def test_values_stand_in_a_sentence_with_plain_words_beside_it() -> None:
    entry = assistant(
        "a",
        change("/model/temperature", 0.6, 0.9, kind="conflict", base=0.5),
        change("/voice/voiceId", "alloy", "nova", kind="drift"),
        change("/maxDurationSeconds", 1800),
        change("/metadata/a|b", "x|`y`", None),
    )
    text = render_markdown(document("plan", entry, base=BASE))
    assert "| `model.temperature` | `was 0.5, git now has 0.6, live now has 0.9` (more consistent answers) |" in text
    assert '| `voice.voiceId` | `git has "alloy", live now has "nova"` (another voice) |' in text
    assert "| `maxDurationSeconds` | `nothing -> 1800` (calls of up to 30 minutes) |" in text
    assert '| <code>metadata.a&#124;b</code> | <code>nothing -&#62; "x&#124;&#96;y&#96;"</code> |' in text
    assert text.index("Both sides changed") < text.index("Edited in the dashboard") < text.index("Changed in git")


def test_what_three_share_is_shown_once_with_its_place_and_their_names() -> None:
    voice = change("/voice/voiceId", "verse", "alloy", file="assistants/_defaults.yaml", line=3)
    text = render_markdown(document("plan", *(assistant(f"desk-{number}", voice) for number in range(60)), base=BASE))
    assert text.count('`"alloy" -> "verse"` in 60 assistants (`assistants/_defaults.yaml:3`)') == 1
    assert all(f"Desk {number}" in text for number in range(60))
    assert len(text.splitlines()) < 30


def test_names_of_a_change_that_stands_at_several_places_stand_by_their_place() -> None:
    places = ["assistants/b/_defaults.yaml", "assistants/a/_defaults.yaml", "", "assistants/b/_defaults.yaml"]
    voices = [change("/voice/voiceId", "verse", "alloy", file=place or None, line=3) for place in places]
    document_ = document("plan", *(assistant(f"desk-{number}", voice) for number, voice in enumerate(voices)))
    assert (
        "    Desk 1 (assistants/a/_defaults.yaml:3), Desk 0, "
        "and Desk 3 (assistants/b/_defaults.yaml:3), Desk 2 (assistants/desk-2.yaml:3)\n"
    ) in render_text(document_, width=200)


def test_the_row_of_an_assistant_names_its_first_fields_and_counts_the_rest() -> None:
    changes = [change(f"/metadata/{key}", 1, 2) for key in "abcde"]
    text = render_markdown(document("plan", assistant("a", *changes)))
    assert "to change: `metadata.a`, `metadata.b`, `metadata.c` and 2 more | git | `assistants/a.yaml` |" in text


def test_the_row_of_an_assistant_says_what_becomes_of_its_live_edits() -> None:
    edits = [
        change(path, "a", "b", kind="drift", unsent=why) for path, why in (("/name", "kept"), ("/firstMessage", None))
    ]
    text = render_markdown(document("plan", assistant("a", *edits), base=BASE))
    assert "| drifted; left as it is: `name`; git's value would be restored: `firstMessage` | dashboard |" in text


def test_the_row_of_a_deleted_assistant_names_no_fields() -> None:
    text = render_markdown(document("delete", assistant("a", change("/name", "a", "b"), outcome="deleted")))
    assert "| A | deleted | git |" in text


def test_one_endless_line_is_shown_as_far_as_there_is_room() -> None:
    old = " ".join(f"word {number}" for number in range(20_000))
    text = render_markdown(document("plan", assistant("a", change("/firstMessage", old.replace("word", "text"), old))))
    assert 60_000 < measure_utf16(text) <= MARKDOWN_LIMIT
    assert "more line of firstMessage" in text


def test_an_assistant_that_the_table_says_everything_about_has_no_section() -> None:
    text = render_markdown(document("apply", assistant("a", outcome="skipped")))
    assert "| A | skipped, not started |  | `assistants/a.yaml` |" in text
    assert "<details>" not in text


def test_in_sync_is_a_sentence_and_nothing_else() -> None:
    text = render_markdown(document("plan", assistant("a"), base=BASE))
    assert text == "## Plan\n\n**Plan: 0 to change, 0 drifted, 0 conflicts, 1 in sync, 0 errors.**\n"


def test_validate_gives_a_table_of_places() -> None:
    problems = [problem("a|b.yaml", 3, 1, "@me `x`"), problem("b.yaml", 1, 2, "two", warning=True)]
    text = render_markdown(document("validate", problems=problems))
    assert "| <code>a&#124;b.yaml:3:1</code> | @&#8203;me &#96;x&#96; |\n| `b.yaml:1:2` | warning: two |\n" in text


def test_problems_that_do_not_fit_are_counted() -> None:
    problems = [problem("a.yaml", line, 1, "something is wrong here") for line in range(1, 101)]
    text = render_markdown(document("validate", problems=problems), limit=2_000)
    count = len(re.findall("something is wrong", text))
    assert 0 < count < 100
    assert f"Left out to fit the size limit: {100 - count} problems; the JSON" in text


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("a|b", "a&#124;b"),
        ("<b>&amp;", "&#60;b&#62;&#38;amp;"),
        ("@team and a@b.c", "@&#8203;team and a@&#8203;b.c"),
        ("#123 # 5", "#&#8203;123 # 5"),
        ("GH-12", "GH&#8203;-12"),
        (":tada: 3:1 a:b c", ":&#8203;tada: 3:1 a:b c"),
        ("at 12:00:00Z :tada", "at 12:00:00Z :&#8203;tada"),
        ("4f1c0de2 and c0ffee", "<code>4f1c0de2</code> and c0ffee"),
        ("id 550e8400-e29b-41d4", "id <code>550e8400-e29b-41d4</code>"),
        ("$x$", "<span>$</span>x<span>$</span>"),
        ("http://x and www.x", "http:&#8203;//x and www&#8203;.x"),
        ("![i](u)", "!&#91;i&#93;(u)"),
        ("snake_case _em_ **b**", "snake_case &#95;em&#95; &#42;&#42;b&#42;&#42;"),
        ("__init__ a__b", "&#95;&#95;init&#95;&#95; a&#95;&#95;b"),
        ("\u202ea\nb", "&#92;u202ea&#92;nb"),
    ],
)
def test_text_from_outside_is_inert(text: str, inert: str) -> None:
    assert inline(text) == inert


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("model.name", "`model.name`"),
        ("@team", "`@team`"),
        ("a`b", "<code>a&#96;b</code>"),
        ("a\\|b", "<code>a&#92;&#124;b</code>"),
        ("", "<code></code>"),
        (" a", "<code> a</code>"),
    ],
)
def test_code_is_a_span_where_that_is_safe(text: str, written: str) -> None:
    assert code(text) == written


def test_a_fence_is_longer_than_any_run_of_backticks_inside() -> None:
    assert fence(["+ ```", "- `````` x "]) == "```````\n+ ```\n- `````` x\n```````"
    assert fence([], "diff") == "```diff\n```"


def test_each_problem_of_a_file_is_told_once_on_its_card_and_those_of_other_files_in_a_table() -> None:
    entry = assistant("bad", error=failure("invalid", "line 3: unknown field (and 1 more problem in this file)"))
    shared = problem("assistants/_defaults.yaml", 1, 1, "not a mapping")
    text = render_markdown(
        document(
            "plan",
            entry,
            problems=[problem(entry.file, 3, 1, "unknown field"), problem(entry.file, 9, 5, "too high"), shared],
            base=BASE,
        )
    )
    assert [text.count(words) for words in ("unknown field", "too high", "not a mapping")] == [1, 1, 1]
    assert "line 9: too high" in text.split("<details>")[1]
    assert "| `assistants/_defaults.yaml:1:1` | not a mapping |" in text
