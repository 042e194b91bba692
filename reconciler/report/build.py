"""A run as the versioned document of the contract: sorted, and masked before any renderer sees it."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler import __version__
from reconciler.assistant.paths import FieldPath, to_pointer
from reconciler.assistant.problem import Problem
from reconciler.core.definition import Definition
from reconciler.core.ignore import Ignored
from reconciler.core.origin import Change
from reconciler.core.plan import Plan, digest
from reconciler.core.run import Failure, Result, Run
from reconciler.core.tree import MISSING
from reconciler.report.document import (
    FORMAT_VERSION,
    AssistantEntry,
    ChangeEntry,
    Document,
    ErrorEntry,
    IgnoredEntry,
    Outcome,
    ProblemEntry,
    Status,
)
from reconciler.report.masking import mask

STATUSES: tuple[Status, ...] = ("in_sync", "pending", "drifted", "conflicted", "missing", "error")
OUTCOMES: tuple[Outcome, ...] = (
    "unchanged",
    "applied",
    "failed",
    "refused",
    "indeterminate",
    "not_converged",
    "skipped",
)

Places = Callable[[Definition], Mapping[FieldPath, tuple[str, int]]]


def to_document(run: Run, *, sensitive: Sequence[FieldPath] = (), places: Places = lambda _: {}) -> Document:
    """Return the report of a run.

    `places` gives the file and line of each declared field of a definition; it is asked only for
    definitions with differences. Values at paths that `sensitive` names are masked.
    """
    assistants = [_assistant(result, sensitive, places) for result in run.results]
    document: Document = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "command": run.command,
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
        "api_url": run.api_url,
        "environment": run.environment,
        "offline": run.offline,
        "head": run.head,
        "options": dict(run.options),
        "base": dict(run.base) if run.base is not None else None,
        "summary": summary(assistants),
        "api_calls": {method: run.api_calls.get(method, 0) for method in ("GET", "PATCH", "POST")},
        "warnings": list(run.notes),
        "no_longer_managed": [{"file": gone.file, "id": gone.id} for gone in run.gone],
        "problems": [_problem(problem) for problem in sorted(run.problems)],
        "assistants": assistants,
    }
    return mask(document, sensitive)


def summary(assistants: Sequence[AssistantEntry]) -> dict[str, int]:
    """Return how many assistants there are of each status and each outcome."""
    statuses = [entry["status"] for entry in assistants]
    outcomes = [entry["outcome"] for entry in assistants]
    counts = {"total": len(assistants)}
    counts |= {status: statuses.count(status) for status in STATUSES}
    return counts | {outcome: outcomes.count(outcome) for outcome in OUTCOMES}


def _assistant(result: Result, sensitive: Sequence[FieldPath], places: Places) -> AssistantEntry:
    definition, plan, live = result.definition, result.plan or Plan(), result.live or {}
    lines: Mapping[FieldPath, tuple[str, int]] = {}
    declared: Mapping[str, Any] = {}
    if isinstance(definition, Definition):
        declared = definition.declared
        lines = places(definition) if plan.changes else {}
    updated_at = _text(live.get("updatedAt"))
    return {
        "key": definition.key,
        "file": definition.file,
        "id": definition.id,
        "name": _text(declared.get("name")) or _text(live.get("name")),
        "status": result.status.value if result.status else None,
        "outcome": result.outcome.value if result.outcome else None,
        "changes": [_change(change, lines, definition.file) for change in plan.changes],
        "released": [to_pointer(path) for path in plan.released],
        "ignored": [_ignored(entry) for entry in plan.ignored],
        "patch": plan.patch,
        "digest": digest(definition.id or "", plan, sensitive=sensitive, live_updated_at=updated_at),
        "live_updated_at": updated_at,
        "remaining": [to_pointer(path) for path in result.remaining],
        "warnings": [*plan.warnings, *result.warnings],
        "error": _error(result.error),
    }


def _change(change: Change, lines: Mapping[FieldPath, tuple[str, int]], file: str) -> ChangeEntry:
    entry: ChangeEntry = {
        "path": to_pointer(change.path),
        "kind": change.kind.value,
        "sent": change.sent,
        "line": lines[change.path][1] if change.path in lines else None,
        "desired": change.desired,
    }
    if change.path in lines and lines[change.path][0] != file:
        entry["file"] = lines[change.path][0]
    if change.live is not MISSING:
        entry["live"] = change.live
    if change.base is not MISSING:
        entry["base"] = change.base
    if change.since is not None:
        since = change.since
        entry["since"] = {"commit": since.commit, "author": since.author, "date": since.date}
    return entry


def _ignored(entry: Ignored) -> IgnoredEntry:
    expires = entry.rule.expires
    return {
        "path": to_pointer(entry.path),
        "reason": entry.rule.reason,
        "expires": expires.isoformat() if expires else None,
    }


def _error(error: Failure | None) -> ErrorEntry | None:
    if error is None:
        return None
    message = f"{error.message}\n{error.hint}" if error.hint else error.message
    return {"kind": error.kind, "message": message, "status": error.status}


def _problem(problem: Problem) -> ProblemEntry:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
