"""docs/ci.md: its workflow files fit what they call, the scripts do what the page says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import connection_variables, environment, place_command
from expressions import evaluate, holds, interpolate
from hub import running_hub
from pages import list_blocks
from places import OF_ALL, RECORD, SETTINGS, Place, place_at
from workflow_files import ROOT, WORKFLOWS, read_workflow

TEXT = (ROOT / "docs" / "ci.md").read_text("utf-8")
CREATION = ("POST", "/assistants")
COMMIT = "OWNER/REPOSITORY/(.+)@COMMIT"


def callers() -> list[dict[str, Any]]:
    """The jobs of the page that call a workflow."""
    found = [yaml.safe_load(block) for block in list_blocks(TEXT, "yaml")]
    jobs = [job for block in found for job in block.get("jobs", {}).values()]
    return [job for job in jobs if "uses" in job]


def test_callers_give_what_is_wanted_and_allow_what_is_needed() -> None:
    called = set()
    for job in callers():
        (path,) = re.fullmatch(COMMIT, job["uses"]).groups()  # type: ignore[union-attr]
        called.add(Path(path).stem)
        workflow = read_workflow(ROOT / path)
        accepted = workflow["on"]["workflow_call"]
        given = job.get("with", {})
        assert given.keys() <= accepted["inputs"].keys()
        assert {name for name, one in accepted["inputs"].items() if one.get("required")} <= given.keys()
        # By name: `inherit` would hand on all secrets, and works within one organisation only.
        account = {"RECONCILER_EMAIL", "RECONCILER_PASSWORD"}
        assert job["secrets"].keys() - {"RECONCILER_WEBHOOK_URL"} == account
        assert job["secrets"].keys() < accepted["secrets"].keys()
        needed: dict[str, str] = {}
        for one in workflow["jobs"].values():
            for name, allowed in one["permissions"].items():
                needed[name] = "write" if "write" in (allowed, needed.get(name)) else "read"
        assert job["permissions"] == needed
    assert called == {"plan", "apply", "drift", "rollback", "retire"}


STARTER = ROOT / "reconciler" / "starter" / "github" / "assistants.yml"


@pytest.mark.parametrize(
    ("event", "do", "jobs"),
    [
        ("pull_request", None, ["plan"]),
        ("merge_group", None, ["plan"]),
        ("push", None, ["apply"]),
        ("schedule", None, ["drift"]),
        ("workflow_dispatch", "apply", ["apply"]),
        ("workflow_dispatch", "first-run", ["apply"]),
        *(("workflow_dispatch", one, [one]) for one in ("drift", "rollback", "retire")),
    ],
)
def test_each_event_starts_one_job_of_the_file(event: str, do: str | None, jobs: list[str]) -> None:
    content = read_workflow(STARTER)
    known = content["on"]["workflow_dispatch"]["inputs"]
    assert event in content["on"]
    assert do is None or do in known["do"]["options"]
    contexts: dict[str, dict[str, Any]] = {
        "github": {"event_name": event},
        "inputs": {**dict.fromkeys(known), "do": do},
    }
    started = [name for name, job in content["jobs"].items() if holds(job["if"], contexts, "success")]
    assert started == jobs
    for drift, option in (("as-configured", ""), (None, ""), ("revert", "revert")):
        chosen = {**contexts, "inputs": {**contexts["inputs"], "on_drift": drift}}
        assert interpolate(content["jobs"]["apply"]["with"]["on-drift"], chosen) == option
    given = content["jobs"]["apply"]["with"]
    assert evaluate(given["first-run"].strip("${} "), contexts) is (do == "first-run")
    assert len(known) <= 10, "GitHub takes no more everywhere"


# What the files gave, when there was one for each job: they still name these workflows.
OLDER = {
    "plan": set(),
    "apply": {"first-run", "only", "create", "on-drift", "force-conflicts", "max-changes", "allow-older"},
    "drift": set(),
    "rollback": {"run-id", "attempt"},
    "retire": {"file", "name", "force-conflicts"},
}


def test_the_older_form_of_one_file_for_each_job_still_calls_what_is_there() -> None:
    for name, given in OLDER.items():
        inputs = read_workflow(WORKFLOWS / f"{name}.yml")["on"]["workflow_call"]["inputs"]
        assert given <= inputs.keys()
        assert {one for one, content in inputs.items() if content.get("required")} <= given
    assert (
        read_workflow(WORKFLOWS / "plan.yml")["on"]["workflow_call"]["inputs"]["apply-workflow"]["default"]
        == "assistants-apply.yml"
    )


def test_the_step_of_ones_own_names_inputs_that_are_there() -> None:
    (step,) = (
        step
        for block in list_blocks(TEXT, "yaml")
        for job in yaml.safe_load(block).get("jobs", {}).values()
        for step in job.get("steps", [])
        if "OWNER" in step["uses"]
    )
    (path,) = re.fullmatch(COMMIT, step["uses"]).groups()  # type: ignore[union-attr]
    assert step["with"].keys() <= read_workflow(ROOT / path / "action.yml")["inputs"].keys()


@pytest.mark.parametrize(
    ("schema", "first"), [("github-workflows", "# .github/workflows/"), ("gitlab-ci", "# .gitlab-ci")]
)
def test_files_to_copy_are_what_they_should_be(tmp_path: Path, schema: str, first: str) -> None:
    files = [block for block in list_blocks(TEXT, "yaml") if block.startswith(first)]
    assert files
    for number, block in enumerate(files):
        (tmp_path / f"{number}.yml").write_text(block, "utf-8")
    command = str(Path(sys.executable).with_name("check-jsonschema"))
    checked = [command, "--builtin-schema", f"vendor.{schema}", *map(str, tmp_path.glob("*.yml"))]
    result = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


class Scripts:
    """The page's scripts, in a team's clone."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = ROOT / "reconciler" / "starter" / "gitlab"
        self.bin = place.root.parent / "bin"
        self.bin.mkdir()
        (place.root / ".git" / "info" / "exclude").write_text("reports/\n", "utf-8")
        place_command(self.bin / "reconciler")
        self.said = ""

    def run(self, name: str, *arguments: str, **changes: str) -> int:
        """Run one, and return its exit code."""
        return self.run_words(str(self.folder / f"{name}.sh"), *arguments, **changes)

    def run_words(self, *words: str, **changes: str) -> int:
        """Run bash with some words."""
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        machine = {"PATH": path, "RECONCILER_RETRIES": "0"}
        known = {**connection_variables(self.place.sandbox), **machine, **self.place.runner.variables, **changes}
        result = subprocess.run(
            ["bash", *words], cwd=self.place.root, env=environment(known), capture_output=True, text=True, check=False
        )
        self.said = result.stdout + result.stderr
        return result.returncode


