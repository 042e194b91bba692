"""The report as data: the versioned JSON object of the contract, as types."""

from typing import Any, Literal, NotRequired, TypedDict

FORMAT_VERSION = 1

Status = Literal["error", "missing", "conflicted", "pending", "drifted", "in_sync"]
Outcome = Literal["unchanged", "applied", "failed", "refused", "indeterminate", "not_converged", "skipped"]
ChangeKind = Literal["change", "drift", "conflict"]


class SinceEntry(TypedDict):
    """The commit that set a desired value; the date is an ISO 8601 one."""

    commit: str
    author: str
    date: str


class ChangeEntry(TypedDict):
    """One differing leaf; `live` or `base` is left out where that side has no such key.

    `file` is there where an environment's overlay declares the value, and not the definition itself.
    """

    path: str
    kind: ChangeKind
    sent: NotRequired[bool]
    line: int | None
    desired: Any
    file: NotRequired[str]
    live: NotRequired[Any]
    base: NotRequired[Any]
    since: NotRequired[SinceEntry]


class IgnoredEntry(TypedDict):
    """One difference that `ignore` accepts."""

    path: str
    reason: str
    expires: str | None


class ErrorEntry(TypedDict):
    """Why an assistant could not be read, compared or written."""

    kind: str
    message: str
    status: int | None


class AssistantEntry(TypedDict):
    """One definition and what became of it."""

    key: str
    file: str
    id: str | None
    name: str | None
    status: Status | None
    outcome: Outcome | None
    changes: list[ChangeEntry]
    released: list[str]
    ignored: list[IgnoredEntry]
    patch: dict[str, Any] | None
    digest: str | None
    live_updated_at: str | None
    remaining: list[str]
    warnings: list[str]
    error: ErrorEntry | None


class GoneEntry(TypedDict):
    """A definition that the base had and that is gone; its assistant is left as it is."""

    file: str
    id: str


class ProblemEntry(TypedDict):
    """One finding of validation."""

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    message: str


class Document(TypedDict):
    """The whole report (contract, section 7). `warnings` concern the run, `problems` the definition files."""

    format_version: int
    tool_version: str
    command: str
    started_at: str
    finished_at: str
    api_url: str | None
    environment: str | None
    offline: bool
    head: str | None
    options: dict[str, Any]
    base: dict[str, str] | None
    summary: dict[str, int]
    api_calls: dict[str, int]
    warnings: list[str]
    no_longer_managed: NotRequired[list[GoneEntry]]
    problems: list[ProblemEntry]
    assistants: list[AssistantEntry]
