"""The lints about what fields hold, on both sides of each edge."""

from typing import Any

import pytest

from reconciler.assistant.lints import LINTS, find_lints

WAITS = "assistant-waits-for-user"
INVENTS = "assistant-speaks-first-with-model-generated-message"
FIRST = "firstMessage"
# A text that a caller hears, with the lints that find something in it.
SPOKEN = [
    ("Hello {{name}}, from {{ school }}.", ""),
    ("{{a}}{{b}} { c } {{{d}}}", ""),
    ("", ""),
    ("  \n", "blank-text"),
    ("\u200b", "blank-text"),
    ("Hello\u00a0\nthere", "line-end-blanks"),
    ("Hello ", "trailing-space"),
    ("Hello\u00a0", "trailing-space"),
    ("Bye\n", "trailing-newline"),
    ("Bye \r\n", "trailing-newline"),
    ("{{name}", "unpaired-braces"),
    ("name}}", "unpaired-braces"),
    ("{{a {{b}} c}}", "unpaired-braces"),
    ("}}{{", "unpaired-braces"),
    ("{{ ", "trailing-space unpaired-braces"),
    ("This is **important**.", "spoken-markdown"),
    ("This is __important__.", "spoken-markdown"),
    ("This is *important*.", "spoken-markdown"),
    ("This is _important_.", "spoken-markdown"),
    ("~~Old~~ new", "spoken-markdown"),
    ("Say `yes`.", "spoken-markdown"),
    ("# Welcome\nHello", "spoken-markdown"),
    ("We offer:\n- law\n- art", "spoken-markdown"),
    ("We offer:\n1. law\n2. art", "spoken-markdown"),
    ("We offer:\n1) law\n\n2) art", "spoken-markdown"),
    ("We offer:\n  1. law\n\t2. art", "spoken-markdown"),
    ("> Welcome", "spoken-markdown"),
    ("| a | b |", "spoken-markdown"),
    ("Fees\na | b\n:--- | ---:\n1 | 2", "spoken-markdown"),
    ("Fees\n====\nNone.", "spoken-markdown"),
    ("Open 9 -- 5, or 9 | 5\n--\n-", ""),
    ("Hello\n---\nthere", "spoken-markdown"),
    ("See [our site](above).", "spoken-markdown"),
    ("Press * twice, or 5 * 3 * 2, then #.", ""),
    ("Room 7 is\n1. floor", ""),
    ("Open Monday - Friday, 9-17.", ""),
    ("snake_case_name and a__b__c", ""),
    ("2 ** 3** 4, 2 **3 ** 4, 2*3*4, a *b * c", ""),
    ("a ~~ b~~, a ~~b ~~, __ a__, __a __, _ a_, _a _", ""),
    ("a__b__ c, __a__b, a_b_ c, _a_b", ""),
    ("**a\nb** ~~a\nb~~ __a\nb__ *a\nb* _a\nb_ `a\nb` [a\nb](c)", ""),
    ("Rated **** by all, sign here: ____, ~~~~, two `` quotes, [](a), [a]()", ""),
    ("  * law", "spoken-markdown"),
    ("\t+ law", "spoken-markdown"),
    ("-\tlaw", "spoken-markdown"),
    ("#  Welcome", "spoken-markdown"),
    ("Say ```\nyes", "spoken-markdown"),
    ("Hello\n***\nthere", "spoken-markdown"),
    ("Hello\n___\nthere", "spoken-markdown"),
    ("We are number 1.", ""),
    ("5 > 3, and #1 in town", ""),
    ("Go to https://example.edu/apply.", "spoken-link"),
    ("Go to WWW.example.edu.", "spoken-link"),
    ("Go to example.edu/apply.", "spoken-link"),
    ("Go to http:apply or example.edu/ now", ""),
    ("Go to http://apply", "spoken-link"),
    ("Go to my-school.example.edu/apply", "spoken-link"),
    ("Write to mailto:desk@example.edu", "spoken-link"),
    ("[Apply](https://example.edu)", "spoken-markdown spoken-link"),
    ("Go to example dot edu, or example.edu. It is 24/7, and/or 9 a.m./p.m.", ""),
    ("Welcome \U0001f600!", "spoken-emoji"),
    ("Thanks \u2764\ufe0f", "spoken-emoji"),
    ("Call \u260e now", "spoken-emoji"),
    ("Caf\u00e9 \u2013 \u201cwelcome\u201d \u00a9 2027 \u20ac5 \u2192 now", ""),
    ('One <break time="1s"/> two', "spoken-tag"),
    ("One<br>two", "spoken-tag"),
    ("</p>", "spoken-tag"),
    ("<amazon:effect>, <my-tag> <v1.2>", "spoken-tag"),
    ("I <3> you, <_a>, < p>", ""),
    ("Hello <!-- first name --> there", "spoken-tag"),
    ("Hello <\u0438\u043c\u044f>", "spoken-tag"),
    ("I <3 you, 5 < 6 and 7 > 6", ""),
    ("Hello ${name}", "placeholder"),
    ("Hello ${name", "placeholder"),
    ("It costs $5 {net}", ""),
    ("$file prompts/main.md", "placeholder"),
    ("$file: prompts/main.md", "placeholder"),
    ("$filed, or $file", ""),
    ("\u201cHello there\u201d", "curly-quotes"),
    ("\u2018It\u2019s fine\u2019", "curly-quotes"),
    ("\u201eGuten Tag\u201c", "curly-quotes"),
    ("\u00abBonjour\u00bb", "curly-quotes"),
    ("\u201aHallo\u2018", "curly-quotes"),
    ("\u00bbHallo\u00ab", "curly-quotes"),
    ("\u201dHej\u201d", "curly-quotes"),
    ("\u2018Hello'", "curly-quotes"),
    ('\u201cHello"', "curly-quotes"),
    ('\u201eHallo\u201c or "Hello"', ""),
    (" \u201cHello\u201d\n", "curly-quotes trailing-newline"),
    ("\u201cYes\u201d, she said, \u201cno\u201d", ""),
    ('"Hello"', ""),
    ("Hello \nthere", "line-end-blanks"),
    ("Hello\t\r\nthere", "line-end-blanks"),
    ("Hello\n  there", ""),
    ("Hello\n\nthere", ""),
]


