"""Reads that lag behind a write: live is looked at again for a while before it is said what it does not show."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from between import Answer, Forward, Request, answer_with, between, error_answer
from commands import connection_variables, run
from projects import MODEL, Project, only_assistant, open_api, outcomes
from servers import running_sandbox
from stories import Story, story

from reconciler.git.repository import Repository
from reconciler.usecases.apply import ApplyOptions, Session, apply
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.reading import read_project

LIVE = {"a": {"firstMessage": "old", "model": MODEL}}
NEW = """\
name: Newcomer
model: {provider: openai, model: gpt-4o}
voice: {provider: openai, voiceId: alloy}
"""


@contextlib.contextmanager
def apply_unclear(folder: Path) -> Iterator[tuple[Story, Path]]:
    """An apply whose write was carried out without an answer, and the path of its report."""
    with story(folder / "project", LIVE) as repo:
        repo.write("a", firstMessage="new")
        repo.commit()
        with repo.intercept(answer_with(502, "a", landed=True)):
            report = repo.save_report(repo.apply())
        repo.sandbox.forget_requests()
        yield repo, report


def count_gets(sandbox: Any) -> int:
    return int(sandbox.calls.get("GET", 0))


@pytest.mark.parametrize("nested", ["merge", "replace"])
def test_a_write_that_reading_shows_late_is_applied(project: Project, nested: Any) -> None:
    project.write("a", id="asst_a", model={"temperature": 0.6})
    with running_sandbox({"asst_a": LIVE["a"]}, nested=nested, faults=["PATCH *: lag=0.1s"]) as sandbox:
        entry = only_assistant(project.apply(sandbox.url))
        assert (entry["outcome"], entry["remaining"], entry["warnings"]) == ("applied", [], [])
        assert len(sandbox.patches) == 1
        assert count_gets(sandbox) > 3


def test_a_lag_without_end_is_not_converged(project: Project) -> None:
    project.write("a", id="asst_a", firstMessage="new")
    with running_sandbox({"asst_a": LIVE["a"]}, faults=["PATCH *: lag=60s"]) as sandbox:
        entry = only_assistant(project.apply(sandbox.url))
        assert (entry["outcome"], entry["remaining"]) == ("not_converged", ["/firstMessage"])
        assert len(sandbox.patches) == 1  # nothing is sent again: the API has accepted it
        assert count_gets(sandbox) <= 2 + 7


def test_somebody_may_edit_right_before_a_write_that_reading_shows_late(project: Project) -> None:
    project.write("a", id="asst_a", firstMessage="new")
    faults = ["PATCH *: lag=0.1s", "edit endCallMessage=Theirs before 1st PATCH *"]
    with running_sandbox({"asst_a": LIVE["a"]}, faults=faults) as sandbox:
        entry = only_assistant(project.apply(sandbox.url))
        assert entry["outcome"] == "applied"
        assert entry["warnings"] == ["endCallMessage, which is not declared, changed while this was written"]


def test_a_field_that_has_moved_is_not_waited_for(project: Project) -> None:
    project.write("a", id="asst_a", firstMessage="new ")
    with running_sandbox({"asst_a": LIVE["a"]}, faults=["normalise trim firstMessage"]) as sandbox:
        assert outcomes(project.apply(sandbox.url)) == {"a": "not_converged"}
        assert count_gets(sandbox) == 3


def test_a_write_that_is_sent_again_though_live_shows_it_is_not_waited_for(tmp_path: Path) -> None:
    with apply_unclear(tmp_path) as (repo, report):
        assert outcomes(repo.apply("--resume", report)) == {"a": "applied"}
        assert count_gets(repo.sandbox) == 3


def test_an_unclear_write_is_looked_at_again_after_its_repeat(project: Project) -> None:
    """The first repeat goes over what live shows by then, which is old all the same."""
    project.write("a", id="asst_a", firstMessage="new")
    faults = ["1st PATCH *: 503 after=both", "PATCH *: lag=0.1s", "edit endCallMessage=Theirs after 1st PATCH *"]
    with running_sandbox({"asst_a": LIVE["a"]}, faults=faults) as sandbox:
        entry = only_assistant(project.apply(sandbox.url))
        assert (entry["outcome"], len(sandbox.patches)) == ("applied", 2)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ignore": [{"path": "firstMessage", "reason": "theirs for a while"}]},
        {"frozen": [{"assistants": ["a"], "reason": "enrolment week"}]},
    ],
    ids=["", "ignored meanwhile", "frozen meanwhile"],
)
def test_a_write_that_shows_after_the_run_is_nobodys_edit(tmp_path: Path, settings: dict[str, Any]) -> None:
    with story(tmp_path / "project", LIVE) as repo:
        repo.write("a", firstMessage="old")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.rehearse("PATCH *: lag=60s")
        repo.write("a", firstMessage="new")
        repo.commit()
        repository = Repository(repo.root)
        with open_api(repo.url, lag=0.1) as api:
            apply(
                (repository, None),
                lambda: read_project(Choices(directory=repo.project.folder), repository=repository),
                ApplyOptions(record=True),
                lambda _project: contextlib.nullcontext(Session(api=api)),
            )
        assert repo.tree()["assistants/a.yaml"]["firstMessage"] == "old"
        if settings:
            repo.project.configure(**settings)
            repo.commit()
            assert outcomes(repo.apply_and_record())["a"] in ("unchanged", "frozen")
            repo.project.configure()
        repo.sandbox.mend()
        repo.write("a", firstMessage="newer")
        repo.commit()
        (change,) = only_assistant(repo.plan())["changes"]
        assert (change["kind"], change["live"]) == ("change", "new")
        assert outcomes(repo.apply_and_record()) == {"a": "applied"}
        assert "Reconciler-Late" not in repo.message


def test_nonsense_after_a_write_that_reading_shows_late_is_applied(project: Project) -> None:
    project.write("a", id="asst_a", firstMessage="new")
    faults = ["1st PATCH *: html after=both", "PATCH *: lag=0.1s"]
    with running_sandbox({"asst_a": LIVE["a"]}, faults=faults) as sandbox:
        entry = only_assistant(project.apply(sandbox.url))
        assert (entry["outcome"], len(sandbox.patches)) == ("applied", 1)
        assert "was invalid" in entry["warnings"][0]


def test_a_reading_that_fails_within_the_lag_is_told_as_ever(project: Project) -> None:
    project.write("a", id="asst_a", firstMessage="new")

    def meddle(request: Request, forward: Forward) -> Answer:
        return error_answer(403) if request.method == "GET" and count_gets(sandbox) == 3 else forward(request)

    with running_sandbox({"asst_a": LIVE["a"]}, faults=["PATCH *: lag=60s"]) as sandbox:
        with between(sandbox, meddle) as server:
            entry = only_assistant(project.apply(server.url))
        assert entry["outcome"] == "indeterminate"
        assert "the API accepted the write, but live could not be read after it" in entry["error"]["message"]


def test_a_run_that_is_being_stopped_does_not_wait(project: Project) -> None:
    project.write("a", id="asst_a", firstMessage="new")
    with running_sandbox({"asst_a": LIVE["a"]}, faults=["PATCH *: lag=60s"]) as sandbox:
        document = project.apply(sandbox.url, stopping=lambda: bool(sandbox.patches))
        assert only_assistant(document)["outcome"] == "not_converged"
        assert count_gets(sandbox) == 3


def test_rollback_waits_too(tmp_path: Path) -> None:
    with story(tmp_path / "project", LIVE) as repo:
        repo.write("a", firstMessage="new")
        repo.commit()
        report = repo.save_report(repo.apply())
        repo.sandbox.rehearse("PATCH *: lag=0.1s")
        assert outcomes(repo.report("rollback", report, "--yes")) == {"a": "applied"}
        assert repo.sandbox.live("asst_a")["firstMessage"] == "old"


def test_a_resumed_write_waits_too(tmp_path: Path) -> None:
    with apply_unclear(tmp_path) as (repo, report):
        repo.sandbox.edit("asst_a", firstMessage="old")
        repo.sandbox.rehearse("PATCH *: lag=0.1s")
        assert outcomes(repo.apply("--resume", report)) == {"a": "applied"}


def test_a_new_assistant_may_be_found_late(tmp_path: Path) -> None:
    with story(tmp_path / "project", LIVE) as repo:
        (repo.project.folder / "new.yaml").write_text(NEW, "utf-8")
        repo.sandbox.rehearse("POST /assistants: lag=0.2s")
        result = repo.run("create", "--yes", "assistants/new.yaml")
        new = yaml.safe_load((repo.project.folder / "new.yaml").read_text("utf-8"))["id"]
        assert (result.code, result.stderr) == (0, f"Wrote the id {new} into assistants/new.yaml.\n")
        assert [method for method, path, _ in repo.sandbox.requests if path == "/assistants"] == ["POST"]


def test_an_assistant_that_is_never_found_is_an_error_after_a_while() -> None:
    with running_sandbox({}, faults=["POST *: lag=60s"]) as sandbox, open_api(sandbox.url, lag=0.1) as api:
        created = api.create(yaml.safe_load(NEW))
        with pytest.raises(Exception, match="404"):
            api.get_after_write(created["id"], lambda found: found is None)


def test_an_answer_that_has_not_changed_is_looked_at_once() -> None:
    readings = []  # an answer may be megabytes long, so none is parsed twice

    def is_old(found: object) -> bool:
        readings.append(found)
        return True

    with running_sandbox({"asst_a": LIVE["a"]}) as sandbox, open_api(sandbox.url, lag=0.3) as api:
        api.get_after_write("asst_a", is_old)
        requests = [method for method, _, _ in sandbox.requests]
    assert (len(readings), requests.count("GET") > 1) == (1, True)


def test_the_installed_command_waits(project: Project) -> None:
    project.write("a", id="asst_a", firstMessage="new")
    with running_sandbox({"asst_a": LIVE["a"]}, faults=["PATCH *: lag=0.3s"]) as sandbox:
        result = run("apply", "--yes", cwd=project.root, env=connection_variables(sandbox))
    assert (result.code, result.stdout.splitlines()[-1]) == (0, "Apply: 1 applied, 0 unchanged, 0 failed.")
