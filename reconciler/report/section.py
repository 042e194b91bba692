"""One assistant in a pull request's comment: before and after, long texts as diffs, remarks. Pure.

Drift and conflicts stand apart from changes; beside some fields stands what a change means in plain words.
"""

import dataclasses
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.outcome import Kind
from reconciler.report import wording
from reconciler.report.commands import Sides
from reconciler.report.diffs import DiffLine, diff_values
from reconciler.report.direction import group_changes, name_group, name_sides
from reconciler.report.inert import code, cut, fence, html_code, inline
from reconciler.report.meaning import tell_meaning
from reconciler.report.report import AssistantEntry, ChangeEntry, Report
from reconciler.report.values import field_name, fits_on_a_line, literal

LONGEST_SENTENCE = 1_000
BRIEF_SENTENCE = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Detail:
    """How much a section tells, in characters: of each long text's diff (0: no values at all), of each sentence."""

    diff: int
    sentence: int


FULL = Detail(diff=1_000_000, sentence=LONGEST_SENTENCE)
SHORT = Detail(diff=1_500, sentence=LONGEST_SENTENCE)
BRIEF = Detail(diff=0, sentence=BRIEF_SENTENCE)

_REMARKS = {
    "set by": "Set by",
    "error": "**Error:**",
    "not shown live": "**Not shown live:**",
    "warning": "**Warning:**",
    "released": "Released:",
    "ignored": "Ignored:",
    "enforced": "Enforced:",
    "frozen": "Frozen:",
}
_WIDTH = 96  # columns of a comment on GitHub, about
_WRAPPER = textwrap.TextWrapper(
    _WIDTH,
    subsequent_indent="    ",
    expand_tabs=False,
    replace_whitespace=False,
    break_long_words=False,
    break_on_hyphens=False,
)
_COMMIT = re.compile(r"[0-9a-f]{7}")


def render_section(entry: AssistantEntry, report: Report, detail: Detail = FULL) -> str:
    """Return the collapsible section of one assistant; a brief one only names the fields that differ.

    Empty for an assistant of which the table has said everything.
    """
    name = inline(cut(wording.choose_title(entry), BRIEF_SENTENCE))
    names = ", ".join(code(cut(field_name(change.path), BRIEF_SENTENCE)) for change in entry.changes)
    parts = _show_groups(entry, report, detail.diff) if detail.diff else [f"Differs in {names}" if names else ""]
    body = [part for part in (*parts, "\n".join(_list_remarks(entry, detail.sentence))) if part]
    return fold(f"<b>{name}</b>: {inline(wording.tell_standing(entry))} ({html_code(entry.file)})", body)


def fold(summary: str, body: Sequence[str]) -> str:
    """Return parts of Markdown that a click on their summary unfolds; nothing where there are none."""
    return "\n\n".join([f"<details>\n<summary>{summary}</summary>", *body, "</details>"]) if body else ""


