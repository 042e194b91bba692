"""What two environments differ in, for a pull request's comment: a table, then a section per definition.

Pure. Nothing that a definition says acts as markup. Where room is short, the last sections go, then the
table's last rows.
"""

from collections.abc import Iterator

from reconciler.report.diff_report import NOT_DECLARED, DeclaredEntry, DefinitionEntry, DiffReport
from reconciler.report.inert import code, cut, html_code, inline
from reconciler.report.markdown import CLOSING, MARKDOWN_LIMIT, close_page
from reconciler.report.page import Page
from reconciler.report.section import LONGEST_SENTENCE, fence_diff, fold, head_table, join_cells
from reconciler.report.values import field_name, literal
from reconciler.report.wording import count_noun


def render_diff_markdown(report: DiffReport, *, limit: int = MARKDOWN_LIMIT) -> str:
    """Return the comparison as Markdown of at most `limit` characters, count_noun in UTF-16 units."""
    page = Page(limit - CLOSING)
    page.add("\n\n".join(["## Diff", f"**{inline(report.tell_totals())}**", *map(inline, report.list_notes())]))
    entries = [entry for entry in report.definitions if entry.standing != "alike"]
    left_out = []
    rows = []
    for entry in entries:
        error = f": {inline(cut(entry.error, LONGEST_SENTENCE))}" if entry.error is not None else ""
        rows.append(join_cells([code(entry.file), inline(report.tell_standing(entry)) + error]))
    if missing := page.add_lines(head_table(["Definition", "What"]), rows):
        left_out.append(count_noun(missing, "row") + " of the table")
    for place, entry in enumerate(differing := [entry for entry in entries if entry.differences]):
        summary = f"{html_code(entry.file)}: {inline(report.tell_standing(entry))}"
        if not page.add(fold(summary, [*_show_table(entry, report), *_show_diffs(entry, report)])):
            left_out.append(count_noun(len(differing) - place, "section"))
            break
    return close_page(page, left_out)


def _show_table(entry: DefinitionEntry, report: DiffReport) -> Iterator[str]:
    """Yield the table of the differences whose values fit into one."""
    rows = [
        join_cells([code(field_name(one.path)), _show_side(one.against), _show_side(one.environment)])
        for one in entry.differences
        if one.is_short
    ]
    if rows:
        yield "\n".join([*head_table(["Field", report.against, report.environment]), *rows])


def _show_side(side: DeclaredEntry | None) -> str:
    return f"{code(literal(side.value))} ({code(side.place)})" if side else NOT_DECLARED


def _show_diffs(entry: DefinitionEntry, report: DiffReport) -> Iterator[str]:
    for one in entry.differences:
        if not one.is_short:
            sides = ((report.against, one.against), (report.environment, one.environment))
            places = [f"{name} ({code(side.place) if side else NOT_DECLARED})" for name, side in sides]
            yield f"{code(field_name(one.path))}, from {' to '.join(places)}:"
            yield fence_diff(*one.values)
