"""One assistant in a pull request's comment: before and after, long texts as diffs, remarks. Pure.

Drift and conflicts stand apart from changes; beside some fields stands what a change means in plain words.
"""

import dataclasses
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.report import wording
from reconciler.report.diffs import DiffLine, diff_values
from reconciler.report.direction import Sides, group_title, sides
from reconciler.report.document import AssistantEntry, ChangeEntry, ChangeKind, Document
from reconciler.report.inert import code, cut, fenced, html_code, inline
from reconciler.report.meaning import meaning
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

_KINDS: tuple[ChangeKind, ...] = ("conflict", "drift", "change")
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


def section(entry: AssistantEntry, document: Document, detail: Detail = FULL) -> str:
    """Return the collapsible section of one assistant; a brief one only names the fields that differ.

    Empty for an assistant of which the table has said everything.
    """
    name = inline(cut(wording.title(entry), BRIEF_SENTENCE))
    summary = f"<b>{name}</b>: {inline(wording.standing(entry))} ({html_code(entry['file'])})"
    parts = _groups(entry, document, detail.diff) if detail.diff else _names(entry["changes"])
    remarks = "\n".join(_remarks(entry, detail.sentence))
    body = [*parts, *([remarks] if remarks else [])]
    if not body:
        return ""
    return "\n\n".join(["<details>\n<summary>" + summary + "</summary>", *body, "</details>"])


def _names(changes: Sequence[ChangeEntry]) -> Iterator[str]:
    names = [code(cut(field_name(change["path"]), BRIEF_SENTENCE)) for change in changes]
    if names:
        yield "Differs in " + ", ".join(names)


def _groups(entry: AssistantEntry, document: Document, longest: int) -> Iterator[str]:
    updated = wording.last_updated(entry)
    for kind in _KINDS:
        group = [change for change in entry["changes"] if change["kind"] == kind]
        if group:
            yield f"**{group_title(kind, entry, document)}**" + (
                f", {inline(updated)}" if updated and kind != "change" else ""
            )
            yield from _group(group, sides(kind, entry, document), longest)


def _group(changes: Sequence[ChangeEntry], names: Sides, longest: int) -> Iterator[str]:
    short = [change for change in changes if _is_short(change)]
    if short:
        yield _table(short, names)
    for change in changes:
        if not _is_short(change):
            yield from _long(change, names, longest)


def _is_short(change: ChangeEntry) -> bool:
    return all(fits_on_a_line(value) for value in (change["desired"], change.get("live"), _moved_from(change)))


def _moved_from(change: ChangeEntry) -> Any:
    """Return the base of a conflict; of no other difference, since there it equals one of the two sides."""
    return change.get("base") if change["kind"] == "conflict" else None


def _table(changes: Sequence[ChangeEntry], names: Sides) -> str:
    """Return the differences of one kind side by side."""
    based = any(_moved_from(change) is not None for change in changes)
    rows = [["Field", *([names.moved_from] if based else []), names.before, names.after]]
    rows.append(["---"] * len(rows[0]))
    for change in changes:
        live, desired = _value(change.get("live")), _value(change["desired"])
        words = in_words(change)
        if words and change["kind"] == "drift":
            live += f" ({words})"
        elif words:
            desired += f" ({words})"
        base = [_value(_moved_from(change))] if based else []
        rows.append([code(field_name(change["path"])), *base, live, desired])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _value(value: Any) -> str:
    return "not set" if value is None else code(literal(value))


def in_words(change: ChangeEntry) -> str:
    """Return what a difference means: what git's change will do, or what the live edit did.

    Where what is hidden makes both sides read alike, that they differ is said, too.
    """
    live, desired = change.get("live"), change["desired"]
    before, after = (desired, live) if change["kind"] == "drift" else (live, desired)
    words = meaning(change["path"], before, after)
    alike = fits_on_a_line(live) and literal(live) == literal(desired)
    return "; ".join(filter(None, [words, wording.NOT_SHOWN if alike else ""]))


