"""One write: what was read again before it, what the API answered, what live shows after it, and what that means."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Meddle, Request, between, error_answer, json_answer
from json_reports import AssistantEntry
from projects import MODEL, Project, kinds, only_assistant, open_api, outcomes
from servers import running_sandbox
from stories import story

from reconciler.core.run import Result
from reconciler.usecases.writing.write import Write

PATCH = {"model": {**MODEL, "temperature": 0.6}}
PAGE = b"<!doctype html><html><body>Agent Builder</body></html>"


def only_writes(meddle: Meddle) -> Meddle:
    """Meddle with PATCH only."""
    return lambda request, forward: meddle(request, forward) if request.method == "PATCH" else forward(request)


def error_message(entry: AssistantEntry) -> str:
    assert entry["error"]
    return str(entry["error"]["message"])


def settle(project: Project, meddle: Meddle, **options: Any) -> tuple[AssistantEntry, list[tuple[str, Any]]]:
    """What becomes of the assistant, and the requests after the plan's: method and body."""
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox, between(sandbox, meddle) as server:
        entry = only_assistant(project.apply(server.url, **options))
        return entry, [(request.method, request.json) for request in server.all_requests[2:]]


GET = ("GET", None)
SENT = ("PATCH", PATCH)


def test_an_edit_between_plan_and_write_is_not_overwritten(project: Project) -> None:
    project.write("a", id="asst_1", name="Ours")
    project.write("b", id="asst_2", name="Ours")
    with running_sandbox({"asst_1": {"name": "Old"}, "asst_2": {"name": "Old"}}) as sandbox:
        document = project.apply(sandbox.url, between=lambda: sandbox.edit("asst_1", name="Theirs"))
        assert sandbox.live("asst_1")["name"] == "Theirs"
        assert [path for method, path, _ in sandbox.requests if method == "PATCH"] == ["/assistants/asst_2"]
    assert outcomes(document) == {"a": "refused", "b": "applied"}
    assert kinds(document) == {"a": "stale", "b": None}
    first = document["assistants"][0]
    assert "live changed between the plan and the write (name), and nothing was sent" in error_message(first)
    assert first["changes"][0]["live"] == "Old"


@pytest.mark.parametrize(
    "edit",
    [
        {"model": {**MODEL, "temperature": 0.6}},
        {"model": {**MODEL, "temperature": 0.8}},
        {"model": {**MODEL, "maxTokens": 5}},
        {"model": {**MODEL, "messages": [1]}},
        {"model": {"provider": "openai", "model": "gpt-4o"}},
        {"model": None},
    ],
)
def test_any_edit_inside_what_would_be_sent_is_stale(project: Project, edit: dict[str, Any]) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:
        document = project.apply(sandbox.url, between=lambda: sandbox.edit("asst_1", **edit))
        assert sandbox.patches == []
        assert sandbox.live("asst_1")["model"] == edit["model"]
    assert (only_assistant(document)["outcome"], kinds(document)["a"]) == ("refused", "stale")


@pytest.mark.parametrize("answer", ["401", "425", "429", "429 retry-after=1"])
def test_an_edit_before_a_refused_write_is_repeated_is_not_overwritten(project: Project, answer: str) -> None:
    """The API did nothing, but a login or a pause takes its time."""
    project.write("a", id="asst_1", model={"temperature": 0.6})
    faults = [f"1st PATCH *: {answer}", "edit model.temperature=0.9 after 1st PATCH *"]
    with running_sandbox({"asst_1": {"model": MODEL}}, faults=faults) as sandbox:
        entry = only_assistant(project.apply(sandbox.url))
        assert sandbox.live("asst_1")["model"]["temperature"] == 0.9
        assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("refused", "stale")


@pytest.mark.parametrize(("field", "edit"), [("temperature", "0.9"), ("isCalm", "true")])
def test_an_edit_before_a_repeat_of_an_unclear_write_is_refused_is_not_overwritten(
    project: Project, field: str, edit: str
) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6})
    faults = ["1st PATCH *: 503", "2nd PATCH *: 429", f"edit model.{field}={edit} after 2nd PATCH *"]
    with running_sandbox({"asst_1": {"model": {**MODEL, "isCalm": 1}}}, faults=faults) as sandbox:
        assert outcomes(project.apply(sandbox.url)) == {"a": "indeterminate"}
        assert json.dumps(sandbox.live("asst_1")["model"][field]) == edit


