"""`reconciler history`."""

import dataclasses
import json
from collections.abc import Collection

import click

from reconciler.cli.options import Count, directory_option, format_option
from reconciler.cli.streams import for_runner, tell
from reconciler.errors import RepositoryError
from reconciler.git.record import Record, Unclear, records
from reconciler.report.values import escape
from reconciler.usecases.choices import DefinitionOptions
from reconciler.usecases.reading import read_bare_project
from reconciler.usecases.recording import find_undefined


@click.command("history")
@directory_option
@click.option("--limit", type=Count(min=1), default=20, show_default=True, metavar="N", help="At most so many.")
@format_option(("text", "json"))
def command(definitions: DefinitionOptions, limit: int, format_: str) -> int:
    """List the applied records, the newest first: when, which commit, what was written, what failed."""
    project = read_bare_project(definitions)
    if project.repository is None:
        raise RepositoryError("there is no git repository here", hint="run this inside the repository")
    ref = project.ref
    found = list(records(project.repository, ref, most=limit))
    if format_ == "json":
        click.echo(json.dumps([dataclasses.asdict(record) for record in found], indent=2, ensure_ascii=True))
        return 0
    if not found:
        tell(f"Nothing is recorded in {ref}.")
        tell("  `reconciler apply --record` records; git fetch brings what others recorded.")
        if definitions.environment is None and (known := sorted(project.settings.environments)):
            tell(f"  Each environment has a record of its own: give --environment NAME ({', '.join(known)}).")
    lost = find_undefined(project, found[0]) if found else ()
    for record in found:
        _show(record, lost if record is found[0] else ())
    return 0


def _show(record: Record, lost: Collection[Unclear]) -> None:
    subject, *lines = record.message.splitlines()
    click.echo(f"{record.date}  {record.applied[:12]}  {escape(subject)}")
    for line in lines:
        if line and not line.startswith("Reconciler-"):
            click.echo(for_runner(f"  {escape(line)}"))
    for unclear in record.unclear:
        gone = ": its definition is gone; an apply sends it again once it is back" if unclear in lost else ""
        click.echo(f"  not settled: {escape(unclear.file)} ({escape(unclear.id)}){gone}")
