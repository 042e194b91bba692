"""The report for a pull request's comment: a table of what differs, a collapsible section per assistant.

Pure: a document goes in, Markdown comes out, in GitHub's flavour. Nothing that a definition or the API wrote
acts as markup, mentions anybody or becomes a link. Where room is short, sections go before rows of the table,
and rows become shorter before they go.
"""

import bisect
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from reconciler.report import wording
from reconciler.report.direction import fields_in_brief
from reconciler.report.document import AssistantEntry, Document
from reconciler.report.inert import code, cut, inline, shortened
from reconciler.report.page import Page, size
from reconciler.report.section import BRIEF, FULL, LONGEST_SENTENCE, SHORT, Detail, section
from reconciler.report.values import escape

MARKDOWN_LIMIT = 65_000
CLOSING = 300  # characters kept for the note on what is left out

LONGEST_HEADING = 100
SMALLEST_LIMIT = 1_000
_ORIGINS = {"conflict": "both", "drift": "edited live", "change": "git"}


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


def render_markdown(document: Document, *, limit: int = MARKDOWN_LIMIT, measure: Callable[[str], int] = size) -> str:
    """Return the report as Markdown of at most `limit` characters (1,000 at least), counted in UTF-16 units.

    `measure` counts them otherwise, `page.byte_size` for a file that is limited in bytes.

    Trouble comes first, then conflicts, drift and changes; a note at the end says what is left out.
    """
    page = Page(max(limit, SMALLEST_LIMIT) - CLOSING, measure)
    environment = f": {inline(document['environment'][:LONGEST_HEADING])}" if document["environment"] else ""
    page.add("\n\n".join([f"## {inline(wording.heading(document))}{environment}", *_opening(document)]))
    left_out: list[str] = []
    if document["command"] != "validate":
        entries = sorted(filter(wording.is_worth_showing, document["assistants"]), key=_rank)
        left_out += _table(entries, document, page)
        left_out += _problems(document, page)
        left_out += _sections(entries, document, page)
    else:
        left_out += _problems(document, page)
    if left_out:
        page.parts.append(f"_Left out for want of room: {', '.join(left_out)}. The JSON report holds everything._")
    return page.text()


def _rank(entry: AssistantEntry) -> tuple[int, str, str]:
    return wording.importance(entry), entry["file"], entry["key"]


def _opening(document: Document) -> list[str]:
    notes = [] if document["command"] == "validate" else wording.notes(document)
    return [f"**{inline(wording.summary_line(document))}**", *map(inline, notes)]


def _table(entries: Sequence[AssistantEntry], document: Document, page: Page) -> list[str]:
    """Add the table of assistants, its rows as full as they can all be; return what is left out, in words.

    It takes two thirds of the page at most, so that the first sections have room, unless the mere names
    need more.
    """
    if not entries:
        return []
    most = page.room * 2 // 3
    titles = Counter(map(wording.title, entries))
    shared = frozenset(title for title, number in titles.items() if number > 1)

    def needed(width: _Width) -> int:
        return page.measure("\n".join([*_head(width), *(_row(entry, document, width) for entry in entries)]))

    chosen = next((width for width in _WIDE if needed(width) <= most), None)
    if chosen is None:
        names = range(_SHORTEST_NAME, _LONGEST_NAME + 1)
        fitting = bisect.bisect_right(names, most, key=lambda name: needed(_Width(name, by_key=shared)))
        chosen = _Width(names[max(fitting - 1, 0)], by_key=shared)
    missing = page.add_lines(_head(chosen), [_row(entry, document, chosen) for entry in entries])
    return [wording.counted(missing, "more assistant")] if missing else []


def _head(width: _Width) -> list[str]:
    titles = ["Assistant", *(["File"] if width.file else []), "What", "Origin"]
    return [_cells(titles), _cells(["---"] * len(titles))]


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(entry: AssistantEntry, document: Document, width: _Width) -> str:
    kinds = {change["kind"] for change in entry["changes"]}
    origins = ", ".join(words for kind, words in _ORIGINS.items() if kind in kinds)
    if document["command"] == "rollback":
        origins = "rollback"
    title = wording.title(entry)
    name = entry["key"] if title in width.by_key else title
    cells = [inline(shortened(escape(name), width.name))]
    if width.file:
        cells.append(code(entry["file"]))
    what = inline(wording.standing(entry))
    if width.fields:
        what += _told(entry, document)
    return _cells([*cells, what, origins])


def _told(entry: AssistantEntry, document: Document) -> str:
    """Return the first fields that differ, or what is wrong, for a row of the table; it follows what the row says."""
    if error := entry["error"]:
        return ": " + inline(cut(wording.error_in_brief(error, document), LONGEST_SENTENCE))
    told = ""
    for words, names, more in fields_in_brief(entry, document):
        told += f"{'; ' if words else ': '}{words}" + ", ".join(code(cut(name, LONGEST_SENTENCE)) for name in names)
        told += f" and {more} more" if more else ""
    return told


def _problems(document: Document, page: Page) -> list[str]:
    """Add the warnings of the run and the findings in definition files; return what is left out, in words."""
    warnings = [f"- Warning: {inline(cut(text.strip(), LONGEST_SENTENCE))}" for text in document["warnings"]]
    gone = [f"- No longer managed: {inline(text)}: {wording.GONE}" for text in wording.gone(document)]
    missing = page.add_lines([], warnings)
    unnamed_gone = page.add_lines([], gone)
    rows = [
        _cells(
            [
                code(f"{problem['file']}:{problem['line']}:{problem['column']}"),
                ("warning: " if problem["severity"] == "warning" else "")
                + inline(cut(problem["message"].strip(), LONGEST_SENTENCE)),
            ]
        )
        for problem in document["problems"]
    ]
    unnamed = page.add_lines([_cells(["Place", "Problem"]), _cells(["---", "---"])], rows) if rows else 0
    return [
        *([wording.counted(missing, "warning")] if missing else []),
        *([wording.counted(unnamed_gone, "removed definition")] if unnamed_gone else []),
        *([wording.counted(unnamed, "problem")] if unnamed else []),
    ]


def _sections(entries: Sequence[AssistantEntry], document: Document, page: Page) -> Iterator[str]:
    """Add the sections, each as full as it fits; yield what is left out, in words."""
    told: Counter[Detail] = Counter()
    for place, entry in enumerate(entries):
        tried = (FULL, SHORT, BRIEF) if told[SHORT] + told[BRIEF] < _PATIENCE else (BRIEF,)
        detail = next((detail for detail in tried if _added(section(entry, document, detail), page)), None)
        if detail is None:
            yield wording.counted(len(entries) - place, "section")
            break
        told[detail] += 1
    if told[SHORT]:
        yield "parts of long texts in " + wording.counted(told[SHORT], "section")
    if told[BRIEF]:
        yield "the values in " + wording.counted(told[BRIEF], "section")


def _added(part: str, page: Page) -> bool:
    """Add a section; one that is empty needs no room."""
    return not part or page.add(part)