def test_an_edit_elsewhere_does_not_matter(project: Project) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:
        document = project.apply(sandbox.url, between=lambda: sandbox.edit("asst_1", firstMessage="Hey", tools=[1]))
        assert sandbox.patches == [PATCH]
        assert sandbox.live("asst_1")["firstMessage"] == "Hey"
    assert (only_assistant(document)["outcome"], only_assistant(document)["warnings"]) == ("applied", [])


def test_an_assistant_that_changes_hands_before_the_write_is_refused(project: Project) -> None:
    project.configure(org_id="org_sandbox")
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        document = project.apply(sandbox.url, between=lambda: sandbox.edit("asst_1", orgId="org_other"))
        assert sandbox.patches == []
    assert (only_assistant(document)["outcome"], kinds(document)["a"]) == ("refused", "forbidden")


def test_an_id_that_suddenly_means_another_assistant_is_stale(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return (
            answer.with_body({**answer.json, "id": "asst_2"})
            if request.method == "GET" and request.number == 2
            else answer
        )

    entry, requests = settle(project, meddle)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("refused", "stale")
    assert requests == [GET]


def test_an_assistant_that_cannot_be_read_again_is_not_written(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        return error_answer(500) if request.method == "GET" and request.number > 1 else forward(request)

    entry, requests = settle(project, meddle)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("failed", "server")
    assert requests == [GET, GET], "repeated once, and nothing was sent"


def test_an_assistant_that_is_gone_is_not_written(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox, sandbox.client() as client:

        def gone() -> None:
            client.delete("/assistants/asst_1")

        document = project.apply(sandbox.url, between=gone)
        assert sandbox.patches == []
    assert (only_assistant(document)["outcome"], kinds(document)["a"]) == ("failed", "not_found")


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_no_means_that_nothing_was_changed(project: Project, status: int) -> None:
    entry, requests = settle(project, only_writes(lambda request, forward: error_answer(status)))
    assert entry["outcome"] == "failed"
    assert entry["error"]
    assert entry["error"]["status"] == status
    assert f"trouble number {status}" in error_message(entry)
    assert requests == [GET, SENT]


def test_a_429_is_repeated_and_then_a_failure(project: Project) -> None:
    entry, requests = settle(project, only_writes(lambda request, forward: error_answer(429)), retries=2)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("failed", "rate_limited")
    assert requests == [GET, SENT, GET, SENT, GET, SENT]


@pytest.mark.parametrize("status", [429, 500])
def test_a_failure_that_passes_and_wrote_nothing_is_repeated_after_another_reading(
    project: Project, status: int
) -> None:
    entry, requests = settle(
        project, only_writes(lambda request, forward: error_answer(status) if request.number == 1 else forward(request))
    )
    assert (entry["outcome"], entry["error"], entry["remaining"]) == ("applied", None, [])
    assert requests == [GET, SENT, GET, SENT, GET]


def test_a_500_that_wrote_all_the_same_is_repeated_too(project: Project) -> None:
    """The local database shows the value, but the provider may not have got it."""

    def meddle(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return error_answer(500) if request.number == 1 else answer

    entry, requests = settle(project, only_writes(meddle))
    assert (entry["outcome"], entry["error"]) == ("applied", None)
    assert requests == [GET, SENT, GET, SENT, GET]


@pytest.mark.parametrize("writes", [True, False])
def test_a_500_to_the_end_is_indeterminate_whatever_live_shows(project: Project, writes: bool) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        if writes:
            forward(request)
        return error_answer(500)

    entry, requests = settle(project, only_writes(meddle), retries=2)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "server")
    assert requests == [GET, SENT, GET, SENT, GET, SENT]


def test_without_repeats_one_500_is_enough(project: Project) -> None:
    entry, requests = settle(project, only_writes(lambda request, forward: error_answer(503)), retries=0)
    assert entry["outcome"] == "indeterminate"
    assert entry["error"]
    assert entry["error"]["status"] == 503
    assert requests == [GET, SENT]


@pytest.mark.parametrize("status", [501, 505])
def test_what_the_api_cannot_do_is_not_repeated(project: Project, status: int) -> None:
    entry, requests = settle(project, only_writes(lambda request, forward: error_answer(status)), retries=2)
    assert (entry["outcome"], requests) == ("indeterminate", [GET, SENT])


def test_a_lost_connection_is_indeterminate(project: Project) -> None:
    entry, requests = settle(project, only_writes(lambda request, forward: None))
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "network")
    assert requests == [GET, SENT, GET, SENT]


def test_an_answer_that_does_not_come_is_indeterminate(project: Project) -> None:
    over = threading.Event()

    def meddle(request: Request, forward: Forward) -> None:
        over.wait(20)

    try:
        # Long enough for the readings of a busy machine, which have to succeed.
        entry, requests = settle(project, only_writes(meddle), retries=0, timeout=3)
    finally:
        over.set()
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "timeout")
    assert requests == [GET, SENT]


def test_a_no_to_a_repeat_says_nothing_about_the_write_before_it(project: Project) -> None:
    entry, requests = settle(
        project, only_writes(lambda request, forward: error_answer(500 if request.number == 1 else 403))
    )
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "forbidden")
    assert requests == [GET, SENT, GET, SENT]
    assert "the API answered 500" in error_message(entry)
    assert "the API answered 403" in error_message(entry)


