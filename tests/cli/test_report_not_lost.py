"""A report of writes that cannot go where it should: the JSON goes to stderr, and the outcome is not hidden."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from between import Answer, Forward, Request, error_answer
from commands import COMMAND, connection_variables, environment, run, start_command
from projects import Project
from servers import Sandbox, running_sandbox
from stories import Story, entries, story

SEED = {"asst_a": {"name": "Old"}}


@pytest.fixture
def one_definition(project: Project) -> Project:
    project.write("a", id="asst_a", name="New")
    return project


def read_outcome(stderr: str) -> str | None:
    """What became of the assistant, by the JSON on stderr."""
    start = stderr.find("{\n")
    if start < 0:
        return None
    document, _ = json.JSONDecoder().raw_decode(stderr[start:])
    (entry,) = document["assistants"]
    assert entry["changes"][0]["live"] == "Old"
    outcome: str = entry["outcome"]
    return outcome


def remove_during_write(sandbox: Sandbox, folder: Path) -> None:
    """Let a folder go when the write is under way: after the report that stands before it."""

    def take(method: str, path: str, body: object) -> None:
        if method == "PATCH":
            (folder / "r.json").unlink()
            folder.rmdir()

    sandbox.before_each(take)


def test_a_folder_that_is_gone_by_the_end(one_definition: Project) -> None:
    (one_definition.root / "reports").mkdir()
    with running_sandbox(SEED) as sandbox:
        remove_during_write(sandbox, one_definition.root / "reports")
        result = run(
            "apply", "--yes", "--report", "reports/r.json", cwd=one_definition.root, env=connection_variables(sandbox)
        )
        assert sandbox.live("asst_a")["name"] == "New"
    assert result.code == 1
    assert "reports/r.json: cannot be written" in result.stderr
    assert "Apply: 1 applied" in result.stdout
    assert read_outcome(result.stderr) == "applied"


@pytest.fixture(params=["a full disk", "a pipe that nobody reads"])
def full_stream(request: pytest.FixtureRequest) -> Iterator[int]:
    """A stream that takes nothing."""
    full = request.param == "a full disk"
    reading, writing = (-1, os.open("/dev/full", os.O_WRONLY)) if full else os.pipe()
    if not full:
        os.close(reading)
    yield writing
    os.close(writing)


def test_a_stdout_that_takes_nothing(one_definition: Project, full_stream: int) -> None:
    with running_sandbox(SEED) as sandbox:
        result = subprocess.run(
            [COMMAND, "apply", "--yes"],
            cwd=one_definition.root,
            env=environment(connection_variables(sandbox)),
            stdin=subprocess.DEVNULL,
            stdout=full_stream,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        assert sandbox.live("asst_a")["name"] == "New"
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert read_outcome(result.stderr) == "applied"


def test_a_stderr_that_takes_nothing_ends_no_run(one_definition: Project, full_stream: int) -> None:
    with running_sandbox(SEED) as sandbox:
        result = subprocess.run(
            [COMMAND, "apply", "--yes", "-v"],
            cwd=one_definition.root,
            env=environment(connection_variables(sandbox)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=full_stream,
            text=True,
            timeout=60,
            check=False,
        )
        assert sandbox.live("asst_a")["name"] == "New"
    assert (result.returncode, "Apply: 1 applied" in result.stdout) == (0, True)


def test_a_fault_of_our_own_while_the_report_is_written(one_definition: Project) -> None:
    """A library that breaks stands in for one."""
    broken = one_definition.root / "broken" / "jinja2"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError\n", "utf-8")
    with running_sandbox(SEED) as sandbox:
        env = environment(
            {**connection_variables(sandbox), "PYTHONPATH": str(broken.parent), "TMPDIR": str(one_definition.root)}
        )
        command = [COMMAND, "apply", "--yes", "--report", "r.html"]
        result = subprocess.run(
            command, cwd=one_definition.root, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert sandbox.live("asst_a")["name"] == "New"
    assert result.returncode == 1
    assert "this is a bug in reconciler (RuntimeError)" in result.stderr
    assert read_outcome(result.stderr) == "applied"


def test_a_saved_report_is_not_lost_if_nobody_reads_it(one_definition: Project, full_stream: int) -> None:
    with running_sandbox(SEED) as sandbox:
        env = connection_variables(sandbox)
        assert run("apply", "--yes", "--report", "r.json", cwd=one_definition.root, env=env).code == 0
    result = subprocess.run(
        [COMMAND, "report", "r.json"],
        cwd=one_definition.root,
        env=environment(),
        stdout=full_stream,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, "{" in result.stderr) == (1, False)


def test_where_nothing_was_written_there_is_nothing_to_lose(one_definition: Project) -> None:
    with running_sandbox(SEED) as sandbox, open("/dev/full", "wb") as full:  # noqa: PTH123
        result = subprocess.run(
            [COMMAND, "plan"],
            cwd=one_definition.root,
            env=environment(connection_variables(sandbox)),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (result.returncode, read_outcome(result.stderr)) == (1, None)
    assert "No space left on device" in result.stderr


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """A repository that has applied once, and has changed since."""
    with story(tmp_path / "recorded", {"a": {"name": "Old"}}) as told_once:
        told_once.write("a", name="Old")
        told_once.commit()
        told_once.apply_and_record()
        told_once.write("a", name="New")
        told_once.commit()
        yield told_once


def path_with_git(folder: Path, on: str, action: str) -> str:
    """A PATH on which git does something else first, where a word is among its arguments."""
    script = f"""#!/bin/sh\ncase " $* " in *" {on} "*) {action};; esac\nexec {shutil.which("git")} "$@"\n"""
    folder.mkdir()
    (folder / "git").write_text(script, "utf-8")
    (folder / "git").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_what_is_unclear_is_recorded_even_where_the_report_cannot_be_written(repo: Story) -> None:
    reports = repo.root.parent / "reports"
    reports.mkdir()

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method != "PATCH":
            return forward(request)
        (reports / "r.json").unlink()
        reports.rmdir()
        return error_answer(500)

    with repo.intercept(meddle):
        result = repo.run("apply", "--yes", "--record", "--retries", "0", "--report", reports / "r.json")
    assert result.code == 1
    assert "r.json: cannot be written" in result.stderr
    assert read_outcome(result.stderr) == "indeterminate"
    assert [trailer["id"] for trailer in repo.trailers] == ["asst_a"]


