"""What became of a workflow's run and of its jobs."""

import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class JobRun:
    """What became of a job."""

    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    failed: str = ""
    """The first step that failed."""


@dataclass
class WorkflowRun:
    """What became of a run: its jobs, and its artifacts by name."""

    number: int
    jobs: dict[str, JobRun]
    artifacts: dict[str, Path]
    attempt: int = 1
    started: float = field(default_factory=time.monotonic)

    @property
    def results(self) -> dict[str, str]:
        """How each job ended."""
        return {name: job.result for name, job in self.jobs.items()}

    def ended(self, *names: str) -> tuple[str, ...]:
        """How some of the jobs ended."""
        return tuple(self.jobs[name].result for name in names)

    @property
    def log(self) -> str:
        """Everything that all jobs printed."""
        return "".join(job.log for job in self.jobs.values())


@dataclass
class Failed(Exception):  # noqa: N818 - the step's fault, not the runner's
    """A step that failed; one that is an action of several steps may have outputs all the same."""

    why: str
    outputs: dict[str, str] = field(default_factory=dict)


class Outputs(dict[str, str]):
    """Outputs: one that was never set is empty."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return ""
