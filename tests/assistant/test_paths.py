"""JSON Pointers, dotted names, patterns."""

import pytest
from hypothesis import given, strategies as st

from reconciler.assistant.paths import covers, dotted, parse_pointer, to_pointer


@given(st.lists(st.text(st.sampled_from("a~/01*"), max_size=4), min_size=1).map(tuple))
def test_a_pointer_is_read_as_it_was_written(path: tuple[str, ...]) -> None:
    assert parse_pointer(to_pointer(path)) == path


@pytest.mark.parametrize("pointer", ["", "a", "a/b", "/a~", "/~2", "/a/~x"])
def test_what_is_no_pointer(pointer: str) -> None:
    with pytest.raises(ValueError, match="JSON Pointer"):
        parse_pointer(pointer)


def test_the_examples_of_rfc_6901() -> None:
    assert to_pointer(("metadata", "a/b", "m~n", "")) == "/metadata/a~1b/m~0n/"
    assert parse_pointer("/~01") == ("~1",)
    assert to_pointer(()) == ""
    assert dotted(("model", "temperature")) == "model.temperature"


def test_a_pattern_covers_what_lies_below_it() -> None:
    assert covers(("metadata",), ("metadata", "a"))
    assert covers(("metadata", "*", "key"), ("metadata", "x", "key", "deep"))
    assert not covers(("metadata", "a"), ("metadata",))
    assert not covers(("metadata", "*"), ("model", "a"))
