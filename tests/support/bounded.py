"""The command in a process of its own, with what each call took of the processor and of memory.

Run as a script, it is that process: it reads calls from stdin and writes what became of them to stdout.
"""

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

SECONDS = 2.0  # of the processor, for one call
MEBIBYTES = 200  # more than before the first call
_SECONDS_FOR_ALL = 60


@dataclass(frozen=True)
class Taken:
    """What one call ended with: `mebibytes` is how far the process has grown at most, this call and those before."""

    call: tuple[str, ...]
    code: int
    seconds: float
    mebibytes: float
    stdout: str
    stderr: str


def bounded(calls: Sequence[Sequence[str]], *, cwd: Path, env: Mapping[str, str] | None = None) -> list[Taken]:
    """Run the command once for each list of arguments, and make sure that none of them took too much."""
    done = subprocess.run(
        [sys.executable, __file__],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})},  # without what measures coverage
        input=json.dumps([list(call) for call in calls]).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    taken = [Taken(**one) for one in json.loads(done.stdout)]
    for one in taken:
        assert "fault of reconciler itself" not in one.stderr, one
        assert "Traceback" not in one.stdout + one.stderr, one
        assert one.seconds < SECONDS, one
        assert one.mebibytes < MEBIBYTES, one
    return taken


def _peak() -> float:
    """The most memory that this process had at once, in MiB; Linux alone knows it apart from its parent's."""
    with contextlib.suppress(OSError):
        text = Path("/proc/self/status").read_text("ascii")
        return int(text.partition("VmHWM:")[2].split()[0]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS_FOR_ALL, _SECONDS_FOR_ALL))
    boundary = importlib.import_module("reconciler.cli.boundary")
    main = importlib.import_module("reconciler.cli.main")
    calls = json.load(sys.stdin)
    for call in calls:
        main.reconciler.get_command(None, call[0])
    importlib.import_module("reconciler.api.transport")
    before, taken = _peak(), []
    for call in calls:
        # Into files: what is shown is no part of what the command needs.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+") as err:
            started = time.process_time()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = boundary.run_guarded(main.reconciler, call)
            seconds = time.process_time() - started
            grown = _peak() - before
            for stream in (out, err):
                stream.seek(0)
            taken.append(Taken(tuple(call), code, seconds, grown, out.read(2000), err.read(2000)))
    json.dump([asdict(one) for one in taken], sys.stdout)


if __name__ == "__main__":
    _main()