def test_a_write_that_is_unclear_is_not_sent_over_a_third_value(project: Project) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            sandbox.edit("asst_1", model={**MODEL, "temperature": 1.5})
            return error_answer(500)

        with between(sandbox, only_writes(meddle)) as server:
            entry = only_assistant(project.apply(server.url, retries=3))
            assert len(server.requests("PATCH")) == 1
        assert sandbox.live("asst_1")["model"]["temperature"] == 1.5
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "conflict")
    assert "neither the old nor the new value" in error_message(entry)


@pytest.mark.parametrize(
    ("edit", "outcome", "sent"), [({"temperature": 1.5}, "indeterminate", 2), ({"maxTokens": 9}, "applied", 3)]
)
def test_what_live_shows_after_a_pause_decides_about_the_repeat(
    project: Project, edit: dict[str, Any], outcome: str, sent: int
) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            if request.number > 2:
                return forward(request)
            if request.number == 2:
                sandbox.edit("asst_1", model={**MODEL, **edit})
            return error_answer(500 if request.number == 1 else 429)

        with between(sandbox, only_writes(meddle)) as server:
            entry = only_assistant(project.apply(server.url, retries=3))
            assert (entry["outcome"], len(server.requests("PATCH"))) == (outcome, sent)
        assert edit.items() <= sandbox.live("asst_1")["model"].items()
    if outcome == "indeterminate":
        assert "neither the old nor the new value" in error_message(entry)


def test_a_repeat_is_laid_over_what_live_shows_by_then(project: Project) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            if request.number > 1:
                return forward(request)
            sandbox.edit("asst_1", model={**MODEL, "maxTokens": 9})
            return error_answer(502)

        with between(sandbox, only_writes(meddle)) as server:
            entry = only_assistant(project.apply(server.url))
            assert [request.json for request in server.requests("PATCH")] == [
                PATCH,
                {"model": {**PATCH["model"], "maxTokens": 9}},
            ]
    assert entry["outcome"] == "applied"
    assert entry["warnings"] == ["model.maxTokens, which is not declared, changed while this was written"]


def test_a_repeat_that_live_has_no_room_for_any_more_ends_only_its_own_assistant(project: Project) -> None:
    project.configure(always_send=["model"])
    project.write("a", id="asst_1", name="Ours", model={"temperature": 0.7})
    project.write("b", id="asst_2", name="Ours")
    with running_sandbox({"asst_1": {"model": MODEL}, "asst_2": {"model": MODEL}}) as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            if request.path.endswith("asst_2"):
                return forward(request)
            sandbox.edit("asst_1", model=None)
            return error_answer(500)

        with between(sandbox, only_writes(meddle)) as server:
            document = project.apply(server.url)
    assert outcomes(document) == {"a": "indeterminate", "b": "applied"}
    assert "live has no model" in error_message(document["assistants"][0])