def _long(change: ChangeEntry, names: Sides, longest: int) -> Iterator[str]:
    """Return a difference of long values: its field, then the diff; for a conflict one for each side."""
    live, desired = change.get("live"), change["desired"]
    words = in_words(change)
    name = code(field_name(change["path"])) + (f" ({words})" if words else "")
    if (base := _moved_from(change)) is None:
        yield f"{name}, {names.way}:"
        yield fenced_diff(live, desired, longest)
        return
    yield f"{name}, {names.live_moved}:"
    yield fenced_diff(base, live, longest)
    yield f"{name}, {names.git_moved}:"
    yield fenced_diff(base, desired, longest)


def fenced_diff(old: Any, new: Any, longest: int = FULL.diff) -> str:
    """Return what differs between two long values as a block of code that GitHub colours, of about `longest`."""
    lines = [text for line in diff_values(old, new) for text in _plain_lines(line)]
    return fenced(_begun(lines, longest), "diff") if lines else f"_{wording.SENSITIVE_DIFFERS}_"


def _begun(lines: list[str], longest: int) -> list[str]:
    """Return the first lines, as many as fit and at least the first, with a count of the others."""
    room, kept = longest, 0
    while kept < len(lines) and (room := room - len(lines[kept]) - 1) >= 0:
        kept += 1
    if kept == len(lines):
        return lines
    kept = max(kept, 1)
    first = [cut(line, longest) for line in lines[:kept]]
    return [*first, f"  \u2026 {wording.counted(len(lines) - kept, 'more line')}"] if kept < len(lines) else first


def _plain_lines(line: DiffLine) -> Iterator[str]:
    """Return a line as GitHub colours it: one that changed within as its old and new version."""
    if line.sign == "gap":
        yield "  " + line.pieces[0].text
    elif line.sign == "~":
        yield from _wrapped("-", "".join(piece.text for piece in line.pieces if piece.mark != "new"))
        yield from _wrapped("+", "".join(piece.text for piece in line.pieces if piece.mark != "old"))
    else:
        yield from _wrapped(line.sign, "".join(piece.text for piece in line.pieces))


def _wrapped(sign: str, text: str) -> Iterator[str]:
    """Return a line of a diff as lines that need no scrolling; what was one line is indented from its second on."""
    if len(text) <= _WIDTH:
        yield f"{sign} {text}"
        return
    for part in _WRAPPER.wrap(text):
        yield f"{sign} {part}"


def _remarks(entry: AssistantEntry, longest: int) -> Iterator[str]:
    for who, fields in wording.set_by(entry):
        yield f"- Set by {_setter(cut(who, longest))}" + (f": {_fields(fields, longest)}" if fields else "")
    if errors := wording.error_lines(entry):
        yield "- **Error:** " + "<br>".join(inline(cut(error, longest)) for error in errors)
    if entry["remaining"]:
        yield f"- **Not shown live:** {_fields(entry['remaining'], longest)}"
    for warning in entry["warnings"]:
        yield f"- **Warning:** {inline(cut(warning.strip(), longest))}"
    if entry["released"]:
        yield f"- Released: {_fields(entry['released'], longest)} ({wording.RELEASED})"
    for ignored in entry["ignored"]:
        reason = wording.ignored_reason(ignored["reason"], ignored["expires"])
        aside = f" ({inline(cut(reason, longest))})" if reason else ""
        yield f"- Ignored: {_fields([ignored['path']], longest)}{aside}"


def _setter(who: str) -> str:
    """Return who set a value; the commit is of this repository, and the one thing that GitHub may make a link."""
    commit, comma, rest = who.partition(",")
    return (commit if _COMMIT.fullmatch(commit) else inline(commit)) + comma + inline(rest)


def _fields(pointers: Sequence[str], longest: int) -> str:
    return ", ".join(code(cut(field_name(pointer), longest)) for pointer in pointers)
