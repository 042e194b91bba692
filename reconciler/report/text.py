"""The report for a person at a terminal: a block per assistant that is not in sync, then the totals.

Pure: a report goes in, a text comes out. All that a definition or the API wrote is escaped on its way.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.outcome import Kind, Severity
from reconciler.report import direction, wording
from reconciler.report.commands import Sides
from reconciler.report.diffs import DiffLine, Mark, diff_values
from reconciler.report.excerpt import draw_place
from reconciler.report.layout import Ink, Look, Span, break_line, wrap_paragraph
from reconciler.report.report import AssistantEntry, ChangeEntry, Report
from reconciler.report.totals import tell_totals
from reconciler.report.values import escape, field_name, fits_on_a_line, literal

_INK_OF_KIND: dict[Kind, Ink] = {Kind.CHANGE: "plain", Kind.DRIFT: "changed", Kind.CONFLICT: "bad"}
_INK_OF_SIGN: dict[str, Ink] = {"+": "new", "-": "old", "~": "changed", " ": "plain"}
_INK_OF_SEVERITY: dict[Severity, Ink] = {
    Severity.TROUBLE: "bad",
    Severity.CONFLICT: "bad",
    Severity.DRIFT: "changed",
    Severity.CHANGE: "changed",
    Severity.CALM: "dim",
}
_INK_OF_REMARK: dict[str, Ink] = {"not shown live": "bad", "warning": "changed"}
_INK_OF_MARK: dict[Mark, Ink] = {"old": "old", "new": "new", "gap": "dim", "same": "plain"}
_MARKED: dict[Mark, str] = {"old": "[-{}-]", "new": "{{+{}+}}", "gap": "{}", "same": "{}"}
_MARGIN = 6  # columns before what does not fit on a field's own line any more


def render_text(report: Report, *, colour: bool = False, width: int = 80, verbose: bool = False) -> str:
    """Return the report as text that ends in a newline.

    `width` is the terminal's, in columns; `colour` adds ANSI colours; `verbose` also lists the assistants
    that are in sync and shortens no text.
    """
    look = Look(colour, width, verbose)
    if report.traits.reads_live:
        groups = wording.group_equal_errors(filter(wording.is_worth_showing, report.assistants))
        # What stands in the way of many comes first: a wrong password is one thing to say, whatever else there is.
        groups = sorted(groups, key=lambda entries: len(entries) == 1)
        blocks = [
            _show_group(entries, look) if len(entries) > 1 else _show_assistant(entries[0], report, look)
            for entries in groups
        ]
        if verbose:
            quiet = [entry for entry in report.assistants if not wording.is_worth_showing(entry)]
            blocks.append([look.paint(f"{escape(one.file)}: {wording.tell_standing(one)}", "dim") for one in quiet])
    else:
        blocks = [_list_problems(report, look)]
    blocks.append([*_close(report, look), look.paint(tell_totals(report), "bold")])
    return join_blocks(blocks)


def show_assistant(entry: AssistantEntry, report: Report, *, width: int = 100) -> list[str]:
    """Return the lines that the text report has of one of its assistants, without colour."""
    return _show_assistant(entry, report, Look(colour=False, width=width))


def join_blocks(blocks: Sequence[Sequence[str]]) -> str:
    """Return blocks of lines as a text, with a blank line between two of them and a newline at the end."""
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _list_problems(report: Report, look: Look) -> list[str]:
    """Return the problems as editors turn them into links, never wrapped, each with its line of the file below it."""
    lines = []
    for problem in report.problems:
        place = look.paint(escape(wording.tell_place(problem)) + ":", "bold")
        warning = look.paint("warning: ", "changed") if problem.severity == "warning" else ""
        lines.append(f"{place} {warning}{escape(problem.message.strip())}".rstrip())
        lines += [look.paint(line, "dim") for line in draw_place(problem.source, problem.column)]
    return lines


def _close(report: Report, look: Look) -> Iterator[str]:
    for warning in report.warnings:
        yield from label("warning:", warning, look, ink="changed", indent=0)
    for definition in wording.list_gone(report):
        yield from label("no longer managed:", f"{definition}: {wording.GONE}", look, ink="changed", indent=0)
    notes = [*wording.name_environment(report), *wording.list_notes(report)]
    # Only drift and conflicts make a reader wonder which of the two values is whose.
    if report.kinds - {Kind.CHANGE}:
        notes.append(direction.explain_values(report))
    for note in notes:
        yield from wrap_paragraph([(note, "dim")], look)


def _show_group(entries: Sequence[AssistantEntry], look: Look) -> list[str]:
    """Return one block for assistants of which one and the same thing is to be said: that first, then their files."""
    lines = head_block(f"{len(entries)} assistants", *_describe(entries[0]), look)
    lines += _list_remarks(entries[0], look)
    for entry in entries:
        named = escape(f"{entry.file} ({entry.id})" if entry.id else entry.file)
        lines += wrap_paragraph([(named, "plain")], look, first=[("  ", "plain")], indent=4)
    return lines


def _show_assistant(entry: AssistantEntry, report: Report, look: Look) -> list[str]:
    lines = head_block(escape(entry.file), *_describe(entry), look)
    known: list[Span] = [(escape(entry.name) + " ", "plain")] if entry.name else []
    if entry.id:
        known.append((f"({escape(entry.id)})", "dim"))
    if updated := wording.tell_last_update(entry):
        known.append((f", {updated}" if known else updated, "dim"))
    lines += wrap_paragraph(known, look, first=[("  ", "plain")], indent=2) if known else []
    for change in entry.changes:
        lines += _show_change(change, entry, report, look)
    return [*lines, *_list_remarks(entry, look)]


def head_block(name: str, standing: str, ink: Ink, look: Look) -> list[str]:
    """Return the first line of a block: what it is about, and how that stands."""
    return wrap_paragraph([(f"{name}:", "bold"), (f" {standing}", ink)], look, indent=2)


def _describe(entry: AssistantEntry) -> tuple[str, Ink]:
    return wording.tell_standing(entry), _INK_OF_SEVERITY[wording.rank_severity(entry)]


def _list_remarks(entry: AssistantEntry, look: Look) -> Iterator[str]:
    for remark in wording.list_remarks(entry):
        name = remark.label if remark.label == "set by" else f"{remark.label}:"
        yield from label(name, wording.write_remark(remark), look, ink=_INK_OF_REMARK.get(remark.label, "dim"))
    message, *more = wording.tell_error(entry) or [""]
    if message:
        yield from label("error:", message, look, ink="bad")
    for line in more:
        yield from wrap_paragraph([(line, "plain")], look, first=[("    ", "plain")], indent=4)


def label(name: str, text: str, look: Look, *, ink: Ink = "dim", indent: int = 2) -> list[str]:
    """Return a text of any characters behind its label, as an indented paragraph."""
    margin: Span = (" " * indent, "plain")
    return wrap_paragraph([(name, ink), (" " + escape(text.strip()), "plain")], look, first=[margin], indent=indent + 2)


def _show_change(change: ChangeEntry, entry: AssistantEntry, report: Report, look: Look) -> list[str]:
    """Return one difference: on a line, on two where the second value does not fit any more, or as a diff."""
    live, desired = change.before, change.desired
    sign = "-" if desired is None else "+" if live is None else "~"
    head: list[Span] = [("  ", "plain"), (sign, _INK_OF_SIGN[sign]), (f" {field_name(change.path)}:", "plain")]
    origin = direction.tell_origin(change, report)
    if origin and change.moved_on and fits_on_a_line(change.base):
        origin += f" from {literal(change.base)}"
    remark: Span = (f" ({origin})" if origin else "", _INK_OF_KIND[change.kind])
    if not (fits_on_a_line(live) and fits_on_a_line(desired)):
        lines = wrap_paragraph([remark], look, first=head, indent=_MARGIN)
        return lines + _show_diffs(change, direction.name_sides(change, entry, report), look)
    old = "" if sign == "+" else " " + literal(live)
    new = " " + literal(desired) if sign == "+" else " -> " + literal(desired)
    return break_line(head, [(old, "plain"), (new, "plain"), remark], look, _MARGIN)


def _show_diffs(change: ChangeEntry, names: Sides, look: Look) -> list[str]:
    live, desired = change.before, change.desired
    if not change.moved_on:
        return show_diff(live, desired, look)
    lines = []
    # Two diffs from what both moved away from: a diff of the two sides would not tell who did what.
    for side, value in ((names.live_moved, live), (names.git_moved, desired)):
        lines += wrap_paragraph([(f"{side}:", "dim")], look, first=[("    ", "plain")])
        lines += show_diff(change.base, value, look)
    return lines


def show_diff(old: Any, new: Any, look: Look) -> list[str]:
    """Return what differs between two long values, as the indented lines below a field's name."""
    lines: list[str] = []
    for line in diff_values(old, new, full=look.verbose):
        if line.sign == "gap":
            lines += wrap_paragraph([(line.pieces[0].text, "dim")], look, first=[("        ", "plain")])
        else:
            sign: list[Span] = [("      ", "plain"), (line.sign, _INK_OF_SIGN[line.sign]), (" ", "plain")]
            lines += wrap_paragraph(_colour_pieces(line, look), look, first=sign, indent=8)
    return lines or wrap_paragraph([(wording.SENSITIVE_DIFFERS, "dim")], look, first=[("      ", "plain")], indent=6)


def _colour_pieces(line: DiffLine, look: Look) -> list[Span]:
    # Without colour, brackets must say which words changed within a line.
    marked = line.sign == "~" and not look.colour
    return [
        (_MARKED[piece.mark].format(piece.text) if marked else piece.text, _INK_OF_MARK[piece.mark])
        for piece in line.pieces
    ]
