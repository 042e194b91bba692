"""apply.yml by hand: each input does what a conflict's comment advises, and nothing beside it."""

from pathlib import Path

from places import Place, recorded_place
from test_apply_workflow import read_outcomes
from workflow_runs import WorkflowRun

ENROLLMENT, VISITS = "admissions/enrollment", "visits"


def read_refusal(run: WorkflowRun) -> str:
    """What is said of a run that ended before it looked at anything."""
    assert (run.results["apply"], run.jobs["apply"].failed) == ("failure", "Choose the options"), run.log
    return run.jobs["apply"].summary


def read_greetings(place: Place) -> list[str]:
    """What the two assistants say first, live."""
    return [str(place.sandbox.live(one)["firstMessage"]) for one in ("asst_enrollment", "asst_visits")]


def test_inputs_are_for_the_assistants_that_are_named(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        place.runner.only = "apply"
        for key, name in ((ENROLLMENT, "Enrollment"), (VISITS, "Visits")):
            place.write(key, name=name, firstMessage="Git's")
            place.sandbox.edit(f"asst_{name.lower()}", firstMessage="Live's")
        place.sandbox.edit("asst_visits", name="Edited")
        place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")

        run = place.dispatch("apply.yml", only=f" {VISITS} ,")
        assert read_outcomes(run) == {VISITS: "refused"}
        assert "changed both in git and live" in run.jobs["apply"].summary

        for inputs in ({"force_conflicts": " , "}, {"only": ","}):
            assert "name the assistants to apply" in read_refusal(place.dispatch("apply.yml", **inputs))
        both = {"force_conflicts": VISITS, "only": ENROLLMENT}
        assert "name different assistants" in read_refusal(place.dispatch("apply.yml", **both))
        run = place.dispatch("apply.yml", force_conflicts=f"{ENROLLMENT},{VISITS}", max_changes="1")
        assert set(read_outcomes(run).values()) == {"skipped"}
        assert (read_greetings(place), place.sandbox.patches) == (["Live's", "Live's"], [])

        run = place.dispatch("apply.yml", force_conflicts=f"assistants/{ENROLLMENT}.yaml")
        assert read_outcomes(run) == {ENROLLMENT: "applied"}
        assert read_greetings(place) == ["Git's", "Live's"]

        # After a force-push nothing descends from what was applied.
        other = place.git("commit-tree", "HEAD^{tree}", "-m", "Rewritten")
        place.git("push", "--quiet", "--force", "origin", f"{other}:refs/heads/main")
        known = {"on_drift": "revert", "force_conflicts": VISITS}
        run = place.dispatch("apply.yml", **known)
        assert (run.results["apply"], read_greetings(place)) == ("failure", ["Git's", "Live's"])
        run = place.dispatch("apply.yml", **known, allow_older=True)
        assert read_outcomes(run) == {VISITS: "applied"}
        assert (read_greetings(place), place.sandbox.live("asst_visits")["name"]) == (["Git's", "Git's"], "Visits")
