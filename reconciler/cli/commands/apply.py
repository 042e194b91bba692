"""`reconciler apply`."""

import click

from reconciler.cli.connection_options import ConnectionOptions, connection_options
from reconciler.cli.consent import Limit
from reconciler.cli.help import declare_command
from reconciler.cli.options import OutputOptions, definition_options, history_options, output_options, policy_options
from reconciler.cli.output import read_report
from reconciler.cli.writing import check_somebody_to_ask, writing
from reconciler.core.settings import MaxChanges
from reconciler.errors import UsageError
from reconciler.report.read_back import reviewed_plan, unclear_writes
from reconciler.report.report import Report
from reconciler.usecases.apply import Wishes, apply
from reconciler.usecases.project.choices import DefinitionOptions, HistoryOptions, PolicyOptions
from reconciler.usecases.project.reading import read_project


@declare_command(
    "apply",
    ("reconciler apply", "Show the plan, ask for confirmation, then apply"),
    ("reconciler apply --plan plan.json --yes", "Apply exactly a saved plan"),
)
@definition_options
@history_options
@policy_options
@connection_options
@output_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
@click.option(
    "--plan",
    "saved",
    metavar="FILE",
    help="Apply exactly this plan (a JSON report); refuse what has changed since.",
)
@click.option("--max-changes", type=Limit(), help="Write nothing if more assistants than this would be written.")
@click.option(
    "--record/--no-record",
    "record_",
    default=None,
    help="Record in git what was applied, or do not; the record is the base of the next plan. Default: record where "
    "there is a record, or where reconciler.yaml says `record: true`.",
)
@click.option("--create", is_flag=True, help="Also create assistants for `id: new`; requires a record.")
@click.option(
    "--announced",
    metavar="TOKEN",
    help="With --create: only those that `reconciler announce --token TOKEN` has announced.",
)
@click.option(
    "--resume",
    metavar="REPORT",
    help="Send again what this report lists as indeterminate, and nothing else.",
)
@click.option("--fail-fast", is_flag=True, help="Do not start another assistant after the first failure.")
@click.option("--allow-older", is_flag=True, help="Apply even if a newer commit was applied before.")
def command(
    definitions: DefinitionOptions,
    history: HistoryOptions,
    policy: PolicyOptions,
    connection: ConnectionOptions,
    output: OutputOptions,
    yes: bool,
    fail_fast: bool,
    max_changes: MaxChanges | None,
    saved: str | None,
    resume: str | None,
    record_: bool | None,
    create: bool,
    announced: str | None,
    allow_older: bool,
) -> int:
    """Update live assistants to match their definitions.

    PATHS are definition files, folders, keys or ids. Without them, the whole folder is applied. Each assistant that
    differs is read again, gets one PATCH with the differences, and is read back. If a definition is invalid, nothing
    is sent.
    """
    check_somebody_to_ask("apply", "look at the plan", yes=yes)
    if announced is not None and not create:
        raise UsageError("--announced works only together with --create", hint="pass --create as well")
    _check_choice(saved, resume, chosen=bool(definitions.paths or history.changed or history.changed_since))
    unclear = _check_resumed(read_report(resume)) if resume is not None else None
    wishes = Wishes(
        record=record_,
        asked_base=history.base,
        allow_older=allow_older,
        create=create,
        announced=announced,
        fail_fast=fail_fast,
        max_changes=max_changes,
        reviewed=reviewed_plan(read_report(saved)) if saved is not None else None,
        unclear=unclear_writes(unclear) if unclear is not None else None,
    )
    with writing(definitions, connection, output, yes=yes, label="Applying", earlier=unclear) as session:
        apply(
            session.lock,
            lambda: read_project(definitions, history, policy, repository=session.lock[0]),
            wishes,
            session.start,
        )
    return session.exit_code


def _check_choice(saved: str | None, resume: str | None, *, chosen: bool) -> None:
    """Reject options that select the assistants in two ways. Raises UsageError."""
    if saved is not None and resume is not None:
        raise UsageError("--plan and --resume cannot be combined", hint="use one of them")
    if chosen and (saved is not None or resume is not None):
        option = "--plan" if saved is not None else "--resume"
        raise UsageError(f"{option} already selects the assistants", hint="leave out PATHS and --changed")


def _check_resumed(report: Report) -> Report:
    if not (report.traits.writes and report.traits.follows_git):
        raise UsageError(f"this is a report of `{report.command}`", hint="pass what `apply --report` wrote")
    return report
