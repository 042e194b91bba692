"""`reconciler plan`."""

import click

from reconciler.cli.connect import open_api, scope_for, stoppable
from reconciler.cli.exit_codes import differences, unread
from reconciler.cli.inputs import read_inputs
from reconciler.cli.options import (
    ConnectionOptions,
    DefinitionOptions,
    OutputOptions,
    connection_options,
    definition_options,
    detailed_exitcode_option,
    output_options,
)
from reconciler.cli.output import emit, tell_problems
from reconciler.reconcile.plan import plan


@click.command("plan")
@definition_options
@connection_options
@output_options
@detailed_exitcode_option
def command(
    definitions: DefinitionOptions, connection: ConnectionOptions, output: OutputOptions, detailed_exitcode: bool
) -> int:
    """Read live assistants and show what apply would do. Never writes.

    PATHS are definition files or folders; without them the whole folder is planned. A definition that is
    not valid, or an assistant that cannot be read, does not keep the others from being planned; the exit
    code is 1 then.
    """
    inputs = read_inputs(definitions)
    tell_problems(inputs.loaded.problems)
    with (
        stoppable() as stopping,
        open_api(connection, inputs.settings, stopping) as api,
        scope_for(inputs, connection, stopping, "Reading") as scope,
    ):
        run = plan(api, scope)
    document = emit(run, output, sensitive=inputs.settings.sensitive)
    if stopping.exit_code or unread(document):
        return stopping.exit_code or 1
    return 2 if detailed_exitcode and differences(document) else 0
