"""What is wrong with a definition, and where."""

import dataclasses
from typing import Literal

Severity = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding of validation; problems sort by file, then by place.

    `file` is relative to the repository's root, `line` and `column` count from 1. `kind` is the error kind
    of the contract.
    """

    file: str
    line: int
    column: int
    message: str
    severity: Severity = "error"
    kind: Literal["invalid", "duplicate"] = "invalid"

    def __str__(self) -> str:
        """Return `file:line:column: message`; warnings say so."""
        prefix = "warning: " if self.severity == "warning" else ""
        return f"{self.file}:{self.line}:{self.column}: {prefix}{self.message}"
