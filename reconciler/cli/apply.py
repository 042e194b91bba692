"""`reconciler apply`."""

import dataclasses
import sys

import click

from reconciler.adapters.api import AssistantsApi
from reconciler.cli.connect import Stopping, open_api, scope_for, stoppable
from reconciler.cli.exit_codes import unsettled
from reconciler.cli.inputs import Inputs, places, read_inputs
from reconciler.cli.options import (
    ConnectionOptions,
    DefinitionOptions,
    OutputOptions,
    connection_options,
    definition_options,
    output_options,
)
from reconciler.cli.output import emit, render, tell_problems
from reconciler.cli.streams import tell
from reconciler.core.limits import MaxChanges
from reconciler.core.run import Run
from reconciler.errors import UsageError
from reconciler.reconcile.apply import apply, skip_all
from reconciler.reconcile.plan import Scope, plan
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

    inputs: Inputs
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
        document = to_document(planned, sensitive=self.inputs.settings.sensitive, places=places)
        tell(render(document, "text", sys.stderr))
        with self.stopping.asking():
            try:
                return click.confirm(f"Write to {writes} {'assistant' if writes == 1 else 'assistants'}?", err=True)
            except click.Abort:
                tell("")
                return False


@click.command("apply")
@definition_options
@connection_options
@output_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--fail-fast", is_flag=True, help="Start no further assistant after the first failure.")
@click.option("--max-changes", type=Limit(), help="Write nothing where more assistants would be written.")
def command(
    definitions: DefinitionOptions,
    connection: ConnectionOptions,
    output: OutputOptions,
    yes: bool,
    fail_fast: bool,
    max_changes: MaxChanges | None,
) -> int:
    """Bring live assistants to what their definitions say.

    PATHS are definition files or folders; without them the whole folder is applied. Each assistant that
    differs is read once more, gets one PATCH with what differs, and is read again. Nothing is sent where a
    definition is invalid.
    """
    if not yes and not sys.stdin.isatty():
        raise UsageError("apply writes, and there is no terminal to ask at", hint="look at the plan, then give --yes")
    inputs = read_inputs(definitions)
    tell_problems(inputs.loaded.problems)
    with (
        stoppable() as stopping,
        open_api(connection, inputs.settings, stopping) as api,
        scope_for(inputs, connection, stopping, "Applying") as scope,
    ):
        consent = Consent(inputs, stopping, yes, max_changes or inputs.settings.max_changes)
        run = _run(api, scope, consent, retries=connection.retries, fail_fast=fail_fast)
    document = emit(run, output, sensitive=inputs.settings.sensitive)
    return stopping.exit_code or int(unsettled(document))


def _run(api: AssistantsApi, scope: Scope, consent: Consent, *, retries: int, fail_fast: bool) -> Run:
    if scope.loaded.invalid:
        tell("Nothing was sent: a definition is not valid.")
        return skip_all(scope)
    planned = plan(api, scope)
    if not consent.given(planned):
        return skip_all(scope, planned)
    return apply(api, scope, planned, retries=retries, fail_fast=fail_fast)
