"""The fault matrix as data: what goes wrong, with which request, once or for good, and what must come of it.

`test_fault_matrix.py` runs every cell, `fault_document.py` writes docs/faults.md from the same rows. Nothing
here is taken from the package, or the two would always agree.

Each cell is an apply of two assistants, one after the other, with one repeat. `a` goes first and meets no
fault, so that what happens to `b` says nothing about the account. Without a fault that makes 1 login, then for
each of the two a GET to plan, a GET right before the write, the PATCH, and a GET to verify.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Literal

Moment = Literal["login", "reading", "rereading", "write", "verify"]
MOMENTS: tuple[Moment, ...] = ("login", "reading", "rereading", "write", "verify")
RETRIES = 1


@dataclasses.dataclass(frozen=True)
class Ends:
    """What becomes of `b`, and how many requests the whole run makes."""

    outcome: str
    logins: int
    gets: int
    patches: int


SMOOTH = Ends("applied", 1, 6, 2)
Ways = Mapping[Moment, tuple[Ends, Ends]]
"""For each request: what comes of a fault that happens once, and of one that lasts."""


def always(ends: Ends) -> tuple[Ends, Ends]:
    """For faults of which one is enough: nothing is repeated."""
    return ends, ends


# What may pass is repeated once: a read as it is, a write after another look at live.
PASSING: Ways = {
    "login": (Ends("applied", 2, 6, 2), Ends("failed", 2, 0, 0)),
    "reading": (Ends("applied", 1, 7, 2), Ends("failed", 1, 5, 1)),
    "rereading": (Ends("applied", 1, 7, 2), Ends("failed", 1, 6, 1)),
    "write": (Ends("applied", 1, 7, 3), Ends("indeterminate", 1, 6, 3)),
    "verify": (Ends("applied", 1, 7, 2), Ends("indeterminate", 1, 7, 2)),
}
# 425 and 429 say that nothing was done: in the end, the write has failed.
BUSY: Ways = {**PASSING, "write": (Ends("applied", 1, 7, 3), Ends("failed", 1, 6, 3))}
# Half an answer came with a 200: the write was accepted, and the look afterwards shows it.
HALF: Ways = {**PASSING, "write": always(SMOOTH)}
# A clear no is not repeated.
REFUSED: Ways = {
    "login": always(Ends("failed", 1, 0, 0)),
    "reading": always(Ends("failed", 1, 4, 1)),
    "rereading": always(Ends("failed", 1, 5, 1)),
    "write": always(Ends("failed", 1, 5, 2)),
    "verify": always(Ends("indeterminate", 1, 6, 2)),
}
# What makes no sense is not repeated either, and live is looked at after the write.
SENSELESS: Ways = {**REFUSED, "write": always(Ends("indeterminate", 1, 6, 2))}
# A gateway gave up waiting: a read is not worth a repeat, but a write may have happened.
GIVEN_UP: Ways = {**REFUSED, "write": PASSING["write"]}
SENSELESS_AFTERWARDS: Ways = {"write": always(SMOOTH)}
# "Not signed in, or no permission": one new login, and the request once more.
SIGNED_OUT: Ways = {
    "login": always(Ends("failed", 1, 0, 0)),
    "reading": (Ends("applied", 2, 7, 2), Ends("failed", 2, 5, 1)),
    "rereading": (Ends("applied", 2, 7, 2), Ends("failed", 2, 6, 1)),
    "write": (Ends("applied", 2, 7, 3), Ends("failed", 2, 7, 3)),
    "verify": (Ends("applied", 2, 7, 2), Ends("indeterminate", 2, 7, 2)),
}


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault: the sandbox's words for it, what comes of it, and the kind of error that the report names.

    `moments` are the requests that it is tried with; what waits a while is tried `briefly`: once only.
    """

    title: str
    rule: str
    ways: Ways
    kind: str
    moments: tuple[Moment, ...] = MOMENTS
    briefly: bool = False
    timeout: float = 10

    def kind_at(self, moment: Moment) -> str:
        """A login that is refused is about the account, and one that is not there about the URL."""
        if moment != "login":
            return self.kind
        return {"invalid": "auth", "not_found": "protocol"}.get(self.kind, self.kind)


