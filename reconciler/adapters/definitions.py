"""Loads definitions: every file of the folder read, checked and told apart, with every problem at its place.

It reports and decides nothing about what follows from a problem.
"""

import dataclasses
import gc
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.adapters.definition_files import FoundFile, UnreadableText, find_files, read_text, select
from reconciler.adapters.yaml_nodes import unused_anchors
from reconciler.adapters.yaml_places import Place, find_cut_off, find_places, may_be_cut_off
from reconciler.adapters.yaml_reader import YamlProblem, YamlProblems, read_yaml
from reconciler.core.assistant import find_faults
from reconciler.core.definition import Definition, InvalidDefinition
from reconciler.core.fields import MESSAGES
from reconciler.core.finding import Finding
from reconciler.core.lints import find_warnings
from reconciler.core.paths import FieldPath
from reconciler.core.problem import Problem
from reconciler.core.settings import Settings

_ANCHOR = re.compile(r"(?:^|[\s,\[{])&[\w-]")
_DUPLICATE_SHOWN = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds, as far as it was selected; each part is sorted by file.

    `problems` holds the warnings too; `whole` says that there were no PATHS.
    """

    definitions: tuple[Definition, ...]
    invalid: tuple[InvalidDefinition, ...]
    problems: tuple[Problem, ...]
    whole: bool


@dataclasses.dataclass(slots=True)
class _Reading:
    """What is known of one file while loading."""

    found: FoundFile
    text: str = ""
    document: dict[str, Any] | None = None
    problems: list[Problem] = dataclasses.field(default_factory=list)

    @property
    def id(self) -> str | None:
        """The id, as far as it can be read."""
        id_ = (self.document or {}).get("id")
        return id_ if isinstance(id_, str) and id_ else None

    def note(self, line: int, column: int, message: str) -> None:
        """Add an error."""
        self.problems.append(Problem(self.found.file, line, column, message))


def load(folder: Path, selected: Sequence[Path], *, root: Path, settings: Settings) -> Loaded:
    """Return the definitions below `folder` that PATHS in `selected` choose; all of them without PATHS.

    Every file is read, since ids are compared over all; only the selected ones are checked. `root` is the
    repository's root, from which files are named. Raises DefinitionError if the folder is missing or without
    definitions, or one of the paths cannot be used.
    """
    files = find_files(folder, root)
    chosen = select(files, folder, selected)
    with _without_garbage_collection():
        readings = [_read(found, settings, check=found.file in chosen) for found in files]
    _note_duplicate_ids(readings)
    _note_duplicate_keys(readings)
    readings = [reading for reading in readings if reading.found.file in chosen]
    return Loaded(
        definitions=tuple(_definition(reading) for reading in readings if not _errors(reading)),
        invalid=tuple(_invalid(reading) for reading in readings if _errors(reading)),
        problems=tuple(sorted(problem for reading in readings for problem in reading.problems)),
        whole=not selected,
    )


def _read(found: FoundFile, settings: Settings, *, check: bool) -> _Reading:
    """Read one file; without `check` only as far as its id needs."""
    reading = _Reading(found)
    if found.trouble:
        reading.note(1, 1, found.trouble)
        return reading
    try:
        reading.text = read_text(found.path)
        document = read_yaml(reading.text)
        unreadable: list[YamlProblem] = []
    except UnreadableText as error:
        reading.note(error.line, error.column, error.message)
        return reading
    except YamlProblems as error:
        document, unreadable = error.value, error.problems
        for problem in unreadable:
            shown = problem.path is None or settings.may_show(problem.path)
            message = problem.message if shown else problem.discreet or problem.message
            reading.note(problem.line, problem.column, message)
    if isinstance(document, dict):
        reading.document = document
        if check:
            _check(reading, unreadable, settings)
    elif not unreadable:
        reading.note(1, 1, _no_mapping(document))
    return reading


def _check(reading: _Reading, unreadable: Sequence[YamlProblem], settings: Settings) -> None:
    """Add what the models and the lints find in a document, each at its place."""
    document = reading.document or {}
    text = reading.text
    findings = [
        finding for finding in find_faults(document, settings.extra_fields) if not _is_known(finding, unreadable)
    ]
    suspects = may_be_cut_off(text, document, MESSAGES)
    cut_off = find_cut_off(text, suspects) if suspects else ()
    findings += find_warnings(document, cut_off)
    if findings:
        places = find_places(text)
        reading.problems += (_place(finding, places, reading.found.file, settings) for finding in findings)
    if "&" in text and not unreadable and _ANCHOR.search(text):
        reading.problems += (
            Problem(
                reading.found.file,
                line,
                column,
                'the word after this "&" is read as a name, not as text; put the text in quotes',
                "warning",
            )
            for line, column in unused_anchors(text)
        )


def _is_known(finding: Finding, unreadable: Iterable[YamlProblem]) -> bool:
    """Tell whether the reader has complained of the same key, or of the value that holds the finding."""
    for problem in unreadable:
        path = problem.path or ()
        if problem.about == "key" == finding.about and path == finding.path:
            return True
        if problem.about == "value" and path == finding.path[: len(path)]:
            return True
    return False


def _place(finding: Finding, places: dict[FieldPath, Place], file: str, settings: Settings) -> Problem:
    """Return a finding as a problem at its line and column."""
    line, column = 1, 1
    if finding.about != "file" and finding.path in places:
        place = places[finding.path]
        line, column = place.key if finding.about == "key" else place.value
    message = finding.message if settings.may_show(finding.path) else finding.discreet or finding.message
    return Problem(file, line, column, message, finding.severity)


def _no_mapping(document: object) -> str:
    """Return what to say about a file that is no group of fields."""
    if document is None:
        return "this file is empty; a definition begins with a line like: id: asst_123"
    if isinstance(document, str) and ":" in document:
        return 'a definition is made of lines like "id: asst_123"; put a space after each colon'
    return 'a definition is made of lines like "id: asst_123", not of a list or a single value'


def _note_duplicate_ids(readings: Iterable[_Reading]) -> None:
    by_id: dict[str, list[_Reading]] = defaultdict(list)
    for reading in readings:
        if reading.id is not None:
            by_id[reading.id].append(reading)
    for same in by_id.values():
        if len(same) < 2:
            continue
        places = [(reading, *find_places(reading.text).get(("id",), Place((1, 1), (1, 1))).value) for reading in same]
        for reading, line, column in places:
            others = [f"{other.found.file}:{row}:{col}" for other, row, col in places if other is not reading]
            message = f"this id also stands in {_listed(others)}; an assistant has one definition: remove the other"
            reading.problems.append(Problem(reading.found.file, line, column, message, kind="duplicate"))


def _note_duplicate_keys(readings: Iterable[_Reading]) -> None:
    by_key: dict[str, list[_Reading]] = defaultdict(list)
    for reading in readings:
        by_key[reading.found.key].append(reading)
    for same in by_key.values():
        for reading in same:
            others = [other.found.file for other in same if other is not reading]
            if others:
                message = f"{_listed(others)} has the same name but for its ending; rename or remove one of them"
                reading.problems.append(Problem(reading.found.file, 1, 1, message, kind="duplicate"))


def _listed(places: Sequence[str]) -> str:
    rest = len(places) - _DUPLICATE_SHOWN
    shown = ", ".join(places[:_DUPLICATE_SHOWN])
    return f"{shown} and {rest} more" if rest > 0 else shown


def _errors(reading: _Reading) -> list[Problem]:
    return sorted(problem for problem in reading.problems if problem.severity == "error")


def _definition(reading: _Reading) -> Definition:
    document = reading.document or {}
    declared = {key: value for key, value in document.items() if key != "id"}
    return Definition(reading.found.key, reading.found.file, document["id"], declared, reading.text)


def _invalid(reading: _Reading) -> InvalidDefinition:
    errors = _errors(reading)
    first, more = errors[0], len(errors) - 1
    message = f"line {first.line}: {first.message}"
    if more:
        message += f" (and {more} more problem{'s' if more > 1 else ''} in this file)"
    kind = errors[0].kind if len({problem.kind for problem in errors}) == 1 else "invalid"
    return InvalidDefinition(reading.found.key, reading.found.file, reading.id, message, kind)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Keep the collector from walking the many short-lived nodes; they are freed without it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
