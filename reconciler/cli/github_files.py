"""The two files that a GitHub runner gives to a step: the job's summary and the step's outputs.

What a step writes into them is added to what it wrote before. Where the runner names no file, nothing is
written.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from reconciler.cli.streams import tell
from reconciler.errors import ReconcilerError, ReportError
from reconciler.report.formats.github import list_outputs
from reconciler.report.formats.markdown import SMALLEST_LIMIT, render_markdown
from reconciler.report.formats.page import measure_bytes
from reconciler.report.view import RunView

LARGEST_SUMMARY = 1_000 * 1024  # bytes of one step; GitHub drops a summary beyond 1,024 KiB as a whole


def write_github_files(view: RunView) -> Iterator[ReconcilerError]:
    """Add the report to the job's summary, and its outcome to the step's outputs; yield what could not be written."""
    for variable, add in (("GITHUB_STEP_SUMMARY", _add_summary), ("GITHUB_OUTPUT", _add_outputs)):
        if name := os.environ.get(variable):
            try:
                _append(Path(name), view, add)
            except OSError as error:
                hint = f"the runner sets this path in {variable}"
                yield ReportError(f"cannot be written: {error.strerror}", where=name, hint=hint)


def _append(path: Path, view: RunView, text: Callable[[RunView, int], str]) -> None:
    """Append to a file on a line of its own; `text` gets the number of bytes that are there already."""
    with path.open("ab+") as file:
        there = file.tell()
        # Another step may have left an unfinished line, and joining two lines would spoil both.
        file.seek(max(0, there - 1))
        separator = b"" if file.read(1) in (b"", b"\n") else b"\n"
        if added := text(view, there + len(separator)):
            file.write(separator + added.encode("utf-8", "backslashreplace"))


def _add_summary(view: RunView, there: int) -> str:
    """Return the Markdown, as much of it as there is room for."""
    blank = "\n" if there else ""
    room = LARGEST_SUMMARY - there - len(blank)
    # GitHub drops a summary that is too large as a whole, with what earlier commands wrote into it.
    if room < SMALLEST_LIMIT:
        tell("The job's summary is full; this report is not in it.", colour="yellow")
        return ""
    return blank + render_markdown(view, limit=room, measure=measure_bytes)


def _add_outputs(view: RunView, there: int) -> str:  # noqa: ARG001 - outputs are always written whole
    return "".join(f"{name}={value}\n" for name, value in list_outputs(view.report).items())
