"""`reconciler delete`."""

import dataclasses
import functools
import unicodedata
from pathlib import Path

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import RunOptions, directory_option, refuse_empty, run_options
from reconciler.cli.output import show_problems
from reconciler.cli.streams import eprint
from reconciler.cli.writing import TerminalSession, describe_api, open_session
from reconciler.core.run import Run
from reconciler.errors import UsageError
from reconciler.report.differences.values import escape, literal
from reconciler.report.formats.inert import cut
from reconciler.report.masking import mask_value
from reconciler.usecases.delete import delete
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import read_project

_LONGEST_VALUE = 100  # characters of each field that is shown


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
        choices, options, "look at the assistant, pass its name as --name", yes=yes, label="Deleting", confirm=ask
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
    """Return why the assistant may not be deleted: its name was not entered, or was wrong.

    Nobody types a name out of habit.
    """
    result = planned.results[0]
    live = result.live or {}
    # If the name is only blanks, pressing Enter would confirm it.
    name = str(live.get("name") or "").strip() or result.definition.key
    if entered is not None:
        shown = f", which is {name!r}" if mask_value(name, ("name",), planned.sensitive) == name else ""
        return None if _as_typed(entered) == _as_typed(name) else f"--name is not the assistant's name{shown}"
    if not session.stopping():
        eprint(f"{escape(result.definition.file)}: {escape(name)} ({escape(result.definition.id)}), as it is live:")
        for key, value in sorted(live.items()):
            masked = mask_value(value, (key,), planned.sensitive)
            eprint(f"  {escape(key)}: {cut(literal(masked), _LONGEST_VALUE)}")
        prompt = f"To delete it{describe_api(planned)}, type its name, {escape(name)}: "
        if _as_typed(session.ask(f"Deleting cannot be undone. {prompt}")) == _as_typed(name):
            return None
    return "the assistant's name was not entered"


def _as_typed(name: str) -> str:
    """Return a name as a keyboard writes it: decomposed letters and no-break spaces cannot be typed."""
    return " ".join(unicodedata.normalize("NFKC", name).split())
