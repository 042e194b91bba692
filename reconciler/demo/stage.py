"""Runs the story's commands in a temporary repository, with a sandbox on a free port and a clean environment.

All of it is removed at the end. No setting of the caller reaches a command, so the demo never talks to a real API. A
signal ends it only while it waits for something, so that the cleanup is never cut short.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from reconciler.errors import DemoError

FOLDER = "assistants"
# Of this very installation. The folder in which it runs is no place to import modules from.
_RECONCILER = (sys.executable, "-P", "-m", "reconciler")
_SECONDS_TO_STOP = 10
_OWN_PREFIXES = ("RECONCILER_", "GIT_")


class Interrupted(Exception):  # noqa: N818 - it names what happened
    """The demo was asked to stop; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Stage:
    """A folder to work in, the environment of every command and, once it is started, a sandbox.

    Notes SIGINT, SIGTERM and SIGHUP from now on, and turns them into Interrupted in `interruptible`.
    """

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._environment = _make_environment()
        self._signal = 0
        self._is_waiting = False
        # Only noted: a signal during the cleanup would leave half of it.
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), self._take_signal)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal, also an earlier one, interrupt the block."""
        self._is_waiting = True
        try:
            self._raise_if_waiting()
            yield
        finally:
            self._is_waiting = False

    def _take_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number
        self._raise_if_waiting()

    def _raise_if_waiting(self) -> None:
        if self._is_waiting and self._signal:
            raise Interrupted(self._signal)

    def run(self, words: Sequence[str]) -> int:
        """Run a command whose output goes where ours goes; return its exit code. Raises DemoError for no such one."""
        # A command that a signal interrupts must not go on writing into a folder that is being removed.
        with self._start(words) as command, self.interruptible():
            return command.wait()

    def start_sandbox(self, words: Sequence[str]) -> str:
        """Start a sandbox, point later commands at it, and return the line that says where it is. Raises DemoError."""
        sandbox = self._stack.enter_context(self._start(words, stdout=subprocess.PIPE))
        with self.interruptible():
            line = sandbox.stdout.readline() if sandbox.stdout else ""
        url = re.search(r"http://\S+", line)
        if url is None:
            raise DemoError("the sandbox did not start", hint="see its output above")
        # The port is free until the sandbox has taken it, so nobody can know the URL before.
        self._environment["RECONCILER_API_URL"] = url[0]
        return line.strip()

    @contextlib.contextmanager
    def _start(self, words: Sequence[str], stdout: int | None = None) -> Iterator[subprocess.Popen[str]]:
        """Yield a command that is running; it ends with the block at the latest."""
        program = _RECONCILER if words[0] == "reconciler" else (words[0],)
        try:
            command = subprocess.Popen(  # noqa: S603 - the words are those of the story
                [*program, *words[1:]],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                text=True,
            )
        except FileNotFoundError:
            message = f"the demo needs the command {words[0]}, but it is not installed or not on PATH"
            raise DemoError(message, hint=f"install {words[0]}, and run the demo again") from None
        try:
            yield command
        finally:
            # SIGTERM lets the sandbox shut down cleanly. A command that does not stop in time is killed.
            with command:
                command.terminate()
                try:
                    command.wait(_SECONDS_TO_STOP)
                except subprocess.TimeoutExpired:
                    command.kill()

    def edit_live(self, assistant_id: str, fields: Mapping[str, Any]) -> None:
        """Change an assistant as the dashboard does: log in, then PATCH. Raises DemoError."""
        import httpx

        account = {name: self._environment[f"RECONCILER_{name.upper()}"] for name in ("email", "password")}
        # Loopback never goes through a proxy, whatever the caller's environment says.
        with httpx.Client(base_url=self._environment["RECONCILER_API_URL"], trust_env=False) as dashboard:
            login = dashboard.post("/auth/login", json=account)
            cookie = login.headers.get("set-cookie", "").partition(";")[0]
            answer = dashboard.patch(f"/assistants/{assistant_id}", json=fields, headers={"cookie": cookie})
        if not answer.is_success:
            raise DemoError(f"the edit of {assistant_id} failed with status {answer.status_code}")


@contextlib.contextmanager
def open_stage() -> Iterator[Stage]:
    """Yield a stage with a repository of the example definitions, removed at the end. Raises DemoError if git fails."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-demo-")))
        # In the package, and in a clone at its top.
        packaged, cloned = (Path(__file__).parents[up] / FOLDER for up in (0, 2))
        shutil.copytree(packaged if packaged.is_dir() else cloned, folder / FOLDER)
        stage = Stage(folder, stack)
        for words in ("init --quiet", f"add {FOLDER}", "commit --quiet --message Definitions"):
            if stage.run(["git", *words.split()]) != 0:
                raise DemoError(f"`git {words}` failed", hint="see git's output above")
        yield stage


def _make_environment() -> dict[str, str]:
    """Return the caller's environment without settings of git or the reconciler, and with an account for the demo."""
    # With the caller's settings, a command could reach a real API or write into another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIXES)}
    person = {"NAME": "Demo", "EMAIL": "demo@northfield.example"}
    return {
        **environment,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PAGER": "cat",  # nobody has to press a key
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()},
        "RECONCILER_EMAIL": person["EMAIL"],
        "RECONCILER_PASSWORD": secrets.token_urlsafe(),
    }
