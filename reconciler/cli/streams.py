"""The output streams: the report goes to stdout, everything else to stderr, and colour only to terminals."""

import contextlib
import os
import sys
from typing import TextIO

import click

from reconciler.report.formats.workflow_commands import disarm


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal."""
    # A stream that was closed before Python started is None.
    return stream is not None and stream.isatty()


def wants_colour(stream: TextIO | None) -> bool:
    """Return whether a stream gets colour. `NO_COLOR` and `FORCE_COLOR` take precedence over the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def disarm_text(text: str) -> str:
    """Return a text for a stream. In a GitHub runner, no line of the text acts as a command."""
    return disarm(text) if os.environ.get("GITHUB_ACTIONS") == "true" else text


def echo(text: str) -> None:
    """Write a line to stdout."""
    click.echo(disarm_text(text), color=wants_colour(sys.stdout))


def eprint(text: str, *, colour: str | None = None) -> None:
    """Write a line to stderr. If that fails (a full disk, a pipe that nobody reads), the line is lost."""
    text = disarm_text(text)
    try:
        click.echo(click.style(text, fg=colour) if colour else text, err=True, color=wants_colour(sys.stderr))
    except OSError:
        # The run goes on. If it ended here, its writes might be neither reported nor recorded.
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Discard a stream's buffer, because the flush at the interpreter's exit would raise again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def eprint_unbuffered(text: str) -> None:
    """Write a line to stderr from a signal handler."""
    # The signal may have interrupted Python's buffer, so it is not used. A closed stderr's number may be reused.
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), f"{text}\n".encode())
