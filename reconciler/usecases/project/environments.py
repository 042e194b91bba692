"""One folder of definitions as its environments see it: as written, in each, or in two, and which PATHS are meant."""

import dataclasses
import datetime
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from reconciler.assistant.plain_words import find_closest
from reconciler.core.definition import SUFFIXES
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.find import find_all
from reconciler.files.folders import repository_root, shown_path
from reconciler.files.selection import select
from reconciler.files.settings import load_settings
from reconciler.files.text_files import mentions
from reconciler.usecases.project.choices import Choices

Form = tuple[Settings, Loaded]


def read_settings(choices: Choices, today: datetime.date | None = None) -> Settings:
    """Return the settings in the environment that was chosen, on a day. Raises SettingsError and UsageError."""
    settings = load_settings(choices.directory, root=repository_root(choices.directory), today=today)
    if choices.environment is None:
        return settings
    if choices.environment not in settings.environments:
        known = ", ".join(sorted(settings.environments))
        hint = f"reconciler.yaml has these: {known}" if known else "no reconciler.yaml here has environments"
        raise UsageError(f"there is no environment {choices.environment!r}", hint=hint)
    return settings.choose(choices.environment)


def name_environments(settings: Settings) -> str:
    """Return what to do where an environment is missing, as a hint."""
    return f"pass --environment NAME; reconciler.yaml has these: {', '.join(sorted(settings.environments))}"


def read_forms(choices: Choices, today: datetime.date | None = None) -> list[Form]:
    """Return the definitions in the chosen environment; else as written, and in every one. Raises ReconcilerError."""
    # What an environment's overlay makes invalid only shows in that environment.
    settings = read_settings(choices, today)
    forms = [settings]
    if settings.environment is None:
        forms = [settings.include_all_environments()]
        forms += [settings.choose(name) for name in sorted(settings.environments)]
    root, folder = repository_root(choices.directory), choices.directory
    paths, passing = _choose_paths(choices, forms, root), choices.environment is None
    # Where there are environments, an id is theirs to give: as written a definition needs none.
    bare = [bool(form.environments) and form.environment is None for form in forms]
    return [
        (form, load(folder, paths, root=root, settings=form, without_ids=without_ids, in_passing=passing))
        for form, without_ids in zip(forms, bare, strict=True)
    ]


def read_neighbours(settings: Settings, folder: Path, root: Path) -> list[Form]:
    """Return the definitions of all other environments that have the URL of the chosen one: it is one API for both."""
    url = (settings.api_url or "").rstrip("/")
    if settings.environment is None or not url:
        return []
    others = {name: one.api_url for name, one in settings.environments.items() if name != settings.environment}
    same = [name for name, theirs in sorted(others.items()) if (theirs or "").rstrip("/") == url]
    # A neighbour whose overlay folder is not there yet defines nothing of its own. Its own runs name the mistake.
    forms = [with_overlays_to_come(settings.choose(name), folder) for name in same]
    return [(form, load(folder, (), root=root, settings=form, in_passing=True)) for form in forms]


def read_pair(choices: Choices, against: str) -> tuple[Form, Form]:
    """Return the definitions in the environment that was chosen, and in another one. Raises ReconcilerError."""
    pair = read_settings(choices), read_settings(dataclasses.replace(choices, environment=against))
    root, folder = repository_root(choices.directory), choices.directory
    paths = _choose_paths(choices, pair, root)
    here, there = ((one, load(folder, paths, root=root, settings=one)) for one in pair)
    return here, there


def with_overlays_to_come(settings: Settings, folder: Path) -> Settings:
    """Return the settings for commands that write overlays: a folder that is not there yet is no mistake to them."""
    if settings.overlay is None or (folder.resolve().parent / settings.overlay).is_dir():
        return settings
    return dataclasses.replace(settings, overlay=None)


def _choose_paths(choices: Choices, forms: Sequence[Settings], root: Path) -> tuple[Path, ...]:
    """Return the files that PATHS mean, alike in all environments: an overlay of one means its definition in each."""
    choices = resolve_names(choices, forms, root)
    if not choices.paths or len(forms) == 1:
        return tuple(choices.paths)
    found = find_all(choices.directory, root, *forms)
    chosen = select(found, choices.directory, root, choices.paths)
    astray = chosen - {one.file for one in found.definitions}
    if astray:
        hint = "write one, or rename or remove the overlay"
        raise DefinitionError(f"the overlay {min(astray)} has no definition of the same name", hint=hint)
    return tuple(one.path for one in found.definitions if one.file in chosen)


def resolve_names(choices: Choices, forms: Sequence[Settings], root: Path) -> Choices:
    """Return the choices with the files of every key and id among PATHS, of any form. Raises DefinitionError."""
    if not choices.paths:
        return choices
    folder = choices.directory
    keys: dict[str, list[Path]] = defaultdict(list)
    for found in find_all(folder, root).definitions:
        keys[found.key].append(found.path)
    beside = folder.resolve().parent
    inside = [folder.resolve(), *(beside / form.overlay for form in forms if form.overlay is not None)]
    ids: dict[str, list[Path]] | None = None
    named: list[Path] = []
    # A path that is there is meant as a path, whatever has its name as a key or an id.
    for given in choices.paths:
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
                near = find_closest(name, [*keys, *ids])
                hint = (
                    f"Did you mean {near}?" if near else "Pass files or folders, keys (admissions/enrollment) or ids."
                )
                raise DefinitionError(f"{given} does not exist, and no definition has it as its key or id", hint=hint)
            named += ids.get(name, [given])
    return dataclasses.replace(choices, paths=tuple(dict.fromkeys(named)))


def _find_mentioning(given: Path, folder: Path, forms: Sequence[Settings], root: Path) -> list[Path]:
    """Return the definitions that take a text from a file; none where it is no text file, or nobody's."""
    if given.is_dir() or given.suffix in SUFFIXES:
        return []
    text = shown_path(given.resolve(), root)
    found = find_all(folder, root, *forms)
    return [one.path for one in found.definitions if any(mentions(layer, {text}) for layer, _ in found.stack(one))]


def _is_inside(given: Path, folders: Sequence[Path]) -> bool:
    """Return whether a path is there, in one of some folders; a link is where it is itself, wherever it leads."""
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
