"""Whether the writes of a plan may be sent: within the limit, and after a yes."""

import dataclasses
import sys

import click

from reconciler.cli.connect import Stopping
from reconciler.cli.inputs import places
from reconciler.cli.output import render
from reconciler.cli.streams import tell
from reconciler.core.limits import MaxChanges
from reconciler.core.run import Run
from reconciler.core.settings import Settings
from reconciler.report.build import to_document


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
    """Whether the writes of a plan may be sent: they stay within a limit, and somebody said yes."""

    settings: Settings
    stopping: Stopping
    yes: bool
    limit: MaxChanges | None

    def given(self, planned: Run) -> bool:
        """Tell whether to go on; where there is nothing to write nobody is asked."""
        writes = sum(result.pending for result in planned.results)
        most = self.limit.limit(len(planned.results)) if self.limit else writes
        if writes > most:
            tell(f"Nothing was sent: {writes} assistants would be written, and --max-changes allows {most}.")
            tell("  Look at the plan; if it is right, raise max_changes.")
            return False
        return self.yes or not writes or self.stopping() or self._asked(planned, writes)

    def _asked(self, planned: Run, writes: int) -> bool:
        document = to_document(planned, sensitive=self.settings.sensitive, places=places)
        tell(render(document, "text", sys.stderr))
        with self.stopping.asking():
            try:
                return click.confirm(f"Write to {writes} {'assistant' if writes == 1 else 'assistants'}?", err=True)
            except click.Abort:
                tell("")
                return False
