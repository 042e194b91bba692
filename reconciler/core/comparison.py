"""What two environments make of the same definitions: a value that reports are made of, as a run is."""

import dataclasses
from typing import Any, Literal

from reconciler.assistant.paths import FieldPath
from reconciler.core.definition import Definition
from reconciler.core.tree import Missing

Standing = Literal["differs", "alike", "only_in_environment", "only_in_against", "error"]


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One leaf and what each of the two declares there; `MISSING` where it declares nothing."""

    path: FieldPath
    environment: Any | Missing
    against: Any | Missing


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """One definition in both environments; None where it is no part of one, or not valid.

    `message` says why it could not be compared.
    """

    key: str
    file: str
    standing: Standing
    environment: Definition | None = None
    against: Definition | None = None
    differences: tuple[Difference, ...] = ()
    message: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """All definitions of two environments, sorted by file."""

    environment: str
    against: str
    definitions: tuple[Compared, ...]
