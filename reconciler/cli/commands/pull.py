"""`reconciler pull`."""

import re

import click

from reconciler.assistant.fields import UNORDERED
from reconciler.cli.connect import connect, stoppable
from reconciler.cli.help import Command, declare_command
from reconciler.cli.options import ConnectionOptions, connection_options, project_options
from reconciler.cli.output import show_failures, show_problems
from reconciler.cli.streams import disarm_text, echo, eprint
from reconciler.core.definition import Layer
from reconciler.core.plan import Plan
from reconciler.core.run import Failure, Result
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING
from reconciler.errors import ReconcilerError
from reconciler.files.source_lines import hide_lines
from reconciler.report.differences.parts import split_difference
from reconciler.report.differences.sentences import show_parts
from reconciler.report.differences.values import SENSITIVE, escape, name_path
from reconciler.report.formats.text import show_fields
from reconciler.usecases.plan import drift
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.reading import read_project
from reconciler.usecases.pull import Pulled, Puller
from reconciler.usecases.pull_values import Conflicts
from reconciler.yamltext.edit import diff_lines
from reconciler.yamltext.nodes import find_places

_HIDDEN = re.compile("\0.*")


class _Pull(Command):
    """A command whose `--conflicts` may have no value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give `--conflicts` its default value."""
        # If the option had an optional value, click would take the path after it as the value.
        end = args.index("--") if "--" in args else len(args)
        options = ["--conflicts=merge" if arg == "--conflicts" else arg for arg in args[:end]]
        return super().parse_args(ctx, options + args[end:])


@declare_command(
    "pull",
    ("reconciler pull --check", "Show what pull would write"),
    ("reconciler pull assistants/enrollment.yaml", "Write the live edits of one assistant into its file"),
    ("reconciler pull --ids", "Write the ids of new assistants, offline"),
    ("reconciler pull --conflicts", "Merge fields that git and the dashboard both changed"),
    cls=_Pull,
)
@project_options
@connection_options
@click.option(
    "--conflicts",
    type=click.Choice(["merge", "live"]),
    help="Also write fields that both git and live changed. Texts with several lines are merged line by line. If the "
    "edits overlap, the text is left alone; --conflicts=live takes the live text. Other fields take the live value.",
)
@click.option("--ids", is_flag=True, help="Write only ids: replace `id: new` with the recorded id. Needs no API.")
@click.option("--check", is_flag=True, help="Show what would be written, and exit with 2 if there is anything.")
def command(
    choices: Choices, connection: ConnectionOptions, conflicts: Conflicts | None, ids: bool, check: bool
) -> int:
    """Write live edits back into the definitions.

    Changes only the lines of the fields that drifted, not comments, order or style. In an environment, the values go
    into its overlay. PATHS are definition files, folders, keys or ids. Without them, the whole folder is pulled.
    """
    # What somebody typed live may be what brings a definition back into the team's rules.
    project = read_project(choices, or_head=True, without_rules=True)
    show_problems(project.loaded.problems, "error")
    for note in project.notes:
        eprint(note)
    # With --ids, live is not read, so there are no differences.
    results = tuple(Result(entry, plan=Plan()) for entry in project.loaded.definitions)
    with stoppable() as stopping:
        if not ids:
            with connect(connection, project.settings, stopping, "Reading") as (api, control):
                results = drift(api, project, control).results
        # A signal must not end this between two files.
        puller = Puller(project, conflicts)
        pulls = puller.pull(results)
        successes = [_write_and_show(pulled, puller, check=check) for pulled in pulls]
    unread = [result for result in results if result.plan is None]
    # The problems of an invalid file are already shown.
    reported_files = {entry.file for entry in project.loaded.invalid}
    unreported = (entry for entry in unread if entry.definition.file not in reported_files)
    errors = ((entry.definition.file, entry.error or Failure("network", "not read")) for entry in unreported)
    show_failures((file, error.message, error.hint) for file, error in errors)
    # Warnings come after what was pulled.
    show_problems(project.loaded.problems, "warning")
    is_unread = bool(unread) or (ids and bool(project.loaded.invalid))
    if not pulls and not is_unread:
        # A request with ids may be opened right after: those that `apply --create` has written into this checkout.
        eprint("All recorded ids are in their files." if ids else "Nothing to pull.")
    has_failures = any(entry.fails for pulled in pulls for entry in pulled.skipped)
    failed = is_unread or not all(successes) or has_failures
    return stopping.choose_exit_code(failed=failed, differs=check and any(pulled.differs for pulled in pulls))


def _write_and_show(pulled: Pulled, puller: Puller, *, check: bool) -> bool:
    """Write one file and show it; a file that cannot be written does not stop the others."""
    try:
        if not check and pulled.differs:
            puller.write(pulled)
    except ReconcilerError as error:
        show_failures([(pulled.file, error.message, error.hint)])
        return False
    file = escape(pulled.file)
    if check and pulled.differs:
        settings = puller.project.settings
        before, after = (_mark_sensitive(pulled.file, text, settings) for text in (pulled.before, pulled.after))
        lines = _HIDDEN.sub(SENSITIVE, diff_lines(before, after, pulled.file)).splitlines()
        click.echo(disarm_text("".join(f"{escape(line)}\n" for line in lines)), nl=False)
    elif pulled.differs:
        echo(f"{file}: {', '.join(map(name_path, pulled.fields))}")
    for note in pulled.notes:
        eprint(f"{file}: {escape(note)}")
    for change in pulled.overwritten:
        name = name_path(change.path)
        eprint(f"{file}: {name}: the live value replaces git's change:")
        old, new = (None if value is MISSING else value for value in (change.base, change.desired))
        parts = split_difference(old, new, unordered=change.path in UNORDERED)
        for line in show_fields(show_parts(name, parts, ("", "->"))):
            eprint(line)
    for field in pulled.skipped:
        reason = f"not pulled: {name_path(field.path)}: {escape(field.reason)}"
        eprint(f"{file}: {reason}", colour="red" if field.fails else "yellow")
    return True


def _mark_sensitive(file: str, text: str, settings: Settings) -> str:
    """Return a file's text with a NUL before each line that may contain a sensitive value. No YAML contains a NUL."""
    # The line is marked, not replaced, so that it still differs. Sensitive values are never pulled into text files.
    if not file.endswith((".yaml", ".yml")):
        return text
    layer = Layer(file=file, text=text, fields={}, find_places=find_places)
    return "\n".join(hide_lines(layer, settings, lambda line: f"\0{line}" if line else ""))
