"""Loads definitions: every file of the folder read, checked and told apart, with every problem at its place.

It reports and decides nothing about what follows from a problem.
"""

import dataclasses
import gc
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.assistant.checks import check_definition
from reconciler.assistant.fields import MESSAGES
from reconciler.assistant.lints import find_warnings
from reconciler.assistant.problem import MAX_PROBLEMS, FieldProblem, Problem
from reconciler.core.definition import Definition, InvalidDefinition, Overlay
from reconciler.core.merge import laid_over
from reconciler.core.settings import Settings
from reconciler.files.find import FoundFile, find_files, find_overlays, select
from reconciler.files.layers import Layer, place_of, read_layer
from reconciler.yamltext.nodes import unused_anchors
from reconciler.yamltext.places import find_cut_off, may_be_cut_off

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
    """What is known of one definition while loading; `layers` are its files, the uppermost first."""

    found: FoundFile
    layers: list[Layer]
    document: dict[str, Any] | None = None
    problems: list[Problem] = dataclasses.field(default_factory=list)

    @property
    def id(self) -> str | None:
        """The id, as far as it can be read."""
        id_ = (self.document or {}).get("id")
        return id_ if isinstance(id_, str) and id_ else None


def load(
    folder: Path, selected: Sequence[Path], *, root: Path, settings: Settings, without_ids: bool = False
) -> Loaded:
    """Return the definitions below `folder` that PATHS in `selected` choose; all of them without PATHS.

    Every file is read, since ids are compared over all; only the selected ones are checked. `root` is the
    repository's root, from which files are named. In an environment its overlays are laid over the
    definitions, and those that have no id then are not part of it; `without_ids` keeps them all the same.
    Raises DefinitionError if the folder is missing or without definitions, or one of the paths cannot be
    used.
    """
    files = find_files(folder, root)
    overlays = find_overlays(folder, settings, root)
    chosen = select(files, overlays, folder, selected)
    needs_id = not (settings.environments or without_ids)
    with _without_garbage_collection():
        readings = [_read(found, overlays, settings, check=found.file in chosen, needs_id=needs_id) for found in files]
    _note_duplicate_ids(readings)
    _note_duplicate_keys(readings)
    readings = [
        reading
        for reading in readings
        if reading.found.file in chosen and (without_ids or _takes_part(reading, settings))
    ]
    astray = [problem for problem in _astray(overlays, files) if not selected or problem.file in chosen]
    problems = [problem for reading in readings for problem in reading.problems]
    return Loaded(
        definitions=tuple(_definition(reading) for reading in readings if not _errors(reading)),
        invalid=tuple(_invalid(reading) for reading in readings if _errors(reading)) + tuple(map(_stray, astray)),
        problems=tuple(sorted([*problems, *astray])),
        whole=not selected,
    )


def _read(
    found: FoundFile, overlays: Mapping[str, Sequence[FoundFile]], settings: Settings, *, check: bool, needs_id: bool
) -> _Reading:
    """Read one definition; without `check` only as far as its id needs."""
    layers = [read_layer(one, settings) for one in (*overlays.get(found.key, ()), found)]
    reading = _Reading(found, layers)
    reading.problems = [problem for layer in layers for problem in layer.problems]
    for layer in layers[1:-1]:
        others = f"{layers[0].found.file} has the same name but for its ending; rename or remove one of them"
        reading.problems.append(Problem(layer.found.file, 1, 1, others, kind="duplicate"))
    if layers[-1].document is None:
        return reading
    reading.document = layers[-1].document
    for layer in layers[:-1]:
        reading.document = laid_over(reading.document, layer.document or {})
    if check:
        _check(reading, settings, needs_id=needs_id)
    if len(reading.problems) >= MAX_PROBLEMS:
        shown = sorted(reading.problems)[: MAX_PROBLEMS - 1]
        more = f"this file has {MAX_PROBLEMS} problems or more, and only these are shown; correct them first"
        reading.problems = [*shown, dataclasses.replace(shown[-1], message=more)]
    return reading


