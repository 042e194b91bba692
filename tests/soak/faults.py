"""Rules for the sandbox's faults, made up at random (docs/sandbox.md), with what a check has to know of them."""

import dataclasses
import random
from collections.abc import Sequence

from soak.fleet import Path

# What the API answers without doing anything, and what it may have done before it fails.
_NOES = ("400", "401", "403", "404", "422", "425")
_BROKEN = ("500", "502", "503", "504", "520", "522", "524", "408", "499", "reset", "html=502")
_STORES = ("", "", " after=provider", " after=database", " after=both")
_NORMALISING = {
    "normalise trim firstMessage": ("firstMessage",),
    "normalise sort metadata.tags": ("metadata", "tags"),
    "normalise round=1 model.temperature": ("model", "temperature"),
}
_EDITED = ("name", "endCallMessage", "voicemailMessage")


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """Somebody else sets a top-level field of one assistant."""

    rule: str
    id: str
    path: Path
    value: str


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one schedule. `normalised` are the fields of which the API may keep another value.

    Beside the sandbox's own rules: `renewing` says of how many tokens, each answer bringing a new one, the last ones
    live; `losing` is the share of connections that a proxy loses.
    """

    failing: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    normalising: tuple[str, ...] = ()
    dropping: bool = False
    renewing: int = 0
    losing: float = 0

    @property
    def lagging(self) -> bool:
        """Whether reading lags behind some writes."""
        return any(": lag=" in rule for rule in self.failing)

    @property
    def in_words(self) -> tuple[str, ...]:
        """All rules in words; those of the sandbox as it takes them."""
        renewing = (f"(each answer renews the token, {self.renewing} live)",) if self.renewing else ()
        losing = (f"(a proxy loses {self.losing:.0%} of the connections)",) if self.losing else ()
        return (*self.texts, *renewing, *losing)

    @property
    def texts(self) -> tuple[str, ...]:
        """The rules as the sandbox takes them; the edits come first."""
        drop = ("drop unknown keys",) if self.dropping else ()
        return (*(edit.rule for edit in self.edits), *self.normalising, *drop, *self.failing)

    @property
    def normalised(self) -> frozenset[Path]:
        """The fields of which the API keeps another value than was sent."""
        return frozenset(_NORMALISING[rule] for rule in self.normalising)


def make_rules(chance: random.Random, ids: Sequence[str]) -> Rules:
    """Make up one to four faults, now and then with another writer, or an API that changes what it is sent."""
    if chance.random() < 0.03:
        return Rules((_token_life(chance),) if chance.random() < 0.5 else (), dropping=True)
    return Rules(
        failing=tuple(_failing(chance, ids) for _ in range(chance.randint(1, 4))),
        edits=tuple(_edit(chance, ids, number) for number in range(chance.choice([0, 0, 0, 1, 3]))),
        normalising=(chance.choice([*_NORMALISING]),) if chance.random() < 0.15 else (),
        renewing=chance.choice([2, 4, 12]) if chance.random() < 0.15 else 0,
        losing=chance.choice([0.02, 0.05, 0.2]) if chance.random() < 0.15 else 0,
    )


def _failing(chance: random.Random, ids: Sequence[str]) -> str:
    kind = chance.random()
    if kind < 0.08:
        return f"limit {chance.randint(1, 7)} in flight"
    if kind < 0.1:
        return f"limit {chance.randint(60, 120)} per second{chance.choice(['', ' retry-after=1'])}"
    if kind < 0.2:
        return _token_life(chance)
    if kind < 0.3:
        return _slow(chance, ids)
    if kind < 0.34:
        when = chance.choice([_some(chance), "every"])
        return f"{when} PATCH /assistants/*: lag={chance.choice([0.02, 0.1, 0.3, 0.6])}"
    if kind < 0.37:
        return f"{_one(chance)} * *: 429 retry-after={chance.choice(['', 'date+'])}1"
    if kind < 0.42:  # a few: an API that says so again and again is waited for
        when = chance.choice([f"first {chance.randint(1, 4)}", _one(chance)])
        return f"{when} {chance.choice(['GET', 'PATCH', '*'])} *: 429"
    method = chance.choice(["GET", "PATCH", "PATCH", "*"])
    what = chance.choice(_BROKEN) + chance.choice(_STORES) if chance.random() < 0.6 else _other(chance)
    if chance.random() < 0.3:
        return f"{chance.choice(['every', _one(chance, 3)])} {method} /assistants/{chance.choice(ids)}: {what}"
    if chance.random() < 0.1:
        return f"{_one(chance, 3)} POST /auth/login: {chance.choice([what, '500', '401'])}"
    return f"{_some(chance)} {method} /assistants/*: {what}"


def _other(chance: random.Random) -> str:
    return chance.choice([*_NOES, "html", "html after=both", "half", "half"])


def _slow(chance: random.Random, ids: Sequence[str]) -> str:
    """Make up what takes longer than anybody waits, so that it may only happen to a few."""
    what = chance.choice(["hang", "hang=1.2", "hang=1.2 after=both", "hang=0.2", "drip=0.02"])
    path = chance.choice([f"/assistants/{chance.choice(ids)}", "/assistants/*"])
    return f"{_one(chance, 30 if '*' in path else 3)} {chance.choice(['GET', 'PATCH'])} {path}: {what}"


def _token_life(chance: random.Random) -> str:
    return f"token lives {chance.randint(2, 80)} requests"


def _edit(chance: random.Random, ids: Sequence[str], number: int) -> Edit:
    id_, field, value = chance.choice(ids), chance.choice(_EDITED), f"somebody else {number}"
    moment = chance.choice(["before", "after"])
    rule = f"edit {field}={value} {moment} {_one(chance, 3)} {chance.choice(['GET', 'PATCH'])} /assistants/{id_}"
    return Edit(rule, id_, (field,), value)


def _one(chance: random.Random, most: int = 60) -> str:
    number = chance.randint(1, most)
    ending = "th" if 10 < number % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _some(chance: random.Random) -> str:
    share, every = f"{chance.choice([5, 10, 20, 30, 60])}%", f"every {_one(chance, 20)}"
    return chance.choice([share, share, every, _one(chance), f"first {chance.randint(1, 9)}"])
