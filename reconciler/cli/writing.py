"""The terminal side of a run that writes: opens the API, asks, saves the report, and shows what was recorded."""

import contextlib
import dataclasses
import functools
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import click

from reconciler.cli.connect import Stopping, connected, stoppable
from reconciler.cli.options import RunOptions
from reconciler.cli.output import check_place, emit, render, tell_problems, write_json_reports
from reconciler.cli.streams import is_terminal, tell
from reconciler.core.outcome import Outcome
from reconciler.core.run import Run
from reconciler.core.settings import Settings
from reconciler.dataclass import dataclass
from reconciler.errors import UsageError
from reconciler.files.folders import repository_root
from reconciler.git.lock import Lock
from reconciler.git.repository import open_repository
from reconciler.git.working_tree import read_origin
from reconciler.report.build import build_report
from reconciler.report.differences.values import escape, literal
from reconciler.report.formats.inert import cut
from reconciler.report.masking import mask_value
from reconciler.report.report import Report
from reconciler.report.view import make_view
from reconciler.usecases.apply import Session
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_settings
from reconciler.usecases.project.project import Project

_LONGEST_VALUE = 100  # characters: who is to be deleted shows in a line


def _name_api(planned: Run) -> str:
    """Return where a run writes: the last chance to see that it is the wrong API."""
    # A URL is text from outside like any other.
    return f" at {escape(planned.api_url)}" if planned.api_url else ""


def _read_line(terminal: int) -> bytes:
    """Return the next line of a terminal; nothing if its input has ended, or the terminal is gone."""
    with contextlib.suppress(OSError):
        return os.read(terminal, 1024)
    return b""


@dataclass(kw_only=True)
class TerminalSession:
    """Opens the session of a run that writes, asks for confirmation, and keeps the run's result."""

    options: RunOptions
    lock: Lock  # what no other run may hold meanwhile
    stopping: Stopping
    yes: bool
    label: str
    earlier: Report | None = None  # the report that the run goes by: it must be of the same API and environment
    ask: Callable[["TerminalSession", Run], str | None] | None = None  # instead of `confirm`
    settings: Settings = dataclasses.field(default_factory=Settings)  # the project's, once it is read
    failed: bool = True  # until a report says that every assistant is settled

    @contextlib.contextmanager
    def start(self, project: Project) -> Iterator[Session]:
        """Yield the session for a project that was read. Raises UsageError for a report of another place."""
        settings = self.settings = project.settings
        tell_problems(project.loaded.problems, "error")

        quiet = self.options.quiet
        created: list[bool] = []

        def publish(run: Run) -> None:
            created.extend(result.outcome is Outcome.CREATED for result in run.results)
            self.failed = emit(run, self.options, sensitive=settings.sensitive).has_unsettled

        def tell_recorded(commit: str | None) -> None:
            if quiet:
                return
            tell(f"Recorded as {commit[:12]}." if commit else "The record is already up to date.")
            # A pipeline has already announced and pushed what it creates. Here, nobody else knows yet.
            if any(created) and project.may_create is None and read_origin(project.root):
                tell(f"Push the record before another clone creates the same assistants: git push origin {project.ref}")

        with connected(self.options, settings, self.stopping, self.label, quiet=quiet) as (api, control):
            if self.earlier is not None:
                check_place(self.earlier, settings, api.url)
            yield Session(
                api=api,
                control=control,
                consent=self.confirm if self.ask is None else functools.partial(self.ask, self),
                about_to_write=lambda run: write_json_reports(run, self.options, settings),
                publish=publish,
                on_recorded=tell_recorded,
            )

    @property
    def exit_code(self) -> int:
        """The code of a run that has ended: a signal's, else 1 where something failed."""
        return self.stopping.exit_code or int(self.failed)

    def confirm(self, planned: Run) -> str | None:
        """Return why nothing may be sent, or None if it may. Does not ask if there is nothing to write."""
        writes = sum(result.pending for result in planned.results)
        if self.yes or not writes or self.stopping() or self._ask_to_write(planned, writes):
            return None
        return "it was not confirmed"

    def ask_for_name(self, planned: Run, name: str) -> bool:
        """Show what will be deleted, and return whether its name was typed, which nobody does out of habit."""
        result = planned.results[0]
        tell(f"{escape(result.definition.file)}: {escape(name)} ({escape(result.definition.id)}), as it is live:")
        for key, value in sorted((result.live or {}).items()):
            shown = mask_value(value, (key,), self.settings.sensitive)
            tell(f"  {escape(key)}: {cut(literal(shown), _LONGEST_VALUE)}")
        way = f"To delete it{_name_api(planned)}, type its name, {escape(name)}: "
        return self._ask(f"Deleting cannot be undone. {way}") == name.strip()

    def _ask_to_write(self, planned: Run, writes: int) -> bool:
        report = build_report(planned, sensitive=self.settings.sensitive)
        tell(render(make_view(report), "text", sys.stderr))
        assistants = "1 assistant" if writes == 1 else f"{writes} assistants"
        environment = f" ({planned.environment})" if planned.environment else ""
        question = f"Write to {assistants}{_name_api(planned)}{environment}? [y/N]: "
        return self._ask(question).lower() in ("y", "yes")

    def _ask(self, question: str) -> str:
        """Return what the user types as an answer; nothing where the input ends, or a signal comes first."""
        click.echo(question, nl=False, err=True)
        # A signal just before a blocking read would wait for the next key, so a thread reads, which keeps nobody alive.
        answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        terminal = sys.stdin.fileno()
        threading.Thread(target=lambda: answers.put(_read_line(terminal)), daemon=True).start()
        answer: bytes | None = None
        while answer is None and not self.stopping():
            with contextlib.suppress(queue.Empty):
                answer = answers.get(timeout=0.1)
        typed = (answer or b"").decode(errors="replace")
        if not typed.endswith("\n"):
            tell("")
        return typed.strip()


@contextlib.contextmanager
def writing(choices: Choices, options: RunOptions, *, yes: bool, **how: Any) -> Iterator[TerminalSession]:
    """Yield the session of a command that writes, with `how` as it takes it. Nothing of the project is read yet."""
    # The lock is in the repository, so that is opened first; the use case hands it on and nobody opens it again.
    lock = open_repository(repository_root(choices.directory)), read_settings(choices).environment
    with stoppable() as stopping:
        yield TerminalSession(options=options, lock=lock, stopping=stopping, yes=yes, **how)


def check_can_confirm(command: str, first: str, *, yes: bool) -> None:
    """Refuse to start without `--yes` or a terminal, with a hint that begins with `first`. Raises UsageError."""
    if not yes and not is_terminal(sys.stdin):
        raise UsageError(f"{command} asks for confirmation, but there is no terminal", hint=f"{first}, then pass --yes")
