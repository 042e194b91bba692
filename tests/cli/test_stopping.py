"""A run that gets a signal: nothing new is started, what is in flight is awaited, the report is still written."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from commands import connection_variables, start_command
from odd_server import Request, odd_server, silence
from projects import Project
from servers import running_sandbox

from reconciler.cli.connect import stoppable

FLEET = 12


@pytest.fixture(autouse=True)
def hanging_up_is_not_ignored() -> Iterator[None]:
    """Let the commands see a SIGHUP, also if the tests run under `nohup`."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, previous)


@pytest.fixture
def fleet(project: Project) -> Project:
    for number in range(FLEET):
        project.write(f"a{number:02}", id=f"asst_{number}", name="New")
    return project


CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
SEED: dict[str, Any] = {f"asst_{number}": {"name": "Old"} for number in range(FLEET)}


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_plan_that_is_stopped(fleet: Project, number: signal.Signals, code: int) -> None:
    reading = threading.Event()
    with running_sandbox(SEED, latency_ms=400) as sandbox:
        sandbox.before_each(lambda method, path, body: reading.set() if method == "GET" else None)
        arguments = ("plan", "--concurrency", "2", "--report", "r.json")
        with start_command(*arguments, cwd=fleet.root, env=connection_variables(sandbox)) as command:
            assert reading.wait(60)
            command.signal(number)
            result = command.wait()
        assert 1 <= sandbox.calls["GET"] <= 4
    assert result.code == code
    assert result.stderr == "Stopping: nothing new is started, waiting for requests in flight.\n"
    report = json.loads((fleet.root / "r.json").read_text())
    read = [entry for entry in report["assistants"] if entry["status"] == "pending"]
    assert len(read) == report["api_calls"]["GET"]
    assert sum(entry["status"] is None for entry in report["assistants"]) == FLEET - len(read)
    assert result.stdout.endswith(f" 0 errors, {FLEET - len(read)} not read.\n")


@pytest.mark.parametrize(("number", "code"), CODES)
def test_an_apply_that_is_stopped(fleet: Project, number: signal.Signals, code: int) -> None:
    writing = threading.Event()
    with running_sandbox(SEED, latency_ms=200) as sandbox:
        sandbox.before_each(lambda method, path, body: writing.set() if method == "PATCH" else None)
        arguments = ("apply", "--yes", "--concurrency", "3", "--report", "r.json")
        with start_command(*arguments, cwd=fleet.root, env=connection_variables(sandbox)) as command:
            assert writing.wait(60)
            command.signal(number)
            result = command.wait()
        written = {path.rpartition("/")[2] for method, path, _ in sandbox.requests if method == "PATCH"}
        assert 1 <= len(written) <= 3
        for assistant_id in SEED:
            assert sandbox.live(assistant_id)["name"] == ("New" if assistant_id in written else "Old")
    assert result.code == code
    report = json.loads((fleet.root / "r.json").read_text())
    outcomes = {entry["id"]: entry["outcome"] for entry in report["assistants"]}
    assert {assistant_id for assistant_id, outcome in outcomes.items() if outcome == "applied"} == written
    assert {outcome for assistant_id, outcome in outcomes.items() if assistant_id not in written} == {"skipped"}
    assert report["api_calls"]["PATCH"] == len(written)


@pytest.mark.parametrize("command", [("plan",), ("drift",), ("apply", "--yes")])
def test_a_report_that_is_being_written_is_finished(project: Project, command: tuple[str, ...]) -> None:
    project.write("a", id="asst_a", firstMessage="New", name="n" * 300_000)  # more than a pipe takes unread
    with running_sandbox({"asst_a": {"name": "Old"}}) as sandbox:
        arguments = (*command, "--format", "json", "--report", "r.md")
        with start_command(*arguments, cwd=project.root, env=connection_variables(sandbox)) as running:
            running.wait_for_file(project.root / "r.md")  # stdout comes after the files
            running.signal(signal.SIGTERM)
            result = running.wait()
    assert result.code == 143
    assert json.loads(result.stdout)["summary"]["total"] == 1


def test_an_answer_that_was_awaited_is_shown(project: Project) -> None:
    request_arrived = threading.Event()
    with running_sandbox(latency_ms=400) as sandbox:
        sandbox.before_each(lambda method, path, body: request_arrived.set() if path.endswith("/me") else None)
        with start_command("whoami", cwd=project.root, env=connection_variables(sandbox)) as command:
            assert request_arrived.wait(60)
            command.signal(signal.SIGINT)
            result = command.wait()
    assert (result.code, result.stdout[:5]) == (130, "name:")


