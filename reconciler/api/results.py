"""The result of one request: an answer, or none, and what that means for the request. Moves no bytes."""

from typing import ClassVar

from reconciler.dataclass import dataclass
from reconciler.errors import ErrorKind

# Every 5xx except those that mean "never". Cloudflare, for example, answers 520 to 530 for an API that it cannot reach.
TEMPORARY_STATUSES = frozenset({408, 425, 429, *range(500, 600)} - {501, 505})
# A 4xx is a definite no. But 408 and 499 may come from a gateway that gave up, while the request went on.
REFUSALS = frozenset(range(400, 500)) - {408, 499}
_KINDS: dict[int, ErrorKind] = {
    400: "invalid",
    401: "auth",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    422: "invalid",
    425: "server",
    429: "rate_limited",
    499: "network",  # nginx: the client, which may be a gateway, closed the connection before the API answered
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, with its body unpacked."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    reached: ClassVar[bool] = True

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in TEMPORARY_STATUSES

    @property
    def ok(self) -> bool:
        """Whether the status says that the request succeeded."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """Return a header by its name in lower case. Several are joined; "" if there is none."""
        return ", ".join(self.header_values(name))

    def header_values(self, name: str) -> list[str]:
        """Return the values of a header in their order."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No usable answer."""

    status: ClassVar[None] = None

    kind: ErrorKind
    text: str
    reached: bool  # the request may have reached the API
    temporary: bool = True  # it may succeed later
    final: bool = False  # every other request of this run would fail in the same way
    hint: str = ""  # what to do, if `kind` alone does not say it


def find_kind(status: int) -> ErrorKind:
    """Return the error kind of an HTTP status that is not a success (docs/reference.md, "Error kinds")."""
    return _KINDS.get(status, "server" if status >= 500 else "protocol")
