"""A run that is killed, stopped while a server hangs, or stopped twice: the report says what may have happened."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, between
from commands import connection_variables, run, start_command
from projects import Project
from servers import running_sandbox

FLEET = 6
SEED: dict[str, Any] = {f"asst_{number}": {"name": "Old"} for number in range(FLEET)}
ARGUMENTS = ("apply", "--yes", "--concurrency", "2", "--report", "r.json")


@pytest.fixture
def fleet(project: Project) -> Project:
    for number in range(FLEET):
        project.write(f"a{number}", id=f"asst_{number}", name="New" if number else "Old")
    return project


class HangingApi:
    """Lets the first PATCH through; answers no later one, whether it did the write or not."""

    def __init__(self) -> None:
        self.hung = threading.Event()
        self.release = threading.Event()

    def __call__(self, request: Request, forward: Forward) -> Answer | None:
        if request.method != "PATCH" or request.number == 1:
            return forward(request)
        if request.number == 2:
            forward(request)
        self.hung.set()
        self.release.wait(60)
        return None


def outcomes(root: Path) -> dict[str, str]:
    report = json.loads((root / "r.json").read_text())
    return {entry["key"]: entry["outcome"] for entry in report["assistants"]}


def test_a_run_that_is_killed_leaves_the_old_values_behind(fleet: Project) -> None:
    hanging = HangingApi()
    with running_sandbox(SEED) as sandbox, between(sandbox, hanging) as server:
        with start_command(*ARGUMENTS, cwd=fleet.root, env=connection_variables(sandbox, server.url)) as command:
            assert hanging.hung.wait(60)
            command.signal(signal.SIGKILL)
            command.wait()
        hanging.release.set()
        report = json.loads((fleet.root / "r.json").read_text())
        assert outcomes(fleet.root) == {"a0": "unchanged", **{f"a{n}": "indeterminate" for n in range(1, FLEET)}}
        assert report["assistants"][1]["changes"][0]["live"] == "Old"
        assert any("This report was saved before the first write" in note for note in report["warnings"])
        report["api_url"] = sandbox.url
        (fleet.root / "r.json").write_text(json.dumps(report))
        result = run("apply", "--yes", "--resume", "r.json", cwd=fleet.root, env=connection_variables(sandbox))
        assert result.code == 0, result.stdout + result.stderr
        assert {sandbox.live(name)["name"] for name in list(SEED)[1:]} == {"New"}


@pytest.mark.parametrize("twice", [False, True])
def test_what_is_in_flight_has_five_seconds_or_none_where_somebody_insists(fleet: Project, twice: bool) -> None:
    hanging = HangingApi()
    with running_sandbox(SEED) as sandbox, between(sandbox, hanging) as server:
        with start_command(*ARGUMENTS, cwd=fleet.root, env=connection_variables(sandbox, server.url)) as command:
            assert hanging.hung.wait(60)
            command.signal(signal.SIGINT)
            if twice:
                command.wait_for_stderr("nothing new is started")
                command.signal(signal.SIGINT)
            result = command.wait()
        hanging.release.set()
        patched = {request.path.rpartition("/")[2] for request in server.requests("PATCH")}
    assert result.code == 130
    assert ("Stopping immediately" in result.stderr) is twice
    found = outcomes(fleet.root)
    assert found.pop("a0") == "unchanged"
    assert found.pop("a1") == "applied"
    unclear = {f"asst_{key[1:]}" for key, outcome in found.items() if outcome == "indeterminate"}
    assert unclear == patched - {"asst_1"} != set()
    assert {outcome for outcome in found.values() if outcome != "indeterminate"} == {"skipped"}
    # Whether the API is running is not the question.
    assert "the run was stopped while it waited\\nrun this again" in (fleet.root / "r.json").read_text()


def test_a_report_that_cannot_be_written_stops_the_run_before_its_first_write(fleet: Project) -> None:
    with running_sandbox(SEED) as sandbox:
        folder = fleet.root / "reports"
        folder.mkdir()
        sandbox.before_each(lambda method, path, body: folder.rmdir() if method == "GET" and folder.is_dir() else None)
        result = run("apply", "--yes", "--report", "reports/r.json", cwd=fleet.root, env=connection_variables(sandbox))
        assert sandbox.patches == []
    assert result.code == 1
    assert "reports/r.json: cannot be written" in result.stderr


def test_two_runs_at_once_are_kept_apart(fleet: Project) -> None:
    writing, release = threading.Event(), threading.Event()

    def hold_writes(request: Request, forward: Forward) -> Answer | None:
        if request.method == "PATCH":
            writing.set()
            assert release.wait(60)
        return forward(request)

    with (
        running_sandbox(SEED) as sandbox,
        between(sandbox, hold_writes) as server,
        start_command("apply", "--yes", cwd=fleet.root, env=connection_variables(sandbox, server.url)) as command,
    ):
        assert writing.wait(60)
        second = run("apply", "--yes", cwd=fleet.root, env=connection_variables(sandbox))
        reading = run("plan", cwd=fleet.root, env=connection_variables(sandbox))
        release.set()
        first = command.wait()
    assert (first.code, second.code, reading.code) == (0, 1, 0)
    assert "another run is writing from this clone" in second.stderr
