"""The first write of a run goes alone, and the others start when it was seen to do no harm."""

from collections.abc import Callable
from typing import Any

import pytest
from between import Answer, Forward, Request, between, error_answer, json_answer
from projects import Project, outcomes
from servers import Sandbox, running_sandbox

FLEET = 8
MODEL = {"provider": "openai", "model": "gpt-4o", "temperature": 0.7}
SEED: dict[str, Any] = {f"asst_{n}": {"model": {**MODEL, "messages": [{"role": "system"}]}} for n in range(FLEET)}


@pytest.fixture
def fleet(project: Project) -> Project:
    for number in range(FLEET):
        project.write(f"a{number}", id=f"asst_{number}", model={"temperature": 0.2})
    return project


def drop_unknown(sandbox: Sandbox, only: str = "") -> Callable[[Request, Forward], Answer]:
    """A server that keeps only what its reference lists."""

    def meddle(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.method == "PATCH" and only in request.path:
            assistant_id = request.path.rpartition("/")[2]
            other_keys = {key: value for key, value in sandbox.live(assistant_id)["model"].items() if key != "messages"}
            sandbox.edit(assistant_id, model=other_keys)
        return answer

    return meddle


def test_nobody_else_is_written_before_the_first_was_read_back(fleet: Project) -> None:
    with running_sandbox(SEED, latency_ms=20) as sandbox:
        assert set(outcomes(fleet.apply(sandbox.url)).values()) == {"applied"}
        after_login = [(method, path) for method, path, _ in sandbox.requests if method != "POST"]
    writing = after_login[FLEET:]
    assert [method for method, _ in writing[:3]] == ["GET", "PATCH", "GET"]
    assert {path for _, path in writing[:3]} == {"/assistants/asst_0"}
    assert "/assistants/asst_0" not in {path for _, path in writing[3:]}


def test_a_server_that_drops_what_it_does_not_know_hurts_one_assistant(fleet: Project) -> None:
    with running_sandbox(SEED, nested="replace") as sandbox, between(sandbox, drop_unknown(sandbox)) as server:
        document = fleet.apply(server.url)
        assert len(sandbox.patches) == 1
    first, *others = document["assistants"]
    assert (first["outcome"], first["remaining"]) == ("not_converged", ["/model/messages"])
    assert first["error"] is not None
    assert "the API dropped model.messages" in first["error"]["message"]
    assert first["patch"] == {"model": {**SEED["asst_0"]["model"], "temperature": 0.2}}
    assert [entry["outcome"] for entry in others] == ["skipped"] * (FLEET - 1)
    assert any("no further write was started" in note for note in document["warnings"])


@pytest.mark.parametrize(
    "declared", [{"model": {"temperature": 0.2}}, {"metadata": {"crm": {"queue": "new"}, "owner": "old"}}]
)
def test_the_first_one_takes_something_along_that_such_a_server_could_drop(
    project: Project, declared: dict[str, Any]
) -> None:
    """Or it would prove nothing, and those after it would be hurt all at once."""
    project.write("a", id="asst_0", name="New", metadata={"owner": "new"})
    for number in range(1, FLEET):
        project.write(f"b{number}", id=f"asst_{number}", **declared)
    extra = {"metadata": {"owner": "old", "crm": {"queue": "old", "id": 7}}}
    seed = {key: {**fields, **extra} for key, fields in SEED.items()}
    seed["asst_0"]["metadata"] = {"owner": "old"}
    with running_sandbox(seed, nested="replace") as sandbox:

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if request.method == "PATCH" and not request.path.endswith("_0"):
                remaining = {
                    "model": {**MODEL, "temperature": 0.2},
                    "metadata": {"owner": "old", "crm": {"queue": "new"}},
                }
                sandbox.edit(request.path.rpartition("/")[2], **remaining)
            return answer

        with between(sandbox, meddle) as server:
            by_key = outcomes(project.apply(server.url))
        assert len(sandbox.patches) == 1
    assert by_key == {"a": "skipped", "b1": "not_converged", **{f"b{n}": "skipped" for n in range(2, FLEET)}}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(json_answer(200, b"<html>"), "not_converged"), (error_answer(502), "indeterminate"), (None, "indeterminate")],
)
def test_nor_does_it_hurt_a_second_one_where_its_answer_hides_that(
    fleet: Project, answer: Answer | None, outcome: str
) -> None:
    with running_sandbox(SEED, nested="replace") as sandbox:
        drops = drop_unknown(sandbox)

        def meddle(request: Request, forward: Forward) -> Answer | None:
            given = drops(request, forward)
            return answer if request.method == "PATCH" else given

        with between(sandbox, meddle) as server:
            document = fleet.apply(server.url, retries=0)
        assert len(sandbox.patches) == 1
    first, *others = document["assistants"]
    assert (first["outcome"], first["remaining"]) == (outcome, ["/model/messages"])
    assert first["error"] is not None
    assert "the API dropped model.messages" in first["error"]["message"]
    assert {entry["outcome"] for entry in others} == {"skipped"}


