"""docs/quickstart.md is true: every command in it is run, in order, in one shell, and shows what stands below it.

After a deliberate change: `RENEW_DOCS=1 pytest tests/test_quickstart.py`, then read the diff.

Two things differ from what a reader does. The sandbox takes a free port, and the page's 3000 stands for it.
And pip asks no index: what the tests run with is there already, the package itself is built and installed.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from commands import environment
from pages import replace_times
from test_git_document import PEOPLE

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "quickstart.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = "127.0.0.1:3000"
END = "end-of-command"
NO_INDEX = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip reads a variable of this form as the option's opposite
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_CACHE_DIR": "1",  # nor has everybody a home to keep one in
    "PIP_CONFIG_FILE": os.devnull,
}


class Shell:
    """A shell that stays open, in which one command is typed after the other."""

    def __init__(self, cwd: Path, variables: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["sh"],
            cwd=cwd,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def run(self, command: str) -> tuple[str, int]:
        """Type a command; return what it showed and its exit code."""
        typing, showing = require_stream(self._process.stdin), require_stream(self._process.stdout)
        typing.write(f"{{ {command}\n}} < /dev/null; printf '{END} %s\\n' $?\n")
        typing.flush()
        output = ""
        for line in showing:
            text, end, code = line.partition(END)
            output += text
            if end:
                return output, int(code)
        raise AssertionError(f"the shell ended: {output}")

    def close(self) -> None:
        require_stream(self._process.stdin).close()
        self._process.wait()
        require_stream(self._process.stdout).close()


def require_stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@contextlib.contextmanager
def start_sandbox(command: str, cwd: Path, variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Start the sandbox on a free port; give its address and what it showed."""
    arguments = [*shlex.split(command), "--port", "0"]
    with subprocess.Popen(arguments, cwd=cwd, env=variables, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            first_line = require_stream(sandbox.stdout).readline()
            (address,) = re.findall(r"127\.0\.0\.1:\d+", first_line)
            yield address, first_line
        finally:
            sandbox.send_signal(signal.SIGINT)


class Reader:
    """Somebody who types what the page says."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        python = folder / ".python"  # the page's `python3` is the one that these tests run with
        python.mkdir()
        (python / "python3").symlink_to(Path(sys.executable).resolve())
        self._environment = environment({**PEOPLE, **NO_INDEX, "COLUMNS": "80"})
        self._environment["PATH"] = f"{python}{os.pathsep}{self._environment['PATH']}"
        self._shell = Shell(folder, self._environment)
        self._address = PORT
        stack.callback(self._shell.close)

    def type(self, command: str) -> str:
        """Type one line; return what it shows, with the page's address in place of the real one."""
        if command.startswith("reconciler sandbox"):
            tools = str(self._folder / "tools" / "bin")
            variables = {**self._environment, "PATH": f"{tools}{os.pathsep}{self._environment['PATH']}"}
            terminal = start_sandbox(f"{tools}/{command}", self._folder, variables)
            self._address, output = self._stack.enter_context(terminal)
        else:
            output, code = self._shell.run(command.replace(PORT, self._address))
            assert code == 0, (command, output)
        if "-m venv" in command:
            self._lend()
        return output.replace(self._address, PORT)

    def _lend(self) -> None:
        """Let the new environment find what these tests run with, in place of an index."""
        (packages,) = (self._folder / "tools" / "lib").glob("python*/site-packages")
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib"), "utf-8")


def copy_repository(folder: Path) -> None:
    """What a reader gets, as far as the installation and the sandbox look at it."""
    folder.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("reconciler", "assistants"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))


def test_the_page_is_true(tmp_path: Path) -> None:
    text = DOCUMENT.read_text("utf-8")
    copy_repository(tmp_path / "reconciler")
    blocks = [block for block in BLOCK.finditer(text) if block[1] == "console"]
    assert len(blocks) > 10
    renewed, place = "", 0
    with contextlib.ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        for block in blocks:
            commands = [line for line in block[2].splitlines() if line.startswith("$ ")]
            output = "".join(f"{command}\n{reader.type(command[2:])}" for command in commands)
            renewed += text[place : block.start(2)] + replace_times(output)
            place = block.end(2)
    renewed += text[place:]
    if os.environ.get("RENEW_DOCS"):
        DOCUMENT.write_text(renewed, "utf-8")
    assert text == renewed


def test_every_command_of_the_page_stands_in_a_block_that_is_run() -> None:
    languages = {block[1] for block in BLOCK.finditer(DOCUMENT.read_text("utf-8"))}
    assert languages == {"console"}
