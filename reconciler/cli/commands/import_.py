"""`reconciler import`."""

import dataclasses
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import click

from reconciler.assistant.paths import FieldPath, dotted, write_path
from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.connection_options import ConnectionOptions, connection_options
from reconciler.cli.help import declare_command
from reconciler.cli.options import directory_option
from reconciler.cli.streams import tell
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.folders import repository_root
from reconciler.report.differences.values import escape
from reconciler.usecases.import_ import Import, Importer, Written
from reconciler.usecases.project.choices import DefinitionOptions
from reconciler.usecases.project.environments import with_overlays_to_come
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
    definitions: DefinitionOptions,
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
    with the same name. The definition itself is shared and left as it is.
    """
    if bool(ids) == everything:
        raise UsageError("no assistants are selected", hint="pass their ids, `-` to read ids from stdin, or --all")
    named = _named(ids)
    if ids and not named:
        raise UsageError("no id was given", hint="`-` reads ids from stdin, one per line")
    settings = read_bare_project(definitions).settings
    loaded, shared = _existing(definitions.directory, settings)
    with stoppable() as stopping, open_api(connection, settings, stopping) as api:
        importer = Importer(api, definitions.directory, settings, loaded, force, shared, text_files)
        wanted = importer.all_ids() if everything else named
        if wanted is None:
            raise UsageError("this API does not list its assistants", hint="pass their ids instead of --all")
        failed = False
        errors: dict[tuple[str, str], list[str]] = {}
        unknown: set[FieldPath] = set()
        for assistant_id in wanted:
            if stopping():
                break
            done = importer.one(assistant_id)
            _show(done, refused=not everything)
            failed |= done.error is not None or (done.existing is not None and not everything)
            if done.written is not None:
                unknown.update(done.written.declared.unknown)
            if done.error is not None:
                errors.setdefault((str(done.error), done.error.hint), []).append(escape(assistant_id))
    _list_unknown(unknown, settings)
    for (message, hint), names in errors.items():
        _show_error(message, hint, names)
    return stopping.exit_code or int(failed)


def _existing(folder: Path, settings: Settings) -> tuple[Loaded | None, Loaded | None]:
    """Return the existing definitions, and in an environment also all definitions without overlays.

    Both are None if there is no folder yet.
    """
    root = repository_root(folder)
    bare = dataclasses.replace(settings, overlay=None)
    try:
        loaded = load(folder, (), root=root, settings=with_overlays_to_come(settings, folder))
    except DefinitionError:
        return None, None  # the first import makes the folder
    if settings.environment is None:
        return loaded, None
    return loaded, load(folder, (), root=root, settings=bare, without_ids=True)


def _named(ids: Sequence[str]) -> list[str]:
    """Return the ids in order, once each; those on stdin may have blank lines and comments between them."""
    lines = [line for name in ids for line in (_stdin() if name == "-" else [name])]
    named = (line.strip() for line in lines)
    return list(dict.fromkeys(name for name in named if name and not name.startswith("#")))


def _stdin() -> list[str]:
    """Return the lines of stdin, without the byte order mark that some shells begin it with."""
    if sys.stdin is None:
        return []
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError("the ids on stdin are not UTF-8 text", hint="save the list as UTF-8") from None


def _show(done: Import, *, refused: bool) -> None:
    name = escape(done.assistant_id)
    if done.existing is not None:
        tell(f"{name}: already defined in {done.existing}", colour="red" if refused else None)
    if done.written is not None:
        _show_written(done.written, name)


def _show_error(message: str, hint: str, names: Sequence[str]) -> None:
    """Show an error once for all ids that it concerns: a wrong password is one message."""
    if len(names) == 1:
        tell(f"{names[0]}: {escape(message)}", colour="red")
    else:
        tell(f"{len(names)} assistants: {escape(message)}", colour="red")
    if hint:
        tell(f"  {hint}")
    for name in names if len(names) > 1 else ():
        tell(f"  {name}")


def _show_written(written: Written, name: str) -> None:
    below, overlaid = escape(written.laid_over), written.overlaid
    for file in written.files[:-1]:
        click.echo(f"{file}: written without an id, for all environments")
    click.echo(f"{written.files[-1]}: written for {name}" + (f", merged on top of {below}" if below else ""))
    for file in written.texts:
        click.echo(f"{file}: a text file of {name}")
    for path, reason in written.left:
        tell(
            f"  differs from the defaults, but was not written: {escape(dotted(path))}; {escape(reason)}",
            colour="yellow",
        )
    if overlaid is None:
        _left_out(written.declared.refused, "not managed", "its value is not allowed in a definition")
        _left_out(written.declared.hidden, "not written", "named under sensitive in reconciler.yaml")
        return
    _left_out(overlaid.unmanaged, "not managed", f"{below} does not declare it")
    for path, reason in overlaid.left:
        tell(f"  differs, but was not written: {escape(dotted(path))}; {escape(reason)}", colour="yellow")


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
        click.echo(f"  {what}: {escape(dotted(path))}; {why}")
