"""Which value a pull writes for each field that moved live, and which fields it leaves. Touches no file."""

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeGuard

from reconciler.assistant.fields import UNORDERED
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.line_merge import MergeTexts, find_touching, has_lines, merge_values
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind
from reconciler.core.tree import MISSING, Missing

Conflicts = Literal["merge", "live"]

_IN_CONFLICT = "git changed it too; --conflicts merges texts line by line, and takes live's value for any other field"


class Left(NamedTuple):
    """A field that keeps what its file says, with the reason; it `fails` where the pull was to write it."""

    path: FieldPath
    reason: str
    fails: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Values:
    """What is to be written, by path, `MISSING` where live has nothing; what is left; and git's moves that go."""

    wanted: dict[FieldPath, Any | Missing]
    left: tuple[Left, ...]
    lost: tuple[Change, ...]


def choose_values(changes: Sequence[Change], conflicts: Conflicts | None, merge_texts: MergeTexts) -> Values:
    """Return what a pull writes for the fields that moved live.

    Where git moved too, nothing, unless `conflicts` says so: then what both edits make of the base. Where they touch,
    `merge` leaves texts of several lines, and takes live's value for anything else; `live` takes it for both.
    """
    wanted: dict[FieldPath, Any | Missing] = {}
    left: list[Left] = []
    lost: list[Change] = []
    for change in changes:
        value = _keep_order(change)
        if change.kind is Kind.CONFLICT:
            if conflicts is None:
                left.append(Left(change.path, _IN_CONFLICT, fails=False))
                continue
            merged = merge_values(change.base, change.live, change.desired, merge_texts)
            if merged is not MISSING:
                value = merged
            elif conflicts == "merge" and (touching := [*_find_touching_lines(change, merge_texts)]):
                left.append(Left(change.path, _explain(touching)))
                continue
            else:
                lost.append(change)
        wanted[change.path] = value
    return Values(wanted, tuple(left), tuple(lost))


def _find_touching_lines(change: Change, merge_texts: MergeTexts) -> Iterator[FieldPath]:
    """Yield the texts that have no merge, if one of them has several lines: those are too much to lose unread."""
    touching = [*find_touching(change.base, change.live, change.desired, change.path, merge_texts)]
    if any(has_lines(*values) for _, values in touching):
        yield from (path for path, _ in touching)


def _explain(touching: Sequence[FieldPath]) -> str:
    names = ", ".join(map(dotted, touching))
    return (
        f"git and live changed the same lines, or lines side by side, of {names}: merge them by hand, or take live's "
        "with --conflicts=live"
    )


def _keep_order(change: Change) -> Any | Missing:
    """Return live's value, in the definition's order where the order of a list means nothing."""
    # Whoever added one phrase in the dashboard changed one line, in whatever order the API gives them.
    old, new = change.desired, change.live
    if change.path not in UNORDERED or not (_is_list_of_texts(old) and _is_list_of_texts(new)):
        return new
    waiting = collections.Counter[str](new)
    kept = [item for item in old if _take(waiting, item)]
    return [*kept, *(item for item in new if _take(waiting, item))]


def _take(waiting: collections.Counter[str], item: str) -> bool:
    """Return whether an item waits, which then waits once less."""
    waiting[item] -= 1
    return waiting[item] >= 0


def _is_list_of_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
