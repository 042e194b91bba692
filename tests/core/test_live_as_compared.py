"""Live as comparisons see it: what the server manages is not there, and line ends are those of the definition."""

import json
from typing import Any

import pytest

from reconciler.core.canonical import align_line_ends, normalize_live
from reconciler.core.settings import Settings

ANY = Settings(line_endings="any")


def drop_fields(live: dict[str, Any], *paths: tuple[str, ...]) -> dict[str, Any]:
    return normalize_live(live, {}, Settings(never_send=paths))


@pytest.mark.parametrize(
    ("path", "remaining"),
    [
        (("model", "revision"), {"model": {"x": [{"id": 1, "a": 2}, {"id": 3}, 4]}, "metadata": {"revision": 7}}),
        (("*", "revision"), {"model": {"x": [{"id": 1, "a": 2}, {"id": 3}, 4]}, "metadata": {}}),
        (("model", "x", "*", "id"), {"model": {"revision": 1, "x": [{"a": 2}, {}, 4]}, "metadata": {"revision": 7}}),
        (("model", "x", "0"), None),  # an element of a list is never taken out: it would move the others
        (("model", "y"), None),
        (("voice", "revision"), None),
    ],
)
def test_what_the_server_manages_is_not_there(path: tuple[str, ...], remaining: dict[str, Any] | None) -> None:
    live = {"model": {"revision": 1, "x": [{"id": 1, "a": 2}, {"id": 3}, 4]}, "metadata": {"revision": 7}}
    assert drop_fields(live, path) == (remaining or live)
    assert live["metadata"] == {"revision": 7}


def test_a_whole_number_that_the_server_writes_as_a_fraction_is_one_in_documented_fields() -> None:
    live = {"maxDurationSeconds": 600.0, "model": {"maxTokens": 100.0, "temperature": 1.0}, "metadata": {"a": 5.0}}
    written = {"maxDurationSeconds": 600, "model": {"maxTokens": 100, "temperature": 1.0}, "metadata": {"a": 5.0}}
    assert json.dumps(drop_fields(live)) == json.dumps(written)
    odd = {"maxDurationSeconds": 600.5, "model": None}
    assert drop_fields(odd) == odd


@pytest.mark.parametrize(
    ("declared", "live", "kept_once"),
    [
        ("a long text", "a long text", True),
        ({"x": [1, {"y": 2}]}, {"x": [1, {"y": 2}]}, True),
        ("a long text", "another text", False),
        ({"x": 1}, {"x": 1, "y": 2}, False),  # a key that nobody declares
        ({"x": 1, "y": 2}, {"x": 1}, False),
        ({"x": 1}, {"x": True}, False),  # equal in Python, and not in JSON
        ({"x": 1}, {"x": 1.0}, False),
    ],
)
def test_what_is_written_the_same_is_kept_once(declared: Any, live: Any, kept_once: bool) -> None:
    value = json.loads(json.dumps(live))  # as it comes from the API: equal, and not the same object
    compared = normalize_live({"field": value, "other": value}, {"field": declared}, Settings())
    assert compared == {"field": live, "other": live}
    assert (compared["field"] is declared, compared["other"] is value) == (kept_once, True)


@pytest.mark.parametrize(
    ("declared", "live", "compared"),
    [
        ("a\nb", "a\r\nb", "a\nb"),
        ("a\r\nb", "a\nb", "a\r\nb"),  # as the definition has it
        ("a\r\nb\n", "a\nb\r\n", "a\r\nb\n"),
        ("a\nb", "a\r\nB\r\n", "a\nB\n"),
        ("a\nb", "a\rb", "a\rb"),  # an end of line for nobody
        (None, "a\r\nb", "a\nb"),
        ("a", None, None),
        ("a\nb", ["a\r\nb"], ["a\r\nb"]),
        (None, {"x": "a\r\nb"}, {"x": "a\r\nb"}),
        ("x", {"x": "a\r\nb"}, {"x": "a\r\nb"}),
        ({"x": "a\nb"}, {"x": "a\r\nb", "y": "a\r\nb"}, {"x": "a\nb", "y": "a\r\nb"}),
        ({"x": {}}, {"x": {"y": "a\r\nb"}}, {"x": {"y": "a\r\nb"}}),
        (["a\nb"], ["a\r\nb", "c\r\n"], ["a\nb", "c\n"]),
        (["a\nb"], ["c\r\n", "a\r\nb"], ["c\n", "a\nb"]),
        (["a\r\nb", "x"], ["x", "c\n", "a\nb", {"y": "\r\n"}], ["x", "c\n", "a\r\nb", {"y": "\n"}]),
        (["a\nb", "x"], ["x"], ["x"]),
        ([{"x": "a"}], ["a\r\nb"], ["a\nb"]),
        ([{"x": "a\nb"}], [{"x": "a\r\nb", "y": "\r\n"}], [{"x": "a\nb", "y": "\r\n"}]),
    ],
)
def test_texts_have_the_line_ends_of_the_definition(declared: Any, live: Any, compared: Any) -> None:
    assert align_line_ends(live, declared, ANY) == compared
    assert align_line_ends(live, declared, Settings()) is live
    assert align_line_ends(compared, declared, ANY) == compared