@pytest.mark.parametrize(
    ("command_name", "said"),
    [("whoami", "Error: GET /auth/me: the run was stopped"), ("doctor", "Error: not everything was checked")],
)
def test_an_answer_that_is_awaited_no_longer(project: Project, command_name: str, said: str) -> None:
    request_arrived = threading.Event()

    def wait(sock: socket.socket, request: Request) -> bool:
        request_arrived.set()
        return silence(sock, request)

    with odd_server() as server:
        server.on("GET /auth/me", wait)
        env = {"RECONCILER_API_URL": server.url, "RECONCILER_AUTH_TOKEN": "x"}
        with start_command(command_name, cwd=project.root, env=env) as command:
            assert request_arrived.wait(60)
            command.signal(signal.SIGINT)
            command.wait_for_stderr("nothing new is started")
            command.signal(signal.SIGINT)
            result = command.wait()
    assert (result.code, said in result.stderr) == (130, True)
    assert "login" not in result.stdout


@pytest.mark.parametrize(
    ("module", "ending"),
    [
        ("reconciler.__main__", (-signal.SIGINT, "", "")),  # 130 in a shell
        ("reconciler.cli.main", (0, "theirs\n", "")),  # whoever imports it keeps their own
    ],
)
def test_ctrl_c_while_modules_are_loaded_shows_no_traceback(module: str, ending: tuple[int, str, str]) -> None:
    code = f"""
import os, signal
signal.signal(2, signal.default_int_handler)
import {module}
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("theirs")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == ending


def test_ctrl_c_that_a_library_turns_into_an_error_is_no_fault_of_ours() -> None:
    code = """
import os, signal, sys, click
from reconciler.cli import boundary, main

def crash() -> None:
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise ValueError from None

main.load_command = lambda _: click.Command("validate", callback=crash)
sys.argv = ["reconciler", "validate"]
main.main()
"""
    command = [sys.executable, "-c", f"import signal; signal.signal(2, signal.default_int_handler)\n{code}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "Stopped.\n")


def test_a_pull_that_is_stopped_writes_every_file(fleet: Project) -> None:
    with running_sandbox(SEED) as sandbox:
        last = fleet.folder / f"a{FLEET - 1}.yaml"
        with start_command("pull", cwd=fleet.root, env=connection_variables(sandbox)) as command:
            while b"Old" not in (fleet.folder / "a00.yaml").read_bytes():
                time.sleep(0.001)
            command.signal(signal.SIGTERM)
            result = command.wait()
    assert result.code in (0, 143)
    assert "Old" in last.read_text("utf-8")
    assert [*fleet.folder.glob(".*")] == []


def test_an_import_that_is_stopped(fleet: Project) -> None:
    reading = threading.Event()
    with running_sandbox(SEED, latency_ms=300) as sandbox:
        sandbox.before_each(lambda method, path, body: reading.set() if method == "GET" else None)
        with start_command(
            "import", *SEED, "--directory", "new", cwd=fleet.root, env=connection_variables(sandbox)
        ) as command:
            assert reading.wait(60)
            command.signal(signal.SIGINT)
            result = command.wait()
    assert result.code == 130
    assert len(list((fleet.root / "new").glob("*.yaml"))) == result.stdout.count("written for") == 1


@pytest.mark.parametrize("words", [("whoami",), ("import", "asst_1"), ("create", "assistants/n.yaml", "--no-record")])
def test_a_tls_handshake_that_hangs_does_not_keep_a_stopped_command(project: Project, words: tuple[str, ...]) -> None:
    project.write("n", name="N")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        variables = {
            "RECONCILER_API_URL": f"https://127.0.0.1:{listener.getsockname()[1]}/api",
            "RECONCILER_AUTH_TOKEN": "hush-token",
            "RECONCILER_TIMEOUT": "600",
        }
        yes = ["--yes"] if words[0] == "create" else []
        with start_command(*words, *yes, cwd=project.root, env=variables) as command:
            client, _ = listener.accept()
            with client:
                assert client.recv(1)  # the handshake has begun
                command.signal(signal.SIGTERM)
                command.signal(signal.SIGTERM)  # somebody insists
                result = command.wait()
    assert result.code == 143
    assert "the run was stopped while it waited" in result.stdout + result.stderr
    assert "indeterminate" not in result.stdout


def test_before_anything_is_sent(project: Project) -> None:
    """A report that is a pipe keeps the command waiting."""
    pipe = project.root / "r.json"
    os.mkfifo(pipe)
    with start_command("report", "r.json", cwd=project.root) as command:
        with pipe.open("wb"):  # opens once somebody reads
            command.signal(signal.SIGINT)
        result = command.wait()  # the end of the pipe wakes a command that the signal met just before it read
    assert (result.code, result.stdout, result.stderr) == (130, "", "\nStopped.\n")


def test_with_nohup_a_run_outlives_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable() as stopping:
            signal.raise_signal(signal.SIGHUP)
            assert not stopping()
    finally:
        signal.signal(signal.SIGHUP, before)
