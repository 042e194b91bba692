"""What two environments differ in as text, Markdown and JSON: names, places, masks, and nothing that acts."""

import json
import re
from typing import Any, NamedTuple

import pytest
from rendered import render_markdown, render_text

from reconciler.assistant.paths import FieldPath
from reconciler.core.definition import Definition, InvalidDefinition, Layer, LayerKind, Place
from reconciler.core.json_values import from_json
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, build_tree
from reconciler.report.diff_report import DiffReport, build_diff_report
from reconciler.report.differences.values import count_columns
from reconciler.report.formats.page import measure_utf16
from reconciler.report.json_text import render_json

Pair = tuple[Definition | None, Definition | None]  # a definition as the two environments have it
LONG = "Hello, this is the enrollment office of Example University. How can I help you today?"


class Difference(NamedTuple):
    """One leaf and the value that each of the two declares there, or `MISSING`."""

    path: FieldPath
    environment: Any
    against: Any


def layer(file: str, kind: LayerKind, field: str, line: int) -> Layer:
    place = Place((line, 1), (line, 5))
    return Layer(file=file, text="", fields={}, kind=kind, find_places=lambda _: {(field,): place})


def definition(key: str, *leaves: tuple[FieldPath, Any]) -> Definition:
    own = layer("assistants/a.yaml", "definition", "firstMessage", 3)
    overlay = layer("environments/x/a.yaml", "overlay", "name", 2)
    return Definition(key, f"assistants/{key}.yaml", "asst_1", build_tree(leaves), (own, overlay))


def make_pair(*differences: Difference, key: str = "a") -> Pair:
    own = definition(key, *((difference.path, difference.environment) for difference in differences))
    against = definition(key, *((difference.path, difference.against) for difference in differences))
    return own, against


def invalid_definition(message: str) -> Pair:
    return InvalidDefinition("c", "assistants/c.yaml", "", message=message), None


def document(*pairs: Pair, sensitive: tuple[FieldPath, ...] = ()) -> DiffReport:
    own, against = ([each for each in side if each is not None] for side in ([*zip(*pairs, strict=True)] or ((), ())))
    return build_diff_report(("staging", own), ("production", against), Settings(), sensitive=sensitive)


@pytest.mark.parametrize(
    ("environment", "against", "sign"), [({"a": 1}, {"a": 1, "b": 2}, "-"), ({"a": 1, "b": 2}, {"a": 1}, "+")]
)
def test_a_key_that_one_of_them_lacks_inside_a_list_is_a_difference(
    environment: dict[str, int], against: dict[str, int], sign: str
) -> None:
    text = render_text(document(make_pair(Difference(("metadata", "list"), [environment], [against]))))
    assert f"  {sign} metadata.list[0].b: production has " in text
    assert "sensitive" not in text


def test_the_order_of_phrases_that_end_a_call_is_no_difference_between_them_either() -> None:
    found = Difference(("endCallPhrases",), ["bye", "ciao", "later"], ["ciao", "bye"])
    text = render_text(document(make_pair(found)))
    assert text.count("endCallPhrases") == 1


def test_short_values_each_with_its_place() -> None:
    report = document(make_pair(Difference(("name",), "New", "Old"), Difference(("metadata", "a b"), MISSING, None)))
    assert render_text(report) == (
        "assistants/a.yaml: 2 fields differ\n"
        '  - metadata."a b": production has nothing (null at assistants/a.yaml),\n'
        "      staging has nothing\n"
        '  ~ name: production has "Old" (environments/x/a.yaml:2), staging has "New"\n'
        "      (environments/x/a.yaml:2)\n"
        "\n"
        "Diff: 1 differs, 0 only in staging, 0 only in production, 0 alike, 0 errors.\n"
    )


def test_long_texts_are_a_diff_from_one_to_the_other() -> None:
    report = document(make_pair(Difference(("firstMessage",), LONG.replace("today", "now"), LONG)))
    label = "production has [-this-] (assistants/a.yaml:3), staging has {+this+} (assistants/a.yaml:3)"
    text = render_text(report, width=200)
    assert f"  ~ firstMessage: {label}\n      ~ " in text
    assert "[-today-]{+now+}?" in text
    markdown = render_markdown(report)
    assert f"`firstMessage`: `{label}`" in markdown
    assert f"```diff\n! {LONG[:-6]}[-today-]{{+now+}}?\n```" in markdown


def test_a_long_text_beside_none() -> None:
    text = render_text(document(make_pair(Difference(("firstMessage",), None, LONG))), width=200)
    sentence = "production has this (assistants/a.yaml:3), staging has nothing (null at assistants/a.yaml:3)"
    assert f"{sentence}\n      - Hello, this is" in text
    text = render_text(document(make_pair(Difference(("firstMessage",), LONG, MISSING))), width=200)
    assert "production has nothing, staging has this (assistants/a.yaml:3)\n      + Hello, this is" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_are_no_wider_than_the_terminal(width: int) -> None:
    report = document(
        make_pair(
            Difference(("name",), "x" * 36, "y " * 18),
            Difference(("firstMessage",), LONG * 3, LONG * 2),
            Difference(("endCallPhrases",), ["bye"] * 40, None),
        ),
        (None, definition("b")),
        invalid_definition("line 3: " + "this is not right " * 9),
    )
    lines = render_text(report, width=width).splitlines()
    assert max(map(count_columns, lines[:-1])) <= width
    assert not [line for line in lines if line != line.rstrip()]


