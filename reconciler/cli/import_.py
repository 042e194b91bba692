"""`reconciler import`."""

import sys
from collections.abc import Iterable, Sequence

import click

from reconciler.adapters.definitions import Loaded, load
from reconciler.adapters.folders import repository_root
from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.options import ConnectionOptions, connection_options, directory_option
from reconciler.cli.streams import tell
from reconciler.core.paths import FieldPath, dotted
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, UsageError
from reconciler.reconcile.choices import DefinitionOptions
from reconciler.reconcile.import_ import Import, Importer
from reconciler.reconcile.inputs import read_settings
from reconciler.report.values import escape


@click.command("import")
@click.argument("ids", nargs=-1, metavar="ID...")
@directory_option
@connection_options
@click.option("--all", "everything", is_flag=True, help="Every assistant that the API lists.")
@click.option("--force", is_flag=True, help="Replace files that exist; never one whose id is asked for.")
def command(
    ids: tuple[str, ...], definitions: DefinitionOptions, connection: ConnectionOptions, everything: bool, force: bool
) -> int:
    """Write a definition file for each live assistant named by ID.

    `-` reads ids from stdin, one a line. The file is named after the assistant and holds every documented
    field that is not empty; what live holds besides is listed. A plan of the new file is empty.
    """
    if bool(ids) == everything:
        raise UsageError("which assistants are meant?", hint="name their ids, `-` for ids on stdin, or --all")
    settings = read_settings(definitions)
    if settings.environment is not None:
        raise UsageError(
            "import cannot write into an environment's overlay yet",
            hint="import with --api-url and without --environment, then move the id into the overlay",
        )
    with stoppable() as stopping, open_api(connection, settings, stopping) as api:
        importer = Importer(api, definitions.directory, settings, _existing(definitions, settings), force)
        wanted = importer.all_ids() if everything else _named(ids)
        if wanted is None:
            raise UsageError("this API does not list its assistants", hint="name their ids instead of --all")
        failed = False
        for assistant_id in wanted:
            if stopping():
                break
            done = importer.one(assistant_id)
            _show(done, refused=not everything)
            failed |= done.error is not None or (done.existing is not None and not everything)
    return stopping.exit_code or int(failed)


def _existing(definitions: DefinitionOptions, settings: Settings) -> Loaded | None:
    try:
        return load(definitions.directory, (), root=repository_root(definitions.directory), settings=settings)
    except DefinitionError:
        return None  # the first import makes the folder


def _named(ids: Sequence[str]) -> list[str]:
    """Return the ids in order, once each; those on stdin may have blank lines and comments between them."""
    lines = [line for name in ids for line in (_stdin() if name == "-" else [name])]
    named = (line.strip() for line in lines)
    return list(dict.fromkeys(name for name in named if name and not name.startswith("#")))


def _stdin() -> list[str]:
    return sys.stdin.read().splitlines() if sys.stdin is not None else []


def _show(done: Import, *, refused: bool) -> None:
    name = escape(done.assistant_id)
    if done.existing is not None:
        tell(f"{name}: already defined in {done.existing}", colour="red" if refused else None)
    if done.error is not None:
        tell(f"{name}: {escape(str(done.error))}", colour="red")
        if done.error.hint:
            tell(f"  {done.error.hint}")
    if done.file is None or done.declared is None:
        return
    click.echo(f"{done.file}: written for {name}")
    _left_out(done.declared.unknown, "not managed", "add it to extra_fields in reconciler.yaml to declare it")
    _left_out(done.declared.refused, "not managed", "a definition may not hold the value it has")
    _left_out(done.declared.hidden, "not written", "named under sensitive in reconciler.yaml")


def _left_out(paths: Iterable[FieldPath], what: str, why: str) -> None:
    for path in paths:
        click.echo(f"  {what}: {escape(dotted(path))}; {why}")
