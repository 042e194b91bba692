"""The settings of `reconciler.yaml` as values. Another room defines the file's keys and reads it."""

import dataclasses
import datetime
import fnmatch
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from reconciler.assistant.fields import is_known
from reconciler.assistant.paths import FieldPath, meets, write_path
from reconciler.assistant.problem import Problem, Severity
from reconciler.dataclass import dataclass

FILE_NAME: Final = "reconciler.yaml"
OnDrift = Literal["keep", "revert", "fail"]
Level = Literal["error", "warning", "none"]
LineEndings = Literal["exact", "any"]


def now() -> datetime.datetime:
    """Return the time, in UTC."""
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True, slots=True)
class MaxChanges:
    """A limit: `amount` is a number of assistants, or in `percent` of those selected, in millionths."""

    amount: int
    percent: bool

    @classmethod
    def parse(cls, value: str | int) -> "MaxChanges":
        """Return the limit that `25`, `"25"` or `"25%"` means. Raises ValueError, with a text for users."""
        text = str(value).strip()
        if share := re.fullmatch(r"([0-9]{1,3})(?:\.([0-9]{1,6}))? ?%", text):
            # Not as a float, in which 18.4 % of 375 is 68.99999999999999.
            amount = int(share[1] + (share[2] or "").ljust(6, "0"))
            if amount <= 100_000_000:
                return cls(amount, percent=True)
        if re.fullmatch("[0-9]{1,9}", text) and not isinstance(value, bool):
            return cls(int(text), percent=False)
        raise ValueError("must be a number of assistants, like 5, or a percentage, like 25%")

    def limit(self, selected: int) -> int:
        """Return how many of `selected` assistants may be written; a share is rounded down."""
        # Down: a limit that is rounded up would allow more than it says.
        return self.amount * selected // 100_000_000 if self.percent else self.amount

    def find_objection(self, writes: int, selected: int) -> str | None:
        """Return why so many of `selected` assistants may not be written; None if they may."""
        limit = self.limit(selected)
        if writes <= limit:
            return None
        assistants = "1 assistant" if writes == 1 else f"{writes} assistants"
        return f"{assistants} would be written, but max_changes allows {limit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForAssistants:
    """An entry for assistants whose key matches one of the globs; `*` in a glob also matches `/`."""

    assistants: tuple[str, ...] = ("*",)
    place: tuple[int, int] = (1, 1)  # line and column in the file, from 1

    def concerns(self, key: str) -> bool:
        """Return whether this applies to the definition with a key."""
        # `fnmatchcase`, since `fnmatch` treats case and slashes differently on each system. A file's name may have
        # decomposed letters, which no keyboard writes.
        key, *patterns = (unicodedata.normalize("NFC", text) for text in (key, *self.assistants))
        return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(ForAssistants):
    """An entry with a reason and an optional last day, `expires`, in UTC."""

    reason: str
    expires: datetime.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRule(Dated):
    """Differences to accept at a path (`*` for one key)."""

    path: FieldPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Dated):
    """Assistants that nobody may write to, from the day `starts` to the day `expires`, both included and in UTC."""

    starts: datetime.date | None = None

    def holds(self, today: datetime.date) -> bool:
        """Return whether it applies on a day."""
        return (self.starts is None or self.starts <= today) and (self.expires is None or today <= self.expires)

    def describe(self) -> str:
        """Return why and until when, as part of a sentence."""
        return f"{self.reason}, until {self.expires}" if self.expires is not None else self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceRule(ForAssistants):
    """A path (`*` for one key) whose live edits every apply reverts."""

    path: FieldPath
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ForAssistants):
    """A requirement: the value at a path (`*` for any key or element) must match a schema, or must be declared."""

    id: str
    path: FieldPath
    reason: str
    required: bool = False
    schema: Any = None  # None if the rule only asks for a value
    severity: Severity = "error"
    starts: datetime.date | None = None  # before that day a violation is no error
    exceptions: tuple[Dated, ...] = ()  # assistants for which it does not apply


