"""What two environments differ in as a versioned document, masked before any renderer sees it.

    {"format_version": 1, "tool_version": "...", "command": "diff",
     "environment": "staging", "against": "production",
     "summary": {"total": 2, "differ": 1, "alike": 1,
                 "only_in_environment": 0, "only_in_against": 0, "error": 0},
     "definitions": [{
       "key": "enrollment", "file": "assistants/enrollment.yaml", "standing": "differs", "error": null,
       "differences": [{
         "path": "/model/temperature",
         "environment": {"value": 0.3, "file": "environments/staging/enrollment.yaml", "line": 4},
         "against": {"value": 0.7, "file": "assistants/enrollment.yaml", "line": 9}}]}]}

It holds no time, so that the same definitions give the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from reconciler import __version__
from reconciler.assistant.paths import FieldPath, to_pointer
from reconciler.core.comparison import Compared, Comparison, Difference, Standing
from reconciler.core.definition import Definition
from reconciler.core.tree import MISSING, Missing
from reconciler.report.masking import mask_value

FORMAT_VERSION = 1
COMMAND = "diff"

Places = Callable[[Definition], Mapping[FieldPath, tuple[str, int]]]


class DeclaredEntry(TypedDict):
    """A value, and the file and line that declare it; the line is null where it cannot be told."""

    value: Any
    file: str
    line: int | None


class DifferenceEntry(TypedDict):
    """One differing leaf as a JSON Pointer; null stands for an environment that declares nothing there."""

    path: str
    environment: DeclaredEntry | None
    against: DeclaredEntry | None


class DefinitionEntry(TypedDict):
    """One definition; `error` says why it could not be compared."""

    key: str
    file: str
    standing: Standing
    differences: list[DifferenceEntry]
    error: str | None


class DiffDocument(TypedDict):
    """The whole document; `definitions` is sorted by file and holds those that are alike, too."""

    format_version: int
    tool_version: str
    command: str
    environment: str
    against: str
    summary: dict[str, int]
    definitions: list[DefinitionEntry]


def to_diff_document(
    comparison: Comparison, *, sensitive: Sequence[FieldPath] = (), places: Places = lambda _: {}
) -> DiffDocument:
    """Return a comparison as a document.

    `places` gives the file and line of each declared field of a definition; it is asked only for
    definitions with differences. Values at paths that `sensitive` names are masked.
    """
    standings = [entry.standing for entry in comparison.definitions]
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "command": COMMAND,
        "environment": comparison.environment,
        "against": comparison.against,
        "summary": {
            "total": len(standings),
            "differ": standings.count("differs"),
            "alike": standings.count("alike"),
            "only_in_environment": standings.count("only_in_environment"),
            "only_in_against": standings.count("only_in_against"),
            "error": standings.count("error"),
        },
        "definitions": [_definition(entry, sensitive, places) for entry in comparison.definitions],
    }


def _definition(entry: Compared, sensitive: Sequence[FieldPath], places: Places) -> DefinitionEntry:
    differences: list[DifferenceEntry] = []
    if entry.differences and entry.environment is not None and entry.against is not None:
        here, there = places(entry.environment), places(entry.against)
        differences = [_difference(entry.file, one, sensitive, here, there) for one in entry.differences]
    return {
        "key": entry.key,
        "file": entry.file,
        "standing": entry.standing,
        "differences": differences,
        "error": entry.message,
    }


def _difference(
    file: str,
    difference: Difference,
    sensitive: Sequence[FieldPath],
    here: Mapping[FieldPath, tuple[str, int]],
    there: Mapping[FieldPath, tuple[str, int]],
) -> DifferenceEntry:
    def declared(value: Any | Missing, lines: Mapping[FieldPath, tuple[str, int]]) -> DeclaredEntry | None:
        if value is MISSING:
            return None
        declaring, line = lines.get(difference.path, (file, None))
        return {"value": mask_value(value, difference.path, sensitive), "file": declaring, "line": line}

    return {
        "path": to_pointer(difference.path),
        "environment": declared(difference.environment, here),
        "against": declared(difference.against, there),
    }
