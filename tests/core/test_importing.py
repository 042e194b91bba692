"""What of a live assistant a new definition declares."""

from typing import Any

import pytest

from reconciler.core.canonical import equal
from reconciler.core.importing import declare
from reconciler.core.settings import Settings


def declared(live: dict[str, Any], **settings: Any) -> Any:
    return declare("asst_1", {"id": "asst_1", **live}, Settings(**settings))


def test_documented_fields_in_the_api_s_order_without_nulls_and_read_only_ones() -> None:
    live = {
        "updatedAt": "x",
        "orgId": "o",
        "createdAt": "x",
        "voice": {"voiceId": "a", "provider": "azure"},
        "name": "A",
        "firstMessage": None,
        "metadata": {"b": 1, "a": None, "deep": {"x": None}},
    }
    found = declared(live)
    assert list(found.fields) == ["id", "name", "voice", "metadata"]
    assert list(found.fields["voice"]) == ["provider", "voiceId"]
    assert found.fields["metadata"] == {"b": 1}
    assert (found.unknown, found.refused, found.hidden) == ((), (), ())
    assert all(equal(value, live[key]) for key, value in found.fields.items() if key != "id")


def test_a_definition_uses_the_id_that_was_asked_for() -> None:
    assert declare("local_1", {"id": "asst_1"}, Settings()).fields == {"id": "local_1"}


@pytest.mark.parametrize(
    ("live", "refused"),
    [
        ({"name": 7}, [("name",)]),
        ({"model": "gpt"}, [("model",)]),
        ({"model": {"provider": "groq", "model": "x"}}, [("model", "provider")]),
        ({"endCallPhrases": ["bye", 7]}, [("endCallPhrases",)]),
        ({"maxDurationSeconds": 1.5}, [("maxDurationSeconds",)]),
        ({"firstMessageMode": "sometimes"}, [("firstMessageMode",)]),
        ({"metadata": [1]}, [("metadata",)]),
        (
            {"metadata": {"n": {"big": 2**63}, "list": [[{"x": [-(2**64)]}]]}},
            [("metadata", "list"), ("metadata", "n", "big")],
        ),
        ({"metadata": {"true": True, "fits": -(2**63) + 1}}, []),
    ],
)
def test_values_that_no_definition_may_hold(live: dict[str, Any], refused: list[tuple[str, ...]]) -> None:
    found = declared(live)
    assert list(found.refused) == refused


def test_fields_that_nobody_documents_are_declared_where_the_settings_name_them() -> None:
    live = {"tools": [1], "model": {"messages": [], "seed": 1}, "other": 1}
    found = declared(live, extra_fields=(("tools",), ("model", "messages")))
    assert found.fields == {"id": "asst_1", "model": {"messages": []}, "tools": [1]}
    assert found.unknown == (("model", "seed"), ("other",))


@pytest.mark.parametrize(
    ("sensitive", "fields", "hidden"),
    [
        (("metadata",), {}, [("metadata",)]),
        (("metadata", "key"), {"metadata": {"list": [{"key": 1}]}}, [("metadata", "key")]),
        (("metadata", "list", "*", "key"), {"metadata": {"key": "x"}}, [("metadata", "list")]),
        (("metadata", "*"), {}, [("metadata", "key"), ("metadata", "list")]),
    ],
)
def test_sensitive_values_are_left_out(sensitive: Any, fields: Any, hidden: Any) -> None:
    found = declared({"metadata": {"key": "x", "list": [{"key": 1}]}}, sensitive=(sensitive,))
    assert found.fields == {"id": "asst_1", **fields}
    assert list(found.hidden) == hidden


def test_a_bad_id_is_not_left_out() -> None:
    """A definition without its id would be no definition; whoever asks for one checks the id."""
    assert declare("a b", {"id": "a b", "name": 7}, Settings()).fields == {"id": "a b"}
