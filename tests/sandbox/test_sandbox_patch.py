"""What PATCH does to an assistant and to both stores, over TCP, in both readings of the reference."""

from typing import Any, Literal

import pytest
from servers import running_sandbox

Nested = Literal["merge", "replace"]

LIVE: dict[str, Any] = {
    "name": "Enrollment",
    "firstMessage": "Hello",
    "model": {
        "provider": "openai",
        "model": "gpt-4o",
        "temperature": 0.7,
        "messages": [{"role": "system", "content": "Be kind"}],
        "tools": {"lookup": {"on": True, "tries": 2}},
    },
    "voice": {"provider": "openai", "voiceId": "alloy", "speed": 1.1},
    "transcriber": {"provider": "deepgram", "model": "nova"},
    "metadata": {"a": {"b": 1, "c": 2}},
    "endCallPhrases": ["bye", "goodbye"],
    "undocumented": {"kept": True},
}

# (what it shows, the body, the fields that change under merge, those under replace)
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("an empty body changes nothing", {}, {}, {}),
    ("a plain field", {"name": "Other"}, {"name": "Other"}, {"name": "Other"}),
    ("a null is stored", {"firstMessage": None}, {"firstMessage": None}, {"firstMessage": None}),
    ("a new field", {"maxDurationSeconds": 60}, {"maxDurationSeconds": 60}, {"maxDurationSeconds": 60}),
    (
        "a list is replaced",
        {"endCallPhrases": ["ciao"]},
        {"endCallPhrases": ["ciao"]},
        {"endCallPhrases": ["ciao"]},
    ),
    (
        "a nested object",
        {"model": {"provider": "anthropic", "model": "claude", "tools": {"lookup": {"on": False}}}},
        {
            "model": {
                **LIVE["model"],
                "provider": "anthropic",
                "model": "claude",
                "tools": {"lookup": {"on": False, "tries": 2}},
            }
        },
        {"model": {"provider": "anthropic", "model": "claude", "tools": {"lookup": {"on": False}}}},
    ),
    (
        "a nested list",
        {"model": {"provider": "openai", "model": "gpt-4o", "messages": []}},
        {"model": {**LIVE["model"], "messages": []}},
        {"model": {"provider": "openai", "model": "gpt-4o", "messages": []}},
    ),
    (
        "a nested null is stored, not a deletion",
        {"transcriber": {"model": None}, "metadata": {"a": None}},
        {"transcriber": {"provider": "deepgram", "model": None}, "metadata": {"a": None}},
        {"transcriber": {"model": None}, "metadata": {"a": None}},
    ),
    (
        "metadata goes deep",
        {"metadata": {"a": {"c": 3}, "new": [1]}},
        {"metadata": {"a": {"b": 1, "c": 3}, "new": [1]}},
        {"metadata": {"a": {"c": 3}, "new": [1]}},
    ),
    ("an empty object", {"metadata": {}}, {}, {"metadata": {}}),
    (
        "an object takes a plain value's place",
        {"metadata": {"a": {"b": {"deep": 1}}}},
        {"metadata": {"a": {"b": {"deep": 1}, "c": 2}}},
        {"metadata": {"a": {"b": {"deep": 1}}}},
    ),
    (
        "unknown keys inside are stored",
        {"voice": {"style": 3}},
        {"voice": {**LIVE["voice"], "style": 3}},
        {"voice": {"style": 3}},
    ),
    (
        "a field that no reference lists is stored",
        {"undocumented": {"more": None}, "analysisPlan": "none"},
        {"undocumented": {"kept": True, "more": None}, "analysisPlan": "none"},
        {"undocumented": {"more": None}, "analysisPlan": "none"},
    ),
]


def fields(assistant: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in assistant.items() if key not in {"id", "orgId", "createdAt", "updatedAt"}}


@pytest.mark.parametrize("nested", ["merge", "replace"])
def test_only_what_the_body_says_changes_in_both_stores(nested: Nested) -> None:
    with running_sandbox(nested=nested) as sandbox, sandbox.client() as client:
        for title, body, merged, replaced in CASES:
            sandbox.put({"id": "asst_1", **LIVE})
            before = sandbox.live("asst_1")
            answer = client.patch("/assistants/local_asst_1", json=body)
            assert answer.status_code == 200, title
            after = answer.json()
            assert fields(after) == {**LIVE, **(merged if nested == "merge" else replaced)}, title
            assert (after["id"], after["createdAt"]) == ("asst_1", before["createdAt"])
            assert after["updatedAt"] > before["updatedAt"]
            assert sandbox.live("asst_1") == sandbox.provider("asst_1") | {"updatedAt": after["updatedAt"]} == after, (
                title
            )
            assert client.get("/assistants/asst_1").json() == after


