"""The options that commands share. Each group of options reaches its command as one value."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from reconciler.cli.help import (
    API,
    DEFINITIONS,
    DRIFT,
    OUTPUT,
    SectionedOption,
    complete_files,
    shared_option,
)
from reconciler.cli.number_types import Count, Seconds
from reconciler.core.settings import FILE_NAME, OnDrift
from reconciler.errors import UsageError
from reconciler.files.folders import find_definitions_folder
from reconciler.usecases.choices import DefinitionOptions, HistoryOptions, PolicyOptions

Decorated = Callable[..., Any]

FORMATS = ("text", "json", "markdown", "github")
FORMATS_BY_SUFFIX = {".json": "json", ".md": "markdown", ".html": "html", ".xml": "junit", ".prom": "openmetrics"}
_NAMED = {".xml": "JUnit", ".prom": "OpenMetrics"}  # suffixes that do not say what is in the file


@dataclasses.dataclass(frozen=True, slots=True)
class OutputOptions:
    """What stdout carries, and which reports are written besides; `quiet` leaves out a text that says all is well."""

    format: str
    reports: tuple[Path, ...]
    quiet: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How the API is reached. Credentials come from the environment alone: a process list would show options."""

    api_url: str | None
    api_url_from_environment: bool
    concurrency: int
    timeout: float
    retries: int
    allow_insecure_http: bool
    verbose: bool


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
        if not directory:  # to Path that is the working directory, and whatever lies below it
            raise UsageError("--directory is empty", hint="is it a variable that is not set?")
        folder = find_definitions_folder(Path(directory), FILE_NAME)
        chosen = DefinitionOptions(folder, tuple(map(Path, paths)))
        return command(definitions=chosen, **rest)

    return wrapper


def definition_options(command: Decorated) -> Decorated:
    """Add `PATHS` and `--directory`; the command gets `definitions`."""
    paths = click.argument("paths", nargs=-1, metavar="[PATHS]...", shell_complete=complete_files)
    return paths(directory_option(command))


class _FormatOption(SectionedOption):
    """`--format` of a command that has not every format: what the environment asks of others is no error here."""

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
        help=f"Also write a report; repeatable. The suffix says which: {named}.",
    )
    @shared_option(
        "-q",
        "--quiet",
        section=OUTPUT,
        is_flag=True,
        help="Print nothing where there is nothing to do and nothing failed; no progress.",
    )
    @functools.wraps(command)
    def wrapper(format_: str, reports: tuple[Path, ...], quiet: bool, **rest: Any) -> Any:
        return command(output=OutputOptions(format_, reports, quiet), **rest)

    return wrapper


def history_options(command: Decorated) -> Decorated:
    """Add `--base`, `--changed` and `--changed-since`; the command gets `history`."""

    @shared_option(
        "--base",
        section=DRIFT,
        envvar="RECONCILER_BASE",
        metavar="REV",
        help="Git revision of the definitions as last applied; `none` for no base. Default: the applied record, where "
        "there is one.  [env: RECONCILER_BASE]",
    )
    @shared_option(
        "--changed",
        section=DEFINITIONS,
        is_flag=True,
        help="Only definitions that this branch changes, compared with the base.",
    )
    @shared_option(
        "--changed-since",
        section=DEFINITIONS,
        metavar="REV",
        help="Only definitions that this branch changes, compared with REV.",
    )
    @functools.wraps(command)
    def wrapper(base: str | None, changed: bool, changed_since: str | None, **rest: Any) -> Any:
        return command(history=HistoryOptions(base, changed, changed_since), **rest)

    return wrapper


def policy_options(command: Decorated) -> Decorated:
    """Add `--on-drift` and `--force-conflicts`; the command gets `policy`."""

    @shared_option(
        "--on-drift",
        section=DRIFT,
        type=click.Choice(["keep", "revert", "fail"]),
        envvar="RECONCILER_ON_DRIFT",
        help="Fields that were edited live: leave them (keep, the default), put git's value back (revert), or refuse "
        "the assistant (fail).  [env: RECONCILER_ON_DRIFT]",
    )
    @shared_option("--force-conflicts", section=DRIFT, is_flag=True, help="Let git win where git and live both moved.")
    @functools.wraps(command)
    def wrapper(on_drift: OnDrift | None, force_conflicts: bool, **rest: Any) -> Any:
        return command(policy=PolicyOptions(on_drift, force_conflicts), **rest)

    return wrapper


_CONNECTION = (
    shared_option(
        "--api-url",
        section=API,
        envvar="RECONCILER_API_URL",
        metavar="URL",
        help="The API's base URL, up to /api.  [env: RECONCILER_API_URL]",
    ),
    shared_option(
        "--concurrency",
        section=API,
        type=Count(min=1, max=256),
        envvar="RECONCILER_CONCURRENCY",
        default=16,
        show_default=True,
        metavar="N",
        help="Most requests at a time.  [env: RECONCILER_CONCURRENCY]",
    ),
    shared_option(
        "--timeout",
        section=API,
        type=Seconds(min=0, min_open=True, max=86_400),
        envvar="RECONCILER_TIMEOUT",
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="How long one attempt of a request may take. Waits between attempts come on top: up to 20 s each, or as "
        "long as the API asks for, 5 minutes in all.  [env: RECONCILER_TIMEOUT]",
    ),
    shared_option(
        "--retries",
        section=API,
        type=Count(min=0, max=100),
        envvar="RECONCILER_RETRIES",
        default=4,
        show_default=True,
        metavar="N",
        help="How often a request is repeated that failed in a passing way.  [env: RECONCILER_RETRIES]",
    ),
    shared_option(
        "--allow-insecure-http",
        section=API,
        is_flag=True,
        help="Allow plain http:// to another machine: the token travels unprotected.",
    ),
    shared_option("-v", "--verbose", section=API, is_flag=True, help="Show each request on stderr."),
)


def connection_options(command: Decorated) -> Decorated:
    """Add what every command that talks to the API takes; the command gets `connection`."""

    @functools.wraps(command)
    def wrapper(
        api_url: str | None,
        concurrency: int,
        timeout: float,
        retries: int,
        allow_insecure_http: bool,
        verbose: bool,
        **rest: Any,
    ) -> Any:
        # An environment that is chosen may give another URL than the variable, and then neither may win unseen.
        given_by = click.get_current_context().get_parameter_source("api_url")
        by_environment = given_by is click.core.ParameterSource.ENVIRONMENT
        chosen = ConnectionOptions(api_url, by_environment, concurrency, timeout, retries, allow_insecure_http, verbose)
        return command(connection=chosen, **rest)

    return functools.reduce(lambda decorated, option: option(decorated), reversed(_CONNECTION), wrapper)


def detailed_exitcode_option(command: Decorated) -> Decorated:
    """Add `--detailed-exitcode`."""
    return shared_option(
        "--detailed-exitcode", section=OUTPUT, is_flag=True, help="Exit 2 when there are differences."
    )(command)


def _report_paths(
    suffixes: Sequence[str], ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Path, ...]:
    """Refuse before any request what could not be written after it."""
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
