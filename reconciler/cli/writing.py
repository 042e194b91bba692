"""A writing run at the terminal: opens the API, asks, saves the report, and shows what was recorded."""

import contextlib
import functools
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import click

from reconciler.cli.connect import Stopping, connect, stoppable
from reconciler.cli.options import RunOptions
from reconciler.cli.output import emit, render, show_problems, write_json_reports
from reconciler.cli.streams import eprint, is_terminal
from reconciler.core.outcome import Outcome
from reconciler.core.run import Run
from reconciler.dataclass import dataclass
from reconciler.errors import UsageError
from reconciler.files.folders import repository_root
from reconciler.git.lock import Lock
from reconciler.git.repository import Repository
from reconciler.git.working_tree import read_origin
from reconciler.report.build import build_report
from reconciler.report.differences.values import escape
from reconciler.report.report import Report
from reconciler.report.view import make_view
from reconciler.report.wording import count_noun
from reconciler.usecases.apply import Session
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_settings
from reconciler.usecases.project.project import Project


def describe_api(planned: Run) -> str:
    """Return where a run writes, for the question. It is the last chance to notice a wrong API."""
    # The URL comes from outside, so it is escaped.
    return f" at {escape(planned.api_url)}" if planned.api_url else ""


def confirm_writes(session: "TerminalSession", planned: Run) -> str | None:
    """Return why nothing may be sent, or None if it may. Does not ask if there is nothing to write."""
    writes = sum(result.pending for result in planned.results)
    if session.yes or not writes or session.stopping():
        return None
    eprint(render(make_view(build_report(planned)), "text", sys.stderr))
    environment = f" ({planned.environment})" if planned.environment else ""
    question = f"Write to {count_noun(writes, 'assistant')}{describe_api(planned)}{environment}? [y/N]: "
    return None if session.ask(question).lower() in ("y", "yes") else "it was not confirmed"


def _read_terminal_line(terminal: int) -> bytes:
    """Return the next line of a terminal, or "" if its input has ended or the terminal is gone."""
    with contextlib.suppress(OSError):
        return os.read(terminal, 1024)
    return b""


@dataclass(kw_only=True)
class TerminalSession:
    """The session of a writing run: asks for confirmation, and keeps the run's result."""

    options: RunOptions
    lock: Lock  # held for the whole run
    stopping: Stopping
    yes: bool
    label: str
    confirm: Callable[["TerminalSession", Run], str | None] = confirm_writes  # says why nothing may be sent
    report: Report | None = None  # of the run, once it has ended

    @contextlib.contextmanager
    def start(self, project: Project) -> Iterator[Session]:
        """Yield the session for a project."""
        show_problems(project.loaded.problems, "error")

        def publish(run: Run) -> None:
            self.report = emit(run, self.options)

        def show_recorded(commit: str | None) -> None:
            if self.options.quiet:
                return
            eprint(f"Recorded as {commit[:12]}." if commit else "The record is already up to date.")
            # A pipeline has already announced and pushed what it will create. Here, nobody else knows about it.
            created = self.report is not None and self.report.summary[Outcome.CREATED]
            if created and project.may_create is None and read_origin(project.root):
                command = f"git push origin {project.ref}"
                eprint(f"Push the record before another clone creates the same assistants: {command}")

        with connect(self.options, project.settings, self.stopping, self.label) as (api, control):
            yield Session(
                api=api,
                control=control,
                consent=functools.partial(self.confirm, self),
                about_to_write=lambda run: write_json_reports(run, self.options),
                publish=publish,
                on_recorded=show_recorded,
            )

    @property
    def exit_code(self) -> int:
        """The exit code: a signal's, or 1 if something failed, or 0."""
        return self.stopping.choose_exit_code(failed=self.report is None or self.report.has_failed)

    def ask(self, question: str) -> str:
        """Return the user's answer, or "" if the input ends or a signal comes first."""
        click.echo(question, nl=False, err=True)
        # After a signal, a blocking read would still wait for a key. So a daemon thread reads.
        answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        terminal = sys.stdin.fileno()
        threading.Thread(target=lambda: answers.put(_read_terminal_line(terminal)), daemon=True).start()
        answer: bytes | None = None
        while answer is None and not self.stopping():
            with contextlib.suppress(queue.Empty):
                answer = answers.get(timeout=0.1)
        line = (answer or b"").decode(errors="replace")
        if not line.endswith("\n"):
            eprint("")
        return line.strip()


@contextlib.contextmanager
def open_session(
    choices: Choices, options: RunOptions, step: str, *, yes: bool, **fields: Any
) -> Iterator[TerminalSession]:
    """Yield the session of a command that writes. `fields` are further fields of it. The project is not read yet.

    Raises UsageError, with a hint that begins with `step`, if the command can neither ask nor has `--yes`.
    """
    if not yes and not is_terminal(sys.stdin):
        command = click.get_current_context().info_name
        raise UsageError(f"{command} asks for confirmation, but there is no terminal", hint=f"{step}, then pass --yes")
    # The lock is in the repository, which is opened here once for the whole run.
    lock = Repository(repository_root(choices.directory)), read_settings(choices).environment
    with stoppable() as stopping:
        yield TerminalSession(options=options, lock=lock, stopping=stopping, yes=yes, **fields)
