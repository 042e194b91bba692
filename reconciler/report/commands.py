"""What the report of each command looks like: its words, its totals, what in it counts as a failure. One table.

No other module compares a command's name: it asks the traits of the report.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Final

from reconciler.core.outcome import Kind, Outcome

_NO_BASE: Final = "Without a base, live edits can't be told from changes."


class Totals(enum.Enum):
    """What the summary line counts."""

    PROBLEMS = "problems"
    STATUSES = "statuses"
    EDITS = "edits"  # statuses, but an assistant with any live edit has drifted, whatever git changes besides
    OUTCOMES = "outcomes"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What the two values of a difference are called: above columns, and in a sentence.

    So is what a conflict moved from, and the way to each of its sides.
    """

    before: str
    after: str
    way: str = "from live to definition"
    moved_from: str = "Both moved from"
    live_moved: str = "live moved"
    git_moved: str = "git moved"


# The base stands in for live, so nothing may be called live.
OFFLINE: Final = Sides(before="Before (base)", after="After (definition)", way="from the base to the definition")
_SENT = Sides(before="Before (live)", after="After (definition)")
_COMPARED = Sides(before="Live", after="Definition")
_UNDONE = Sides(before="Before (live)", after="After (put back)", way="from live to what it was before")
_NOT_UNDONE = Sides(
    before="Live",
    after="Old value",
    way="from live to the old value",
    moved_from="Was applied",
    live_moved="from what was applied to live",
    git_moved="from what was applied to the old value",
)
_TITLES: dict[Kind, str] = {
    Kind.CONFLICT: "In conflict: git and live both moved",
    Kind.DRIFT: "Edited live (drift)",
    Kind.CHANGE: "Changed in git",
}
_ORIGINS: dict[Kind, str] = {Kind.CONFLICT: "conflict: both moved", Kind.DRIFT: "drift: edited live", Kind.CHANGE: ""}
_UNDOING: dict[Kind, str] = {Kind.CONFLICT: "live moved on", Kind.DRIFT: "", Kind.CHANGE: ""}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the report of a command looks like; the defaults are those of a name that nobody knows.

    `sides` and `titles` are for differences that were written (True), those that were not (False), and those of
    a report that does not say it (None).
    """

    totals: Totals = Totals.STATUSES
    always_named: tuple[Outcome, ...] = (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.FAILED)  # of outcomes, if any
    reads_live: bool = True
    writes: bool = False
    follows_git: bool = True  # what it writes, if anything, is what git says
    leaves_drift: bool = False  # drift that stays is said to be left as it is
    is_plan: bool = False  # `apply --plan` takes it
    explains_options: bool = False  # says what becomes of drift and conflicts under the options
    without_base: str = ""
    failing: frozenset[Kind] = frozenset({Kind.CONFLICT})  # kinds that fail a test case unless they are sent
    detailed: frozenset[Kind] = frozenset(Kind)  # kinds that fail it with --detailed-exitcode
    annotates_fields: bool = True
    way_out_of_drift: str = ""  # what an annotation on a live edit offers
    origin: str = ""  # instead of where a difference comes from, for a command that asks nobody
    origins: Mapping[Kind, str] = dataclasses.field(default_factory=lambda: _ORIGINS)
    titles: Mapping[bool | None, Mapping[Kind, str]] = dataclasses.field(
        default_factory=lambda: dict.fromkeys((True, False, None), _TITLES)
    )
    sides: Mapping[bool | None, Sides] = dataclasses.field(
        default_factory=lambda: {True: _SENT, False: _COMPARED, None: _COMPARED}
    )
    desired: str = "definition"  # the side that every difference leads to
    errors: Mapping[str, str] = dataclasses.field(default_factory=dict)  # kinds of errors that mean something else here


# What `drift` is asked for; a change that waits for an apply is nobody's edit.
_MOVED: Final = frozenset({Kind.CONFLICT, Kind.DRIFT})
NEUTRAL: Final = Traits()
TRAITS: Final[Mapping[str, Traits]] = {
    # It reads files alone: nothing is known of live, and no note about it is due.
    "validate": Traits(totals=Totals.PROBLEMS, reads_live=False),
    "plan": Traits(is_plan=True, leaves_drift=True, explains_options=True, without_base=_NO_BASE),
    "apply": Traits(totals=Totals.OUTCOMES, writes=True, leaves_drift=True, without_base=_NO_BASE),
    "drift": Traits(
        totals=Totals.EDITS,
        without_base="The definitions themselves are the base, so every difference counts as drift.",
        failing=_MOVED,
        detailed=_MOVED,
        way_out_of_drift="reconciler pull takes the live value into the definition.",
    ),
    # It plans the old values against live, so its conflicts are about live alone, and nothing in it is git's.
    "rollback": Traits(
        totals=Totals.OUTCOMES,
        writes=True,
        follows_git=False,
        annotates_fields=False,
        origin="rollback",
        origins=_UNDOING,
        titles={
            True: dict.fromkeys(Kind, "Put back"),
            False: dict.fromkeys(Kind, "Not put back"),
            None: dict.fromkeys(Kind, "Old values"),
        },
        sides={True: _UNDONE, False: _NOT_UNDONE, None: _NOT_UNDONE},
        desired="old value",
        errors={"conflict": "live shows neither the value that was applied nor the old one"},
    ),
    "create": Traits(totals=Totals.OUTCOMES, writes=True, always_named=(Outcome.CREATED,)),
    "delete": Traits(totals=Totals.OUTCOMES, writes=True, always_named=(Outcome.DELETED,)),
    # Several reports of different commands, shown as one.
    "report": Traits(without_base=_NO_BASE),
}
