"""One assistant in a pull request's comment: before and after, long texts as diffs, remarks. Pure.

Drift and conflicts stand apart from changes; beside some fields stands what a change means in plain words.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.report import wording
from reconciler.report.diffs import DiffLine, diff_values
from reconciler.report.document import AssistantEntry, ChangeEntry, ChangeKind
from reconciler.report.inert import code, cut, fenced, html_code, inline
from reconciler.report.meaning import meaning
from reconciler.report.values import field_name, fits_on_a_line, literal

LONGEST_SENTENCE = 1_000
BRIEF_SENTENCE = 200

_TITLES: dict[ChangeKind, str] = {
    "conflict": "**In conflict: git and live both moved**",
    "drift": "**Edited live (drift)**",
    "change": "**Changed in git**",
}


def section(entry: AssistantEntry, *, brief: bool = False) -> str:
    """Return the collapsible section of one assistant; a brief one only names the fields that differ.

    Empty for an assistant of which the table has said everything.
    """
    name = inline(cut(wording.title(entry), BRIEF_SENTENCE))
    summary = f"<b>{name}</b>: {inline(wording.standing(entry))} ({html_code(entry['file'])})"
    parts = _names(entry["changes"]) if brief else _groups(entry["changes"], wording.last_updated(entry))
    remarks = "\n".join(_remarks(entry, BRIEF_SENTENCE if brief else LONGEST_SENTENCE))
    body = [*parts, *([remarks] if remarks else [])]
    if not body:
        return ""
    return "\n\n".join(["<details>\n<summary>" + summary + "</summary>", *body, "</details>"])


def _names(changes: Sequence[ChangeEntry]) -> Iterator[str]:
    names = [code(cut(field_name(change["path"]), BRIEF_SENTENCE)) for change in changes]
    if names:
        yield "Differs in " + ", ".join(names)


def _groups(changes: Sequence[ChangeEntry], updated: str) -> Iterator[str]:
    for kind, title in _TITLES.items():
        group = [change for change in changes if change["kind"] == kind]
        if group:
            yield title + (f", {inline(updated)}" if updated and kind != "change" else "")
            yield from _group(group)


def _group(changes: Sequence[ChangeEntry]) -> Iterator[str]:
    short = [change for change in changes if _is_short(change)]
    if short:
        yield _table(short)
    for change in changes:
        if not _is_short(change):
            yield from _long(change)


def _is_short(change: ChangeEntry) -> bool:
    return all(fits_on_a_line(value) for value in (change["desired"], change.get("live"), _moved_from(change)))


def _moved_from(change: ChangeEntry) -> Any:
    """Return the base of a conflict; of no other difference, since there it equals one of the two sides."""
    return change.get("base") if change["kind"] == "conflict" else None


def _table(changes: Sequence[ChangeEntry]) -> str:
    based = any(_moved_from(change) is not None for change in changes)
    rows = [["Field", *(["Both moved from"] if based else []), "Live", "Definition"]]
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
    """Return what a difference means: what git's change will do, or what the live edit did."""
    live, desired = change.get("live"), change["desired"]
    before, after = (desired, live) if change["kind"] == "drift" else (live, desired)
    return meaning(change["path"], before, after)


def _long(change: ChangeEntry) -> Iterator[str]:
    """Return a difference of long values: its field, then the diff; for a conflict one for each side."""
    live, desired = change.get("live"), change["desired"]
    words = in_words(change)
    name = code(field_name(change["path"])) + (f" ({words})" if words else "")
    if (base := _moved_from(change)) is None:
        yield f"{name}, from live to definition:"
        yield fenced_diff(live, desired)
        return
    yield f"{name}, live moved:"
    yield fenced_diff(base, live)
    yield f"{name}, git moved:"
    yield fenced_diff(base, desired)


def fenced_diff(old: Any, new: Any) -> str:
    """Return what differs between two long values as a block of code that GitHub colours."""
    lines = [text for line in diff_values(old, new) for text in _plain_lines(line)]
    return fenced(lines, "diff") if lines else f"_{wording.SENSITIVE_DIFFERS}_"


def _plain_lines(line: DiffLine) -> Iterator[str]:
    """Return a line as GitHub colours it: one that changed within as its old and new version."""
    if line.sign == "gap":
        yield "  " + line.pieces[0].text
    elif line.sign == "~":
        yield "- " + "".join(piece.text for piece in line.pieces if piece.mark != "new")
        yield "+ " + "".join(piece.text for piece in line.pieces if piece.mark != "old")
    else:
        yield f"{line.sign} " + "".join(piece.text for piece in line.pieces)


def _remarks(entry: AssistantEntry, longest: int) -> Iterator[str]:
    for who, fields in wording.set_by(entry):
        yield f"- Set by {inline(cut(who, longest))}" + (f": {_fields(fields, longest)}" if fields else "")
    for error in wording.error_lines(entry):
        yield f"- **Error:** {inline(cut(error, longest))}"
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


def _fields(pointers: Sequence[str], longest: int) -> str:
    return ", ".join(code(cut(field_name(pointer), longest)) for pointer in pointers)
