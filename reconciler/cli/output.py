"""Writes a run's report to stdout, in the chosen format, and to the files of `--report`."""

import importlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import click

from reconciler.assistant.problem import Problem, Severity
from reconciler.cli.options import FORMATS_BY_SUFFIX, OutputOptions
from reconciler.cli.streams import disarm_text, eprint, is_terminal, wants_colour
from reconciler.core.run import Run
from reconciler.errors import ReconcilerError, UsageError
from reconciler.files.write import read_bounded, write_whole
from reconciler.report.build import build_report
from reconciler.report.differences.values import draw_place, escape
from reconciler.report.formats.text import render_text
from reconciler.report.json_text import LARGEST_REPORT, SMALLER, parse_report, render_json, too_large
from reconciler.report.report import Report
from reconciler.report.view import View, make_view
from reconciler.report.wording import generalize

LEAST_WIDTH = 60
_UNBROKEN = sys.maxsize


def emit(run: Run, output: OutputOptions) -> Report:
    """Write the report of a run to stdout and to all files, and return it."""
    report = build_report(run)
    try:
        emit_view(make_view(report), report, output)
    except Exception:
        # If assistants were written, their old values must not get lost with the report.
        if any(entry.outcome and entry.outcome.may_be_live for entry in report.assistants):
            eprint(render_json(report))
        raise
    # At a terminal, the text has just shown the warnings.
    already_shown = output.form == "text" and is_terminal(sys.stdout) and is_terminal(sys.stderr)
    if report.traits.reads_live and not already_shown:
        show_problems(sorted(run.problems), "warning")
    return report


def emit_view(view: View, report: object, output: OutputOptions) -> None:
    """Write a view to stdout and to all files; in JSON it is `report`. Raises the first ReconcilerError, at the end."""

    def render_as(form: str) -> str:
        return render_json(report) if form == "json" else render(view, form)

    # Files come first. If one cannot be written, the others and stdout still are.
    failures: list[ReconcilerError] = []
    for path in output.reports:
        try:
            _write_report(path, render_as(FORMATS_BY_SUFFIX[path.suffix]))
        except ReconcilerError as error:
            failures.append(error)
    if output.form == "github":
        failures += importlib.import_module("reconciler.cli.github_files").write_github_files(view)
    text = render_as(output.form) if not (view.all_is_well and output.quiet and output.form == "text") else ""
    text = disarm_text(text) if output.form in ("text", "markdown") else text
    # A terminal has its own encoding. For programs and services, the output is always UTF-8.
    if output.form != "text":
        getattr(sys.stdout, "reconfigure", lambda **_: None)(encoding="utf-8", errors="backslashreplace")
    click.echo(text, nl=False, color=True)
    # Only one error can end the run, so the others are printed here.
    for failure in failures[1:]:
        eprint(str(failure))
    if failures:
        raise failures[0]


def render(view: View, form: str, stream: TextIO | None = None) -> str:
    """Return a view in a format, with colour if `stream` (stdout by default) is a terminal."""
    if form != "text":
        # Each format has a module that takes time to load, and a run needs only one or two of them.
        module = importlib.import_module(f"reconciler.report.formats.{form}")
        text: str = getattr(module, f"render_{form}")(view)
        return text
    stream = stream or sys.stdout
    return render_text(view, colour=wants_colour(stream), width=_text_width(stream))


def _text_width(stream: TextIO | None) -> int:
    # Lines are broken only for people at a terminal. A file or a log must be easy to search.
    if not is_terminal(stream) and "COLUMNS" not in os.environ:
        return _UNBROKEN
    import shutil  # slow to load, and a job has no terminal

    return max(shutil.get_terminal_size().columns, LEAST_WIDTH)


def show_problems(problems: Iterable[Problem], *severities: Severity) -> None:
    """Show problems on stderr: all, or only those of some severities."""
    for problem in problems:
        if not severities or problem.severity in severities:
            eprint(escape(str(problem)), colour="yellow" if problem.severity == "warning" else "red")
            for line in draw_place(problem.source_line, problem.column):
                eprint(line)


def show_failures(failures: Iterable[tuple[str, str, str]]) -> None:
    """Show failures on stderr, each with its message and hint. A reason that several share is shown once."""
    # A server that is down is one message, however many assistants it concerns.
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for name, message, hint in failures:
        reason = "\n  ".join(escape(part) for part in (message, hint) if part)
        by_reason.setdefault(generalize(reason), []).append((escape(name), reason))
    for shared, members in by_reason.items():
        several = f"{shared}\n  {len(members)} assistants: {', '.join(name for name, _ in members)}"
        eprint(": ".join(members[0]) if len(members) == 1 else several, colour="red")


def read_report(name: str) -> Report:
    """Return the report in a JSON file. Raises ReportError and UsageError."""
    if not name:  # for Path, "" is the working directory
        raise UsageError("the path of a report is empty", hint="is it a variable that is not set?")
    return parse_report(read_bounded(Path(name), LARGEST_REPORT), name=name)


def write_json_reports(run: Run, output: OutputOptions) -> None:
    """Write the JSON reports before anything is sent. Raises ReportError."""
    # With them, the old values are not lost even if the run is killed.
    paths = [path for path in output.reports if path.suffix == ".json"]
    text = render_json(build_report(run)) if paths else ""
    for path in paths:
        _write_report(path, text)


def _write_report(path: Path, text: str) -> None:
    # Warn now. Otherwise, a rollback would be the first to find that the report cannot be read.
    if path.suffix == ".json" and (reason := too_large(text)):
        warning = f"warning: {escape(str(path))} {reason}, so no later command can read it.\n{SMALLER}"
        eprint(warning, colour="yellow")
    write_whole(path, text)
