"""A team's repository on the hub, its assistants in a sandbox, and what people do with both."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from between import Answer, Forward, Request, between, error_answer
from code_host import REPOSITORY, CodeHost
from commands import connection_variables, environment, run
from hub import running_hub
from runner import Runner
from servers import Sandbox, running_sandbox
from workflow_runs import WorkflowRun

SEED = {
    "asst_enrollment": {"name": "Enrollment", "firstMessage": "Hello!", "voicemailMessage": "Call us back."},
    "asst_visits": {"name": "Visits", "firstMessage": "Welcome!"},
}
RECORD = "refs/reconciler/applied"
SETTINGS = "record: true\n"
# Each with how many writes a merge of one change needs, if the other assistant was edited live.
OF_ALL = [
    ("record: true\non_drift: revert\n", 2),
    ("record: true\nenforce:\n  - {path: firstMessage, reason: law}\n", 2),
    ("record: true\nenforce :\n  - {path: firstMessage, reason: law}\n", 2),
    ("record: true\nmax_changes: 50%\n", 1),
    ("record: true\nmax_changes: 50.5 %\n", 1),
    ("record: true\n# enforce: later\non_drift: keep\n", 1),
]


@dataclass
class Place:
    """The repository as people have it cloned, and everything around it."""

    hub: CodeHost
    sandbox: Sandbox
    runner: Runner
    root: Path

    @contextlib.contextmanager
    def failing(self, assistant: str, method: str = "GET") -> Iterator[None]:
        """For a while, the API fails for one assistant."""

        def meddle(request: Request, forward: Forward) -> Answer:
            hit = request.method == method and request.path.endswith(assistant)
            return error_answer(500) if hit else forward(request)

        before = self.runner.variables
        with between(self.sandbox, meddle) as server:
            self.runner.variables = {**before, "RECONCILER_API_URL": server.url}
            try:
                yield
            finally:
                self.runner.variables = before

    # --- in git

    def git(self, *arguments: str) -> str:
        """What a git command prints in the clone."""
        result = subprocess.run(
            ["git", "-C", str(self.root), "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout.strip()

    def write(self, key: str, **fields: Any) -> None:
        """Write a definition; its id is `asst_` and the last part of its key."""
        file = self.root / "assistants" / f"{key}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        fields = {"id": f"asst_{key.rpartition('/')[2]}", **fields}
        file.write_text(yaml.safe_dump(fields, sort_keys=False), "utf-8")

    def commit(self, message: str = "Change") -> str:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD")

    def at_hub(self, ref: str) -> str:
        """The commit of a ref on the hub, empty where there is none."""
        return self.git("ls-remote", str(self.hub.git), ref).partition("\t")[0]

    def definition(self, key: str, ref: str, folder: str = "assistants") -> dict[str, Any]:
        """A definition as a ref on the hub has it."""
        self.git("fetch", "--quiet", str(self.hub.git), ref)
        found: dict[str, Any] = yaml.safe_load(self.git("show", f"FETCH_HEAD:{folder}/{key}.yaml"))
        return found

    # --- on the hub

    def push(self, **inputs: Any) -> WorkflowRun:
        """Push the default branch, which applies it."""
        self.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        return self.runner.run("apply.yml", "push", {}, self.git("rev-parse", "HEAD"), **inputs)

    def dispatch(self, workflow: str, **inputs: Any) -> WorkflowRun:
        """Start a workflow by hand on the default branch."""
        return self.runner.run(workflow, "workflow_dispatch", {}, self.at_hub("refs/heads/main"), **inputs)

    def plan(self, number: int, *, fork: bool = False, author: str = "ada", **inputs: Any) -> WorkflowRun:
        """What happens when HEAD is pushed to a pull request: GitHub's trial merge is planned."""
        head = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "--detach", self.at_hub("refs/heads/main"))
        self.git("merge", "--quiet", "--no-ff", "-m", "Trial merge", head)
        merged = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "-")
        self.git("push", "--quiet", "--force", "origin", f"{merged}:refs/pull/{number}/merge")
        event = {
            "pull_request": {
                "number": number,
                "head": {"sha": head, "repo": {"full_name": "somebody/assistants" if fork else REPOSITORY}},
                "user": {"login": author},
            }
        }
        return self.runner.run("plan.yml", "pull_request", event, merged, f"refs/pull/{number}/merge", **inputs)

    def queue(self, **inputs: Any) -> WorkflowRun:
        """What happens when HEAD stands in the default branch's merge queue, on top of what is there."""
        base, head = self.at_hub("refs/heads/main"), self.git("rev-parse", "HEAD")
        branch = f"refs/heads/gh-readonly-queue/main/pr-7-{base}"
        self.git("push", "--quiet", "--force", "origin", f"{head}:{branch}")
        event = {"merge_group": {"base_sha": base, "head_sha": head, "base_ref": "refs/heads/main", "head_ref": branch}}
        return self.runner.run("plan.yml", "merge_group", event, head, branch, **inputs)


@contextlib.contextmanager
def place_at(
    folder: Path,
    *,
    settings: str = SETTINGS,
    host: Callable[[Path], contextlib.AbstractContextManager[CodeHost]] = running_hub,
    **rest: Any,
) -> Iterator[Place]:
    """A repository with the definitions of two assistants on its default branch; nothing is applied yet.

    `settings` is what its reconciler.yaml says; without any it has no such file.
    """
    with host(folder / "hub") as hub, running_sandbox(SEED, **rest) as sandbox:
        root = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", str(hub.git), str(root)], check=True, capture_output=True)
        runner = Runner(
            hub,
            folder / "runs",
            {"RECONCILER_API_URL": sandbox.url},
            account(sandbox, "viewer@sandbox.test"),
            account(sandbox, "editor@sandbox.test"),
        )
        place = Place(hub, sandbox, runner, root)
        place.git("checkout", "--quiet", "-b", "main")
        if settings:
            (root / "reconciler.yaml").write_text(settings, "utf-8")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hello!")
        place.write("visits", name="Visits", firstMessage="Welcome!")
        place.commit("Two assistants")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        yield place


def account(sandbox: Sandbox, email: str) -> Mapping[str, str]:
    """The secrets of an account."""
    return {
        name: value
        for name, value in connection_variables(sandbox, email=email).items()
        if name != "RECONCILER_API_URL"
    }


@contextlib.contextmanager
def recorded_place(folder: Path, **rest: Any) -> Iterator[Place]:
    """The same, applied and recorded."""
    with place_at(folder, **rest) as place:
        result = run("apply", "--base", "none", "--yes", cwd=place.root, env=connection_variables(place.sandbox))
        assert result.code == 0, result.stderr
        assert "Recorded as " in result.stderr
        place.git("push", "--quiet", "origin", RECORD)
        place.git("update-ref", "-d", RECORD)
        yield place
