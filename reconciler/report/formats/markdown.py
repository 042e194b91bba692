"""The report for a pull request's comment: a table of what differs, a collapsible section per card, notes.

Pure: a view goes in, Markdown comes out, in GitHub's flavour. Nothing that a definition or the API wrote acts as
markup, mentions anybody or becomes a link. Where room is short, sections go before rows of the table, and rows
become shorter before they go; what is lacking is counted, down to the lines of each field.
"""

import bisect
import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence

from reconciler.core.outcome import Kind
from reconciler.report.cards import Card
from reconciler.report.differences.sentences import tell_lacks
from reconciler.report.differences.values import show_name
from reconciler.report.formats.inert import code, cut, inline, shorten_middle
from reconciler.report.formats.page import Page, measure_utf16
from reconciler.report.formats.section import (
    BRIEF,
    ELSEWHERE,
    LONGEST_SENTENCE,
    SHORT,
    Detail,
    head_table,
    join_cells,
    render_section,
)
from reconciler.report.remarks import Note, tell_place
from reconciler.report.view import View
from reconciler.report.wording import count_noun

MARKDOWN_LIMIT = 65_000
CLOSING = 300  # characters reserved for the note on what is left out

LONGEST_HEADING = 100
SMALLEST_LIMIT = 1_000
_ORIGINS: dict[Kind, str] = {Kind.CONFLICT: "both sides", Kind.DRIFT: "dashboard", Kind.CHANGE: "git"}


_LONGEST_NAME, _SHORTEST_NAME = 200, 12
_FRAME = 1_000  # characters that a section takes beside its long texts: names, short values, remarks
_PATIENCE = 5  # sections that had to be shortened, before no later one is tried whole


@dataclasses.dataclass(frozen=True, slots=True)
class _Width:
    """How much of each card a row of the table tells; `by_key` are the names that several assistants share."""

    name: int = _LONGEST_NAME
    file: bool = False
    fields: bool = False
    by_key: frozenset[str] = frozenset()


_WIDE = (_Width(file=True, fields=True), _Width(file=True))


@dataclasses.dataclass(slots=True)
class _LeftOut:
    """What found no room: things in words, and lines of fields by their number."""

    things: list[str] = dataclasses.field(default_factory=list)
    lines: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, number: int, noun: str, plural: str = "") -> None:
        """Add so many things, if any."""
        if number:
            self.things.append(count_noun(number, noun, plural))