def join_cells(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def head_table(titles: Sequence[str]) -> list[str]:
    """Return the two rows that begin a table."""
    return [join_cells(titles), join_cells(["---"] * len(titles))]


def _show_groups(entry: AssistantEntry, report: Report, longest: int) -> Iterator[str]:
    updated = wording.tell_last_update(entry)
    for group in group_changes(entry):
        names = name_sides(group[0], entry, report)
        aside = f", {inline(updated)}" if updated and group[0].kind is not Kind.CHANGE else ""
        yield f"**{name_group(group, entry, report)}**{aside}"
        # Short values read best as columns; a long one would make the table unreadable.
        if short := [change for change in group if _is_short(change)]:
            yield _show_table(short, names)
        for change in group:
            if not _is_short(change):
                yield from _show_diffs(change, names, longest)


def _is_short(change: ChangeEntry) -> bool:
    return all(map(fits_on_a_line, (change.desired, change.before, change.moved_from)))


def _show_table(changes: Sequence[ChangeEntry], names: Sides) -> str:
    """Return the differences of one kind side by side."""
    based = any(change.moved_from is not None for change in changes)
    rows = head_table(["Field", *([names.moved_from] if based else []), names.before, names.after])
    for change in changes:
        live, desired = _show_value(change.before), _show_value(change.desired)
        words = tell_difference(change)
        # What a change means is said beside the value that somebody moved to.
        if words and change.kind is Kind.DRIFT:
            live += f" ({words})"
        elif words:
            desired += f" ({words})"
        base = [_show_value(change.moved_from)] if based else []
        rows.append(join_cells([code(field_name(change.path)), *base, live, desired]))
    return "\n".join(rows)


def _show_value(value: Any) -> str:
    return "not set" if value is None else code(literal(value))


def tell_difference(change: ChangeEntry) -> str:
    """Return what a difference means: what git's change will do, or what the live edit did.

    Where what is hidden makes both sides read alike, that they differ is said, too.
    """
    live, desired = change.before, change.desired
    before, after = (desired, live) if change.kind is Kind.DRIFT else (live, desired)
    words = tell_meaning(change.path, before, after)
    alike = fits_on_a_line(live) and literal(live) == literal(desired)
    return "; ".join(filter(None, [words, wording.NOT_SHOWN if alike else ""]))


def _show_diffs(change: ChangeEntry, names: Sides, longest: int) -> Iterator[str]:
    """Yield a difference of long values: its field, then the diff; for a conflict one for each side."""
    live, desired, base = change.before, change.desired, change.moved_from
    words = tell_difference(change)
    name = code(field_name(change.path)) + (f" ({words})" if words else "")
    ways = [(names.live_moved, base, live), (names.git_moved, base, desired)]
    for way, old, new in ways if base is not None else [(names.way, live, desired)]:
        yield f"{name}, {way}:"
        yield fence_diff(old, new, longest)


def fence_diff(old: Any, new: Any, longest: int = FULL.diff) -> str:
    """Return what differs between two long values as a block of code that GitHub colours, of about `longest`."""
    lines = [text for line in diff_values(old, new) for text in _split_line(line)]
    return fence(_cut_lines(lines, longest), "diff") if lines else f"_{wording.SENSITIVE_DIFFERS}_"


def _cut_lines(lines: list[str], longest: int) -> list[str]:
    """Return the first lines, as many as fit and at least the first, with a count of the others."""
    room, fitting = longest, 0
    while fitting < len(lines) and (room := room - len(lines[fitting]) - 1) >= 0:
        fitting += 1
    if fitting == len(lines):
        return lines
    # A block with nothing but a count would not even say which text is meant.
    fitting = max(fitting, 1)
    first = [cut(line, longest) for line in lines[:fitting]]
    more = len(lines) - fitting
    return [*first, f"  \u2026 {wording.count_noun(more, 'more line')}"] if more else first


def _split_line(line: DiffLine) -> Iterator[str]:
    """Yield a line as GitHub colours it: one that changed within as its old and new version."""
    sides = {"gap": [(" ", line.old)], "~": [("-", line.old), ("+", line.new)]}
    for sign, pieces in sides.get(line.sign, [(line.sign, line.pieces)]):
        text = "".join(piece.text for piece in pieces)
        # Nobody should have to scroll sideways. The wrapper looks at each character, and most lines are short.
        parts = [text] if len(text) <= _WIDTH or line.sign == "gap" else _WRAPPER.wrap(text)
        yield from (f"{sign} {part}" for part in parts)


def _list_remarks(entry: AssistantEntry, longest: int) -> list[str]:
    def write(text: str) -> str:
        return inline(cut(text, longest))

    def name(pointer: str) -> str:
        return code(cut(field_name(pointer), longest))

    def name_setter(who: str) -> str:
        # The commit is of this repository, and the one thing that GitHub may make a link.
        commit, comma, rest = cut(who, longest).partition(",")
        return (commit if _COMMIT.fullmatch(commit) else inline(commit)) + comma + inline(rest)

    found = [
        (remark.label, wording.write_remark(remark, name_setter if remark.label == "set by" else write, name))
        for remark in wording.list_remarks(entry)
    ]
    if errors := wording.tell_error(entry):
        found.append(("error", "<br>".join(map(write, errors))))
    return [f"- {_REMARKS[label]} {text}" for label, text in sorted(found, key=lambda one: [*_REMARKS].index(one[0]))]
