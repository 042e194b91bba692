"""What the checks say about a definition's content, by path."""

from typing import Any

import pytest
from one_field import declare, find_schema

from reconciler.assistant.checks import check_definition
from reconciler.assistant.fields import (
    CLOSED_OBJECTS,
    DOCUMENTED,
    FIELDS,
    MESSAGES,
    REQUIRED_INSIDE,
    TOP_LEVEL,
    UNORDERED,
    Field,
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


def test_the_references_example_with_every_field() -> None:
    assert check_definition(EXAMPLE) == []
    assert set(EXAMPLE) == {"id", *TOP_LEVEL}


@pytest.mark.parametrize("path", DOCUMENTED, ids=".".join)
def test_null_is_refused_where_the_table_of_fields_says_so(path: FieldPath) -> None:
    assert (check_definition(declare(path, None)) == []) is takes_null(path)


WRONG: dict[str, Any] = {
    "text": 7,
    "whole number": 1.5,
    "number": "warm",
    "texts": "bye",
    "fields": "gpt-4o",
    "anything": [1],
}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: ".".join(field.path))
def test_a_field_of_the_table_has_its_checks_its_schema_and_its_words(field: Field) -> None:
    """Whoever adds a field, or a kind of field, is told here what is still missing."""
    assert field.path[:-1] in [(), *((name,) for name in CLOSED_OBJECTS)]
    assert field.examples or field.kind == "fields"
    assert all(check_definition(declare(field.path, example)) == [] for example in field.examples)

    (problem,) = check_definition(declare(field.path, WRONG[field.kind]))
    assert problem.path == field.path
    assert problem.message.startswith(f"{'.'.join(field.path)} must be ")
    assert "; you wrote " in problem.message

    schema = find_schema(field.path)
    assert schema["description"].startswith(field.description)
    assert ("null" in schema["type"]) is field.takes_null
    assert [choice for choice in schema.get("enum", []) if choice] == [*field.choices]
    assert (schema.get("minimum"), schema.get("maximum")) == (field.range or (None, None))


@pytest.mark.parametrize("field", [field for field in FIELDS if field.range], ids=lambda field: ".".join(field.path))
def test_numbers_out_of_range_are_refused_in_words(field: Field) -> None:
    least, greatest = field.range or (0, 0)
    for number in (least - 1, greatest + 1):
        (problem,) = check_definition(declare(field.path, number))
        assert problem.message == f"{'.'.join(field.path)} must be between {least} and {greatest}; you wrote {number}"


def test_unknown_fields_are_told_what_is_allowed() -> None:
    for name in CLOSED_OBJECTS:
        (fault,) = check_definition(declare((name, "zzzz"), 1))
        assert f"allowed inside {name}: {', '.join(keys_inside((name,)))} " in fault.message
        assert keys_inside((name,))
    assert keys_inside(("name",)) == ()


def test_the_facts_that_others_rely_on() -> None:
    assert {key: keys for key, keys in REQUIRED_INSIDE.items() if keys} == {"model": ("provider", "model")}
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
    assert check_definition(declare(("model", "temperature"), value)) == []


@pytest.mark.parametrize("id_", ["a", "asst_1", ".a", "..a", "...", "a.b", "ä", "a%b", "a:b", "1"])
def test_ids_that_may_be(id_: str) -> None:
    assert check_definition({"id": id_}) == []


def test_an_id_is_needed_unless_told_otherwise() -> None:
    assert [(fault.path, fault.about) for fault in check_definition({"name": "x"})] == [(("id",), "file")]
    assert check_definition({"name": "x"}, needs_id=False) == []
    assert len(check_definition({"name": 1}, needs_id=False)) == 1


def test_empty_objects_and_partial_ones_are_fine() -> None:
    assert check_definition({"id": "a", "model": {}, "voice": {}, "metadata": {}, "endCallPhrases": []}) == []
    assert check_definition({"id": "a", "model": {"temperature": 1}}) == []


def test_extra_fields_are_not_looked_at_and_nothing_is_changed() -> None:
    document = {"id": "a", "tools": [1], "model": {"messages": None, "zz": 1}, "voice": "x"}
    before = repr(document)

    faults = check_definition(document, [("tools",), ("model", "messages"), ("voice", "speed"), ("absent",)])

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
            (
                "unknown field inside model; allowed inside model: provider, model, temperature, maxTokens (a field "
                "that the API has but its reference does not list can be added under extra_fields in reconciler.yaml)"
            ),
        ),
        ({"orgId": 3}, None, "unknown field"),
        (
            {"maxDurationSeconds": 1.5},
            (
                "maxDurationSeconds must be a whole number, like 1800; you wrote a number with a decimal point; "
                "write it without a decimal point"
            ),
            "",
        ),
        (
            {"name": {"a": 1}},
            (
                "name must be text; you wrote a group of keys and values; write the text itself, "
                'in quotes ("...") if it has { or ": " in it'
            ),
            "",
        ),
        (
            {"firstMessagesMode": "x"},
            "unknown field firstMessagesMode; did you mean firstMessageMode?",
            "unknown field; did you mean firstMessageMode?",
        ),
        (
            {"model": {"voiceIdd": "x"}},
            "unknown field model.voiceIdd; did you mean voice.voiceId? Write voiceId indented below voice",
            "unknown field inside model; did you mean voice.voiceId? Write voiceId indented below voice",
        ),
    ],
)
def test_a_problem_has_a_message_and_one_that_quotes_nothing(
    document: dict[str, Any], message: str | None, discreet: str
) -> None:
    (fault,) = check_definition({"id": "a", **document})
    assert message is None or fault.message == message
    assert fault.discreet == discreet


def test_half_a_surrogate_pair_in_a_key_or_value_is_no_crash() -> None:
    """Live values may have one (a name cut off within an emoji); an id with one fits into no URL."""
    assert check_definition({"id": "a", "name": "\ud83c", "metadata": {"\ud83c": "\ud83c"}}) == []
    (unknown,) = check_definition({"id": "a", "\ud83c": 1})
    assert unknown.message.startswith("unknown field \ud83c; allowed here: id, name")
    (id_,) = check_definition({"id": "\ud83c"})
    assert id_.message == "the id must be text that can be saved as UTF-8; you wrote text"


def test_what_to_do_about_an_ordinary_space_is_to_delete_it() -> None:
    (found,) = check_definition({"id": " asst_1"})
    assert found.message.endswith("there is a space at its beginning: delete it")
