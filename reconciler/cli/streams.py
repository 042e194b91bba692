"""What goes where: the report to stdout, everything else to stderr, colour to terminals alone."""

import contextlib
import os
import sys
from typing import TextIO

import click


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether somebody sits at a stream; Python has None for one that was closed before it started."""
    return stream is not None and stream.isatty()


def wants_colour(stream: TextIO | None) -> bool:
    """Tell whether a stream gets colour: `NO_COLOR` and `FORCE_COLOR` decide before the terminal does."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def tell(text: str, *, colour: str | None = None) -> None:
    """Write a line to stderr."""
    click.echo(click.style(text, fg=colour) if colour else text, err=True, color=wants_colour(sys.stderr))


def tell_at_once(text: str) -> None:
    """Write a line to stderr from a signal handler: past Python's buffer, which the signal may have interrupted."""
    if sys.stderr is not None:  # else the number may by now be a file's or a connection's
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), f"{text}\n".encode())
