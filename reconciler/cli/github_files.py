"""Appends to the two files that a GitHub runner gives to a step: the job's summary and the step's outputs."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from reconciler.cli.streams import eprint
from reconciler.errors import ReconcilerError, ReportError
from reconciler.report.formats.github import list_outputs
from reconciler.report.formats.markdown import SMALLEST_LIMIT, render_markdown
from reconciler.report.formats.page import measure_bytes
from reconciler.report.view import RunView

LARGEST_SUMMARY = 1_000 * 1024  # bytes for one step; GitHub drops a whole summary beyond 1,024 KiB


def write_github_files(view: RunView) -> Iterator[ReconcilerError]:
    """Add the report to the job's summary, and its outcome to the step's outputs; yield what could not be written."""
    makers = {"GITHUB_STEP_SUMMARY": _make_summary, "GITHUB_OUTPUT": _make_outputs}
    for variable, make in makers.items():
        if name := os.environ.get(variable):
            try:
                _append(Path(name), view, make)
            except OSError as error:
                hint = f"the runner sets this path in {variable}"
                yield ReportError(f"cannot be written: {error.strerror}", where=name, hint=hint)


def _append(path: Path, view: RunView, make: Callable[[RunView, int], str]) -> None:
    """Append a view to a file, on a new line. `make` also gets the number of bytes that the file already has."""
    with path.open("ab+") as file:
        size = file.tell()
        # An earlier command may have left an unfinished line. Joining two lines would break both.
        file.seek(max(0, size - 1))
        separator = b"" if file.read(1) in (b"", b"\n") else b"\n"
        if text := make(view, size + len(separator)):
            file.write(separator + text.encode("utf-8", "backslashreplace"))


def _make_outputs(view: RunView, _size: int) -> str:
    return "".join(f"{name}={value}\n" for name, value in list_outputs(view.report).items())


def _make_summary(view: RunView, size: int) -> str:
    """Return as much of the Markdown as there is space for."""
    blank = "\n" if size else ""
    limit = LARGEST_SUMMARY - size - len(blank)
    # If a summary is too large, GitHub drops all of it, including the parts of earlier commands.
    if limit < SMALLEST_LIMIT:
        eprint("The job's summary is full; this report is not in it.", colour="yellow")
        return ""
    return blank + render_markdown(view, limit=limit, measure=measure_bytes)
