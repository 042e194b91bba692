"""The report for a pull request's comment: a table of what differs, a collapsible section per assistant.

Pure: a report goes in, Markdown comes out, in GitHub's flavour. Nothing that a definition or the API wrote
acts as markup, mentions anybody or becomes a link. Where room is short, sections go before rows of the table,
and rows become shorter before they go.
"""

import bisect
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from reconciler.core.outcome import Kind
from reconciler.report import wording
from reconciler.report.direction import name_first_fields
from reconciler.report.inert import code, cut, inline, shorten_middle
from reconciler.report.page import Page, measure_utf16
from reconciler.report.report import AssistantEntry, Report
from reconciler.report.section import (
    BRIEF,
    FULL,
    LONGEST_SENTENCE,
    SHORT,
    Detail,
    head_table,
    join_cells,
    render_section,
)
from reconciler.report.totals import name_command, tell_totals
from reconciler.report.values import escape

MARKDOWN_LIMIT = 65_000
CLOSING = 300  # characters reserved for the note on what is left out

LONGEST_HEADING = 100
SMALLEST_LIMIT = 1_000
_ORIGINS: dict[Kind, str] = {Kind.CONFLICT: "both", Kind.DRIFT: "edited live", Kind.CHANGE: "git"}


_LONGEST_NAME, _SHORTEST_NAME = 200, 12
_PATIENCE = 5  # sections that had to be shortened, before no later one is tried whole


@dataclasses.dataclass(frozen=True, slots=True)
class _Width:
    """How much of each assistant a row of the table tells; `by_key` are those that share their name with others."""

    name: int = _LONGEST_NAME
    file: bool = False
    fields: bool = False
    by_key: frozenset[str] = frozenset()


_WIDE = (_Width(file=True, fields=True), _Width(file=True))


def render_markdown(
    report: Report, *, limit: int = MARKDOWN_LIMIT, measure: Callable[[str], int] = measure_utf16
) -> str:
    """Return the report as Markdown of at most `limit` characters (1,000 at least), count_noun in UTF-16 units.

    `measure` counts them otherwise, `page.measure_bytes` for a file that is limited in bytes.

    Errors come first, then conflicts, drift and changes; a note at the end says what is left out.
    """
    page = Page(max(limit, SMALLEST_LIMIT) - CLOSING, measure)
    environment = f": {inline(report.environment[:LONGEST_HEADING])}" if report.environment else ""
    heading = f"## {inline(name_command(report))}{environment}"
    page.add("\n\n".join([heading, f"**{inline(tell_totals(report))}**", *map(inline, wording.list_notes(report))]))
    left_out: list[str] = []
    if report.traits.reads_live:
        entries = sorted(
            filter(wording.is_worth_showing, report.assistants),
            key=lambda entry: (wording.rank_severity(entry), entry.file, entry.key),
        )
        left_out += _add_table(entries, report, page)
        left_out += _add_problems(report, page)
        left_out += _add_sections(entries, report, page)
    else:
        left_out += _add_problems(report, page)
    return close_page(page, left_out)


def close_page(page: Page, left_out: Sequence[str]) -> str:
    """Return the page; where something found no room, its last line says what."""
    if left_out:
        page.parts.append(f"_Left out for want of room: {', '.join(left_out)}. The JSON report holds everything._")
    return page.text()


