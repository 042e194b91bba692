"""Reading YAML: the same value as PyYAML's own loader where that is clear, and never a crash."""

from typing import Any

import pytest
import yaml
from depth import examples
from hypothesis import given, settings, strategies as st

from reconciler.assistant.problem import FieldProblem
from reconciler.yamltext.nodes import UnreadableText, find_places
from reconciler.yamltext.portable import find_ambiguities
from reconciler.yamltext.reader import read_tolerantly, read_yaml


def locate(text: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """Where each key of a text stands."""
    return {path: place.key for path, place in find_places(text).items()}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def read_problems(text: str) -> list[FieldProblem]:
    with pytest.raises(UnreadableText) as error_info:
        read_yaml(text)
    return error_info.value.problems


def read_or_problems(text: str) -> tuple[Any, list[FieldProblem]]:
    """Return the value of a text, or the problems; one of them there always is."""
    try:
        return read_yaml(text), []
    except UnreadableText as error:
        return None, error.problems or pytest.fail("refused without a reason")


@given(json_values)
@settings(max_examples=examples(150))
def test_what_pyyaml_writes_is_read_back(value: Any) -> None:
    text = yaml.safe_dump({"a": value}, allow_unicode=False)
    read, problems = read_or_problems(text)
    if problems:
        # PyYAML leaves text unquoted that only YAML 1.2 takes for a number.
        assert all("is read as" in problem.message for problem in problems)
        return
    assert read == {"a": value}
    assert repr(read) == repr(yaml.safe_load(text))


@given(st.text(alphabet=" \t\n-:{}[]&*!|>'\"%@`#?,<=.0aé“", max_size=40))
@settings(max_examples=examples(400))
def test_no_text_is_more_than_a_value_or_a_list_of_problems(text: str) -> None:
    locate(text)
    read, problems = read_or_problems(text)
    for problem in problems:
        line, column = problem.place
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1
        assert problem.message
    if not problems:
        assert read == yaml.load(text, yaml.CSafeLoader)


plain_layouts = ["a: x\nb: y z\n", "a: |\n  x\n\n  y\nb: z\n", "a: [x, 'y', {b: c}]\n", "a: {b: [x], c: 'y'}\n"]
odd_pieces = [
    "\r",
    "\t",
    " ",
    "#",
    " #",
    "\n",
    "\n \n",
    "\ufeff",
    "&x ",
    "!",
    "?",
    "-",
    ":",
    ",",
    "|",
    "\n...\n",
    "\n|\n x\n",
]


@given(
    st.sampled_from(plain_layouts),
    st.lists(st.tuples(st.sampled_from(odd_pieces), st.integers(1, 24)), min_size=1, max_size=2),
    st.booleans(),
)
@settings(max_examples=examples(1500))
def test_what_is_read_has_no_layout_that_parsers_read_differently(
    text: str, insertions: list[tuple[str, int]], ends: bool
) -> None:
    for piece, position in insertions:
        text = text[:position] + piece + text[position:]
    text = text if ends else text.removesuffix("\n")
    _, problems = read_or_problems(text)
    assert problems or find_ambiguities(text) == []


def test_types_stay_as_they_are_written() -> None:
    read = read_yaml('a: 1\nb: 1.0\nc: "1"\nd: true\ne: null\nf:\ng: 0x1F\nh: !!float 2.0\ni: !!str 012\nj: !!null ""')
    assert repr(read) == (
        "{'a': 1, 'b': 1.0, 'c': '1', 'd': True, 'e': None, 'f': None, 'g': 31, 'h': 2.0, 'i': '012', 'j': None}"
    )


def test_core_tags_may_be_written_out() -> None:
    assert read_yaml('!!map {a: !!seq [!!int "3", !!bool true, !!str x]}') == {"a": [3, True, "x"]}


def test_an_empty_text_has_no_value() -> None:
    assert read_yaml("") is None
    assert read_yaml("# nothing\n") is None


def test_line_ends_of_windows_and_a_byte_order_mark() -> None:
    assert read_yaml("\ufeffa: |\r\n  x\r\n  y\r\nb: 1\r\n") == {"a": "x\ny\n", "b": 1}


def test_aliases_are_values_of_their_own() -> None:
    read = read_yaml("a: &x {b: [1]}\nc: *x\n")
    assert read == {"a": {"b": [1]}, "c": {"b": [1]}}
    read["a"]["b"].append(2)
    assert read["c"] == {"b": [1]}


def test_the_interpreter_survives_what_makes_libyaml_overflow_the_stack() -> None:
    assert [problem.message for problem in read_problems("[" * 100_000)] == ["this is nested more than 64 levels deep"]
    assert [problem.message for problem in read_problems("a: " + "{a: " * 50_000)] == [
        "this is nested more than 64 levels deep"
    ]


def test_a_number_that_takes_minutes_to_compute_is_refused_at_once() -> None:
    assert "too long" in read_problems("a: 1" + ":59" * 200_000)[0].message


@pytest.mark.parametrize("text", ["a: !!map [x]", "a: !!seq {x: 1}", "a: !x [y]", "!!omap [a: 1]"])
def test_tags_of_collections(text: str) -> None:
    assert "is not supported; remove it" in read_problems(text)[0].message


def test_64_levels_are_read() -> None:
    assert read_yaml("[" * 64 + "]" * 64) is not None


def test_every_problem_is_told_with_its_path_and_what_could_be_read() -> None:
    text = "a: yes\nb: [on, 1]\nb: 2\n3: x\nc: !x d\n"
    with pytest.raises(UnreadableText) as error_info:
        read_yaml(text)
    assert [(*problem.place, problem.path) for problem in error_info.value.problems] == [
        (1, 4, ("a",)),
        (2, 5, ("b", "0")),
        (3, 1, ("b",)),
        (4, 1, ("3",)),
        (5, 4, ("c",)),
    ]
    assert read_tolerantly(text).value == {"a": "yes", "b": ["on", 1], "c": "d"}
    assert str(error_info.value) == "1:4; 2:5; 3:1; 4:1; 5:4"


def test_a_discreet_message_quotes_nothing() -> None:
    text = (
        "a: 0123\nb: 1_000\nc: .inf\nd: 99999999999999999999\ne: !hush x\nk: {yes: 1, 12: 1}\nl: !!set {}\n<<: {}\n"
        "m: !!int hush\nn: !hush [a]\n"
    )
    for problem in read_problems(text):
        message = problem.discreet or problem.message
        assert not any(word in message for word in ("0123", "1_000", "inf", "999", "hush", "yes", "12")), message


def test_places_of_keys() -> None:
    text = (
        "id: a\nmodel:\n  provider: openai\n  temperature: 1\nendCallPhrases:\n  - bye\n  - [x]\n"
        "m: {a: &b {c: 1}, d: *b}\n"
    )
    assert locate(text) == {
        ("id",): (1, 1),
        ("model",): (2, 1),
        ("model", "provider"): (3, 3),
        ("model", "temperature"): (4, 3),
        ("endCallPhrases",): (5, 1),
        ("endCallPhrases", "0"): (6, 5),
        ("endCallPhrases", "1"): (7, 5),
        ("endCallPhrases", "1", "0"): (7, 6),
        ("m",): (8, 1),
        ("m", "a"): (8, 5),
        ("m", "a", "c"): (8, 12),
        ("m", "d"): (8, 19),
        ("m", "d", "c"): (8, 12),
    }


@pytest.mark.parametrize("text", ["", "a: b: c", "12", "a: &a [*a]", "just text", "a: [" + "[" * 100])
def test_places_of_what_cannot_be_read(text: str) -> None:
    assert locate(text) == {}


def test_places_are_tolerant_of_other_problems() -> None:
    assert locate("a: yes\na: 2\n? [x]\n: 1\nb: 1\n") == {("a",): (1, 1), ("b",): (5, 1)}


def test_fields_that_a_comment_cuts_off() -> None:
    text = "a: x # y\nb: x\nc: 'x' # y\n? [d]\n: x # y\ne: # y\nf: ~ # y\n"
    assert read_tolerantly(text).cut_off == ("a", "e")
    assert read_tolerantly("\ufeff" + text).cut_off == ("a", "e")
    assert read_tolerantly(text.replace("\n", "\r\n")).cut_off == ("a", "e")
    assert read_tolerantly("- a # b").cut_off == ()
    assert read_tolerantly("a: [").cut_off == ()


@pytest.mark.parametrize("text", ["a: |\n  \n  x\n", "a: >-\n\n  \n\n  x\n", "- |+\n  \n  \n  x\n\n"])
def test_a_line_of_blanks_as_far_as_the_text_below_is_read_alike(text: str) -> None:
    assert read_yaml(text) == yaml.safe_load(text)
