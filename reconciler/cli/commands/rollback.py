"""`reconciler rollback`."""

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import RunOptions, directory_option, run_options
from reconciler.cli.output import read_report
from reconciler.cli.writing import open_session
from reconciler.report.read_back import read_apply
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.reading import read_bare_project
from reconciler.usecases.rollback import rollback


@declare_command("rollback", ("reconciler rollback apply.json", "Undo what `reconciler apply --report apply.json` did"))
@click.argument("report", metavar="REPORT")
@directory_option
@run_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def command(report: str, choices: Choices, options: RunOptions, yes: bool) -> int:
    """Undo an apply, from its JSON report.

    Restores the old value of each field if the applied value is still live; otherwise the assistant is refused. The
    record keeps its entries, and the change is still in git: the report names the commit to revert.
    """
    # A rollback takes only this from the report. It sends these values, and does not trust the rest of the file.
    undone = read_apply(read_report(report))
    with open_session(choices, options, "read the report", yes=yes, label="Rolling back") as session:
        rollback(session.lock, lambda: read_bare_project(choices, repository=session.lock[0]), undone, session.start)
    return session.exit_code
