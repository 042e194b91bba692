"""Loads definitions: every file of the folder read, checked and told apart, with every problem at its place.

It reports and decides nothing about what follows from a problem.
"""

import contextlib
import dataclasses
import gc
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.assistant.lints import find_lints
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import MAX_PROBLEMS, FieldProblem, Problem
from reconciler.core.definition import (
    DEFAULTS,
    NEW,
    SUFFIXES,
    Definition,
    InvalidDefinition,
    Layer,
    LayerKind,
    defaults_above,
)
from reconciler.core.rules import RuleSet
from reconciler.core.settings import Settings
from reconciler.core.tree import item_at
from reconciler.errors import DefinitionError
from reconciler.files.collisions import describe_same_name, find_collisions
from reconciler.files.find import FoundFile, FoundFiles, UnreadableText, find_all, find_defaults, select
from reconciler.files.layer_reader import LayerReader, check_fields, find_anchors, place_problems
from reconciler.files.layers import ReadFile
from reconciler.files.source_lines import add_source_lines

# `id: new`, whose id the record knows. Between key and value stand what separates them, a tag, an anchor, a comment.
_SAYS_NEW = re.compile(r"""\bid\b(?:[\s"':>|+?0-9-]|[!&]\S*|\#[^\n]*)*+new\b""")

