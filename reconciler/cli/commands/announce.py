"""`reconciler announce`."""

import click

from reconciler.cli.help import Command
from reconciler.cli.options import definition_options
from reconciler.cli.output import tell_errors
from reconciler.cli.streams import tell
from reconciler.files.folders import repository_root
from reconciler.git.lock import writing_alone
from reconciler.git.record import applied_ref
from reconciler.git.repository import open_repository
from reconciler.report.differences.values import escape
from reconciler.usecases.project.choices import DefinitionOptions, HistoryOptions
from reconciler.usecases.project.environments import read_settings
from reconciler.usecases.project.new_assistants import announce_for, withdraw
from reconciler.usecases.project.reading import read_project
from reconciler.usecases.writing.recordable import check_order, check_recordable


@click.command(
    "announce",
    cls=Command,
    examples=[
        ("reconciler announce --token 1234-1", "Announce what the job that comes next is to create"),
        ("reconciler announce --token 1234-1 --withdraw", "Take that back, since the job never began"),
    ],
)
@definition_options
@click.option("--token", required=True, metavar="TOKEN", help="What `apply --create --announced TOKEN` will give.")
@click.option("--withdraw", "takes_back", is_flag=True, help="Take back what was announced: nothing of it was sent.")
def command(definitions: DefinitionOptions, token: str, takes_back: bool) -> int:
    """Write into the record which assistants an apply is about to create. Sends nothing.

    For a pipeline whose apply cannot push: it pushes the announcement first. If the record of that apply is lost, later
    runs find the announcement, and create nothing from these files before somebody has looked. PATHS are definitions
    of which you know that their assistants are not there; without them, those that no earlier run may have created.
    """
    repository = open_repository(repository_root(definitions.directory))
    environment = read_settings(definitions).environment
    with writing_alone(repository, environment):
        if takes_back and repository is not None:
            for file in withdraw(repository, applied_ref(environment), token):
                click.echo(f"not to be created: {escape(file)}")
            return 0
        project = read_project(definitions, HistoryOptions(), repository=repository)
        tell_errors(project.loaded.problems)
        check_order(project)
        if project.record is not None:
            check_recordable(project, None)
        files = announce_for(project, token)
    for file in files:
        click.echo(f"to create: {escape(file)}")
    if not files:
        tell("Nothing is to be created.")
    return 0
