"""What goes where: the report to stdout, everything else to stderr, colour to terminals alone."""

import os
import sys
from typing import TextIO

import click


def wants_colour(stream: TextIO) -> bool:
    """Tell whether a stream gets colour: `NO_COLOR` and `FORCE_COLOR` decide before the terminal does."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def tell(text: str, *, colour: str | None = None) -> None:
    """Write a line to stderr."""
    click.echo(click.style(text, fg=colour) if colour else text, err=True, color=wants_colour(sys.stderr))