def _check(reading: _Reading, settings: Settings, *, needs_id: bool) -> None:
    """Add what the models and the lints find in a definition, each at its place."""
    document = reading.document or {}
    findings = [
        finding
        for finding in check_definition(document, settings.extra_fields, needs_id=needs_id)
        if not any(layer.complained_of(finding) for layer in reading.layers)
    ]
    cut_off: set[str] = set()
    mentioned: set[str] = set()
    for layer in reading.layers:
        fields = layer.document or {}
        if suspects := set(may_be_cut_off(layer.text, fields, MESSAGES)) - mentioned:
            cut_off |= set(find_cut_off(layer.text, suspects))
        mentioned |= fields.keys()  # what an overlay says, the file below it no longer does
    for finding in [*findings, *find_warnings(document, cut_off)]:
        reading.problems.append(_problem(finding, reading, settings))
    for layer in reading.layers:
        if "&" in layer.text and not layer.unreadable and _ANCHOR.search(layer.text):
            message = 'the word after this "&" is read as a name, not as text; put the text in quotes'
            reading.problems += (
                Problem(layer.found.file, line, column, message, "warning")
                for line, column in itertools.islice(unused_anchors(layer.text), MAX_PROBLEMS)
            )


def _problem(finding: FieldProblem, reading: _Reading, settings: Settings) -> Problem:
    """Return a finding as a problem in the file, and at the place, that declares the value."""
    file, line, column = reading.found.file, 1, 1
    if finding.about != "file":
        file, line, column = place_of(finding.path, finding.about, reading.layers)
    message = finding.message if settings.may_show(finding.path) else finding.discreet or finding.message
    return Problem(file, line, column, message, finding.severity)


def _takes_part(reading: _Reading, settings: Settings) -> bool:
    """Tell whether a definition is part of the environment: it has an id there. Broken ones are told all the same."""
    has_id = reading.document is None or "id" in reading.document
    return has_id or not settings.environments or bool(_errors(reading))


def _astray(overlays: Mapping[str, Sequence[FoundFile]], files: Sequence[FoundFile]) -> list[Problem]:
    """Return a problem for each overlay of a definition that is not there."""
    keys = {found.key for found in files}
    message = "this overlay has no definition of the same name; write one, or rename or remove the overlay"
    return [Problem(one.file, 1, 1, message) for key in overlays.keys() - keys for one in overlays[key]]


def _stray(problem: Problem) -> InvalidDefinition:
    return InvalidDefinition(problem.file.rpartition(".")[0], problem.file, None, problem.message)


def _note_duplicate_ids(readings: Iterable[_Reading]) -> None:
    by_id: dict[str, list[_Reading]] = defaultdict(list)
    for reading in readings:
        if reading.id is not None:
            by_id[reading.id].append(reading)
    for same in by_id.values():
        if len(same) < 2:
            continue
        places = [(reading, *place_of(("id",), "value", reading.layers)) for reading in same]
        for reading, file, line, column in places:
            others = [f"{where}:{row}:{col}" for other, where, row, col in places if other is not reading]
            message = f"this id also stands in {_listed(others)}; an assistant has one definition: remove the other"
            reading.problems.append(Problem(file, line, column, message, kind="duplicate"))


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
    upper = reading.layers[0] if len(reading.layers) > 1 else None
    return Definition(
        reading.found.key,
        reading.found.file,
        document.get("id", ""),
        declared,
        reading.layers[-1].text,
        Overlay(upper.found.file, upper.text, upper.document or {}) if upper else None,
    )


def _invalid(reading: _Reading) -> InvalidDefinition:
    errors = _errors(reading)
    first, more = errors[0], len(errors) - 1
    where = "" if first.file == reading.found.file else f"{first.file}, "
    message = f"{where}line {first.line}: {first.message}"
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
