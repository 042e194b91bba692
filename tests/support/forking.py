"""The installed command in a process of its own, forked from one that has its modules loaded already.

Most of what a small command costs is Python's start and our imports. `forking_server` has them loaded and forks a child
for every command: with its own environment, folder, streams and exit code. What a test wants to know of Python's own
start (its variables, its locale) gets a new interpreter: see `commands.run`.
"""

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from forking_client import ask

PATIENCE = 60  # seconds for one command


class Forking:
    """A process with our modules loaded, started when the first command is asked for."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._folder = Path()

    def run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes
    ) -> tuple[int, bytes, bytes]:
        """Run a command to its end; return its exit code, stdout and stderr."""
        with tempfile.TemporaryFile() as stdin_file, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin_file.write(stdin)
            stdin_file.seek(0)
            streams = [stdin_file.fileno(), out.fileno(), err.fileno()]
            with ask(self.address, arguments, str(cwd), env, streams) as answer:
                _, code = answer.makefile()
            out.seek(0)
            err.seek(0)
            return int(code), out.read(), err.read()

    def write_command(self, file: Path) -> None:
        """Write an executable file that is the command to whoever calls it: a script, a step of a workflow."""
        text = f"#!{sys.executable} -IS\nimport sys\nsys.path.append({str(Path(__file__).parent)!r})\n"
        file.write_text(text + f"import forking_client\nforking_client.stand_in({self.address!r})\n", "utf-8")
        file.chmod(0o755)

    @property
    def address(self) -> str:
        """Where the process listens."""
        if self._process is None:
            self._folder = Path(tempfile.mkdtemp(prefix="forking-"))
            self._process = subprocess.Popen(
                [sys.executable, "-P", Path(__file__).with_name("forking_server.py"), self._socket, str(PATIENCE)],
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._end)
            assert self._process.stdout is not None
            assert self._process.stdout.readline(), "the process that forks did not start"
        return self._socket

    @property
    def _socket(self) -> str:
        return str(self._folder / "s")  # short: such an address has 100 bytes

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.communicate(timeout=10)
        shutil.rmtree(self._folder, ignore_errors=True)


FORKING = Forking()
