"""`reconciler apply`."""

import dataclasses
import functools

import click

from reconciler.cli.help import declare_command, group_options
from reconciler.cli.options import Limit, RunOptions, policy_options, refuse_empty, run_options
from reconciler.cli.output import read_report
from reconciler.cli.writing import open_session
from reconciler.errors import UsageError
from reconciler.report.read_back import read_plan, read_unclear
from reconciler.usecases.apply import ApplyOptions, apply
from reconciler.usecases.earlier_reports import SavedPlan, UnclearWrites
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.reading import read_project

options_of_apply = group_options(
    "apply_options",
    ApplyOptions,
    click.option("--max-changes", type=Limit(), help="Write nothing if more assistants than this would be written."),
    click.option(
        "--record/--no-record",
        default=None,
        help="Record in git what was applied, as the base of the next plan. Default: only if there is a "
        "record, or if reconciler.yaml says `record: true`.",
    ),
    click.option("--create", is_flag=True, help="Also create assistants for `id: new`; requires a record."),
    click.option(
        "--announced",
        metavar="TOKEN",
        callback=refuse_empty,
        help="With --create: only those that `reconciler announce --token TOKEN` has announced.",
    ),
    click.option("--fail-fast", is_flag=True, help="Do not start another assistant after the first failure."),
    click.option("--allow-older", is_flag=True, help="Apply even if a newer commit was applied before."),
)


@declare_command(
    "apply",
    ("reconciler apply", "Show the plan, ask for confirmation, then apply"),
    ("reconciler apply --plan plan.json --yes", "Apply exactly a saved plan"),
)
@policy_options
@run_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    help="Apply exactly this plan (a JSON report); refuse what has changed since.",
)
@click.option(
    "--resume", metavar="REPORT", help="Send again what this report lists as indeterminate, and nothing else."
)
@options_of_apply
def command(
    choices: Choices,
    options: RunOptions,
    yes: bool,
    plan_file: str | None,
    resume: str | None,
    apply_options: ApplyOptions,
) -> int:
    """Update live assistants to match their definitions.

    PATHS are definition files, folders, keys or ids. Without them, the whole folder is applied. Each assistant that
    differs is read again, gets one PATCH with the differences, and is read back. If a definition is invalid, nothing
    is sent.
    """
    if apply_options.announced is not None and not apply_options.create:
        raise UsageError("--announced works only together with --create", hint="pass --create as well")
    if plan_file is not None and resume is not None:
        raise UsageError("--plan and --resume cannot be combined", hint="use one of them")
    if (plan_file is not None or resume is not None) and (choices.paths or choices.only_changed):
        option = "--plan" if plan_file is not None else "--resume"
        raise UsageError(f"{option} already selects the assistants", hint="leave out PATHS and --changed")
    if resume is not None:
        apply_options = dataclasses.replace(apply_options, earlier=UnclearWrites(*read_unclear(read_report(resume))))
    if plan_file is not None:
        apply_options = dataclasses.replace(apply_options, earlier=SavedPlan(read_plan(read_report(plan_file))))
    with open_session(choices, options, "look at the plan", yes=yes, label="Applying") as session:
        read = functools.partial(
            read_project, choices, allow_older=apply_options.allow_older, repository=session.lock[0]
        )
        apply(session.lock, read, apply_options, session.start)
    return session.exit_code
