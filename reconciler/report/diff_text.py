"""What two environments differ in, for a person at a terminal: a block per definition, then the totals.

As in a diff against another branch, `-` is the environment that is compared against. Pure.
"""

from collections.abc import Iterator

from reconciler.report import diff_wording
from reconciler.report.colour import Ink, Palette
from reconciler.report.diff_document import DeclaredEntry, DefinitionEntry, DiffDocument, DifferenceEntry
from reconciler.report.layout import Look, Span, painted, paragraph
from reconciler.report.text import diff_lines
from reconciler.report.values import columns, escape, field_name, literal


def render_diff_text(document: DiffDocument, *, colour: bool = False, width: int = 80) -> str:
    """Return the comparison as text that ends in a newline; `width` is the terminal's, in columns."""
    look = Look(Palette(colour), width, verbose=False)
    blocks = [[*_block(entry, document, look)] for entry in document["definitions"] if entry["standing"] != "alike"]
    note = diff_wording.note(document)
    closing = [note] if note else []
    blocks.append([*closing, look.palette.paint(diff_wording.summary_line(document), "bold")])
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _block(entry: DefinitionEntry, document: DiffDocument, look: Look) -> Iterator[str]:
    ink: Ink = "bad" if entry["standing"] == "error" else "changed"
    file: Span = (escape(entry["file"]) + ":", "bold")
    yield from paragraph([file, (" " + diff_wording.standing(entry, document), ink)], look, indent=2)
    if entry["error"] is not None:
        message: list[Span] = [("error:", "bad"), (" " + escape(entry["error"]), "plain")]
        yield from paragraph(message, look, first=[("  ", "plain")], indent=4)
    for difference in entry["differences"]:
        yield f"  {field_name(difference['path'])}:"
        yield from _leaf(difference, document, look)


def _leaf(difference: DifferenceEntry, document: DiffDocument, look: Look) -> Iterator[str]:
    here, there = difference["environment"], difference["against"]
    short = diff_wording.is_short(difference)
    yield from _side(("-", "old"), document["against"], there, look, short=short)
    yield from _side(("+", "new"), document["environment"], here, look, short=short)
    if not short:
        yield from diff_lines(there["value"] if there else None, here["value"] if here else None, look)


def _side(sign: Span, environment: str, side: DeclaredEntry | None, look: Look, *, short: bool) -> Iterator[str]:
    """Yield what one environment declares, and where; what does not fit any more goes to a line of its own."""
    pieces: list[Span] = [(f" {diff_wording.NOT_DECLARED}", "dim")]
    if side is not None and (short or side["value"] is None):
        pieces = [(f" {literal(side['value'])}", "plain"), (f" ({diff_wording.place(side)})", "dim")]
    elif side is not None:
        pieces = [(f" {diff_wording.place(side)}", "dim")]
    line: list[Span] = [("    ", "plain"), sign, (f" {environment}:", "plain")]
    for piece in pieces:
        if sum(columns(text) for text, _ in [*line, piece]) > look.width:
            yield painted(line, look.palette)
            line = [("       ", "plain")]
        line.append(piece)
    yield painted(line, look.palette)
