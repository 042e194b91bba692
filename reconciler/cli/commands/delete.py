"""`reconciler delete`."""

import dataclasses
import functools
from pathlib import Path

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import RunOptions, directory_option, refuse_empty, run_options
from reconciler.cli.output import show_problems
from reconciler.cli.streams import eprint
from reconciler.cli.writing import TerminalSession, open_session
from reconciler.core.run import Run
from reconciler.errors import UsageError
from reconciler.report.differences.values import escape
from reconciler.report.masking import mask_value
from reconciler.usecases.delete import delete
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import read_project


@declare_command(
    "delete",
    ("reconciler delete assistants/open-day.yaml", "Delete an assistant, and its file"),
    (
        "reconciler delete assistants/fair.yaml --yes --name Fair --report last.json",
        "Delete without asking; the report contains the whole assistant",
    ),
)
@click.argument("file", metavar="FILE", callback=refuse_empty)
@directory_option
@run_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; requires --name.")
@click.option("--name", metavar="NAME", help="The assistant's name, as confirmation.")
@click.option("--force-conflicts", is_flag=True, help="Delete even if it was edited live since it was applied.")
def command(
    file: str, choices: Choices, options: RunOptions, yes: bool, name: str | None, force_conflicts: bool
) -> int:
    """Delete the assistant of a definition, and the files that only it uses.

    Shows the live assistant and asks for its name. Nothing is deleted if it was edited live since it was applied. The
    request is sent once; if its outcome is unclear, the files stay. Otherwise the definition is deleted, unless
    another environment uses it, together with its overlay, the text files that only it uses, and its entry in the
    record. This cannot be undone, but the JSON report contains the whole assistant.
    """
    if yes and name is None:
        raise UsageError("delete --yes also needs the assistant's name", hint="pass --name NAME as well")
    if not yes and name is not None:
        raise UsageError("--name works only together with --yes", hint="pass --yes as well")
    # Read it as a folder with one file, so that keys, ids and overlays select it as in other commands.
    selection = dataclasses.replace(choices, paths=(Path(file),))
    ask = functools.partial(_confirm_name, entered=name)
    with open_session(
        choices, options, "look at the assistant, pass its name as --name", yes=yes, label="Deleting", confirm_with=ask
    ) as session:

        def read() -> Project:
            project = read_project(selection, or_head=True, without_rules=True, repository=session.lock[0])
            show_problems(project.loaded.problems, "error")
            return project

        _, remaining = delete(
            session.lock,
            read,
            session.start,
            force_conflicts=force_conflicts,
            on_removed=lambda path: eprint(f"Removed {escape(path)}."),
        )
    return session.exit_code or int(bool(remaining))


def _confirm_name(session: TerminalSession, planned: Run, *, entered: str | None) -> str | None:
    """Return why the assistant may not be deleted: its name was not entered, or was wrong."""
    live = planned.results[0].live or {}
    # If the name is only blanks, pressing Enter would confirm it.
    name = str(live.get("name") or "").strip() or planned.results[0].definition.key
    if entered is not None:
        shown = f", which is {name!r}" if mask_value(name, ("name",), planned.sensitive) == name else ""
        return None if entered.strip() == name.strip() else f"--name is not the assistant's name{shown}"
    typed = not session.stopping() and session.ask_for_name(planned, name)
    return None if typed else "the assistant's name was not entered"
