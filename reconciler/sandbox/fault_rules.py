"""The sandbox's fault rules as values: what each can say. Reads no text and does nothing to a request."""

import dataclasses
import email.utils
import math
import re
from typing import Any, Literal

After = Literal["provider", "database", "both"]
Failing = Literal["status", "reset", "hang", "half", "html", "drip"]
Normalising = Literal["trim", "sort", "round"]
Moment = Literal["before", "after"]

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
ANY = "*"


@dataclasses.dataclass(frozen=True, slots=True)
class When:
    """Which of the requests that a rule counts it hits; `number` is a count, or a percentage for `share`."""

    kind: Literal["each", "nth", "every", "first", "from", "share"] = "each"
    number: float = 1

    def hits(self, count: int, chance: float) -> bool:
        """Tell whether the request with this count (1 is the first) is hit; `chance` is in [0, 1)."""
        match self.kind:
            case "each":
                return True
            case "nth":
                return count == self.number
            case "every":
                return count % self.number == 0
            case "first":
                return count <= self.number
            case "from":
                return count >= self.number
            case _:
                return chance * 100 < self.number


@dataclasses.dataclass(frozen=True, slots=True)
class Requests:
    """The requests that a rule is about. In a path, which is below the base URL, `*` stands for one part of it."""

    when: When
    method: str
    path: str

    def matches(self, method: str, path: str) -> bool:
        """Tell whether the rule counts a request."""
        return self.method in (ANY, method) and path_matches(self.path, path)


def path_matches(pattern: str, path: str) -> bool:
    """Tell whether a path is one that a pattern means; `*` alone means every path."""
    if pattern == ANY:
        return True
    parts = "[^/]*".join(re.escape(part) for part in re.split(r"\*+", pattern))
    return re.fullmatch(parts, path, re.DOTALL) is not None


@dataclasses.dataclass(frozen=True, slots=True)
class RetryAfter:
    """The header of that name: a number of seconds, or the HTTP date that lies so far ahead (RFC 9110, 10.2.3)."""

    seconds: int
    as_date: bool = False

    def header(self, now: float) -> str:
        """Return the header's value at a time in seconds since the epoch; a date is never too early."""
        if not self.as_date:
            return str(self.seconds)
        return email.utils.formatdate(math.ceil(now) + self.seconds, usegmt=True)


@dataclasses.dataclass(frozen=True, slots=True)
class What:
    """How a request fails: `after` names the stores that are written first, None none of them.

    `status` belongs to `status` and `html`, `seconds` to `hang` (None: for ever) and `drip`.
    """

    kind: Failing
    status: int = 200
    seconds: float | None = None
    after: After | None = None
    retry_after: RetryAfter | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Makes requests fail."""

    text: str
    requests: Requests
    what: What


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """Answers 429 to more requests than that: in flight at once, or within so many seconds."""

    text: str
    most: int
    seconds: int | None = None
    retry_after: RetryAfter | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class TokenLife:
    """Makes a token invalid after so many requests."""

    text: str
    requests: int


@dataclasses.dataclass(frozen=True, slots=True)
class Normalise:
    """Keeps another value than the one that was sent; `field` is a path, () stands for everything."""

    text: str
    how: Normalising
    field: tuple[str, ...] = ()
    digits: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class DropUnknown:
    """Loses the keys of a sent object that the API does not document."""

    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """Another writer: sets a field of the assistant that the path names, in both stores."""

    text: str
    field: tuple[str, ...]
    value: Any
    moment: Moment
    requests: Requests


Rule = Failure | Limit | TokenLife | Normalise | DropUnknown | Edit


def takes_a_share(rule: Rule) -> bool:
    """Tell whether a rule chooses its requests at random."""
    return isinstance(rule, Failure | Edit) and rule.requests.when.kind == "share"
