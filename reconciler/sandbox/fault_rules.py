"""A fault rule as a value, and which requests it hits. Reads no text and does nothing to a request."""

import dataclasses
import email.utils
import math
import re
from typing import Any, Literal

After = Literal["provider", "database", "both"]
Does = Literal[
    "status", "reset", "hang", "half", "html", "drip", "limit", "token", "trim", "sort", "round", "drop", "edit", "lag"
]

FAILING: tuple[Does, ...] = ("status", "reset", "hang", "half", "html", "drip")
KEEPING: tuple[Does, ...] = ("trim", "sort", "round", "drop")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of docs/sandbox.md. `does` says what it does, and so which of the other fields it uses.

    `when`, `number`, `method` and `path` (below the base URL) choose the requests of a failure or an edit.
    `number` is also how many requests a limit or a token allows. `after` names the stores that a failing write
    reaches, None none. `seconds` belongs to `hang` (None: for ever), `drip`, `lag` and to a limit within a time;
    `wait` and `wait_as_date` are Retry-After; `field` is a path, () for all of them.
    """

    text: str
    does: Does
    when: Literal["nth", "every", "first", "from", "share"] = "every"
    number: float = 1
    method: str = "*"
    path: str = "*"
    status: int = 200
    seconds: float | None = None
    after: After | None = None
    wait: int | None = None
    wait_as_date: bool = False
    field: tuple[str, ...] = ()
    digits: int = 0
    value: Any = None
    moment: Literal["before", "after"] = "before"

    def is_about(self, method: str, path: str) -> bool:
        """Tell whether the rule counts a request."""
        return self.method in ("*", method) and path_matches(self.path, path)

    def hits(self, count: int, chance: float) -> bool:
        """Tell whether the rule hits the request with this count (1 is the first); `chance` is in [0, 1)."""
        return {
            "nth": count == self.number,
            "every": count % self.number == 0,
            "first": count <= self.number,
            "from": count >= self.number,
            "share": chance * 100 < self.number,
        }[self.when]

    def retry_after(self, now: float) -> dict[str, str]:
        """Return the rule's header Retry-After (RFC 9110, 10.2.3), if it has one; `now` is in seconds since 1970."""
        if self.wait is None:
            return {}
        # A date has whole seconds. It is rounded up: a client that waits for it must not come too early.
        date = email.utils.formatdate(math.ceil(now) + self.wait, usegmt=True)
        return {"retry-after": date if self.wait_as_date else str(self.wait)}


def path_matches(pattern: str, path: str) -> bool:
    """Tell whether a pattern means a path: `*` stands for anything but a slash, and `*` alone for every path."""
    parts = "[^/]*".join(re.escape(part) for part in re.split(r"\*+", pattern))
    return pattern == "*" or re.fullmatch(parts, path, re.DOTALL) is not None
