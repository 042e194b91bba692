"""File names from assistants' names."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from reconciler.assistant.file_names import LONGEST, RESERVED, choose_stem, same_name


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Enrollment Assistant", "enrollment-assistant"),
        ("  Größe / Maße  ", "grosse-masse"),
        ("../../etc", "etc"),
        ("Café №5", "cafe-no5"),
        ("日本", "日本"),
        ("مُساعِد القبول", "مُساعِد-القبول"),
        ("می\u200cکنم", "میکنم"),  # what only joins letters is none
        ("प्रवेश सहायक", "प्रवेश-सहायक"),
        ("ガイド 学校", "ガイド-学校"),
        ("\uff21\uff22", "ab"),
        ("Søren Łódź", "søren-łodz"),
        ("❤\ufe0f Love 1\ufe0f\u20e3", "love-1"),
        ("\u3164\u202e", "asst-1"),
        ("_defaults", "defaults"),
        ("", "asst-1"),
        (None, "asst-1"),
        ("NUL", "assistant-nul"),
        ("com1", "assistant-com1"),
        ("com10", "com10"),
    ],
)
def test_stems(name: str | None, stem: str) -> None:
    assert choose_stem(name, "asst_1", set()) == stem


def test_a_name_without_a_letter_and_an_id_without_one() -> None:
    assert choose_stem("?!", "_", {"assistant"}) == "assistant-2"


def test_numbers_for_equal_names() -> None:
    assert choose_stem("A", "x", {"a", "a-2", "a-4"}) == "a-3"


def test_names_that_are_one_file_on_some_systems() -> None:
    assert same_name("GRO\u0308SSE") == same_name("gr\u00f6\u00dfe")
    assert choose_stem("ガイド", "x", {same_name("\u30ab\u3099イト\u3099")}) == "ガイド-2"


@given(st.none() | st.text(max_size=200), st.text(max_size=80), st.sets(st.text(max_size=3), max_size=3))
def test_any_name_is_safe(name: str | None, assistant_id: str, taken: set[str]) -> None:
    stem = choose_stem(name, assistant_id, taken)
    assert stem not in RESERVED
    assert same_name(stem) not in taken
    assert stem.strip("-") == stem != ""
    assert unicodedata.normalize("NFC", stem) == stem
    assert all(char == "-" or unicodedata.category(char)[0] in "LMN" for char in stem)
    assert unicodedata.category(stem[0])[0] != "M"
    assert len(stem) <= LONGEST + 10
    assert len(f"{stem}.yaml".encode()) <= 255
