"""The report as values (docs/reports.md, "The fields"). The order of the fields is the order of the JSON's keys."""

import dataclasses
from typing import Any

from reconciler.assistant.problem import Severity
from reconciler.core.json_values import UNWRITTEN, Pointer
from reconciler.core.origin import Since
from reconciler.core.outcome import Kind, Outcome, Status, Unsent
from reconciler.core.run import AppliedRecord, RemovedDefinition, Selection
from reconciler.core.tree import MISSING
from reconciler.dataclass import dataclass
from reconciler.report.commands import NEUTRAL, TRAITS, Traits

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEntry:
    """One leaf that differs. `live` and `base` are `MISSING` if that side has no such key."""

    path: Pointer
    kind: Kind
    # None in a report of an older version, which lacks it.
    sent: bool | None = None
    unsent: Unsent | None = None
    line: int | None
    desired: Any
    # Only if the value is declared in another file than the definition.
    file: str | None = None
    live: Any = MISSING
    base: Any = MISSING
    since: Since | None = None

    @property
    def live_value(self) -> Any:
        """The live value. None also stands for a missing key: for a reader, both are nothing."""
        return None if self.live is MISSING else self.live


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredEntry:
    """One difference that `ignore` accepts."""

    path: Pointer
    reason: str
    expires: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcedEntry:
    """One live edit that every apply reverts, because its field is under `enforce`."""

    path: Pointer
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEntry:
    """Why an assistant is frozen, and the last day of the freeze."""

    reason: str
    expires: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry:
    """Why an assistant could not be read, compared or written. A later version may have more kinds."""

    kind: str
    message: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantEntry:
    """One definition and its outcome."""

    key: str
    file: str
    id: str | None
    name: str | None
    status: Status | None
    outcome: Outcome | None
    changes: tuple[ChangeEntry, ...]
    released: tuple[Pointer, ...]
    ignored: tuple[IgnoredEntry, ...]
    patch: dict[str, Any] | None
    digest: str | None
    live_updated_at: str | None
    remaining: tuple[Pointer, ...]
    warnings: tuple[str, ...]
    error: ErrorEntry | None
    last: dict[str, Any] | None = None
    enforced: tuple[EnforcedEntry, ...] | None = None
    frozen: FrozenEntry | None = None
    # Only in a merged report, if the environments or the commands differ. Otherwise, the report says it.
    environment: str | None = None
    command: str | None = None
    run: int | None = None  # only in a merged report: which of its runs, the earliest is 1
    # Fields whose last write has an unclear outcome, whatever live shows. None if there are none.
    unclear: tuple[Pointer, ...] | None = None
    # Ignored fields that git has changed since the base, and that do not become live. None if there are none.
    ignored_changes: tuple[Pointer, ...] | None = None

    @property
    def open_kinds(self) -> frozenset[Kind]:
        """The kinds of the differences that need something to be done: none if the assistant is frozen."""
        return frozenset() if self.frozen is not None else self.kinds

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of its differences."""
        return frozenset(change.kind for change in self.changes)

    @property
    def asks_for_apply(self) -> bool:
        """Return whether a plan found a difference, or a write that is sent again because its outcome is unclear."""
        return bool(self.open_kinds) or self.patch is not None

    @property
    def is_unread(self) -> bool:
        """Return whether live is unknown: it was never read, or could not be."""
        return self.status is None or self.status.is_unread

    @property
    def left_out(self) -> bool:
        """Return whether a run was stopped before it read the assistant."""
        return self.status is None and self.outcome is None

    @property
    def failed(self) -> bool:
        """Return whether it could not be read, or was not brought to its desired state."""
        return self.is_unread if self.outcome is None else not self.outcome.settled


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemEntry:
    """One problem in a definition file or in the settings."""

    file: str
    line: int
    column: int
    severity: Severity
    message: str
    # The line of the file, for people. It is not in the JSON, whose readers have the file.
    source_line: str = dataclasses.field(default="", repr=False, metadata=UNWRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseEntry:
    """The revision that shows which differences are drift, and which are changes."""

    ref: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry(AppliedRecord):
    """The applied record that the run has read, and how old it was when the run ended."""

    age_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryEntry:
    """The nearest date in the settings, and how long its entry is still valid; negative once it is past."""

    expires: str
    in_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole report of a run. `warnings` concern the run, `problems` the definition files."""

    # The defaults are for reports of older versions, which lack the field.
    format_version: int
    tool_version: str
    command: str
    started_at: str
    finished_at: str
    duration_seconds: float | None = None
    api_url: str | None
    environment: str | None
    offline: bool
    # None for all definitions, and for merged reports of named parts, which may be all of them together.
    selection: Selection | None = None
    head: str | None
    options: dict[str, Any]
    base: BaseEntry | None
    record: RecordEntry | None = None
    next_expiry: ExpiryEntry | None = None
    summary: dict[str, int]
    api_calls: dict[str, int]
    warnings: tuple[str, ...]
    no_longer_managed: tuple[RemovedDefinition, ...] = ()
    problems: tuple[ProblemEntry, ...]
    assistants: tuple[AssistantEntry, ...]

    @property
    def by_run(self) -> tuple[AssistantEntry, ...]:
        """The assistants in the order of the runs that a merged report has; in one run, sorted by file."""
        return tuple(sorted(self.assistants, key=lambda entry: entry.run or 0))

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of the environments that it is about, sorted. Empty without environments."""
        names = {entry.environment or self.environment for entry in self.assistants} or {self.environment}
        # A merged report may also be about the assistants that a run without an environment has.
        others = ("no environment",) if None in names and len(names) > 1 else ()
        return (*sorted(name for name in names if name), *others)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of all differences, except for frozen assistants."""
        return frozenset(kind for entry in self.assistants for kind in entry.open_kinds)

    @property
    def has_live_edits(self) -> bool:
        """Return whether anything was edited live: drift or a conflict."""
        return bool(self.kinds - {Kind.CHANGE})

    @property
    def has_failed(self) -> bool:
        """Return whether an assistant could not be read, or was not brought to its desired state.

        In a check of files, whether one has a problem that counts.
        """
        if not self.traits.reads_live:
            return any(self.options.get("strict") is True or each.severity == "error" for each in self.problems)
        return any(entry.failed for entry in self.assistants)

    @property
    def all_is_well(self) -> bool:
        """Return whether nothing needs attention: everything was read, and nothing differs, failed or has a remark."""
        if any((self.warnings, self.problems, self.no_longer_managed)):
            return False
        # What was not read may differ.
        remarkable = (
            any((entry.error, entry.changes, entry.warnings, entry.remaining))
            or entry.outcome not in (None, Outcome.UNCHANGED)
            for entry in self.assistants
        )
        return not self.has_failed and not any(remarkable)

    @property
    def traits(self) -> Traits:
        """The traits of the report's command."""
        return TRAITS.get(self.command, NEUTRAL)

    def traits_of(self, entry: AssistantEntry) -> Traits:
        """Return the traits of the command that an entry comes from."""
        return TRAITS.get(entry.command or self.command, NEUTRAL)
