"""Every cell of the fault matrix: what the report says, what was asked, and that the next run finishes the job."""

import pytest
from commands import connection_variables, run
from fault_matrix import CELLS, RETRIES, STORIES, Cell, Story
from fault_runs import LIVE, check_settled, count_requests, drop_times, next_run, reported_requests, repository, restart
from json_reports import as_report
from projects import Project, kinds, outcomes
from servers import Sandbox, running_sandbox


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_fault_at_one_moment_ends_as_the_matrix_says(project: Project, cell: Cell, shared_sandbox: Sandbox) -> None:
    repository(project)
    sandbox = restart(shared_sandbox, cell.rule)
    document = project.apply(sandbox.url, retries=RETRIES, timeout=cell.fault.timeout, concurrency=1, lag=0)
    assert sandbox.hits[0] > 0
    ends = cell.ends
    both = cell.moment == "login" and ends.outcome == "failed"
    assert outcomes(document) == {"a": "failed" if both else "applied", "b": ends.outcome}
    assert kinds(document) == {"a": cell.kind if both else None, "b": cell.kind}
    assert as_report(document).has_failed == (ends.outcome != "applied")
    assert reported_requests(document) == sandbox.calls == count_requests(ends)
    sandbox.mend()
    next_run(project, sandbox.url, document)
    check_settled(project, sandbox)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_several_faults_end_as_the_matrix_says(project: Project, story: Story, shared_sandbox: Sandbox) -> None:
    repository(project)
    sandbox = restart(shared_sandbox, *story.rules)
    document = project.apply(sandbox.url, retries=RETRIES, concurrency=1)
    assert all(sandbox.hits)
    assert outcomes(document) == {"a": story.a, "b": story.b}
    assert as_report(document).has_failed == ({story.a, story.b} != {"applied"})
    assert reported_requests(document) == sandbox.calls == count_requests(story.requests)
    second = document["assistants"][1]
    assert kinds(document)["b"] == story.kind
    assert tuple(second["remaining"]) == story.remaining
    messages = [second["error"]["message"]] if second["error"] else second["warnings"]
    assert len(messages) == bool(story.told)
    assert story.told in "".join(messages)
    sandbox.mend()
    for field, value in story.others.items():
        assert sandbox.live("asst_b")[field] == value
    next_run(project, sandbox.url, document, resumed=story.resumed)
    check_settled(project, sandbox, **story.others)


def test_an_api_that_drops_what_it_does_not_know_hurts_one_assistant(project: Project, shared_sandbox: Sandbox) -> None:
    repository(project)
    sandbox = restart(shared_sandbox, "drop unknown keys")
    document = project.apply(sandbox.url, retries=RETRIES, concurrency=1)
    assert outcomes(document) == {"a": "not_converged", "b": "skipped"}
    assert reported_requests(document) == sandbox.calls == {"POST": 1, "GET": 4, "PATCH": 1}
    assert drop_times(sandbox.live("asst_b")) == drop_times(sandbox.provider("asst_b")) == LIVE["asst_b"]
    hurt = document["assistants"][0]
    assert hurt["remaining"] == ["/model/messages"]
    assert hurt["patch"]
    assert hurt["patch"]["model"]["messages"] == sandbox.provider("asst_b")["model"]["messages"]
    sandbox.mend()
    sandbox.edit("asst_a", model=hurt["patch"]["model"])
    next_run(project, sandbox.url, document)
    check_settled(project, sandbox)


@pytest.mark.parametrize(
    ("rule", "code", "message"),
    [
        ("1st PATCH /assistants/asst_b: 503", 0, "Apply: 2 applied, 0 unchanged, 0 failed.\n"),
        ("PATCH /assistants/asst_b: 503", 1, "Apply: 1 applied, 0 unchanged, 0 failed, 1 indeterminate.\n"),
        ("PATCH /assistants/asst_b: 422", 1, "Apply: 1 applied, 0 unchanged, 1 failed.\n"),
        ("GET /assistants/asst_b: html", 1, "Apply: 1 applied, 0 unchanged, 1 failed.\n"),
        ("POST /auth/login: 403", 1, "Apply: 0 applied, 0 unchanged, 2 failed.\n"),
        ("normalise round model.temperature", 1, "Apply: 0 applied, 0 unchanged, 0 failed, 2 not converged.\n"),
        ("drop unknown keys", 1, "Apply: 0 applied, 0 unchanged, 0 failed, 1 not converged, 1 skipped.\n"),
    ],
)
def test_the_exit_code_says_whether_somebody_has_to_look(project: Project, rule: str, code: int, message: str) -> None:
    repository(project)
    with running_sandbox(LIVE, faults=[rule]) as sandbox:
        result = run("apply", "--yes", "--retries", "1", cwd=project.root, env=connection_variables(sandbox))
        assert (result.code, result.stdout[-len(message) :]) == (code, message)
        assert all(sandbox.hits)
