"""The installed command as a process of its own, in an environment that holds nothing but what a test gives it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from forking import FORKING, PATIENCE
from leaks import assert_no_secret
from servers import Sandbox

COMMAND = str(Path(sys.executable).with_name("reconciler"))
_FOR_THE_START = ("PYTHON", "LC_", "LANG", "COVERAGE_")
_MEASURED = {"COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"}
WITHOUT_OUR_CONFIGURATION = {
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("gitconfig")),
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Completed:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a command finds: a path, what measures coverage in processes, our own git configuration, and `given`."""
    inherited = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")}
    return {**inherited, **WITHOUT_OUR_CONFIGURATION, "LC_ALL": "C.UTF-8", **(variables or {})}


def connection_variables(sandbox: Sandbox, url: str = "", email: str = "admin@sandbox.test") -> dict[str, str]:
    """The three variables that point a command at a sandbox, or at what stands before it."""
    return {
        "RECONCILER_API_URL": url or sandbox.url,
        "RECONCILER_EMAIL": email,
        "RECONCILER_PASSWORD": sandbox.admin[1],
    }


def is_coverage_measured() -> bool:
    """Tell whether coverage is measured, which begins at Python's start."""
    return not os.environ.keys().isdisjoint(_MEASURED)


def place_command(file: Path) -> None:
    """Put the command where a script calls it; it answers as `run` does, forked or new."""
    if is_coverage_measured():
        file.symlink_to(COMMAND)
    else:
        FORKING.write_command(file)


def run(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = "") -> Completed:
    """Run the command to its end, without a terminal. It never shows a traceback.

    It is forked from a process that has our modules loaded, unless coverage is measured, or `env` has what Python looks
    at when it starts.
    """
    words, variables, input_bytes = [*map(str, arguments)], environment(env), stdin.encode("utf-8", "surrogateescape")
    if is_coverage_measured() or any(name.startswith(_FOR_THE_START) for name in env or {}):
        process = subprocess.run(
            [COMMAND, *words],
            cwd=cwd,
            env=variables,
            input=input_bytes,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        code, stdout, stderr = process.returncode, process.stdout, process.stderr
    else:
        code, stdout, stderr = FORKING.run(words, cwd, variables, input_bytes)
    completed = Completed(code, stdout.decode(), stderr.decode())
    assert_no_secret(completed.stdout + completed.stderr, f"what {words} shows")
    assert "Traceback" not in completed.stdout + completed.stderr, completed.stderr
    assert "bug in reconciler" not in completed.stderr, completed.stderr
    return completed


class RunningCommand:
    """A command that is running."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._stderr_text = ""

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait_for_stderr(self, text: str) -> None:
        """Wait until the command has written a text to stderr."""
        assert self._process.stderr is not None
        while text not in self._stderr_text:
            read = os.read(self._process.stderr.fileno(), 4096)
            assert read, self._stderr_text
            self._stderr_text += read.decode()

    def wait_for_file(self, path: Path) -> None:
        """Wait until the command has written a file."""
        while not path.exists():
            assert self._process.poll() is None, "it ended without the file"
            time.sleep(0.02)

    def wait(self) -> Completed:
        stdout, stderr = self._process.communicate(timeout=PATIENCE)
        completed = Completed(self._process.returncode, stdout.decode(), self._stderr_text + stderr.decode())
        assert "Traceback" not in completed.stderr, completed.stderr
        assert_no_secret(completed.stderr, "what the command says on stderr")
        return completed


@contextlib.contextmanager
def start_command(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[RunningCommand]:
    """Start the command and leave it running; it is gone at the end."""
    with subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield RunningCommand(process)
        finally:
            process.kill()
