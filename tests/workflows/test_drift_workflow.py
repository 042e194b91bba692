"""drift.yml: one issue and one pull request follow what is edited live."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from places import Place, recorded_place
from workflow_files import WORKFLOWS, run_steps

GREEN = {"drift": "success", "issue": "success", "accept": "success"}
BRANCH = "refs/heads/reconciler/accept-live-edits"


def only(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The one entry."""
    (entry,) = entries
    return entry


def drifted(place: Place) -> None:
    """Edit an assistant in the dashboard."""
    place.sandbox.edit("asst_visits", firstMessage="Edited live!")


def test_one_issue_and_one_pull_request_follow_live_edits(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        assert (place.hub.issues, place.hub.pulls) == ([], [])

        drifted(place)
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        issue, pull = only(place.hub.issues), only(place.hub.pulls)
        assert issue["body"].startswith("<!-- reconciler drift assistants -->\n")
        assert "Edited live!" in issue["body"]
        assert f"/actions/runs/{run.number})" in issue["body"]
        assert (pull["head"], pull["base"], pull["state"]) == ("reconciler/accept-live-edits", "main", "open")
        assert place.definition("visits", BRANCH)["firstMessage"] == "Edited live!"
        assert (run.artifacts["drift-assistants"] / "drift.md").exists()
        accepted = place.at_hub(BRANCH)

        run = place.dispatch("drift.yml")
        assert f"/actions/runs/{run.number})" in only(place.hub.issues)["body"]
        assert only(place.hub.pulls)["state"] == "open"
        assert place.at_hub(BRANCH) == accepted, "nothing new was pushed"

        place.sandbox.edit("asst_enrollment", firstMessage="Edited, too!")
        assert place.dispatch("drift.yml").results == GREEN
        assert "Edited, too!" in only(place.hub.issues)["body"]
        assert place.definition("admissions/enrollment", BRANCH)["firstMessage"] == "Edited, too!"

        place.sandbox.edit("asst_visits", firstMessage="Welcome!")
        place.sandbox.edit("asst_enrollment", firstMessage="Hello!")
        assert place.dispatch("drift.yml").results == GREEN
        assert only(place.hub.issues)["state"] == "closed"
        assert only(place.hub.pulls)["state"] == "closed"
        assert place.at_hub(BRANCH) == ""
        assert place.sandbox.patches == []

        drifted(place)
        assert place.dispatch("drift.yml").results == GREEN
        assert [issue["state"] for issue in place.hub.issues] == ["closed", "open"]
        assert run_steps(WORKFLOWS / "drift.yml") <= place.runner.executed


def test_accepted_live_edits_are_in_git_and_nothing_is_left(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        drifted(place)
        place.dispatch("drift.yml")
        place.git("pull", "--quiet", "origin", BRANCH)
        run = place.push()
        assert run.results == {"apply": "success", "record": "success"}, run.log
        assert place.sandbox.patches == []
        assert place.dispatch("drift.yml").results == GREEN
        assert only(place.hub.issues)["state"] == "closed"


def test_what_could_not_be_looked_at_is_not_called_settled(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        drifted(place)
        place.dispatch("drift.yml")
        for assistant in ("asst_visits", "/auth/login"):
            with place.failing(assistant, "POST" if "login" in assistant else "GET"):
                run = place.dispatch("drift.yml")
            assert run.results["drift"] == "failure"
            assert run.results["accept"] == "skipped"
            assert only(place.hub.issues)["state"] == "open"
            assert only(place.hub.pulls)["state"] == "open"
        assert (run.artifacts["drift-assistants"]).exists()
        with place.failing("asst_enrollment"):
            run = place.dispatch("drift.yml")
        assert run.results == {"drift": "failure", "issue": "success", "accept": "skipped"}
        assert "Edited live!" in only(place.hub.issues)["body"]


def added_to_it(place: Place) -> None:
    """Somebody adds commits to the branch, of whom git has more to say than fits into a pipe."""
    for message in ("Better", "Better still"):
        address = ("-c", f"user.email={'ada' * 30_000}@example.com")
        place.git(*address, "commit", "--quiet", "--all", "--allow-empty", "-m", message)


def amended_it(place: Place) -> None:
    """Somebody amends the commit on the branch, which keeps its author."""
    place.git("commit", "--quiet", "--all", "--amend", "--no-edit")


@pytest.mark.parametrize("people", [added_to_it, amended_it])
def test_peoples_commits_on_the_branch_are_left_alone(tmp_path: Path, people: Callable[[Place], None]) -> None:
    with recorded_place(tmp_path) as place:
        drifted(place)
        place.dispatch("drift.yml")
        place.git("fetch", "--quiet", "origin", BRANCH)
        place.git("checkout", "--quiet", "FETCH_HEAD")
        place.write("visits", name="Visits", firstMessage="Edited live, and better!")
        people(place)
        theirs = place.git("rev-parse", "HEAD")
        place.git("push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}")
        place.sandbox.edit("asst_visits", firstMessage="Welcome!")
        run = place.dispatch("drift.yml")
        assert run.results == GREEN, run.log
        assert "is left as it is" in run.log
        assert place.at_hub(BRANCH) == theirs
        assert only(place.hub.pulls)["state"] == "open"
