"""Write a run's report: to stdout in the format asked for, and to the files that `--report` names."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

import click

from reconciler.adapters.files import write_whole
from reconciler.cli.options import OutputOptions
from reconciler.cli.streams import tell, wants_colour
from reconciler.core.paths import FieldPath
from reconciler.core.problem import Problem
from reconciler.core.run import Run
from reconciler.errors import ReconcilerError
from reconciler.reconcile.inputs import places
from reconciler.report.build import to_document
from reconciler.report.document import Document
from reconciler.report.json_text import render_json
from reconciler.report.markdown import render_markdown
from reconciler.report.text import render_text
from reconciler.report.values import escape

LEAST_WIDTH = 60


def emit(run: Run, output: OutputOptions, *, sensitive: Sequence[FieldPath] = ()) -> Document:
    """Write the report of a run everywhere it was asked for, and return it.

    Files come first, and one that cannot be written does not keep the others, or stdout, from being
    written. Raises ReportError at the end.
    """
    document = to_document(run, sensitive=sensitive, places=places)
    emit_document(document, output)
    return document


def emit_document(document: Document, output: OutputOptions) -> None:
    """Write a report everywhere it was asked for. Raises ReportError where a file could not be written."""
    failures: list[ReconcilerError] = []
    for path in output.reports:
        try:
            write_whole(path, render(document, "json" if path.suffix == ".json" else "markdown"))
        except ReconcilerError as error:
            failures.append(error)
    click.echo(render(document, output.format), nl=False, color=True)
    for failure in failures[1:]:
        tell(str(failure))
    if failures:
        raise failures[0]


def render(document: Document, form: str, stream: TextIO = sys.stdout) -> str:
    """Return a report in one of the formats; a stream that is a terminal gets colour."""
    if form == "json":
        return render_json(document)
    if form == "markdown":
        return render_markdown(document)
    width = max(shutil.get_terminal_size().columns, LEAST_WIDTH)
    return render_text(document, colour=wants_colour(stream), width=width)


def tell_problems(problems: Iterable[Problem]) -> None:
    """Show what validation found, on stderr."""
    for problem in problems:
        tell(escape(str(problem)), colour="yellow" if problem.severity == "warning" else "red")
