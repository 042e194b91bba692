"""Runs the workflows in act, which reads, evaluates and executes them by itself, on this machine.

The team's repository has the file that `reconciler init --ci github` writes. What act cannot do: one token
for all jobs, with what all of them together may; the secrets of an environment for all jobs, where one has it; no
concurrency groups, no time-outs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from code_host import REPOSITORY
from commands import environment
from runner import Runner
from workflow_files import ROOT, WORKFLOWS, read_workflow
from workflow_runs import JobRun, WorkflowRun

HERE = Path(__file__).parent
CALLER = ".github/workflows/assistants.yml"
OURS, COMMIT = "northfield/reconciler", "0" * 39 + "1"  # where the callers find the workflows
WHEELS = Path(sys.prefix) / "wheels"  # those of requirements/tool.lock, fetched once
ACT = Path(sys.executable).with_name("act")
PATIENCE = 600
PINNED = re.compile(r"uses: (actions/([\w-]+)@[0-9a-f]{40})")
FLAGS = (
    *("-P", "ubuntu-latest=-self-hosted", "--no-skip-checkout", "--action-offline-mode", "--use-new-action-cache"),
    *("--no-cache-server", "--concurrent-jobs", "1", "--defaultbranch", "main", "--json"),
)


@dataclass
class ActRunner(Runner):
    """The same as `Runner`, by act."""

    def __post_init__(self) -> None:
        self.ours = self.folder / "ours"
        self.artifacts = self.folder / "artifacts"
        copy_ours(self.ours)

    def run(
        self,
        workflow: str,
        event_name: str,
        event: Mapping[str, Any],
        sha: str,
        ref: str = "refs/heads/main",
        **inputs: Any,
    ) -> WorkflowRun:
        """Run what calls a workflow, as the commit has it."""
        # To GitHub a run calls whatever its file names, started or not.
        paths = (f"{OURS}/.github/workflows/{path.name}@{COMMIT}" for path in WORKFLOWS.iterdir())
        run = self.begin(event_name, sha, ref, CALLER, *paths)
        folder = self.folder / str(run.number)
        clone, called = folder / "clone", read_workflow(WORKFLOWS / workflow)
        # The callers are read from here; a job begins in an empty folder, as on GitHub.
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", str(self.hub.git), str(clone)], check=True)
        for words in (("fetch", "-q", "origin", ref), ("checkout", "-q", "--detach", sha)):
            subprocess.run(["git", "-C", str(clone), *words], check=True)
        forked = (
            event.get("pull_request", {}).get("head", {}).get("repo", {}).get("full_name", REPOSITORY) != REPOSITORY
        )
        do = "first-run" if inputs.pop("first_run", False) else workflow.removesuffix(".yml")
        sent = {name: str(value).lower() if isinstance(value, bool) else value for name, value in inputs.items()}
        files = {
            "event": json.dumps(
                {"repository": {"default_branch": "main"}, "ref": ref, **event, "inputs": {"do": do, **sent}}
            ),
            "secrets": format_variables(self._secrets(called, forked=forked)),
            "vars": format_variables(self.variables),
            "env": format_variables(self._environment(run, sha, ref)),
            "inputs": "",
        }
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
        command = [
            *(str(ACT), event_name, "--workflows", str(clone / CALLER), *FLAGS),
            *("--eventpath", str(folder / "event"), "--secret-file", str(folder / "secrets")),
            *("--var-file", str(folder / "vars"), "--env-file", str(folder / "env")),
            *("--input-file", str(folder / "inputs"), "--action-cache-path", str(folder / "cache")),
            *(word for pair in self._local_repositories() for word in ("--local-repository", pair)),
        ]
        machine = environment({"HOME": str(folder)})
        with (folder / "log").open("w+b") as log:
            subprocess.run(
                command, cwd=clone, env=machine, stdout=log, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False
            )
        run.jobs = {name: JobRun() for name in called["jobs"]}
        for entry in read_entries(folder / "log"):
            note_result(run.jobs, entry)
        artifact_folder = self.artifacts / str(run.number)
        run.artifacts = (
            {entry.name: entry for entry in sorted(artifact_folder.iterdir())} if artifact_folder.is_dir() else {}
        )
        assert any(job.result != "skipped" for job in run.jobs.values()), (folder / "log").read_text("utf-8")
        return run

    def _secrets(self, called: Mapping[str, Any], *, forked: bool) -> Mapping[str, str]:
        jobs = called["jobs"].values()
        permissions = {name: allowed for job in jobs for name, allowed in sorted(job["permissions"].items())}
        for job in jobs:
            permissions |= {name: "write" for name, allowed in job["permissions"].items() if allowed == "write"}
        if forked:
            return {"GITHUB_TOKEN": self.hub.token(dict.fromkeys(permissions, "read"))}
        protected = self.protected if any("environment" in job for job in jobs) else {}
        return {"GITHUB_TOKEN": self.hub.token(permissions), **self.secrets, **protected}

    def _environment(self, run: WorkflowRun, sha: str, ref: str) -> Mapping[str, str]:
        return {
            **self.machine,
            "GITHUB_SERVER_URL": self.hub.url,
            "GITHUB_API_URL": f"{self.hub.url}/api/v3",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(run.number),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_REF": ref,
            "GITHUB_SHA": sha,
            "STAND_IN_ARTIFACTS": str(self.artifacts),
            "STAND_IN_PYTHON": sys.executable,
            # The step that installs has the same lock and digests, and needs no network each time.
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(WHEELS),
            "PIP_CONFIG_FILE": os.devnull,
        }

    def _local_repositories(self) -> Iterator[str]:
        yield f"{OURS}@{COMMIT}={self.ours}"
        texts = [path.read_text("utf-8") for path in (ROOT / ".github").rglob("*.yml")]
        for name, action in sorted({repository for text in texts for repository in PINNED.findall(text)}):
            if (HERE / "stand_ins" / action).is_dir():
                yield f"{name}={HERE / 'stand_ins' / action}"


def copy_ours(place: Path) -> None:
    """Copy what a caller of our workflows gets; act does not know `$/`, and reads a name instead."""
    listed = (
        subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            stdout=subprocess.PIPE,
            check=True,
        )
        .stdout.decode()
        .split("\0")
    )
    for name in listed:
        if name.startswith((".github/", "reconciler/", "requirements/")) and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    for path in (place / ".github").rglob("*.yml"):
        path.write_text(re.sub(r"uses: \$/(\S+)", rf"uses: {OURS}/\1@{COMMIT}", path.read_text("utf-8")), "utf-8")


def format_variables(values: Mapping[str, str]) -> str:
    """Return a file of variables as act reads it."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def read_entries(log: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what act says line by line; what is no JSON is no step's."""
    for line in log.read_text("utf-8", "replace").splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def note_result(jobs: Mapping[str, JobRun], entry: Mapping[str, Any]) -> None:
    """Take over what one line says about a job; a step of an action inside of a step has a longer `stepID`."""
    job = jobs.get(entry.get("jobID", ""))
    if job is None:
        return
    job.result = entry.get("jobResult", job.result)
    if entry.get("raw_output"):
        job.log += entry["msg"]
    if entry.get("stage") == "Main" and len(entry.get("stepID", ())) == 1:
        if entry.get("command") == "summary":
            job.summary += entry["content"]
        if entry.get("stepResult") == "failure":
            job.failed = job.failed or entry["step"]
            job.log += f"{entry['step']}: {entry['msg']}\n"