FindId = Callable[[str], str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds, as far as it was selected; each part is sorted by file.

    `problems` holds the warnings too; `whole` says that there were no PATHS. `read_all` gives all definitions of the
    folder as far as they can be read, selected, valid and part of the environment or not.
    """

    definitions: tuple[Definition, ...]
    invalid: tuple[InvalidDefinition, ...]
    problems: tuple[Problem, ...]
    whole: bool
    read_all: Callable[[], tuple[Definition, ...]] = tuple


@dataclasses.dataclass(frozen=True, slots=True)
class _Reading:
    """One definition as it was read: `document` is its content in all its layers, None where it has none."""

    definition: Definition
    document: Mapping[str, Any] | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> list[Problem]:
        """The problems but for warnings, sorted."""
        return sorted(problem for problem in self.problems if problem.severity == "error")


def load(
    folder: Path,
    selected: Sequence[Path],
    *,
    root: Path,
    settings: Settings,
    without_ids: bool = False,
    in_passing: bool = False,
    find_id: FindId = lambda _file: None,
) -> Loaded:
    """Return the definitions below `folder` that PATHS in `selected` choose; all of them without PATHS.

    Ids are compared over all files; only the selected ones are parsed and checked. `root` is the
    repository's root, from which files are named. In an environment its overlays are merged on top, and definitions
    that have no id then are not part of it; `without_ids` keeps them all the same. `in_passing` says that nobody chose
    the environment: its overlays may be for the definitions of another folder. `find_id` gives the id that is known of
    a file that says `id: new`. Raises DefinitionError if the folder is missing or without definitions, or one of the
    paths cannot be used.
    """
    found = find_all(folder, root, settings)
    chosen = select(found, folder, selected)
    needs_id = not (settings.environments or without_ids)
    reader = LayerReader(folder, root, settings)
    # As they are written, before an environment is chosen, definitions may lack what each environment adds.
    rules = RuleSet(Settings() if without_ids and settings.environments and not settings.environment else settings)
    with _without_garbage_collection():
        readings = [
            _read(found.stack(one), reader, find_id, rules, needs_id=needs_id)
            for one in found.definitions
            if one.file in chosen
        ]
        meant = {reading.definition.file: reading.definition for reading in readings}

    def read_all(ids: Collection[str] | None = None) -> tuple[Definition, ...]:
        """Return all definitions; with `ids` those that cannot have one of them by their file's name alone."""
        definitions: list[Definition] = []
        for one in found.definitions:
            stack = found.stack(one)
            if one.file in meant:
                definitions.append(meant[one.file])
            elif ids is None or _may_have(ids, stack):
                definitions.append(_read(stack, reader, find_id, None, needs_id=needs_id).definition)
            else:
                definitions.append(Definition(key=one.key, file=one.file, id="", declared={}))
        return tuple(definitions)

    # Over all files, selected or not: the other half of a pair may be one that nobody selected. Whose text is no text
    # file of a definition is known only when all are read.
    ids = None if found.skipped else {one.id for one in meant.values() if one.id}
    with _without_garbage_collection():
        everything = read_all(ids)
    collisions = find_collisions(everything, settings)
    kept: list[_Reading] = []
    for reading in readings:
        own = tuple(problem for file, problem in collisions if file == reading.definition.file)
        full = replace(reading, problems=reading.problems + own)
        if without_ids or _takes_part(full, settings):
            kept.append(full)
    lost_overlays = _find_lost_overlays(found, folder, settings, in_passing=in_passing)
    lost = [one for one in lost_overlays if not selected or one.file in chosen]
    lost += _find_skipped(found.skipped, selected, everything, settings)
    # Several definitions share problems, and some defaults may be nobody's.
    problems = {problem for reading in kept for problem in reading.problems}
    if not selected:
        problems |= {problem for shared in found.defaults for one in shared.values() for problem in reader.judge(one)}
    # A lint may be graver for some of them; once it is an error, it need not be a warning as well.
    problems -= {replace(one, severity="warning") for one in problems if one.severity == "error"}
    invalid = [_describe_invalid(reading) for reading in kept if reading.errors]
    grave = (one for one in lost if one.severity == "error")
    invalid += [InvalidDefinition(one.file.rpartition(".")[0], one.file, None, one.message) for one in grave]
    layers = (layer for reading in kept for layer in reading.definition.layers)
    return Loaded(
        definitions=tuple(reading.definition for reading in kept if not reading.errors),
        invalid=tuple(invalid),
        problems=tuple(add_source_lines(sorted([*problems, *lost]), layers, settings)),
        whole=not selected,
        read_all=read_all,
    )


def load_defaults(folder: Path, key: str, *, root: Path, settings: Settings) -> tuple[Layer, ...]:
    """Return the files of defaults, the lowest first, that a definition of this key has, whether it is there or not.

    Raises DefinitionError where one of them has a mistake.
    """
    reader = LayerReader(folder, root, settings)
    overlays = [folder.resolve().parent / settings.overlay] if settings.overlay is not None else []
    found = [find_defaults(place, root) for place in (folder, *overlays)]
    shared = [one[place] for one in found for place in defaults_above(key) if place in one]
    # A new definition would leave out what a broken file seems to say, and then declare nothing of it.
    for problem in (problem for one in shared for problem in reader.judge(one) if problem.severity == "error"):
        where = f"{problem.file}:{problem.line}:{problem.column}"
        raise DefinitionError(
            problem.message, where=where, hint="correct it first: new definitions take values from it"
        )
    return tuple(reader.read(one, "defaults").layer for one in shared)


def _read(
    stack: Sequence[tuple[FoundFile, LayerKind]],
    reader: LayerReader,
    find_id: FindId,
    rules: RuleSet | None,
    *,
    needs_id: bool,
) -> _Reading:
    """Read one definition; without `rules` it is not checked, and read only as far as its id needs."""
    found = next(one for one, kind in stack if kind == "definition")
    files = [reader.read(one, kind) for one, kind in stack]
    own = next(file for file in files if file.layer.kind == "definition")
    uppers = [file for file in files if file.layer.kind == "overlay"]
    problems = [problem for file in files if file.layer.kind != "defaults" for problem in file.problems]
    problems += [problem for one, kind in stack if kind == "defaults" for problem in reader.judge(one)]
    problems += [describe_same_name(file.layer.file, uppers[-1].layer.file) for file in uppers[:-1]]
    # Other layers alone are no definition, whatever they say.
    document = reader.merge(files) if own.has_fields else None
    given = (document or {}).get("id")
    # Before ids are compared: a second file that has the id outright would manage the same assistant.
    known = find_id(found.file) or "" if given == NEW else given
    definition = Definition(
        key=found.key,
        file=found.file,
        id=known if isinstance(known, str) else "",
        declared={key: value for key, value in (document or {}).items() if key != "id"},
        layers=tuple(file.layer for file in files),
        says_new=given == NEW,
    )
    if rules is not None and document is not None:
        problems += _check(definition, document, files, reader, rules, needs_id=needs_id)
    # What is wrong in defaults has been found in them already.
    problems = list(dict.fromkeys(problems))
    if len(problems) >= MAX_PROBLEMS:
        shown = sorted(problems)[: MAX_PROBLEMS - 1]
        more = f"this file has {MAX_PROBLEMS} problems or more, and only these are shown; correct them first"
        problems = [*shown, replace(shown[-1], message=more)]
    return _Reading(definition, document, tuple(problems))


def _check(
    definition: Definition,
    document: Mapping[str, Any],
    files: Sequence[ReadFile],
    reader: LayerReader,
    rules: RuleSet,
    *,
    needs_id: bool,
) -> Iterator[Problem]:
    """Yield what the checks, the lints and the team's rules find in a definition, each at its place."""
    found = check_fields(document, files, reader.settings, needs_id=needs_id)
    if definition.key.rpartition("/")[2].lower() in ("default", "defaults"):
        hint = f"; if it holds what definitions have in common, rename it to {DEFAULTS}"
        found = [replace(one, message=one.message + hint) if one.about == "file" else one for one in found]
    # What the API would not take is said once.
    wrong = {problem.path for problem in found if problem.path}
    meant = (*_find_lints(document, files), *rules.find_violations(definition.key, document))
    found += [one for one in meant if one.path not in wrong]
    yield from place_problems(found, definition, reader.settings)
    for file in files:
        if file.layer.kind != "defaults":
            yield from find_anchors(file)


def _find_lints(document: Mapping[str, Any], files: Sequence[ReadFile]) -> list[FieldProblem]:
    """Return what the lints find; those about YAML itself look at each file that declares something."""
    cut_off: set[str] = set()
    folded: set[FieldPath] = set()
    mentioned: set[str] = set()
    # From the uppermost down: what an overlay says, the file below it no longer does.
    for file in reversed(files):
        fields = file.layer.fields
        cut_off |= set(file.cut_off) - mentioned
        mentioned |= fields.keys()
        folded |= {path for path in file.folded if item_at(document, path) == item_at(fields, path)}
    return find_lints(document, cut_off, folded)


def _may_have(ids: Collection[str], stack: Sequence[tuple[FoundFile, LayerKind]]) -> bool:
    """Return whether the files of a definition may give it one of some ids, as a quick look at their texts tells."""
    for found, kind in stack:
        if kind != "defaults":
            with contextlib.suppress(UnreadableText):
                text = found.read()
                # Escaped, an id may be written in another way than it reads.
                if "\\" in text or "''" in text or any(name in text for name in ids):
                    return True
                if "new" in text and _SAYS_NEW.search(text):
                    return True
    return False


def _takes_part(reading: _Reading, settings: Settings) -> bool:
    """Return whether a definition is part of the environment: it has an id there, or is broken, which must be seen."""
    # In an environment an id says who takes part; a file that cannot be read might have one.
    has_id = reading.document is None or "id" in reading.document
    return has_id or not settings.environments or bool(reading.errors)


def _find_lost_overlays(found: FoundFiles, folder: Path, settings: Settings, *, in_passing: bool) -> Iterator[Problem]:
    """Yield a problem for each overlay of a definition that is not there."""
    message = "this overlay has no definition of the same name; write one, or rename or remove the overlay"
    lost = found.overlays.keys() - {one.key for one in found.definitions}
    beside = folder.resolve().parent
    overlays = {beside / one.overlay for one in settings.environments.values() if one.overlay}
    others = [place for place in beside.iterdir() if place not in overlays] if lost and in_passing else []
    for key in lost:
        if not any((place / f"{key}{suffix}").is_file() for place in others for suffix in SUFFIXES):
            yield from (Problem(one.file, 1, 1, message) for one in found.overlays[key])


def _find_skipped(
    skipped: Sequence[FoundFile], selected: Sequence[Path], definitions: Sequence[Definition], settings: Settings
) -> Iterator[Problem]:
    """Yield the lint of each file that was surely meant to be read, below the folder and below its overlays."""
    below = [Path(os.path.abspath(path)) for path in selected]  # noqa: PTH100 - `resolve` would follow a link
    # A text file may have any name.
    texts = {text.file for one in definitions for layer in one.layers for text in layer.texts}
    for found in skipped:
        if found.file in texts or (below and not any(found.path.is_relative_to(path) for path in below)):
            continue
        message = f"this file is not read, because of its name; rename it to {found.right_name}"
        if graded := settings.grade(Problem(found.file, 1, 1, message, "warning", lint="skipped-file"), found.key):
            yield graded


def _describe_invalid(reading: _Reading) -> InvalidDefinition:
    definition, errors = reading.definition, reading.errors
    first, more = errors[0], len(errors) - 1
    where = "" if first.file == definition.file else f"{first.file}, "
    message = f"{where}line {first.line}: {first.message}"
    if more:
        message += f" (and {more} more problem{'s' if more > 1 else ''} in this file)"
    kind = first.kind if len({problem.kind for problem in errors}) == 1 else "invalid"
    return InvalidDefinition(definition.key, definition.file, definition.id or None, message, kind)


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
