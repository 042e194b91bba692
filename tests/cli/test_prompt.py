"""At a terminal `apply` shows the plan and asks; everything but a yes sends nothing."""

import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import COMMAND, Completed, connection_variables, environment
from leaks import assert_no_secret
from projects import Project
from servers import Sandbox, running_sandbox

PATIENCE = 60
CONTROL_C = b"\x03"
CONTROL_D = b"\x04"


class Terminal:
    """A terminal at which one command runs: its stdin and stderr, while stdout is a pipe."""

    def __init__(self, screen: int, process: subprocess.Popen[bytes]) -> None:
        self._screen = screen
        self._process = process
        self.output = ""

    def wait_for(self, text: str) -> None:
        """Read the screen until a text stands on it."""
        until = time.monotonic() + PATIENCE
        while text not in self.output:
            assert time.monotonic() < until, self.output
            if not self._read():
                break
        assert text in self.output, self.output

    def type(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> Completed:
        until = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < until, self.output
        stdout = self._process.stdout.read().decode() if self._process.stdout else ""
        assert_no_secret(self.output + stdout, "what stands on the terminal, or in stdout,")
        code = self._process.wait(PATIENCE)
        assert "Traceback" not in self.output
        return Completed(code, stdout, self.output)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], 0.2)
        if not ready:
            return self._process.poll() is None
        try:
            content = os.read(self._screen, 65536)
        except OSError:  # Linux' way to say that nobody has the terminal open any more
            return False
        self.output += content.decode().replace("\r\n", "\n")
        return bool(content)


