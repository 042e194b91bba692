"""What the report of each command looks like, in one table. No other module compares a command's name."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from reconciler.core.outcome import Kind, Outcome
from reconciler.dataclass import dataclass

_NO_BASE: Final = "Without a base, live edits look like changes in git."
_ALL_DRIFT: Final = "Without a base, every difference counts as drift."


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words before each value of a difference."""

    changes: tuple[str, str] = ("", "->")  # the live value, and the value that it gets
    stays: tuple[str, str] = ("git has", "live now has")  # a live edit that is kept
    both: tuple[str, str, str] = ("was", "git now has", "live now has")  # a conflict: the old and both new values
    git_moved: str = "what changed in git"  # the heads of the two diffs of a long text in conflict
    live_moved: str = "what changed live"


_DASHBOARD = "Edited in the dashboard (drift)"
_BOTH_SIDES = "Both sides changed (conflict)"
_TITLES: Final[Mapping[Kind, str]] = {Kind.CONFLICT: _BOTH_SIDES, Kind.DRIFT: _DASHBOARD, Kind.CHANGE: "Changed in git"}
_SAME_TITLES: Final = dict.fromkeys((True, False, None), _TITLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the report of a command looks like. The defaults are for an unknown command."""

    always_named: tuple[Outcome, ...] = (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.FAILED)  # of outcomes, if any
    reads_live: bool = True  # false: the report is about files, and consists of their problems
    # It reports live edits: each assistant with one counts as drifted, even if git changes it as well, and fails a test
    # case, and its annotation advises to pull.
    is_about_edits: bool = False
    writes: bool = False
    follows_git: bool = True  # if it writes, it writes git's values
    is_plan: bool = False  # `apply --plan` accepts it, and the options decide what it says of drift and conflicts
    without_base: str = ""
    origin: str = ""  # replaces the origin of differences, for commands that do not look at it
    # For differences that are written (True), that are not (False), or if that is not known (None).
    titles: Mapping[bool | None, Mapping[Kind, str]] = dataclasses.field(default_factory=lambda: _SAME_TITLES)
    # The words for a live edit that is overwritten, for commands that choose between live edits and git's values.
    overwrites: Mapping[Kind, str] = dataclasses.field(default_factory=dict)
    words: Words = Words()
    settle: str = ""  # what to do about writes that are indeterminate
    nothing: str = "no definitions selected, nothing to do"  # the totals of a run without assistants
    errors: Mapping[str, str] = dataclasses.field(default_factory=dict)  # kinds of errors that mean something else here


NEUTRAL: Final = Traits()
TRAITS: Final[Mapping[str, Traits]] = {
    # It only reads files, so nothing is known about live, and no note about that is needed.
    "validate": Traits(reads_live=False),
    "plan": Traits(
        is_plan=True,
        without_base=_NO_BASE,
        titles={**_SAME_TITLES, True: {**_TITLES, Kind.CHANGE: "Would change"}},
        overwrites={Kind.DRIFT: "git's value would be restored", Kind.CONFLICT: "git's value would be sent"},
    ),
    "apply": Traits(
        writes=True,
        without_base=_NO_BASE,
        overwrites=dict.fromkeys((Kind.DRIFT, Kind.CONFLICT), "git's value was sent"),
        settle="To settle indeterminate writes, apply again; without a record, pass this report to apply --resume.",
    ),
    # A change that is not applied yet is no live edit.
    "drift": Traits(is_about_edits=True, without_base=_ALL_DRIFT),
    # It plans the old values against live, so its conflicts are only about live, and nothing in it comes from git.
    "rollback": Traits(
        writes=True,
        follows_git=False,
        origin="rollback",
        nothing="nothing to undo",
        titles={
            True: dict.fromkeys(Kind, "Restored"),
            False: dict.fromkeys(Kind, "Not restored"),
            None: dict.fromkeys(Kind, "To restore"),
        },
        words=Words(
            stays=("the old value is", "live now has"),
            both=("the apply sent", "the old value is", "live now has"),
            git_moved="from what was applied to the old value",
            live_moved="from what was applied to live",
        ),
        errors={"conflict": "live shows neither the value that was applied nor the old one"},
        settle="To settle indeterminate writes, run this rollback again.",
    ),
    "create": Traits(writes=True, always_named=(Outcome.CREATED,)),
    "delete": Traits(writes=True, always_named=(Outcome.DELETED,), without_base=_ALL_DRIFT),
    # A merged report of different commands.
    "report": Traits(without_base=_NO_BASE),
}
