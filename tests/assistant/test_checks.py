"""What the models say about a definition's content, by path."""

from typing import Any

import pytest

from reconciler.assistant.checks import Assistant, find_faults
from reconciler.assistant.fields import (
    CLOSED_OBJECTS,
    DOCUMENTED,
    MESSAGES,
    OBJECT_FIELDS,
    REQUIRED_INSIDE,
    TOP_LEVEL,
    UNORDERED,
    is_documented,
    keys_inside,
    takes_null,
)
from reconciler.assistant.paths import FieldPath

EXAMPLE = {
    "id": "asst_123",
    "name": "Enrollment Assistant",
    "firstMessage": "Hi, I'm your enrollment assistant. How can I help today?",
    "firstMessageMode": "assistant-speaks-first",
    "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.6, "maxTokens": 1024},
    "voice": {"provider": "openai", "voiceId": "alloy"},
    "transcriber": {"provider": "deepgram", "model": "nova-2"},
    "voicemailMessage": "Call us back.",
    "endCallMessage": "Goodbye.",
    "endCallPhrases": ["bye"],
    "metadata": {"team": "admissions", "n": [1, None, {"x": 1.5}]},
    "maxDurationSeconds": 1800,
}


def at(path: FieldPath, value: Any) -> dict[str, Any]:
    """Return a definition that declares one value."""
    for key in reversed(path):
        value = {key: value}
    return {"id": "a", **value}


def test_the_references_example_with_every_field() -> None:
    assert find_faults(EXAMPLE) == []
    assert set(EXAMPLE) == {"id", *TOP_LEVEL}


@pytest.mark.parametrize("path", DOCUMENTED, ids=".".join)
def test_the_table_of_fields_and_the_models_agree_on_null(path: FieldPath) -> None:
    assert (find_faults(at(path, None)) == []) is takes_null(path)


def test_the_table_of_fields_and_the_models_agree_on_names() -> None:
    assert tuple(field.alias for field in Assistant.model_fields.values()) == ("id", *TOP_LEVEL)
    for name in CLOSED_OBJECTS:
        (fault,) = find_faults(at((name, "zzzz"), 1))
        assert f"allowed inside {name}: {', '.join(keys_inside((name,)))} " in fault.message
        assert keys_inside((name,))
    assert keys_inside(("name",)) == ()


def test_the_facts_that_others_rely_on() -> None:
    assert set(OBJECT_FIELDS) == {*CLOSED_OBJECTS, "metadata"}
    assert all(key in keys_inside((name,)) for name, keys in REQUIRED_INSIDE.items() for key in keys)
    assert all(path in DOCUMENTED for path in UNORDERED)
    assert set(MESSAGES) <= set(TOP_LEVEL)


def test_undocumented_fields_take_null() -> None:
    assert takes_null(("model", "messages"))
    assert takes_null(("metadata", "x", "y"))
    assert not is_documented(("model", "messages"))
    assert not is_documented(("tools",))
    assert is_documented(("metadata", "x", "y"))
    assert is_documented(("model", "provider"))


@pytest.mark.parametrize("value", [0, 2, 0.0, 2.0, 1])
def test_the_edges_of_the_temperature(value: float) -> None:
    assert find_faults(at(("model", "temperature"), value)) == []


@pytest.mark.parametrize("id_", ["a", "asst_1", ".a", "..a", "...", "a.b", "ä", "a%b", "a:b", "1"])
def test_ids_that_may_be(id_: str) -> None:
    assert find_faults({"id": id_}) == []


def test_an_id_is_needed_unless_told_otherwise() -> None:
    assert [(fault.path, fault.about) for fault in find_faults({"name": "x"})] == [(("id",), "file")]
    assert find_faults({"name": "x"}, needs_id=False) == []
    assert len(find_faults({"name": 1}, needs_id=False)) == 1


def test_empty_objects_and_partial_ones_are_fine() -> None:
    assert find_faults({"id": "a", "model": {}, "voice": {}, "metadata": {}, "endCallPhrases": []}) == []
    assert find_faults({"id": "a", "model": {"temperature": 1}}) == []


def test_extra_fields_are_not_looked_at_and_nothing_is_changed() -> None:
    document = {"id": "a", "tools": [1], "model": {"messages": None, "zz": 1}, "voice": "x"}
    before = repr(document)

    faults = find_faults(document, [("tools",), ("model", "messages"), ("voice", "speed"), ("absent",)])

    assert [fault.path for fault in faults] == [("model", "zz"), ("voice",)]
    assert repr(document) == before


@pytest.mark.parametrize(
    ("document", "message", "discreet"),
    [
        (
            {"model": {"provider": "x" * 100}},
            'model.provider must be one of openai, anthropic; you wrote "' + "x" * 37 + '..."',
            "model.provider must be one of openai, anthropic",
        ),
        (
            {"model": {"temperature": 3}},
            "model.temperature must be between 0 and 2; you wrote 3",
            "model.temperature must be between 0 and 2",
        ),
        (
            {"model": {"zzzz": 3}},
            None,
            "unknown field inside model",
        ),
        ({"zzzz": 3}, None, "unknown field"),
        (
            {"maxDurationSeconds": 1.5},
            (
                "maxDurationSeconds must be a whole number, like 1800; you wrote a number with a decimal point; "
                "write it without a decimal point"
            ),
            "",
        ),
        ({"name": {"a": 1}}, "name must be text; you wrote a group of keys and values", ""),
        (
            {"firstMessagesMode": "x"},
            "unknown field firstMessagesMode; did you mean firstMessageMode?",
            "unknown field",
        ),
        (
            {"model": {"voiceIdd": "x"}},
            "unknown field model.voiceIdd; did you mean voice.voiceId? Write voiceId indented below voice",
            "unknown field inside model",
        ),
    ],
)
def test_messages(document: dict[str, Any], message: str | None, discreet: str) -> None:
    (fault,) = find_faults({"id": "a", **document})
    assert message is None or fault.message == message
    assert fault.discreet == discreet
