"""Asks for confirmation at the terminal before writing."""

import contextlib
import dataclasses
import os
import queue
import sys
import threading

import click

from reconciler.cli.connect import Stopping
from reconciler.cli.output import render
from reconciler.cli.streams import tell
from reconciler.core.run import Run
from reconciler.core.settings import MaxChanges, Settings
from reconciler.report.build import build_report
from reconciler.report.differences.values import escape, literal
from reconciler.report.formats.inert import cut
from reconciler.report.masking import mask_value
from reconciler.report.view import make_view

_LONGEST_VALUE = 100  # characters: who is to be deleted shows in a line


class Limit(click.ParamType[MaxChanges]):
    """A number of assistants, or a share of those selected: `5`, `25%`."""

    name = "N|P%"

    def convert(self, value: str | MaxChanges, param: click.Parameter | None, ctx: click.Context | None) -> MaxChanges:
        """Return the limit that a text names."""
        try:
            return value if isinstance(value, MaxChanges) else MaxChanges.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclasses.dataclass(frozen=True, slots=True)
class Consent:
    """Asks for confirmation of the writes of a plan."""

    settings: Settings
    stopping: Stopping
    yes: bool

    def ask(self, planned: Run) -> str | None:
        """Return why nothing may be sent, or None if it may. Does not ask if there is nothing to write."""
        writes = sum(result.pending for result in planned.results)
        if self.yes or not writes or self.stopping() or self._ask(planned, writes):
            return None
        return "it was not confirmed"

    def ask_for_name(self, planned: Run, name: str) -> bool:
        """Show what will be deleted, and return whether its name was typed, which nobody does out of habit."""
        result = planned.results[0]
        tell(f"{escape(result.definition.file)}: {escape(name)} ({escape(result.definition.id or '')}), as it is live:")
        for key, value in sorted((result.live or {}).items()):
            shown = mask_value(value, (key,), self.settings.sensitive)
            tell(f"  {escape(key)}: {cut(literal(shown), _LONGEST_VALUE)}")
        where = f" at {escape(planned.api_url)}" if planned.api_url else ""
        click.echo(
            f"Deleting cannot be undone. To delete it{where}, type its name, {escape(name)}: ", nl=False, err=True
        )
        answer = self._read_answer()
        if not answer.endswith("\n"):
            tell("")
        return answer.strip() == name.strip()

    def _ask(self, planned: Run, writes: int) -> bool:
        _show(planned, self.settings)
        assistants = "1 assistant" if writes == 1 else f"{writes} assistants"
        # The last chance to notice the wrong API. A URL is untrusted text like any other.
        where = f" at {escape(planned.api_url)}" if planned.api_url else ""
        environment = f" ({planned.environment})" if planned.environment else ""
        click.echo(f"Write to {assistants}{where}{environment}? [y/N]: ", nl=False, err=True)
        answer = self._read_answer()
        if not answer.endswith("\n"):
            tell("")
        return answer.strip().lower() in ("y", "yes")

    def _read_answer(self) -> str:
        """Return the line that was typed, or nothing if the input ends or a signal comes first.

        A thread reads it: a signal that arrives just before a blocking read would otherwise wait for the
        next key.
        """
        # A daemon: a thread that waits for a key must not keep the process alive.
        answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        terminal = sys.stdin.fileno()
        threading.Thread(target=lambda: answers.put(_read_line(terminal)), daemon=True).start()
        while not self.stopping():
            with contextlib.suppress(queue.Empty):
                return answers.get(timeout=0.1).decode(errors="replace")
        return ""


def _show(planned: Run, settings: Settings) -> None:
    report = build_report(planned, sensitive=settings.sensitive)
    tell(render(make_view(report), "text", sys.stderr))


def _read_line(terminal: int) -> bytes:
    """Return the next line of a terminal; nothing if its input has ended, or the terminal is gone."""
    with contextlib.suppress(OSError):
        return os.read(terminal, 1024)
    return b""
