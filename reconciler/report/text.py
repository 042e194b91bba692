"""The report for a person at a terminal: a block per assistant that is not in sync, then the totals.

Pure: a document goes in, a text comes out. All that a definition or the API wrote is escaped on its way.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.report import direction, wording
from reconciler.report.colour import Ink, Palette
from reconciler.report.diffs import DiffLine, Piece, diff_values
from reconciler.report.document import AssistantEntry, ChangeEntry, Document, ProblemEntry
from reconciler.report.layout import Look, Span, painted, paragraph
from reconciler.report.values import columns, escape, field_name, field_names, fits_on_a_line, literal

_INK_OF_KIND: dict[str, Ink] = {"change": "plain", "drift": "changed", "conflict": "bad"}
_INK_OF_SIGN: dict[str, Ink] = {"+": "new", "-": "old", "~": "changed", " ": "plain"}
_INKS_OF_IMPORTANCE: tuple[Ink, ...] = ("bad", "bad", "changed", "changed", "dim")


def render_text(document: Document, *, colour: bool = False, width: int = 80, verbose: bool = False) -> str:
    """Return the report as text that ends in a newline.

    `width` is the terminal's, in columns; `colour` adds ANSI colours; `verbose` also lists the assistants
    that are in sync and shortens no text.
    """
    look = Look(Palette(colour), width, verbose)
    if document["command"] == "validate":
        blocks = [_problems(document["problems"], look)]
    else:
        groups = wording.told_together(filter(wording.is_worth_showing, document["assistants"]))
        blocks = [
            _group(entries, look) if len(entries) > 1 else _block(entries[0], document, look) for entries in groups
        ]
        if verbose:
            blocks.append(_in_sync(document["assistants"], look))
    blocks.append([*_closing(document, look), look.palette.paint(wording.summary_line(document), "bold")])
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def assistant_text(entry: AssistantEntry, document: Document, *, width: int = 100) -> str:
    """Return what the text report says of one of its assistants, without colour and without a line end after it."""
    return "\n".join(_block(entry, document, Look(Palette(on=False), width, verbose=False)))


def _problems(problems: Sequence[ProblemEntry], look: Look) -> list[str]:
    """Return the findings as editors turn them into links: one line each, therefore never wrapped."""
    lines = []
    for problem in problems:
        place = f"{escape(problem['file'])}:{problem['line']}:{problem['column']}:"
        warning = look.palette.paint("warning: ", "changed") if problem["severity"] == "warning" else ""
        lines.append(f"{look.palette.paint(place, 'bold')} {warning}{escape(problem['message'].strip())}".rstrip())
    return lines


def _closing(document: Document, look: Look) -> Iterator[str]:
    for warning in document["warnings"]:
        yield from _labelled("warning:", warning, look, ink="changed", indent=0)
    for definition in wording.gone(document):
        yield from _labelled("no longer managed:", f"{definition}: {wording.GONE}", look, ink="changed", indent=0)
    remarks = wording.environment(document)
    remarks += [] if document["command"] == "validate" else wording.notes(document)
    changes = [change for entry in document["assistants"] for change in entry["changes"]]
    if any(change["kind"] != "change" for change in changes):
        remarks.append(direction.reading(document))
    for remark in remarks:
        yield from paragraph([(remark, "dim")], look)


def _in_sync(entries: Sequence[AssistantEntry], look: Look) -> list[str]:
    return [
        look.palette.paint(f"{escape(entry['file'])}: {wording.standing(entry)}", "dim")
        for entry in entries
        if not wording.is_worth_showing(entry)
    ]


def _group(entries: Sequence[AssistantEntry], look: Look) -> list[str]:
    """Return one block for assistants of which one and the same thing is to be said."""
    head: Span = (f"{len(entries)} assistants:", "bold")
    ink = _INKS_OF_IMPORTANCE[wording.importance(entries[0])]
    lines = paragraph([head, (f" {wording.standing(entries[0])}", ink)], look, indent=2)
    for entry in entries:
        named = escape(f"{entry['file']} ({entry['id']})" if entry["id"] else entry["file"])
        lines += paragraph([(named, "plain")], look, first=[("  ", "plain")], indent=4)
    return [*lines, *_remarks(entries[0], look)]


def _block(entry: AssistantEntry, document: Document, look: Look) -> list[str]:
    ink = _INKS_OF_IMPORTANCE[wording.importance(entry)]
    file: Span = (escape(entry["file"]) + ":", "bold")
    lines = paragraph([file, (" " + wording.standing(entry), ink)], look, indent=2)
    known: list[Span] = [(escape(entry["name"]) + " ", "plain")] if entry["name"] else []
    if entry["id"]:
        known.append((f"({escape(entry['id'])})", "dim"))
    if updated := wording.last_updated(entry):
        known.append((f", {updated}" if known else updated, "dim"))
    lines += paragraph(known, look, first=[("  ", "plain")], indent=2) if known else []
    for change in entry["changes"]:
        lines += _leaf(change, entry, document, look)
    lines += _remarks(entry, look)
    return lines


def _remarks(entry: AssistantEntry, look: Look) -> Iterator[str]:
    for who, fields in wording.set_by(entry):
        yield from _labelled("set by", who + (f": {field_names(fields)}" if fields else ""), look)
    if entry["released"]:
        yield from _labelled("released:", f"{field_names(entry['released'])} ({wording.RELEASED})", look)
    for ignored in entry["ignored"]:
        reason = wording.ignored_reason(ignored["reason"], ignored["expires"])
        yield from _labelled("ignored:", field_name(ignored["path"]) + (f" ({reason})" if reason else ""), look)
    if entry["remaining"]:
        yield from _labelled("not shown live:", field_names(entry["remaining"]), look, ink="bad")
    for warning in entry["warnings"]:
        yield from _labelled("warning:", warning, look, ink="changed")
    message, *more = wording.error_lines(entry) or [""]
    if message:
        yield from _labelled("error:", message, look, ink="bad")
    for line in more:
        yield from paragraph([(line, "plain")], look, first=[("    ", "plain")], indent=4)


def _labelled(label: str, text: str, look: Look, *, ink: Ink = "dim", indent: int = 2) -> list[str]:
    margin: Span = (" " * indent, "plain")
    return paragraph([(label, ink), (" " + escape(text.strip()), "plain")], look, first=[margin], indent=indent + 2)


def _leaf(change: ChangeEntry, entry: AssistantEntry, document: Document, look: Look) -> list[str]:
    """Return one difference: on a line, on two where the second value does not fit any more, or as a diff."""
    live, desired = change.get("live"), change["desired"]
    sign = "-" if desired is None else "+" if live is None else "~"
    head: list[Span] = [
        ("  ", "plain"),
        (sign, _INK_OF_SIGN[sign]),
        (f" {field_name(change['path'])}:", "plain"),
    ]
    remark = _remark(change, direction.origin(change, document))
    if not (fits_on_a_line(live) and fits_on_a_line(desired)):
        return _long_leaf(change, direction.sides(change["kind"], entry, document), remark, head, look)
    old = "" if sign == "+" else " " + literal(live)
    new = " " + literal(desired) if sign == "+" else " -> " + literal(desired)
    margin = 6
    lines: list[list[Span]] = [head]
    spans: list[Span] = [(old, "plain"), (new, "plain"), (remark, _INK_OF_KIND[change["kind"]])]
    for text, ink in spans:
        taken = sum(columns(part) for part, _ in lines[-1])
        if text and taken + columns(text) > look.width and taken > margin:
            lines.append([(" " * (margin - 1), "plain")])
        lines[-1].append((text, ink))
    return [painted(line, look.palette) for line in lines]


def _remark(change: ChangeEntry, origin: str) -> str:
    """Return a difference's origin between brackets; for a conflict also the value that both moved away from."""
    shows_base = change["kind"] == "conflict" and "base" in change and fits_on_a_line(change["base"])
    base = f" from {literal(change['base'])}" if shows_base else ""
    return f" ({origin}{base})" if origin else ""