def test_git_that_fails_during_the_writes_ends_only_its_own_assistant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = {number: {"firstMessage": "one\ntwo\nthree\nfour"} for number in "12"}
    with story(tmp_path / "repo", lives) as repo:
        for key, number in ("a", 1), ("b", 2):
            repo.write(key, id=f"asst_{number}", firstMessage="one\ntwo\nthree\nfour")
        repo.commit()
        repo.apply_and_record("--base", "none")
        repo.sandbox.edit("asst_2", firstMessage="one\ntwo\nthree\nFOUR")
        repo.write("a", id="asst_1", firstMessage="ONE\ntwo\nthree\nfour")
        repo.write("b", id="asst_2", firstMessage="ONE\ntwo\nthree\nFOUR")
        repo.commit()

        def meddle(request: Request, forward: Forward) -> Answer:
            monkeypatch.setenv("PATH", str(tmp_path))
            return forward(request)

        with repo.intercept(only_writes(meddle)):
            document = repo.apply("--no-record")
    assert outcomes(document) == {"a": "applied", "b": "failed"}
    assert "git is not installed here" in error_message(document["assistants"][1])
    assert not document["assistants"][1]["changes"][0]["sent"]


def test_a_repeat_is_not_sent_where_live_cannot_be_read(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == "PATCH":
            return error_answer(500)
        return error_answer(404) if request.method == "GET" and request.number == 3 else forward(request)

    entry, requests = settle(project, meddle)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "not_found")
    assert requests == [GET, SENT, GET]


@pytest.mark.parametrize(
    "nonsense", [json_answer(200, PAGE), json_answer(200, []), json_answer(200, {}), json_answer(200, b'{"id": "asst')]
)
def test_nonsense_after_a_write_that_live_shows_is_applied_with_a_warning(project: Project, nonsense: Answer) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        forward(request)
        return nonsense

    entry, requests = settle(project, only_writes(meddle))
    assert (entry["outcome"], entry["error"]) == ("applied", None)
    (warning,) = entry["warnings"]
    assert "live has what was sent, although the response to the write was invalid" in warning
    assert requests == [GET, SENT, GET]


def test_nonsense_after_a_write_that_live_does_not_show_is_indeterminate(project: Project) -> None:
    entry, requests = settle(project, only_writes(lambda request, forward: json_answer(200, PAGE)))
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "protocol")
    assert entry["remaining"] == ["/model/temperature"]
    assert "an HTML page instead of JSON" in error_message(entry)
    assert requests[:3] == [GET, SENT, GET]
    assert all(request == GET for request in requests[3:])


def test_nonsense_after_which_live_cannot_be_read_is_indeterminate(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == "PATCH":
            return json_answer(200, PAGE)
        return error_answer(403) if request.method == "GET" and request.number == 3 else forward(request)

    entry, _ = settle(project, meddle)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "protocol")


def test_an_answer_about_another_assistant_is_nonsense(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return answer.with_body({**answer.json, "id": "asst_2"})

    entry, _ = settle(project, only_writes(meddle))
    assert entry["outcome"] == "applied"
    assert "about another assistant" in entry["warnings"][0]


@pytest.mark.parametrize("status", [200, 502])
def test_a_reading_of_another_assistant_says_nothing_about_the_write(project: Project, status: int) -> None:
    """A cache may mix up two assistants, and what it holds of the other must not get into this one."""

    def meddle(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.method == "PATCH":
            return answer if status == 200 else error_answer(status)
        is_mixed_up = request.method == "GET" and request.number > 2
        return answer.with_body({**answer.json, "id": "asst_2", **PATCH}) if is_mixed_up else answer

    entry, requests = settle(project, meddle)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "protocol")
    assert "another assistant instead of 'asst_1'" in error_message(entry)
    assert requests == [GET, SENT, GET]


def test_a_redirect_after_a_write_is_unclear(project: Project) -> None:
    entry, _ = settle(project, only_writes(lambda request, forward: json_answer(302, b"", Location="/login")))
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "protocol")


