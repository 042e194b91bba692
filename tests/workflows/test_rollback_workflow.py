"""rollback.yml: what an apply did is undone from the report of its run."""

import json
from pathlib import Path

from places import RECORD, Place, recorded_place
from workflow_files import WORKFLOWS, run_steps
from workflow_runs import WorkflowRun


def merge_greeting(place: Place) -> WorkflowRun:
    """Merge another greeting."""
    place.write("visits", name="Visits", firstMessage="Hi!")
    place.commit("Another greeting")
    run = place.push()
    assert run.ended("apply", "record") == ("success", "success")
    assert place.sandbox.live("asst_visits")["firstMessage"] == "Hi!"
    return run


def test_a_run_is_undone(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        rollback_run = merge_greeting(place)
        run = place.dispatch("rollback.yml", run_id=str(rollback_run.number))
        assert run.results == {"rollback": "success", "record": "success"}, run.log
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Welcome!"
        assert f"git revert <code>{place.git('rev-parse', 'HEAD')}</code>" in run.jobs["rollback"].summary
        report = json.loads((run.artifacts["rollback-assistants-attempt-1"] / "rollback.json").read_text("utf-8"))
        assert report["assistants"][0]["outcome"] == "applied"


def test_an_unclear_outcome_is_recorded_and_the_next_apply_sends_the_fields_again(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        apply_run = merge_greeting(place)
        before = place.at_hub(RECORD)
        place.git("fetch", "--quiet", "origin", RECORD)

        def push_other(job: str) -> None:
            if job == "record":
                place.git("push", "--quiet", "--force", "origin", f"HEAD:{RECORD}")

        place.sandbox.rehearse("every PATCH /assistants/asst_visits: 500")
        place.runner.between = push_other
        run = place.dispatch("rollback.yml", run_id=str(apply_run.number))
        assert run.results == {"rollback": "failure", "record": "failure"}, run.log
        assert "Start the same rollback again." in run.jobs["record"].summary
        place.git("push", "--quiet", "--force", "origin", f"{before}:{RECORD}")
        place.runner.between = lambda job: None
        run = place.dispatch("rollback.yml", run_id=str(apply_run.number))
        place.sandbox.mend()
        assert run.results == {"rollback": "failure", "record": "success"}, run.log
        place.git("fetch", "--quiet", "origin", RECORD)
        assert "Reconciler-Indeterminate:" in place.git("log", "-1", "--format=%B", "FETCH_HEAD")
        assert place.git("rev-parse", "FETCH_HEAD^2") == before
        assert run_steps(WORKFLOWS / "rollback.yml") <= place.runner.executed

        # Live shows the new greeting already, but the provider may have the old one.
        place.sandbox.forget_requests()
        assert place.dispatch("apply.yml").results["apply"] == "success"
        assert [path for method, path, _ in place.sandbox.requests if method == "PATCH"] == ["/assistants/asst_visits"]


def test_each_attempt_of_a_run_is_undone_on_its_own(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        place.sandbox.edit("asst_visits", firstMessage="Edited live!")
        rollback_run = place.push()
        place.sandbox.edit("asst_visits", firstMessage="Welcome!")
        place.runner.again(rollback_run, "apply.yml")
        for given in ("", "0", "3", "1\nattempt=2"):
            run = place.dispatch("rollback.yml", run_id=str(rollback_run.number), attempt=given)
            assert run.jobs["rollback"].failed == "Check the run"
            assert "the run has 2" in run.log
        for attempt, assistant, text in (("2", "asst_visits", "Welcome!"), ("1", "asst_enrollment", "Hello!")):
            assert place.sandbox.live(assistant)["firstMessage"] == "Hi!"
            run = place.dispatch("rollback.yml", run_id=str(rollback_run.number), attempt=attempt)
            assert run.results["rollback"] == "success", run.log
            assert place.sandbox.live(assistant)["firstMessage"] == text


def test_what_moved_on_is_refused_and_reported(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        rollback_run = merge_greeting(place)
        place.sandbox.edit("asst_visits", firstMessage="Newer")
        run = place.dispatch("rollback.yml", run_id=str(rollback_run.number))
        assert run.results == {"rollback": "failure", "record": "skipped"}
        assert "1 refused" in run.jobs["rollback"].summary
        assert "rollback-assistants-attempt-1" in run.artifacts


def test_a_run_that_cannot_be_trusted_is_refused(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        rollback_run = merge_greeting(place)
        draft = place.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Tagged with the name of the branch")
        place.git("push", "--quiet", "origin", f"{draft}:refs/tags/main")
        honest = place.hub.runs[rollback_run.number]
        forged: dict[str, dict[str, object]] = {
            "is not of an apply": {"event": "pull_request"},
            "is not of an apply.": {"path": ".github/workflows/build.yml"},
            "is not of the default branch": {"head_branch": "draft"},
            "is not of the default branch.": {"head_sha": draft},
            "is not of this repository": {"head_repository": {"full_name": "mallory/assistants"}},
            "is not finished": {"status": "in_progress"},
        }
        for message, lie in forged.items():
            place.hub.runs[rollback_run.number] = {**honest, **lie}
            run = place.dispatch("rollback.yml", run_id=str(rollback_run.number))
            assert run.jobs["rollback"].failed == "Check the run"
            assert message in run.log
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Hi!"


def test_a_number_is_wanted_that_is_a_run(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        for given in ("../../user", "99999", ""):
            run = place.dispatch("rollback.yml", run_id=given)
            assert run.results == {"rollback": "failure", "record": "skipped"}
            assert run.jobs["rollback"].failed == "Check the run"
        run = place.runner.run("rollback.yml", "workflow_dispatch", {}, "", "refs/heads/draft", run_id="1")
        assert run.jobs["rollback"].failed == "Check where this runs"
