"""Runs one job of a workflow as GitHub's runner would: conditions, expressions, composite actions, files for outputs.

Every `run:` is executed, by bash as the runner calls it. Only the steps of GitHub's own actions are done
here.
"""

import base64
import functools
import itertools
import json
import operator
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from code_host import REPOSITORY
from commands import environment, place_command
from expressions import evaluate, holds, interpolate
from workflow_files import ROOT, read_workflow
from workflow_runs import Failed, JobRun, Outputs, WorkflowRun

if TYPE_CHECKING:
    from runner import Runner

PATIENCE = 120
Env = dict[str, str]


class Job:
    """One job on its own machine."""

    def __init__(self, runner: "Runner", run: WorkflowRun, path: Path, name: str, contexts: Mapping[str, Any]) -> None:
        self.runner, self.workflow_run, self.path = runner, run, path
        workflow = read_workflow(path)
        self.content = content = workflow["jobs"][name]
        assert workflow["permissions"] == {}
        assert workflow["defaults"] == {"run": {"shell": "bash"}}
        self.folder = runner.folder / str(run.number) / f"{name}-{run.attempt}"
        self.temp, self.workspace = self.folder / "temp", self.folder / "workspace"
        for place in (self.temp / "reconciler" / "bin", self.workspace, self.folder / "bin"):
            place.mkdir(parents=True)
        # The tool that is under test stands for the one that `install` would fetch; check-all installs in earnest.
        place_command(self.temp / "reconciler" / "bin" / "reconciler")
        python = self.temp / "reconciler" / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
        python.chmod(0o755)
        self.token = runner.hub.token(self._permissions(content["permissions"], contexts))
        github = {**contexts["github"], "token": self.token}
        self.contexts = {**contexts, "github": github, "runner": {"temp": str(self.temp)}, "secrets": self._secrets()}
        self.done = JobRun("success")
        self.summary = self.folder / "summary.md"
        self.summary.touch()
        self.env = self._base_environment(github)
        for layer in (workflow.get("env", {}), content.get("env", {})):
            self.env |= {name: interpolate(value, self.contexts) for name, value in layer.items()}

    def _permissions(self, asked: Mapping[str, str], contexts: Mapping[str, Any]) -> Mapping[str, str]:
        head = evaluate("github.event.pull_request.head.repo.full_name", contexts)
        forked = head not in (None, REPOSITORY)
        return {name: "read" if forked else allowed for name, allowed in asked.items()}

    def _secrets(self) -> Mapping[str, str]:
        declared = read_workflow(self.path)["on"]["workflow_call"]["secrets"]
        protected = self.content.get("environment") is not None
        known = {**self.runner.secrets, **(self.runner.protected if protected else {})}
        return {name: known.get(name, "") for name in declared}

    def _base_environment(self, github: Mapping[str, Any]) -> Env:
        base = environment(self.runner.machine)
        base.pop("GIT_CONFIG_GLOBAL")  # a runner has a home
        # What `python3` is elsewhere may be a script that looks for one, at twice the cost of what it then runs.
        (self.folder / "bin" / "python3").symlink_to(sys.executable)
        event = self.folder / "event.json"
        event.write_text(json.dumps(github["event"].values), "utf-8")
        return {
            **base,
            "GITHUB_EVENT_PATH": str(event),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{base['PATH']}",
            "HOME": str(self.folder),
            "CI": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": f"{self.runner.hub.url}/api/v3",
            "GITHUB_SERVER_URL": github["server_url"],
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": github["run_id"],
            "GITHUB_SHA": github["sha"],
            "GITHUB_REF": github["ref"],
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }

    def run(self) -> JobRun:
        """Run the job's steps, in their order."""
        steps: dict[str, Any] = {step["id"]: _skipped() for step in self.content["steps"] if "id" in step}
        scope = {**self.contexts, "steps": steps, "env": self.env}
        self._steps(self.content["steps"], scope, {}, self.path)
        outputs = self.content.get("outputs", {})
        self.done.outputs = {name: interpolate(value, scope) for name, value in outputs.items()}
        self.done.summary = self.summary.read_text("utf-8")
        return self.done

    def _steps(self, steps: list[dict[str, Any]], scope: dict[str, Any], env: Env, path: Path) -> str:
        """Run steps; one that fails leaves those that ask for it."""
        status = "success"
        for number, step in enumerate(steps):
            unknown = step.keys() - {"name", "id", "if", "uses", "with", "run", "shell", "env", "working-directory"}
            assert not unknown, unknown
            if not holds(step.get("if"), scope, status):
                continue
            own = {**env, **{name: interpolate(value, scope) for name, value in step.get("env", {}).items()}}
            outputs: dict[str, str] = {}
            outcome = "success"
            try:
                if "run" in step:
                    self.runner.executed.add((str(path.relative_to(ROOT)), f"{number}: {step['name']}"))
                    self._script(step, scope, own, outputs, path)
                else:
                    self._run_action(step, scope, own, outputs)
            except Failed as error:
                outputs |= error.outputs
                status = outcome = "failure"
                self.done.result = "failure"
                if path == self.path:
                    self.done.failed = self.done.failed or step["name"]
                self.done.log += f"{step['name']}: {error.why}\n"
            if "id" in step:
                scope["steps"][step["id"]] = {"outputs": Outputs(outputs), "outcome": outcome}
        return status

    def _script(
        self, step: Mapping[str, Any], scope: Mapping[str, Any], env: Env, outputs: dict[str, str], path: Path
    ) -> None:
        assert "${{" not in step["run"], "an expression inside a script"
        script, output = self.folder / "step.sh", self.folder / "output"
        script.write_text(step["run"], "utf-8")
        output.write_text("", "utf-8")
        place = self.workspace / interpolate(step.get("working-directory", "."), scope)
        if path != self.path:
            assert step["shell"] == "bash"
            env = {**env, "GITHUB_ACTION_PATH": str(path.parent)}
        result = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=place,
            env={**self.env, **env, "GITHUB_OUTPUT": str(output)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        self.done.log += result.stdout.decode()
        lines = iter(output.read_text("utf-8").splitlines())
        for line in lines:
            name, sign, value = re.split("(=|<<)", line, maxsplit=1)
            several = itertools.takewhile(functools.partial(operator.ne, value), lines)
            outputs[name] = value if sign == "=" else "\n".join(several)
        if result.returncode:
            raise Failed(f"exit code {result.returncode}")

    def _run_action(self, step: Mapping[str, Any], scope: Mapping[str, Any], env: Env, outputs: dict[str, str]) -> None:
        given = {name: interpolate(value, scope) for name, value in step.get("with", {}).items()}
        name = step["uses"].partition("@")[0]
        if name.startswith("$/"):
            outputs |= self._composite(ROOT / name.removeprefix("$/") / "action.yml", given, env)
            return
        known: dict[str, Callable[..., Mapping[str, str]]] = {
            "actions/checkout": self._checkout,
            "actions/setup-python": lambda **_: {"python-path": sys.executable},
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
        }
        outputs |= known[name](**{key.replace("-", "_"): value for key, value in given.items()})

    def _composite(self, path: Path, given: Mapping[str, str], env: Env) -> dict[str, str]:
        action = read_workflow(path)
        declared = action.get("inputs", {})
        assert given.keys() <= declared.keys(), given
        missing = {name for name, one in declared.items() if one.get("required") and name not in given}
        assert not missing, missing
        defaults = {name: interpolate(one.get("default"), self.contexts) for name, one in declared.items()}
        steps: dict[str, Any] = {step["id"]: _skipped() for step in action["runs"]["steps"] if "id" in step}
        contexts = {key: value for key, value in self.contexts.items() if key in ("github", "runner")}
        scope = {**contexts, "inputs": {**defaults, **given}, "steps": steps, "env": {**self.env, **env}}
        status = self._steps(action["runs"]["steps"], scope, env, path)
        outputs = {name: interpolate(one["value"], scope) for name, one in action.get("outputs", {}).items()}
        if status == "failure":
            raise Failed("a step of it failed", outputs)
        return outputs

    def _checkout(self, *, fetch_depth: str, persist_credentials: str) -> Mapping[str, str]:
        assert (fetch_depth, persist_credentials) == ("0", "false")
        git = ["git", "-C", str(self.workspace)]
        url = f"{self.runner.hub.url}/{REPOSITORY}"
        header = f"http.{self.runner.hub.url}/.extraheader=AUTHORIZATION: basic {_basic(self.token)}"
        sha = self.contexts["github"]["sha"]
        for arguments in (
            ["init", "--quiet", "--initial-branch=main"],
            ["remote", "add", "origin", url],
            ["-c", header, "fetch", "--quiet", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*", sha],
            ["checkout", "--quiet", "--detach", sha],
        ):
            result = subprocess.run([*git, *arguments], env=self.env, capture_output=True, text=True, check=False)
            if result.returncode:
                raise Failed(result.stderr)
        return {}

    def _upload(self, *, name: str, path: str, overwrite: str = "false") -> Mapping[str, str]:
        assert not set(name) & set('":<>|*?\r\n\\/'), name
        if not Path(path).is_dir():
            return {}
        place = self.runner.folder / str(self.workflow_run.number) / "artifacts" / name
        if name in self.workflow_run.artifacts and overwrite != "true":
            raise Failed("409: an artifact with this name already exists on the workflow run")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(path, place)
        self.workflow_run.artifacts[name] = place
        return {"artifact-url": f"{self.runner.hub.url}/{REPOSITORY}/actions/artifacts/{name}"}

    def _download(
        self,
        *,
        path: str,
        name: str = "",
        pattern: str = "",
        run_id: str = "",
        github_token: str = "",
        merge_multiple: str = "",
    ) -> Mapping[str, str]:
        if pattern and pattern not in self.workflow_run.artifacts:
            return {}
        if run_id and not self.runner.hub.may(github_token, "actions", "read"):
            raise Failed("this token may not read other runs")
        run = self.runner.runs.get(int(run_id)) if run_id else self.workflow_run
        name = name or pattern  # without a `*`
        if run is None or name not in run.artifacts:
            raise Failed(f"there is no artifact {name}")
        shutil.copytree(run.artifacts[name], path, dirs_exist_ok=True)
        return {}


def _skipped() -> dict[str, Any]:
    return {"outputs": Outputs(), "outcome": "skipped"}


def _basic(token: str) -> str:
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()
