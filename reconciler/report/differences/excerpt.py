"""Shows a place in a file: the line, with a mark below the character."""

from typing import Final

from reconciler.report.differences.values import columns, escape

_INDENT: Final = "    "
# How much of a long line is shown before the place, and in all. A prompt may well be one line.
_BEFORE: Final = 60
_WIDEST: Final = 100


def draw_place(source: str, column: int) -> list[str]:
    """Return a line of a file and a line with a `^` below a column, which counts from 1; nothing without a line."""
    if not source.strip():
        return []
    at = column - 1
    start = max(0, at - _BEFORE)
    before, behind = source[start:at], source[at : start + _WIDEST]
    shown = ("… " if start else "") + escape(before)
    more = " …" if len(source) > start + _WIDEST else ""
    return [f"{_INDENT}{shown}{escape(behind)}{more}".rstrip(), f"{_INDENT}{' ' * columns(shown)}^"]
