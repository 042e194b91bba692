"""`reconciler import`."""

import sys
from collections.abc import Collection, Iterable, Sequence

import click

from reconciler.assistant.paths import FieldPath, write_path
from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.help import declare_command
from reconciler.cli.options import ConnectionOptions, connection_options, directory_option
from reconciler.cli.output import show_failures
from reconciler.cli.streams import echo, eprint
from reconciler.core.importing import warn_of_reordering
from reconciler.core.settings import Settings
from reconciler.errors import UsageError
from reconciler.report.differences.values import escape, name_path
from reconciler.usecases.import_ import Import, Importer
from reconciler.usecases.project.choices import Choices
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
    given_ids = _read_ids(ids)
    if ids and not given_ids:
        raise UsageError("no id was given", hint="`-` reads ids from stdin, one per line")
    # An assistant whose definition is hidden would get a second one.
    project = read_bare_project(choices, whole=True)
    settings = project.settings
    with stoppable() as stopping, open_api(connection, settings, stopping) as api:
        importer = Importer(api, choices.directory, settings, force, text_files)
        assistant_ids = importer.list_ids() if everything else given_ids
        if assistant_ids is None:
            raise UsageError("this API does not list all of its assistants", hint="pass their ids instead of --all")
        if not assistant_ids:
            eprint("the API has no assistants")
        # One after the other, and each is shown immediately: many take a while, and the user may stop in between.
        results: list[Import] = []
        for assistant_id in assistant_ids:
            if stopping():
                break
            results.append(importer.import_one(assistant_id))
            _show_result(results[-1], refused=not everything)
    _list_unknown({path for result in results for path in result.declared.undocumented}, settings)
    failures = [(result.assistant_id, result.error) for result in results if result.error is not None]
    show_failures((name, str(error), error.hint) for name, error in failures)
    # With --all, assistants that already have a definition are skipped. Naming one of them is an error.
    is_refused = not everything and any(result.existing is not None for result in results)
    return stopping.choose_exit_code(failed=bool(failures) or is_refused)


def _read_ids(ids: Sequence[str]) -> list[str]:
    """Return the ids in order, without repeats. Stdin may also contain blank lines and comments."""
    lines: list[str] = []
    for name in ids:
        try:
            # Some shells put a byte order mark before piped text.
            text = sys.stdin.buffer.read().decode("utf-8-sig") if name == "-" and sys.stdin is not None else ""
        except UnicodeDecodeError:
            raise UsageError("the ids on stdin are not UTF-8 text", hint="save the list as UTF-8") from None
        lines += text.splitlines() if name == "-" else [name]
    candidates = (line.strip() for line in lines)
    return list(dict.fromkeys(name for name in candidates if name and not name.startswith("#")))


def _show_result(result: Import, *, refused: bool) -> None:
    name = escape(result.assistant_id)
    if result.existing is not None:
        eprint(f"{name}: already defined in {result.existing}", colour="red" if refused else None)
    if not result.files:
        return
    below, overlaid, id_file = escape(result.definition_file), result.overlaid, result.files[-1]
    for file in result.files[:-1]:
        echo(f"{file}: written without an id, for all environments")
    echo(f"{id_file}: written for {name}" + (f", merged on top of {below}" if below else ""))
    for file in result.texts:
        echo(f"{file}: a text file of {name}")
    if below:
        _list_omitted(overlaid.unmanaged, "not managed", f"{below} does not declare it")
    else:
        _list_omitted(result.declared.rejected, "not managed", "its value is not allowed in a definition")
        _list_omitted(result.declared.hidden, "not written", "listed under sensitive in reconciler.yaml")
    # Include the file's name, because stderr may go somewhere else than stdout.
    intro = "differs, but was not written" if below else "differs from the defaults, but was not written"
    for path, reason in overlaid.omitted:
        eprint(f"{id_file}: {intro}: {name_path(path)}; {escape(reason)}", colour="yellow")
    for note in warn_of_reordering((), (overlaid if below else result.declared).fields):
        eprint(f"{id_file}: {escape(note)}", colour="yellow")


def _list_unknown(paths: Collection[FieldPath], settings: Settings) -> None:
    """Show the live fields that no definition may declare yet, once, as lines to paste."""
    if not paths:
        return
    where = "under extra_fields in" if settings.extra_fields else "into"
    echo("not managed: fields that the API's reference does not list. To manage them as well, paste this")
    echo(f"{where} reconciler.yaml, and import again:")
    if not settings.extra_fields:
        echo("extra_fields:")
    for path in sorted(paths):
        echo(f"  - {escape(write_inline(write_path(path)))}")


def _list_omitted(paths: Iterable[FieldPath], intro: str, reason: str) -> None:
    for path in paths:
        echo(f"  {intro}: {name_path(path)}; {reason}")
