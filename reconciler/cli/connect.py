"""From options and environment to an open API, a scope for the use cases, and a way to stop."""

import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import click
from click.core import ParameterSource

from reconciler.api.client import AssistantsApi
from reconciler.cli.options import ConnectionOptions
from reconciler.cli.streams import eprint, eprint_unbuffered, is_terminal, silence
from reconciler.core.settings import Settings
from reconciler.errors import ReconcilerError
from reconciler.usecases.connection import choose_url, credentials_of
from reconciler.usecases.project.project import Project, check_policy
from reconciler.usecases.workers import Control

FEW_ITEMS = 20  # items; so few need no line
PATIENCE = 5.0  # seconds for requests in flight after a request to stop (docs/reference.md, "Exit codes")


class Stopping:
    """Whether the run should stop. Then nothing new is started, and requests in flight may finish."""

    def __init__(self) -> None:
        self.signal = 0
        self._until = math.inf

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.signal != 0

    def aborted(self) -> bool:
        """Return whether to stop waiting: the time for requests in flight is over, or there was a second signal."""
        return time.monotonic() >= self._until

    def note(self, number: int) -> None:
        """Note a signal. The second one stops immediately."""
        # The first signal decides the exit code.
        self._until = 0.0 if self.signal else time.monotonic() + PATIENCE
        self.signal = self.signal or number

    def choose_exit_code(self, *, failed: bool = False, differs: bool = False) -> int:
        """Return a signal's exit code (130 for SIGINT), else 1 if something failed, else 2 if differences count."""
        if self.signal:
            return 128 + self.signal
        return 1 if failed else 2 if differs else 0


@contextlib.contextmanager
def stoppable() -> Iterator[Stopping]:
    """Let SIGINT, SIGTERM and SIGHUP stop the run gracefully. A second stops immediately, a third as by default."""
    stopping = Stopping()
    # A Python caller may have its own handlers. They are restored at the end.
    numbers = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))  # Windows has no SIGHUP
    previous_handlers = {int(number): signal.getsignal(number) for number in numbers}
    # With `nohup`, a run outlives its terminal.
    if previous_handlers[numbers[2]] is signal.SIG_IGN:
        del previous_handlers[numbers[2]]

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's form
        is_second = stopping()
        # Note the signal before printing: the next one may arrive while this handler is still running.
        stopping.note(number)
        if is_second:
            for restored, handler in previous_handlers.items():
                signal.signal(restored, handler)
            eprint_unbuffered("Stopping immediately, without waiting for requests in flight: their outcome is unclear.")
        else:
            eprint_unbuffered("Stopping: nothing new is started, waiting for requests in flight.")

    for number in previous_handlers:
        signal.signal(number, note)
    try:
        yield stopping
    except ReconcilerError as error:
        error.exit_code = stopping.choose_exit_code(failed=True)
        raise
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)


def open_api(options: ConnectionOptions, settings: Settings, stopping: Stopping) -> AssistantsApi:
    """Return the API for the options, environment variables and settings. Raises UsageError and SettingsError."""
    # If the chosen environment and the variable give different URLs, neither may override the other.
    by_variable = click.get_current_context().get_parameter_source("api_url") is ParameterSource.ENVIRONMENT
    url = choose_url(options.api_url, settings, by_variable=by_variable)
    return AssistantsApi(
        url,
        credentials_of(os.environ),
        options,
        on_request=eprint if options.verbose else None,
        stopping=stopping,
        aborted=stopping.aborted,
    )


class EarlyApi(contextlib.ExitStack):
    """The API of a run that only reads, opened before its files are parsed: requests overlap with parsing.

    A context manager: the end of the block closes it. `api` is None as long as it is not open.
    """

    def __init__(self, options: ConnectionOptions, stopping: Stopping) -> None:
        super().__init__()
        self._options = options
        self._stopping = stopping
        self.api: AssistantsApi | None = None

    def open(self, project: Project) -> Callable[[str], None] | None:
        """Open the API of a project, if possible, and return a function that begins to read an assistant."""
        # If not, `connect` tries again, and raises what is wrong after the problems of the files are shown.
        with contextlib.suppress(ReconcilerError):
            check_policy(project)
            self.api = self.enter_context(open_api(self._options, project.settings, self._stopping))
        return self.api.begin_get if self.api else None


@contextlib.contextmanager
def connect(
    options: ConnectionOptions, settings: Settings, stopping: Stopping, label: str, early: AssistantsApi | None = None
) -> Iterator[tuple[AssistantsApi, Control]]:
    """Yield the open API and the control of a run; `early` is one that is open already.

    Unless the run is quiet, a line on stderr shows the progress.
    """
    # With -v, each request has its own line, which would get mixed up with the progress.
    visible = is_terminal(sys.stderr) and not options.verbose and not options.quiet
    with progress_line(label, visible=visible) as progress, early or open_api(options, settings, stopping) as api:
        control = Control(
            concurrency=options.concurrency, stopping=stopping, aborted=stopping.aborted, progress=progress
        )
        yield api, control


@contextlib.contextmanager
def progress_line(label: str, *, visible: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback for (done, total). Its line appears for more than a few items, and ends with the work."""
    # A run that reads and then writes has two lines, one after the other. Each begins when its work begins.
    with contextlib.ExitStack() as stack:
        bars: list[Any] = []

        def advance(done: int, total: int) -> None:
            if not visible or total <= FEW_ITEMS:
                return
            try:
                if not bars:
                    bar = click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True, show_eta=False)
                    bars.append(stack.enter_context(bar))
                bars[0].update(1)
                if done == total:
                    bars.clear()
                    stack.close()
            except OSError:  # the terminal was closed
                silence(sys.stderr)

        yield advance
