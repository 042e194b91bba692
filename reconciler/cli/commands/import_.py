"""`reconciler import`."""

import dataclasses
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import click

from reconciler.assistant.paths import FieldPath, write_path
from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.help import declare_command
from reconciler.cli.options import ConnectionOptions, connection_options, directory_option
from reconciler.cli.output import tell_failures
from reconciler.cli.streams import tell
from reconciler.core.importing import warn_of_reordering
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.folders import repository_root
from reconciler.report.differences.values import escape, name_path
from reconciler.usecases.import_ import Import, Importer, NewFiles
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import drop_missing_overlay
from reconciler.usecases.project.reading import read_bare_project
from reconciler.yamltext.writer import write_inline


@declare_command(
    "import",
    ("reconciler import asst_123", "Write a definition for a live assistant"),
    ("reconciler import - < ids.txt", "Write one for each id in a list"),
)
@click.argument("ids", nargs=-1, metavar="ID...")
@directory_option
@connection_options
@click.option("--all", "everything", is_flag=True, help="Import every assistant that the API lists.")
@click.option(
    "--force",
    is_flag=True,
    help="Overwrite the file that already has the id (in an environment, its overlay); never another assistant's.",
)
@click.option("--text-files", is_flag=True, help="Write long texts into separate text files.")
def command(
    ids: tuple[str, ...],
    choices: Choices,
    connection: ConnectionOptions,
    everything: bool,
    force: bool,
    text_files: bool,
) -> int:
    """Write a definition file for each live assistant named by ID.

    `-` reads ids from stdin, one per line. The file is named after the assistant and contains every documented field
    that is not empty, except for values that _defaults.yaml already gives. Other live values are listed. A plan of
    the new file is empty.

    In an environment, the id goes into the overlay, together with everything that differs from an existing definition
    with the same name. The shared definition is not changed.
    """
    if ids and everything:
        raise UsageError("--all already selects every assistant", hint="pass either ids or --all")
    if not ids and not everything:
        raise UsageError("no assistants are selected", hint="pass their ids, `-` to read ids from stdin, or --all")
    named = _read_ids(ids)
    if ids and not named:
        raise UsageError("no id was given", hint="`-` reads ids from stdin, one per line")
    settings = read_bare_project(choices).settings
    loaded, shared = _load_existing(choices.directory, settings)
    with stoppable() as stopping, open_api(connection, settings, stopping) as api:
        importer = Importer(api, choices.directory, settings, loaded, force, shared, text_files)
        wanted = importer.list_ids() if everything else named
        if wanted is None:
            raise UsageError("this API does not list its assistants", hint="pass their ids instead of --all")
        # One after the other, each shown at once: an import of many takes its time, and any may be stopped.
        done: list[Import] = []
        for assistant_id in wanted:
            if stopping():
                break
            done.append(importer.import_one(assistant_id))
            _show(done[-1], refused=not everything)
    _list_unknown({path for one in done if one.written for path in one.written.declared.undocumented}, settings)
    failed = [(one.assistant_id, one.error) for one in done if one.error is not None]
    tell_failures((name, str(error), error.hint) for name, error in failed)
    # With --all, assistants that already have a definition are skipped. Naming one of them is an error.
    refused = not everything and any(one.existing is not None for one in done)
    return stopping.exit_code or int(bool(failed) or refused)


def _load_existing(folder: Path, settings: Settings) -> tuple[Loaded | None, Loaded | None]:
    """Return the existing definitions, and in an environment also all definitions without overlays."""
    root = repository_root(folder)
    # In an environment the ids are in overlays, and the definitions below them are needed without any.
    try:
        loaded = load(folder, (), root=root, settings=drop_missing_overlay(settings, folder))
    except DefinitionError:
        return None, None  # the first import makes the folder
    if settings.environment is None:
        return loaded, None
    bare = dataclasses.replace(settings, overlay=None)
    return loaded, load(folder, (), root=root, settings=bare, without_ids=True)


def _read_ids(ids: Sequence[str]) -> list[str]:
    """Return the ids in order, once each; those on stdin may have blank lines and comments between them."""
    given: list[str] = []
    for name in ids:
        try:
            # Some shells begin what they pipe with a byte order mark.
            piped = sys.stdin.buffer.read().decode("utf-8-sig") if name == "-" and sys.stdin is not None else ""
        except UnicodeDecodeError:
            raise UsageError("the ids on stdin are not UTF-8 text", hint="save the list as UTF-8") from None
        given += piped.splitlines() if name == "-" else [name]
    named = (line.strip() for line in given)
    return list(dict.fromkeys(name for name in named if name and not name.startswith("#")))


def _show(done: Import, *, refused: bool) -> None:
    name = escape(done.assistant_id)
    if done.existing is not None:
        tell(f"{name}: already defined in {done.existing}", colour="red" if refused else None)
    if done.written is not None:
        _show_written(done.written, name)


def _show_written(written: NewFiles, name: str) -> None:
    below, overlaid = escape(written.definition_file), written.overlaid
    for file in written.files[:-1]:
        click.echo(f"{file}: written without an id, for all environments")
    click.echo(f"{written.files[-1]}: written for {name}" + (f", merged on top of {below}" if below else ""))
    for file in written.texts:
        click.echo(f"{file}: a text file of {name}")
    left = [("differs from the defaults, but was", path, reason) for path, reason in written.omitted]
    left += [("differs, but was", path, reason) for path, reason in (overlaid.omitted if overlaid is not None else ())]
    if overlaid is None:
        _left_out(written.declared.rejected, "not managed", "its value is not allowed in a definition")
        _left_out(written.declared.hidden, "not written", "named under sensitive in reconciler.yaml")
    else:
        _left_out(overlaid.unmanaged, "not managed", f"{below} does not declare it")
    for what, path, reason in left:
        tell(f"  {what} not written: {name_path(path)}; {escape(reason)}", colour="yellow")
    for note in warn_of_reordering((), (overlaid or written.declared).fields):
        tell(f"  {escape(note)}", colour="yellow")


def _list_unknown(paths: Collection[FieldPath], settings: Settings) -> None:
    """Show once, as lines to paste, live fields that no definition may declare yet."""
    if not paths:
        return
    where = "under extra_fields in" if settings.extra_fields else "into"
    click.echo("not managed: fields that the API's reference does not list. To manage them as well, paste this")
    click.echo(f"{where} reconciler.yaml, and import again:")
    if not settings.extra_fields:
        click.echo("extra_fields:")
    for path in sorted(paths):
        click.echo(f"  - {escape(write_inline(write_path(path)))}")


def _left_out(paths: Iterable[FieldPath], what: str, why: str) -> None:
    for path in paths:
        click.echo(f"  {what}: {name_path(path)}; {why}")
