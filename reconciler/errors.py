"""All errors that a user can see and act on.

Each has a message (what happened), a hint (what to do next) and a place (where it happened). Its text contains no
credential and no sensitive value. Only the command line turns errors into output and exit codes.

    ReconcilerError
    +-- UsageError          options and arguments that cannot be used
    +-- SettingsError       reconciler.yaml, an environment variable
    +-- DefinitionError     a file or folder of definitions that cannot be used
    +-- ReportError         a report that cannot be read or written
    +-- RepositoryError     git is missing, or failed
    +-- DemoError           a step of the demo did not end as its story says
    +-- SandboxError        the sandbox cannot start
    +-- HostError           GitHub or GitLab refused a request, or could not be reached
    +-- ApiError            the API refused a call, or did not answer it properly
        +-- UnclearWrite    ... and the write may have happened anyway
"""

from typing import Literal

ErrorKind = Literal[
    "not_found",
    "auth",
    "forbidden",
    "rate_limited",
    "server",
    "network",
    "timeout",
    "protocol",
    "conflict",
    "stale",
    "duplicate",
    "invalid",
]


class ReconcilerError(Exception):
    """An expected error: `message` says what happened, `hint` what to do next, `where` names the place."""

    exit_code = 1  # of a command that ends with it

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        """Return the place and the message, without the hint."""
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(ReconcilerError):
    """Options or arguments that cannot be used."""


class SettingsError(ReconcilerError):
    """A value in `reconciler.yaml` or an environment variable that cannot be used."""


class DefinitionError(ReconcilerError):
    """A folder or file of definitions that cannot be used as a whole."""


class ReportError(ReconcilerError):
    """A report that cannot be read or written."""


class RepositoryError(ReconcilerError):
    """Git is missing, or failed."""


class DemoError(ReconcilerError):
    """A step of the demo did not end as its story says."""


class SandboxError(ReconcilerError):
    """The sandbox cannot start."""


class HostError(ReconcilerError):
    """GitHub or GitLab refused a request, did not answer, or sent something invalid; `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class ApiError(ReconcilerError):
    """A call that failed after all retries, with its kind and the HTTP status if there was one."""

    def __init__(self, kind: ErrorKind, message: str, *, status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.status = status


class UnclearWrite(ApiError):  # noqa: N818 - it names what happened to the write, not a fault
    """A write whose last answer was 5xx, invalid or missing: it may have reached both stores, one, or none."""

    @property
    def temporary(self) -> bool:
        """Return whether it may be repeated once live was read: 501, 505 and unusable answers are permanent."""
        return self.kind != "protocol" and self.status not in (501, 505)
