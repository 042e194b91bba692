"""What a command found and did: one result per definition, and the run with all of them."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any, Literal

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import Problem
from reconciler.core.definition import Definition
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Plan
from reconciler.core.settings import Settings
from reconciler.dataclass import dataclass
from reconciler.errors import ApiError, ErrorKind, ReconcilerError


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an assistant could not be read, compared or written (docs/reference.md, "Error kinds"), and what to do."""

    kind: ErrorKind
    message: str
    status: int | None = None
    hint: str = ""


def to_failure(error: ReconcilerError, message: str = "", *, hint: str = "") -> Failure:
    """Return an error as the report shows it, with another message or hint if there is one."""
    # What did not come from the API is about the definition, or what it is added to.
    kind, status = (error.kind, error.status) if isinstance(error, ApiError) else ("invalid", None)
    return Failure(kind, message or error.message, status, hint or error.hint)


def check_organisation(live: Mapping[str, Any], settings: Settings) -> Failure | None:
    """Return why an assistant may not be written: it belongs to another organisation than `org_id`, or to none."""
    if settings.org_id is None or live.get("orgId") == settings.org_id:
        return None
    owner = f"organisation {live['orgId']!r}" if live.get("orgId") else "no organisation"
    return Failure(
        "forbidden",
        f"the assistant belongs to {owner}, but org_id in reconciler.yaml is {settings.org_id!r}",
        hint="check the id and the API's URL, or correct org_id",
    )


@dataclass(frozen=True, slots=True)
class Result:
    """One definition, valid or not, and its outcome."""

    definition: Definition
    live: Mapping[str, Any] | None = dataclasses.field(default=None, repr=False)  # None if it was not read
    plan: Plan | None = None
    outcome: Outcome | None = None  # None for commands that never write
    live_after: Mapping[str, Any] | None = dataclasses.field(default=None, repr=False)  # what a write left
    remaining: tuple[FieldPath, ...] = ()  # what live did not show then
    dropped: tuple[FieldPath, ...] = ()  # those of them that nobody declares, and that the API does not keep
    warnings: tuple[str, ...] = ()
    error: Failure | None = None
    # The whole last reading of an assistant that was, or may have been, deleted.
    last_reading: Mapping[str, Any] | None = dataclasses.field(default=None, repr=False)

    @property
    def pending(self) -> bool:
        """Return whether there is a patch to send."""
        return self.error is None and self.plan is not None and self.plan.patch is not None

    @property
    def creates(self) -> bool:
        """Return whether the patch creates the assistant."""
        return self.pending and self.plan is not None and self.plan.creates

    @property
    def has_failed(self) -> bool:
        """Return whether the assistant was tried and not brought to its desired state."""
        return self.outcome is not None and self.outcome.failed

    @property
    def is_settled(self) -> bool:
        """Return whether the run has done what it had to do with the assistant."""
        return self.outcome is not None and self.outcome.settled

    @property
    def is_recorded(self) -> bool:
        """Return whether the record gets a new entry."""
        return self.outcome is not None and self.outcome.is_recorded

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids that the assistant is known by: the definition's, then the one that GET gives."""
        # A definition may have the local database's id. GET then answers with the provider's.
        candidates = (self.definition.id, self.live["id"] if self.live else None)
        return tuple(dict.fromkeys(str(name) for name in candidates if name))

    @property
    def status(self) -> Status | None:
        """The assistant's state when it was read; None if it never was."""
        if self.plan is not None:
            return self.plan.status
        if self.error is None:
            return None
        # "Not found" is a fact about the assistant. Any other error only means that it could not be read.
        return Status.MISSING if self.error.kind == "not_found" else Status.ERROR

    def end(
        self, outcome: Outcome, error: Failure | ReconcilerError | None = None, *, refused: bool = False, **changes: Any
    ) -> "Result":
        """Return the result with the assistant's outcome; `refused` says that the API refused the write itself."""
        failure = to_failure(error) if isinstance(error, ReconcilerError) else error or self.error
        # With an unclear outcome, the changes still count as sent: a rollback must be able to undo them.
        sent = outcome.may_be_live or refused
        plan = self.plan if sent or self.plan is None else self.plan.stop()
        return dataclasses.replace(self, plan=plan, outcome=outcome, error=failure, **changes)

    def refuse(self, kind: ErrorKind, message: str, *, hint: str, **changes: Any) -> "Result":
        """Return the result of an assistant to which nothing is sent, with the reason and what to do."""
        return self.end(Outcome.REFUSED, Failure(kind, message, hint=hint), **changes)


@dataclass(frozen=True, slots=True)
class RemovedDefinition:
    """A definition of the base that was removed. The assistant is left as it is.

    `environment` is as in an assistant's entry of a report.
    """

    file: str
    id: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class AppliedRecord:
    """The applied record that a run has read: its ref, its commit, the `HEAD` that was applied, and when (ISO 8601)."""

    ref: str
    commit: str
    applied: str
    date: str


# Which definitions a run is about, if not all: those that a branch changes, or those that somebody has named.
Selection = Literal["changed", "named"]


@dataclass(frozen=True, slots=True)
class Run:
    """All results of one command; `notes` concern the whole run. Times are in UTC."""

    command: str
    started_at: datetime.datetime
    finished_at: datetime.datetime
    results: tuple[Result, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    api_url: str | None = None
    environment: str | None = None
    api_calls: Mapping[str, int] = dataclasses.field(default_factory=dict)
    head: str | None = None
    base: Mapping[str, str] | None = None
    record: AppliedRecord | None = None
    next_expiry: datetime.date | None = None  # the nearest last day of an entry of the settings
    offline: bool = False
    removed: tuple[RemovedDefinition, ...] = ()
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    selection: Selection | None = None
    sensitive: tuple[FieldPath, ...] = ()  # whose values no report of the run shows


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a setup, what was found, and what to do if it is not met; None if unknown."""

    subject: str
    detail: str
    hint: str = ""
    met: bool | None = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdit:
    """One file that differs from a commit: its path from the root, and its content now, None if it was removed."""

    path: str
    text: str | None
    mode: str
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """All files that differ from a commit; `digest` depends on the lines that differ, not on their positions."""

    head: str
    files: tuple[FileEdit, ...]
    digest: str
