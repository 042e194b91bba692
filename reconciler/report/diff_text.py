"""What two environments differ in, for a person at a terminal: a block per definition, then the totals.

As in a diff against another branch, `-` is the environment that is compared against. Pure.
"""

from collections.abc import Iterator

from reconciler.report.diff_report import NOT_DECLARED, DeclaredEntry, DefinitionEntry, DifferenceEntry, DiffReport
from reconciler.report.layout import Ink, Look, Span, break_line
from reconciler.report.text import head_block, join_blocks, label, show_diff
from reconciler.report.values import escape, field_name, literal

_MARGIN = 8


def render_diff_text(report: DiffReport, *, colour: bool = False, width: int = 80) -> str:
    """Return the comparison as text that ends in a newline; `width` is the terminal's, in columns."""
    look = Look(colour, width)
    blocks = [[*_show_definition(entry, report, look)] for entry in report.definitions if entry.standing != "alike"]
    blocks.append([*report.list_notes(), look.paint(report.tell_totals(), "bold")])
    return join_blocks(blocks)


def _show_definition(entry: DefinitionEntry, report: DiffReport, look: Look) -> Iterator[str]:
    ink: Ink = "bad" if entry.standing == "error" else "changed"
    yield from head_block(escape(entry.file), report.tell_standing(entry), ink, look)
    if entry.error is not None:
        yield from label("error:", entry.error, look, ink="bad")
    for difference in entry.differences:
        yield f"  {field_name(difference.path)}:"
        yield from _show_side(("-", "old"), report.against, difference.against, difference, look)
        yield from _show_side(("+", "new"), report.environment, difference.environment, difference, look)
        if not difference.is_short:
            yield from show_diff(*difference.values, look)


def _show_side(
    sign: Span, environment: str, side: DeclaredEntry | None, difference: DifferenceEntry, look: Look
) -> list[str]:
    """Return what one environment declares, and where; what does not fit any more goes to a line of its own."""
    pieces: list[Span] = [(f" {NOT_DECLARED}", "dim")]
    if side is not None and (difference.is_short or side.value is None):
        pieces = [(f" {literal(side.value)}", "plain"), (f" ({side.place})", "dim")]
    elif side is not None:
        pieces = [(f" {side.place}", "dim")]
    head: list[Span] = [("    ", "plain"), sign, (f" {environment}:", "plain")]
    return break_line(head, pieces, look, _MARGIN)