def test_a_plan_is_of_what_the_branch_changes_and_of_nothing_else(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts = Scripts(place)
        assert scripts.run("apply", "first") == 0
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Merged, and not applied yet")
        place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        place.git("checkout", "--quiet", "-b", "draft")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        for since in ("origin/main", "FETCH_HEAD"):  # the second one as in the worked examples
            place.git("fetch", "--quiet", "origin", "main")
            assert scripts.run("plan", since) == 0
            planned = json.loads((place.root / "reports" / "plan.json").read_text("utf-8"))["assistants"]
            assert [one["key"] for one in planned] == ["visits"]


def test_a_plan_always_leaves_a_report_and_no_name_of_a_branch_is_run(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts = Scripts(place)
        branch = "$(touch${IFS}pwned);`touch${IFS}pwned`"
        place.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        place.git("checkout", "--quiet", "-b", "draft")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit("$(touch pwned)")
        place.git("fetch", "--quiet", "origin")
        # A fork knows no account: the target stands in for live.
        assert scripts.run("plan", f"origin/{branch}", RECONCILER_EMAIL="", RECONCILER_PASSWORD="") == 0
        assert json.loads((place.root / "reports" / "plan.json").read_text("utf-8"))["offline"] is True
        assert scripts.run("plan", "--upload-pack=touch pwned") != 0
        assert [*place.root.rglob("pwned")] == []

        place.git("checkout", "--quiet", "-B", "main", "origin/main")
        place.write("visits", name="Visits", firstMessage="Ho!")
        place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        place.git("checkout", "--quiet", "draft")
        assert scripts.run("plan", "origin/main") == 1
        assert "cannot be merged" in (place.root / "reports" / "plan.could-not-begin.md").read_text("utf-8")
        assert not (place.root / "reports" / "plan.json").exists()
        assert place.git("status", "--porcelain", "--untracked-files=no") == ""


@pytest.mark.parametrize("settings", [SETTINGS, ""])
def test_the_scripts_do_what_the_workflows_do(tmp_path: Path, settings: str) -> None:
    with place_at(tmp_path, settings=settings) as place:
        scripts = Scripts(place)
        assert scripts.run("apply") == 3
        assert scripts.run("plan", "origin/main") == 0
        assert scripts.run("drift") == 0
        assert scripts.run("apply", "first") == 0
        first = place.at_hub(RECORD)
        assert first

        place.git("checkout", "--quiet", "-b", "draft")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        assert scripts.run("plan", "origin/main") == 0
        assert "another greeting" in (place.root / "reports" / "plan.md").read_text("utf-8")
        assert scripts.run("drift") == 0

        place.sandbox.edit("asst_visits", firstMessage="Edited live!")
        assert scripts.run("plan", "origin/main") == 1
        assert scripts.run("drift") == 2
        place.sandbox.edit("asst_visits", firstMessage="Welcome!")

        with place.failing("asst_visits"):
            assert scripts.run("plan", "origin/main") == 1
            assert scripts.run("drift") == 1
            assert scripts.run("apply") == 2
        assert place.at_hub(RECORD) != first
        assert scripts.run("apply") == 0
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Hi!"
        assert place.definition("visits", RECORD)["firstMessage"] == "Hi!"

        place.write("visits", name="Visits", firstMessage="Lost race")
        place.commit()
        hook = place.hub.git / "hooks" / "update"
        hook.write_text("#!/bin/sh\nexit 1\n", "utf-8")
        hook.chmod(0o755)
        assert scripts.run("apply") == 2
        hook.unlink()
        assert scripts.run("apply") == 0

        # A record that is lost after a creation: nobody creates a second assistant.
        place.write("tours", id="new", name="Tours")
        place.commit()
        hook.write_text("#!/bin/sh\nexit 1\n", "utf-8")
        hook.chmod(0o755)
        assert scripts.run("apply") == 1
        assert [one for one in place.sandbox.requests if one[:2] == CREATION] == []
        hook.write_text('#!/bin/sh\n[ ! -e "$GIT_DIR/once" ] && touch "$GIT_DIR/once"\n', "utf-8")
        assert scripts.run("apply") == 2
        hook.unlink()
        place.git("checkout", "--quiet", ".")  # as a fresh clone has it: without the id
        assert scripts.run("apply") == 2
        assert [body["name"] for method, path, body in place.sandbox.requests if (method, path) == CREATION] == [
            "Tours"
        ]
        assert place.definition("visits", RECORD)["firstMessage"] == "Lost race"


def test_jenkins_runs_the_target_s_scripts_and_none_of_a_fork(tmp_path: Path) -> None:
    plan, apply = (block for block in list_blocks(TEXT, "bash") if TEXT.index(block) > TEXT.index("## Jenkins"))
    with place_at(tmp_path) as place:
        scripts, ci = Scripts(place), place.root / "ci"
        shutil.copytree(scripts.folder, ci)
        (ci / "install.sh").write_text(f"echo {scripts.bin}\n", "utf-8")  # the real one needs a network
        place.commit("The scripts")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        assert scripts.run("apply", "first") == 0
        place.git("checkout", "--quiet", "-b", "fork")
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "plan.json").write_text("another workspace's", "utf-8")
        shutil.rmtree(place.root / "reports")
        (place.root / "reports").symlink_to(elsewhere)
        for script in ci.iterdir():
            script.write_text(f"env > {tmp_path}/stolen\n", "utf-8")
        place.write("visits", name="Visits", firstMessage="From a fork!")
        place.commit()
        jenkins = {"CHANGE_TARGET": "main", "WORKSPACE_TMP": str(tmp_path / "clone@tmp")}
        assert scripts.run_words("-c", plan, **jenkins) == 0
        (planned,) = json.loads((place.root / "reports" / "plan.json").read_text("utf-8"))["assistants"]
        assert planned["changes"][0]["desired"] == "From a fork!"
        assert not (tmp_path / "stolen").exists()
        assert [one.read_text("utf-8") for one in elsewhere.iterdir()] == ["another workspace's"]
        place.git("checkout", "--quiet", "--force", "main")
        assert scripts.run_words("-c", apply, **jenkins) == 0


def test_by_hand_the_scripts_do_what_a_conflict_s_comment_advises(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts, sandbox = Scripts(place), place.sandbox
        assert scripts.run("apply", "first") == 0
        sandbox.edit("asst_visits", firstMessage="Edited live!")
        sandbox.edit("asst_enrollment", firstMessage="Edited live, too!")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        assert scripts.run("apply", APPLY_ONLY="visits", APPLY_FORCE_CONFLICTS="admissions/enrollment") == 1
        assert scripts.run("apply", APPLY_ONLY="--force-conflicts") == 1
        for unnamed in ({"APPLY_FORCE_CONFLICTS": " "}, {"APPLY_FORCE_CONFLICTS": ","}, {"APPLY_ONLY": " , "}):
            assert scripts.run("apply", **unnamed) == 1
            assert "names no assistant" in scripts.said
        assert sandbox.patches == []
        assert scripts.run("apply", APPLY_FORCE_CONFLICTS=" visits ,") == 0
        assert scripts.run("apply", APPLY_ONLY="admissions/enrollment", RECONCILER_ON_DRIFT="revert") == 0
        sent = [path for method, path, _ in sandbox.requests if method == "PATCH"]
        assert sent == ["/assistants/asst_visits", "/assistants/asst_enrollment"]
        assert scripts.run("retire", RETIRE_FILE="assistants/visits.yaml", RETIRE_NAME="Another") == 1
        assert "not a job of GitHub" not in scripts.said  # a request of an earlier run stays
        assert scripts.run("retire", RETIRE_FILE="--help", RETIRE_NAME="Visits") == 1
        assert "DELETE" not in [method for method, _, _ in sandbox.requests]


def test_by_hand_the_scripts_apply_a_history_that_was_rewritten(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts = Scripts(place)
        assert scripts.run("apply", "first") == 0
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.write("tours", id="new", name="Tours")
        place.commit()
        place.git("reset", "--quiet", "--hard", place.git("commit-tree", "HEAD^{tree}", "-m", "Rewritten"))
        assert scripts.run("apply") == 1
        assert "does not descend from" in scripts.said
        assert scripts.run("apply", APPLY_ALLOW_OLDER="true") == 0, scripts.said
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Hi!"
        assert place.definition("tours", RECORD)["name"] == "Tours"


@pytest.mark.parametrize(("settings", "count"), OF_ALL)
def test_what_the_settings_say_about_all_assistants_holds_for_the_scripts(
    tmp_path: Path, settings: str, count: int
) -> None:
    with place_at(tmp_path, settings=settings) as place:
        scripts = Scripts(place)
        assert scripts.run("apply", "first") == 0
        place.sandbox.edit("asst_enrollment", firstMessage="Edited live!")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        assert scripts.run("apply") == 0, scripts.said
        assert len(place.sandbox.patches) == count


@pytest.mark.parametrize("folder", ["-bots", "-a b/$HOME"])
def test_no_name_of_a_folder_is_an_option_or_hides_the_settings(tmp_path: Path, folder: str) -> None:
    with place_at(tmp_path, settings="") as place:
        scripts, inputs = Scripts(place), {"RECONCILER_DIRECTORY": folder}
        place.root.joinpath(folder).parent.mkdir(exist_ok=True)
        place.git("mv", "--", "assistants", folder)
        settings = place.root.joinpath(folder).with_name("reconciler.yaml")
        settings.write_text("record: true\nenforce:\n  - {path: firstMessage, reason: law}\n", "utf-8")
        place.commit()
        assert scripts.run("apply", "first", **inputs) == 0
        place.sandbox.edit("asst_visits", firstMessage="Edited live!")
        assert scripts.run("apply", **inputs) == 0, scripts.said
        assert len(place.sandbox.patches) == 1
        place.sandbox.edit("asst_visits", firstMessage="Edited live!")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        assert set(place.dispatch("apply.yml", directory=folder).results.values()) == {"success", "skipped"}
        assert len(place.sandbox.patches) == 2


@pytest.mark.parametrize("command", ["drift", "plan", "apply"])
def test_a_command_that_cannot_begin_leaves_no_report_of_an_earlier_job(tmp_path: Path, command: str) -> None:
    """Where a job's folder is kept, yesterday's report would close the issue."""
    with place_at(tmp_path) as place:
        scripts = Scripts(place)
        for name in ("apply", command):
            assert scripts.run(name, "HEAD" if name == "plan" else "first") == 0
        place.git("remote", "set-url", "origin", "/nowhere")
        place.git("fetch", "--quiet", ".", "HEAD")
        assert scripts.run(command, "HEAD") not in (0, 2, 3)
        left = [path.name for path in (place.root / "reports").glob(f"{command}.*")]
        assert left == [f"{command}.could-not-begin.md"]
        # The failure is still reported.
        told = scripts.run("tell", "comment" if command == "plan" else "issue", command, GITLAB_TOKEN="x" * 20)
        assert (told, "CI_API_V4_URL" in scripts.said) == (1, True)
        # A newer apply may have replaced this one, and a person sees that a variable of theirs is wrong.
        if command == "apply":
            place.git("remote", "set-url", "origin", str(place.hub.git))
            assert scripts.run("apply", APPLY_ONLY=",") == 1
            assert not list((place.root / "reports").glob("apply.*"))


def test_a_plan_of_a_revision_that_is_missing_is_told_too(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts, environment_name = Scripts(place), {"RECONCILER_ENVIRONMENT": "east"}
        earlier = place.root / "reports" / "east" / "plan.json"
        earlier.parent.mkdir(parents=True)
        earlier.write_text("{}", "utf-8")
        assert scripts.run("plan", "no-such-branch", **environment_name) != 0
        assert not earlier.exists()
        told = scripts.run("tell", "comment", "plan", GITLAB_TOKEN="x" * 20, **environment_name)
        assert (told, "CI_API_V4_URL" in scripts.said) == (1, True)
        assert "could not start" in earlier.with_name("plan.could-not-begin.md").read_text("utf-8")


def test_an_earlier_conflict_stops_nobody_else_s_request(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts = Scripts(place)
        assert scripts.run("apply", "first") == 0
        place.sandbox.edit("asst_visits", firstMessage="Edited live!")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        assert scripts.run("apply") == 2
        assert scripts.run("plan", "HEAD^") == 1
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        place.git("fetch", "--quiet", "origin")
        place.git("checkout", "--quiet", "-b", "draft")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        assert scripts.run("plan", "origin/main") == 0
        planned = json.loads((place.root / "reports" / "plan.json").read_text("utf-8"))
        assert planned["summary"]["conflicted"] == 1


def list_reports(place: Place) -> set[str]:
    """What an apply has left for the comment and the issue."""
    return {path.name for path in (place.root / "reports").glob("appl*")}


def test_an_apply_that_could_not_start_says_so_unless_it_was_only_late(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts, names = Scripts(place), {"apply.could-not-begin.md", "applied-before"}
        assert scripts.run("apply", "first") == 0
        older = place.git("rev-parse", "HEAD")
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        assert scripts.run("apply") == 0
        assert "apply.json" in list_reports(place)
        place.git("checkout", "--quiet", older)
        assert (scripts.run("apply"), list_reports(place)) == (1, {"applied-before"})
        assert "does not descend from" in scripts.said
        place.git("checkout", "--quiet", "main")
        (place.root / "reconciler.yaml").write_text("nonsense: true\n", "utf-8")
        place.commit()
        assert (scripts.run("apply"), list_reports(place)) == (1, names)
        assert "nonsense" in (place.root / "reports" / "apply.could-not-begin.md").read_text("utf-8")
        (place.root / "reconciler.yaml").write_text(SETTINGS, "utf-8")
        place.write("tours", id="new", name="Tours")
        place.commit()
        assert (scripts.run("apply", RECORD_URL="/nowhere"), list_reports(place)) == (1, names)
        assert "cannot be pushed" in (place.root / "reports" / "apply.could-not-begin.md").read_text("utf-8")


@pytest.mark.parametrize(("applied", "failing", "code"), [(0, "", 0), (0, "tell", 2), (2, "accept", 2), (1, "tell", 1)])
def test_a_comment_that_cannot_be_written_locks_no_rollback(
    tmp_path: Path, applied: int, failing: str, code: int
) -> None:
    """GitLab starts no manual job that needs a failed one, and a token expires after a year."""
    jobs = yaml.safe_load((ROOT / "reconciler" / "starter" / "gitlab" / "assistants.yml").read_text("utf-8"))
    (tmp_path / "ci").mkdir()
    (tmp_path / "reports").mkdir()
    for name, ending in (("apply", applied), ("tell", failing == "tell"), ("accept", failing == "accept")):
        (tmp_path / "ci" / f"{name}.sh").write_text(f"echo {name} $*\nexit {int(ending)}\n", "utf-8")

    def run(job: str) -> subprocess.CompletedProcess[str]:
        script = "\n".join(["set -eo pipefail", *jobs[job]["script"]])
        return subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("assistants-result").returncode == 1, "a job that ended before it applied anything is no success"
    (tmp_path / "reports" / "not-applied").touch()
    result = run("assistants-apply")
    assert result.returncode == code
    assert result.stdout.splitlines() == ["apply", "tell issue apply", "tell comment apply", "accept ids"]
    result = run("assistants-result")
    assert (result.returncode, f"ci/{failing}.sh" in result.stdout) == ((1, True) if failing else (0, False))


def test_environments_of_one_pipeline_keep_their_reports_apart(tmp_path: Path) -> None:
    """GitLab puts the artifacts of all jobs of a matrix into one folder, before the result and the rollback."""
    jobs = yaml.safe_load((ROOT / "reconciler" / "starter" / "gitlab" / "assistants.yml").read_text("utf-8"))
    result = "\n".join(["set -eo pipefail", *jobs["assistants-result"]["script"]])
    with place_at(tmp_path, settings=f"{SETTINGS}environments: {{east: {{}}, west: {{}}}}\n") as place:
        scripts = Scripts(place)
        names = [{"RECONCILER_ENVIRONMENT": name} for name in ("east", "west")]
        assert [scripts.run("apply", "first", **name) for name in names] == [0, 0]
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        with place.failing("asst_visits"):
            assert scripts.run("apply", **names[0]) == 2
        assert scripts.run("apply", **names[1]) == 0
        assert [scripts.run_words("-c", result, **name) for name in names] == [1, 0]
        assert {path.name for path in (place.root / "reports").iterdir()} == {"east", "west"}
        assert scripts.run("rollback", **names[1]) == 0, scripts.said
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Welcome!"


def test_a_package_that_cannot_be_downloaded_is_a_failure_and_no_warning(tmp_path: Path) -> None:
    installation = tmp_path / "home" / "source" / ".github" / "actions" / "install" / "install"
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f"#!/bin/sh\nmkdir -p {installation.parent}\necho exit 2 > {installation}\n", "utf-8")
    git.chmod(0o755)
    path = f"{git.parent}{os.pathsep}{os.environ['PATH']}"
    script = ROOT / "reconciler" / "starter" / "gitlab" / "install.sh"
    known = environment({"PATH": path, "RECONCILER_HOME": str(tmp_path / "home")})
    assert subprocess.run(["bash", script], env=known, check=False).returncode == 1


def test_an_installation_that_no_longer_runs_is_made_again(tmp_path: Path) -> None:
    """A folder that is kept, or a cache that is restored elsewhere, may name a Python that is gone."""
    home = tmp_path / "home"
    kept, installation = home / "COMMIT" / "bin" / "reconciler", home / "source/.github/actions/install/install"
    git = tmp_path / "bin" / "git"
    for file, lines in (
        (kept, "exec /nowhere/bin/python -I -m reconciler"),
        (git, f"mkdir -p {installation.parent}\ncp {tmp_path}/install {installation}"),
        (
            tmp_path / "install",
            'mkdir -p "$2/bin"\nprintf "#!/bin/sh\\necho 1" > "$2/bin/reconciler"\nchmod +x "$2"/bin/*',
        ),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{lines}\n", "utf-8")
        file.chmod(0o755)
    known = environment({"PATH": f"{git.parent}{os.pathsep}{os.environ['PATH']}", "RECONCILER_HOME": str(home)})
    script = ROOT / "reconciler" / "starter" / "gitlab" / "install.sh"
    result = subprocess.run(["bash", script], env=known, stdout=subprocess.PIPE, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, f"{kept.parent}\n")


def test_a_rollback_whose_outcome_is_unclear_is_recorded(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts = Scripts(place)
        assert scripts.run("apply", "first") == 0
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.commit()
        assert scripts.run("apply") == 0
        before = place.at_hub(RECORD)
        place.sandbox.rehearse("every PATCH /assistants/asst_visits: 500")
        assert scripts.run("rollback") == 1
        place.sandbox.mend()
        place.git("fetch", "--quiet", "origin", RECORD)
        assert place.git("rev-parse", "FETCH_HEAD^2") == before
        assert place.git("rev-parse", "FETCH_HEAD^2") == before
        assert "Reconciler-Indeterminate:" in place.git("log", "-1", "--format=%B", "FETCH_HEAD")
        place.git("update-ref", "-d", RECORD)  # as on another machine
        assert scripts.run("rollback") == 0
        assert place.sandbox.live("asst_visits")["firstMessage"] == "Welcome!"
        report = json.loads((place.root / "reports" / "rollback.json").read_text("utf-8"))
        assert report["assistants"][0]["outcome"] == "applied"
        place.git("fetch", "--quiet", "origin", RECORD)
        assert "Reconciler-Indeterminate:" not in place.git("log", "-1", "--format=%B", "FETCH_HEAD")


def test_a_request_that_lacks_the_token_for_the_record_names_that_token(tmp_path: Path) -> None:
    with place_at(tmp_path) as place:
        scripts = Scripts(place)
        assert scripts.run("apply", "first") == 0
        assert scripts.run("accept", GITLAB_CI="true", GITLAB_TOKEN="notes") == 1
        assert "RECORD_TOKEN is not set" in scripts.said
        assert "GITLAB_TOKEN" not in scripts.said


def test_the_token_for_the_record_goes_to_no_other_server_and_is_shown_nowhere(tmp_path: Path) -> None:
    with place_at(tmp_path) as place, running_hub(tmp_path / "elsewhere") as elsewhere:
        scripts = Scripts(place)
        token = place.hub.token({"contents": "write"})
        place.hub.moved_to, elsewhere.patience = elsewhere.url, 9
        known = {"RECORD_TOKEN": token, "RECORD_URL": f"{place.hub.url}/northfield/assistants.git"}
        assert scripts.run("apply", "first", **known) == 2
        assert "error: 301" in scripts.said
        assert elsewhere.patience == 9
        place.hub.moved_to = ""
        assert scripts.run("apply", "first", **known) == 0
        assert place.at_hub(RECORD)
        assert token not in scripts.said
        assert [one for one in place.root.rglob("*") if one.is_file() and token.encode() in one.read_bytes()] == []
