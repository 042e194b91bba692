"""One folder of definitions as its environments see it: as written, in each, or in two, and which PATHS are meant."""

import dataclasses
import datetime
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from reconciler.assistant.plain_words import closest
from reconciler.core.definition import SUFFIXES
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.find import find_all, select
from reconciler.files.folders import repository_root, shown_path
from reconciler.files.settings import load_settings
from reconciler.files.text_files import mentions
from reconciler.usecases.project.choices import DefinitionOptions

Form = tuple[Settings, Loaded]


def read_settings(options: DefinitionOptions, today: datetime.date | None = None) -> Settings:
    """Return the settings beside the folder in the environment that was chosen, on a day: `today`, else the clock's.

    Raises SettingsError, and UsageError for an environment that is not there.
    """
    settings = load_settings(options.directory, root=repository_root(options.directory), today=today)
    if options.environment is None:
        return settings
    if options.environment not in settings.environments:
        known = ", ".join(sorted(settings.environments))
        hint = f"reconciler.yaml has these: {known}" if known else "no reconciler.yaml here has environments"
        raise UsageError(f"there is no environment {options.environment!r}", hint=hint)
    return settings.choose(options.environment)


def read_forms(options: DefinitionOptions, today: datetime.date | None = None) -> list[Form]:
    """Return the definitions in the environment that was chosen; else as written, and in every environment.

    Where there are environments, an id is theirs to give: as written a definition needs none. `today` is the day on
    which the settings judge their dates, else the clock's. Raises
    SettingsError and DefinitionError.
    """
    settings = read_settings(options, today)
    forms = [settings]
    if settings.environment is None:
        forms = [settings.see_all_environments()]
        forms += [settings.choose(name) for name in sorted(settings.environments)]
    root = repository_root(options.directory)
    paths = _in_every(forms, resolve_names(options, forms, root), root)
    passing = options.environment is None
    return [
        (form, load(options.directory, paths, root=root, settings=form, without_ids=_bare(form), in_passing=passing))
        for form in forms
    ]


def read_pair(options: DefinitionOptions, against: str) -> tuple[Form, Form]:
    """Return the definitions in the environment that was chosen, and in another one.

    A PATH may be an overlay of either: it means its definition in both. Raises as `read_forms` does.
    """
    pair = read_settings(options), read_settings(dataclasses.replace(options, environment=against))
    root, folder = repository_root(options.directory), options.directory
    paths = _in_every(pair, resolve_names(options, pair, root), root)
    here, there = ((one, load(folder, paths, root=root, settings=one)) for one in pair)
    return here, there


def with_overlays_to_come(settings: Settings, folder: Path) -> Settings:
    """Return the settings for commands that write overlays: a folder that is not there yet is no mistake to them."""
    if settings.overlay is None or (folder.resolve().parent / settings.overlay).is_dir():
        return settings
    return dataclasses.replace(settings, overlay=None)


def _bare(settings: Settings) -> bool:
    """Return whether these settings are a project's with environments, before one of them is chosen."""
    return bool(settings.environments) and settings.environment is None


def _in_every(forms: Sequence[Settings], options: DefinitionOptions, root: Path) -> tuple[Path, ...]:
    """Return PATHS that select alike in several environments: an overlay of one means its definition in all.

    Raises DefinitionError as `select` does, and for an overlay without a definition.
    """
    if not options.paths or len(forms) == 1:
        return tuple(options.paths)
    found = find_all(options.directory, root, *forms)
    chosen = select(found, options.directory, options.paths)
    astray = chosen - {one.file for one in found.definitions}
    if astray:
        raise DefinitionError(
            f"the overlay {min(astray)} has no definition of the same name",
            hint="write one, or rename or remove the overlay",
        )
    return tuple(one.path for one in found.definitions if one.file in chosen)


def resolve_names(options: DefinitionOptions, forms: Sequence[Settings], root: Path) -> DefinitionOptions:
    """Return the options with the files of every key and id among PATHS in its place.

    `forms` are the settings of each environment in which an id may be meant. Raises DefinitionError for a name that
    nothing has.
    """
    if not options.paths:
        return options
    folder = options.directory
    files = find_all(folder, root).definitions
    keys: dict[str, list[Path]] = defaultdict(list)
    for found in files:
        keys[found.key].append(found.path)
    beside = folder.resolve().parent
    inside = [folder.resolve(), *(beside / form.overlay for form in forms if form.overlay is not None)]
    ids: dict[str, list[Path]] | None = None
    named: list[Path] = []
    for given in options.paths:
        name = given.as_posix()
        if _is_inside(given, inside):
            named += _find_mentioning(given, folder, forms, root) or [given]
        elif name in keys:
            named += keys[name]
        elif not os.path.lexists(given) and os.path.lexists(folder / given):
            named.append(folder / given)
        else:
            # To know the ids every definition is read, which only a name that is nothing else is worth.
            ids = _find_ids(folder, forms, root) if ids is None else ids
            if name not in ids and not os.path.lexists(given):
                raise _describe_unknown(given, [*keys, *ids])
            named += ids.get(name, [given])
    return dataclasses.replace(options, paths=tuple(dict.fromkeys(named)))


def _find_mentioning(given: Path, folder: Path, forms: Sequence[Settings], root: Path) -> list[Path]:
    """Return the definitions that take a text from a file; none where it is no text file, or nobody's."""
    if given.is_dir() or given.suffix in SUFFIXES:
        return []
    text = shown_path(given.resolve(), root)
    found = find_all(folder, root, *forms)
    return [one.path for one in found.definitions if any(mentions(layer, {text}) for layer, _ in found.stack(one))]


def _is_inside(given: Path, folders: Sequence[Path]) -> bool:
    """Return whether a path is there, in one of some folders; a link lies where it stands, wherever it leads."""
    absolute = Path(os.path.abspath(given))  # noqa: PTH100 - `resolve` would follow the link
    path = absolute.parent.resolve() / absolute.name
    return os.path.lexists(path) and any(path.resolve() == one or path.is_relative_to(one) for one in folders)


def _find_ids(folder: Path, forms: Sequence[Settings], root: Path) -> dict[str, list[Path]]:
    ids: dict[str, list[Path]] = defaultdict(list)
    for form in forms:
        for definition in load(folder, (), root=root, settings=form, without_ids=True).read_all():
            ids[definition.id].append(root / definition.file)
    ids.pop("", None)
    return ids


def _describe_unknown(given: Path, names: Sequence[str]) -> DefinitionError:
    near = closest(given.as_posix(), names)
    hint = f"Did you mean {near}?" if near else "Pass files or folders, keys (admissions/enrollment) or ids."
    return DefinitionError(f"{given} does not exist, and no definition has it as its key or id", hint=hint)
