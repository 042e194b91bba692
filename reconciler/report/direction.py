"""Which way a difference goes: where it comes from, whether it was written, and what its two sides are called.

Words for every format, free of any format's syntax. Pure.
"""

from collections.abc import Iterator, Sequence

from reconciler.core.outcome import Kind, Unsent
from reconciler.report.commands import OFFLINE, Sides
from reconciler.report.report import AssistantEntry, ChangeEntry, Report
from reconciler.report.values import field_name

NAMED_FIELDS = 3

_LEFT = "left as it is"


def is_written(change: ChangeEntry, entry: AssistantEntry) -> bool | None:
    """Tell whether live shows what was sent, or may; of a plan, whether it would. None where the report says nothing.

    A request that the API refused was sent, and wrote nothing all the same.
    """
    return change.sent if entry.outcome is None or entry.outcome.may_be_live or not change.sent else False


def is_left(change: ChangeEntry) -> bool:
    """Tell whether the options of the run left a live edit as it is."""
    return change.unsent is Unsent.KEPT


def tell_origin(change: ChangeEntry, report: Report) -> str:
    """Return where a difference that git alone did not make comes from; nothing for a plain change."""
    words = report.traits.origins[change.kind]
    return f"{words}, {_LEFT}" if is_left(change) else words


def explain_values(report: Report) -> str:
    """Return how a line with two values is to be read."""
    return f"Values read: live -> {report.traits.desired}."


def group_changes(entry: AssistantEntry) -> Iterator[list[ChangeEntry]]:
    """Yield an assistant's differences, conflicts first: those of one kind that go the same way together."""
    for kind in Kind:
        # Written, not, unknown: an assistant has one of them for each kind, but a report may come from anybody.
        for written in (True, False, None):
            group = [change for change in entry.changes if change.kind is kind and is_written(change, entry) is written]
            if group:
                yield group


def name_group(group: Sequence[ChangeEntry], entry: AssistantEntry, report: Report) -> str:
    """Return what stands above an assistant's differences of one kind."""
    title = report.traits.titles[is_written(group[0], entry)][group[0].kind]
    return f"{title}, {_LEFT}" if is_left(group[0]) else title


def name_sides(change: ChangeEntry, entry: AssistantEntry, report: Report) -> Sides:
    """Return what the two values of a difference are called."""
    return OFFLINE if report.offline else report.traits.sides[is_written(change, entry)]


def name_first_fields(entry: AssistantEntry) -> list[tuple[str, list[str], int]]:
    """Return the first fields that differ: with words before them or none, and how many more there are.

    Those that the run leaves as they are stand apart: what became of the assistant is not said of them.
    """
    named = [(is_left(change), field_name(change.path)) for change in entry.changes]
    groups = (("", [name for left, name in named if not left]), (f"{_LEFT}: ", [name for left, name in named if left]))
    return [(words, names[:NAMED_FIELDS], max(len(names) - NAMED_FIELDS, 0)) for words, names in groups if names]
