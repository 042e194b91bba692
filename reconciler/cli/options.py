"""The shared options. A command gets each group of options as one value."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from reconciler.cli.help import (
    DEFINITIONS,
    DRIFT,
    OUTPUT,
    SectionedOption,
    complete_files,
    group_options,
    shared_option,
)
from reconciler.errors import UsageError
from reconciler.files.folders import find_definitions_folder
from reconciler.usecases.project.choices import DefinitionOptions, HistoryOptions, PolicyOptions

Decorated = Callable[..., Any]

FORMATS = ("text", "json", "markdown", "github")
FORMATS_BY_SUFFIX = {
    ".json": "json",
    ".md": "markdown",
    ".html": "html",
    ".xml": "junit",
    ".prom": "openmetrics",
    ".codequality": "code_quality",
}
_NAMED = {
    ".xml": "JUnit",
    ".prom": "OpenMetrics",
    ".codequality": "GitLab's Code Quality",
}  # suffixes that do not say what is in the file


@dataclasses.dataclass(frozen=True, slots=True)
class OutputOptions:
    """The format on stdout and the report files. `quiet` omits the text if all is well."""

    format: str
    reports: tuple[Path, ...]
    quiet: bool = False


def directory_option(command: Decorated) -> Decorated:
    """Add `--directory` and `--environment`; the command gets `definitions`."""

    @shared_option(
        "--environment",
        section=DEFINITIONS,
        envvar="RECONCILER_ENVIRONMENT",
        metavar="NAME",
        help="An environment of reconciler.yaml.  [env: RECONCILER_ENVIRONMENT]",
    )
    @folder_option
    @functools.wraps(command)
    def wrapper(definitions: DefinitionOptions, environment: str | None, **rest: Any) -> Any:
        return command(definitions=dataclasses.replace(definitions, environment=environment), **rest)

    return wrapper


def folder_option(command: Decorated) -> Decorated:
    """Add `--directory` alone; the command gets `definitions`."""

    @shared_option(
        "--directory",
        section=DEFINITIONS,
        envvar="RECONCILER_DIRECTORY",
        default="assistants",
        show_default=True,
        metavar="DIR",
        shell_complete=complete_files,
        help="The definitions' folder.  [env: RECONCILER_DIRECTORY]",
    )
    @functools.wraps(command)
    def wrapper(directory: str, paths: tuple[str, ...] = (), **rest: Any) -> Any:
        if not directory:  # to Path that is the working directory, and whatever is below it
            raise UsageError("--directory is empty", hint="is it a variable that is not set?")
        folder = find_definitions_folder(Path(directory))
        chosen = DefinitionOptions(folder, tuple(map(Path, paths)))
        return command(definitions=chosen, **rest)

    return wrapper


def definition_options(command: Decorated) -> Decorated:
    """Add `PATHS` and `--directory`; the command gets `definitions`."""
    paths = click.argument("paths", nargs=-1, metavar="[PATHS]...", shell_complete=complete_files)
    return paths(directory_option(command))


class _FormatOption(SectionedOption):
    """`--format` of a command that lacks some formats: a variable meant for other commands is not an error here."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the format that the environment names, unless only other commands have it."""
        value = super().resolve_envvar_value(ctx)
        known = self.type.choices if isinstance(self.type, click.Choice) else FORMATS
        return None if value in FORMATS and value not in known else value


def format_option(formats: Sequence[str] = FORMATS) -> Callable[[Decorated], Decorated]:
    """Return what adds `--format`, with every format or some; the command gets `format_`."""
    return shared_option(
        "--format",
        "format_",
        section=OUTPUT,
        cls=_FormatOption,
        type=click.Choice(formats),
        envvar="RECONCILER_FORMAT",
        default="text",
        show_default=True,
        help="Format of the report on stdout.  [env: RECONCILER_FORMAT]",
    )


def output_options(
    command: Decorated, *, formats: Sequence[str] = FORMATS, suffixes: Sequence[str] = tuple(FORMATS_BY_SUFFIX)
) -> Decorated:
    """Add `--format`, `--report` and `--quiet`, with every format or some; the command gets `output`."""
    named = ", ".join(f"{suffix} ({_NAMED[suffix]})" if suffix in _NAMED else suffix for suffix in suffixes)

    @format_option(formats)
    @shared_option(
        "--report",
        "reports",
        section=OUTPUT,
        multiple=True,
        metavar="PATH",
        shell_complete=complete_files,
        callback=functools.partial(_report_paths, suffixes),
        help=f"Also write the report to a file; repeatable. The suffix selects the format: {named}.",
    )
    @shared_option(
        "-q",
        "--quiet",
        section=OUTPUT,
        is_flag=True,
        help="Print nothing if there is nothing to do and nothing failed; show no progress.",
    )
    @functools.wraps(command)
    def wrapper(format_: str, reports: tuple[Path, ...], quiet: bool, **rest: Any) -> Any:
        return command(output=OutputOptions(format_, reports, quiet), **rest)

    return wrapper


history_options = group_options(
    "history",
    HistoryOptions,
    shared_option(
        "--base",
        section=DRIFT,
        envvar="RECONCILER_BASE",
        metavar="REV",
        help="Git revision of the definitions as last applied; `none` for no base. Default: the applied record, if "
        "there is one.  [env: RECONCILER_BASE]",
    ),
    shared_option(
        "--changed",
        section=DEFINITIONS,
        is_flag=True,
        help="Only the definitions that this branch changes, compared with the base.",
    ),
    shared_option(
        "--changed-since",
        section=DEFINITIONS,
        metavar="REV",
        help="Only the definitions that this branch changes, compared with REV.",
    ),
)
policy_options = group_options(
    "policy",
    PolicyOptions,
    shared_option(
        "--on-drift",
        section=DRIFT,
        type=click.Choice(["keep", "revert", "fail"]),
        envvar="RECONCILER_ON_DRIFT",
        help="What to do about live edits: leave them (keep, the default), restore git's value (revert), or refuse "
        "the assistant (fail).  [env: RECONCILER_ON_DRIFT]",
    ),
    shared_option(
        "--force-conflicts", section=DRIFT, is_flag=True, help="Use git's value where git and live both changed."
    ),
)


def detailed_exitcode_option(command: Decorated) -> Decorated:
    """Add `--detailed-exitcode`."""
    return shared_option("--detailed-exitcode", section=OUTPUT, is_flag=True, help="Exit 2 if there are differences.")(
        command
    )


def _report_paths(
    suffixes: Sequence[str], ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Path, ...]:
    """Reject paths that could not be written, before any request."""
    for value in values:
        path = Path(value)
        if path.suffix not in suffixes:
            *others, last = suffixes
            raise click.BadParameter(f"{value}: a report ends in {', '.join(others)} or {last}", ctx, param)
        if path.is_dir():
            raise click.BadParameter(f"{value}: this is a folder, not a file", ctx, param)
        if not path.parent.is_dir():
            raise click.BadParameter(f"{value}: there is no folder to write it into", ctx, param)
    return tuple(map(Path, values))
