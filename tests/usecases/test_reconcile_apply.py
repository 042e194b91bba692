"""Carrying a plan out: exactly which requests, and what becomes of everything that is not written."""

from typing import Any, Literal

import pytest
from between import Answer, Forward, Request, answer_with, between, error_answer
from leaks import PASSWORD
from projects import MODEL, Project, kinds, only_assistant, open_api, outcomes, statuses
from servers import running_sandbox

from reconciler.core.plan import Policy

Nested = Literal["merge", "replace"]
BOTH: tuple[Nested, ...] = ("merge", "replace")
LOGIN = ("POST", "/auth/login", {"email": "admin@sandbox.test", "password": PASSWORD})


@pytest.mark.parametrize("nested", BOTH)
def test_the_reference_example(project: Project, nested: Nested) -> None:
    project.write("enrollment", id="asst_123", model={**MODEL, "temperature": 0.6})
    with running_sandbox({"asst_123": {"model": MODEL, "firstMessage": "Hi"}}, nested=nested) as sandbox:
        before = sandbox.live("asst_123")
        document = project.apply(sandbox.url)
        patch = {"model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.6}}
        assert sandbox.requests == [
            LOGIN,
            ("GET", "/assistants/asst_123", None),
            ("GET", "/assistants/asst_123", None),
            ("PATCH", "/assistants/asst_123", patch),
            ("GET", "/assistants/asst_123", None),
        ]
        after = sandbox.live("asst_123")
        assert after == {**before, **patch, "updatedAt": after["updatedAt"]}
        assert sandbox.provider("asst_123")["model"] == patch["model"]
        assert document["api_calls"] == {"GET": 3, "PATCH": 1, "POST": 1}
        entry = only_assistant(document)
        assert (entry["outcome"], entry["status"], entry["patch"]) == ("applied", "pending", patch)
        assert (entry["warnings"], entry["remaining"], entry["error"]) == ([], [], None)

        sandbox.forget_requests()
        again = project.apply(sandbox.url)
        assert sandbox.requests == [LOGIN, ("GET", "/assistants/asst_123", None)]
        assert outcomes(again) == {"enrollment": "unchanged"}


@pytest.mark.parametrize("nested", BOTH)
def test_undocumented_keys_are_sent_along_unchanged(project: Project, nested: Nested) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6}, metadata={"team": {"lead": "Anna"}})
    model = {**MODEL, "messages": [{"role": "system", "content": "Hi"}], "odd": {"deep": [1, {"x": None}]}, "n": None}
    metadata = {"crm": 7, "team": {"lead": "Ben", "size": 3}}
    with running_sandbox({"asst_1": {"model": model, "metadata": metadata, "tools": [1]}}, nested=nested) as sandbox:
        document = project.apply(sandbox.url)
        patch = {
            "model": {**model, "temperature": 0.6},
            "metadata": {"crm": 7, "team": {"lead": "Anna", "size": 3}},
        }
        assert sandbox.patches == [patch]
        live = sandbox.live("asst_1")
    assert {key: live[key] for key in ("model", "metadata", "tools")} == {**patch, "tools": [1]}
    assert outcomes(document) == {"a": "applied"}
    assert only_assistant(document)["warnings"] == []


@pytest.mark.parametrize("nested", BOTH)
def test_calls_are_exact(project: Project, nested: Nested) -> None:
    for number in range(5):
        project.write(f"a{number}", id=f"asst_{number}", name="New", model=MODEL)
    seed = {f"asst_{number}": {"name": "New" if number < 3 else "Old", "model": MODEL} for number in range(5)}
    with running_sandbox(seed, nested=nested) as sandbox:
        for run in (project.plan, project.drift):
            sandbox.forget_requests()
            run(sandbox.url)
            assert sandbox.calls == {"POST": 1, "GET": 5}
        sandbox.forget_requests()
        document = project.apply(sandbox.url)
        assert sandbox.calls == {"POST": 1, "GET": 5 + 2 + 2, "PATCH": 2}
        assert document["api_calls"] == {"POST": 1, "GET": 9, "PATCH": 2}
        assert sandbox.patches == [{"name": "New"}] * 2
        assert sandbox.most_in_flight <= 4
    assert document["summary"]["applied"] == 2
    assert document["summary"]["unchanged"] == 3


