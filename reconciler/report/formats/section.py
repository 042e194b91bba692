"""One card in a pull request's comment: as much of it as there is space for, and a count of the rest. Pure."""

import dataclasses
import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.dataclass import dataclass
from reconciler.report.cards import Card, Group
from reconciler.report.differences.diffs import DiffLine
from reconciler.report.differences.sentences import Field, describe_missing_lines
from reconciler.report.differences.values import escape
from reconciler.report.formats.inert import begin_paragraph, code, cut, fence, html_code, inline
from reconciler.report.formats.page import find_share, fit_lines, measure_utf16
from reconciler.report.remarks import NOT_LIVE, SET_BY, Remark
from reconciler.report.wording import count_noun

LONGEST_SENTENCE = 1_000
BRIEF_SENTENCE = 200
ELSEWHERE = "the JSON and HTML reports have them"
_WIDTH = 96  # columns of a comment on GitHub, roughly
_WRAPPER = textwrap.TextWrapper(
    _WIDTH,
    subsequent_indent="    ",
    expand_tabs=False,
    replace_whitespace=False,
    break_long_words=False,
    break_on_hyphens=False,
)
# GitHub colours lines with these signs: red, green and, for a line that is partly changed, orange.
_SIGNS = {"~": "!", "gap": " "}
_LABELS = {NOT_LIVE: "**Not live:**", SET_BY: "Set by"}
_COMMIT = re.compile(r"[0-9a-f]{7}")


@dataclass(slots=True)
class Section:
    """An unfinished section: its parts, the space left for long ones, and the missing lines by field."""

    room: int
    share: int  # of the space, for each long text
    parts: list[str] = dataclasses.field(default_factory=list)
    lacks: Counter[str] = dataclasses.field(default_factory=Counter)


def render_section(card: Card, room: int) -> tuple[str, Counter[str]]:
    """Return the collapsible section of a card, and how many lines of which fields are missing.

    `room` is how many characters long texts and names may take. With 0, values are left out and sentences are brief.
    """
    section = Section(room, find_share((_estimate_size(field) for field in card.fields), room) if room else 0)
    for group in card.groups if room else ():
        _add_group(group, section)
    if not room and card.fields:
        section.lacks = card.changed_lines
        section.parts.append(f"Not shown here: {describe_missing_lines(section.lacks, name=code)}.")
    members = _list_members(card.members, section) if card.members else ""
    remarks = "\n".join(_list_remarks(card, LONGEST_SENTENCE if room else BRIEF_SENTENCE))
    # The reason comes first, so that many names do not push it down.
    section.parts += [members, remarks] if card.groups else [remarks, members]
    name = inline(cut(card.title or card.file, BRIEF_SENTENCE))
    file = f" ({html_code(card.file)})" if card.file and card.title else ""
    summary = f"<summary><b>{name}</b>: {inline(card.standing)}{file}</summary>"
    # None for a card that the table already shows in full.
    parts = [*filter(None, section.parts)]
    return "\n\n".join([f"<details>\n{summary}", *parts, "</details>"]) if parts else "", section.lacks


def join_cells(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def head_table(titles: Sequence[str]) -> list[str]:
    """Return the two rows that begin a table."""
    return [join_cells(titles), join_cells(["---"] * len(titles))]


def _add_group(group: Group, section: Section) -> None:
    aside = f", {inline(group.aside)}" if group.aside else ""
    section.parts.append(f"**{inline(group.title)}**{aside}" if group.title else "")
    place = f" ({code(group.place)})" if group.place else ""
    extent = f" in {group.number} assistants{place}" if group.location else ""
    # Sentences form a table. A long text would make it unreadable, so the table ends before it.
    for are_sentences, fields in itertools.groupby(group.fields, lambda field: bool(field.sides)):
        if are_sentences:
            rows = [
                join_cells([code(field.name), code(field.sentence) + extent + _write_meaning(field)])
                for field in fields
            ]
            section.parts.append("\n".join([*head_table(["Field", "What differs"]), *rows]))
            continue
        for field in fields:
            # Marks are written as code, so that they are shown as they are.
            label = code(field.label) if "[-" in field.label else inline(field.label)
            label = f": {label}" if label else ""
            section.parts.append(f"{code(field.name)}{_write_meaning(field)}{label}{extent}")
            if field.lines:
                section.parts.append(_fence_lines(field, section))


def _write_meaning(field: Field) -> str:
    return f" ({inline(field.meaning)})" if field.meaning else ""


def _fence_lines(field: Field, section: Section) -> str:
    """Return as much of a long text's diff as there is space for, with a count of the missing lines."""
    share = min(section.share, section.room)
    lines, lacks, room = fit_lines(field.lines, share, _write_line, measure_utf16)
    section.room -= share - room
    if lacks:
        section.lacks[field.name] += lacks
        omitted = count_noun(lacks, "more line", "more lines")
        lines.append(f"  \u2026 {omitted} of {escape(field.name)}: {ELSEWHERE}")
    return fence(lines, "diff")


def _estimate_size(field: Field) -> int:
    # Writing all lines only to measure them would be expensive. A wrapped line has six more characters for each row.
    lengths = (measure_utf16(line.text) for line in field.lines)
    return sum(length + 3 + length // _WIDTH * 6 for length in lengths)


def _write_line(line: DiffLine, room: int | None) -> list[str]:
    text = line.text if room is None else cut(line.text, max(room * 9 // 10, _WIDTH))
    # Wrap lines, so that readers do not have to scroll sideways. Most lines are short, and wrapping is slow.
    parts = [text] if len(text) <= _WIDTH or line.sign == "gap" else _WRAPPER.wrap(text)
    # The end of a shortened line would look like the end of the line.
    parts = parts if room is None else parts[:-1] or parts
    return [f"{_SIGNS.get(line.sign, line.sign)} {part}" for part in parts]


def _list_members(members: Sequence[str], section: Section) -> str:
    """Return as many names as there is space for, with a count of the others."""
    names: list[str] = []
    room = section.room // 2  # the sections of other assistants need space, too
    for member in members:
        name = inline(member)
        room -= measure_utf16(name) + 2
        if room < 0:
            omitted = len(members) - len(names)
            names.append(f"and {omitted} more" if names else f"{omitted} names")
            break
        names.append(name)
    return begin_paragraph(", ".join(names))


def _list_remarks(card: Card, longest: int) -> Iterator[str]:
    def write(text: str) -> str:
        return inline(cut(text, longest))

    def name_setter(setter: str) -> str:
        # The commit is in this repository. It is the only text that GitHub may turn into a link.
        commit, comma, author = cut(setter, longest).partition(",")
        return (commit if _COMMIT.fullmatch(commit) else inline(commit)) + comma + inline(author)

    def tell(remark: Remark) -> str:
        return remark.write(name_setter if remark.label == SET_BY else write, lambda name: code(cut(name, longest)))

    if card.error:
        yield f"- **Error:** {'<br>'.join(map(write, card.error))}"
    for remark in card.remarks:
        yield f"- {_LABELS.get(remark.label, remark.label.capitalize() + ':')} {tell(remark)}"
