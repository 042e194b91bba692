"""`reconciler create`."""

import dataclasses
from pathlib import Path

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import RunOptions, directory_option, refuse_empty, run_options
from reconciler.cli.output import show_problems
from reconciler.cli.streams import eprint
from reconciler.cli.writing import open_session
from reconciler.errors import DefinitionError
from reconciler.files.definitions import load
from reconciler.git.record import NO_RECORD
from reconciler.git.repository import Repository
from reconciler.report.differences.values import escape
from reconciler.usecases.create import create_from_file
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import drop_missing_overlay, resolve_names
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import OFF, read_history


@declare_command("create", ("reconciler create assistants/open-day.yaml", "Create the assistant for a new file"))
@click.argument("file", metavar="FILE", callback=refuse_empty)
@directory_option
@run_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--force", is_flag=True, help="Create the assistant even if another definition has the same name.")
@click.option("--no-record", is_flag=True, help="Do not use the record; for a project that has none yet.")
def command(file: str, choices: Choices, options: RunOptions, yes: bool, force: bool, no_record: bool) -> int:
    """Create the assistant of a definition that says `id: new` or has no id.

    Shows what will be created, asks for confirmation, and sends one request that is never retried. The new id goes
    into the file (in an environment, into its overlay) and into the record if there is one. If the outcome is
    unclear, nothing is written, and the error says how to find out.
    """
    with open_session(choices, options, "look at the file", yes=yes, label="Creating") as session:
        run = create_from_file(
            session.lock,
            lambda: _read_project(choices, file, session.lock[0], no_record=no_record),
            session.start,
            recording=False if no_record else None,
            force=force,
        )
    created = run.results[0].definition
    # The report names the definition. In an environment, the id is in another file.
    if created.id and not created.says_new:
        eprint(f"Wrote the id {escape(created.id)} into {escape(created.id_file)}.")
    # An id that is neither in a file nor in a record is lost.
    return session.exit_code or int(created.says_new)


def _read_project(choices: Choices, file: str, repository: Repository, *, no_record: bool) -> Project:
    """Return the project with the selected definition. Raises DefinitionError."""
    project = read_history(dataclasses.replace(choices, base=OFF if no_record else None), repository=repository)
    settings = drop_missing_overlay(project.settings, project.folder)
    find_id = dataclasses.replace(project, record=NO_RECORD if no_record else project.record).find_created_id
    paths = resolve_names(dataclasses.replace(choices, paths=(Path(file),)), [settings], project.root).paths
    loaded = load(project.folder, paths, root=project.root, settings=settings, without_ids=True, find_id=find_id)
    if loaded.invalid or len(loaded.definitions) != 1:
        show_problems(loaded.problems)
        raise DefinitionError("create needs exactly one valid definition file; nothing was created", where=file)
    return dataclasses.replace(project, loaded=loaded)
