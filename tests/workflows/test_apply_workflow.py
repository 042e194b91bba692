"""apply.yml: what a merge does, and what is recorded of it."""

import json
import shutil
from pathlib import Path

import pytest
from places import OF_ALL, RECORD, SETTINGS, Place, place_at, recorded_place
from workflow_files import WORKFLOWS, run_steps
from workflow_runs import WorkflowRun

GREEN = dict.fromkeys(("announce", "apply", "record", "ids", "result"), "success") | {"withdraw": "skipped"}
FIRST = GREEN | {"result": "skipped"}
BUNDLE = "record-assistants-attempt-1"
NOT_RECORDED = "What was applied is live, but not recorded"
ENTRIES = ["assistants/admissions/enrollment.yaml", "assistants/visits.yaml"]


def list_entries(place: Place) -> list[str]:
    """The paths of all files that the record on the hub holds."""
    place.git("fetch", "--quiet", "origin", RECORD)
    return place.git("ls-tree", "-r", "--name-only", "FETCH_HEAD").splitlines()


def read_outcomes(run: WorkflowRun) -> dict[str, str]:
    """What the run's report says became of each assistant."""
    report = json.loads((run.artifacts[f"apply-assistants-attempt-{run.attempt}"] / "apply.json").read_text("utf-8"))
    return {entry["key"]: entry["outcome"] for entry in report["assistants"]}


@pytest.mark.parametrize("settings", [SETTINGS, "", "record: false\n"])
def test_a_merge_is_applied_and_recorded(tmp_path: Path, settings: str) -> None:
    with place_at(tmp_path, settings=settings) as place:
        run = place.push()
        assert run.ended("announce", "apply", "record") == ("success", "skipped", "skipped")
        assert "Start this workflow by hand once, as the first run." in run.jobs["announce"].summary
        assert "northfield/assistants/actions/workflows/apply.yml)" in run.jobs["announce"].summary
        run = place.dispatch("apply.yml")
        assert run.ended("apply", "record") == ("failure", "skipped")
        assert "Start this workflow by hand once, as the first run." in run.jobs["apply"].summary
        assert (place.at_hub(RECORD), place.sandbox.patches) == ("", [])

        assert place.dispatch("apply.yml", first_run=True).results == FIRST
        first = place.at_hub(RECORD)
        assert place.sandbox.patches == []

        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        run = place.push()
        assert run.results == GREEN, run.log
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Hi!"
        assert read_outcomes(run) == {"visits": "applied"}
        assert "1 applied" in run.jobs["apply"].summary
        second = place.at_hub(RECORD)
        assert place.definition("visits", RECORD)["firstMessage"] == "Hi!"
        place.git("fetch", "--quiet", "origin", RECORD)
        assert list_entries(place) == ENTRIES
        assert place.git("log", "-1", "--format=%P", "FETCH_HEAD") == f"{place.git('rev-parse', 'HEAD')} {first}"
        assert second[:12] in run.jobs["record"].summary

        assert place.dispatch("apply.yml", first_run=True).ended("apply", "record") == ("success", "skipped")
        assert place.at_hub(RECORD) == second


@pytest.mark.parametrize(("settings", "count"), OF_ALL)
def test_what_the_settings_say_about_all_assistants_holds_for_a_merge(
    tmp_path: Path, settings: str, count: int
) -> None:
    with recorded_place(tmp_path, settings=settings) as place:
        place.runner.only = "apply"
        place.sandbox.edit("asst_enrollment", firstMessage="Edited live!")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        run = place.push()
        assert (run.results["apply"], len(place.sandbox.patches)) == ("success", count), run.log


