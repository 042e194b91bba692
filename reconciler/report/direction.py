"""Which way a difference goes: where it comes from, whether the run sends it, and what its two sides are called.

Words for every format, free of any format's syntax. Pure.
"""

import dataclasses

from reconciler.report.document import AssistantEntry, ChangeEntry, ChangeKind, Document
from reconciler.report.values import field_name

NAMED_FIELDS = 3

_LEFT = "left as it is"
_NOTHING_SENT = ("unchanged", "failed", "refused", "skipped")
_ORIGINS: dict[ChangeKind, str] = {"change": "", "drift": "drift: edited live", "conflict": "conflict: both moved"}
_GROUPS: dict[ChangeKind, str] = {
    "change": "Changed in git",
    "drift": "Edited live (drift)",
    "conflict": "In conflict: git and live both moved",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Sides:
    """What the two values of a difference are called: above columns, and in a sentence.

    So is what a conflict moved from, and the way to each of its sides.
    """

    before: str
    after: str
    way: str
    moved_from: str = "Both moved from"
    live_moved: str = "live moved"
    git_moved: str = "git moved"


_COMPARED = Sides("Live", "Definition", "from live to definition")
_SENT = Sides("Before (live)", "After (definition)", "from live to definition")
_OFFLINE = Sides("Before (base)", "After (definition)", "from the base to the definition")
_UNDONE = Sides("Before (live)", "After (put back)", "from live to what it was before")
_NOT_UNDONE = Sides(
    "Live",
    "Old value",
    "from live to the old value",
    moved_from="Was applied",
    live_moved="from what was applied to live",
    git_moved="from what was applied to the old value",
)


def is_sent(kind: ChangeKind, document: Document) -> bool:
    """Tell whether differences of a kind are sent under the run's options, where nothing comes in between."""
    options = document["options"]
    return (
        kind == "change"
        or (kind == "drift" and options.get("on_drift") == "revert")
        or (kind == "conflict" and options.get("force_conflicts") is True)
    )


def is_left(kind: ChangeKind, document: Document) -> bool:
    """Tell whether a run that is about writing leaves differences of a kind as they are: drift, unless asked."""
    keeps = document["options"].get("on_drift") == "keep"
    return kind == "drift" and keeps and document["command"] in ("plan", "apply")


def origin(change: ChangeEntry, document: Document) -> str:
    """Return where a difference that git alone did not make comes from; nothing for a plain change."""
    if document["command"] == "rollback":
        return "live moved on" if change["kind"] == "conflict" else ""
    words = _ORIGINS[change["kind"]]
    return f"{words}, {_LEFT}" if is_left(change["kind"], document) else words


def reading(document: Document) -> str:
    """Return how a line with two values is to be read."""
    return f"Values read: live -> {'old value' if document['command'] == 'rollback' else 'definition'}."


def group_title(kind: ChangeKind, entry: AssistantEntry, document: Document) -> str:
    """Return what stands above an assistant's differences of one kind."""
    if document["command"] == "rollback":
        return "Not put back" if entry["outcome"] in _NOTHING_SENT else "Put back"
    return f"{_GROUPS[kind]}, {_LEFT}" if is_left(kind, document) else _GROUPS[kind]


def sides(kind: ChangeKind, entry: AssistantEntry, document: Document) -> Sides:
    """Return what the two values of an assistant's differences of one kind are called."""
    if document["offline"]:
        return _OFFLINE
    if document["command"] == "rollback":
        return _NOT_UNDONE if entry["outcome"] in _NOTHING_SENT else _UNDONE
    return _SENT if is_sent(kind, document) and entry["outcome"] not in _NOTHING_SENT else _COMPARED


def fields_in_brief(entry: AssistantEntry, document: Document) -> list[tuple[str, list[str], int]]:
    """Return the first fields that differ: with words before them or none, and how many more there are.

    Those that the run leaves as they are stand apart: what became of the assistant is not said of them.
    """
    named = [(is_left(change["kind"], document), field_name(change["path"])) for change in entry["changes"]]
    groups = (("", [name for left, name in named if not left]), (f"{_LEFT}: ", [name for left, name in named if left]))
    return [(words, names[:NAMED_FIELDS], max(len(names) - NAMED_FIELDS, 0)) for words, names in groups if names]
