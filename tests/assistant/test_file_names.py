"""File names from assistants' names."""

import pytest
from hypothesis import given, strategies as st

from reconciler.assistant.file_names import LONGEST, RESERVED, file_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Enrollment Assistant", "enrollment-assistant"),
        ("  Größe / Maße  ", "grosse-masse"),
        ("../../etc", "etc"),
        ("Café №5", "cafe-no5"),
        ("日本", "asst-1"),
        ("", "asst-1"),
        (None, "asst-1"),
        ("NUL", "assistant-nul"),
        ("com1", "assistant-com1"),
        ("com10", "com10"),
    ],
)
def test_stems(name: str | None, stem: str) -> None:
    assert file_stem(name, "asst_1", set()) == stem


def test_a_name_without_a_letter_and_an_id_without_one() -> None:
    assert file_stem("日本", "日本", {"assistant"}) == "assistant-2"


def test_numbers_for_equal_names() -> None:
    assert file_stem("A", "x", {"a", "a-2", "a-4"}) == "a-3"


@given(st.none() | st.text(max_size=200), st.text(max_size=80), st.sets(st.text(max_size=3), max_size=3))
def test_any_name_is_safe(name: str | None, assistant_id: str, taken: set[str]) -> None:
    stem = file_stem(name, assistant_id, taken)
    assert stem not in taken | RESERVED
    assert stem.strip("-") == stem != ""
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(stem) <= LONGEST + 10