def test_nor_where_it_cannot_be_read_back_and_the_answer_shows_it(fleet: Project) -> None:
    with running_sandbox(SEED, nested="replace") as sandbox:
        drops = drop_unknown(sandbox)

        def meddle(request: Request, forward: Forward) -> Answer:
            if request.method == "GET" and sandbox.patches:
                return error_answer(503)
            answer = drops(request, forward)
            return answer.with_body(sandbox.live("asst_0")) if request.method == "PATCH" else answer

        with between(sandbox, meddle) as server:
            by_key = outcomes(fleet.apply(server.url, retries=0))
        assert len(sandbox.patches) == 1
    assert by_key.pop("a0") == "indeterminate"
    assert set(by_key.values()) == {"skipped"}


def test_one_that_loses_keys_later_stops_what_has_not_begun(fleet: Project) -> None:
    with running_sandbox(SEED) as sandbox, between(sandbox, drop_unknown(sandbox, only="asst_3")) as server:
        document = fleet.apply(server.url, concurrency=1)
    assert list(outcomes(document).values()) == ["applied"] * 3 + ["not_converged"] + ["skipped"] * 4


def test_keys_that_ride_along_undeclared_are_looked_at_too(project: Project) -> None:
    project.write("a", id="asst_0", name="New")
    project.configure(always_send=["model"])
    with running_sandbox(SEED) as sandbox, between(sandbox, drop_unknown(sandbox)) as server:
        document = project.apply(server.url)
    assert document["assistants"][0]["remaining"] == ["/model/messages"]


NOTE = "Three writes in a row were denied and none succeeded: no further write was started."


def answer_writes(statuses: dict[int, int]) -> Callable[[Request, Forward], Answer]:
    """A server that answers the writes to some assistants, by their numbers, with a status."""

    def meddle(request: Request, forward: Forward) -> Answer:
        status = statuses.get(int(request.path.rpartition("_")[2])) if request.method == "PATCH" else None
        return forward(request) if status is None else error_answer(status)

    return meddle


def test_three_writes_that_are_not_permitted_end_the_run_and_name_the_role(fleet: Project) -> None:
    with running_sandbox(SEED) as sandbox:
        document = fleet.apply(sandbox.url, email="viewer@sandbox.test")
        assert sandbox.calls["PATCH"] <= 4  # with the one after a new login
    tried, others = document["assistants"][:3], document["assistants"][3:]
    for entry in tried:
        assert entry["outcome"] == "failed"
        assert entry["error"] is not None
        assert "VIEWER" in entry["error"]["message"]
    assert {entry["outcome"] for entry in others} == {"skipped"}
    assert NOTE in document["warnings"]


@pytest.mark.parametrize(
    ("statuses", "tried"),
    [
        ({0: 403}, FLEET),
        ({0: 401}, FLEET),
        ({0: 403, 1: 401}, FLEET),
        ({0: 403, 1: 403, 2: 401}, 3),
        ({0: 403, 1: 403, 3: 403}, FLEET),  # 2 got through
        ({0: 403, 1: 403, 2: 422, 3: 403, 4: 403}, FLEET),  # 2 was not refused for that
        ({0: 403, 1: 403, 2: 422, 3: 403, 4: 403, 5: 403}, 6),
        ({0: 403, 1: 403, 2: 500, 3: 403}, FLEET),
        (dict.fromkeys(range(1, FLEET), 403), FLEET),
    ],
)
def test_one_after_the_other_is_tried_alone_until_one_gets_through(
    fleet: Project, statuses: dict[int, int], tried: int
) -> None:
    with running_sandbox(SEED) as sandbox, between(sandbox, answer_writes(statuses)) as server:
        document = fleet.apply(server.url, retries=0)
        order = [request.path[-1] for request in server.all_requests if request.method == "PATCH"]
        most = len(set(order))
    expected = {400: "failed", 401: "failed", 403: "failed", 422: "failed", 500: "indeterminate", None: "applied"}
    wanted = [expected[statuses.get(n)] if n < tried else "skipped" for n in range(FLEET)]
    assert list(outcomes(document).values()) == wanted
    assert most == tried
    assert (NOTE in document["warnings"]) == (tried < FLEET)


def test_what_was_not_sent_says_nothing_about_permission(fleet: Project) -> None:
    """Three assistants that cannot be read before their write, and the others can."""
    reads: dict[str, int] = {}

    def meddle(request: Request, forward: Forward) -> Answer:
        number = request.path.rpartition("_")[2]
        if request.method == "GET" and number in "012":
            reads[number] = reads.get(number, 0) + 1
            if reads[number] > 1:
                return error_answer(403)
        return forward(request)

    with running_sandbox(SEED) as sandbox, between(sandbox, meddle) as server:
        found = list(outcomes(fleet.apply(server.url)).values())
    assert found == ["failed"] * 3 + ["applied"] * (FLEET - 3)


@pytest.mark.parametrize(
    ("number", "status", "outcome"), [(0, 400, "failed"), (0, 500, "indeterminate"), (4, 403, "failed")]
)
def test_another_no_to_the_first_write_or_a_403_later_keeps_nobody_from_his_turn(
    fleet: Project, number: int, status: int, outcome: str
) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        is_refused = request.method == "PATCH" and request.path.endswith(f"_{number}")
        return error_answer(status) if is_refused else forward(request)

    with running_sandbox(SEED) as sandbox, between(sandbox, meddle) as server:
        by_key = outcomes(fleet.apply(server.url))
    assert by_key.pop(f"a{number}") == outcome
    assert set(by_key.values()) == {"applied"}
