"""The terminal side of a run that writes: opens the API, asks, saves the report, and shows what was recorded."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator
from typing import Any

from reconciler.cli.connect import Stopping, connected, stoppable
from reconciler.cli.connection_options import ConnectionOptions
from reconciler.cli.consent import Consent
from reconciler.cli.options import OutputOptions
from reconciler.cli.output import check_place, emit, report_before_writing, tell_errors
from reconciler.cli.streams import is_terminal, tell
from reconciler.core.outcome import Outcome
from reconciler.core.run import Run
from reconciler.errors import UsageError
from reconciler.files.folders import repository_root
from reconciler.git.lock import Lock
from reconciler.git.repository import open_repository
from reconciler.git.working_tree import read_origin
from reconciler.report.report import Report
from reconciler.usecases.apply import Session
from reconciler.usecases.project.choices import DefinitionOptions
from reconciler.usecases.project.environments import read_settings
from reconciler.usecases.project.project import Project


@dataclasses.dataclass(kw_only=True)
class TerminalSession:
    """Opens the session of a run that writes, and keeps its result.

    `lock` is what no other run may hold meanwhile. `earlier` is the report that the run goes by, if there is one: it
    must be of the same API and environment. `text` makes what stdout carries instead of the text report, `ask`
    asks for consent in another way than usual. `failed` stays true until a report says that every assistant was
    brought to where it was to be.
    """

    connection: ConnectionOptions
    output: OutputOptions
    lock: Lock
    stopping: Stopping
    yes: bool
    label: str
    earlier: Report | None = None
    text: Callable[[Report], str] | None = None
    ask: Callable[[Consent, Run], str | None] = Consent.ask
    failed: bool = True

    @contextlib.contextmanager
    def start(self, project: Project) -> Iterator[Session]:
        """Yield the session for a project that was read. Raises UsageError for a report of another place."""
        settings = project.settings
        consent = Consent(settings, self.stopping, self.yes)
        tell_errors(project.loaded.problems)

        created: list[bool] = []

        def publish(run: Run) -> None:
            created.extend(result.outcome is Outcome.CREATED for result in run.results)
            self.failed = emit(run, self.output, sensitive=settings.sensitive, text=self.text).unsettled

        def tell_recorded(commit: str | None) -> None:
            tell(f"Recorded as {commit[:12]}." if commit else "The record is already up to date.")
            # A pipeline has already announced and pushed what it creates. Here, nobody else knows yet.
            if any(created) and project.may_create is None and read_origin(project.root):
                tell(f"Push the record before another clone creates the same assistants: git push origin {project.ref}")

        quiet = self.output.quiet
        with connected(self.connection, settings, self.stopping, self.label, quiet=quiet) as (api, control):
            # The same ids are other assistants elsewhere, and a report's old values would be written to them.
            if self.earlier is not None:
                check_place(self.earlier, settings, api.url)
            yield Session(
                api=api,
                control=control,
                consent=lambda planned: self.ask(consent, planned),
                about_to_write=report_before_writing(self.output, settings),
                publish=publish,
                recorded=tell_recorded if not quiet else lambda _commit: None,
            )

    @property
    def exit_code(self) -> int:
        """The code of a run that has ended: a signal's, else 1 where something failed."""
        return self.stopping.exit_code or int(self.failed)


@contextlib.contextmanager
def writing(
    definitions: DefinitionOptions, connection: ConnectionOptions, output: OutputOptions, *, yes: bool, **how: Any
) -> Iterator[TerminalSession]:
    """Yield the session of a command that writes, with `how` as it takes it. Nothing of the project is read yet.

    Raises UsageError for an environment that is not there: before the lock is held.
    """
    # The lock is in the repository, so that is opened first; the use case hands it on and nobody opens it again.
    lock = open_repository(repository_root(definitions.directory)), read_settings(definitions).environment
    with stoppable() as stopping:
        yield TerminalSession(connection=connection, output=output, lock=lock, stopping=stopping, yes=yes, **how)


def check_somebody_to_ask(command: str, first: str, *, yes: bool) -> None:
    """Refuse to start if nobody can confirm; `first` is what to do before passing it. Raises UsageError."""
    if not yes and not is_terminal(sys.stdin):
        raise UsageError(f"{command} asks for confirmation, but there is no terminal", hint=f"{first}, then pass --yes")
