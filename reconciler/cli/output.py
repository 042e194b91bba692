"""Write a run's report: to stdout in the format asked for, and to the files that `--report` names."""

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import Problem
from reconciler.cli.options import FORMATS_BY_SUFFIX, OutputOptions
from reconciler.cli.streams import for_runner, is_terminal, tell, wants_colour
from reconciler.core.run import Run
from reconciler.core.settings import Settings
from reconciler.errors import ReconcilerError, UsageError
from reconciler.files.write import read_bounded, write_whole
from reconciler.report.build import build_report
from reconciler.report.differences.excerpt import draw_place
from reconciler.report.differences.values import escape
from reconciler.report.formats.text import render_text
from reconciler.report.json_text import LARGEST_REPORT, SMALLER, parse_report, render_json, too_large
from reconciler.report.report import Report
from reconciler.report.view import RunView, make_view

LEAST_WIDTH = 60
_UNBROKEN = sys.maxsize


def emit(
    run: Run,
    output: OutputOptions,
    *,
    sensitive: Sequence[FieldPath] = (),
    text: Callable[[Report], str] | None = None,
) -> Report:
    """Write the report of a run everywhere it was asked for, and return it; `text` makes another text than usual.

    Files come first, and one that cannot be written does not keep the others, or stdout, from being
    written. Raises ReportError at the end.
    """
    report = build_report(run, sensitive=sensitive)
    emit_report(report, output, text)
    # At a terminal, the warnings were just shown at the end of the text.
    read = output.format == "text" and is_terminal(sys.stdout) and is_terminal(sys.stderr)
    if report.traits.reads_live and not read:
        tell_problems(problem for problem in sorted(run.problems) if problem.severity == "warning")
    return report


def emit_report(report: Report, output: OutputOptions, text: Callable[[Report], str] | None = None) -> None:
    """Write a report everywhere it was asked for. Raises ReportError if a file could not be written.

    If the report of a run that wrote cannot be saved, its JSON goes to stderr, so that it is not lost.
    """
    # One view for all formats: differences are computed once.
    view = make_view(report)
    # A generator: the runner's files are only written once `--report`'s are.
    unwritten = _load("reconciler.cli.github_files", "write_github_files")(view) if output.format == "github" else ()
    try:
        own = {} if text is None else {"text": text}
        emit_rendered(
            lambda form: own[form](report) if form in own else render(view, form),
            output,
            unwritten,
            all_is_well=report.all_is_well,
        )
    except Exception:
        if any(entry.outcome and entry.outcome.may_be_live for entry in report.assistants):
            tell(render_json(report))
        raise


def emit_rendered(
    rendered: Callable[[str], str],
    output: OutputOptions,
    unwritten: Iterable[ReconcilerError] = (),
    *,
    all_is_well: bool,
) -> None:
    """Write what `rendered` returns for a format everywhere it was asked for, as `emit_report` does.

    `unwritten` yields, once the files are there, what else could not be written. With `all_is_well` a quiet run
    prints no text.
    """
    failures: list[ReconcilerError] = []
    for path in output.reports:
        try:
            text = rendered(FORMATS_BY_SUFFIX[path.suffix])
            write_whole(path, text)
            if path.suffix == ".json":
                tell_if_too_large(path, text)
        except ReconcilerError as error:
            failures.append(error)
    failures += unwritten
    text = rendered(output.format) if not (all_is_well and output.quiet and output.format == "text") else ""
    text = for_runner(text) if output.format in ("text", "markdown") else text
    # A terminal has its own encoding; what a program or a service reads is always UTF-8.
    if output.format != "text":
        getattr(sys.stdout, "reconfigure", lambda **_: None)(encoding="utf-8", errors="backslashreplace")
    click.echo(text, nl=False, color=True)
    # One error ends the run, and the others would be lost.
    for failure in failures[1:]:
        tell(str(failure))
    if failures:
        raise failures[0]


def render(view: RunView, form: str, stream: TextIO | None = None) -> str:
    """Return a report in one of the formats; a stream (stdout, if left out) that is a terminal gets colour."""
    if form == "json":
        return render_json(view.report)
    if form != "text":
        # A module of its name, loaded when it is asked for: a run writes one format or two, and all take time to load.
        rendered: str = _load(f"reconciler.report.formats.{form}", f"render_{form}")(view)
        return rendered
    stream = stream or sys.stdout
    return render_text(view, colour=wants_colour(stream), width=text_width(stream))


def _load(module: str, function: str) -> Callable[..., Any]:
    """Return a function of a module that most runs do not need."""
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def text_width(stream: TextIO | None) -> int:
    """Return how many columns a text report may take.

    Lines are wrapped only at a terminal. Files and logs keep whole lines, so that they can be searched.
    """
    if not is_terminal(stream) and "COLUMNS" not in os.environ:
        return _UNBROKEN
    return max(shutil.get_terminal_size().columns, LEAST_WIDTH)


def tell_errors(problems: Iterable[Problem]) -> None:
    """Show what is wrong in definitions, on stderr; warnings come with the report, after what differs."""
    tell_problems(problem for problem in problems if problem.severity == "error")


def tell_problems(problems: Iterable[Problem]) -> None:
    """Show what validation found, on stderr."""
    for problem in problems:
        tell(escape(str(problem)), colour="yellow" if problem.severity == "warning" else "red")
        for line in draw_place(problem.source, problem.column):
            tell(line)


def read_report(name: str) -> Report:
    """Return the report that a JSON file holds. Raises ReportError."""
    return parse_report(read_bounded(Path(name), LARGEST_REPORT), name=name)


def check_place(report: Report, settings: Settings, api_url: str) -> None:
    """Refuse a report of another environment or of another API. Raises UsageError."""
    if report.environment != settings.environment:
        raise UsageError(
            f"this report is for the environment {report.environment or 'none'}, but this run is for "
            f"{settings.environment or 'none'}",
            hint="pass the --environment of the report",
        )
    if report.api_url != api_url:
        raise UsageError(
            f"this report is for {report.api_url or 'no API, or for several'}, but this run is for {api_url}",
            hint="set RECONCILER_API_URL to the API of the report",
        )


def report_before_writing(output: OutputOptions, settings: Settings) -> Callable[[Run], None]:
    """Return what writes the JSON reports that were asked for before anything is sent.

    So even a run that is killed leaves the old values behind. It raises ReportError if a report cannot
    be written, and says so where one cannot be read back: nothing has been sent yet.
    """

    def write(run: Run) -> None:
        paths = [path for path in output.reports if path.suffix == ".json"]
        if not paths:
            return
        text = render_json(build_report(run, sensitive=settings.sensitive))
        for path in paths:
            tell_if_too_large(path, text)
            write_whole(path, text)

    return write


def tell_if_too_large(path: Path, text: str) -> None:
    """Warn immediately: nobody should learn at the rollback that the report cannot be read."""
    if reason := too_large(text):
        warning = f"warning: {escape(str(path))} {reason}, so no later command can read it.\n{SMALLER}"
        tell(warning, colour="yellow")
