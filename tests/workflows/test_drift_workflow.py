"""drift.yml: one issue and one pull request follow what is edited live."""

from pathlib import Path
from typing import Any

import pytest
from places import SETTINGS, Place, place_at, recorded_place
from workflow_files import WORKFLOWS, run_steps

GREEN = {"drift": "success", "issue": "success", "accept": "success"}


def only_entry(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The one entry."""
    (entry,) = entries
    return entry


def newest_branch(place: Place) -> str:
    """The branch of the newest pull request."""
    return f"refs/heads/{place.hub.pulls[-1]['head']['ref']}"


def edit_live(place: Place) -> None:
    """Edit an assistant in the dashboard."""
    place.sandbox.edit("asst_visits", firstMessage="Edited live!")


def test_one_issue_and_one_pull_request_follow_live_edits(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        assert (place.hub.issues, place.hub.pulls) == ([], [])

        edit_live(place)
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        issue, pull = only_entry(place.hub.issues), only_entry(place.hub.pulls)
        assert issue["body"].startswith("<!-- reconciler drift assistants -->\n")
        assert "Edited live!" in issue["body"]
        assert f"Commit {place.at_hub('refs/heads/main')}" in issue["body"]
        assert f"/actions/runs/{run.number})" in issue["body"]
        assert (pull["base"]["ref"], pull["state"]) == ("main", "open")
        assert place.definition("visits", newest_branch(place))["firstMessage"] == "Edited live!"
        assert (run.artifacts["drift-assistants"] / "drift.md").exists()

        run = place.dispatch("drift.yml")
        assert f"/actions/runs/{run.number})" in only_entry(place.hub.issues)["body"]
        assert only_entry(place.hub.pulls)["state"] == "open"

        place.sandbox.edit("asst_enrollment", firstMessage="Edited, too!")
        assert place.dispatch("drift.yml").results == GREEN
        assert "Edited, too!" in only_entry(place.hub.issues)["body"]
        assert place.definition("admissions/enrollment", newest_branch(place))["firstMessage"] == "Edited, too!"

        place.sandbox.edit("asst_visits", firstMessage="Welcome!")
        place.sandbox.edit("asst_enrollment", firstMessage="Hello!")
        assert place.dispatch("drift.yml").results == GREEN
        assert only_entry(place.hub.issues)["state"] == "closed"
        assert {pull["state"] for pull in place.hub.pulls} == {"closed"}
        assert place.at_hub(newest_branch(place)) == ""
        assert place.sandbox.patches == []

        edit_live(place)
        assert place.dispatch("drift.yml").results == GREEN
        assert [issue["state"] for issue in place.hub.issues] == ["closed", "open"]
        assert run_steps(WORKFLOWS / "drift.yml") <= place.runner.executed


def test_accepted_live_edits_are_in_git_and_nothing_is_left(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        edit_live(place)
        place.dispatch("drift.yml")
        place.git("pull", "--quiet", "origin", newest_branch(place))
        run = place.push()
        assert run.ended("apply", "record") == ("success", "success"), run.log
        assert place.sandbox.patches == []
        assert place.dispatch("drift.yml").results == GREEN
        assert only_entry(place.hub.issues)["state"] == "closed"


@pytest.mark.parametrize("settings", [SETTINGS, ""])
def test_before_the_first_apply_the_definitions_are_the_base(tmp_path: Path, settings: str) -> None:
    with place_at(tmp_path, settings=settings) as place:
        assert place.dispatch("drift.yml").results == GREEN
        edit_live(place)
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        assert "Without a base, every difference counts as drift" in only_entry(place.hub.issues)["body"]
        assert place.definition("visits", newest_branch(place))["firstMessage"] == "Edited live!"


def test_what_could_not_be_looked_at_is_not_called_settled(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        edit_live(place)
        place.dispatch("drift.yml")
        for assistant in ("asst_visits", "/auth/login"):
            with place.failing(assistant, "POST" if "login" in assistant else "GET"):
                run = place.dispatch("drift.yml")
            assert run.results == {"drift": "failure", "issue": "success", "accept": "skipped"}
            assert only_entry(place.hub.issues)["state"] == "open"
            assert only_entry(place.hub.pulls)["state"] == "open"
        assert (run.artifacts["drift-assistants"]).exists()
        with place.failing("asst_enrollment"):
            run = place.dispatch("drift.yml")
        assert run.results == {"drift": "failure", "issue": "success", "accept": "skipped"}
        assert "Edited live!" in only_entry(place.hub.issues)["body"]

        (place.root / "reconciler.yaml").write_text("nonsense: true\n", "utf-8")
        place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        run = place.dispatch("drift.yml")
        assert run.results == {"drift": "failure", "issue": "success", "accept": "skipped"}
        assert "::error title=reconciler drift could not start::" in run.log
        issue = only_entry(place.hub.issues)
        assert (issue["state"], "nonsense" in issue["body"]) == ("open", True)


def test_a_schedule_does_not_say_what_the_default_branch_is(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        edit_live(place)
        sha = place.at_hub("refs/heads/main")
        run = place.runner.run("drift.yml", "schedule", {"repository": None, "schedule": "17 4 * * *"}, sha)
        assert run.results == GREEN, run.log
        assert only_entry(place.hub.pulls)["base"]["ref"] == "main"


def test_a_pull_request_that_somebody_closed_stays_closed_until_live_edits_are_others(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        edit_live(place)
        place.dispatch("drift.yml")
        only_entry(place.hub.pulls)["state"] = "closed"
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        assert only_entry(place.hub.pulls)["state"] == "closed"
        assert only_entry(place.hub.issues)["state"] == "open"

        place.sandbox.edit("asst_visits", firstMessage="Another edit")
        place.dispatch("drift.yml")
        assert [pull["state"] for pull in place.hub.pulls] == ["closed", "open"]


def test_what_is_like_it_but_another_is_left_alone(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        others = [
            place.hub.new("<!-- reconciler drift assistants@staging -->\nAnother environment"),
            place.hub.new("As I said:\n<!-- reconciler drift assistants -->\n"),
            *(place.hub.new("chatter") for _ in range(120)),
        ]
        place.hub.issues += [dict(one) for one in others]
        edit_live(place)
        place.dispatch("drift.yml")
        place.dispatch("drift.yml")
        new_issues = place.hub.issues[len(others) :]
        assert place.hub.issues[: len(others)] == others
        new_issues[0]["body"] = new_issues[0]["body"].replace("\n", "\r\n")  # as a browser leaves it
        place.hub.issues[:] = [*new_issues, *others]  # GitHub lists the newest first, so it is on the second page now
        place.sandbox.edit("asst_visits", firstMessage="Welcome!")
        place.dispatch("drift.yml")
        assert only_entry(new_issues)["state"] == "closed"
        assert place.hub.issues[1:] == others


def test_nothing_but_definitions_gets_onto_the_branch(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        edit_live(place)
        (place.root / "ci.sh").write_text("mine\n", "utf-8")
        place.git("add", "ci.sh")
        forged = place.git("diff", "--cached", "--binary", "--full-index")

        def swap(job: str) -> None:
            if job == "accept":
                patch = place.runner.runs[max(place.runner.runs)].artifacts["pull-assistants"] / "pull.patch"
                patch.write_text(f"{patch.read_text('utf-8')}{forged}\n", "utf-8")

        place.runner.between = swap
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        place.git("fetch", "--quiet", "origin", newest_branch(place))
        assert place.git("diff", "--name-only", "FETCH_HEAD^", "FETCH_HEAD") == "assistants/visits.yaml"


def test_a_conflict_is_told_and_not_accepted(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        edit_live(place)
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        assert "Edited live!" in only_entry(place.hub.issues)["body"]
        assert place.hub.pulls == []