def _status(status: int, ways: Ways, kind: str) -> Fault:
    return Fault(str(status), str(status), ways, kind)


UNCLEAR = ("500", "502", "503", "504", "reset")
STORES = ("provider", "database", "both")
WRITE: tuple[Moment, ...] = ("write",)
FAULTS = (
    _status(500, PASSING, "server"),
    _status(502, PASSING, "server"),
    _status(503, PASSING, "server"),
    _status(504, PASSING, "server"),
    _status(524, PASSING, "server"),
    Fault("503 with `Retry-After`", "503 retry-after=1", PASSING, "server", briefly=True),
    _status(408, PASSING, "timeout"),
    _status(499, GIVEN_UP, "network"),
    _status(425, BUSY, "server"),
    Fault("an HTML page with status 502", "html=502", PASSING, "server"),
    Fault("a lost connection", "reset", PASSING, "network"),
    Fault("no response in time", "hang", PASSING, "timeout", timeout=1),
    Fault("a very slow response", "drip=0.05", PASSING, "timeout", briefly=True, timeout=1),
    Fault("an incomplete response", "half", HALF, "protocol"),
    _status(429, BUSY, "rate_limited"),
    Fault("429 with `Retry-After` in seconds", "429 retry-after=1", BUSY, "rate_limited", briefly=True),
    Fault("429 with `Retry-After` as a date", "429 retry-after=date+1", BUSY, "rate_limited", briefly=True),
    _status(400, REFUSED, "invalid"),
    _status(403, REFUSED, "forbidden"),
    _status(404, REFUSED, "not_found"),
    _status(422, REFUSED, "invalid"),
    _status(401, SIGNED_OUT, "auth"),
    Fault("an HTML page with status 200", "html", SENSELESS, "protocol"),
    Fault("an HTML page with status 200, after the write", "html after=both", SENSELESS_AFTERWARDS, "protocol", WRITE),
)
AFTERWARDS = tuple(
    Fault(f"{what}, after {store} was written", f"{what} after={store}", PASSING, kind, WRITE)
    for what, kind in zip(UNCLEAR, ("server",) * 4 + ("network",), strict=True)
    for store in STORES
)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One fault with one request."""

    fault: Fault
    moment: Moment
    lasting: bool

    @property
    def name(self) -> str:
        return f"{self.fault.rule} {self.moment} {'lasting' if self.lasting else 'once'}".replace(" ", "-")

    @property
    def rule(self) -> str:
        """The sandbox's rule: the number counts the requests of that method to `b`."""
        method, path, number = {
            "login": ("POST", "/auth/login", 1),
            "reading": ("GET", "/assistants/asst_b", 1),
            "rereading": ("GET", "/assistants/asst_b", 2),
            "write": ("PATCH", "/assistants/asst_b", 1),
            "verify": ("GET", "/assistants/asst_b", 3),
        }[self.moment]
        nth = f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}[number] }"
        return f"{'from ' if self.lasting else ''}{nth} {method} {path}: {self.fault.rule}"

    @property
    def ends(self) -> Ends:
        return self.fault.ways[self.moment][self.lasting]

    @property
    def kind(self) -> str | None:
        """The kind of the error that the report names, if it names one."""
        return None if self.ends.outcome == "applied" else self.fault.kind_at(self.moment)


def cells() -> Iterator[Cell]:
    for fault in (*FAULTS, *AFTERWARDS):
        for moment in fault.moments:
            yield from (Cell(fault, moment, lasting) for lasting in ((False,) if fault.briefly else (False, True)))


CELLS = tuple(cells())


