"""The installed command in a process of its own, forked from one that has its modules loaded already.

Most of what a small command costs is Python's start and our imports. A process that has them loaded forks a child for
every command: with its own environment, folder, streams and exit code. What a test wants to know of Python's own start
(its variables, its locale) gets a new interpreter: see `commands.run`.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 60  # seconds for one command
_SERVER = """
import json, os, signal, sys
import contextlib, traceback
from reconciler.cli import main
for module, _ in main.COMMANDS.values():
    __import__(module)
import httpx, yaml, deepdiff, reconciler.api.client, reconciler.usecases.apply, reconciler.usecases.plan
import reconciler.files.definitions, reconciler.git.repository, reconciler.report.formats.text

def run(asked):
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        opened = os.open(os.path.join(asked["streams"], name), os.O_RDONLY if number == 0 else os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.argv = ["reconciler", *asked["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(asked["patience"])
    code = 1
    try:
        main.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)

for line in iter(sys.stdin.readline, ""):
    child = os.fork()
    if child == 0:
        run(json.loads(line))
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Forking:
    """A process with our modules loaded, which forks one child after the other."""

    def __init__(self) -> None:
        self._idle = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes
    ) -> tuple[int, bytes, bytes] | None:
        """Run a command to its end; return its exit code, stdout and stderr, or None while another one is running."""
        if not self._idle.acquire(blocking=False):
            return None
        try:
            return self._run(arguments, cwd, env, stdin)
        finally:
            self._idle.release()

    def _run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes
    ) -> tuple[int, bytes, bytes]:
        with tempfile.TemporaryDirectory() as streams:
            for name, content in (("stdin", stdin), ("stdout", b""), ("stderr", b"")):
                Path(streams, name).write_bytes(content)
            asked = {
                "arguments": list(arguments),
                "cwd": str(cwd),
                "env": dict(env),
                "streams": streams,
                "patience": PATIENCE,
            }
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            code = process.stdout.readline()
            assert code, "the process that forks has ended"
            return int(code), Path(streams, "stdout").read_bytes(), Path(streams, "stderr").read_bytes()

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVER],
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._end)
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.communicate(timeout=10)


FORKING = Forking()
