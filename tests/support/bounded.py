"""The command in a process of its own, with what each call took of the processor and of memory.

Run as a script, it is that process: it reads calls from stdin and writes what became of them to stdout.
"""

import contextlib
import functools
import importlib
import json
import operator
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")

WORK = 200  # times what a fixed piece of work takes beside the call: no machine's pace is asserted
MEBIBYTES = 200  # more than before the first call
_SECONDS_FOR_ALL = 60
_NEXT_TO_NONE = 0.1  # seconds: a hundred small calls would take less time than to measure them


@dataclass(frozen=True)
class CallResult:
    """What one call ended with.

    `work` is the processor's time for it, in times of a fixed piece of work that ran just after it; the
    least of three if the first is too much.
    `mebibytes` is how far the process has grown at most, with this call and those before.
    """

    call: tuple[str, ...]
    code: int
    work: float
    mebibytes: float
    stdout: str
    stderr: str


def run_bounded(calls: Sequence[Sequence[str]], *, cwd: Path, env: Mapping[str, str] | None = None) -> list[CallResult]:
    """Run the command once for each list of arguments, and make sure that none of them took too much."""
    process = subprocess.run(
        [sys.executable, __file__],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})},  # without what measures coverage
        input=json.dumps([list(call) for call in calls]).encode(),
        capture_output=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr.decode()
    results = [CallResult(**result) for result in json.loads(process.stdout)]
    for result in results:
        assert "bug in reconciler" not in result.stderr, result
        assert "Traceback" not in result.stdout + result.stderr, result
        assert result.work < WORK, result
        assert result.mebibytes < MEBIBYTES, result
    return results


def _peak_mebibytes() -> float:
    """The most memory that this process had at once, in MiB; Linux alone knows it apart from its parent's."""
    with contextlib.suppress(OSError):
        text = Path("/proc/self/status").read_text("ascii")
        return int(text.partition("VmHWM:")[2].split()[0]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2


def measure_work(call: Callable[[], _T]) -> tuple[_T, float]:
    """Return what `call` returns, and the processor's time for it in times of `_fixed_work`, 0 for next to none."""
    started = time.process_time()
    result = call()
    seconds = time.process_time() - started
    # What measures coverage makes the code that it watches five times as slow, and the fixed work no slower.
    watched = 5 if sys.gettrace() else 1
    return result, seconds / _fixed_work() / watched if seconds > _NEXT_TO_NONE else 0.0


def measure_least_work(call: Callable[[], _T]) -> tuple[_T, float]:
    """Return the least of three measurements of a call without effects: a busy machine rarely disturbs all of them."""
    return min((measure_work(call) for _ in range(3)), key=operator.itemgetter(1))


def _fixed_work() -> float:
    """Return the seconds of the processor that a piece of work of about this program's kind takes now."""
    started = time.process_time()
    for _ in range(30):
        # Not indented: Python 3.13 does that four times as fast as those before.
        json.loads(json.dumps([{"key": [number, str(number)]} for number in range(300)]))
    return time.process_time() - started


def _run(boundary: Any, command: Any, call: Sequence[str], before: float) -> CallResult:
    # Into files: what is shown is no part of what the command needs.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+") as err:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code, work = measure_work(functools.partial(boundary.run_guarded, command, call))
        grown = _peak_mebibytes() - before
        for stream in (out, err):
            stream.seek(0)
        return CallResult(tuple(call), code, work, grown, out.read(2000), err.read(2000))


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS_FOR_ALL, _SECONDS_FOR_ALL))
    boundary = importlib.import_module("reconciler.cli.boundary")
    main = importlib.import_module("reconciler.cli.main")
    calls = json.load(sys.stdin)
    for call in calls:
        main.load_command(call[0])
    importlib.import_module("reconciler.api.transport")
    before, results = _peak_mebibytes(), []
    for call in calls:
        result = _run(boundary, main.reconciler, call, before)
        # A busy machine rarely disturbs all of three. What the first one said counts.
        for _ in range(2):
            if result.work >= WORK:
                again = _run(boundary, main.reconciler, call, before)
                result = replace(result, work=min(result.work, again.work))
        results.append(result)
    json.dump([asdict(result) for result in results], sys.stdout)


if __name__ == "__main__":
    _main()
