"""Loads definitions: every file of the folder read and checked, with every problem at its place."""

import functools
import gc
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.assistant.problem import Problem, keep_gravest
from reconciler.core.definition import SUFFIXES, Definition, InvalidDefinition, Layer, defaults_above
from reconciler.core.rules import RuleSet
from reconciler.core.settings import Settings
from reconciler.dataclass import dataclass
from reconciler.errors import DefinitionError
from reconciler.files.collisions import find_collisions
from reconciler.files.definition_reader import DefinitionReader, FindId, ReadDefinition, may_have_id
from reconciler.files.find import YamlFile, YamlFiles, find_all, find_defaults
from reconciler.files.folders import locate_overlays
from reconciler.files.layers import LayerReader
from reconciler.files.selection import select_files
from reconciler.files.source_lines import add_source_lines

_SECONDS: Final = 1.0  # of the processor, for one value against one rule: some patterns need years for a text of a line


@dataclass(frozen=True, slots=True)
class Loaded:
    """The selected content of a folder. Each part is sorted by file."""

    definitions: tuple[Definition, ...]
    invalid: tuple[InvalidDefinition, ...]
    problems: tuple[Problem, ...]  # warnings, too
    whole: bool  # there were no PATHS
    # Returns all definitions of the folder as far as they can be read, selected, valid and part of the environment or
    # not. Called with some ids, it parses only the files that may have one; the other definitions have no id then.
    read_all: Callable[..., tuple[Definition, ...]] = lambda *_ids: ()

    @property
    def every(self) -> tuple[Definition, ...]:
        """All of them, valid or not."""
        return *self.definitions, *self.invalid


def load(
    folder: Path,
    selected: Sequence[Path],
    *,
    root: Path,
    settings: Settings,
    without_ids: bool = False,
    in_passing: bool = False,
    find_id: FindId = lambda _file: None,
    on_read: Callable[[str], None] | None = None,
) -> Loaded:
    """Return the definitions below `folder` that PATHS in `selected` choose; all of them without PATHS.

    Ids are compared over all files; only the selected ones are parsed and checked. `root` is the repository's root,
    from which files are named. `without_ids` keeps definitions that have no id in the environment. `in_passing` says
    that nobody chose it: its overlays may be for another folder's definitions. `find_id` gives the id that is known of
    a file that says `id: new`. `on_read` gets the id of each selected definition that is valid by itself, as soon as it
    is read. Raises DefinitionError without definitions, or if a path cannot be used.
    """
    files = find_all(folder, root, settings)
    chosen = select_files(files, folder, root, selected)
    # As they are written, before an environment is chosen, definitions may lack what each environment adds.
    bare = without_ids and settings.environments and not settings.environment
    rules = RuleSet(Settings() if bare else settings, _limit_time)
    needs_id = not (settings.environments or without_ids)
    layers = LayerReader(folder, root, settings)
    reader = DefinitionReader(layers=layers, rules=rules, find_id=find_id, needs_id=needs_id)
    with _without_garbage_collection():
        readings = list(_read_each(files, chosen, reader, on_read))
        # This needs all files: a definition that is not selected may have the same id, or mention a text file.
        definitions = [reading.definition for reading in readings]
        ids = None if files.skipped else {each.id for each in definitions if each.id}
        all_definitions = _add_others(definitions, files, reader, ids)
    collisions = find_collisions(all_definitions, settings)
    readings = [each.with_problems(collisions.get(each.definition.file, ())) for each in readings]
    # In an environment only definitions with an id take part; a file with mistakes might have one, so it is listed.
    members = [each for each in readings if without_ids or not settings.environments or each.has_id or each.errors]
    lost_overlays = _find_lost_overlays(files, folder, settings, in_passing=in_passing)
    unread = [each for each in lost_overlays if not selected or each.file in chosen]
    unread += _find_skipped(files.skipped, selected, all_definitions, settings)
    # Definitions share the problems of their defaults, and some defaults may belong to no definition.
    problems = {problem for reading in members for problem in reading.problems}
    if not selected:
        problems |= {problem for shared in files.defaults for each in shared.values() for problem in layers.judge(each)}
    problems = keep_gravest(problems)
    used_layers = (layer for reading in members for layer in reading.definition.layers)
    return Loaded(
        definitions=tuple(reading.definition for reading in members if not reading.errors),
        invalid=tuple(_list_invalid(members, unread)),
        problems=tuple(add_source_lines(sorted([*problems, *unread]), used_layers, settings)),
        whole=not selected,
        read_all=functools.partial(_add_others, definitions, files, reader),
    )