@pytest.mark.parametrize("nested", BOTH)
def test_every_kind_of_value_arrives(project: Project, nested: Nested) -> None:
    project.configure(extra_fields=["/tools"])
    fields: dict[str, Any] = {
        "name": "Größe ☕ 'x' \"y\"",
        "firstMessage": "Hi\n\tthere \u2028 end ",
        "firstMessageMode": None,
        "voice": {"provider": "azure", "voiceId": "x"},
        "transcriber": {"provider": "deepgram", "model": None},
        "endCallPhrases": ["bye", "bye", ""],
        "metadata": {"": {"a/b": [1, 2.5, True, None, {"~": {}}], "__x": 1, "n": None}, "big": 2**53 + 1},
        "maxDurationSeconds": None,
        "tools": [{"type": "x"}],
    }
    project.write("a", id="asst_1", **fields)
    live = {"firstMessageMode": "assistant-speaks-first", "maxDurationSeconds": 5, "transcriber": {"model": "nova"}}
    with running_sandbox({"asst_1": live}, nested=nested) as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            """Let an undocumented field through, which the sandbox would not take."""
            if request.method != "PATCH":
                return forward(request)
            body = request.json
            sandbox.edit("asst_1", tools=body.pop("tools"))
            return forward(request.with_body(body))

        with between(sandbox, meddle) as server:
            document = project.apply(server.url)
            assert outcomes(document) == {"a": "applied"}
            assert only_assistant(document)["remaining"] == []
            assert outcomes(project.apply(server.url)) == {"a": "unchanged"}
            assert len(server.requests("PATCH")) == 1
        stored = sandbox.live("asst_1")
    assert stored["firstMessageMode"] is None
    assert stored["metadata"] == fields["metadata"]
    assert stored["transcriber"] == {"provider": "deepgram", "model": None}


def test_always_send_satisfies_a_strict_server(project: Project) -> None:
    project.configure(always_send=["model", "voice"])
    project.write("a", id="asst_1", name="New")
    voice = {"provider": "openai", "voiceId": "alloy", "speed": 1.25}
    with running_sandbox({"asst_1": {"model": MODEL, "voice": voice}}, strict=True) as sandbox:
        assert outcomes(project.apply(sandbox.url)) == {"a": "applied"}
        assert sandbox.patches == [{"name": "New", "model": MODEL, "voice": voice}]
        assert outcomes(project.apply(sandbox.url)) == {"a": "unchanged"}
        assert len(sandbox.patches) == 1


def test_a_refusal_of_the_api_is_a_failure(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {"name": "Old"}}, strict=True) as sandbox:
        document = project.apply(sandbox.url)
        assert sandbox.live("asst_1")["name"] == "Old"
    entry = only_assistant(document)
    assert entry["outcome"] == "failed"
    assert entry["error"]
    assert (entry["error"]["kind"], entry["error"]["status"]) == ("invalid", 400)
    assert "model is required" in entry["error"]["message"]


def test_what_cannot_be_written_does_not_stop_the_others(project: Project) -> None:
    project.configure(org_id="org_sandbox")
    project.write("duplicate-a", id="asst_1", name="New")
    project.write("duplicate-b", id="local_asst_1", name="Newer")
    project.write("foreign", id="asst_2", name="New")
    project.write("good", id="asst_3", name="New")
    project.write("incomplete", id="asst_4", model={"temperature": 0.5})
    project.write("missing", id="asst_5", name="New")
    project.write("ownerless", id="asst_6", name="New")
    seed: dict[str, Any] = {f"asst_{number}": {"name": "Old"} for number in (1, 3, 4)}
    seed |= {"asst_2": {"orgId": "org_other"}, "asst_6": {"orgId": None}}
    with running_sandbox(seed) as sandbox:
        document = project.apply(sandbox.url)
        assert [request for request in sandbox.requests if request[0] == "PATCH"] == [
            ("PATCH", "/assistants/asst_3", {"name": "New"})
        ]
    assert outcomes(document) == {
        "duplicate-a": "refused",
        "duplicate-b": "refused",
        "foreign": "refused",
        "good": "applied",
        "incomplete": "refused",
        "missing": "failed",
        "ownerless": "refused",
    }
    assert kinds(document) == {
        "duplicate-a": "duplicate",
        "duplicate-b": "duplicate",
        "foreign": "forbidden",
        "good": None,
        "incomplete": "invalid",
        "missing": "not_found",
        "ownerless": "forbidden",
    }