def _add_table(entries: Sequence[AssistantEntry], report: Report, page: Page) -> list[str]:
    """Add the table of assistants, its rows as full as they can all be; return what is left out, in words.

    It takes two thirds of the page at most, so that the first sections have room, unless the mere names
    need more.
    """
    if not entries:
        return []
    # Names may be shared; where the file finds no room, the key tells such assistants apart.
    most = page.room * 2 // 3
    titles = Counter(map(wording.choose_title, entries))
    shared = frozenset(title for title, number in titles.items() if number > 1)

    def measure_table(width: _Width) -> int:
        return page.measure("\n".join([*_head(width), *(_row(entry, report, width) for entry in entries)]))

    chosen = next((width for width in _WIDE if measure_table(width) <= most), None)
    if chosen is None:
        # The table grows with the room for names, so the most that fits is found by halving.
        names = range(_SHORTEST_NAME, _LONGEST_NAME + 1)
        fitting = bisect.bisect_right(names, most, key=lambda name: measure_table(_Width(name, by_key=shared)))
        chosen = _Width(names[max(fitting - 1, 0)], by_key=shared)
    # Where not even the shortest names fit, the last rows go.
    missing = page.add_lines(_head(chosen), [_row(entry, report, chosen) for entry in entries])
    return [wording.count_noun(missing, "more assistant")] if missing else []


def _head(width: _Width) -> list[str]:
    return head_table(["Assistant", *(["File"] if width.file else []), "What", "Origin"])


def _row(entry: AssistantEntry, report: Report, width: _Width) -> str:
    origins = ", ".join(_ORIGINS[kind] for kind in Kind if kind in entry.kinds)
    title = wording.choose_title(entry)
    name = entry.key if title in width.by_key else title
    cells = [inline(shorten_middle(escape(name), width.name))]
    if width.file:
        cells.append(code(entry.file))
    what = inline(wording.tell_standing(entry))
    if width.fields:
        what += _tell_more(entry, report)
    return join_cells([*cells, what, report.traits.origin or origins])


def _tell_more(entry: AssistantEntry, report: Report) -> str:
    """Return the first fields that differ, or what is wrong, for a row of the table; it follows what the row says."""
    if error := entry.error:
        return ": " + inline(cut(wording.tell_error_in_brief(error, report), LONGEST_SENTENCE))
    text = ""
    for words, names, more in name_first_fields(entry):
        text += f"{'; ' if words else ': '}{words}" + ", ".join(code(cut(name, LONGEST_SENTENCE)) for name in names)
        text += f" and {more} more" if more else ""
    return text


def _add_problems(report: Report, page: Page) -> Iterator[str]:
    """Add the warnings of the run and the problems in definition files; yield what is left out, in words."""
    warnings = [f"- Warning: {inline(cut(text.strip(), LONGEST_SENTENCE))}" for text in report.warnings]
    gone = [f"- No longer managed: {inline(text)}: {wording.GONE}" for text in wording.list_gone(report)]
    rows = [
        join_cells(
            [
                code(wording.tell_place(problem)),
                ("warning: " if problem.severity == "warning" else "")
                + inline(cut(problem.message.strip(), LONGEST_SENTENCE)),
            ]
        )
        for problem in report.problems
    ]
    table = head_table(["Place", "Problem"])
    lists = [("warning", list[str](), warnings), ("removed definition", [], gone), ("problem", table, rows)]
    for name, head, lines in lists:
        if lines and (missing := page.add_lines(head, lines)):
            yield wording.count_noun(missing, name)


def _add_sections(entries: Sequence[AssistantEntry], report: Report, page: Page) -> Iterator[str]:
    """Add the sections, each as full as it fits; yield what is left out, in words."""
    shown: Counter[Detail] = Counter()
    for place, entry in enumerate(entries):
        # To write a long section only to find no room for it costs much, so that is not tried for ever.
        tried = (FULL, SHORT, BRIEF) if shown[SHORT] + shown[BRIEF] < _PATIENCE else (BRIEF,)
        detail = next((detail for detail in tried if page.add(render_section(entry, report, detail))), None)
        if detail is None:
            yield wording.count_noun(len(entries) - place, "section")
            break
        shown[detail] += 1
    if shown[SHORT]:
        yield "parts of long texts in " + wording.count_noun(shown[SHORT], "section")
    if shown[BRIEF]:
        yield "the values in " + wording.count_noun(shown[BRIEF], "section")