def test_a_git_that_cannot_tell_who_set_what_ends_the_run_before_it_writes(repo: Story) -> None:
    path = path_with_git(repo.root.parent / "odd", "--topo-order", "exit 1")
    result = repo.run("apply", "--yes", "--record", "--format", "json", env={"PATH": path})
    assert (result.code, result.stdout, repo.sandbox.patches) == (1, "", [])
    assert "git log" in result.stderr


@pytest.mark.parametrize("on", ["commit-tree", "update-ref"])
def test_ctrl_c_while_the_report_and_the_record_are_written_loses_neither(repo: Story, on: str) -> None:
    """A terminal sends it to all processes of the command, git among them."""
    path = path_with_git(repo.root.parent / "odd", on, "kill -s INT -- -$PPID")
    result = subprocess.run(
        [COMMAND, "apply", "--yes", "--record", "--format", "json"],
        cwd=repo.root,
        env=environment({**connection_variables(repo.sandbox), "PATH": path}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 130, result.stderr
    assert entries(json.loads(result.stdout))["a"]["outcome"] == "applied"
    assert repo.tree()["assistants/a.yaml"]["name"] == "New"


def test_a_report_that_could_not_be_read_back_says_so_before_the_first_write(project: Project) -> None:
    keys, has_noted = "abcdef", threading.Event()
    for key in keys:
        project.write(key, id=f"asst_{key}", metadata={"owner": "new"})
    seed = {f"asst_{key}": {"metadata": {"owner": "old", "log": [1] * 100_000}} for key in keys}
    before: list[bool] = []
    with running_sandbox(seed) as sandbox:
        sandbox.before_each(lambda method, path, body: before.append(has_noted.wait(30)) if method == "PATCH" else None)
        with start_command(
            "apply", "--yes", "--report", "r.json", cwd=project.root, env=connection_variables(sandbox)
        ) as command:
            command.wait_for_stderr("so no later command can read it")
            has_noted.set()
            assert command.wait().code == 0
    assert before == [True] * len(keys)
    again = run("report", "r.json", cwd=project.root)
    assert (again.code, "contains too many values" in again.stderr) == (1, True)
