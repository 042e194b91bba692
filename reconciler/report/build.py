"""Builds the report of a run. It is sorted, and sensitive values are masked before any renderer sees them."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

from reconciler import __version__
from reconciler.assistant.paths import FieldPath, to_pointer
from reconciler.core.definition import Definition
from reconciler.core.origin import Change
from reconciler.core.outcome import Outcome, Status
from reconciler.core.plan import Plan
from reconciler.core.run import Result, Run
from reconciler.report.masking import mask_report
from reconciler.report.report import (
    FORMAT_VERSION,
    AssistantEntry,
    BaseEntry,
    ChangeEntry,
    EnforcedEntry,
    ErrorEntry,
    ExpiryEntry,
    FrozenEntry,
    IgnoredEntry,
    ProblemEntry,
    RecordEntry,
    Report,
)

# In the summary's order: first what is fine, last what needs a person.
STATUSES: tuple[Status, ...] = tuple(sorted(Status, key=lambda status: status.urgency)[::-1])
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def build_report(run: Run) -> Report:
    """Return the report of a run, with its sensitive values masked."""
    assistants = tuple(_build_assistant(result, run.sensitive) for result in run.results)
    report = Report(
        format_version=FORMAT_VERSION,
        tool_version=__version__,
        command=run.command,
        started_at=run.started_at.strftime(_TIME),
        finished_at=run.finished_at.strftime(_TIME),
        duration_seconds=max(0, round((run.finished_at - run.started_at).total_seconds(), 3)),
        api_url=run.api_url,
        environment=run.environment,
        offline=run.offline,
        selection=run.selection,
        head=run.head,
        options=dict(run.options),
        base=BaseEntry(**run.base) if run.base is not None else None,
        record=_build_record(run),
        next_expiry=_build_expiry(run),
        summary=count(assistants),
        api_calls=dict.fromkeys(("GET", "PATCH", "POST"), 0) | {m: n for m, n in run.api_calls.items() if n},
        warnings=run.notes,
        no_longer_managed=run.removed,
        problems=tuple(
            ProblemEntry(**{field.name: getattr(problem, field.name) for field in dataclasses.fields(ProblemEntry)})
            for problem in sorted(run.problems)
        ),
        assistants=assistants,
    )
    # An answer of the API may quote any value of an assistant.
    known = (known for result in run.results for known in (result.definition.declared, result.live, result.live_after))
    return mask_report(report, run.sensitive, known)


def count(assistants: Sequence[AssistantEntry]) -> dict[str, int]:
    """Return how many assistants there are of each status and each outcome."""
    statuses = [entry.status for entry in assistants]
    outcomes = [entry.outcome for entry in assistants]
    counts = {"total": len(assistants)}
    counts |= {status.value: statuses.count(status) for status in STATUSES}
    # `frozen` is both a status and an outcome.
    return counts | {outcome.value: max(outcomes.count(outcome), counts.get(outcome.value, 0)) for outcome in Outcome}


def _build_record(run: Run) -> RecordEntry | None:
    if run.record is None:
        return None
    # The clock of the machine that recorded may be ahead of ours, and no age is below zero.
    age = max(0, int((run.finished_at - datetime.datetime.fromisoformat(run.record.date)).total_seconds()))
    return RecordEntry(**dataclasses.asdict(run.record), age_seconds=age)


def _build_expiry(run: Run) -> ExpiryEntry | None:
    if run.next_expiry is None:
        return None
    # An entry is valid until the end of its last day, in UTC, which may be 9999-12-31.
    left = datetime.datetime.combine(run.next_expiry, datetime.time(), datetime.UTC) - run.finished_at
    in_seconds = int((left + datetime.timedelta(days=1)).total_seconds())
    return ExpiryEntry(expires=run.next_expiry.isoformat(), in_seconds=in_seconds)


def _build_assistant(result: Result, sensitive: Sequence[FieldPath]) -> AssistantEntry:
    definition, plan, live, error = result.definition, result.plan or Plan(), result.live or {}, result.error
    message = "\n".join(filter(None, (error.message, error.hint))) if error else ""
    updated_at = _take_text(live.get("updatedAt"))
    return AssistantEntry(
        key=definition.key,
        file=definition.file,
        id=definition.id or None,
        name=_take_text(definition.declared.get("name")) or _take_text(live.get("name")),
        status=result.status,
        outcome=result.outcome,
        changes=tuple(_build_change(change, definition) for change in plan.changes),
        released=tuple(map(to_pointer, plan.released)),
        ignored=tuple(
            IgnoredEntry(path=to_pointer(entry.path), reason=entry.rule.reason, expires=_write_day(entry.rule.expires))
            for entry in plan.ignored
        ),
        patch=plan.patch,
        digest=plan.digest(definition.id, sensitive=sensitive, live_updated_at=updated_at),
        live_updated_at=updated_at,
        remaining=tuple(map(to_pointer, result.remaining)),
        warnings=(*plan.warnings, *result.warnings),
        error=ErrorEntry(kind=error.kind, message=message, status=error.status) if error else None,
        last=dict(result.last_reading) if result.last_reading is not None else None,
        enforced=tuple(EnforcedEntry(path=to_pointer(path), reason=rule.reason) for path, rule in plan.enforced.items())
        or None,
        ignored_changes=tuple(to_pointer(entry.path) for entry in plan.ignored if entry.changed_in_git) or None,
        # In a run that writes, the outcome already says it.
        unclear=(tuple(sorted(map(to_pointer, plan.unclear))) or None) if result.outcome is None else None,
        frozen=FrozenEntry(reason=plan.freeze.reason, expires=_write_day(plan.freeze.expires)) if plan.freeze else None,
    )


def _build_change(change: Change, definition: Definition) -> ChangeEntry:
    declaring, line = definition.find_line(change.path, change.desired, change.live) or (definition.file, None)
    return ChangeEntry(
        path=to_pointer(change.path),
        kind=change.kind,
        sent=change.sent,
        unsent=change.unsent,
        line=line,
        desired=change.desired,
        file=declaring if declaring != definition.file else None,
        live=change.live,
        base=change.base,
        since=change.since,
    )


def _write_day(day: datetime.date | None) -> str | None:
    return day.isoformat() if day else None


def _take_text(value: Any) -> str | None:
    # Live may contain anything.
    return value if isinstance(value, str) else None
