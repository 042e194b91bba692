"""`reconciler rollback`."""

import sys

import click

from reconciler.cli.connect import open_api, scope_for, stoppable
from reconciler.cli.consent import Consent
from reconciler.cli.exit_codes import unsettled
from reconciler.cli.options import (
    ConnectionOptions,
    OutputOptions,
    connection_options,
    directory_option,
    output_options,
)
from reconciler.cli.output import emit
from reconciler.cli.reports import check_place, read_report, report_before_writing
from reconciler.cli.streams import is_terminal
from reconciler.core.plan import Policy
from reconciler.errors import UsageError
from reconciler.files.definitions import Loaded
from reconciler.files.folders import repository_root
from reconciler.git.lock import writing_alone
from reconciler.git.repository import Git
from reconciler.report.read_back import applied_fields
from reconciler.usecases.apply import apply, skip_all
from reconciler.usecases.base import History
from reconciler.usecases.choices import DefinitionOptions
from reconciler.usecases.inputs import Inputs, read_settings
from reconciler.usecases.rollback import plan_rollback, rollback_scope, with_revert
from reconciler.usecases.versions import Versions


@click.command("rollback")
@click.argument("report", metavar="REPORT")
@directory_option
@connection_options
@output_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    report: str, definitions: DefinitionOptions, connection: ConnectionOptions, output: OutputOptions, yes: bool
) -> int:
    """Undo what an apply's JSON report says was applied.

    Each field goes back to its old value if it still has the one that was applied; otherwise the assistant
    is refused. The applied record does not move, and git still says otherwise: the report names the commit
    to revert.
    """
    if not yes and not is_terminal(sys.stdin):
        raise UsageError("rollback writes, and there is no terminal to ask at", hint="read the report, then give --yes")
    document = read_report(report)
    if not document.traits.writes:
        raise UsageError(f"the report is of {document.command}", hint="give what `apply --report` wrote")
    applied = applied_fields(document)
    settings = read_settings(definitions)
    git = Git.at(repository_root(definitions.directory))
    history = History(git, git.resolve("HEAD") if git else None)
    versions = Versions(Inputs(definitions.directory, settings, Loaded((), (), (), whole=False)), history)
    policy = Policy(always_send=settings.always_send)
    with writing_alone(git, settings.environment), stoppable() as stopping:
        with (
            open_api(connection, settings, stopping) as api,
            scope_for(versions, connection, policy, stopping, "Rolling back") as scope,
        ):
            check_place(document, settings, api.url)
            undoing = rollback_scope(scope, applied)
            planned = plan_rollback(api, undoing, applied)
            reason = Consent(settings, stopping, yes, settings.max_changes).objection(planned)
            if reason is None:
                early = report_before_writing(output, settings)
                run = apply(api, undoing, planned, retries=connection.retries, command="rollback", about_to_write=early)
            else:
                run = skip_all(undoing, planned, because=reason, command="rollback")
        if document.traits.follows_git:
            run = with_revert(run, applied, document.head, git)
        result = emit(run, output, sensitive=settings.sensitive)
        return stopping.exit_code or int(unsettled(result))
