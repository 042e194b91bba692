"""Builds reports for the tests: one function per part, with the values that a test does not care about."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from reconciler.core.origin import Since
from reconciler.core.outcome import Kind, Outcome, Status, Unsent
from reconciler.core.run import RemovedDefinition
from reconciler.core.tree import MISSING
from reconciler.report.build import count
from reconciler.report.report import (
    AssistantEntry,
    BaseEntry,
    ChangeEntry,
    ErrorEntry,
    IgnoredEntry,
    ProblemEntry,
    Report,
)

BASE = BaseEntry(ref="refs/reconciler/applied", commit="4f1c0de2a7b94e5d8c3f6a1b0e9d7c5a3f2b1e08")
UNSENT = {Kind.CHANGE: None, Kind.DRIFT: Unsent.KEPT, Kind.CONFLICT: Unsent.CONFLICT}


def change(
    path: str,
    desired: Any,
    live: Any = MISSING,
    *,
    kind: str = "change",
    base: Any = MISSING,
    line: int | None = 7,
    file: str | None = None,
    since: Since | None = None,
    unsent: Unsent | str | None = "",
) -> ChangeEntry:
    """A difference; what is not sent, and why, follows from its kind under the default options."""
    why = UNSENT[Kind(kind)] if unsent == "" else Unsent(unsent) if unsent else None
    return ChangeEntry(
        path=path,
        kind=Kind(kind),
        sent=why is None,
        unsent=why,
        line=line,
        desired=desired,
        file=file,
        live=live,
        base=base,
        since=since,
    )


def make_since(commit: str, author: str, date: str) -> Since:
    return Since(commit=commit, author=author, date=date)


def failure(kind: str, message: str, status: int | None = None) -> ErrorEntry:
    return ErrorEntry(kind=kind, message=message, status=status)


def ignored(path: str, reason: str, expires: str | None = None) -> IgnoredEntry:
    return IgnoredEntry(path=path, reason=reason, expires=expires)


def removed(file: str, id_: str) -> RemovedDefinition:
    return RemovedDefinition(file=file, id=id_)


def problem(file: str, line: int, column: int, message: str, *, warning: bool = False) -> ProblemEntry:
    severity = "warning" if warning else "error"
    return ProblemEntry(file=file, line=line, column=column, severity=severity, message=message)  # type: ignore[arg-type]


def assistant(
    key: str,
    *changes: ChangeEntry,
    name: str | None = "",
    id_: str | None = "",
    status: str | None = "",
    outcome: str | None = None,
    released: Sequence[str] = (),
    ignored: Sequence[IgnoredEntry] = (),
    patch: dict[str, Any] | None = None,
    remaining: Sequence[str] = (),
    warnings: Sequence[str] = (),
    error: ErrorEntry | None = None,
) -> AssistantEntry:
    """An assistant; `status`, and what is sent of it as a whole, follow from its changes, outcome and error."""
    ended = Outcome(outcome) if outcome else None
    kinds = {entry.kind.status for entry in changes}
    found = min(kinds, key=lambda one: one.urgency, default=Status.IN_SYNC)
    if error:
        found = Status.MISSING if error.kind == "not_found" else Status.ERROR
    stopped = ended is not None and not ended.may_be_live and ended is not Outcome.FAILED
    refused = any(entry.unsent is Unsent.CONFLICT for entry in changes)
    why = Unsent.CONFLICT if refused else Unsent.STOPPED if stopped else None
    if why:
        changes = tuple(
            dataclasses.replace(change, sent=False, unsent=why if change.sent else change.unsent) for change in changes
        )
    last = key.rsplit("/", 1)[-1]
    return AssistantEntry(
        key=key,
        file=f"assistants/{key}.yaml",
        id=f"asst_{last.replace('-', '_')}" if id_ == "" else id_,
        name=last.replace("-", " ").title() if name == "" else name,
        status=found if status == "" else Status(status) if status else None,
        outcome=ended,
        changes=changes,
        released=tuple(released),
        ignored=tuple(ignored),
        patch=patch,
        digest=None,
        live_updated_at="2026-01-02T12:00:00Z",
        remaining=tuple(remaining),
        warnings=tuple(warnings),
        error=error,
    )


def document(
    command: str,
    *assistants: AssistantEntry,
    base: BaseEntry | None = None,
    problems: Sequence[ProblemEntry] = (),
    warnings: Sequence[str] = (),
    options: dict[str, Any] | None = None,
    gone: Sequence[RemovedDefinition] = (),
    **fields: Any,
) -> Report:
    report = Report(
        format_version=1,
        tool_version="0.1.0",
        command=command,
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:00:01Z",
        api_url=None if command == "validate" else "http://localhost:3000/api",
        environment=None,
        offline=False,
        head=None,
        options=options or {},
        base=base,
        summary=count(assistants),
        api_calls={"GET": len(assistants), "PATCH": 0, "POST": 1},
        warnings=tuple(warnings),
        no_longer_managed=tuple(gone),
        problems=tuple(problems),
        assistants=tuple(sorted(assistants, key=lambda entry: entry.file)),
    )
    return dataclasses.replace(report, **fields)


def without_sent_marks(report: Report) -> Report:
    """A report as a version wrote it that did not say what was sent."""

    def drop_marks(entry: AssistantEntry) -> AssistantEntry:
        changes = tuple(dataclasses.replace(change, sent=None, unsent=None) for change in entry.changes)
        return dataclasses.replace(entry, changes=changes)

    return dataclasses.replace(report, assistants=tuple(map(drop_marks, report.assistants)))
