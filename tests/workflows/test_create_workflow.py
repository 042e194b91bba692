"""apply.yml: one assistant for each file that says `id: new`, whatever gets lost, and its id comes back to git."""

import copy
import json
from pathlib import Path
from typing import Any

from between import Answer, Forward, Request, between, error_answer
from places import RECORD, Place, recorded_place
from workflow_runs import WorkflowRun

NEW: dict[str, Any] = {
    "id": "new",
    "name": "Newcomer",
    "firstMessage": "Good day",
    "model": {"provider": "openai", "model": "gpt-4o"},
    "voice": {"provider": "openai", "voiceId": "alloy"},
}


def read_report_entry(run: WorkflowRun) -> dict[str, Any]:
    """What the run's report says about the new assistant."""
    folder = run.artifacts[f"apply-assistants-attempt-{run.attempt}"]
    entries = json.loads((folder / "apply.json").read_text("utf-8"))["assistants"]
    return next((entry for entry in entries if entry["key"] == "new"), {"outcome": ""})


def read_outcome(run: WorkflowRun) -> str:
    """What became of the new assistant."""
    return str(read_report_entry(run)["outcome"])


def read_proposal(place: Place) -> dict[str, Any]:
    """The new definition as the newest pull request has it."""
    return place.definition("new", f"refs/heads/{place.hub.pulls[-1]['head']['ref']}")


def merge_new(place: Place) -> WorkflowRun:
    """Merge the definition of a new assistant."""
    place.write("new", **NEW)
    place.commit("A newcomer")
    return place.push()


