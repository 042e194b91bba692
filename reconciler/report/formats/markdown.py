"""The report for a pull request's comment: a table of differences, a collapsible section per card, notes.

This is GitHub's Markdown. No text of a definition or the API becomes markup, a mention or a link. If space is short,
sections are left out before rows of the table, and rows are shortened before they are left out. Pure.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from reconciler.core.outcome import Kind
from reconciler.report import wording
from reconciler.report.cards import Card
from reconciler.report.differences.sentences import describe_missing_lines
from reconciler.report.formats.inert import code, cut, inline, shorten_middle
from reconciler.report.formats.page import Page, find_share, measure_utf16
from reconciler.report.formats.section import ELSEWHERE, LONGEST_SENTENCE, head_table, join_cells, render_section
from reconciler.report.remarks import Note, write_place
from reconciler.report.report import ProblemEntry
from reconciler.report.view import View

MARKDOWN_LIMIT = 65_000
CLOSING = 300  # characters reserved for the note about what is left out
LONGEST_HEADING = 100
SMALLEST_LIMIT = 1_000
_ORIGINS: dict[Kind, str] = {Kind.CONFLICT: "both sides", Kind.DRIFT: "dashboard", Kind.CHANGE: "git"}
_FRAME = 1_000  # characters of a section besides its long texts: names, short values, remarks
_HEAD, _LINE = 300, 100  # characters of a usual section without its lines, and of a changed line, roughly
_SHORT = 1_500  # characters of the long texts in a shortened section
_PATIENCE = 5  # after so many shortened sections, no later one is tried in full


class _Width(NamedTuple):
    """How much of each card a row of the table shows; `name` is the most characters of a name."""

    name: int = 200
    file: bool = False
    fields: bool = False


_WIDTHS = (_Width(file=True, fields=True), _Width(file=True), *map(_Width, (100, 50, 35, 25, 18, 12)))


def render_markdown(view: View, *, limit: int = MARKDOWN_LIMIT, measure: Callable[[str], int] = measure_utf16) -> str:
    """Return the report as Markdown. `limit` is its maximum length as `measure` counts it (at least 1,000)."""
    page = Page(max(limit, SMALLEST_LIMIT) - CLOSING, measure)
    page.add(f"## {inline(cut(view.title, LONGEST_HEADING))}\n\n**{inline(view.totals)}**")
    # Notes come last, and their space is reserved.
    notes = Page(page.room // 4, measure, left_out=page.left_out)
    notes.add_lines([], [f"- {_write_note(note)}" for note in view.comment_notes], "note")
    notes.leave_out(sum(not notes.add(inline(sentence)) for sentence in view.sentences), "note")
    page.room -= sum(measure(part) + 2 for part in notes.parts)
    if not view.lists_problems:
        _add_table(view, page)
    page.add_lines(head_table(["Place", "Problem"]), [_write_problem(problem) for problem in view.problems], "problem")
    if not view.lists_problems:
        _add_sections(view.cards, page)
    page.parts += notes.parts
    if page.lacks:
        # As much detail as there is space for.
        room = page.room + CLOSING - 160 - sum(len(text) + 2 for text in page.left_out)
        page.left_out.append(describe_missing_lines(page.lacks, room, name=code, measure=measure))
    if page.left_out:
        page.parts.append(f"_Left out to fit the size limit: {', '.join(page.left_out)}; {ELSEWHERE}._")
    return "\n\n".join(page.parts) + "\n"


def _write_note(note: Note) -> str:
    about = f": {', '.join(map(code, note.listed_subjects))}" if note.listed_subjects else ""
    return f"{note.label.capitalize()}: {note.write(lambda text: inline(cut(text, LONGEST_SENTENCE)), code)}{about}"


def _write_problem(problem: ProblemEntry) -> str:
    warning = "warning: " if problem.severity == "warning" else ""
    message = inline(cut(problem.message.strip(), LONGEST_SENTENCE))
    return join_cells([code(write_place(problem)), warning + message])


def _add_table(view: View, page: Page) -> None:
    if not view.cards:
        return
    # At most two thirds of the page, so that there is space for the first sections, unless the names alone need more.
    limit = page.room * 2 // 3
    titles = Counter(card.title for card in view.cards)
    # If even the shortest names do not fit, leave out the last rows.
    for width in _WIDTHS:
        head, rows = _head(view, width), [_write_row(card, view, width, titles) for card in view.cards]
        if page.measure("\n".join([*head, *rows])) <= limit:
            break
    page.add_lines(head, rows, "more row of the table", "more rows of the table")


def _head(view: View, width: _Width) -> list[str]:
    origin = ["Origin"] if view.tells_origins else []
    return head_table(["Assistant", "What", *origin, *(["File"] if width.file else [])])


def _write_row(card: Card, view: View, width: _Width, titles: Mapping[str, int]) -> str:
    """Return the row of a card. `titles` says how many cards have a title."""
    origins = card.origin or ", ".join(_ORIGINS[kind] for kind in Kind if kind in card.kinds)
    # Without their files, assistants that share a name have their keys.
    by_key = not width.file and titles[card.title] > 1 and not card.members
    name = wording.show_in(card.entries[0], card.entries[0].key) if by_key else card.title or card.file
    standing = inline(card.standing) + (_name_fields(card) if width.fields else "")
    cells = [inline(shorten_middle(name, width.name)), standing, *([origins] if view.tells_origins else [])]
    # A narrow screen shows only the first columns, and what happened is more important than where.
    return join_cells([*cells, *([", ".join(map(code, card.files))] if width.file else [])])


def _name_fields(card: Card) -> str:
    """Return the first fields that differ, or what is wrong, as the end of a cell in the table."""
    if card.error:
        return ": " + inline(cut(card.error_in_brief, LONGEST_SENTENCE)) if card.error_in_brief else ""
    text = ""
    for words, fields, omitted in card.first_fields:
        names = ", ".join(code(cut(field.name, LONGEST_SENTENCE)) for field in fields)
        text += f"{'; ' if words else ': '}{words}{names}"
        text += f" and {omitted} more" if omitted else ""
    return text


def _share_room(cards: Sequence[Card], room: int) -> int:
    """Return how much space the long texts of a section get at most."""
    sizes = (_HEAD + _LINE * sum(card.changed_lines.values()) for card in cards)
    return max(find_share(sizes, room) - _HEAD, _SHORT)


def _add_sections(cards: Sequence[Card], page: Page) -> None:
    room, parts, left_out = page.room, [*page.parts], [*page.left_out]
    _fill_sections(cards, page, room)
    # If not all of them fit, a few long ones must not take the space of all others.
    if page.lacks or page.left_out != left_out:
        page.room, page.parts, page.left_out = room, parts, left_out
        page.lacks.clear()
        _fill_sections(cards, page, _share_room(cards, room))


def _fill_sections(cards: Sequence[Card], page: Page, share: int) -> None:
    shortened = 0
    for place, card in enumerate(cards):
        # Writing a long section that does not fit is expensive, so this is tried only a few times.
        full = max(min(share, page.room - _FRAME), 1)
        for room in (full, max(min(full, page.room // 2), 1), _SHORT, 0) if shortened < _PATIENCE else (0,):
            text, lacks = render_section(card, room)
            if page.add(text):
                page.lacks += lacks
                shortened += room != full and room in (_SHORT, 0)
                break
        else:
            page.leave_out(len(cards) - place, "section")
            for other in cards[place:]:
                page.lacks += other.changed_lines
            break
