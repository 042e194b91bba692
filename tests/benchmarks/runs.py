"""Starts what is measured, each in a process of its own, and says what it took."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fleet import FOLDER, LIVE
from benchmarks.server import BASE_PATH

TESTS = Path(__file__).resolve().parent.parent
# The command as a user calls it, beside the interpreter of the virtual environment.
RECONCILER = str(Path(sys.executable).with_name("reconciler"))
LONGEST = 300  # seconds; whatever takes longer hangs, also on a busy machine


class FailedRun(RuntimeError):  # noqa: N818 - it names what happened
    """Something that is measured did not do what it should; the text holds what it said."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What one process took, and printed: seconds from start to end, and of the processor; memory at its peak in KiB.

    The processor's time is also that of processes which it started and awaited, such as git.
    """

    seconds: float
    cpu: float
    memory: int
    output: str


@dataclass(frozen=True, slots=True)
class ApiCounts:
    """What the API saw: calls of each method, connections made, requests at one time at most."""

    calls: Mapping[str, int]
    connections: int
    most_in_flight: int


class Bench:
    """Runs commands with an environment of their own, in which nothing of the caller's has an effect.

    Bytecode is kept in `cache`, as an installed package has it, whether or not the caller's environment
    forbids to write it beside the code.
    """

    def __init__(self, cache: Path) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("RECONCILER_", "PYTHON"))
        }
        self._environment = {**inherited, "PYTHONPYCACHEPREFIX": str(cache), "NO_COLOR": "1"}

    def run(self, command: Sequence[str], **settings: str) -> ProcessResult:
        """Run a command to its end. Raises FailedRun unless it exits with 0."""
        started = time.perf_counter()
        with (
            subprocess.Popen(
                command,
                cwd=TESTS,
                env={**self._environment, **settings},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as child,
            _kill_when_late(child),
        ):
            output = child.stdout.read() if child.stdout else ""
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - started
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            message = f"{' '.join(command)}: exit {child.returncode}\n{output}"
            raise FailedRun(message)
        # Bytes on macOS, KiB elsewhere.
        return ProcessResult(
            seconds,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1),
            output,
        )

    def reconciler(self, *arguments: str, **settings: str) -> ProcessResult:
        """Run the command that is measured."""
        return self.run([RECONCILER, *arguments], **settings)

    @contextlib.contextmanager
    def count_git_processes(self, folder: Path) -> Iterator[Callable[[], int]]:
        """Yield what tells how many git processes have been started since the block began."""
        folder.mkdir()
        log, before = folder / "log", self._environment
        script = f'#!/bin/sh\necho >> "{log}"\nexec "{shutil.which("git")}" "$@"\n'
        (folder / "git").write_text(script, encoding="utf-8")
        (folder / "git").chmod(0o755)
        self._environment = {**before, "PATH": f"{folder}{os.pathsep}{before['PATH']}"}
        try:
            yield lambda: len(log.read_bytes())
        finally:
            self._environment = before

    def python(self, code: str, *arguments: str) -> ProcessResult:
        """Run some Python to compare with."""
        return self.run([sys.executable, "-c", code, *arguments])


@contextlib.contextmanager
def _kill_when_late(child: "subprocess.Popen[str]") -> Iterator[None]:
    timer = threading.Timer(LONGEST, child.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class LocalApi:
    """The lean API while it runs, and the command run against it."""

    def __init__(self, bench: Bench, fleet: Path, server: "subprocess.Popen[str]") -> None:
        self._bench = bench
        self.fleet = fleet
        self._server = server
        self.url = f"http://127.0.0.1:{int(self._answer())}{BASE_PATH}"

    def reconciler(self, command: str, *arguments: str, concurrency: int) -> tuple[ProcessResult, ApiCounts]:
        """Run a command on the whole fleet; return what it took and what came here."""
        result = self._bench.reconciler(
            command,
            *arguments,
            RECONCILER_DIRECTORY=str(self.fleet / FOLDER),
            RECONCILER_API_URL=self.url,
            RECONCILER_EMAIL="bench@university.example",
            RECONCILER_PASSWORD="of no use",
            RECONCILER_CONCURRENCY=str(concurrency),
        )
        return result, ApiCounts(**self._ask())

    def _ask(self) -> dict[str, Any]:
        if self._server.stdin is not None:
            self._server.stdin.write("counts\n")
            self._server.stdin.flush()
        counts: dict[str, Any] = json.loads(self._answer())
        return counts

    def _answer(self) -> str:
        line = self._server.stdout.readline() if self._server.stdout else ""
        if not line:
            raise FailedRun("the local API has ended")
        return line


@contextlib.contextmanager
def local_api(bench: Bench, fleet: Path, *, latency_ms: float, fail_every: int = 0) -> Iterator[LocalApi]:
    """Run the lean API for a fleet, as long as the block lasts; it may fail each request of a number."""
    command = [sys.executable, "-m", "benchmarks.server", str(fleet / LIVE), str(latency_ms), str(fail_every)]
    with subprocess.Popen(command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield LocalApi(bench, fleet, server)
        finally:
            if server.stdin is not None:
                server.stdin.close()


def measure_in_turns(rounds: int, *subjects: Callable[[], float]) -> list[list[float]]:
    """Measure several subjects in turns, A B A B, after one warming turn; return each one's measurements.

    The machine's speed drifts from minute to minute: what is measured side by side can be compared.
    """
    for subject in subjects:
        subject()
    turns = [[subject() for subject in subjects] for _ in range(rounds)]
    return [list(column) for column in zip(*turns, strict=True)]


def ratio(measured: Sequence[float], compared: Sequence[float]) -> float:
    """Return how many times as long the one took as the other, each at its best.

    Whatever else the machine does only ever adds to a measurement, so the least of many is the truest.
    """
    return min(measured) / min(compared)
