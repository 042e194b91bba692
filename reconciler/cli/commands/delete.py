"""`reconciler delete`."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from reconciler.cli.connect import Stopping, stoppable
from reconciler.cli.connection_options import ConnectionOptions, connection_options
from reconciler.cli.consent import Consent
from reconciler.cli.help import Command
from reconciler.cli.options import OutputOptions, directory_option, output_options
from reconciler.cli.streams import is_terminal, tell
from reconciler.cli.writing import TerminalSession
from reconciler.core.run import Run
from reconciler.core.settings import Settings
from reconciler.errors import UsageError
from reconciler.files.folders import repository_root
from reconciler.git.repository import open_repository
from reconciler.report.differences.values import escape
from reconciler.usecases.delete import delete
from reconciler.usecases.project.choices import DefinitionOptions, HistoryOptions
from reconciler.usecases.project.environments import read_settings
from reconciler.usecases.project.reading import read_project


@click.command(
    "delete",
    cls=Command,
    examples=[
        ("reconciler delete assistants/open-day.yaml", "Delete an assistant, and its file"),
        (
            'reconciler delete assistants/open-day.yaml --yes --name "Open Day" --report last.json',
            "Delete without asking; the report contains the whole assistant",
        ),
    ],
)
@click.argument("file", metavar="FILE")
@directory_option
@connection_options
@output_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; requires --name.")
@click.option("--name", metavar="NAME", help="The assistant's name, as confirmation.")
@click.option("--force-conflicts", is_flag=True, help="Delete even if it was edited live since it was applied.")
def command(
    file: str,
    definitions: DefinitionOptions,
    connection: ConnectionOptions,
    output: OutputOptions,
    yes: bool,
    name: str | None,
    force_conflicts: bool,
) -> int:
    """Delete the assistant of a definition, and the files that only it uses.

    Shows the live assistant and asks for its name. Nothing is deleted if it was edited live since it was applied. The
    request is sent once; if its outcome is unclear, the files stay. Otherwise the definition is deleted, unless
    another environment uses it, together with its overlay, the text files that only it uses, and its entry in the
    record. This cannot be undone, but the JSON report contains the whole assistant.
    """
    if yes and name is None:
        raise UsageError("delete --yes needs the assistant's name, as a second look", hint="give --name NAME, too")
    if not yes and name is not None:
        raise UsageError("--name answers the question that --yes leaves out", hint="give --yes, too")
    if not yes and not is_terminal(sys.stdin):
        raise UsageError("delete asks, and there is no terminal to ask at", hint="give --yes --name NAME")
    chosen = DefinitionOptions(definitions.directory, (Path(file),), definitions.environment)
    repository = open_repository(repository_root(definitions.directory))
    environment = read_settings(definitions).environment
    with stoppable() as stopping:
        session = TerminalSession(
            connection=connection, output=output, stopping=stopping, yes=yes, label="Deleting", ask=_ask(stopping, name)
        )
        _, left = delete(
            (repository, environment),
            lambda: read_project(chosen, HistoryOptions(), or_head=True, repository=repository),
            session.start,
            force_conflicts=force_conflicts,
            removed=lambda gone: tell(f"Removed {escape(gone)}."),
        )
    return session.exit_code or int(bool(left))


def _ask(stopping: Stopping, given: str | None) -> Callable[[Settings], Callable[[Run], str | None]]:
    """Return what asks for the name of the assistant that is to be deleted, or compares it with the one given."""

    def with_settings(settings: Settings) -> Callable[[Run], str | None]:
        def ask(planned: Run) -> str | None:
            live = planned.results[0].live or {}
            name = str(live.get("name") or planned.results[0].definition.key)
            if given is not None:
                shown = name if settings.may_show(("name",)) else "another one"
                return None if given.strip() == name.strip() else f"--name is not the assistant's name, {shown!r}"
            typed = not stopping() and Consent(settings, stopping, yes=False).ask_for_name(planned, name)
            return None if typed else "nobody typed the assistant's name"

        return ask

    return with_settings
