"""The behaviour matrix as data: who moved, in which kind of field, under which policy, and what must come of it.

`test_matrix.py` runs every row through the real commands; `matrix_document.py` writes docs/behaviour.md from the
same rows. Nothing here is taken from the package, or the two would always agree.
"""

import copy
import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Literal

Kind = Literal["in sync", "change", "drift", "conflict"]
Path = tuple[str, ...]
Tree = dict[str, Any]


class Absent:
    """No such key."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclasses.dataclass(frozen=True)
class Field:
    """A kind of field, by an example: three values, the first once more as live may spell it, and its neighbours.

    `around` is what live holds beside it in the same object and no definition mentions. `leaves` are the paths
    that differ where two of the values do, `drift_leaves` where the second value is live.
    """

    key: str
    title: str
    path: Path
    a: Any
    b: Any
    c: Any
    again: Any
    around: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    leaves: tuple[Path, ...] = ()
    drift_leaves: tuple[Path, ...] = ()
    note: str = ""

    def value(self, letter: str) -> Any:
        return ABSENT if letter == "-" else getattr(self, {"=": "again"}.get(letter, letter))

    def differing(self, situation: "Situation") -> tuple[Path, ...]:
        if situation.kind == "in sync":
            return ()
        return (self.drift_leaves if situation.live == "b" else ()) or self.leaves or (self.path,)


@dataclasses.dataclass(frozen=True)
class Situation:
    """Who moved: which value base, git and live have (`-` none, `=` the first value, spelled otherwise).

    `base_file` says what the base has of the whole file.
    """

    key: str
    title: str
    base: str
    desired: str
    live: str
    kind: Kind
    base_file: Literal["a definition", "no file", "unreadable"] = "a definition"
    says: str = ""


@dataclasses.dataclass(frozen=True)
class Policy:
    """What options make of drift and of conflicts: left alone, sent, or the reason to refuse the assistant."""

    key: str
    title: str
    options: tuple[str, ...]
    drift: Literal["left", "sent", "refuses"]
    conflict: Literal["sent", "refuses"]

    @property
    def on_drift(self) -> str:
        return {"left": "keep", "sent": "revert", "refuses": "fail"}[self.drift]

    def treats(self, kind: Kind) -> str:
        return {"in sync": "left", "change": "sent", "drift": self.drift, "conflict": self.conflict}[kind]


@dataclasses.dataclass(frozen=True)
class Row:
    """One assistant: its fields, each in a situation. Most have one field."""

    key: str
    title: str
    parts: tuple[tuple[Field, Situation], ...]

    @property
    def id(self) -> str:
        return "asst_" + self.key.replace("/", "_").replace("-", "_")

    @property
    def released(self) -> list[str]:
        """The fields that the definition no longer mentions; of an object that it no longer mentions, the object."""
        return [pointer(field.path[:1]) for field, situation in self.parts if situation.desired == "-"]

    def definition(self, version: Literal["base", "desired"]) -> Tree | None:
        """The definition as it was applied last, or is now; None where there is no file that can be read."""
        if version == "base" and self.parts[0][1].base_file != "a definition":
            return None
        tree: Tree = {"id": self.id, "name": self.key}
        for field, situation in self.parts:
            set_value(tree, field.path, field.value(situation.base if version == "base" else situation.desired))
        return tree

    def live(self) -> Tree:
        """The assistant before anything is sent."""
        tree: Tree = {"name": self.key, "metadata": {"untouched": True}}
        for field, situation in self.parts:
            value = field.value(situation.live)
            if len(field.path) == 1 and (value is None or isinstance(value, Mapping)):
                tree.pop(field.path[0], None)
            for name, beside in field.around.items():
                set_value(tree, (*field.path[:-1], name), beside)
            set_value(tree, field.path, value)
        return tree

    def changes(self, *, has_base: bool = True) -> list[tuple[str, Kind]]:
        """What must be reported: each differing leaf with its kind; without a base everything is a change."""
        found: list[tuple[str, Kind]] = [
            (pointer(leaf), situation.kind if has_base else "change")
            for field, situation in self.parts
            for leaf in field.differing(situation)
        ]
        return sorted(found)

    def outcome(self, policy: Policy, *, has_base: bool = True) -> str:
        """What becomes of the assistant: one reason to refuse it keeps everything of it from being sent."""
        kinds: set[Kind] = {kind for _, kind in self.changes(has_base=has_base)}
        treated = {policy.treats(kind) for kind in kinds}
        if "refuses" in treated:
            return "refused"
        return "applied" if "sent" in treated else "unchanged"

    def status(self, *, has_base: bool = True) -> str:
        kinds = {kind for _, kind in self.changes(has_base=has_base)}
        ranked = {"conflict": "conflicted", "change": "pending", "drift": "drifted"}
        return next((status for kind, status in ranked.items() if kind in kinds), "in_sync")

    def after(self, policy: Policy, *, has_base: bool = True) -> Tree:
        """The assistant after an apply: what is sent has git's value, and everything else is as it was."""
        tree = copy.deepcopy(self.live())
        desired = self.definition("desired") or {}
        if self.outcome(policy, has_base=has_base) == "applied":
            for path, kind in self.changes(has_base=has_base):
                if policy.treats(kind) == "sent":
                    leaf = keys(path)
                    set_value(tree, leaf, value_at(desired, leaf))
        return tree

    def patch(self, policy: Policy, *, has_base: bool = True) -> Tree | None:
        """What must be sent: each top-level field that changes, an object whole."""
        if self.outcome(policy, has_base=has_base) != "applied":
            return None
        after = self.after(policy, has_base=has_base)
        sent = [keys(path)[0] for path, kind in self.changes(has_base=has_base) if policy.treats(kind) == "sent"]
        return {field: after[field] for field in sent}


