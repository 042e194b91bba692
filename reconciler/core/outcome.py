"""Outcomes, statuses and kinds of differences, and what each implies. No other module lists their members."""

import enum
import shlex
from collections.abc import Mapping
from typing import Final


class Urgency(enum.IntEnum):
    """How urgently an assistant needs attention; the most urgent sorts first."""

    PROBLEM = 0
    CONFLICT = 1
    DRIFT = 2
    CHANGE = 3
    CALM = 4


class Outcome(enum.StrEnum):
    """What a command that writes did to one assistant (docs/reference.md, "Outcomes")."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    CREATED = "created"
    DELETED = "deleted"
    FROZEN = "frozen"
    FAILED = "failed"
    REFUSED = "refused"
    INDETERMINATE = "indeterminate"
    NOT_CONVERGED = "not_converged"
    SKIPPED = "skipped"

    @property
    def may_be_live(self) -> bool:
        """Return whether what was sent is or may be live. A rollback undoes it, and its report must not be lost."""
        # A rollback leaves created and deleted assistants alone: they have no old values.
        return self in (Outcome.APPLIED, Outcome.CREATED, Outcome.DELETED, Outcome.INDETERMINATE, Outcome.NOT_CONVERGED)

    @property
    def settled(self) -> bool:
        """Return whether the run has done what it had to do with the assistant."""
        # A freeze is no failure. The entry stays, so that git's move is a change when the freeze ends.
        return self in (Outcome.UNCHANGED, Outcome.APPLIED, Outcome.CREATED, Outcome.DELETED, Outcome.FROZEN)

    @property
    def is_recorded(self) -> bool:
        """Return whether the record gets a new entry. It does if live is known field by field."""
        # After a write that did not converge, live was read, so the entry can say what is there.
        return self in (Outcome.UNCHANGED, Outcome.APPLIED, Outcome.CREATED, Outcome.NOT_CONVERGED)

    @property
    def failed(self) -> bool:
        """Return whether the run tried and failed to reach the desired state. A skipped assistant was not tried."""
        return self in (Outcome.FAILED, Outcome.REFUSED, Outcome.INDETERMINATE, Outcome.NOT_CONVERGED)

    @property
    def urgency(self) -> Urgency:
        """Return how much attention the outcome itself needs, whatever else differs."""
        return Urgency.PROBLEM if self.failed else Urgency.CALM


class Status(enum.StrEnum):
    """The state of an assistant when it was read; the first that applies (docs/reference.md, "Statuses")."""

    ERROR = "error"
    MISSING = "missing"
    NEW = "new"
    FROZEN = "frozen"
    CONFLICTED = "conflicted"
    PENDING = "pending"
    DRIFTED = "drifted"
    IN_SYNC = "in_sync"

    @property
    def is_unread(self) -> bool:
        """Return whether it is unknown what is live: the assistant could not be read or compared."""
        return self.urgency is Urgency.PROBLEM

    @property
    def urgency(self) -> Urgency:
        """Return how much attention the status needs."""
        return _STATUSES[self]


class Kind(enum.StrEnum):
    """Which side changed: git, live, or both (docs/reference.md, "Where a difference comes from")."""

    CONFLICT = "conflict"
    DRIFT = "drift"
    CHANGE = "change"

    @property
    def status(self) -> Status:
        """Return the status of an assistant in which this is the most severe difference."""
        return _KINDS[self]

    def explain_ways_out(self, *named_by: str) -> str:
        """Return what a person can do about a live edit, or a conflict, because of which an assistant is refused.

        `named_by` are the options that name the project in a command.
        """
        more, force = (["--conflicts"], "--force-conflicts") if self is Kind.CONFLICT else ([], "--on-drift revert")
        pull = shlex.join(["reconciler", "pull", *named_by, *more])
        return f"use the live value ({pull}) or git's ({force}), or remove the field from the definition"


class Unsent(enum.StrEnum):
    """Why a difference is not sent. One that is sent has none."""

    READ_ONLY = "read_only"  # the command never writes
    KEPT = "kept"  # drift, under --on-drift keep; what a resumed apply is not about
    DRIFT = "drift"  # --on-drift fail refuses the whole assistant
    FROZEN = "frozen"  # nobody may write to the assistant today
    CONFLICT = "conflict"  # a conflict refuses the whole assistant
    NEW = "new"  # the assistant is still to be created, which is asked for by name
    STOPPED = "stopped"  # the run ended before a request for this assistant left


_STATUSES: Final[Mapping[Status, Urgency]] = {
    Status.ERROR: Urgency.PROBLEM,
    Status.MISSING: Urgency.PROBLEM,
    Status.NEW: Urgency.CHANGE,
    Status.CONFLICTED: Urgency.CONFLICT,
    Status.DRIFTED: Urgency.DRIFT,
    Status.PENDING: Urgency.CHANGE,
    Status.FROZEN: Urgency.CALM,
    Status.IN_SYNC: Urgency.CALM,
}
_KINDS: Final[Mapping[Kind, Status]] = {
    Kind.CONFLICT: Status.CONFLICTED,
    Kind.DRIFT: Status.DRIFTED,
    Kind.CHANGE: Status.PENDING,
}
