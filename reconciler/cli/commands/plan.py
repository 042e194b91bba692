"""`reconciler plan`."""

import dataclasses

import click

from reconciler.cli.connect import EarlyApi, connect, stoppable
from reconciler.cli.help import declare_command
from reconciler.cli.options import RunOptions, detailed_exitcode_option, policy_options, run_options
from reconciler.cli.output import emit, show_problems
from reconciler.usecases.plan import plan, plan_offline
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.project import check_policy
from reconciler.usecases.project.reading import read_project


@declare_command(
    "plan",
    ("reconciler plan --report plan.html", "Show what apply would do, and write it as an HTML page"),
    ("reconciler plan --changed-since origin/main", "Plan only the assistants that this branch changes"),
)
@policy_options
@run_options
@detailed_exitcode_option
@click.option("--offline", is_flag=True, help="Compare with the base instead of live; needs no API and no credentials.")
def command(choices: Choices, options: RunOptions, detailed_exitcode: bool, offline: bool) -> int:
    """Show what apply would do. Never writes.

    PATHS are definition files, folders, keys or ids. Without them, the whole folder is planned. If a definition is
    not valid or an assistant cannot be read, the others are still planned, and the exit code is 1.
    """
    # This block lasts until the report is written, so that a stopped run reports what it has read.
    with stoppable() as stopping, EarlyApi(options, stopping) as early:
        project = read_project(choices, open_early=None if offline else early.open)
        check_policy(project)
        show_problems(project.loaded.problems, "error")
        if offline:
            run = plan_offline(project)
        else:
            with connect(options, project.settings, stopping, "Reading", early.api) as (api, control):
                run = plan(api, project, control)
        # In JUnit, test cases fail for the same reasons as the exit code.
        if detailed_exitcode:
            run = dataclasses.replace(run, options={**run.options, "detailed_exitcode": True})
        report = emit(run, options)
    differs = detailed_exitcode and any(entry.asks_for_apply for entry in report.assistants)
    return stopping.choose_exit_code(failed=report.has_failed, differs=differs)
