"""How the demo speaks: headings, paragraphs, and the commands that it is about to run, within 80 columns."""

import sys
import textwrap

import click

from reconciler.cli.streams import wants_colour

WIDTH = 78


def heading(title: str) -> None:
    """Print a heading."""
    _print(_styled(f"== {title} ".ljust(WIDTH, "="), bold=True), "")


def say(text: str) -> None:
    """Print paragraphs; one with an indented line stays as it is written."""
    for paragraph in textwrap.dedent(text).strip().split("\n\n"):
        as_written = any(line.startswith(" ") for line in paragraph.splitlines())
        _print(paragraph if as_written else textwrap.fill(paragraph, WIDTH), "")


def command_line(line: str) -> None:
    """Print a command as somebody types it."""
    _print(_styled(f"$ {line}", bold=True))


def show(*texts: str) -> None:
    """Print texts as they are."""
    _print(*texts, "")


def remark(text: str) -> None:
    """Print what there is to know about the output above."""
    lines = textwrap.wrap(text, WIDTH, initial_indent="-> ", subsequent_indent="   ")
    show(*(_styled(line, fg="cyan") for line in lines))


def _styled(text: str, *, fg: str | None = None, bold: bool | None = None) -> str:
    return click.style(text, fg=fg, bold=bold) if wants_colour(sys.stdout) else text


def _print(*lines: str) -> None:
    # At once: the commands write to the same terminal.
    print(*lines, sep="\n", flush=True)