def test_a_403_and_a_429_of_the_api_are_failures(project: Project) -> None:
    for key, id_ in (("forbidden", "asst_1"), ("busy", "asst_2")):
        project.write(key, id=id_, name="New")
    codes = {"/assistants/asst_1": 403, "/assistants/asst_2": 429}
    for method in ("GET", "PATCH"):

        def meddle(request: Request, forward: Forward, method: str = method) -> Answer:
            return error_answer(codes[request.path]) if request.method == method else forward(request)

        with running_sandbox({"asst_1": {}, "asst_2": {}}) as sandbox, between(sandbox, meddle) as server:
            document = project.apply(server.url)
        assert outcomes(document) == {"forbidden": "failed", "busy": "failed"}
        assert kinds(document) == {"forbidden": "forbidden", "busy": "rate_limited"}


def test_an_account_that_may_only_read_is_told_so(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {"name": "Old"}}) as sandbox:
        document = project.apply(sandbox.url, email="viewer@sandbox.test")
        assert sandbox.live("asst_1")["name"] == "Old"
    entry = only_assistant(document)
    assert entry["outcome"] == "failed"
    assert entry["error"]
    assert (entry["error"]["kind"], entry["error"]["status"]) == ("auth", 401)
    assert "no permission to PATCH" in entry["error"]["message"]
    assert "VIEWER" in entry["error"]["message"]


def test_a_token_that_runs_out_between_plan_and_write_is_renewed(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {"name": "Old"}}) as sandbox:
        document = project.apply(sandbox.url, between=sandbox.expire_tokens)
        assert sandbox.calls == {"POST": 2, "GET": 4, "PATCH": 1}
    assert outcomes(document) == {"a": "applied"}
    assert document["api_calls"] == {"POST": 2, "GET": 4, "PATCH": 1}


def test_fail_fast_starts_no_further_assistant(project: Project) -> None:
    for number in range(4):
        project.write(f"a{number}", id=f"asst_{number}", name="New")

    live: dict[str, Any] = {f"asst_{number}": {} for number in range(4)}
    with running_sandbox(live) as sandbox, between(sandbox, answer_with(400, "1")) as server:
        document = project.apply(server.url, fail_fast=True, concurrency=1)
        assert len(server.requests("PATCH")) == 2
        assert outcomes(document) == {"a0": "applied", "a1": "failed", "a2": "skipped", "a3": "skipped"}
        assert len(server.requests("GET")) == 4 + 2 + 1
        document = project.apply(server.url, concurrency=1)
        assert outcomes(document) == {"a0": "unchanged", "a1": "failed", "a2": "applied", "a3": "applied"}


