"""Rarer complaints of the parser, and that none of them quotes the file; the bad definitions have the others."""

import pytest
import yaml

from reconciler.yamltext.nodes import UnreadableText
from reconciler.yamltext.parser_errors import explain_error
from reconciler.yamltext.reader import read_yaml


def read_message(text: str) -> str:
    with pytest.raises(UnreadableText) as error_info:
        read_yaml(text)
    (problem,) = error_info.value.problems
    line, column = problem.place
    return f"{line}:{column} {problem.message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\nb: *x y\n", "2:7 this text cannot continue like this"),
        ('a: "x\\" y" z\n', "1:12 the text continues after its closing quote"),
        ("a: 'x\nb: c\nd: 'e'\n", "1:4 this quote is opened but not closed"),
        ("a: [b,\n  c] d\n", "2:6 nothing can follow the bracket that closes a group"),
        ('"a": {b: c} d\n', '1:6 a text cannot begin with "{"'),
        ("a: b\n- c: {d: e} f\n", "2:1 a list item is not allowed here"),
        ("- {a: b} c\n", "1:10 a list item is expected here"),
        ("a: !<foo bar\n", '1:4 a text cannot begin with "!"'),
        ("a: , b\n", '1:4 a text cannot begin with ","'),
        ('a: "\\ud83d\\ude00"\n', "1:7 this escape is incomplete"),
        ("k: v\n" + "k" * 1100 + ": v\n", "2:1 before a colon YAML reads at most 1,024"),
        ("[", '1:2 something is missing here after a "{", "[" or comma'),
        ("a: [1, 2\r\nb: 3\r\n", '1:4 "[" opens a group'),
    ],
)
def test_a_mistake_is_explained_at_its_place(text: str, message: str) -> None:
    assert read_message(text).startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "k: hush: hush\n", "k: @hush\n", "k: {hush\n", "k: [hush\n", 'k: "hush\n', "k: 'hush' hush\n", "k: *hush\n",
        "k: &hush &hush x\n", "k: !hush!x y\n", "k: |hush\n", "k: >hush\n", "hush\nk: 1\n", "hush:1\nk: 1\n",
        'k: "hush\\q"\n', "%hush\n", "k: 1\n hush: 2\n", "k: - hush\n", "k: hush\n---\nk: hush\n", "k: hush\x01\n",
        "k: hush\u2028hush\n", "k: " + "[" * 70 + "hush", "k: &hush [*hush]",
    ],
)  # fmt: skip
def test_no_complaint_quotes_the_file(text: str) -> None:
    assert "hush" not in read_message(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n  {}: 1\n", (2, 3)),
        ("a:\n- {}: 1\n", (2, 3)),
        ("a: 1\n{} : |\n  x\n", (2, 1)),
        ("a:\n  b: 1\n  '{}': 1\n", (3, 3)),
        ('a: {{b: 1, "{}": 1}}\n', (1, 11)),
        ("a: [\n  {}: 1\n]\n", (2, 3)),
    ],
)
def test_a_key_that_is_too_long_for_yaml(text: str, place: tuple[int, int]) -> None:
    assert read_message(text.format("k" * 1025)).startswith(
        f"{place[0]}:{place[1]} before a colon YAML reads at most 1,024"
    )


def test_a_complaint_that_nobody_has_met_yet() -> None:
    error = yaml.MarkedYAMLError(problem="something new")
    assert explain_error("a: b\n", error) == (1, 1, "this is not valid YAML (something new)")
