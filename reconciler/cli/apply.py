"""`reconciler apply`."""

import sys

import click

from reconciler.cli.connect import open_api, scope_for, stoppable
from reconciler.cli.consent import Consent, Limit
from reconciler.cli.exit_codes import unsettled
from reconciler.cli.options import (
    ConnectionOptions,
    OutputOptions,
    connection_options,
    definition_options,
    history_options,
    output_options,
    policy_options,
)
from reconciler.cli.output import emit, tell_problems
from reconciler.cli.reports import check_place, read_report, report_before_writing
from reconciler.cli.streams import is_terminal, tell
from reconciler.core.limits import MaxChanges
from reconciler.core.run import Run
from reconciler.errors import UsageError
from reconciler.files.folders import repository_root
from reconciler.git.lock import writing_alone
from reconciler.git.repository import Git
from reconciler.report.read_back import reviewed_plan, unclear_writes
from reconciler.report.report import Report
from reconciler.usecases.carry_out import carry_out
from reconciler.usecases.choices import DefinitionOptions, HistoryOptions, PolicyOptions
from reconciler.usecases.inputs import read_settings
from reconciler.usecases.recording import check_order, check_recordable, record
from reconciler.usecases.since import dated
from reconciler.usecases.versions import Versions, policy_for, read_versions


@click.command("apply")
@definition_options
@history_options
@policy_options
@connection_options
@output_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--fail-fast", is_flag=True, help="Start no further assistant after the first failure.")
@click.option("--max-changes", type=Limit(), help="Write nothing where more assistants would be written.")
@click.option(
    "--plan", "saved", metavar="FILE", help="Apply exactly what a plan's JSON report says, or refuse the assistant."
)
@click.option(
    "--resume",
    metavar="REPORT",
    help="Send again what this report lists as indeterminate, and nothing else.",
)
@click.option("--record", "record_", is_flag=True, help="Record in git what was applied: the base of the next plan.")
@click.option("--allow-older", is_flag=True, help="Apply although a newer commit was applied before.")
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
    record_: bool,
    allow_older: bool,
) -> int:
    """Bring live assistants to what their definitions say.

    PATHS are definition files or folders; without them the whole folder is applied. Each assistant that
    differs is read once more, gets one PATCH with what differs, and is read again. Nothing is sent where a
    definition is invalid.
    """
    if not yes and not is_terminal(sys.stdin):
        raise UsageError("apply writes, and there is no terminal to ask at", hint="look at the plan, then give --yes")
    _check_choice(saved, resume, chosen=bool(definitions.paths or history.changed or history.changed_since))
    reviewed = reviewed_plan(read_report(saved)) if saved is not None else None
    unclear = _unclear(read_report(resume)) if resume is not None else None
    with writing_alone(Git.at(repository_root(definitions.directory)), read_settings(definitions).environment):
        versions = read_versions(definitions, history)
        inputs, chosen = versions.inputs, policy_for(versions, policy)
        if not allow_older:
            check_order(versions.history)
        if record_:
            check_recordable(versions.history, inputs.folders, history.base, inputs.loaded.definitions)
        tell_problems(inputs.loaded.problems)
        with stoppable() as stopping:
            with (
                open_api(connection, inputs.settings, stopping) as api,
                scope_for(versions, connection, chosen, stopping, "Applying") as scope,
            ):
                if unclear is not None:
                    check_place(unclear, inputs.settings, api.url)
                limit = max_changes or inputs.settings.max_changes
                run, carried_out = carry_out(
                    api,
                    scope,
                    objection=Consent(inputs.settings, stopping, yes, limit).objection,
                    reviewed=reviewed,
                    unclear=unclear_writes(unclear) if unclear is not None else None,
                    retries=connection.retries,
                    fail_fast=fail_fast,
                    about_to_write=report_before_writing(output, inputs.settings),
                )
            document = _told(run, versions, output, recording=record_ and carried_out)
    return stopping.exit_code or int(unsettled(document))


def _told(run: Run, versions: Versions, output: OutputOptions, *, recording: bool) -> Report:
    """Report a run and record it; where the one cannot be done, the other still is."""
    run = dated(run, versions.history)
    try:
        return emit(run, output, sensitive=versions.inputs.settings.sensitive)
    finally:
        if recording:
            commit = record(run, versions.history, versions.inputs.folder)
            tell(f"Recorded as {commit[:12]}." if commit else "The record says so already.")


def _check_choice(saved: str | None, resume: str | None, *, chosen: bool) -> None:
    """Refuse two ways at once to say which assistants are meant. Raises UsageError."""
    if saved is not None and resume is not None:
        raise UsageError("--plan and --resume both say which assistants are meant", hint="give one of them")
    if chosen and (saved is not None or resume is not None):
        option = "--plan" if saved is not None else "--resume"
        raise UsageError(f"{option} says which assistants are meant", hint="leave out PATHS and --changed")


def _unclear(report: Report) -> Report:
    if not (report.traits.writes and report.traits.follows_git):
        raise UsageError(f"the report is of {report.command}", hint="give what `apply --report` wrote")
    return report
