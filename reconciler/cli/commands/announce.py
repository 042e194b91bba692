"""`reconciler announce`."""

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import definition_options, refuse_empty
from reconciler.cli.output import show_problems
from reconciler.cli.streams import echo, eprint
from reconciler.files.folders import repository_root
from reconciler.git.lock import hold_lock
from reconciler.git.record import applied_ref
from reconciler.git.repository import Repository
from reconciler.report.differences.values import escape
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_settings
from reconciler.usecases.project.new_assistants import announce_for, withdraw
from reconciler.usecases.project.reading import read_project
from reconciler.usecases.writing.recordable import check_order, check_recordable


@declare_command(
    "announce",
    ("reconciler announce --token 1234-1", "Announce what the next job will create"),
    ("reconciler announce --token 1234-1 --withdraw", "Withdraw the announcement if the job never started"),
)
@definition_options
@click.option(
    "--token",
    required=True,
    metavar="TOKEN",
    callback=refuse_empty,
    help="Any token; pass it to `apply --announced` as well.",
)
@click.option(
    "--withdraw", "is_withdrawal", is_flag=True, help="Withdraw the announcement, because nothing was created."
)
@click.option("--allow-older", is_flag=True, help="Announce even if a newer commit was applied before.")
def command(choices: Choices, token: str, is_withdrawal: bool, allow_older: bool) -> int:
    """Record which assistants an apply is about to create. Sends nothing.

    Use this in a pipeline whose apply cannot push the record: the pipeline pushes the announcement first. If the
    record of the apply is lost, later runs find the announcement and create nothing from these files until somebody
    has checked. Pass PATHS only for definitions whose assistants you know do not exist. Without PATHS, it announces
    the new definitions from which no earlier run may have created an assistant.
    """
    repository = Repository(repository_root(choices.directory))
    environment = read_settings(choices).environment
    # An apply in this clone also reads and replaces the record.
    with hold_lock(repository, environment):
        # First, because it must be possible to withdraw even if nothing else of the project can be read.
        if is_withdrawal and repository.exists:
            for file in withdraw(repository, applied_ref(environment), token):
                echo(f"no longer announced: {escape(file)}")
            return 0
        project = read_project(choices, repository=repository)
        show_problems(project.loaded.problems, "error")
        if not allow_older:
            check_order(project)
        if project.record.commit:
            check_recordable(project)
        files = announce_for(project, token)
    for file in files:
        echo(f"to create: {escape(file)}")
    if not files:
        eprint("There is nothing to create.")
    return 0
