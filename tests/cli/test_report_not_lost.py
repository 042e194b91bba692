"""A report of writes that cannot go where it should: the JSON goes to stderr, and the outcome is not hidden."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND, environment, run, signed_in
from projects import Project
from servers import Sandbox, running_sandbox

SEED = {"asst_a": {"name": "Old"}}


@pytest.fixture
def one(project: Project) -> Project:
    project.write("a", id="asst_a", name="New")
    return project


def told(stderr: str) -> str | None:
    """What became of the assistant, by the JSON on stderr."""
    start = stderr.find("{\n")
    if start < 0:
        return None
    document, _ = json.JSONDecoder().raw_decode(stderr[start:])
    (entry,) = document["assistants"]
    assert entry["changes"][0]["live"] == "Old"
    outcome: str = entry["outcome"]
    return outcome


def taking_away(sandbox: Sandbox, folder: Path) -> None:
    """Let a folder go when the write is under way: after the report that stands before it."""

    def take(method: str, path: str, body: object) -> None:
        if method == "PATCH":
            (folder / "r.json").unlink()
            folder.rmdir()

    sandbox.before_each(take)


def test_a_folder_that_is_gone_by_the_end(one: Project) -> None:
    (one.root / "reports").mkdir()
    with running_sandbox(SEED) as sandbox:
        taking_away(sandbox, one.root / "reports")
        done = run("apply", "--yes", "--report", "reports/r.json", cwd=one.root, env=signed_in(sandbox))
        assert sandbox.live("asst_a")["name"] == "New"
    assert done.code == 1
    assert "reports/r.json: cannot be written" in done.stderr
    assert "Apply: 1 applied" in done.stdout
    assert told(done.stderr) == "applied"


@pytest.mark.parametrize("full", [True, False], ids=["a full disk", "a pipe that nobody reads"])
def test_a_stdout_that_takes_nothing(one: Project, full: bool) -> None:
    reading, writing = (-1, os.open("/dev/full", os.O_WRONLY)) if full else os.pipe()
    if not full:
        os.close(reading)
    with running_sandbox(SEED) as sandbox:
        done = subprocess.run(
            [COMMAND, "apply", "--yes"],
            cwd=one.root,
            env=environment(signed_in(sandbox)),
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        assert sandbox.live("asst_a")["name"] == "New"
    os.close(writing)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert told(done.stderr) == "applied"


def test_where_nothing_was_written_there_is_nothing_to_lose(one: Project) -> None:
    with running_sandbox(SEED) as sandbox, open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [COMMAND, "plan"],
            cwd=one.root,
            env=environment(signed_in(sandbox)),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, told(done.stderr)) == (1, None)
    assert "No space left on device" in done.stderr