def test_a_record_of_the_older_form_is_gone_on_with(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        older = place.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Apply: 2 unchanged")
        place.git("push", "--quiet", "--force", "origin", f"{older}:{RECORD}")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        run = place.push()
        assert run.results == GREEN, run.log
        assert read_outcomes(run) == {"visits": "applied"}
        assert list_entries(place) == ENTRIES
        assert place.definition("visits", RECORD)["firstMessage"] == "Hi!"


def test_a_superseded_run_loses_nothing_and_a_late_one_undoes_nothing(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Superseded")
        older = place.commit()
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Newer")
        place.commit()
        assert read_outcomes(place.push()) == {"admissions/enrollment": "applied", "visits": "applied"}
        record = place.at_hub(RECORD)
        run = place.runner.run("apply.yml", "push", {}, older)
        assert run.ended("apply", "record") == ("failure", "skipped")
        assert "does not descend from" in run.jobs["apply"].summary
        assert place.sandbox.live("asst_enrollment")["firstMessage"] == "Newer"
        assert place.at_hub(RECORD) == record


def test_what_was_applied_is_recorded_although_another_one_failed(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        with place.failing("asst_visits"):
            run = place.push()
        assert run.ended("apply", "record") == ("failure", "success")
        assert read_outcomes(run) == {"admissions/enrollment": "applied", "visits": "failed"}
        assert "1 failed" in run.jobs["apply"].summary
        assert place.definition("admissions/enrollment", RECORD)["firstMessage"] == "Hi!"
        assert place.definition("visits", RECORD)["firstMessage"] == "Welcome!"

        run = place.dispatch("apply.yml")
        assert run.results == GREEN
        assert read_outcomes(run) == {"visits": "applied"}
        assert place.definition("visits", RECORD)["firstMessage"] == "Hi!"


def push_other_record(place: Place) -> None:
    """Another run records first."""
    record = place.at_hub(RECORD)
    message = place.git("log", "-1", "--format=%B", record)
    other = place.git("commit-tree", f"{record}^{{tree}}", "-p", "HEAD^", "-p", record, "-m", message)
    place.git("push", "--quiet", "origin", f"{other}:{RECORD}")


def test_a_record_that_loses_the_race_is_red_and_a_retry_converges(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        place.git("fetch", "--quiet", "origin", RECORD)
        place.runner.between = lambda job: push_other_record(place) if job == "record" else None
        run = place.push()
        assert run.ended("apply", "record") == ("success", "failure")
        assert NOT_RECORDED in run.jobs["record"].summary

        place.runner.between = lambda job: None
        run = place.dispatch("apply.yml")
        assert run.results == GREEN, run.log
        assert read_outcomes(run) == {"visits": "unchanged"}
        assert place.definition("visits", RECORD)["firstMessage"] == "Hi!"
        unexecuted = {name for _, name in run_steps(WORKFLOWS / "apply.yml") - place.runner.executed}
        assert unexecuted == {"3: Explain how to start the record", "2: Set the result", "5: Note that creating starts"}


def test_a_record_that_was_not_handed_over_is_red_and_pushed_when_the_job_runs_again(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        bundle: list[Path] = []

        def lose(job: str) -> None:
            if job == "record":
                bundle.append(place.runner.runs[max(place.runner.runs)].artifacts.pop(BUNDLE))

        place.runner.between = lose
        run = place.push()
        assert run.ended("apply", "record") == ("success", "failure")
        assert run.jobs["record"].failed == "Download the new record"
        assert NOT_RECORDED in run.jobs["record"].summary

        place.runner.between = lambda job: None
        run.artifacts[BUNDLE] = bundle[0]
        place.runner.again(run, "apply.yml")
        assert run.results == GREEN, run.log
        assert place.definition("visits", RECORD)["firstMessage"] == "Hi!"


def test_every_attempt_keeps_its_own_report(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        with place.failing("asst_visits"):
            run = place.push()
        assert read_outcomes(run) == {"admissions/enrollment": "applied", "visits": "failed"}
        place.runner.again(run, "apply.yml")
        assert run.results["apply"] == "success", run.log
        assert read_outcomes(run) == {"visits": "applied"}
        assert {"apply-assistants-attempt-1", "apply-assistants-attempt-2"} <= run.artifacts.keys()


@pytest.mark.parametrize("announced", [False, True])
def test_only_the_record_of_this_run_is_pushed(tmp_path: Path, announced: bool) -> None:
    with recorded_place(tmp_path) as place:
        before = place.at_hub(RECORD)
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()

        def swap(job: str) -> None:
            if job == "record":
                run = place.runner.runs[max(place.runner.runs)]
                forged = place.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "It lost the record before it")
                place.git("update-ref", RECORD, forged)
                place.git("bundle", "create", "--quiet", str(run.artifacts[BUNDLE] / "record.bundle"), RECORD)
                if announced:
                    run.jobs["apply"].outputs["recorded"] = forged

        place.runner.between = swap
        run = place.push()
        assert run.ended("apply", "record") == ("success", "failure")
        assert "Not the record of this run" in run.log
        assert NOT_RECORDED in run.jobs["record"].summary
        assert place.at_hub(RECORD) == before


def test_nothing_is_applied_from_elsewhere_or_to_nowhere(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.sandbox.forget_requests()
        place.write("visits", name="Visits", firstMessage="Hi!")
        sha = place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/draft", "HEAD:refs/heads/main")
        for ref in ("refs/heads/draft", "refs/heads/draft/main", "refs/tags/main"):
            run = place.runner.run("apply.yml", "workflow_dispatch", {}, sha, ref)
            assert run.ended("apply", "record") == ("failure", "skipped")
            assert "only on the default branch" in run.jobs["apply"].summary

        place.runner.variables = {}
        assert place.dispatch("apply.yml").ended("apply", "record") == ("skipped", "skipped")
        run = place.dispatch("apply.yml", directory="assistants")  # as it is called by another repository
        assert run.ended("apply", "record") == ("failure", "skipped")
        assert "Set the variable RECONCILER_API_URL" in run.jobs["apply"].summary
        assert place.sandbox.requests == []


def test_without_the_protected_account_nothing_is_written(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.runner.protected = {}
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        run = place.push()
        assert run.results["apply"] == "failure"
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Welcome!"


def test_an_environment_has_its_own_record_and_artifacts(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        shutil.rmtree(place.root / "assistants")
        text = f"environments: {{staging: {{api_url: '{place.sandbox.url}', overlay: environments/staging}}}}\n"
        (place.root / "reconciler.yaml").write_text(SETTINGS + text, "utf-8")
        (place.root / "environments" / "staging").mkdir(parents=True)
        (place.root / "environments" / "staging" / "visits.yaml").write_text("id: asst_visits\n", "utf-8")
        (place.root / "agents").mkdir()
        (place.root / "agents" / "visits.yaml").write_text("name: Visits\nfirstMessage: Staged\n", "utf-8")
        place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        run = place.dispatch("drift.yml", directory="agents", environment="staging")
        assert run.results["drift"] == "success", run.log  # although it has no record yet, and the other one has
        assert "There is no refs/reconciler/staging/applied, but there is refs/reconciler/applied." in run.log
        run = place.dispatch("apply.yml", directory="agents", environment="staging", **{"first-run": True})
        assert run.results == FIRST, run.log
        assert place.definition("visits", "refs/reconciler/staging/applied", "agents") == {
            "id": "asst_visits",
            "name": "Visits",
            "firstMessage": "Staged",
        }
        assert set(run.artifacts) == {"apply-agents@staging-attempt-1", "record-agents@staging-attempt-1"}
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Staged"