@pytest.mark.parametrize("nested", ["merge", "replace"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"id": "asst_2", "updatedAt": "2024-01-01T00:00:00Z"}, "id is read-only; updatedAt is read-only"),
        ({"orgId": "org", "createdAt": "x"}, "createdAt is read-only; orgId is read-only"),
        ({"undocumented": {}, "createdAt": "x"}, "createdAt is read-only"),
        ({"undocumented": {}, "maxDurationSeconds": "x"}, "maxDurationSeconds must be an integer or null"),
        ({"model": None}, "model must be an object"),
        (
            {"name": "Other", "voice": {"provider": "nobody"}},
            "voice.provider must be 11labs, azure, cartesia,",
        ),
    ],
)
def test_a_refused_body_changes_nothing(nested: Nested, body: dict[str, Any], message: str) -> None:
    with running_sandbox({"asst_1": LIVE}, nested=nested) as sandbox, sandbox.client() as client:
        before = sandbox.live("asst_1")
        answer = client.patch("/assistants/asst_1", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(message)
        assert sandbox.live("asst_1") == sandbox.provider("asst_1") == before


@pytest.mark.parametrize(
    ("nested", "live", "body", "problem"),
    [
        ("merge", LIVE, {"model": {"temperature": 1}}, None),
        (
            "replace",
            LIVE,
            {"model": {"temperature": 1}},
            "model.model is required; model.provider is required",
        ),
        ("merge", {}, {"model": {"model": "gpt-4o"}}, "model.provider is required"),
        ("merge", {"model": None}, {"model": {"provider": "openai"}}, "model.model is required"),
        (
            "merge",
            {"model": {"provider": None, "model": "m"}},
            {"model": {"temperature": 1}},
            "model.provider is required",
        ),
        ("merge", {}, {"name": "No model at all"}, None),
        ("replace", {"model": {}}, {"name": "Not about the model"}, None),
    ],
)
def test_a_model_is_whole_once_it_was_written(
    nested: Nested, live: dict[str, Any], body: dict[str, Any], problem: str | None
) -> None:
    with running_sandbox({"asst_1": live}, nested=nested) as sandbox, sandbox.client() as client:
        answer = client.patch("/assistants/asst_1", json=body)
        assert (answer.status_code, answer.json().get("error")) == (400 if problem else 200, problem)


def test_strict_wants_model_and_voice_in_every_patch() -> None:
    whole = {"model": {"provider": "openai", "model": "gpt-4o"}, "voice": {}}
    with running_sandbox({"asst_1": LIVE}, strict=True) as sandbox, sandbox.client() as client:
        for body, message in [
            ({}, "model is required; voice is required"),
            ({"name": "x", "voice": {}}, "model is required"),
            ({"undocumented": 1, "voice": {}}, "model is required"),
            ({"model": whole["model"]}, "voice is required"),
        ]:
            answer = client.patch("/assistants/asst_1", json=body)
            assert (answer.status_code, answer.json()) == (400, {"error": message})
        assert client.patch("/assistants/asst_1", json=whole).status_code == 200
        assert client.post("/assistants", json={}).status_code == 201


def test_many_writes_are_told_apart_by_their_time() -> None:
    with running_sandbox({"asst_1": LIVE}) as sandbox, sandbox.client() as client:
        times = [client.patch("/assistants/asst_1", json={}).json()["updatedAt"] for _ in range(20)]
    assert times == sorted(set(times))


def test_a_time_that_is_none_does_not_hinder_a_write() -> None:
    with running_sandbox({"asst_1": {"updatedAt": "yesterday"}}) as sandbox, sandbox.client() as client:
        assert client.patch("/assistants/asst_1", json={}).json()["updatedAt"].endswith("Z")


def test_a_time_to_come_moves_on_all_the_same() -> None:
    with (
        running_sandbox({"asst_1": {"updatedAt": "2999-12-31T00:00:00Z"}}) as sandbox,
        sandbox.client() as client,
    ):
        assert client.patch("/assistants/asst_1", json={}).json()["updatedAt"] == "2999-12-31T00:00:00.000001Z"
