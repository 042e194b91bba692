"""JSON Pointers, dotted names, patterns."""

import pytest
from hypothesis import given, strategies as st

from reconciler.assistant.paths import covers, dotted, parse_path, parse_pointer, to_pointer


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


def test_an_element_of_a_list_is_written_with_its_place() -> None:
    path = ("model", "messages", "0", "content")
    assert dotted(path) == "model.messages[0].content"
    assert {parse_path(text) for text in (dotted(path), "model.messages.0.content", to_pointer(path))} == {path}
    assert dotted(("model", "temperature")) == "model.temperature"
    assert dotted(("a", "1", "22", "b3", "4x")) == "a[1][22].b3.4x"
    assert dotted(("metadata", "v1.2", "0")) == "metadata.v1.2[0]"
    assert parse_path("a[*].b") == ("a", "*", "b")


def test_a_pattern_covers_what_lies_below_it() -> None:
    assert covers(("metadata",), ("metadata", "a"))
    assert covers(("metadata", "*", "key"), ("metadata", "x", "key", "deep"))
    assert not covers(("metadata", "a"), ("metadata",))
    assert not covers(("metadata", "*"), ("model", "a"))
