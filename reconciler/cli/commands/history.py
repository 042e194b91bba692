"""`reconciler history`."""

import dataclasses
import json
import re
from collections.abc import Collection
from typing import Any

import click

from reconciler.assistant.paths import to_pointer
from reconciler.assistant.plain_words import list_some
from reconciler.cli.help import declare_command
from reconciler.cli.options import Count, directory_option, format_option
from reconciler.cli.streams import echo, eprint
from reconciler.errors import RepositoryError
from reconciler.git.record import FETCH, Unclear
from reconciler.report.differences.values import escape, name_path
from reconciler.usecases.history import HistoryEntry, list_applied
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.reading import read_bare_project
from reconciler.usecases.writing.unclear import find_undefined

_ASSISTANT = re.compile(r"([a-z_]+)(: (.+) \(.*\))")
_MOST_NAMED = 8


@declare_command("history", ("reconciler history --limit 5", "Show the last five applies"))
@directory_option
@click.option("--limit", type=Count(min=1), default=20, show_default=True, metavar="N", help="Show at most N records.")
@format_option(("text", "json"))
def command(choices: Choices, limit: int, form: str) -> int:
    """List what was applied, newest first.

    Each entry shows the time, the commit that was applied with its subject and author, the totals, and all
    assistants except the unchanged ones, with the fields that git changed since the entry before.
    """
    project = read_bare_project(choices)
    if not project.repository.exists:
        raise RepositoryError("there is no git repository here", hint="run this inside the repository")
    ref = project.ref
    # All are read before the first is shown, so that an unreadable history is an error, not half an answer.
    applies = list(list_applied(project.repository, ref, limit=limit, settings=project.settings))
    if form == "json":
        click.echo(json.dumps(list(map(_to_json, applies)), indent=2, ensure_ascii=True))
        return 0
    if not applies:
        eprint(f"Nothing is recorded in {ref}.")
        eprint(f"  {project.write_command('apply', '--record')} starts a record. To fetch what others recorded:")
        eprint(f"  {FETCH}")
    # A record from before there were environments is still there, and must not pass for theirs.
    if choices.environment is None and (names := sorted(project.settings.environments)):
        eprint(f"Each environment has its own record: pass --environment NAME ({', '.join(names)}).")
    for number, applied in enumerate(applies):
        # The newest record repeats what is still unclear from older ones.
        _show_applied(applied, find_undefined(project, applied.record) if number == 0 else ())
    return 0


def _to_json(applied: HistoryEntry) -> dict[str, Any]:
    changed = {file: list(map(to_pointer, paths)) for file, paths in applied.fields.items()}
    extra = {"author": applied.author, "subject": applied.subject, "changed": changed, "reverts": list(applied.reverts)}
    record = dataclasses.asdict(applied.record)
    del record["outdated"]  # a run knows this without reading the entries; `changed` shows what is in them
    return {**record, **extra}


def _show_applied(applied: HistoryEntry, undefined: Collection[Unclear]) -> None:
    record = applied.record
    totals, *lines = record.message.splitlines()
    echo(f"{record.date}  {record.applied[:12]}  {escape(totals)}")
    if applied.subject is not None:
        echo(f"  {escape(applied.subject)} ({escape(applied.author or '')})")
    for commit in applied.reverts:
        echo(f"  reverts {commit[:12]}")
    for line in lines:
        if line and not line.startswith("Reconciler-"):
            # `not_converged: FILE (ID)`, and the fields that changed in this assistant.
            match = _ASSISTANT.fullmatch(line)
            text = match[1].replace("_", " ") + match[2] if match else line
            echo(f"  {escape(text)}")
            if match and (paths := applied.fields.get(match[3])):
                echo(f"    {list_some([*map(name_path, paths)], _MOST_NAMED)}")
    for write in record.unclear:
        note = ": its definition was removed; if it is restored, an apply sends it again" if write in undefined else ""
        subject = "it may have been created" if write.is_creation else escape(write.id)
        echo(f"  unclear: {escape(write.file)} ({subject}){note}")
