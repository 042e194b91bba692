"""The parts of an earlier run's report that a later run relies on: a reviewed plan, or what an apply has sent."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.fields import READ_ONLY, takes_null
from reconciler.assistant.paths import FieldPath, dotted, to_pointer
from reconciler.core.canonical import Whole, equal_completely
from reconciler.core.origin import Since
from reconciler.core.tree import MISSING, Missing, build_tree
from reconciler.dataclass import dataclass
from reconciler.errors import ReportError


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What an earlier run covered. A run that relies on its report must cover the same."""

    api_url: str | None
    environment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A plan's report: what it covered, with which options, and the digest of each assistant's write."""

    origin: Origin
    head: str | None
    options: Mapping[str, Any]
    digests: Mapping[str, str | None]
    sent: Mapping[str, Sequence[FieldPath]] = dataclasses.field(default_factory=dict)  # what each write was to change
    new: frozenset[str] = frozenset()  # files whose assistants are still to be created


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedField:
    """One field that an apply changed; `old` is `MISSING` where there was no such key."""

    path: FieldPath
    old: Any | Missing
    new: Any  # what was declared
    sent: Any  # what went out: a list's elements may hold more than was declared
    masked: bool = False  # the report hides the old value
    since: Since | None = None
    replaces_edit: bool = False  # the old value was somebody's, not git's, and git had managed the field
    unclear: bool = False  # nobody knows whether it arrived, or will be live yet
    earlier: tuple[Since | None, ...] = ()  # of the runs before the last that wrote it
    edited: bool = False  # somebody else wrote it between two runs
    left: tuple[Any, ...] = ()  # what earlier runs left, if nobody knows whether the last one arrived

    @property
    def own_values(self) -> tuple[Any, ...]:
        """The values that live may have from the runs: a write with an unclear outcome may not have arrived."""
        return (self.sent, *self.left, *([self.old] if self.unclear else []))

    @property
    def setters(self) -> tuple[Since | None, ...]:
        """The commits that set the field, one for each run that wrote it."""
        return (*self.earlier, self.since)

    def continue_with(self, later: "AppliedField") -> "AppliedField":
        """Return what two runs did to the field, as one: from what the first found to what the later one sent."""
        edited = not any(equal_completely(later.old, value, self.path) for value in self.own_values)
        return dataclasses.replace(
            later,
            old=self.old,
            masked=self.masked or later.masked,
            replaces_edit=self.replaces_edit,
            earlier=self.setters,
            edited=self.edited or edited,
            left=self.own_values if later.unclear else (),
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """One assistant that an apply changed, or may have changed."""

    key: str
    file: str
    id: str
    fields: tuple[AppliedField, ...]
    undoes: bool = False  # a rollback wrote it: git may still say otherwise

    def list_obstacles(self) -> Iterator[str]:
        """Yield why the old values cannot be restored: a reason for each field that prevents it."""
        for field in self.fields:
            if field.path[0] in READ_ONLY:
                yield f"{dotted(field.path)} cannot be written at all"
            elif field.masked:
                yield f"the report does not contain the old value of {dotted(field.path)}, which is sensitive"
            elif field.edited:
                yield f"somebody edited {dotted(field.path)} between two of the report's runs"
            elif (field.old is MISSING or field.old is None) and not takes_null(field.path):
                yield f"{dotted(field.path)} had no value before, and the API does not allow it to be empty"
            elif _is_empty(field.old):
                yield f"the old value of {dotted(field.path)} contains an empty object, which cannot be declared"

    def declare_old(self) -> dict[str, Any]:
        """Return the old values as a definition declares them; what was not there is declared to be empty."""
        return build_tree(
            (field.path, None if field.old is MISSING else _require_exact_lists(field.old)) for field in self.fields
        )

    def declare_new(self) -> dict[str, Any]:
        """Return the values that were applied, as a definition declares them."""
        return build_tree((field.path, field.new) for field in self.fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoableApply:
    """The parts of an apply's report that a rollback needs."""

    origin: Origin
    applied: Sequence[Applied]
    head: str | None  # the commit that it was applied from
    follows_git: bool  # false for the report of a rollback, which no commit asked for
    irreversible: Sequence[str] = ()  # what was created or deleted, which stays as it is


def combine_writes(writes: Sequence[Applied]) -> Applied:
    """Return several writes of one assistant, the earliest first, as one. Raises ReportError as `check_apart` does."""
    fields: dict[FieldPath, AppliedField] = {}
    for write in writes:
        for field in write.fields:
            earlier = fields.get(field.path)
            fields[field.path] = field if earlier is None else earlier.continue_with(field)
    check_apart([*fields.values()], hint="pass the report of each run by itself, the latest first")
    return dataclasses.replace(writes[-1], fields=tuple(fields.values()))


def check_apart(fields: Sequence[AppliedField], *, hint: str = "") -> None:
    """Refuse fields if one occurs twice or is inside another: it would be unclear what to restore."""
    # Sorted, a path is right before those below it.
    for path, following in itertools.pairwise(sorted(field.path for field in fields)):
        if following[: len(path)] == path:
            names = f"{to_pointer(path)} and {to_pointer(following)}"
            raise ReportError(f"the report names {names}, and one is inside the other", hint=hint)


def _is_empty(value: Any) -> bool:
    """Return whether a value is an object of nothing but nulls, or has one inside; lists are sent whole."""
    if not isinstance(value, Mapping):
        return False
    items = [item for item in value.values() if item is not None]
    # Declaring `{}` asks for nothing, so such a value could never be restored.
    return not items or any(map(_is_empty, items))


def _require_exact_lists(value: Any) -> Any:
    """Return a value in which every list asks for exactly its elements."""
    if isinstance(value, Mapping):
        return {key: _require_exact_lists(item) for key, item in value.items()}
    return Whole(value) if isinstance(value, list) else value
