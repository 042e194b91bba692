"""The report for a person at a terminal: a block for each card, then notes, then the totals. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.outcome import Kind, Urgency
from reconciler.report.cards import Card
from reconciler.report.differences.diffs import DiffLine
from reconciler.report.differences.sentences import Field
from reconciler.report.differences.values import draw_place, escape
from reconciler.report.formats.layout import Ink, Span, Style, break_line, wrap_paragraph
from reconciler.report.remarks import NOT_LIVE, SET_BY, WARNING, Note, write_place
from reconciler.report.view import View

_INK_OF_SIGN: dict[str, Ink] = {"+": "new", "-": "old", "~": "changed", " ": "plain"}
_INK_OF_KIND: dict[Kind, Ink] = {Kind.CHANGE: "dim", Kind.DRIFT: "changed", Kind.CONFLICT: "bad"}
_INKS: tuple[Ink, ...] = ("bad", "bad", "changed", "changed", "dim")
_INK_OF_URGENCY = dict(zip(Urgency, _INKS, strict=True))  # from the most severe to the least
_LABEL_INK: dict[str, Ink] = {"error": "bad", NOT_LIVE: "bad", WARNING: "changed", "no longer managed": "changed"}
_MARGIN = 6  # the indent of text that does not fit on a field's first line


def render_text(view: View, *, colour: bool = False, width: int = 80) -> str:
    """Return the report as text that ends in a newline. `width` is the terminal's, in columns."""
    style = Style(colour, width)
    # A command that only checks files lists its problems. Other commands show them on stderr.
    if view.lists_problems:
        blocks = [_list_problems(view, style)]
    else:
        blocks = [list(show_card(card, style)) for card in view.cards]
    notes = [line for note in view.notes for line in _show_note(note, style)]
    sentences = [line for text in view.sentences for line in wrap_paragraph([(text, "dim")], style)]
    blocks += [notes, [*sentences, style.paint(view.totals, "bold")]]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def show_fields(fields: Iterable[Field]) -> list[str]:
    """Return only the lines about fields of the text report, without colour."""
    return [line for field in fields for line in _show_field(field, "", Style(colour=False, width=80))]


def _list_problems(view: View, style: Style) -> list[str]:
    """Return the problems with their lines of the file. Never wrapped, so that editors make links of them."""
    lines = []
    for problem in view.problems:
        place = style.paint(write_place(problem) + ":", "bold")
        warning = style.paint("warning: ", "changed") if problem.severity == "warning" else ""
        lines.append(f"{place} {warning}{escape(problem.message.strip())}".rstrip())
        lines += [style.paint(line, "dim") for line in draw_place(problem.source_line, problem.column)]
    return lines


def show_card(card: Card, style: Style) -> Iterator[str]:
    """Yield the lines of a card."""
    name = card.file or card.title
    standing = (f" {card.standing}", _INK_OF_URGENCY[card.urgency])
    yield from wrap_paragraph([(f"{name}:", "bold"), standing], style, indent=2)
    has_title = card.entries and not card.members and (card.entries[0].name or card.entries[0].environment)
    identity: list[Span] = [(card.title + " ", "plain")] if has_title else []
    if card.id:
        identity.append((f"({escape(card.id)})", "dim"))
    if aside := next((group.aside for group in card.groups if group.aside), ""):
        identity.append((f", {aside}", "dim"))
    yield from wrap_paragraph(identity, style, first=[("  ", "plain")], indent=2) if identity else []
    for message in card.error[:1]:
        yield from _show_label("error", message, style)
    for line in card.error[1:]:
        yield from wrap_paragraph([(line, "plain")], style, first=[("    ", "plain")], indent=4)
    for group in card.groups:
        title: list[Span] = [(f"{group.title}:", _INK_OF_KIND[group.kind])]
        yield from wrap_paragraph(title, style, first=[("  ", "plain")], indent=4) if group.title else []
        for field in group.fields:
            yield from _show_field(field, group.location, style)
    if card.members:
        names = [*(f"{name}," for name in card.members[:-1]), card.members[-1]]
        yield from break_line([("   ", "plain")], names, style, 4)
    for remark in card.remarks:
        yield from _show_label(remark.label, remark.write(), style)


def _show_field(field: Field, location: str, style: Style) -> Iterator[str]:
    """Yield one field: on one line, on several if a value does not fit, or as a text line by line."""
    head: list[Span] = [("  ", "plain"), (field.sign, _INK_OF_SIGN[field.sign]), (f" {field.name}:", "plain")]
    if field.sides:
        parts = [*(part for side in field.sides for part in side.parts), *([location] if location else [])]
        yield from break_line(head, parts, style, _MARGIN)
        return
    label = ", ".join(filter(None, [field.label, location]))
    yield from wrap_paragraph([(f" {label}", "dim")] if label else [], style, first=head, indent=_MARGIN)
    for line in field.lines:
        yield from _show_line(line, style)


def _show_line(line: DiffLine, style: Style) -> list[str]:
    pieces: list[Span] = [(piece.text, piece.mark) for piece in line.marked_pieces]
    if line.sign == "gap":
        return wrap_paragraph(pieces, style, first=[("        ", "plain")])
    sign: Sequence[Span] = [("      ", "plain"), (line.sign, _INK_OF_SIGN[line.sign]), (" ", "plain")]
    # Indented more than the start of a line, so that a continuation does not look like a new line.
    return wrap_paragraph(pieces, style, first=sign, indent=10)


def _show_note(note: Note, style: Style) -> Iterator[str]:
    yield from _show_label(note.label, note.write(), style, indent=0)
    if note.listed_subjects:
        yield from wrap_paragraph([(", ".join(note.listed_subjects), "dim")], style, first=[("  ", "plain")], indent=2)


def _show_label(name: str, text: str, style: Style, *, indent: int = 2) -> list[str]:
    colon = "" if name == SET_BY else ":"
    spans: list[Span] = [(name + colon, _LABEL_INK.get(name, "dim")), (f" {text}", "plain")]
    return wrap_paragraph(spans, style, first=[(" " * indent, "plain")], indent=indent + 2)
