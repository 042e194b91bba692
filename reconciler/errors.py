"""The family of errors that a user can meet and act on.

Each has a message (what happened), a hint (what to do next) and where it happened. Neither
a credential nor a sensitive value is in its text. Only the command line turns them into output and exit codes.

    ReconcilerError
    +-- UsageError          options and arguments that make no sense together
    +-- SettingsError       reconciler.yaml, an environment variable
    +-- DefinitionError     a file or folder of definitions that cannot be used
    +-- ReportError         a report that cannot be read or written
    +-- RepositoryError     git could not answer
    +-- DemoError           a step of the demo did not end as its story says
    +-- SandboxError        the sandbox cannot start
    +-- HostError           GitHub or GitLab said no, or could not be reached
    +-- ApiError            the API said no, or could not be understood
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
    """Options or arguments that make no sense together."""


class SettingsError(ReconcilerError):
    """`reconciler.yaml` or an environment variable holds something that cannot be used."""


class DefinitionError(ReconcilerError):
    """A folder or file of definitions that cannot be used as a whole."""


class ReportError(ReconcilerError):
    """A report that cannot be read or written."""


class RepositoryError(ReconcilerError):
    """Git is not there, or could not answer."""


class DemoError(ReconcilerError):
    """A step of the demo did not end as its story says."""


class SandboxError(ReconcilerError):
    """The sandbox cannot start."""


class HostError(ReconcilerError):
    """GitHub or GitLab said no, could not be reached, or made no sense; `status` is HTTP's, if there was one."""

    def __init__(self, message: str, *, status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class ApiError(ReconcilerError):
    """A call that failed after all its repeats, with its kind and the HTTP status if there was one."""

    def __init__(self, kind: ErrorKind, message: str, *, status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.status = status


class UnclearWrite(ApiError):  # noqa: N818 - it names what happened to the write, not a fault
    """A write whose last answer was 5xx, none, or senseless: it may have reached neither store, one, or both."""

    @property
    def temporary(self) -> bool:
        """Return whether it may be repeated once live was read: 501, 505 and unusable answers are permanent."""
        return self.kind != "protocol" and self.status not in (501, 505)
