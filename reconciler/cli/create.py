"""`reconciler create`."""

from pathlib import Path

import click

from reconciler.assistant.paths import dotted
from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.help import Command
from reconciler.cli.options import ConnectionOptions, connection_options, directory_option
from reconciler.cli.output import tell_problems
from reconciler.cli.streams import tell
from reconciler.errors import DefinitionError
from reconciler.files.definitions import load
from reconciler.git.lock import writing_alone
from reconciler.report.values import escape
from reconciler.usecases.choices import DefinitionOptions
from reconciler.usecases.create import Creator, check_new
from reconciler.usecases.environments import with_overlays_to_come
from reconciler.usecases.reading import read_bare_project


@click.command(
    "create",
    cls=Command,
    examples=[
        ("reconciler create assistants/open-day.yaml", "Create the assistant that a new file describes"),
    ],
)
@click.argument("file", metavar="FILE")
@directory_option
@connection_options
@click.option("--force", is_flag=True, help="Even if another definition has the same name.")
def command(file: str, definitions: DefinitionOptions, connection: ConnectionOptions, force: bool) -> int:
    """Create an assistant from a definition without an id, and write its new id into the file.

    The request is sent once. If its outcome is unclear, nothing is written, and the error says how to find
    out. With an environment the id goes into its overlay.
    """
    project = read_bare_project(definitions)
    settings, root, folder = project.settings, project.root, project.folder
    readable = with_overlays_to_come(settings, folder)
    everything = load(folder, (), root=root, settings=readable, without_ids=True)
    loaded = load(folder, (Path(file),), root=root, settings=readable, without_ids=True)
    if loaded.invalid or len(loaded.definitions) != 1:
        tell_problems(loaded.problems)
        raise DefinitionError("one valid definition file is needed, and nothing was created", where=file)
    definition = loaded.definitions[0]
    check_new(definition, everything.definitions, force=force)
    with (
        writing_alone(project.repository, settings.environment),
        stoppable() as stopping,
        open_api(connection, settings, stopping) as api,
    ):
        created = Creator(api, root, folder, settings).create(definition, everything.definitions, force=force)
    click.echo(f"{escape(created.file)}: created {escape(created.id)}")
    for path in created.remaining:
        tell(f"  live does not show {escape(dotted(path))} as declared: run `reconciler plan`", colour="red")
    return stopping.exit_code or int(bool(created.remaining))
