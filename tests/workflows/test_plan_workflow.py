"""plan.yml: what a pull request gets to see."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import connection_variables, run
from expressions import interpolate
from places import RECORD, SETTINGS, Place, place_at, recorded_place
from workflow_files import WORKFLOWS, read_workflow, run_steps

GREEN = {"plan": "success", "comment": "success"}


def read_comment(place: Place) -> str:
    """The text of the one comment that the workflow keeps."""
    (found,) = (comment for comment in place.hub.comments if comment["user"]["login"] == "github-actions[bot]")
    text: str = found["body"]
    return text


def list_writes(place: Place) -> list[str]:
    """How the API of the hub was written to."""
    return [method for method, _, _ in place.hub.calls if method != "GET"]


def test_one_comment_follows_the_pull_request(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        stranger = place.hub.new("<!-- reconciler plan assistants -->\nmine", login="mallory", on=7)
        place.hub.comments.append(stranger)
        place.hub.comments += [place.hub.new("chatter", login="ada", on=7) for _ in range(120)]
        place.sandbox.edit("asst_enrollment", firstMessage="Edited live!")
        place.git("checkout", "--quiet", "-b", "greeting")
        place.write("visits", name="Visits", firstMessage="Hi, @team!")
        first = place.commit()

        run = place.plan(7)

        assert run.results == GREEN, run.log
        text = read_comment(place)
        assert text.startswith("<!-- reconciler plan assistants -->\n## Plan\n")
        assert first in text
        assert f"/actions/runs/{run.number})" in text
        assert "/artifacts/plan-assistants)" in text
        assert "Welcome!" in text
        assert "Edited live!" not in text
        assert "2 definitions are valid." in run.jobs["plan"].summary
        assert json.loads((run.artifacts["plan-assistants"] / "plan.json").read_text())["summary"]["pending"] == 1
        assert (run.artifacts["plan-assistants"] / "plan.html").exists()
        assert place.sandbox.patches == []
        assert [path for method, path, _ in place.sandbox.requests if method == "GET"][-1].endswith("asst_visits")

        place.write("visits", name="Visits", firstMessage="Hi again!")
        second = place.commit()
        assert place.plan(7).results == GREEN
        assert second in read_comment(place)
        assert "Hi again!" in read_comment(place)
        assert first not in read_comment(place)

        place.git("revert", "--no-edit", first, second, "--strategy-option=theirs")
        place.write("visits", name="Visits", firstMessage="Welcome!")
        place.commit("Back")
        assert place.plan(7).results == GREEN
        assert "This request no longer changes a definition." in read_comment(place)
        assert stranger["body"].endswith("mine")
        assert list_writes(place) == ["POST", "PATCH", "PATCH"]

        place.write("visits", name="Visits", firstMessage="Third")
        place.commit()
        assert place.plan(8, fork=True).results == {"plan": "success", "comment": "skipped"}
        place.git("checkout", "--quiet", "main")
        place.write("visits", name="Visits", firstMessage="Fourth")
        place.sandbox.edit("asst_visits", firstMessage="Fifth")
        place.commit()
        assert place.plan(9).results == {"plan": "failure", "comment": "success"}
        assert run_steps(WORKFLOWS / "plan.yml") <= place.runner.executed


def test_a_pull_request_without_definitions_is_green_and_quiet(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.sandbox.forget_requests()
        (place.root / "README.md").write_text("Hello", "utf-8")
        (place.root / ".github").mkdir()
        (place.root / ".github" / "dependabot.yml").write_text("version: 2", "utf-8")
        place.commit()
        run = place.plan(7)
        assert run.results == GREEN
        assert "nothing to plan" in run.jobs["plan"].summary
        assert place.hub.comments == []
        assert place.sandbox.requests == []
        assert run.artifacts == {}


def test_forks_and_dependabot_get_an_offline_plan(tmp_path: Path) -> None:
    for number, (recorded, arguments) in enumerate(((True, {"fork": True}), (False, {"author": "dependabot[bot]"}))):
        with (recorded_place if recorded else place_at)(tmp_path / str(number)) as place:
            place.sandbox.forget_requests()
            place.write("visits", name="Visits", firstMessage="Hi!")
            place.commit()
            place.runner.secrets = {}
            calls = len(place.hub.calls)
            run = place.plan(7, **arguments)  # type: ignore[arg-type]
            assert run.results == {"plan": "success", "comment": "skipped"}, run.log
            assert "Made without the API" in run.jobs["plan"].summary
            assert "to change" in run.jobs["plan"].summary
            assert len(place.hub.calls) == calls
            assert place.sandbox.requests == []
            report = json.loads((run.artifacts["plan-assistants"] / "plan.json").read_text())
            merged_into = place.at_hub("refs/heads/main")
            assert (report["offline"], report["base"]["commit"]) == (True, place.at_hub(RECORD) or merged_into)


@pytest.mark.parametrize("settings", [SETTINGS, ""])
def test_before_the_first_apply_the_plan_has_no_base_and_says_so(tmp_path: Path, settings: str) -> None:
    with place_at(tmp_path, settings=settings) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        run = place.plan(7)
        assert run.results == GREEN, run.log
        assert "another greeting" in read_comment(place)
        assert "live edits look like changes in git" in read_comment(place)
        report = json.loads((run.artifacts["plan-assistants"] / "plan.json").read_text())
        assert (report["base"], report["summary"]["pending"]) == (None, 1)


def test_a_pull_request_that_lacks_what_was_applied_says_so(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.git("checkout", "--quiet", "-b", "greeting")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        place.git("checkout", "--quiet", "main")
        place.write("visits", name="Visits", firstMessage="Applied meanwhile")
        place.commit()
        assert place.push().results["apply"] == "success"
        place.git("push", "--quiet", "--force", "origin", "HEAD^:refs/heads/main")
        place.git("checkout", "--quiet", "greeting")
        run = place.plan(7)  # GitHub has made its trial merge before that
        assert run.results == GREEN, run.log
        assert "HEAD is behind the record" in read_comment(place)


def test_without_an_api_the_plan_is_offline(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.sandbox.forget_requests()
        (place.root / "reconciler.yaml").write_text(f"api_url: {place.sandbox.url}\n", "utf-8")
        place.commit()
        place.runner.variables = {}
        run = place.plan(7)
        assert run.results == {"plan": "success", "comment": "skipped"}, run.log
        assert place.sandbox.requests == []


def test_a_conflict_that_an_earlier_merge_left_open_holds_up_nobody_else(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.sandbox.edit("asst_visits", firstMessage="Edited live!")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        assert place.push().results["apply"] == "failure"
        place.git("checkout", "--quiet", "-b", "greeting")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        run = place.plan(7)
        assert run.results == GREEN, run.log
        assert "1 conflict" in read_comment(place)

        place.write("visits", name="Visits", firstMessage="Hi there!")
        place.commit()
        run = place.plan(7)
        assert run.jobs["plan"].failed == "Stop at conflicts"
        assert "::error title=Conflict::" in run.log


def test_a_merge_queue_gets_the_same_check_and_no_comment(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        # Two requests were squashed on top of each other, so the first parent is not what the group would go into.
        for key, name in (("visits", "Visits"), ("admissions/enrollment", "Enrollment")):
            place.write(key, name=name, firstMessage="Hi!")
            place.commit()
        run = place.queue()
        assert run.results == {"plan": "success", "comment": "skipped"}, run.log
        assert place.hub.calls == []
        report = json.loads((run.artifacts["plan-assistants"] / "plan.json").read_text())
        assert (report["offline"], report["summary"]["pending"]) == (False, 2)

        place.sandbox.edit("asst_visits", firstMessage="Edited live!")
        run = place.queue()
        assert run.jobs["plan"].failed == "Stop at conflicts"

        place.write("visits", name="Visits", firstMesage="Hi!")
        place.commit()
        assert place.queue().jobs["plan"].failed == "Validate all definitions"


def test_plans_do_not_cancel_those_of_others() -> None:
    groups = [
        {"github": {"ref": ref}, "inputs": {"directory": directory, "environment": environment}}
        for ref in ("refs/pull/7/merge", "refs/heads/gh-readonly-queue/main/pr-7-abc")
        for directory, environment in (("a", "b-c"), ("a-b", "c"), ("a", ""), (None, None))
    ]
    for name in ("plan", "apply", "drift", "rollback"):
        group = read_workflow(WORKFLOWS / f"{name}.yml")["concurrency"]["group"]
        assert len({interpolate(group, contexts) for contexts in groups}) == (8 if name == "plan" else 4)


def test_no_pull_request_can_send_the_password_elsewhere(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place, place_at(tmp_path / "elsewhere") as elsewhere:
        settings = {
            "api_url": elsewhere.sandbox.url,
            "environments": {"staging": {"api_url": elsewhere.sandbox.url}},
        }
        (place.root / "reconciler.yaml").write_text(yaml.safe_dump(settings), "utf-8")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()

        run = place.plan(7)
        assert run.results == GREEN, run.log

        run = place.plan(7, directory="assistants", environment="staging")
        assert run.results == {"plan": "failure", "comment": "success"}
        assert "neither overrides the other" in run.jobs["plan"].summary
        (text,) = (
            comment["body"] for comment in place.hub.comments if "plan assistants@staging -->" in comment["body"]
        )
        assert "neither overrides the other" in text

        assert elsewhere.sandbox.requests == []


def test_each_environment_may_have_an_api_of_its_own(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place, place_at(tmp_path / "elsewhere") as elsewhere:
        url = elsewhere.sandbox.url
        (place.root / "reconciler.yaml").write_text(f"environments: {{staging: {{api_url: '{url}'}}}}\n", "utf-8")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        inputs: dict[str, Any] = {"directory": "assistants", "environment": "staging", "api-url": url}
        run = place.plan(7, **inputs)
        assert run.results == GREEN, run.log
        assert "Hi!" in read_comment(place)
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        elsewhere.sandbox.edit("asst_visits", firstMessage="Hi!")
        run = place.dispatch("drift.yml", **inputs)
        assert run.results["drift"] == "success", run.log
        assert len([path for method, path, _ in elsewhere.sandbox.requests if path.endswith("asst_visits")]) > 1


def test_a_record_that_cannot_be_looked_for_is_no_missing_record(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        place.hub.patience = 3  # those of the checkout
        run = place.plan(7)
        assert run.results == {"plan": "failure", "comment": "success"}
        assert run.jobs["plan"].failed == "Fetch the record"
        assert "The record could not be fetched" in run.log
        assert "left no report" in read_comment(place)

        place.hub.patience = 3
        run = place.plan(8, fork=True)
        assert (run.results["plan"], run.artifacts) == ("failure", {})
        assert "to change" not in run.jobs["plan"].summary


def test_two_folders_of_which_the_first_has_no_environment_have_a_plan_each(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        chat: dict[str, Any] = {"directory": "chat", "environment": "chat"}
        settings = f"{SETTINGS}environments:\n  chat: {{overlay: environments/chat}}\n"
        (place.root / "reconciler.yaml").write_text(settings, "utf-8")
        place.write("../environments/chat/desk", id="asst_visits", firstMessage="Chat with us!")
        place.git("checkout", "--quiet", "-b", "second")
        place.write("../chat/desk", id="asst_visits", name="Visits", firstMessage="Chat!")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        for inputs, file in (({}, "enrollment"), (chat, "desk")):
            run = place.plan(7, **inputs)
            assert run.results == GREEN, run.log
            assert f"{file}.yaml" in place.hub.comments[-1]["body"]
        assert len(place.hub.comments) == 2


def test_an_empty_repository_has_its_first_comment_after_six_steps_and_no_red_run(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        place.git("checkout", "--quiet", "--orphan", "begin")
        place.git("rm", "--quiet", "-r", "--force", ".")
        # The steps of docs/ci.md; the fourth and the fifth are the variable and the secrets that the place has.
        for words in (("init", "--ci", "github", "--from", f"north/reconciler@{'a' * 40}"), ("import", "asst_visits")):
            result = run(*words, cwd=place.root, env=connection_variables(place.sandbox))
            assert result.code == 0, result.stderr
        place.commit("Set up reconciler")
        place.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
        place.git("checkout", "--quiet", "-b", "greeting")
        file = place.root / "assistants" / "visits.yaml"
        file.write_text(file.read_text("utf-8").replace("Welcome!", "Hi!"), "utf-8")
        place.commit()
        assert place.plan(7).results == GREEN
        assert "Welcome!" in read_comment(place)
        assert "Without a base" in read_comment(place)

        merged = place.push()
        assert set(merged.results.values()) == {"success", "skipped"}, merged.log
        assert place.sandbox.patches == []