def test_colour_is_for_signs_and_texts_alone() -> None:
    report = document(make_pair(Difference(("name",), "New", "Old")))
    coloured = render_text(report, colour=True)
    assert "\x1b[33m~\x1b[0m name:" in coloured
    plain = coloured
    for code in ("0", "1", "2", "31", "32", "33"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == render_text(report)


def test_definitions_of_one_environment_and_those_that_are_not_valid() -> None:
    report = document(
        (definition("a"), definition("a")),
        (definition("b"), None),
        invalid_definition("line 1: no | good"),
    )
    assert render_text(report) == (
        "assistants/c.yaml: error\n"
        "  error: line 1: no | good\n"
        "\n"
        "assistants/b.yaml: only in staging: it has no id in production\n"
        "\n"
        "Diff: 0 differ, 1 only in staging, 0 only in production, 1 alike, 1 error.\n"
    )
    assert render_markdown(report) == (
        "## Diff\n\n"
        "**Diff: 0 differ, 1 only in staging, 0 only in production, 1 alike, 1 error.**\n\n"
        "| Assistant | What | File |\n"
        "| --- | --- | --- |\n"
        "| c | error: line 1: no &#124; good | `assistants/c.yaml` |\n"
        "| b | only in staging: it has no id in production | `assistants/b.yaml` |\n\n"
        "<details>\n<summary><b>c</b>: error (<code>assistants/c.yaml</code>)</summary>\n\n"
        "- **Error:** line 1: no &#124; good\n\n</details>\n"
    )


def test_nothing_differs() -> None:
    report = document((definition("a"), definition("a")))
    summary = "Diff: 0 differ, 0 only in staging, 0 only in production, 1 alike, 0 errors."
    assert render_text(report) == f"staging and production do not differ.\n{summary}\n"
    assert render_markdown(report) == f"## Diff\n\n**{summary}**\n\nstaging and production do not differ.\n"


def test_nothing_to_compare() -> None:
    assert render_text(document()) == "Diff: no definitions selected, nothing to do.\n"


def test_sensitive_values_are_in_no_format() -> None:
    found = make_pair(
        Difference(("metadata", "crmKey"), "hush-one", "hush-two"),
        Difference(("metadata", "list"), [{"key": "hush-three", "n": 1}], [{"key": "hush-four", "n": 2}]),
        Difference(("firstMessage",), LONG, "hush-five"),
    )
    sensitive = (("metadata", "crmKey"), ("metadata", "list", "*", "key"), ("firstMessage",))
    report = document(found, sensitive=sensitive)
    for text in (render_text(report), render_markdown(report), render_json(report)):
        assert "hush" not in text
        assert "enrollment office" not in text
        assert "(sensitive)" in text
    assert "metadata.list[0].n: production has 2" in render_text(report)


def test_what_a_definition_says_acts_nowhere() -> None:
    hostile = "```a` | <b> @ada #1 \x1b[2J"
    found = (Difference(("metadata", hostile), hostile, "x"), Difference(("firstMessage",), f"{hostile}\n{LONG}", LONG))
    report = document(make_pair(*found, key="x|`y"))
    assert "\x1b" not in render_text(report)
    outside, fence, inside = render_markdown(report).partition("\n````diff\n")
    assert fence, "the fence is longer than any run of backticks inside"
    assert "<b> @" not in outside
    assert not re.search(r"@(?!&#8203;)", outside)
    assert inside.startswith("+ ```a` | <b>")
    assert not [line for line in outside.splitlines() if line.startswith("|") and line.count("|") not in (3, 4)]


def test_markdown_has_a_limit_and_says_what_is_left_out() -> None:
    many = [make_pair(Difference(("name",), f"new {key}", "old"), key=f"k{key:03}") for key in range(200)]
    text = render_markdown(document(*many), limit=20_000)
    assert measure_utf16(text) <= 20_000
    assert "_Left out to fit the size limit: " in text
    assert "sections" in text.splitlines()[-1]
    tiny = render_markdown(document(*many), limit=1_000)
    assert "rows of the table" in tiny
    assert measure_utf16(tiny) <= 1_000


def test_the_document_has_its_shape_and_says_nothing_of_time() -> None:
    report = document(
        make_pair(Difference(("name",), "New", None), Difference(("firstMessage",), MISSING, "x")),
        invalid_definition("no"),
    )
    read: dict[str, Any] = json.loads(render_json(report))
    assert from_json(DiffReport, read) == report
    assert [*read] == ["format_version", "tool_version", "command", "environment", "against", "summary", "definitions"]
    second, first = read["definitions"][0]["differences"]
    assert first == {
        "path": "/name",
        "environment": {"value": "New", "file": "environments/x/a.yaml", "line": 2},
        "against": {"value": None, "file": "environments/x/a.yaml", "line": 2},
    }
    assert second["environment"] is None
