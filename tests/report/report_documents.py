"""Builds report documents for the tests: one function per part, with the values that a test does not care about."""

from collections import Counter
from typing import Any, cast

from reconciler.report.document import (
    AssistantEntry,
    ChangeEntry,
    ChangeKind,
    Document,
    ErrorEntry,
    GoneEntry,
    IgnoredEntry,
    Outcome,
    ProblemEntry,
    SinceEntry,
    Status,
)

NOT_THERE = object()


def change(
    path: str,
    desired: Any,
    live: Any = NOT_THERE,
    *,
    kind: ChangeKind = "change",
    base: Any = NOT_THERE,
    line: int | None = 7,
    since: SinceEntry | None = None,
) -> ChangeEntry:
    entry: ChangeEntry = {"path": path, "kind": kind, "line": line, "desired": desired}
    if live is not NOT_THERE:
        entry["live"] = live
    if base is not NOT_THERE:
        entry["base"] = base
    if since is not None:
        entry["since"] = since
    return entry


def since(commit: str, author: str, date: str) -> SinceEntry:
    return {"commit": commit, "author": author, "date": date}


def failure(kind: str, message: str, status: int | None = None) -> ErrorEntry:
    return {"kind": kind, "message": message, "status": status}


def problem(file: str, line: int, column: int, message: str, *, warning: bool = False) -> ProblemEntry:
    severity = "warning" if warning else "error"
    return cast(
        "ProblemEntry",
        {"file": file, "line": line, "column": column, "severity": severity, "message": message},
    )


def assistant(
    key: str,
    *changes: ChangeEntry,
    name: str | None = "",
    id_: str | None = "",
    status: Status | None = None,
    outcome: Outcome | None = None,
    released: list[str] | None = None,
    ignored: list[IgnoredEntry] | None = None,
    patch: dict[str, Any] | None = None,
    remaining: list[str] | None = None,
    warnings: list[str] | None = None,
    error: ErrorEntry | None = None,
) -> AssistantEntry:
    """An assistant; `status` follows from the changes and the error where it is not given."""
    kinds = {entry["kind"] for entry in changes}
    found: Status = "conflicted" if "conflict" in kinds else "pending" if "change" in kinds else "drifted"
    if error:
        found = "missing" if error["kind"] == "not_found" else "error"
    elif not kinds:
        found = "in_sync"
    last = key.rsplit("/", 1)[-1]
    return {
        "key": key,
        "file": f"assistants/{key}.yaml",
        "id": f"asst_{last.replace('-', '_')}" if id_ == "" else id_,
        "name": last.replace("-", " ").title() if name == "" else name,
        "status": status or found,
        "outcome": outcome,
        "changes": list(changes),
        "released": released or [],
        "ignored": ignored or [],
        "patch": patch,
        "digest": None,
        "live_updated_at": "2026-01-02T12:00:00Z",
        "remaining": remaining or [],
        "warnings": warnings or [],
        "error": error,
    }


def document(
    command: str,
    *assistants: AssistantEntry,
    base: dict[str, str] | None = None,
    problems: list[ProblemEntry] | None = None,
    warnings: list[str] | None = None,
    options: dict[str, Any] | None = None,
    gone: list[GoneEntry] | None = None,
) -> Document:
    statuses = Counter(entry["status"] for entry in assistants)
    outcomes = Counter(entry["outcome"] for entry in assistants)
    of_status: list[Status] = ["in_sync", "pending", "drifted", "conflicted", "missing", "error"]
    of_outcome: list[Outcome] = [
        "unchanged",
        "applied",
        "failed",
        "refused",
        "indeterminate",
        "not_converged",
        "skipped",
    ]
    summary = {"total": len(assistants)}
    summary |= {status: statuses[status] for status in of_status}
    summary |= {outcome: outcomes[outcome] for outcome in of_outcome}
    return {
        "format_version": 1,
        "tool_version": "0.1.0",
        "command": command,
        "started_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:00:01Z",
        "api_url": None if command == "validate" else "http://localhost:3000/api",
        "environment": None,
        "offline": False,
        "head": None,
        "options": options or {},
        "base": base,
        "summary": summary,
        "api_calls": {"GET": len(assistants), "PATCH": 0, "POST": 1},
        "warnings": warnings or [],
        "no_longer_managed": gone or [],
        "problems": problems or [],
        "assistants": sorted(assistants, key=lambda entry: entry["file"]),
    }
