"""apply.yml tells each merged pull request what became of its changes."""

from pathlib import Path
from typing import Any

from places import Place, recorded_place
from workflow_runs import WorkflowRun


def merge(place: Place, key: str, author: str, **fields: Any) -> dict[str, Any]:
    """Merge a pull request that changes one definition."""
    place.git("checkout", "--quiet", "-b", f"change-{author}")
    place.write(key, **fields)
    branch = place.commit()
    place.git("checkout", "--quiet", "main")
    place.git("merge", "--quiet", "--no-ff", "-m", "Merge", branch)
    repo = {"repo": {"full_name": "northfield/assistants"}}
    pull = place.hub.new("please", login=author, merged_at="2026-11-28T04:17:00Z", commits=[branch])
    pull |= {"state": "closed", "head": {"ref": f"change-{author}", **repo}, "base": {"ref": "main", **repo}}
    pull["commits"].append(place.git("rev-parse", "HEAD"))
    place.hub.pulls.append(pull)
    return pull


def read_comment(place: Place, pull: dict[str, Any]) -> str:
    """The one comment on a pull request."""
    (body,) = (comment["body"] for comment in place.hub.comments if comment["on"] == pull["number"])
    return str(body)


def test_each_merged_pull_request_learns_what_became_of_its_own_changes(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        good = merge(place, "visits", "ada", name="Visits", firstMessage="Hi!")
        bad = merge(place, "admissions/enrollment", "bob", name="Enrollment", firstMessage="Hi!")
        (place.root / "README.md").write_text("Hello", "utf-8")
        other = merge(place, "../notes", "eve", name="no definition")
        run: WorkflowRun
        # No chat is told over plain http, and that is no failure.
        place.runner.secrets = {**place.runner.secrets, "RECONCILER_WEBHOOK_URL": "http://chat.test/hook"}
        with place.failing("asst_enrollment", "PATCH"):
            run = place.push()
        assert run.results["result"] == "success", run.log
        assert run.log.count("nothing was sent to the webhook: RECONCILER_WEBHOOK_URL is not an https:// URL") == 1
        assert read_comment(place, good).startswith("<!-- reconciler apply assistants -->\n")
        assert "All changes of this request are live." in read_comment(place, good)
        assert "@bob, not all changes of this request are live." in read_comment(place, bad)
        assert "[apply by hand, with other options](" in read_comment(place, bad)
        assert "/actions/workflows/apply.yml)" in read_comment(place, bad)
        assert "Visits" not in read_comment(place, bad)
        assert not [comment for comment in place.hub.comments if comment["on"] == other["number"]]

        run = place.dispatch("apply.yml")
        assert run.results["result"] == "success", run.log
        assert "webhook" not in run.log
        assert "All changes of this request are live." in read_comment(place, bad)

        (place.root / "reconciler.yaml").write_text("nonsense: true\n", "utf-8")
        late = merge(place, "visits", "lyn", name="Visits", firstMessage="Never")
        run = place.push()
        assert (run.results["apply"], run.results["result"]) == ("failure", "success"), run.log
        assert "@lyn, the apply left no report, so the changes of this request may not" in read_comment(place, late)
        assert "nonsense" in read_comment(place, late)
