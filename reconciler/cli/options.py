"""The options that commands share. There are none for credentials, because a process list would show them."""

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reconciler.cli.help import (
    API,
    DEFINITIONS,
    DRIFT,
    OUTPUT,
    Decorator,
    SectionedOption,
    group_options,
    shared_option,
)
from reconciler.core.ports import LONGEST_TIMEOUT, ApiLimits
from reconciler.core.settings import MaxChanges
from reconciler.dataclass import dataclass
from reconciler.errors import UsageError
from reconciler.files.folders import find_definitions_folder
from reconciler.usecases.project.choices import Choices, read_paths

FORMATS = ("text", "json", "markdown", "github")
FORMATS_BY_SUFFIX = {
    ".json": "json",
    ".md": "markdown",
    ".html": "html",
    ".xml": "junit",
    ".prom": "openmetrics",
    ".codequality": "code_quality",
}
_TITLES = {
    ".xml": "JUnit",
    ".prom": "OpenMetrics",
    ".codequality": "GitLab's Code Quality",
}  # suffixes that do not say which format a file has
# The shell completes it. Whether it is there, and can be read, is for others to say.
_FILE = click.Path(readable=False)
_definitions_option = functools.partial(shared_option, section=DEFINITIONS)
_drift_option = functools.partial(shared_option, section=DRIFT)
_output_option = functools.partial(shared_option, section=OUTPUT)
_api_option = functools.partial(shared_option, section=API)


class Seconds(click.FloatRange):
    """A range of numbers. It rejects `nan`, which would pass every comparison."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number that a text names."""
        number = float(super().convert(value, param, ctx))
        return number if math.isfinite(number) else self.fail(f"{value} is not a number of seconds.", param, ctx)


class Count(click.IntRange):
    """A range of whole numbers. click shows the name in its messages."""

    name = "whole number"


class Limit(click.ParamType[MaxChanges]):
    """A number of assistants, or a share of those selected: `5`, `25%`."""

    name = "N|P%"

    def convert(self, value: str | MaxChanges, param: click.Parameter | None, ctx: click.Context | None) -> MaxChanges:
        """Return the limit that a text names."""
        try:
            return value if isinstance(value, MaxChanges) else MaxChanges.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """The format on stdout and the report files."""

    form: str
    reports: tuple[Path, ...]
    quiet: bool  # omits the text if nothing needs attention


@dataclass(frozen=True, kw_only=True)
class ConnectionOptions(ApiLimits):
    """How the API is reached."""

    # None: from reconciler.yaml, which may have one URL for each environment.
    api_url: str | None
    verbose: bool
    quiet: bool = False  # no progress is shown; a run that writes a report has an option for it


@dataclass(frozen=True, kw_only=True)
class RunOptions(ConnectionOptions, OutputOptions):
    """The options of a run that connects to the API and writes a report."""


class _FormatOption(SectionedOption):
    """`--format` for a command that lacks some formats. A variable that is meant for other commands is no error."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the format in the environment variable, unless only other commands have it."""
        value = super().resolve_envvar_value(ctx)
        choices = self.type.choices if isinstance(self.type, click.Choice) else FORMATS
        return None if value in FORMATS and value not in choices else value


def format_option(formats: Sequence[str] = FORMATS) -> Decorator:
    """Return a decorator that adds `--format` with all or some formats. The command gets it as `form`."""
    return _output_option(
        "--format",
        "form",
        cls=_FormatOption,
        type=click.Choice(formats),
        variable="RECONCILER_FORMAT",
        default="text",
        help="Format of the report on stdout.",
    )


def list_output_options(formats: Sequence[str], suffixes: Sequence[str]) -> list[Decorator]:
    """Return the decorators that add `--format`, `--report` and `--quiet`, with some formats."""
    suffix_list = ", ".join(f"{suffix} ({_TITLES[suffix]})" if suffix in _TITLES else suffix for suffix in suffixes)
    return [
        format_option(formats),
        _output_option(
            "--report",
            "reports",
            multiple=True,
            metavar="PATH",
            type=_FILE,
            callback=functools.partial(_check_report_paths, suffixes),
            help=f"Also write the report to a file; repeatable. The suffix selects the format: {suffix_list}.",
        ),
        _output_option(
            "-q",
            "--quiet",
            is_flag=True,
            help="Print nothing if there is nothing to do and nothing failed; show no progress.",
        ),
    ]


def _check_report_paths(
    suffixes: Sequence[str], ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Path, ...]:
    # Checked before any request: without its folder, a report of writes would be lost. A typo must not create a folder.
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


