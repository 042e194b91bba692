"""`reconciler drift`."""

import click

from reconciler.cli.connect import open_api, scope_for, stoppable
from reconciler.cli.exit_codes import moved_live, unread
from reconciler.cli.options import (
    ConnectionOptions,
    OutputOptions,
    connection_options,
    definition_options,
    detailed_exitcode_option,
    history_options,
    output_options,
)
from reconciler.cli.output import emit, tell_problems
from reconciler.core.plan import Policy
from reconciler.usecases.choices import DefinitionOptions, HistoryOptions
from reconciler.usecases.drift import drift
from reconciler.usecases.since import dated
from reconciler.usecases.versions import read_versions


@click.command("drift")
@definition_options
@history_options
@connection_options
@output_options
@detailed_exitcode_option
def command(
    definitions: DefinitionOptions,
    history: HistoryOptions,
    connection: ConnectionOptions,
    output: OutputOptions,
    detailed_exitcode: bool,
) -> int:
    """Report what was edited live behind git's back. Never writes.

    PATHS are definition files or folders; without them the whole folder is looked at. Exit 1 when not
    everything could be looked at: no drift is reported only where live was seen.
    """
    versions = read_versions(definitions, history, or_head=True)
    inputs = versions.inputs
    tell_problems(inputs.loaded.problems)
    with stoppable() as stopping:
        with (
            open_api(connection, inputs.settings, stopping) as api,
            scope_for(versions, connection, Policy(), stopping, "Reading") as scope,
        ):
            run = drift(api, scope)
        document = emit(dated(run, versions.history), output, sensitive=inputs.settings.sensitive)
    if stopping.exit_code or unread(document):
        return stopping.exit_code or 1
    return 2 if detailed_exitcode and moved_live(document) else 0