@contextlib.contextmanager
def open_terminal(
    project: Project, sandbox: Sandbox, *arguments: str, command: str = "apply", **variables: str
) -> Iterator[Terminal]:
    screen, inside = pty.openpty()
    # The leader of a new session gets the first terminal that it opens as its own: Ctrl-C becomes a signal.
    script = f'exec "$0" "$@" 0<>{os.ttyname(inside)} 2>&0'
    process = subprocess.Popen(
        ["/bin/sh", "-c", script, COMMAND, command, *arguments],
        cwd=project.root,
        env=environment({**connection_variables(sandbox), "TERM": "xterm", **variables}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Terminal(screen, process)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        os.close(inside)
        os.close(screen)


@pytest.fixture
def one_definition(project: Project) -> Project:
    project.write("a", id="asst_1", name="New")
    return project


@pytest.mark.parametrize("keys", [b"y\r", b"YES\r"])
def test_a_yes_applies(one_definition: Project, keys: bytes) -> None:
    with running_sandbox({"asst_1": {"name": "Old"}}) as sandbox, open_terminal(one_definition, sandbox) as terminal:
        terminal.wait_for(f"Write to 1 assistant at {sandbox.url}? [y/N]:")
        assert '"Old" -> "New"' in terminal.output
        assert "Plan: 1 to change" in terminal.output
        assert sandbox.patches == []
        terminal.type(keys)
        result = terminal.wait()
        assert sandbox.patches == [{"name": "New"}]
    assert result.code == 0
    assert result.stdout.startswith("assistants/a.yaml: applied\n"), "stdout carries the report and nothing else"


@pytest.mark.parametrize("keys", [b"\r", b"n\r", CONTROL_D])
def test_anything_else_sends_nothing(one_definition: Project, keys: bytes) -> None:
    with running_sandbox({"asst_1": {"name": "Old"}}) as sandbox, open_terminal(one_definition, sandbox) as terminal:
        terminal.wait_for("[y/N]:")
        terminal.type(keys)
        result = terminal.wait()
        assert sandbox.patches == []
        assert sandbox.calls == {"POST": 1, "GET": 1}
    assert result.code == 1
    assert result.stdout.endswith("Apply: 0 applied, 0 unchanged, 0 failed, 1 skipped.\n")


def test_a_no_creates_nothing_and_says_so(project: Project) -> None:
    file = project.write(
        "new",
        name="New",
        model={"provider": "openai", "model": "gpt-4o"},
        voice={"provider": "openai", "voiceId": "alloy"},
    )
    with running_sandbox({}) as sandbox, open_terminal(project, sandbox, str(file), command="create") as terminal:
        terminal.wait_for("[y/N]:")
        assert "Create: 1 to create" in terminal.output
        terminal.type(b"n\r")
        result = terminal.wait()
    assert result.code == 1
    assert result.stdout.endswith(
        "\nwarning: Nothing was sent: it was not confirmed.\n\nCreate: 0 created, 1 skipped.\n"
    )


def test_control_c_at_the_prompt(one_definition: Project) -> None:
    with running_sandbox({"asst_1": {"name": "Old"}}) as sandbox:
        with open_terminal(one_definition, sandbox, "--report", "r.md") as terminal:
            terminal.wait_for("[y/N]:")
            terminal.type(CONTROL_C)
            result = terminal.wait()
        assert sandbox.patches == []
    assert result.code == 130
    assert "1 skipped" in result.stdout
    assert (one_definition.root / "r.md").exists()


def test_sigterm_at_the_prompt(one_definition: Project) -> None:
    with running_sandbox({"asst_1": {"name": "Old"}}) as sandbox, open_terminal(one_definition, sandbox) as terminal:
        terminal.wait_for("[y/N]:")
        terminal.signal(signal.SIGTERM)
        result = terminal.wait()
        assert sandbox.patches == []
    assert result.code == 143


def test_git_cannot_ask_at_the_terminal(one_definition: Project, tmp_path: Path) -> None:
    """It would wait for ever in the background, such as for a password to fetch a missing object."""
    git = shutil.which("git") or "git"
    for words in ("init --quiet", "add --all", "-c user.name=A -c user.email=a@example.com commit --quiet -m First"):
        subprocess.run([git, *words.split()], cwd=one_definition.root, env=environment({}), check=True)
    place = tmp_path / "bin"
    place.mkdir()
    script = place / "git"
    script.write_text(f'#!/bin/sh\n(: </dev/tty) && : > "{tmp_path}/asked"\nexec "{git}" "$@"\n')
    script.chmod(0o755)
    path = f"{place}:{os.environ['PATH']}"
    with (
        running_sandbox({"asst_1": {"name": "Old"}}) as sandbox,
        open_terminal(one_definition, sandbox, command="plan", PATH=path) as terminal,
    ):
        assert terminal.wait().code == 0
    assert not (tmp_path / "asked").exists()


def test_nobody_is_asked_where_there_is_nothing_to_write(one_definition: Project) -> None:
    with running_sandbox({"asst_1": {"name": "New"}}) as sandbox, open_terminal(one_definition, sandbox) as terminal:
        result = terminal.wait()
    assert (result.code, result.stderr) == (0, "")


def test_nobody_is_asked_for_more_than_is_allowed(one_definition: Project) -> None:
    with (
        running_sandbox({"asst_1": {}}) as sandbox,
        open_terminal(one_definition, sandbox, "--max-changes", "0") as terminal,
    ):
        result = terminal.wait()
        assert sandbox.patches == []
    assert result.code == 1
    assert "[y/N]" not in result.stderr


def test_a_line_shows_how_far_a_large_run_is(one_definition: Project) -> None:
    for number in range(30):
        one_definition.write(f"many/a{number}", id=f"asst_m{number}", name="New")
    seed: dict[str, Any] = {"asst_1": {}, **{f"asst_m{number}": {} for number in range(30)}}
    with running_sandbox(seed) as sandbox, open_terminal(one_definition, sandbox, "--yes") as terminal:
        result = terminal.wait()
        assert len(sandbox.patches) == 31
    assert result.code == 0
    assert "Applying" in result.stderr
    assert "31/31" in result.stderr