def render_markdown(view: View, *, limit: int = MARKDOWN_LIMIT, measure: Callable[[str], int] = measure_utf16) -> str:
    """Return the report as Markdown of at most `limit` characters (1,000 at least), counted in UTF-16 units.

    `measure` counts them otherwise, `page.measure_bytes` for a file that is limited in bytes.

    Errors come first, then conflicts, drift and changes; a note at the end says what is left out.
    """
    page = Page(max(limit, SMALLEST_LIMIT) - CLOSING, measure)
    page.add(f"## {inline(cut(view.title, LONGEST_HEADING))}\n\n**{inline(view.totals)}**")
    # Notes come last, and are not to be crowded out by what comes before them.
    notes = Page(page.room // 4, measure)
    left_out = _LeftOut()
    _add_notes(view, notes, left_out)
    page.room -= sum(measure(part) + 2 for part in notes.parts)
    if not view.lists_problems:
        _add_table(view, page, left_out)
    _add_problems(view, page, left_out)
    _add_sections(view.cards if not view.lists_problems else (), page, left_out)
    page.parts += notes.parts
    return _close(page, left_out)


def _close(page: Page, left_out: _LeftOut) -> str:
    """Return the page; where something found no room, its last line says what, as exactly as there is room for."""
    if left_out.lines:
        spent = sum(len(thing) + 2 for thing in left_out.things)
        left_out.things.append(tell_lacks(left_out.lines, page.room + CLOSING - spent - 160, name=code))
    if left_out.things:
        page.parts.append(f"_Left out to fit the size limit: {', '.join(left_out.things)}; {ELSEWHERE}._")
    return page.text()


def _add_notes(view: View, page: Page, left_out: _LeftOut) -> None:
    lines = [f"- {_write_note(note)}" for note in view.comment_notes]
    left_out.add(page.add_lines([], lines), "note")
    for sentence in view.sentences:
        left_out.add(not page.add(inline(sentence)), "note")


def _write_note(note: Note) -> str:
    about = f": {', '.join(map(code, note.about))}" if len(note.about) > 1 else ""
    text = f"{note.text} ({len(note.about)} times)" if about else note.text
    place = f"{code(note.about[0])}: " if len(note.about) == 1 else ""
    return f"{note.label.capitalize()}: {place}{inline(cut(text, LONGEST_SENTENCE))}{about}"


def _add_problems(view: View, page: Page, left_out: _LeftOut) -> None:
    rows = [
        join_cells(
            [
                code(tell_place(problem)),
                ("warning: " if problem.severity == "warning" else "")
                + inline(cut(problem.message.strip(), LONGEST_SENTENCE)),
            ]
        )
        for problem in view.problems
    ]
    left_out.add(page.add_lines(head_table(["Place", "Problem"]), rows), "problem")


def _add_table(view: View, page: Page, left_out: _LeftOut) -> None:
    """Add the table of cards, its rows as full as they can all be.

    It takes two thirds of the page at most, so that the first sections have room, unless the mere names
    need more.
    """
    if not view.cards:
        return
    # Names may be shared; where the file finds no room, the key tells such assistants apart.
    most = page.room * 2 // 3
    titles = Counter(card.title for card in view.cards)
    shared = frozenset(title for title, number in titles.items() if number > 1)

    def measure_table(width: _Width) -> int:
        return page.measure("\n".join([*_head(view, width), *(_row(card, view, width) for card in view.cards)]))

    chosen = next((width for width in _WIDE if measure_table(width) <= most), None)
    if chosen is None:
        # The table grows with the room for names, so the most that fits is found by halving.
        names = range(_SHORTEST_NAME, _LONGEST_NAME + 1)
        fitting = bisect.bisect_right(names, most, key=lambda name: measure_table(_Width(name, by_key=shared)))
        chosen = _Width(names[max(fitting - 1, 0)], by_key=shared)
    # Where not even the shortest names fit, the last rows go.
    missing = page.add_lines(_head(view, chosen), [_row(card, view, chosen) for card in view.cards])
    left_out.add(missing, "more row of the table", "more rows of the table")


def _head(view: View, width: _Width) -> list[str]:
    origin = ["Origin"] if view.tells_origins else []
    return head_table(["Assistant", "What", *origin, *(["File"] if width.file else [])])


def _row(card: Card, view: View, width: _Width) -> str:
    origins = ", ".join(_ORIGINS[kind] for kind in Kind if kind in card.kinds)
    by_key = card.title in width.by_key and not card.members
    name = show_name(card.entries[0].key) if by_key else card.title or card.file
    what = inline(card.standing) + (_tell_more(card) if width.fields else "")
    cells = [inline(shorten_middle(name, width.name)), what, *([view.origin or origins] if view.tells_origins else [])]
    # A narrow screen shows the first columns alone, and what happened is read before where it stands.
    if width.file:
        places = dict.fromkeys(group.place for group in card.groups if group.place)
        cells.append(", ".join(map(code, [card.file] if card.file else places)))
    return join_cells(cells)


def _tell_more(card: Card) -> str:
    """Return the first fields that differ, or what is wrong, for a row of the table; it follows what the row says."""
    if card.error:
        return ": " + inline(cut(card.error_in_brief, LONGEST_SENTENCE)) if card.error_in_brief else ""
    text = ""
    for words, fields, more in card.first_fields:
        names = ", ".join(code(cut(field.name, LONGEST_SENTENCE)) for field in fields)
        text += f"{'; ' if words else ': '}{words}{names}"
        text += f" and {more} more" if more else ""
    return text


def _add_sections(cards: Sequence[Card], page: Page, left_out: _LeftOut) -> None:
    """Add the sections, each as full as it fits."""
    shown: Counter[Detail] = Counter()
    for place, card in enumerate(cards):
        # To write a long section only to find no room for it costs much, so that is not tried for ever.
        full, half = (Detail(max(room, 1), LONGEST_SENTENCE) for room in (page.room - _FRAME, page.room // 2))
        tried = (full, half, SHORT, BRIEF) if shown[SHORT] + shown[BRIEF] < _PATIENCE else (BRIEF,)
        for detail in tried:
            text, lacks = render_section(card, detail)
            if page.add(text):
                left_out.lines += lacks
                shown[detail] += 1
                break
        else:
            left_out.add(len(cards) - place, "section")
            for other in cards[place:]:
                for field in other.fields:
                    left_out.lines[field.name] += field.changed
            break
