"""The actions that other pipelines use, and a job that somebody cancels."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from between import Answer, Forward, Request, between
from commands import COMMAND, connection_variables, environment
from places import recorded_place
from workflow_files import ACTIONS, read_workflow, run_steps

OWN = """\
name: Own
on:
  workflow_call:
    inputs: {}
    secrets: {}
permissions: {}
defaults: {run: {shell: bash}}
jobs:
  validate:
    permissions: {contents: read}
    outputs:
      errors: ${{ steps.validate.outputs.has_errors }}
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0
          persist-credentials: false
      - name: Validate
        id: validate
        uses: $/.github/actions/reconciler
        with:
          arguments: |
            validate
            --strict

            assistants/visits.yaml
          reports: check
"""


def test_one_command_in_a_pipeline_of_ones_own(tmp_path: Path) -> None:
    with recorded_place(tmp_path) as place:
        workflow = tmp_path / "own.yml"
        workflow.write_text(OWN, "utf-8")
        run = place.dispatch(str(workflow))
        assert run.results == {"validate": "success"}, run.log
        assert run.jobs["validate"].outputs == {"errors": "false"}
        assert "1 definition is valid." in run.jobs["validate"].summary

        place.write("visits", name="Visits", firstMesage="Hi!")
        place.commit()
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        run = place.dispatch(str(workflow))
        assert run.results == {"validate": "failure"}
        assert run.jobs["validate"].outputs == {"errors": "true"}
        assert run_steps(ACTIONS / "reconciler" / "action.yml") <= place.runner.executed


def test_no_file_of_a_pull_request_takes_part_in_the_installation(tmp_path: Path) -> None:
    for name in ("venv.py", "ensurepip.py", "pip.py", "logging.py"):
        (tmp_path / name).write_text("open('taken', 'w').close()\n", "utf-8")
    *_, step = read_workflow(ACTIONS / "install" / "action.yml")["runs"]["steps"]
    known = {
        "GITHUB_ACTION_PATH": str(ACTIONS / "install"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "PYTHON": sys.executable,
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    result = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env=environment(known),
        capture_output=True,
        check=False,
    )
    assert b"No matching distribution" in result.stderr, "without an index it goes as far as this"
    assert not (tmp_path / "taken").exists()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])  # the runner sends the one, and later the other
def test_a_cancelled_apply_ends_in_order_and_reports(tmp_path: Path, stop: signal.Signals) -> None:
    with recorded_place(tmp_path) as place:
        place.write("visits", name="Visits", firstMessage="Hi!")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Hi!")
        place.commit()
        step: list[subprocess.Popen[bytes]] = []
        told_so_far = tmp_path / "told"
        told_so_far.mkdir()

        def cancelling(request: Request, forward: Forward) -> Answer:
            if request.method == "PATCH":
                step[0].send_signal(stop)
                for _ in range(3000):  # the step passes the signal on when it comes to it; a broken one never does
                    if any(b"Stopping" in file.read_bytes() for file in told_so_far.iterdir()):
                        break
                    time.sleep(0.01)
            return forward(request)

        with between(place.sandbox, cancelling) as server:
            temp = tmp_path / "temp"
            (temp / "reconciler" / "bin").mkdir(parents=True)
            (temp / "reconciler" / "bin" / "reconciler").symlink_to(COMMAND)
            files = {name: str(temp / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
            known = {
                **connection_variables(place.sandbox, server.url),
                **files,
                "ARGUMENTS": "apply\n--yes\n--base=none\n--concurrency=1",
                "REPORTS": "apply",
                "RUNNER_TEMP": str(temp),
                "TMPDIR": str(told_so_far),
            }
            command = [str(ACTIONS / "run" / "run")]
            # The runner starts a step as the leader of a group of its own and signals the leader alone.
            with subprocess.Popen(
                command, cwd=place.root, env=environment(known), stderr=subprocess.PIPE, start_new_session=True
            ) as started:
                step.append(started)
                _, output = started.communicate(timeout=60)
        assert started.returncode == 143
        assert b"Stopping" in output
        outcomes = [one["outcome"] for one in json.loads((temp / "apply" / "apply.json").read_text())["assistants"]]
        assert sorted(outcomes) == ["applied", "skipped"]
        assert "1 applied" in (temp / "GITHUB_STEP_SUMMARY").read_text()
