"""Plain scalars that YAML 1.1 and YAML 1.2 read differently."""

import math

import pytest
import yaml
from depth import examples
from hypothesis import given, settings, strategies as st

from reconciler.yamltext.scalars import PLAIN, TEXT, Refusal, read_plain, read_scalar, write_number

CLEAR = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False, "0": 0,
    "00": 0, "-0": 0, "12": 12, "+12": 12, "-12": -12, "0x1F": 31,
    "1.5": 1.5, "1.": 1.0, ".5": 0.5, "-1.5": -1.5, "1.0e+3": 1000.0, "1.0e-3": 0.001,
    "9223372036854775807": 2**63 - 1,
}  # fmt: skip
TEXTS = [
    "nothing", "y", "n", "Y", "N", "tRUE", "nUll", "hello there", "1.2.3", "1-2", "+1 555 0100", "-", "--", ".", "..",
    "0x", "0o8", "1e", "e3", "1.e", "12:99", "2024-1", "24/7", "10%", "1,000", "yes please", "no.", "~5", "<b>", "==",
    "Infinity", "nan", "inf", "NaN", "1__x", "O'Brien", "9" * 70 + "x", "no" * 100,
]  # fmt: skip
DOUBTFUL = [
    "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "012", "-012", "0o14", "08",
    "1_000", "1_0.5", "1e3", "1E3", "1.5e3", "+.5", "-.5", "12:30", "12:30:45", "1:30.5", "2024-01-01", "2024-02-31",
    "2001-12-14 21:59:43", "0b1", "-0x1F", "<<", "=", ".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1e999", "1.0e+999",
    "9223372036854775808", "-9223372036854775808", "9" * 64, "9" * 5000, "1" + ":1" * 40, "0x" + "f" * 70,
    "1e" + "0" * 70,
]  # fmt: skip


@pytest.mark.parametrize("text", CLEAR)
def test_what_all_parsers_read_alike_is_read(text: str) -> None:
    value = read_plain(text)
    assert (type(value), value) == (type(CLEAR[text]), CLEAR[text])


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_a_text_to_all_parsers_is_read_as_one(text: str) -> None:
    assert read_plain(text) == text


@pytest.mark.parametrize("text", DOUBTFUL)
def test_doubtful_ones_are_refused_without_being_quoted_discreetly(text: str) -> None:
    refusal = read_plain(text)
    assert isinstance(refusal, Refusal)
    assert text[:20] in refusal.message
    assert f'"{text}"' not in refusal.discreet


@given(st.text("0123456789+-._:eExXoOabfnstyuilTNYFr~<= ", max_size=12))
@settings(max_examples=examples(500))
def test_what_is_taken_is_what_pyyaml_reads(text: str) -> None:
    value = read_plain(text)
    if not isinstance(value, Refusal) and text.strip(" -?:") == text and not {":", "<"} & set(text):
        assert repr(value) == repr(yaml.load(f"[{text}]", yaml.CSafeLoader)[0] if text else None)


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=examples(300))
def test_a_number_is_written_so_that_every_parser_reads_it(number: float) -> None:
    read = read_plain(write_number(number))
    assert isinstance(read, float)
    assert math.copysign(1, read) == math.copysign(1, number)
    assert read == number


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        (PLAIN, "1", 1),
        (TEXT, "1", "1"),
        ("tag:yaml.org,2002:str", "yes", "yes"),
        ("tag:yaml.org,2002:int", "7", 7),
        ("tag:yaml.org,2002:float", "7.5", 7.5),
        ("tag:yaml.org,2002:bool", "false", False),
        ("tag:yaml.org,2002:null", "", None),
    ],
)
def test_tags(tag: str, text: str, value: object) -> None:
    read = read_scalar(tag, text)
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("tag:yaml.org,2002:int", "7.5"),
        ("tag:yaml.org,2002:int", "true"),
        ("tag:yaml.org,2002:int", "012"),
        ("tag:yaml.org,2002:bool", "yes"),
        ("tag:yaml.org,2002:binary", "aGk="),
        ("tag:yaml.org,2002:map", ""),
        ("!x", ""),
    ],
)
def test_tags_that_do_not_fit(tag: str, text: str) -> None:
    assert isinstance(read_scalar(tag, text), Refusal)
