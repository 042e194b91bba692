"""What two environments differ in, for a pull request's comment: a table, then a section per definition.

Pure. Nothing that a definition says acts as markup. Where room is short, the last sections go, then the
table's last rows.
"""

from collections.abc import Iterator

from reconciler.report import diff_wording
from reconciler.report.diff_document import DeclaredEntry, DefinitionEntry, DiffDocument
from reconciler.report.inert import code, cut, html_code, inline
from reconciler.report.markdown import CLOSING, MARKDOWN_LIMIT
from reconciler.report.page import Page
from reconciler.report.section import LONGEST_SENTENCE, fenced_diff
from reconciler.report.values import field_name, literal
from reconciler.report.wording import counted


def render_diff_markdown(document: DiffDocument, *, limit: int = MARKDOWN_LIMIT) -> str:
    """Return the comparison as Markdown of at most `limit` characters, counted in UTF-16 units."""
    page = Page(limit - CLOSING)
    note = diff_wording.note(document)
    opening = ["## Diff", f"**{inline(diff_wording.summary_line(document))}**", *([inline(note)] if note else [])]
    page.add("\n\n".join(opening))
    entries = [entry for entry in document["definitions"] if entry["standing"] != "alike"]
    left_out = []
    rows = [f"| {code(entry['file'])} | {_told(entry, document)} |" for entry in entries]
    if rows and (missing := page.add_lines(["| Definition | What |", "| --- | --- |"], rows)):
        left_out.append(counted(missing, "row") + " of the table")
    sections = [_section(entry, document) for entry in entries if entry["differences"]]
    for place, section in enumerate(sections):
        if not page.add(section):
            left_out.append(counted(len(sections) - place, "section"))
            break
    if left_out:
        page.parts.append(f"_Left out for want of room: {', '.join(left_out)}. The JSON report holds everything._")
    return page.text()


def _told(entry: DefinitionEntry, document: DiffDocument) -> str:
    error = f": {inline(cut(entry['error'], LONGEST_SENTENCE))}" if entry["error"] is not None else ""
    return inline(diff_wording.standing(entry, document)) + error


def _section(entry: DefinitionEntry, document: DiffDocument) -> str:
    summary = f"{html_code(entry['file'])}: {inline(diff_wording.standing(entry, document))}"
    body = [*_short(entry, document), *_long(entry, document)]
    return "\n\n".join(["<details>\n<summary>" + summary + "</summary>", *body, "</details>"])


def _short(entry: DefinitionEntry, document: DiffDocument) -> Iterator[str]:
    """Yield the table of the differences whose values fit into one."""
    rows = [
        f"| {code(field_name(one['path']))} | {_side(one['against'])} | {_side(one['environment'])} |"
        for one in entry["differences"]
        if diff_wording.is_short(one)
    ]
    if rows:
        yield "\n".join(
            [f"| Field | {document['against']} | {document['environment']} |", "| --- | --- | --- |", *rows]
        )


def _side(side: DeclaredEntry | None) -> str:
    if side is None:
        return diff_wording.NOT_DECLARED
    return f"{code(literal(side['value']))} ({code(diff_wording.place(side))})"


def _long(entry: DefinitionEntry, document: DiffDocument) -> Iterator[str]:
    for one in entry["differences"]:
        if diff_wording.is_short(one):
            continue
        here, there = one["environment"], one["against"]
        sides = ((document["against"], there), (document["environment"], here))
        places = [
            f"{name} ({code(diff_wording.place(side)) if side else diff_wording.NOT_DECLARED})" for name, side in sides
        ]
        yield f"{code(field_name(one['path']))}, from {' to '.join(places)}:"
        yield fenced_diff(there["value"] if there else None, here["value"] if here else None)