def load_defaults(folder: Path, key: str, *, root: Path, settings: Settings) -> tuple[Layer, ...]:
    """Return the files of defaults for a key, the lowest first. Raises DefinitionError if one has a mistake."""
    reader = LayerReader(folder, root, settings)
    folders = [find_defaults(place, root) for place in filter(None, (folder, locate_overlays(folder, settings)))]
    shared = [each[path] for each in folders for path in defaults_above(key) if path in each]
    # A new definition leaves out what the defaults say. With broken defaults those fields would be declared nowhere.
    for problem in (problem for each in shared for problem in reader.judge(each) if problem.severity == "error"):
        location = f"{problem.file}:{problem.line}:{problem.column}"
        hint = "correct it first: new definitions take values from it"
        raise DefinitionError(problem.message, where=location, hint=hint)
    return tuple(reader.read(each).layer for each in shared)


def _read_each(
    files: YamlFiles, chosen: Collection[str], reader: DefinitionReader, on_read: Callable[[str], None] | None
) -> Iterator[ReadDefinition]:
    for file in (each for each in files.definitions if each.file in chosen):
        reading = reader.read(files.stack(file), checked=True)
        if on_read is not None and reading.definition.id and not reading.errors:
            on_read(reading.definition.id)
        yield reading


def _add_others(
    definitions: Sequence[Definition], files: YamlFiles, reader: DefinitionReader, ids: Collection[str] | None = None
) -> tuple[Definition, ...]:
    """Return the selected definitions and all others. With `ids`, only files that may have one of them are parsed."""
    by_file = {definition.file: definition for definition in definitions}
    names = [name.encode("utf-8", "surrogatepass") for name in ids] if ids is not None else []
    for file in files.definitions:
        if file.file not in by_file:
            stack = files.stack(file)
            is_read = ids is None or may_have_id(names, stack)
            bare = Definition(file.key, file.file, "", {})
            by_file[file.file] = reader.read(stack, checked=False).definition if is_read else bare
    return tuple(by_file[file] for file in sorted(by_file))


def _find_lost_overlays(files: YamlFiles, folder: Path, settings: Settings, *, in_passing: bool) -> Iterator[Problem]:
    """Yield a problem for each overlay that has no definition."""
    message = "this overlay has no definition of the same name; write one, or rename or remove the overlay"
    keys = files.overlays.keys() - {each.key for each in files.definitions}
    parent = folder.resolve().parent
    overlays = {parent / each.overlay for each in settings.environments.values() if each.overlay}
    others = [place for place in parent.iterdir() if place not in overlays] if keys and in_passing else []
    for key in keys:
        if not any((place / f"{key}{suffix}").is_file() for place in others for suffix in SUFFIXES):
            yield from (Problem(each.file, 1, 1, message) for each in files.overlays[key])


def _find_skipped(
    skipped: Sequence[YamlFile], selected: Sequence[Path], definitions: Sequence[Definition], settings: Settings
) -> Iterator[Problem]:
    """Yield the lint of each file that was probably meant to be read, below the folder and below its overlays."""
    roots = [Path(os.path.abspath(path)) for path in selected]  # noqa: PTH100 - `resolve` would follow a link
    # A text file may have any name.
    texts = {text.file for definition in definitions for layer in definition.layers for text in layer.texts}
    for file in skipped:
        if file.file in texts or (roots and not any(file.path.is_relative_to(path) for path in roots)):
            continue
        message = f"this file is not read, because of its name; rename it to {file.right_name}"
        if graded := settings.grade(Problem(file.file, 1, 1, message, "warning", lint="skipped-file"), file.key):
            yield graded


def _list_invalid(readings: Sequence[ReadDefinition], problems: Sequence[Problem]) -> Iterator[InvalidDefinition]:
    for definition, errors in ((reading.definition, reading.errors) for reading in readings if reading.errors):
        first, more = errors[0], len(errors) - 1
        place = "" if first.file == definition.file else f"{first.file}, "
        message = f"{place}line {first.line}: {first.message}"
        if more:
            message += f" (and {more} more problem{'s' if more > 1 else ''} in this file)"
        kind = first.kind if len({problem.kind for problem in errors}) == 1 else "invalid"
        yield InvalidDefinition(definition.key, definition.file, definition.id, message=message, kind=kind)
    for problem in problems:
        if problem.severity == "error":
            yield InvalidDefinition(problem.file.rpartition(".")[0], problem.file, "", message=problem.message)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Turn the garbage collector off in the block. The many short-lived nodes are freed without it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _limit_time() -> Iterator[None]:
    """Raise TimeoutError in the block if it takes more than a second, but not on Windows or in a thread."""
    # Only a signal can end a search for a pattern. Windows has none, and only the main thread gets it.
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