def pointer(path: Path) -> str:
    return "".join(f"/{key}" for key in path)


def keys(path: str) -> Path:
    return tuple(path.split("/")[1:])


def value_at(tree: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return ABSENT
        tree = tree[key]
    return tree


def set_value(tree: Tree, path: Path, value: Any) -> None:
    """Set a value at a path; an absent one is not set."""
    if value is ABSENT:
        return
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = copy.deepcopy(value)


MODEL = {"provider": "openai", "model": "gpt-4o", "tools": ["transfer"]}

FIELDS = (
    Field("text", "a text", ("firstMessage",), "Good morning!", "Good evening!", "Hello!", "Good morning!"),
    Field(
        "integer",
        "a whole number",
        ("maxDurationSeconds",),
        600,
        900,
        300,
        600.0,
        note="`600` and `600.0` are equal.",
    ),
    Field(
        *("number", "a number inside `model`", ("model", "temperature"), 1, 0.5, 0.9, 1.0),
        around=MODEL,
        note="`model` is sent as a whole, including all undeclared live values.",
    ),
    Field(
        *("whole-number", "a whole number inside `model`", ("model", "maxTokens"), 500, 250, 900, 500.0),
        around=MODEL,
    ),
    Field(
        *("in-metadata", "a text inside `metadata`", ("metadata", "owner"), "Ada", "Bob", "Cy", "Ada"),
        around={"visits": 7, "nothing": None},
        note="`metadata` is sent as a whole, including all undeclared live values.",
    ),
    Field(
        *("yes-or-no", "yes or no, inside `metadata`", ("metadata", "open"), True, False, 1, True),
        around={"visits": 7},
        note="`true` and `1` are different values.",
    ),
    Field(
        *("list", "a list", ("metadata", "languages"), ["en", "es"], ["en", "es", "fr"], ["es", "en"], ["en", "es"]),
        around={"visits": 7},
        note="A list is a single value. It is sent as a whole, and its order matters.",
    ),
    Field(
        *("phrases", "`endCallPhrases`", ("endCallPhrases",)),
        *(["goodbye", "that is all"], ["goodbye"], ["so long"], ["that is all", "goodbye"]),
        note="This is the only list whose order does not matter. Repeated phrases do matter.",
    ),
    Field(
        *(
            "emptied",
            "a text that is emptied (`null`)",
            ("voicemailMessage",),
            "Call back.",
            None,
            "We're closed.",
            "Call back.",
        ),
        note="`null` is a value like any other; it means that the field must be empty.",
    ),
    Field(
        *(
            "kept-empty",
            "a field that is kept empty (`null`)",
            ("endCallMessage",),
            None,
            "Goodbye!",
            "So long!",
            ABSENT,
        ),
        note="A missing live field counts as empty.",
    ),
    Field(
        *("object", "a whole object", ("voice",)),
        *({"provider": "azure", "voiceId": "one"}, {"provider": "openai", "voiceId": "two"}),
        *({"provider": "edmo", "voiceId": "three"}, {"voiceId": "one", "provider": "azure", "speed": 2}),
        leaves=(("voice", "provider"), ("voice", "voiceId")),
        note="Its fields are compared one by one, but it is sent as a whole.",
    ),
    Field(
        *("object-emptied", "a whole object that is emptied (`null`)", ("metadata",)),
        *({"team": "admissions"}, None, {"team": "finance"}, {"team": "admissions", "visits": 7}),
        drift_leaves=(("metadata", "team"),),
    ),
    Field(
        *("another-kind", "a value that becomes one of another kind", ("metadata", "crm")),
        *({"queue": "north"}, "north", ["north"], {"queue": "north", "visits": 7}),
        around={"visits": 7},
        note="If one of the versions is not an object, the difference is shown for the whole field.",
    ),
)

SITUATIONS = (
    Situation("nobody", "nothing changed", "a", "a", "=", "in sync"),
    Situation("agreed", "git and live changed to the same value", "a", "b", "b", "in sync"),
    Situation("git", "git changed", "a", "b", "a", "change"),
    Situation("live", "somebody edited it live", "a", "a", "b", "drift"),
    Situation("both", "git and live changed to different values", "a", "b", "c", "conflict"),
    Situation("new-field", "the field is new in the definition", "-", "b", "a", "change"),
    Situation("new-field-agreed", "the field is new in the definition, and live is equal", "-", "a", "=", "in sync"),
    Situation("new-file", "the definition is new", "-", "b", "a", "change", "no file"),
    Situation(
        *("unreadable", "the definition that was applied last cannot be read", "-", "b", "a", "change", "unreadable"),
        says="and a warning that names the file",
    ),
    Situation(
        *("released", "the definition no longer mentions the field", "a", "-", "b", "in sync"),
        says="and the field is listed as released",
    ),
)

POLICIES = (
    Policy("keep", "by default (`--on-drift keep`)", (), "left", "refuses"),
    Policy("revert", "`--on-drift revert`", ("--on-drift", "revert"), "sent", "refuses"),
    Policy("fail", "`--on-drift fail`", ("--on-drift", "fail"), "refuses", "refuses"),
    Policy("force", "`--force-conflicts`", ("--force-conflicts",), "left", "sent"),
    Policy(
        *("revert-force", "`--on-drift revert --force-conflicts`", ("--on-drift", "revert", "--force-conflicts")),
        *("sent", "sent"),
    ),
    Policy(
        *("fail-force", "`--on-drift fail --force-conflicts`", ("--on-drift", "fail", "--force-conflicts")),
        *("refuses", "sent"),
    ),
)


def _named(found: tuple[Any, ...], key: str) -> Any:
    return next(entry for entry in found if entry.key == key)


def _mix(title: str, *parts: tuple[str, str]) -> Row:
    chosen = tuple((_named(FIELDS, field), _named(SITUATIONS, situation)) for field, situation in parts)
    return Row("mixed/" + "-".join(itertools.chain.from_iterable(parts)), title, chosen)


MIXED = (
    _mix("one field of `model` changed in git, another live", ("number", "git"), ("whole-number", "live")),
    _mix("one field changed in git, another live", ("text", "git"), ("integer", "live")),
    _mix("one field changed in git, both changed another of the same object", ("in-metadata", "git"), ("list", "both")),
    _mix("one field changed live, both changed another", ("text", "live"), ("emptied", "both")),
    _mix("git, live and both each changed one field", ("text", "git"), ("phrases", "live"), ("number", "both")),
)


def single_rows() -> Iterator[Row]:
    for field in FIELDS:
        for situation in SITUATIONS:
            yield Row(f"{field.key}/{situation.key}", situation.title, ((field, situation),))


ROWS = (*single_rows(), *MIXED)
