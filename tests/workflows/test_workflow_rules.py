"""What holds for every workflow and action here, whatever it does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from expressions import holds
from workflow_files import ACTIONS, ROOT, WORKFLOWS, read_workflow

OURS = sorted(path for path in WORKFLOWS.glob("*.yml") if path.stem not in ("ci", "pages", "release"))
EVERYTHING = [*sorted(WORKFLOWS.glob("*.yml")), *sorted(ACTIONS.glob("*/action.yml"))]
PINNED = re.compile(r"uses: (?:[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/actions/[a-z-]+)")


def steps(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All steps of a workflow or an action."""
    for part in [content["runs"], *()] if "runs" in content else content["jobs"].values():
        yield from part["steps"]


def test_the_five_are_there() -> None:
    assert [path.stem for path in OURS] == ["apply", "drift", "plan", "retire", "rollback"]


# A secret of the API; the address of a chat opens nothing there.
ACCOUNT = re.compile(r"secrets\.(?!RECONCILER_WEBHOOK_URL)")


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT / ".github")))
def test_every_step_is_pinned_and_keeps_the_token_to_itself(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        if "uses: " in line:
            assert PINNED.fullmatch(line.strip().removeprefix("- ")), line
    for step in steps(read_workflow(path)):
        name = step.get("uses", "")
        if name.startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        if name.startswith("$/"):
            assert (ROOT / name.removeprefix("$/") / "action.yml").is_file()
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_jobs_may_do_little_and_not_for_long(path: Path) -> None:
    content = read_workflow(path)
    assert content["permissions"] == {}
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & content["on"].keys()
    assert content["concurrency"]["cancel-in-progress"] is (path.stem == "plan")
    for job in content["jobs"].values():
        assert job["timeout-minutes"] <= 60
        if ACCOUNT.search(str(job)):
            assert "write" not in job["permissions"].values(), "who knows a password cannot write here"
            assert ("environment" in job) is (path.stem in ("apply", "retire", "rollback"))


def test_whoever_cancels_an_apply_gets_its_record_and_its_report() -> None:
    jobs = read_workflow(WORKFLOWS / "apply.yml")["jobs"]
    names = [step["name"] for step in jobs["apply"]["steps"]]
    known = {"choose": {"outcome": "success"}, "bundle": {"outputs": {"commit": "c"}}}
    for step in jobs["apply"]["steps"][names.index("Apply") + 1 :]:
        assert holds(step["if"], {"steps": known}, "cancelled"), step["name"]
    needs = {"apply": {"result": "cancelled", "outputs": {"recorded": "c"}}}
    assert holds(jobs["record"]["if"], {"needs": needs}, "cancelled")


def test_whoever_cancels_a_look_gets_no_news_of_it() -> None:
    jobs = read_workflow(WORKFLOWS / "drift.yml")["jobs"]
    for name in ("issue", "accept"):
        known = {"needs": {"drift": {"result": "cancelled", "outputs": {"name": "assistants"}}}}
        assert not holds(jobs[name].get("if"), known, "cancelled")


def test_credentials_are_seen_by_the_command_alone() -> None:
    for path in OURS:
        for step in steps(read_workflow(path)):
            if ACCOUNT.search(str(step)):
                assert step["uses"] == "$/.github/actions/run"


def test_apply_and_drift_do_not_wait_for_each_other() -> None:
    groups = {path.stem: read_workflow(path)["concurrency"]["group"].partition("-${{")[0] for path in OURS}
    assert groups == {path.stem: f"reconciler-{path.stem}" for path in OURS}


def test_ci_runs_what_the_makefile_says_that_it_runs() -> None:
    commands = {step.get("run") for step in steps(read_workflow(WORKFLOWS / "ci.yml"))}
    assert {"make test", "make check-all", "make demo"} <= commands


def test_a_gitmodules_that_is_broken_breaks_no_fetch() -> None:
    fetches = [line for path in EVERYTHING for line in path.read_text("utf-8").splitlines() if " fetch --" in line]
    assert fetches
    assert all("--no-recurse-submodules" in line for line in fetches)