@dataclasses.dataclass(frozen=True)
class Story:
    """What a table of requests cannot tell: both assistants' outcomes, by rules that concern more than one request.

    `told` is what the report says of `b`: of its error, else of its warnings; `remaining` what live does not
    show. `others` are `b`'s fields that somebody else has set, which must stay. `resumed` is what becomes of
    `b` where the unclear write is sent again.
    """

    title: str
    rules: tuple[str, ...]
    a: str
    b: str
    requests: Ends
    kind: str | None = None
    told: str = ""
    remaining: tuple[str, ...] = ()
    others: Mapping[str, str] = dataclasses.field(default_factory=dict)
    resumed: str = "applied"
    note: str = ""

    @property
    def name(self) -> str:
        return self.title.replace(" ", "-")


def _b(outcome: str, logins: int = 1, gets: int = 6, patches: int = 2) -> Ends:
    return Ends(outcome, logins, gets, patches)


STORIES = (
    Story(
        "the API stores a different value",
        ("normalise round model.temperature",),
        "not_converged",
        "not_converged",
        _b("not_converged"),
        remaining=("/model/temperature",),
        note="Write the value that the API stores into the definition, or ask its developers.",
    ),
    Story(
        "somebody edits a declared field between the plan and the write",
        ("edit firstMessage=Theirs after 1st GET /assistants/asst_b",),
        "applied",
        "refused",
        _b("refused", gets=5, patches=1),
        kind="stale",
        told="live changed between the plan and the write (firstMessage)",
        note="Nothing was sent over the edit. Plan again, and decide.",
    ),
    Story(
        "somebody edits an undeclared field just before the write",
        ("edit name=Theirs before PATCH /assistants/asst_b",),
        "applied",
        "applied",
        SMOOTH,
        told="name, which is not declared, changed while this was written",
        others={"name": "Theirs"},
        note="The edit stays, and a warning names it.",
    ),
    Story(
        "somebody edits a declared field just before the write",
        ("edit firstMessage=Theirs before PATCH /assistants/asst_b",),
        "applied",
        "applied",
        SMOOTH,
        note="The API has no locks, so an edit between the last read and the write cannot be detected. It is "
        "overwritten.",
    ),
    Story(
        "somebody edits a declared field just after the write",
        ("edit firstMessage=Theirs after PATCH /assistants/asst_b",),
        "applied",
        "not_converged",
        _b("not_converged"),
        remaining=("/firstMessage",),
        told="firstMessage was changed live right after this was written",
        note="The edit stays, and later runs see it as drift. Plan again, and decide.",
    ),
    Story(
        "somebody edits a declared field while a write is unclear",
        ("1st PATCH /assistants/asst_b: 500", "edit firstMessage=Theirs after 1st PATCH /assistants/asst_b"),
        "applied",
        "indeterminate",
        _b("indeterminate"),
        kind="conflict",
        told="live now has neither the old nor the new value: nothing was sent again",
        resumed="refused",
        note="Nothing was sent over the edit, and `--resume` does not either. Plan again, and decide.",
    ),
    Story(
        "tokens live for three requests",
        ("token lives 3 requests",),
        "applied",
        "applied",
        _b("applied", logins=3, gets=8, patches=3),
        note="The run logs in again each time.",
    ),
    Story(
        "tokens live for one request",
        ("token lives 1 requests",),
        "applied",
        "applied",
        _b("applied", logins=10, gets=15, patches=6),
        note="The run logs in again each time.",
    ),
    Story(
        "the account cannot write: 401",
        ("PATCH /assistants/*: 401",),
        "failed",
        "failed",
        _b("failed", logins=2, gets=7, patches=3),  # one of them asks who we are
        kind="auth",
        told="not signed in, or no permission to PATCH (the role is ADMIN)",
        note="The run logs in once more. Writes are then tried one at a time; after three denied writes in a row, "
        "without a successful one, the others are skipped. The message names the account's role.",
    ),
    Story(
        "the account cannot write: 403",
        ("PATCH /assistants/*: 403",),
        "failed",
        "failed",
        _b("failed", gets=4, patches=2),
        kind="forbidden",
        told="403",
        note="The same, without another login.",
    ),
    Story(
        "the account cannot write one of them: 403",
        ("PATCH /assistants/asst_a: 403",),
        "failed",
        "applied",
        _b("applied", gets=5, patches=2),
        note="The next write is sent alone, and succeeds.",
    ),
)
