"""`reconciler plan`."""

import dataclasses

import click

from reconciler.cli.connect import connected, stoppable
from reconciler.cli.connection_options import ConnectionOptions, connection_options
from reconciler.cli.help import declare_command
from reconciler.cli.options import (
    OutputOptions,
    definition_options,
    detailed_exitcode_option,
    history_options,
    output_options,
    policy_options,
)
from reconciler.cli.output import emit, tell_errors
from reconciler.usecases.plan import plan, plan_offline
from reconciler.usecases.project.choices import DefinitionOptions, HistoryOptions, PolicyOptions
from reconciler.usecases.project.reading import read_project


@declare_command(
    "plan",
    ("reconciler plan --report plan.html", "Show what apply would do, and write it as an HTML page"),
    ("reconciler plan --changed-since origin/main", "Plan only the assistants that this branch changes"),
)
@definition_options
@history_options
@policy_options
@connection_options
@output_options
@detailed_exitcode_option
@click.option("--offline", is_flag=True, help="Compare with the base instead of live; needs no API and no credentials.")
def command(
    definitions: DefinitionOptions,
    history: HistoryOptions,
    policy: PolicyOptions,
    connection: ConnectionOptions,
    output: OutputOptions,
    detailed_exitcode: bool,
    offline: bool,
) -> int:
    """Show what apply would do. Never writes.

    PATHS are definition files, folders, keys or ids. Without them, the whole folder is planned. If a definition is
    not valid or an assistant cannot be read, the others are still planned, and the exit code is 1.
    """
    project = read_project(definitions, history, policy)
    tell_errors(project.loaded.problems)
    with stoppable() as stopping:
        if offline:
            run = plan_offline(project)
        else:
            with connected(connection, project.settings, stopping, quiet=output.quiet) as (api, control):
                run = plan(api, project, control)
        if detailed_exitcode:
            run = dataclasses.replace(run, options={**run.options, "detailed_exitcode": True})
        document = emit(run, output, sensitive=project.settings.sensitive)
    if stopping.exit_code or document.unread:
        return stopping.exit_code or 1
    return 2 if detailed_exitcode and document.kinds else 0
