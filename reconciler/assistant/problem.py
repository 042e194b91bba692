"""A problem in a text: first at a field or a place, then, once both are known, in a file."""

import dataclasses
import operator
from collections.abc import Sequence
from typing import Final, Literal

from reconciler.assistant.paths import FieldPath
from reconciler.dataclass import dataclass
from reconciler.errors import SettingsError

Severity = Literal["error", "warning"]
About = Literal["key", "value", "file"]
# At most this many problems of one file are shown. Nobody reads more, and each takes ten times its text in memory.
MAX_PROBLEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One problem at a field; `about` says whether it concerns the key, its value, or the whole file."""

    path: FieldPath  # empty if it concerns no field
    message: str  # may quote the user's text
    discreet: str = ""  # the same without the quote; "" if `message` quotes nothing
    about: About = "value"
    severity: Severity = "error"
    lint: str = ""  # the id of the lint that found it
    line: int = 1  # the line within a text, from 1
    advice: tuple[str, str] = ("", "")  # more advice: for YAML, and for a text file
    place: tuple[int, int] = (1, 1)  # line and column in the YAML text, from 1, once they are known


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in a file, whose path begins at the repository's root. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str
    severity: Severity = "error"
    kind: Literal["invalid", "duplicate"] = "invalid"
    lint: str = ""  # the id of the lint that found it
    source_line: str = dataclasses.field(default="", repr=False, compare=False)  # empty if it may not be shown
    about_file: bool = dataclasses.field(default=False, repr=False, compare=False)  # about the file as a whole

    def __lt__(self, other: "Problem") -> bool:
        """Return whether it comes first: by its place, then by what it says."""
        return _sort_key(self) < _sort_key(other)

    def __str__(self) -> str:
        """Return `file:line:column: message`, with `warning: ` before the message of a warning."""
        prefix = "warning: " if self.severity == "warning" else ""
        return f"{self.file}:{self.line}:{self.column}: {prefix}{self.message}"


_sort_key = operator.attrgetter("file", "line", "column", "message", "severity", "kind", "lint")


def keep_gravest(problems: set[Problem]) -> set[Problem]:
    """Drop each warning that is also an error: a lint may be an error for only some assistants."""
    errors = (problem for problem in problems if problem.severity == "error")
    return problems - {dataclasses.replace(error, severity="warning") for error in errors}


class InvalidSettings(SettingsError):  # noqa: N818 - a list of problems
    """`reconciler.yaml` cannot be used; `problems` has every problem with its place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