def test_live_that_cannot_be_read_after_the_write_is_indeterminate(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        return error_answer(500) if request.method == "GET" and request.number > 2 else forward(request)

    entry, requests = settle(project, meddle)
    assert (entry["outcome"], entry["error"] and entry["error"]["kind"]) == ("indeterminate", "server")
    assert "the API accepted the write, but live could not be read after it" in error_message(entry)
    assert requests == [GET, SENT, GET, GET]


def normalising_server(request: Request, forward: Forward) -> Answer:
    """A server that stores texts without white space around them, and knows a temperature of one digit."""
    body = request.json
    if "firstMessage" in body:
        body["firstMessage"] = body["firstMessage"].strip()
    if "model" in body:
        body["model"]["temperature"] = round(body["model"]["temperature"], 1)
    return forward(request.with_body(body))


def test_a_server_that_normalises_does_not_converge(project: Project) -> None:
    project.write("a", id="asst_1", firstMessage=" Hi ", model={"temperature": 0.66, "maxTokens": 5}, name="New")
    with (
        running_sandbox({"asst_1": {"model": MODEL, "name": "Old"}}) as sandbox,
        between(sandbox, only_writes(normalising_server)) as server,
    ):
        entry = only_assistant(project.apply(server.url))
        assert (entry["outcome"], entry["error"]) == ("not_converged", None)
        assert entry["remaining"] == ["/firstMessage", "/model/temperature"]
        again = only_assistant(project.apply(server.url))
        assert [change["path"] for change in again["changes"]] == ["/firstMessage", "/model/temperature"]
        assert again["outcome"] == "not_converged"


def test_a_server_that_forgets_the_object_does_not_converge(project: Project) -> None:
    """What is planned after it would lack required keys; that is no reason to fall over."""
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            sandbox.edit("asst_1", model=None)
            return answer

        with between(sandbox, only_writes(meddle)) as server:
            entry = only_assistant(project.apply(server.url))
    assert (entry["outcome"], entry["remaining"]) == ("not_converged", ["/model/temperature"])


def test_an_undeclared_field_that_changed_in_between_is_a_warning(project: Project) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6}, name="A")
    with running_sandbox({"asst_1": {"model": MODEL, "name": "A"}}) as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            live = sandbox.live("asst_1")
            sandbox.edit("asst_1", firstMessage="Hey", model={**live["model"], "maxTokens": 1})
            return answer

        with between(sandbox, only_writes(meddle)) as server:
            entry = only_assistant(project.apply(server.url))
    assert (entry["outcome"], entry["remaining"]) == ("applied", [])
    assert entry["warnings"] == [
        "firstMessage, which is not declared, changed while this was written",
        "model.maxTokens, which is not declared, changed while this was written",
    ]


def test_what_only_the_answer_to_the_write_shows_is_compared_too(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        body = answer.json
        return answer.with_body(
            {**body, "model": {**body["model"], "temperature": 0.1}, "voice": {"provider": "azure"}}
        )

    entry, _ = settle(project, only_writes(meddle))
    assert entry["outcome"] == "applied"
    assert entry["warnings"] == [
        "voice, which is not declared, changed while this was written",
        "the response to the write differs from the read after it",
    ]


def test_a_bare_answer_to_the_write_is_enough(project: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        return forward(request).with_body({"id": "asst_1"})

    entry, _ = settle(project, only_writes(meddle))
    assert (entry["outcome"], entry["warnings"]) == ("applied", [])


def test_either_id_may_be_used(project: Project) -> None:
    project.write("a", id="local_asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:
        entry = only_assistant(project.apply(sandbox.url))
        assert sandbox.requests[3] == ("PATCH", "/assistants/local_asst_1", PATCH)
    assert (entry["outcome"], entry["id"], entry["warnings"]) == ("applied", "local_asst_1", [])


def test_stopping_ends_the_repeats(project: Project) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.6})
    with running_sandbox({"asst_1": {"model": MODEL}}) as sandbox:
        stop = threading.Event()

        def meddle(request: Request, forward: Forward) -> Answer:
            stop.set()
            return error_answer(500)

        with between(sandbox, only_writes(meddle)) as server:
            document = project.apply(server.url, retries=5, stopping=stop.is_set)
            assert len(server.requests("PATCH")) == 1
    assert outcomes(document) == {"a": "indeterminate"}


def test_an_assistant_that_was_not_planned_cannot_be_written(project: Project) -> None:
    project.write("a", id="asst_1")
    read = project.read()
    with running_sandbox() as sandbox, open_api(sandbox.url) as api, pytest.raises(TypeError):
        Write(api, read, Result(read.loaded.definitions[0]), stopping=lambda: False)
