"""New definitions as people like to read them, and as every parser reads them alike."""

from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from reconciler.yamltext.reader import read_yaml
from reconciler.yamltext.writer import write_definition


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("two words", "two words"),
        ("", '""'),
        ("yes", '"yes"'),
        ("Off", '"Off"'),
        ("012", '"012"'),
        ("1e3", '"1e3"'),
        ("12:30", '"12:30"'),
        ("2024-01-01", '"2024-01-01"'),
        ("null", '"null"'),
        ("~", '"~"'),
        ("1.0", '"1.0"'),
        ("=", '"="'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("#5", '"#5"'),
        ("- a", '"- a"'),
        ("{{name}}", '"{{name}}"'),
        ("@home", '"@home"'),
        ("it's", "it's"),
        (" lead", '" lead"'),
        ("trail ", '"trail "'),
        ("tab\there", '"tab\\there"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("a\u2028b\nc", '"a\\u2028b\\nc"'),
        ("a\u202eb", '"a\\u202eb"'),
        ("a\u202eb\n", '"a\\u202eb\\n"'),
        ("a\u202eb\nc", "|-\n  a\u202eb\n  c"),
        ("a\x85b", '"a\\u0085b"'),
        ("Grüße ☕ \U0001f600", "Grüße ☕ \U0001f600"),
        ("one\ntwo", "|-\n  one\n  two"),
        ("one\n\n  two\n", "|\n  one\n\n    two"),
        ("one\n\n", "|+\n  one\n"),
        ("  one\ntwo", "|2-\n    one\n  two"),
        ("ends in a space \nhere", "|-\n  ends in a space \n  here"),
        ("a tab\tinside\n\tand before\n", "|\n  a tab\tinside\n  \tand before"),
        ("\ttab first\nthen", "|2-\n  \ttab first\n  then"),
        ("blanks alone\n   \n\t\nthen", "|-\n  blanks alone\n     \n  \t\n  then"),
        ("\n\n  first\nthen", "|2-\n\n\n    first\n  then"),
        (" \nfirst\n\tthen", "|2-\n   \n  first\n  \tthen"),
        ("   \n ", '"   \\n "'),  # parsers differ over a block of blanks alone
        ("cr\r\nlf\n", '"cr\\r\\nlf\\n"'),
        (" " + "word " * 20 + "end", '" ' + "word " * 20 + 'end"'),
        ("word " * 20 + "\x07", '"' + "word " * 20 + '\\u0007"'),
        ("w" * 100, "w" * 100),
        ("word " * 17 + "end", ">-\n  " + "word " * 17 + "end"),
        (1, "1"),
        (1.0, "1.0"),
        (1e20, "1.0e+20"),
        (True, "true"),
        ([], "[]"),
        ({}, "{}"),
        (["a", ["b"]], "\n  - a\n  - - b"),
        ([{"a": 1, "b": 2}], "\n  - a: 1\n    b: 2"),
    ],
)
def test_each_kind_of_value_has_its_form(value: Any, text: str) -> None:
    # Whatever form one value takes, the next one has its own.
    fields = {"x": value, "y": "one\ntwo"}
    written = write_definition(fields)
    assert read_yaml(written) == yaml.safe_load(written) == fields
    separator = "" if text.startswith("\n") else " "
    assert written == f"x:{separator}{text}\ny: |-\n  one\n  two\n"


def test_long_texts_are_folded_at_a_readable_width() -> None:
    text = "Welcome to the office of admissions. " * 12
    written = write_definition({"firstMessage": text.strip()})
    assert written.startswith("firstMessage: >-\n")
    assert max(map(len, written.splitlines())) <= 96


def test_keys_are_quoted_too_and_keep_their_order() -> None:
    fields = {
        "id": "1",
        "yes": 1,
        "012": 2,
        "b": 3,
        "a": 4,
        "": 5,
        "multi\nline": 6,
        "k" * 200: 7,
        "l" * 2000: 8,
        "a: b": 9,
    }
    written = write_definition(fields)
    assert list(read_yaml(written)) == list(fields)
    assert '"yes": 1' in written


def test_a_text_is_not_larger_for_its_letters() -> None:
    assert len(write_definition({"x": "é" * 500_000}).encode()) < 2**20


def test_the_same_list_twice_is_written_twice() -> None:
    shared = ["a"]
    assert "&" not in write_definition({"x": shared, "y": shared})


def test_what_no_definition_can_hold() -> None:
    with pytest.raises(ValueError, match="cannot be written as YAML"):
        write_definition({"x": 10**30})
    with pytest.raises(ValueError, match="too large for a definition"):
        write_definition({"firstMessage": "Hi\n" * 2_000_000})
    with pytest.raises(ValueError, match="too large for a definition"):
        write_definition({"endCallPhrases": ["bye"] * 50_000})
    deep: Any = ["a"] * 9_500
    for _ in range(58):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="cannot be written as YAML"):  # it is the indentation that makes it too large
        write_definition({"metadata": deep})


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=120), max_size=4))
def test_any_text_comes_back(fields: dict[str, str]) -> None:
    assert read_yaml(write_definition(fields)) == fields