def test_a_new_assistant_is_created_and_its_id_comes_back_as_a_pull_request(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        run = merge_new(place)
        assert set((run.results | {"withdraw": "success"}).values()) == {"success"}, run.log
        assert (read_outcome(run), run.results["withdraw"]) == ("created", "skipped")
        new = place.definition("new", RECORD)["id"]
        assert read_proposal(place) == {**NEW, "id": new}
        (pull,) = place.hub.pulls
        assert (pull["title"], pull["state"]) == ("Ids of new assistants (assistants)", "open")

        run = place.dispatch("apply.yml")
        assert (run.results["ids"], len(place.hub.pulls)) == ("success", 1)

        # Without a record, nobody else knows the ids.
        record = place.at_hub(RECORD)
        place.git("fetch", "--quiet", "origin", RECORD)
        place.git("push", "--quiet", "--delete", "origin", RECORD)
        assert place.dispatch("apply.yml").ended("apply", "ids") == ("failure", "success")
        assert pull["state"] == "open"
        place.git("push", "--quiet", "origin", f"{record}:{RECORD}")

        branch = f"refs/heads/{pull['head']['ref']}"
        place.git("fetch", "--quiet", str(place.hub.git), branch)
        place.git("merge", "--quiet", "--ff-only", "FETCH_HEAD")
        pull |= {"state": "closed", "merged_at": "2026-11-28T04:17:00Z"}
        run = place.push()
        assert set(run.results.values()) <= {"success", "skipped"}, run.log
        assert len(place.hub.pulls) == 1

        place.git("revert", "--no-edit", "HEAD")
        assert read_outcome(place.push()) in ("", "unchanged")
        assert read_proposal(place)["id"] == new
        assert [pull["state"] for pull in place.hub.pulls] == ["closed", "open"]
        assert len(place.sandbox.posts) == 1


def test_after_a_force_push_whoever_allows_it_creates_as_well(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("new", **NEW)
        place.commit("A newcomer")
        other = place.git("commit-tree", "HEAD^{tree}", "-m", "Rewritten")
        place.git("push", "--quiet", "--force", "origin", f"{other}:refs/heads/main")
        assert place.dispatch("apply.yml").ended("announce", "apply") == ("failure", "failure")
        run = place.dispatch("apply.yml", allow_older=True)
        assert (read_outcome(run), run.results["announce"]) == ("created", "success")


def test_a_record_that_is_lost_creates_no_second_assistant(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        hook = place.hub.git / "hooks" / "update"

        def lose(job: str) -> None:
            if job == "record":
                hook.write_text("#!/bin/sh\nexit 1\n", "utf-8")
                hook.chmod(0o755)

        place.runner.between = lose
        run = merge_new(place)
        assert run.ended("apply", "record") == ("success", "failure"), run.log
        assert "not recorded" in run.jobs["record"].summary
        hook.unlink()
        place.runner.between = lambda job: None

        first = copy.deepcopy(run)
        again = place.dispatch("apply.yml")
        assert (again.results["apply"], read_outcome(again)) == ("failure", "refused")
        assert "until somebody has checked" in again.jobs["apply"].summary
        place.runner.again(run, "apply.yml")  # its record is still there
        assert run.results["record"] == "failure", "another run has recorded since"
        assert len(place.sandbox.posts) == 1

        # Somebody has looked, and it is there: they name it.
        new = read_report_entry(first)["id"]
        place.write("new", **{**NEW, "id": new})
        place.commit("The id")
        assert read_outcome(place.push()) == "unchanged"
        assert place.definition("new", RECORD)["id"] == new


def test_an_unclear_creation_waits_for_somebody_who_has_looked(tmp_path: Path) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        return error_answer(500) if (request.method, request.path) == ("POST", "/assistants") else forward(request)

    with recorded_place(tmp_path) as place:
        known = place.runner.variables
        with between(place.sandbox, meddle) as server:
            place.runner.variables = {"RECONCILER_API_URL": server.url}
            run = merge_new(place)
        assert (read_outcome(run), run.results["record"]) == ("indeterminate", "success")
        assert (run.results["withdraw"], run.jobs["withdraw"].log) == ("success", ""), "creating has begun"
        place.runner.variables = known
        for _ in range(2):
            place.runner.again(run, "apply.yml")
            assert (run.results["apply"], read_outcome(run)) == ("failure", "refused")
        assert len(place.sandbox.posts) == 0
        run = place.dispatch("apply.yml", create=" assistants/new.yaml ")
        assert (run.results["apply"], read_outcome(run)) == ("success", "created"), run.log
        assert len(place.sandbox.posts) == 1


def test_what_reviewers_reject_is_created_by_the_next_run(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.runner.rejected = "apply"
        run = merge_new(place)
        assert run.ended("announce", "apply", "withdraw", "record") == ("success", "failure", "success", "skipped"), (
            run.log
        )
        assert "no longer announced: assistants/new.yaml" in run.jobs["withdraw"].log
        assert len(place.sandbox.posts) == 0
        place.runner.rejected = ""
        assert read_outcome(place.dispatch("apply.yml")) == "created"
        assert len(place.sandbox.posts) == 1


def test_two_runs_at_once_create_one(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        runs: list[WorkflowRun] = []

        def meanwhile() -> None:  # both have looked at the record, and this one pushes its announcement first
            place.hub.before_push = lambda: None
            runs.append(place.dispatch("apply.yml"))

        place.hub.before_push = lambda: None
        place.write("new", **NEW)
        place.commit("A newcomer")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        place.hub.before_push = meanwhile
        runs.append(place.dispatch("apply.yml"))
        assert [read_outcome(run) for run in runs] == ["created", ""], runs[1].log
        assert (runs[1].jobs["announce"].failed, len(place.sandbox.posts)) == ("Push the announcement", 1)


def test_a_job_that_was_killed_creates_nothing_when_it_runs_again(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.runner.protected, known = {}, place.runner.protected
        run = merge_new(place)  # without an account: what was announced is taken back
        assert run.ended("apply", "record") == ("failure", "success"), run.log
        assert "is live, but" not in run.log
        place.runner.protected = known
        place.runner.again(run, "apply.yml")
        assert read_outcome(run) == "refused"
        assert "start the whole workflow again" in run.jobs["apply"].summary
        assert read_outcome(place.dispatch("apply.yml")) == "created"
