"""Whatever JSON holds, a renderer writes it down and lets nothing of it act."""

import re
from typing import Any
from xml.etree import ElementTree

from depth import examples
from hypothesis import given, settings, strategies as st
from rendered import render_github, render_html, render_junit, render_markdown, render_text
from report_documents import assistant, change, document, failure, ignored, problem

from reconciler.assistant.paths import to_pointer
from reconciler.report.differences.values import escape, literal
from reconciler.report.formats.page import measure_utf16
from reconciler.report.json_text import parse_report, render_json
from reconciler.report.report import Report

texts = st.text(
    st.characters() | st.sampled_from("\x1b\n\r\t\x07:%\ufffe\x9b\u202e\u200b\u2028`|<>@#[]\\_ \ud800"), max_size=90
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
# Reading refuses a report in which something else stands where a pointer should.
pointers = st.lists(texts, min_size=1, max_size=2).map(to_pointer)
CONTROLS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
COLOURS = re.compile(r"\x1b\[[0-9;]+m")


@st.composite
def runs(draw: st.DrawFn) -> Report:
    kinds = ["change", "drift", "conflict"]
    kind = st.sampled_from(kinds)
    changes = [
        change(draw(pointers), draw(values), draw(values), kind=draw(kind), base=draw(values)),
        change(draw(pointers), draw(values)),
    ]
    entry = assistant(
        draw(texts),
        *changes,
        name=draw(texts),
        id_=draw(texts),
        released=[draw(pointers)],
        ignored=[ignored(draw(pointers), draw(texts), draw(texts))],
        remaining=[draw(pointers)],
        warnings=[draw(texts)],
        error=failure("server", draw(texts)),
    )
    problems = [problem(draw(texts), 1, 1, draw(texts))]
    command = draw(st.sampled_from(["plan", "apply", "drift", "validate"]) | texts)
    environment = draw(st.none() | texts)
    return document(command, entry, problems=problems, warnings=[draw(texts)], environment=environment)


@settings(max_examples=examples(60))
@given(runs(), st.integers(20, 120))
def test_no_text_report_holds_a_raw_control_character(run: Report, width: int) -> None:
    text = render_text(run, width=width)
    assert not CONTROLS.search(text)
    assert not any(line != line.rstrip() for line in text.split("\n"))
    assert text.endswith("\n")
    coloured = render_text(run, colour=True, width=width)
    assert not CONTROLS.search(COLOURS.sub("", coloured))


@settings(max_examples=examples(60))
@given(runs(), st.integers(1_000, 9_000))
def test_no_markdown_report_holds_a_raw_control_character_or_passes_its_limit(run: Report, limit: int) -> None:
    text = render_markdown(run, limit=limit)
    assert not CONTROLS.search(text)
    assert measure_utf16(text) <= limit
    text.encode()


def test_the_note_about_missing_lines_counts_names_as_the_host_does() -> None:
    # Two UTF-16 units each, which is how GitHub counts.
    for length in range(5, 60):
        named = change(to_pointer(["\U0001d400" * length]), None, [None, None, "b"], kind="conflict", base=None)
        entry = assistant("desk", named, change("/name", None), released=["/metadata"], error=failure("server", ""))
        text = render_markdown(document("plan", entry, problems=[problem("", 1, 1, "")], warnings=[""]), limit=1_000)
        assert measure_utf16(text) <= 1_000
        assert "True" not in text


@settings(max_examples=examples(60))
@given(runs())
def test_every_json_report_can_be_encoded_and_holds_no_raw_control_character(run: Report) -> None:
    text = render_json(run)
    text.encode()
    assert not re.search("[\x7f-\x9f\u2028-\u202e\ud800-\udfff]", text)


@settings(max_examples=examples(60))
@given(runs())
def test_every_line_for_a_github_runner_is_a_command_of_ours_or_none(run: Report) -> None:
    text = render_github(run)
    assert not CONTROLS.search(text)
    text.encode()
    for line in text.removesuffix("\n").split("\n"):
        if line.lstrip().startswith("::"):
            assert re.match(r"::(error|warning|notice)( (file|line|col|title)=[^:]*)?::", line)
        else:
            assert "##[" not in line


@settings(max_examples=examples(60))
@given(runs())
def test_every_junit_report_is_xml_that_says_everything_visibly(run: Report) -> None:
    text = render_junit(run)
    assert not CONTROLS.search(text)
    text.encode()
    assert len(ElementTree.fromstring(text).findall("testsuite/testcase")) == 1 + len(
        {problem.file for problem in run.problems} - {entry.file for entry in run.assistants}
    )


@settings(max_examples=examples(60))
@given(runs())
def test_no_html_report_holds_a_raw_control_character_or_markup_from_outside(run: Report) -> None:
    text = re.sub("<(style|script)>.*?</\\1>", "", render_html(run), flags=re.DOTALL)
    assert not CONTROLS.search(text)
    text.encode()
    tags = {
        *("html", "head", "meta", "title", "body", "a", "header", "p", "h1", "h2", "h3", "h4", "dl", "div", "dt", "dd"),
        *("ul", "li", "b", "main", "section", "span", "button", "label", "input", "details", "summary", "code"),
        *("table", "thead", "tbody", "tr", "th", "td", "del", "ins", "i"),
    }
    assert set(re.findall("<([^/!][^ >]*)", text)) <= tags


@given(values)
def test_a_literal_is_one_line_and_different_texts_stay_different(value: Any) -> None:
    assert escape(literal(value)) == literal(value)
    assert "\n" not in literal(value)


@given(texts, texts)
def test_two_texts_never_have_the_same_literal(one: str, other: str) -> None:
    assert (literal(one) == literal(other)) == (one == other)


def test_values_nested_beyond_all_use_are_shown_all_the_same() -> None:
    value: Any = 1
    for _ in range(150):
        value = [value]
    run = document("plan", assistant("a", change("/metadata/x", value)))
    assert "[0]" * 90 + ": nothing -> [[[[" in render_text(run, width=1_000) or "[[[[" in render_text(run, width=1_000)
    assert parse_report(render_json(run), name="r.json") == run


def test_an_emoji_of_several_characters_stays_whole_and_a_hidden_joiner_shows() -> None:
    assert escape("\U0001f469\u200d\U0001f4bb") == "\U0001f469\u200d\U0001f4bb"
    assert escape("pay\u200dpal") == r"pay\u200dpal"
    assert escape("\U000e0041\u3164") == r"\U000e0041\u3164"
