"""`reconciler drift`."""

from reconciler.cli.connect import connected, stoppable
from reconciler.cli.connection_options import ConnectionOptions, connection_options
from reconciler.cli.help import declare_command
from reconciler.cli.options import (
    OutputOptions,
    definition_options,
    detailed_exitcode_option,
    history_options,
    output_options,
)
from reconciler.cli.output import emit, tell_errors
from reconciler.usecases.plan import drift
from reconciler.usecases.project.choices import DefinitionOptions, HistoryOptions
from reconciler.usecases.project.reading import read_project


@declare_command(
    "drift",
    ("reconciler drift --detailed-exitcode", "In a nightly job: exit with 2 if somebody edited an assistant live"),
)
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
    """Report what was edited live, outside git. Never writes.

    PATHS are definition files, folders, keys or ids. Without them, the whole folder is checked. The exit code is 1 if
    a definition is not valid or an assistant could not be read.
    """
    project = read_project(definitions, history, or_head=True)
    tell_errors(project.loaded.problems)
    with stoppable() as stopping:
        with connected(connection, project.settings, stopping, quiet=output.quiet) as (api, control):
            run = drift(api, project, control)
        document = emit(run, output, sensitive=project.settings.sensitive)
    if stopping.exit_code or document.unread:
        return stopping.exit_code or 1
    return 2 if detailed_exitcode and document.moved_live else 0
