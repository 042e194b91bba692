"""Runs git: one process per question, or one that stays open. Every failure is an error.

Missing output never counts as an answer. A command that ended with anything but 0, or a child that went away,
raises RepositoryError: a killed git must not look like "there is no such revision".
"""

import contextlib
import errno
import os
import re
import shutil
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

from reconciler.errors import RepositoryError

# Variables that git sets for hooks: they would select another repository, or change the meaning of paths.
_OF_HOOKS = re.compile("GIT_(?:DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|NAMESPACE|[A-Z]+_PATHSPECS)")
_Started = TypeVar("_Started")
_OLDEST = "2.31"  # has --path-format and --diff-merges; an older one prints an option that it does not know
_NEEDED = "the repository's history shows which values were edited live"
_CHUNK = 64 * 1024
_MOST_LINES = 10  # of what a child says on stderr


@contextlib.contextmanager
def open_scratch_folder() -> Iterator[Path]:
    """Open a temporary folder for files that git uses once. Raises RepositoryError if it cannot be created."""
    try:
        with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
            yield Path(folder)
    except OSError as error:
        message = f"git's temporary files cannot be written: {error.strerror or error}"
        raise RepositoryError(message, hint="make room on the disk, or set TMPDIR to another folder") from error


class Processes:
    """Starts git in one folder. What comes from outside reaches git after `--end-of-options` or on stdin."""

    def __init__(self, root: Path) -> None:
        command = shutil.which("git")
        if command is None:
            hint = f"install git, or put it on PATH: {_NEEDED}"
            raise RepositoryError("git is not installed here or not on PATH", hint=hint)
        self.root = root
        self._command = command

    def run(self, *arguments: str, stdin: bytes | None = None, environment: Mapping[str, str] | None = None) -> bytes:
        """Return what a command prints. Raises RepositoryError with git's own message if it failed."""
        return self._check(arguments, self._wait_for(arguments, stdin, environment))

    def run_for_lines(self, count: int, *arguments: str, stdin: bytes | None = None) -> list[str]:
        """Return what a command prints, which must be `count` lines: no output is no answer. Raises RepositoryError."""
        lines = os.fsdecode(self.run(*arguments, stdin=stdin)).splitlines()
        if len(lines) != count:
            raise self.failure(arguments[0], "no answer that can be read")
        return lines

    def run_or_none(self, *arguments: str, no: range) -> bytes | None:
        """Return what a command prints, None if it ends with one of the exit codes that mean "no"."""
        answer = self._wait_for(arguments)
        return None if answer.returncode in no else self._check(arguments, answer)

    def _wait_for(
        self, arguments: tuple[str, ...], stdin: bytes | None = None, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        return self._start(subprocess.run, arguments, environment or {}, input=stdin or b"", capture_output=True)

    def _check(self, arguments: tuple[str, ...], answer: "subprocess.CompletedProcess[bytes]") -> bytes:
        # for-each-ref passes over a broken ref with a warning and ends with 0: the record would seem not to be there.
        if answer.returncode != 0 or b"broken ref" in answer.stderr:
            raise self.failure(arguments[0], _find_reason(answer.stderr) or _describe_end(answer.returncode))
        return answer.stdout

    def open(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a child with pipes to it and from it. Raises RepositoryError."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return self._start(subprocess.Popen, arguments, {}, **pipes)

    def _start(
        self, start: Callable[..., _Started], arguments: Sequence[str], environment: Mapping[str, str], **options: Any
    ) -> _Started:
        # Messages in English, since some of them are looked at. A repository that is damaged must not be taken for one
        # that is around it.
        inherited = {name: value for name, value in os.environ.items() if not _OF_HOOKS.fullmatch(name)}
        own = {"LC_ALL": "C", "GIT_CEILING_DIRECTORIES": str(self.root.parent)}
        try:
            return start(
                [self._command, "-C", str(self.root), *arguments],
                env={**inherited, **own, **environment},
                # Ctrl-C on the terminal is for us to decide about, and a question there would never get an answer.
                start_new_session=True,
                **options,
            )
        except OSError as error:
            raise self.failure(arguments[0], error.strerror or "cannot be started") from error

    def failure(self, command: str, message: str) -> RepositoryError:
        """Return git's own message as an error, with a hint about a full disk and one that is common in containers."""
        hint = f"git ({_OLDEST} or newer) must work here: {_NEEDED}"
        if "dubious ownership" in message:
            hint = f"if you trust it: git config --global --add safe.directory {self.root}"
        if any(os.strerror(number) in message for number in (errno.ENOSPC, errno.EDQUOT)):
            hint = "make room on the disk"
        return RepositoryError(f"git {command}: {message}", hint=hint)


class Batch:
    """`git cat-file --batch`, kept open: git's objects never change, so one child answers for a whole run.

    Used by one thread at a time. Each answer is read before the next question is written, since a child with a full
    pipe stops reading. The child ends when nobody refers to this any more.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._errors: list[bytes] = []
        self._child = processes.open("cat-file", "--batch")
        # The stderr of the child and of its filters is read all the time: a full pipe would block them. The thread
        # knows only the pipe and the list, so that the end of the last reference ends the child, and that the thread.
        self._listener = threading.Thread(target=_listen, args=(self._child, self._errors), daemon=True)
        self._listener.start()
        weakref.finalize(self, _end, self._child)

    def read_object(self, name: str, *, limit: int | None = None) -> tuple[str, str, bytes | None] | None:
        """Return an object's name, kind and content; None if the repository says that it has no such object.

        The content is None if it has more than `limit` bytes. Raises RepositoryError if git gave no answer.
        """
        # That would be two questions, and the second answer would be taken for the answer to the next question.
        if "\n" in name:
            return None
        stdin, stdout = self._child.stdin, self._child.stdout
        if stdin is None or stdout is None:
            raise TypeError(self._child)
        try:
            stdin.write(os.fsencode(name) + b"\n")
            stdin.flush()
            header = stdout.readline()
        except OSError:
            header = b""
        words = header.rsplit(b" ", 2)
        if header.endswith((b" missing\n", b" ambiguous\n")):
            return None
        if len(words) != 3 or not words[2].strip().isdigit():
            raise self._report_ended()
        content = self._read(stdout, int(words[2]), limit)
        return words[0].decode(), words[1].decode(), content

    def _read(self, stdout: IO[bytes], size: int, limit: int | None) -> bytes | None:
        if limit is None or size <= limit:
            content = stdout.read(size + 1)
            if len(content) != size + 1:
                raise self._report_ended()
            return content[:-1]
        # Content that is too large for a definition is skipped.
        remaining = size + 1
        while remaining and (chunk := stdout.read(min(remaining, _CHUNK))):
            remaining -= len(chunk)
        if remaining:
            raise self._report_ended()
        return None

    def _report_ended(self) -> RepositoryError:
        code = self._child.wait()
        self._listener.join()
        return self._processes.failure("cat-file", _find_reason(b"".join(self._errors)) or _describe_end(code))


def _listen(child: "subprocess.Popen[bytes]", errors: list[bytes]) -> None:
    """Read a child's stderr to its end, and keep the beginning."""
    if child.stderr is not None:
        with child.stderr as pipe:
            for line in pipe:
                if len(errors) < _MOST_LINES:
                    errors.append(line[:_CHUNK])


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a child by closing its input. Its remaining output is ignored."""
    # It must be waited for anyway, or it would stay a zombie for as long as a program that imports us runs.
    for pipe in filter(None, (child.stdin, child.stdout)):
        # If it was killed, the last question may still be in the buffer.
        with contextlib.suppress(OSError):
            pipe.close()
    child.wait()


def _describe_end(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _find_reason(text: bytes) -> str:
    """Return the line of git's messages that says why it failed. Warnings and traces may come before it."""
    lines = os.fsdecode(text).strip().splitlines()
    return next((line for line in lines if line.startswith(("error: ", "fatal: "))), next(iter(lines), ""))
