"""Tells the story with the pipelines, run by gitlab-ci-local.

    python tests/checks/gitlab/gitlab_story.py [FOLDER]

With FOLDER, every note, issue, merge request and log is written there, for people to read.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = map(str, (HERE, HERE.parent, HERE.parents[1] / "workflows", HERE.parents[1] / "support"))

import commands  # noqa: E402 - found by the line above
import yaml  # noqa: E402
from code_host import REPOSITORY  # noqa: E402
from gitlab_server import PROJECT, GitLab, running_gitlab  # noqa: E402
from pipeline_runner import SOURCE, PipelineRunner, run_gitlab_ci_local  # noqa: E402
from places import Place, place_at  # noqa: E402
from story import tell_story  # noqa: E402

TEAM = {
    "stages": ["check", "ship"],
    "default": {"image": "alpine:3", "retry": 1, "interruptible": True, "after_script": ["echo bye"]},
    "variables": {"COLOUR": "blue"},
    "check": {"stage": "check", "script": ["make"], "artifacts": {"paths": ["out/"]}},
    "ship": {"stage": "ship", "script": ["make ship"], "rules": [{"if": "$CI_COMMIT_BRANCH"}]},
}
OURS = {
    "include": [{"local": "ci/assistants.yml"}],
    ".assistants": {"stage": "check"},
    ".assistants-merged": {"stage": "ship"},
}


def check_include(root: Path) -> None:
    """Where a team has jobs, the file that is included changes none of them, and theirs do not repeat a write."""
    previews = []
    for content in (TEAM, {**OURS, **TEAM}):
        (root / ".gitlab-ci.yml").write_text(yaml.safe_dump(content), "utf-8")
        result = run_gitlab_ci_local(root, "--preview", machine={"HOME": str(root)})
        assert result.returncode == 0, result.stderr
        previews.append(yaml.safe_load(result.stdout))
    before, after = previews
    added = {name: after.pop(name) for name in list(after) if name.startswith("assistants-")}
    assert (after, len(added)) == (before, 7)
    for name, job in added.items():
        writes = job.get("environment") == "production"
        assert writes is (name.removeprefix("assistants-") in ("apply", "first-run", "rollback", "retire"))
        assert not writes or (job["retry"], job["interruptible"]) == (0, False), job


def check_set_up(place: Place, notes: str) -> None:
    """After the page's steps, `doctor` misses the first run alone; a job that knows less says less."""
    assert isinstance(place.hub, GitLab)
    login = ("RECONCILER_EMAIL", "RECONCILER_PASSWORD")
    unprotected = [(name, "*", False) for name in ("RECONCILER_API_URL", "GITLAB_TOKEN", *login)]
    protected = [("RECORD_TOKEN", "*", True), *((name, "production", True) for name in login)]
    result = run_gitlab_ci_local(place.root, "--preview", machine={"HOME": str(place.root.parent)})
    place.hub.facts = {
        "": {"default_branch": "main", "path_with_namespace": REPOSITORY},
        "ci/lint": {"valid": result.returncode == 0, "merged_yaml": result.stdout},
        "protected_branches/main": {"allow_force_push": False},
        "variables": [
            {"key": name, "environment_scope": scope, "protected": protected}
            for name, scope, protected in (*unprotected, *protected)
        ],
        "pipeline_schedules": [{"active": True}],
    }
    job = {
        **commands.connection_variables(place.sandbox, email="viewer@sandbox.test"),
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{place.hub.url}/api/v4",
        "CI_PROJECT_ID": PROJECT,
        "GITLAB_TOKEN": notes,
    }
    doctor_result = commands.run("doctor", "--account", "reads", cwd=place.root, env=job)
    missing = [line for line in doctor_result.stdout.splitlines() if not line.startswith("ok")]
    assert [line.partition(":")[0].split()[-1] for line in missing] == ["record"], doctor_result.stdout


def check_lines(piped: PipelineRunner) -> None:
    """Code Quality had the change of the greeting and the slip of the pen at their lines."""
    reports = [file for folder in piped.folders.values() for file in folder.rglob("plan.codequality")]
    entries = [entry["location"] for report in reports for entry in json.loads(report.read_text("utf-8"))]
    found = {(entry["path"], entry["lines"]["begin"]) for entry in entries}
    assert found >= {("assistants/open-day.yaml", 3), ("assistants/visits.yaml", 3)}, found


def check_account_of_drift(place: Place) -> None:
    """On the default branch, too, only the jobs of the environment have the writing account."""
    place.sandbox.forget_requests()
    place.dispatch("drift.yml")
    logins = {body["email"] for _, path, body in place.sandbox.requests if path == "/auth/login"}
    assert logins == {"viewer@sandbox.test"}


@contextmanager
def team(folder: Path) -> Iterator[Place]:
    """A team's project as `reconciler init` leaves it, with two assistants that are live and in git."""
    with place_at(folder, host=running_gitlab) as place:
        runner = place.runner
        place.runner = piped = PipelineRunner(
            runner.hub, folder / "runs", runner.variables, runner.secrets, runner.protected, runner.machine
        )
        result = commands.run("init", "--ci", "gitlab", "--from", f"{SOURCE}@{piped.commit}", cwd=place.root)
        assert result.code == 0, result.stderr
        place.commit("Set up reconciler")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        check_set_up(place, piped.notes)
        check_include(place.root)
        place.git("checkout", "--quiet", "--", ".gitlab-ci.yml")
        yield place
        assert isinstance(place.hub, GitLab)
        assert place.hub.obeyed == []
        check_lines(piped)
        check_account_of_drift(place)


if __name__ == "__main__":
    tell_story(team)
