"""How a run that writes talks to the terminal: opens the API, asks, keeps the report, says what it recorded."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

from reconciler.cli.connect import Stopping, control_for, open_api
from reconciler.cli.connection_options import ConnectionOptions
from reconciler.cli.consent import Consent
from reconciler.cli.exit_codes import unsettled
from reconciler.cli.options import OutputOptions
from reconciler.cli.output import emit, tell_errors
from reconciler.cli.reports import check_place, report_before_writing
from reconciler.cli.streams import tell
from reconciler.core.outcome import Outcome
from reconciler.core.run import Run
from reconciler.core.settings import Settings
from reconciler.git.working_tree import read_origin
from reconciler.report.report import Report
from reconciler.usecases.apply import Session
from reconciler.usecases.project.project import Project


@dataclasses.dataclass(kw_only=True)
class TerminalSession:
    """Opens the session of an apply or a rollback, and remembers how it ended.

    `earlier` is the report that the run goes by, if there is one: it must be of the same API and environment. `text`
    makes what stdout carries in place of the text report. `ask` makes
    what asks for consent in another way than usual. `failed` stays true until a report says that every
    assistant was brought to where it was to be.
    """

    connection: ConnectionOptions
    output: OutputOptions
    stopping: Stopping
    yes: bool
    label: str
    earlier: Report | None = None
    text: Callable[[Report], str] | None = None
    ask: Callable[[Settings], Callable[[Run], str | None]] | None = None
    failed: bool = True

    @contextlib.contextmanager
    def start(self, project: Project) -> Iterator[Session]:
        """Yield the session for a project that was read. Raises UsageError for a report of another place."""
        settings = project.settings
        tell_errors(project.loaded.problems)

        created: list[bool] = []

        def publish(run: Run) -> None:
            created.extend(result.outcome is Outcome.CREATED for result in run.results)
            self.failed = unsettled(emit(run, self.output, sensitive=settings.sensitive, text=self.text))

        def tell_recorded(commit: str | None) -> None:
            tell(f"Recorded as {commit[:12]}." if commit else "The record says so already.")
            # A pipeline has announced what it creates, and pushed that. Here nobody else knows of it yet.
            if any(created) and project.may_create is None and read_origin(project.root):
                tell(f"Push the record before another clone creates the same: git push origin {project.ref}")

        with (
            open_api(self.connection, settings, self.stopping) as api,
            control_for(self.connection, self.stopping, self.label, quiet=self.output.quiet) as control,
        ):
            if self.earlier is not None:
                check_place(self.earlier, settings, api.url)
            yield Session(
                api=api,
                control=control,
                consent=self.ask(settings) if self.ask is not None else Consent(settings, self.stopping, self.yes).ask,
                about_to_write=report_before_writing(self.output, settings),
                publish=publish,
                recorded=tell_recorded if not self.output.quiet else lambda _commit: None,
            )

    @property
    def exit_code(self) -> int:
        """The code of a run that has ended: a signal's, else 1 where something failed."""
        return self.stopping.exit_code or int(self.failed)