def test_fail_fast_counts_what_could_not_be_read(project: Project) -> None:
    project.write("a", id="asst_gone", name="New")
    project.write("b", id="asst_1", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        document = project.apply(sandbox.url, fail_fast=True)
        assert sandbox.patches == []
    assert outcomes(document) == {"a": "failed", "b": "skipped"}


def test_stopping_skips_what_was_not_started(project: Project) -> None:
    for number in range(3):
        project.write(f"a{number}", id=f"asst_{number}", name="New")
    with running_sandbox({f"asst_{number}": {} for number in range(3)}) as sandbox:
        document = project.apply(sandbox.url, concurrency=1, stopping=lambda: bool(sandbox.patches))
        assert len(sandbox.patches) == 1
    assert outcomes(document) == {"a0": "applied", "a1": "skipped", "a2": "skipped"}
    with running_sandbox({f"asst_{number}": {} for number in range(3)}) as sandbox:
        document = project.apply(sandbox.url, concurrency=1, stopping=lambda: len(sandbox.requests) > 2)
        assert sandbox.patches == []
    assert outcomes(document) == {"a0": "skipped", "a1": "skipped", "a2": "skipped"}
    assert statuses(document) == {"a0": "pending", "a1": "pending", "a2": None}


def test_stopping_right_before_the_write_sends_nothing(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        document = project.apply(sandbox.url, stopping=lambda: sandbox.calls.get("GET") == 2)
        assert sandbox.calls == {"POST": 1, "GET": 2}
    assert outcomes(document) == {"a": "skipped"}


def test_nothing_is_sent_where_a_definition_is_invalid(project: Project) -> None:
    project.write("good", id="asst_1", name="New")
    project.write("bad", "id: asst_2\nname: 7\n")
    with running_sandbox() as sandbox, open_api(sandbox.url) as api:
        document = project.document(project.whole_apply(api))
    assert outcomes(document) == {"bad": "refused", "good": "skipped"}
    assert statuses(document) == {"bad": "error", "good": None}
    assert document["api_calls"] == {"GET": 0, "PATCH": 0, "POST": 0}
    assert document["command"] == "apply"


def test_a_plan_that_is_not_consented_to_is_skipped_as_a_whole(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", id="asst_gone", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox, open_api(sandbox.url) as api:
        document = project.document(project.whole_apply(api, consent=lambda _run: "of a reason"))
    assert outcomes(document) == {"a": "skipped", "b": "skipped"}
    assert statuses(document) == {"a": "pending", "b": "missing"}
    assert document["api_calls"] == {"GET": 2, "PATCH": 0, "POST": 1}
    assert document["summary"]["skipped"] == 2


def test_conflicts_and_refused_drift_name_the_ways_out(project: Project) -> None:
    project.write("conflict", id="asst_1", name="Ours")
    project.write("drift", id="asst_2", name="Base")
    base = {"name": "Base"}
    with running_sandbox({"asst_1": {"name": "Theirs"}, "asst_2": {"name": "Theirs"}}) as sandbox:
        report = project.apply(sandbox.url, base=base)
        assert sandbox.patches == []
        assert outcomes(report) == {"conflict": "refused", "drift": "unchanged"}
        assert statuses(report) == {"conflict": "conflicted", "drift": "drifted"}
        failed = project.apply(sandbox.url, base=base, policy=Policy(on_drift="fail"))
        assert sandbox.patches == []
        assert outcomes(failed) == {"conflict": "refused", "drift": "refused"}
        for entry, force in zip(failed["assistants"], ("--force-conflicts", "--on-drift revert"), strict=True):
            assert entry["error"]
            assert entry["error"]["kind"] == "conflict"
            for way in (force, "remove the field", "pull"):
                assert way in entry["error"]["message"]
        forced = Policy(on_drift="revert", force_conflicts=True)
        assert outcomes(project.apply(sandbox.url, base=base, policy=forced)) == {
            "conflict": "applied",
            "drift": "applied",
        }
        assert sandbox.live("asst_2")["name"] == "Base"


def test_released_and_ignored_fields_are_left_alone_and_listed(project: Project) -> None:
    project.configure(ignore=[{"path": "/metadata/crm", "reason": "set by the CRM"}])
    project.write("a", id="asst_1", metadata={"crm": "ours", "team": "new"})
    base = {"metadata": {"crm": "ours", "team": "old"}, "voicemailMessage": "Call back"}
    live = {"metadata": {"crm": "theirs", "team": "old"}, "voicemailMessage": "Call back"}
    with running_sandbox({"asst_1": live}) as sandbox:
        document = project.apply(sandbox.url, base=base)
        assert sandbox.patches == [{"metadata": {"crm": "theirs", "team": "new"}}]
    entry = only_assistant(document)
    assert (entry["outcome"], entry["released"]) == ("applied", ["/voicemailMessage"])
    assert entry["ignored"] == [{"path": "/metadata/crm", "reason": "set by the CRM", "expires": None}]