def ids(declared: dict[str, Any], **options: Any) -> list[str]:
    return sorted(problem.lint for problem in find_lints(declared, **options))


@pytest.mark.parametrize(("text", "lints"), SPOKEN)
def test_a_text_that_is_spoken(text: str, lints: str) -> None:
    for field in ("firstMessage", "voicemailMessage", "endCallMessage"):
        assert ids({field: text}) == sorted(lints.split())


@pytest.mark.parametrize(("text", "lints"), SPOKEN)
def test_a_text_that_nobody_hears_may_hold_markup(text: str, lints: str) -> None:
    anywhere = {"curly-quotes", "line-end-blanks"} & set(lints.split())
    expected = [] if text.strip() == "" else sorted(anywhere)
    for declared in ({"name": text}, {"model": {"messages": [{"content": text}]}}, {"metadata": {FIRST: text}}):
        assert ids(declared) == expected


@pytest.mark.parametrize(
    ("declared", "lints"),
    [
        ({}, ""),
        ({FIRST: None, "firstMessageMode": WAITS}, ""),
        ({FIRST: "", "firstMessageMode": WAITS}, ""),
        ({FIRST: "Hi", "firstMessageMode": WAITS}, "unspoken-greeting"),
        ({FIRST: "Hi", "firstMessageMode": INVENTS}, "unspoken-greeting"),
        ({FIRST: "Hi", "firstMessageMode": "assistant-speaks-first"}, ""),
        ({FIRST: "Hi", "firstMessageMode": ["x"]}, ""),
        ({FIRST: 3, "metadata": None, "endCallPhrases": [None, 3]}, ""),
        ({"id": "\u201casst\u201d", "voice": {"provider": "\u201cazure\u201d"}}, ""),
        ({"metadata": {"Team": 1, "team": 2, "TEAM": 3}}, "similar-names similar-names"),
        ({"metadata": {"list": [{"caf\u00e9": 1, "cafe\u0301": 2}]}}, "similar-names"),
        ({"metadata": {"team": {"a": 1}, "desk": {"A": 2}}}, ""),
    ],
)
def test_other_fields(declared: dict[str, Any], lints: str) -> None:
    assert ids(declared) == lints.split()


def test_what_yaml_did_to_a_text_is_told_by_others() -> None:
    declared = {"endCallMessage": "Press 1", "model": {"messages": [{"content": "a - b"}]}}
    content = ("model", "messages", "0", "content")
    cut, folded = find_lints(declared, ["endCallMessage"], [content])
    assert (cut.lint, cut.path, folded.lint, folded.path) == (
        "hash-cut",
        ("endCallMessage",),
        "folded-markdown",
        content,
    )
    assert "begins a comment" in cut.message
    assert '"|-"' in folded.message


@pytest.mark.parametrize(
    ("text", "line"), [("a\n{{b\n{{c}}", 2), ("a\n{{b}}\nc}}\n{{d", 3), ("{{a}}\nb\n{{c", 3), ("}}\n{{", 1)]
)
def test_braces_are_reported_in_the_line_of_the_first_that_has_no_pair(text: str, line: int) -> None:
    assert [problem.line for problem in find_lints({"firstMessage": text})] == [line]


def test_a_quoted_finding_has_a_discreet_form() -> None:
    (found,) = find_lints({FIRST: "Call ${secret}"})
    assert "${secret}" in found.message
    assert "secret" not in found.discreet
    assert found.discreet.startswith(FIRST)


def test_every_lint_is_a_warning_of_the_table() -> None:
    found = {problem.lint for text, _ in SPOKEN for problem in find_lints({FIRST: text})}
    elsewhere = {"hash-cut", "unspoken-greeting", "folded-markdown", "skipped-file", "similar-names"}
    assert found | elsewhere == set(LINTS)
    assert {problem.severity for text, _ in SPOKEN for problem in find_lints({FIRST: text})} == {"warning"}
