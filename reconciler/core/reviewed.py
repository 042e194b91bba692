"""What a report of an earlier run says, as far as a later one relies on it. Nothing in it is trusted to be sent."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.assistant.fields import READ_ONLY, takes_null
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.canonical import Whole
from reconciler.core.origin import Since
from reconciler.core.tree import MISSING, Missing, build


@dataclasses.dataclass(frozen=True, slots=True)
class Reviewed:
    """A plan's report: for which API and options it was made, and the digest of each assistant's write."""

    command: str
    offline: bool
    api_url: str | None
    environment: str | None
    head: str | None
    options: Mapping[str, Any]
    digests: Mapping[str, str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class AppliedField:
    """One field that an apply changed; `old` is `MISSING` where there was no such key, `masked` where it is hidden.

    `new` is what was declared, `sent` what went out: a list's elements may hold more than was declared. `since`
    is the commit that set it, as the report says.
    """

    path: FieldPath
    old: Any | Missing
    new: Any
    sent: Any
    masked: bool = False
    since: Since | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Applied:
    """One assistant that an apply changed, or may have changed."""

    key: str
    file: str
    id: str
    fields: tuple[AppliedField, ...]

    def obstacles(self) -> Iterator[str]:
        """Yield why the old values cannot be put back, a reason for each field that stands in the way."""
        for field in self.fields:
            if field.path[0] in READ_ONLY:
                yield f"{dotted(field.path)} cannot be written at all"
            elif field.masked:
                yield f"the report does not hold the old value of {dotted(field.path)}, which is sensitive"
            elif field.old is MISSING and not takes_null(field.path):
                yield f"{dotted(field.path)} was not there before, and the API cannot empty it"
            elif _holds_nothing(field.old):
                yield f"the old value of {dotted(field.path)} holds an empty object, which nobody can declare"

    def before(self) -> dict[str, Any]:
        """Return the old values as a definition declares them; what was not there is declared to be empty."""
        return build((field.path, None if field.old is MISSING else _whole(field.old)) for field in self.fields)

    def after(self) -> dict[str, Any]:
        """Return the values that were applied, as a definition declares them."""
        return build((field.path, field.new) for field in self.fields)


def _holds_nothing(value: Any) -> bool:
    """Tell whether a value is an object of nothing but nulls, or has one inside; lists are sent whole."""
    if not isinstance(value, Mapping):
        return False
    held = [item for item in value.values() if item is not None]
    return not held or any(map(_holds_nothing, held))


def _whole(value: Any) -> Any:
    """Return a value in which every list asks for exactly its elements."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    return Whole(value) if isinstance(value, list) else value