def _long_leaf(change: ChangeEntry, names: direction.Sides, remark: str, head: list[Span], look: Look) -> list[str]:
    live, desired = change.get("live"), change["desired"]
    lines = paragraph([(remark, _INK_OF_KIND[change["kind"]])], look, first=head, indent=6)
    if change["kind"] != "conflict" or "base" not in change:
        return lines + diff_lines(live, desired, look)
    for side, value in ((names.live_moved, live), (names.git_moved, desired)):
        lines += paragraph([(f"{side}:", "dim")], look, first=[("    ", "plain")])
        lines += diff_lines(change["base"], value, look)
    return lines


def diff_lines(old: Any, new: Any, look: Look) -> list[str]:
    """Return what differs between two long values, as the indented lines below a field's name."""
    lines: list[str] = []
    for line in diff_values(old, new, full=look.verbose):
        if line.sign == "gap":
            lines += paragraph([(line.pieces[0].text, "dim")], look, first=[("        ", "plain")])
        else:
            sign: list[Span] = [("      ", "plain"), (line.sign, _INK_OF_SIGN[line.sign]), (" ", "plain")]
            lines += paragraph(_spans(line, look), look, first=sign, indent=8)
    return lines or paragraph([(wording.SENSITIVE_DIFFERS, "dim")], look, first=[("      ", "plain")], indent=6)


def _spans(line: DiffLine, look: Look) -> list[Span]:
    marked = line.sign == "~" and not look.palette.on
    return [_span(piece, marked=marked) for piece in line.pieces]


def _span(piece: Piece, *, marked: bool) -> Span:
    if piece.mark == "old":
        return (f"[-{piece.text}-]" if marked else piece.text), "old"
    if piece.mark == "new":
        return (f"{{+{piece.text}+}}" if marked else piece.text), "new"
    return piece.text, "dim" if piece.mark == "gap" else "plain"