@dataclass(frozen=True, slots=True, kw_only=True)
class LintLevel(ForAssistants):
    """The level of a lint for some assistants."""

    lint: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What an environment may set, and the whole project as well; None if the file does not say."""

    api_url: str | None = None
    always_send: tuple[str, ...] = ()
    sensitive: tuple[FieldPath, ...] = ()
    extra_fields: tuple[FieldPath, ...] = ()
    overlay: str | None = None  # a folder next to that of the definitions
    overlay_place: tuple[int, int] = (1, 1)  # line and column that name it
    org_id: str | None = None
    on_drift: OnDrift | None = None
    max_changes: MaxChanges | None = None
    record: bool | None = None  # whether `apply` records what it applied
    never_send: tuple[FieldPath, ...] = ()  # inside objects: what the server manages
    line_endings: LineEndings | None = None  # whether CRLF and LF are two things
    ignore: tuple[IgnoreRule, ...] = ()
    frozen: tuple[Freeze, ...] = ()
    enforce: tuple[EnforceRule, ...] = ()
    rules: tuple[Rule, ...] = ()
    lints: tuple[LintLevel, ...] = ()

    @property
    def entries(self) -> Iterator[tuple[ForAssistants, str]]:
        """All entries that name assistants, including exceptions from rules, each with its name for messages."""
        yield from ((entry, f"ignore {write_path(entry.path)}") for entry in self.ignore)
        yield from ((entry, f"enforce {write_path(entry.path)}") for entry in self.enforce)
        yield from ((entry, f"the freeze ({entry.reason})") for entry in self.frozen)
        for rule in self.rules:
            yield rule, f"the rule {rule.id}"
            yield from ((each, f"the exception from the rule {rule.id} ({each.reason})") for each in rule.exceptions)
        yield from ((entry, f"lints {entry.lint}") for entry in self.lints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Environment):
    """The settings of one project."""

    file: str | None = None  # from the repository's root; None without a file
    text: str = dataclasses.field(default="", repr=False, compare=False)
    environments: Mapping[str, Environment] = dataclasses.field(default_factory=dict)
    environment: str | None = None  # the one that was chosen: its settings replace the project's
    # The day, in UTC, on which all dates are judged.
    today: datetime.date = dataclasses.field(default_factory=lambda: now().date(), compare=False)

    def choose(self, name: str) -> "Settings":
        """Return the settings as they are in an environment. Raises KeyError for one that is not there."""
        environment = self.environments[name]
        values = {field.name: getattr(environment, field.name) for field in dataclasses.fields(Environment)}
        # None is "not set". The URL and the overlay are never inherited, or staging's changes could reach production.
        overrides = {key: value for key, value in values.items() if value is not None or key in ("api_url", "overlay")}
        # A list is added to the project's, so that an environment cannot lose what protects all of them.
        added = {key: (*getattr(self, key), *value) for key, value in overrides.items() if isinstance(value, tuple)}
        del added["overlay_place"]
        return dataclasses.replace(self, **{**overrides, **added, "environment": name})

    def include_all_environments(self) -> "Settings":
        """Return the settings for files that all environments read: with what any of them hides or allows."""
        parts = (self, *self.environments.values())
        return dataclasses.replace(
            self,
            sensitive=tuple(dict.fromkeys(path for part in parts for path in part.sensitive)),
            extra_fields=tuple(dict.fromkeys(path for part in parts for path in part.extra_fields)),
        )

    def grade(self, problem: Problem, key: str) -> Problem | None:
        """Return a lint's problem with the severity of the last level for a key; None if it is silenced."""
        levels = [entry.level for entry in self.lints if entry.lint == problem.lint and entry.concerns(key)]
        level: Level = levels[-1] if levels else "warning"
        if level == "none":
            return None
        return dataclasses.replace(problem, severity=level, message=f"{problem.message} [{problem.lint}]")

    def is_shared(self, entry: ForAssistants) -> bool:
        """Return whether an entry also applies elsewhere: one alone cannot show that it matches nothing."""
        own = self.environments.get(self.environment or "")
        return own is not None and len(self.environments) > 1 and entry not in (each for each, _ in own.entries)

    @property
    def expiring(self) -> Iterator[tuple[datetime.date, Dated, str]]:
        """Each entry that has a last day, which may be past: the day, the entry, and its name for messages."""
        for entry, name in self.entries:
            if isinstance(entry, Dated) and entry.expires is not None:
                yield entry.expires, entry, name

    @property
    def next_expiry(self) -> datetime.date | None:
        """The nearest last day of an entry; None if no entry has one."""
        return min((day for day, _, _ in self.expiring), default=None)

    def may_show(self, path: FieldPath) -> bool:
        """Return whether the value at a path may be shown, as far as no `sensitive` path names it or touches it."""
        # The common prefix is compared, so that neither a part of a hidden value nor its parent is shown.
        return not any(meets(pattern, path) for pattern in self.sensitive)

    def may_quote(self, path: FieldPath) -> bool:
        """Return whether a message may quote what a file says at a path, in which people may have made a mistake."""
        # An unknown field may be a sensitive one with a misspelt name, or in the wrong place.
        has_known_name = is_known(path) or any(meets(extra, path) for extra in self.extra_fields)
        return not self.sensitive or (has_known_name and self.may_show(path))
