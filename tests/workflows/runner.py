"""Runs a workflow file as GitHub would: which jobs, in which order, with what they hand on to each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from code_host import REPOSITORY, CodeHost
from expressions import Lenient, holds
from job import Env, Job
from workflow_files import WORKFLOWS, read_workflow
from workflow_runs import JobRun, Outputs, WorkflowRun


@dataclass
class Runner:
    """The repository's settings, and where runs leave what they made.

    `executed` are the `run:` steps that were executed, as (file, number of the step).
    """

    hub: CodeHost
    folder: Path
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    protected: Mapping[str, str]
    """The secrets of the environment `production`."""
    machine: Env = field(default_factory=lambda: {"RECONCILER_RETRIES": "0"})
    """What every machine has in its environment: here, no waiting for an API that is to fail."""
    runs: dict[int, WorkflowRun] = field(default_factory=dict)
    contexts: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """What each run was started with, by its number."""
    executed: set[tuple[str, str]] = field(default_factory=set)
    rejected: str = ""
    """A job that never begins, since the reviewers of its environment say no."""
    only: str = ""
    """The one job that runs, where a test is about no other."""
    between: Callable[[str], None] = lambda job: None
    """Called with a job's name before it begins."""

    def run(
        self,
        workflow: str,
        event_name: str,
        event: Mapping[str, Any],
        sha: str,
        ref: str = "refs/heads/main",
        **inputs: Any,
    ) -> WorkflowRun:
        """Run a workflow. `inputs` are those of a dispatch or a call, with `_` for `-` where it has them so."""
        path = WORKFLOWS / workflow  # or any other place, where `workflow` is an absolute one
        content = read_workflow(path)
        run = self.begin(event_name, sha, ref, f".github/workflows/{path.name}")
        started = (on for on in content["on"].values() if isinstance(on, Mapping))
        known = {name for on in started for name in on.get("inputs", {})}
        assert inputs.keys() <= known, inputs
        self.contexts[run.number] = {
            "github": {
                "event_name": event_name,
                "event": Lenient({"repository": {"default_branch": "main"}, **event}),
                "ref": ref,
                "ref_name": ref.removeprefix("refs/heads/"),
                "sha": sha,
                "workflow_ref": f"{REPOSITORY}/.github/workflows/{path.name}@{ref}",
                "repository": REPOSITORY,
                "run_id": str(run.number),
                "server_url": self.hub.url,
            },
            "inputs": {**dict.fromkeys(known), **inputs},
        }
        self._jobs(run, path)
        return run

    def begin(self, event_name: str, sha: str, ref: str, workflow: str, *called: str) -> WorkflowRun:
        """Give a run its number, and let the hub know of it: its file, and the workflows that this calls."""
        run = WorkflowRun(next(self.hub.numbers), {}, {})
        self.runs[run.number] = run
        self.hub.runs[run.number] = {
            "status": "completed",
            "run_attempt": 1,
            "event": event_name,
            "path": workflow,
            "referenced_workflows": [{"path": path} for path in called],
            "head_branch": ref.removeprefix("refs/heads/").removeprefix("refs/tags/"),
            "head_sha": sha,
            "repository": {"full_name": REPOSITORY},
            "head_repository": {"full_name": REPOSITORY},
        }
        return run

    def again(self, run: WorkflowRun, workflow: str) -> None:
        """Re-run the failed jobs of a run, and those that need them."""
        run.attempt += 1
        self.hub.runs[run.number]["run_attempt"] = run.attempt
        earlier_runs: dict[str, JobRun] = {}
        for name, job in read_workflow(WORKFLOWS / workflow)["jobs"].items():
            if run.jobs[name].result == "success" and all(other in earlier_runs for other in list_needed(job)):
                earlier_runs[name] = run.jobs[name]
        run.jobs = earlier_runs
        self._jobs(run, WORKFLOWS / workflow)

    def _jobs(self, run: WorkflowRun, path: Path) -> None:
        known = self.contexts[run.number]
        github = {**known["github"], "run_attempt": str(run.attempt)}
        contexts = {**known, "github": github, "vars": Lenient(self.variables)}
        for name, job in read_workflow(path)["jobs"].items():
            if name in run.jobs:
                continue
            self.between(name)
            needs = {
                other: {"result": run.jobs[other].result, "outputs": Outputs(run.jobs[other].outputs)}
                for other in list_needed(job)
            }
            standing = "success" if all(one["result"] == "success" for one in needs.values()) else "failure"
            if name == self.rejected:
                run.jobs[name] = JobRun("failure")
            elif self.only not in ("", name):
                run.jobs[name] = JobRun()
            elif holds(job.get("if"), {**contexts, "needs": needs}, standing):
                run.jobs[name] = Job(self, run, path, name, {**contexts, "needs": needs}).run()
            else:
                run.jobs[name] = JobRun()


def list_needed(job: Mapping[str, Any]) -> list[str]:
    """The jobs that a job waits for."""
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs
