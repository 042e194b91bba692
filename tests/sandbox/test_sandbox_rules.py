"""The API's rules: types, choices, ranges and nullability of every field, in words."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.sandbox.openapi import Document

RULES = Document()

NULLABLE = (
    "firstMessage",
    "firstMessageMode",
    "voicemailMessage",
    "endCallMessage",
    "endCallPhrases",
    "metadata",
    "maxDurationSeconds",
)
NOT_NULLABLE = ("name", "model", "voice", "transcriber")


def problems(body: Any) -> list[str]:
    return RULES.find_problems("AssistantUpdate", body)


@pytest.mark.parametrize("field", NULLABLE)
def test_null_is_taken_where_the_api_allows_it(field: str) -> None:
    assert problems({field: None}) == []


@pytest.mark.parametrize("field", NOT_NULLABLE)
def test_null_is_refused_elsewhere(field: str) -> None:
    assert len(problems({field: None})) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"firstMessageMode": "assistant-waits-for-user"},
        {"model": {"temperature": 0}},
        {"model": {"temperature": 2.0}},
        {"model": {"maxTokens": -1}},
        {"model": {"messages": [{"any": None}], "tools": None}},
        {"voice": {"provider": "11labs", "speed": True}},
        {"transcriber": {"provider": "whisper", "model": None}},
        {"endCallPhrases": []},
        {"metadata": {"any": [1, None, {"thing": True}]}},
        {"analysisPlan": {"any": None}, "name": "x"},
        {"maxDurationSeconds": 10**30},
    ],
)
def test_takes_what_the_reference_allows(body: Any) -> None:
    assert problems(body) == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "the body must be an object"),
        (None, "the body must be an object"),
        ("text", "the body must be an object"),
        ({"name": 5}, "name must be a string"),
        ({"firstMessage": True}, "firstMessage must be a string or null"),
        (
            {"firstMessageMode": "loud"},
            (
                "firstMessageMode must be assistant-speaks-first, assistant-waits-for-user, "
                "assistant-speaks-first-with-model-generated-message or null"
            ),
        ),
        ({"model": []}, "model must be an object"),
        ({"model": {"provider": "google"}}, "model.provider must be openai or anthropic"),
        ({"model": {"provider": None}}, "model.provider must be openai or anthropic"),
        ({"model": {"model": None}}, "model.model must be a string"),
        ({"model": {"temperature": True}}, "model.temperature must be a number"),
        ({"model": {"temperature": "0.5"}}, "model.temperature must be a number"),
        ({"model": {"temperature": None}}, "model.temperature must be a number"),
        ({"model": {"temperature": 2.01}}, "model.temperature must be at most 2"),
        ({"model": {"temperature": -0.1}}, "model.temperature must be at least 0"),
        ({"model": {"maxTokens": 1.0}}, "model.maxTokens must be an integer"),
        ({"model": {"maxTokens": False}}, "model.maxTokens must be an integer"),
        (
            {"voice": {"provider": "OpenAI"}},
            "voice.provider must be 11labs, azure, cartesia, deepgram, playht, openai or edmo",
        ),
        ({"voice": {"voiceId": 1}}, "voice.voiceId must be a string"),
        ({"transcriber": {"provider": None}}, "transcriber.provider must be deepgram, assemblyai or whisper"),
        ({"transcriber": {"model": 2}}, "transcriber.model must be a string or null"),
        ({"voicemailMessage": {}}, "voicemailMessage must be a string or null"),
        ({"endCallMessage": 0}, "endCallMessage must be a string or null"),
        ({"endCallPhrases": "bye"}, "endCallPhrases must be a list or null"),
        ({"endCallPhrases": ["bye", None]}, "endCallPhrases.1 must be a string"),
        ({"metadata": []}, "metadata must be an object or null"),
        ({"maxDurationSeconds": 1800.0}, "maxDurationSeconds must be an integer or null"),
        ({"maxDurationSeconds": "1800"}, "maxDurationSeconds must be an integer or null"),
    ],
)
def test_refuses_in_words(body: Any, sentence: str) -> None:
    assert problems(body) == [sentence]


def test_names_everything_that_is_wrong_and_never_the_value() -> None:
    found = problems({"name": 4711, "voice": {"voiceId": ["secret"]}, "orgId": "secret", "id": "secret"})
    assert found == [
        "id is read-only",
        "name must be a string",
        "orgId is read-only",
        "voice.voiceId must be a string",
    ]


def test_every_schema_is_a_schema_and_every_reference_leads_somewhere() -> None:
    for document in (Document(listing=True), Document(nested="replace", strict=True)):
        for schema in document.schemas.values():
            Draft202012Validator.check_schema(schema)
        for reference in _references(document.content):
            found: Any = document.content
            for key in reference.removeprefix("#/").split("/"):
                found = found[key]


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        found = {node["$ref"]} if "$ref" in node else set()
        return found.union(*(_references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_references(value) for value in node))
    return set()


def test_what_the_sandbox_answers_fits_its_own_schema() -> None:
    assistant = {"id": "a", "orgId": "o", "createdAt": "t", "updatedAt": "t", "name": None, "tools": [1]}
    assert RULES.find_problems("Assistant", assistant) == []
    assert RULES.find_problems("Assistant", {"id": "a"}) == [
        "createdAt is required",
        "orgId is required",
        "updatedAt is required",
    ]
