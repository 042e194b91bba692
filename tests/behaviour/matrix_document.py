"""Writes docs/behaviour.md from the behaviour matrix: `python tests/behaviour/matrix_document.py`.

A test fails where the document is not what this writes.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from matrix import ABSENT, FIELDS, MIXED, POLICIES, SITUATIONS, Field, Kind, Policy, Row, Situation, keys, value_at

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "behaviour.md"

INTRODUCTION = """\
# Git against live, case by case

<!-- Written by tests/behaviour/matrix_document.py from the rows that the tests run. Change those, not this page. -->

[Git and live](git.md) explains drift and conflicts with examples. This page is for looking up a single case. Every
row is also a test that runs the real commands, against an API that merges objects and against one that replaces them.

## Who changed what

Three versions of each field that a definition mentions are compared. **Base** is the definition as it was last applied,
**git** is the definition now, and **live** is what the API has. Nothing else is reported or changed.
"""

POLICY_INTRODUCTION = """\
## What `apply` does

`plan` shows what `apply` would do with the same options. *Applied* means that `apply` sends git's values and that live
has them afterwards. *Unchanged* means that nothing is sent, which is not a failure. *Refused* means that nothing is
sent to the assistant, not even its other changes, and that the exit code is 1. A conflict can be [resolved in three
ways](git.md#conflicts-both-changed).
"""

WITHOUT_A_BASE = """\
### Without a base

Without a base, every report says that it is not known which side changed. Every difference counts as a change:
`plan` shows it, and `apply` sends git's value, even over an edit from the dashboard. `--on-drift fail` needs a base,
and exits with 1 without one. `drift` uses the definition itself as the base, so every difference counts as drift.
[`record: true`](configuration.md#record) turns a missing base into an error.
"""

FIELD_INTRODUCTION = """\
## With values

These tables show the line of the text report, and what is sent if git's value is sent: always for a change, with
`--on-drift revert` for drift, and with `--force-conflicts` for a conflict. "(none)" means that the field is missing.
The other cases look the same: as "git changed" if they are a change, else as "nothing changed". These kinds of field
follow the same rules: {others}.
"""

# The fields whose tables teach something that the others do not.
SHOWN = ("text", "number", "list", "phrases", "emptied", "object")
# The situations whose rows differ from all others in those tables.
SHOWN_SITUATIONS = ("nobody", "git", "live", "both", "released")

KIND_WORDS = {"in sync": "in sync", "change": "a change", "drift": "drift", "conflict": "a conflict"}


def report_lines(row: Row, path: str, kind: Kind, *, stays: bool = True) -> list[str]:
    """The lines of a text report for a differing leaf; with `stays` a live edit is left, and reads from git to live."""
    versions = (row.live(), row.definition("desired"), row.definition("base"))
    live, desired, base = (None if (value := value_at(tree, keys(path))) is ABSENT else value for tree in versions)
    name = ".".join(keys(path))
    if kind == "conflict":
        sides = f"was {format_value(base)}, git now has {format_value(desired)}, live now has {format_value(live)}"
        return [f"{_sign(live, desired)} {name}: {sides}"]
    old, new = (desired, live) if kind == "drift" and stays else (live, desired)
    lines = []
    for part, before, after in _parts(name, old, new):
        values = f"{format_value(before)} -> {format_value(after)}"
        if kind == "drift" and stays:
            values = f"git has {format_value(before)}, live now has {format_value(after)}"
        lines.append(f"{_sign(before, after)} {part}: {values}")
    return lines


def _sign(old: object, new: object) -> str:
    return "-" if new is None else "+" if old is None else "~"


def _parts(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """What differs: the elements of two lists of which one is the other with more at its end, else the two values."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return [(name, old, new)]
    longer, shorter = (old, new) if len(old) > len(new) else (new, old)
    assert longer[: len(shorter)] == shorter, "the rows have no other lists"
    extra = [(f"{name}[{place}]", longer[place]) for place in range(len(shorter), len(longer))]
    return [(part, value, None) if longer is old else (part, None, value) for part, value in extra]


def format_value(value: object) -> str:
    """A value as a text report writes it: JSON, but for keys, which stand plainly, and null, which is nothing."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {format_value(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def render() -> str:
    """The whole document."""
    parts = [INTRODUCTION, *_table(["what happened", "base", "git", "live", "reported as"], _movement_rows()), ""]
    parts.append(POLICY_INTRODUCTION)
    parts += [*_table(["what happened", "`plan`", *(policy.title for policy in POLICIES)], _policy_rows()), ""]
    others = "; ".join(field.title for field in FIELDS if field.key not in SHOWN)
    parts += [WITHOUT_A_BASE, FIELD_INTRODUCTION.format(others=others)]
    for field in (field for field in FIELDS if field.key in SHOWN):
        head = ["what happened", "base", "git", "live", "the report's line", "what is sent"]
        parts += [f"### {_capitalize(field.title)}\n"]
        parts += [f"Here `{'.'.join(field.path)}`. {field.note}".strip() + "\n"]
        parts += [*_table(head, _field_rows(field)), ""]
    return "\n".join(parts).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _movement_rows() -> Iterator[Sequence[str]]:
    field = FIELDS[0]
    for situation in SITUATIONS:
        says = f", {situation.says}" if situation.says else ""
        meaning = f"**{KIND_WORDS[situation.kind]}**{says}"
        yield [situation.title, _base(field, situation), *_git_and_live(field, situation), meaning]


def _base(field: Field, situation: Situation) -> str:
    if situation.base_file != "a definition":
        return {"no file": "(no such file)", "unreadable": "(cannot be read)"}[situation.base_file]
    return _cell(field.value(situation.base))


def _git_and_live(field: Field, situation: Situation) -> list[str]:
    return [_cell(field.value(situation.desired)), _cell(field.value(situation.live))]


def _cell(value: object) -> str:
    return "(none)" if value is ABSENT else f"`{json.dumps(value)}`"


def _policy_rows() -> Iterator[Sequence[str]]:
    singles = (Row(situation.key, situation.title, ((FIELDS[0], situation),)) for situation in SITUATIONS)
    for row in (*singles, *MIXED):
        yield [row.title, _plan_words(row), *(_apply_words(row, policy) for policy in POLICIES)]


def _plan_words(row: Row) -> str:
    kinds = {kind for _, kind in row.changes()}
    words = [KIND_WORDS[kind] for kind in ("change", "drift", "conflict") if kind in kinds]
    if not words:
        return "in sync, and the field is released" if row.released else "in sync"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _apply_words(row: Row, policy: Policy) -> str:
    outcome = row.outcome(policy)
    sent = [path for path, kind in row.changes() if policy.treats(kind) == "sent"]
    if outcome == "applied" and len(row.changes()) > len(sent):
        return f"**applied**: `{_join_paths(sent)}` only"
    return outcome if outcome == "unchanged" else f"**{outcome}**"


def _join_paths(paths: Sequence[str]) -> str:
    return "`, `".join(".".join(keys(path)) for path in paths)


def _field_rows(field: Field) -> Iterator[Sequence[str]]:
    everything = next(policy for policy in POLICIES if policy.key == "revert-force")
    for situation in (situation for situation in SITUATIONS if situation.key in SHOWN_SITUATIONS):
        row = Row(f"{field.key}/{situation.key}", situation.title, ((field, situation),))
        lines = [f"`{line}`" for path, kind in row.changes() for line in report_lines(row, path, kind)]
        if row.released:
            lines = [f"`released: {_join_paths(row.released)}`"]
        patch = row.patch(everything)
        yield [
            situation.title,
            _base(field, situation),
            *_git_and_live(field, situation),
            "<br>".join(lines) or "nothing",
            "nothing" if patch is None else f"`{json.dumps(patch)}`",
        ]


def _capitalize(title: str) -> str:
    return title[0].upper() + title[1:] if title[0].isalpha() else title


if __name__ == "__main__":
    DOCUMENT.write_text(render(), "utf-8")