def refuse_empty(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return the value of an option or argument. Raises UsageError if it is empty."""
    if value is not None and not value.strip():
        name = param.metavar if isinstance(param, click.Argument) else param.opts[-1]
        raise UsageError(f"{name} is empty", hint="is it a variable that is not set?")
    return value


def _find_folder(ctx: click.Context, param: click.Parameter, directory: str) -> Path:
    # For Path, "" is the working directory.
    return find_definitions_folder(Path(refuse_empty(ctx, param, directory) or ""))


def _make_choices(**values: Any) -> Choices:
    # What comes from a variable holds for the next command as well. What was typed must be part of a hint.
    source = click.get_current_context().get_parameter_source
    typed = [name for name in ("directory", "environment") if source(name) is ParameterSource.COMMANDLINE]
    words = (word for name in typed for word in (f"--{name}", str(values[name])))
    return Choices(**values, named_by=tuple(words))


# Others check whether each file exists and can be read.
_paths = click.argument(
    "paths", nargs=-1, metavar="[PATHS]...", type=_FILE, callback=lambda _ctx, _param, paths: read_paths(paths)
)
_environment = _definitions_option(
    "--environment", variable="RECONCILER_ENVIRONMENT", metavar="NAME", help="An environment of reconciler.yaml."
)
_directory = _definitions_option(
    "--directory",
    variable="RECONCILER_DIRECTORY",
    default="assistants",
    metavar="DIR",
    callback=_find_folder,
    type=_FILE,
    help="The definitions' folder.",
)
_history = [
    _drift_option(
        "--base",
        variable="RECONCILER_BASE",
        metavar="REV",
        help="Git revision of the definitions as last applied; `none` for no base. Default: the record, if there "
        "is one; otherwise, HEAD for drift and pull, and no base for plan and apply.",
    ),
    _definitions_option(
        "--changed", is_flag=True, help="Only the definitions that this branch changes, compared with the base."
    ),
    _definitions_option(
        "--changed-since", metavar="REV", help="Only the definitions that this branch changes, compared with REV."
    ),
]
_policy = [
    _drift_option(
        "--on-drift",
        type=click.Choice(["keep", "revert", "fail"]),
        variable="RECONCILER_ON_DRIFT",
        help="What to do about live edits: leave them (keep, the default), restore git's value (revert), or refuse "
        "the assistant (fail).",
    ),
    _drift_option("--force-conflicts", is_flag=True, help="Use git's value where git and live both changed."),
]
# Each of these decorators makes the command's `choices` from the options that it adds.
folder_option = group_options("choices", _make_choices, _directory)
directory_option = group_options("choices", _make_choices, _environment, _directory)
definition_options = group_options("choices", _make_choices, _paths, _environment, _directory)
project_options = group_options("choices", _make_choices, _paths, _environment, _directory, *_history)
policy_options = group_options("choices", _make_choices, _paths, _environment, _directory, *_history, *_policy)
_output = list_output_options(FORMATS, tuple(FORMATS_BY_SUFFIX))
output_options = group_options("output", OutputOptions, *_output)
detailed_exitcode_option = _output_option("--detailed-exitcode", is_flag=True, help="Exit 2 if there are differences.")
_connection = [
    _api_option("--api-url", variable="RECONCILER_API_URL", metavar="URL", help="The API's base URL, up to /api."),
    _api_option(
        "--concurrency",
        type=Count(min=1, max=256),
        variable="RECONCILER_CONCURRENCY",
        default=16,
        metavar="N",
        help="Maximum number of concurrent requests.",
    ),
    _api_option(
        "--timeout",
        type=Seconds(min=0, min_open=True, max=LONGEST_TIMEOUT),
        variable="RECONCILER_TIMEOUT",
        default=30.0,
        metavar="SECONDS",
        help="Time limit for one attempt of a request. Pauses between attempts are not included: up to 20 s each, or "
        "as long as the API asks for, at most 5 minutes in total.",
    ),
    _api_option(
        "--retries",
        type=Count(min=0, max=100),
        variable="RECONCILER_RETRIES",
        default=4,
        metavar="N",
        help="How often to retry a request after a temporary failure.",
    ),
    _api_option(
        "--allow-insecure-http",
        is_flag=True,
        help="Allow plain http:// to another machine; the token is sent unencrypted.",
    ),
    _api_option("-v", "--verbose", is_flag=True, help="Show each request on stderr."),
]
connection_options = group_options("connection", ConnectionOptions, *_connection)
run_options = group_options("options", RunOptions, *_connection, *_output)
