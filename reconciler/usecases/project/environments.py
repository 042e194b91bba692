"""One folder of definitions as written, in each environment, or in two of them; and what PATHS select there."""

import dataclasses
import datetime
import functools
import itertools
import os
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from reconciler.assistant.plain_words import find_closest
from reconciler.core.definition import SUFFIXES
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.find import YamlFile, YamlFiles, find_all
from reconciler.files.folders import locate_overlays, repository_root, resolve_above, shown_path
from reconciler.files.selection import select_files
from reconciler.files.settings import load_settings
from reconciler.files.text_files import mentions
from reconciler.usecases.project.choices import Choices


class Form(NamedTuple):
    """The settings in one environment, or as they are written, and the definitions under them."""

    settings: Settings
    loaded: Loaded


def read_settings(choices: Choices, today: datetime.date | None = None) -> Settings:
    """Return the settings in the environment that was chosen, on a day. Raises SettingsError and UsageError."""
    settings = load_settings(choices.directory, root=repository_root(choices.directory), today=today)
    if choices.environment is None:
        return settings
    if choices.environment not in settings.environments:
        names = ", ".join(sorted(settings.environments))
        hint = f"reconciler.yaml has these: {names}" if names else "reconciler.yaml has no environments"
        raise UsageError(f"there is no environment {choices.environment!r}", hint=hint)
    return settings.choose(choices.environment)


def name_environments(settings: Settings) -> str:
    """Return what to do where an environment is missing, as a hint."""
    return f"pass --environment NAME; reconciler.yaml has these: {', '.join(sorted(settings.environments))}"


def read_forms(choices: Choices, today: datetime.date | None = None) -> list[Form]:
    """Return the definitions in the chosen environment; else as written, and in every one. Raises ReconcilerError."""
    # An overlay can make a definition invalid in its environment only.
    settings = read_settings(choices, today)
    forms = [settings]
    if settings.environment is None:
        forms = [settings.include_all_environments()]
        forms += [settings.choose(name) for name in sorted(settings.environments)]
    return _load_forms(choices, forms, in_passing=choices.environment is None)


def read_neighbours(settings: Settings, folder: Path) -> list[Form]:
    """Return the definitions of all other environments that have the URL of the chosen one: it is one API for both."""
    if settings.environment is None or settings.api_url is None:
        return []
    others = (name for name in sorted(settings.environments) if name != settings.environment)
    same = (name for name in others if settings.environments[name].api_url == settings.api_url)
    # A neighbour without its overlay folder defines nothing. Its own runs report that mistake.
    forms = [drop_missing_overlay(settings.choose(name), folder) for name in same]
    return _load_forms(Choices(directory=folder), forms, in_passing=True)


def read_pair(choices: Choices, against: str) -> list[Form]:
    """Return the definitions in the environment that was chosen, and in another one. Raises ReconcilerError."""
    other_choices = dataclasses.replace(choices, environment=against)
    return _load_forms(choices, [read_settings(choices), read_settings(other_choices)])


def _load_forms(choices: Choices, variants: Sequence[Settings], *, in_passing: bool = False) -> list[Form]:
    root = repository_root(choices.directory)
    paths = _choose_paths(choices, variants, root)
    read = functools.partial(load, choices.directory, paths, root=root, in_passing=in_passing)
    # With environments, the overlays may give the ids, so a definition as it is written needs none.
    return [
        Form(each, read(settings=each, without_ids=bool(each.environments and not each.environment)))
        for each in variants
    ]


def drop_missing_overlay(settings: Settings, folder: Path) -> Settings:
    """Return the settings for commands that write overlays, which may create the overlay folder."""
    place = locate_overlays(folder, settings)
    return dataclasses.replace(settings, overlay=None) if place is not None and not place.is_dir() else settings


def _choose_paths(choices: Choices, forms: Sequence[Settings], root: Path) -> tuple[Path, ...]:
    """Return the files that PATHS select in all environments: an overlay of one selects its definition in each."""
    choices = resolve_names(choices, forms, root)
    if not choices.paths or len(forms) == 1:
        return tuple(choices.paths)
    files = find_all(choices.directory, root, *forms)
    selected = select_files(files, choices.directory, root, choices.paths)
    unmatched = selected - {definition.file for definition in files.definitions}
    if unmatched:
        hint = "write one, or rename or remove the overlay"
        raise DefinitionError(f"the overlay {min(unmatched)} has no definition of the same name", hint=hint)
    return tuple(definition.path for definition in files.definitions if definition.file in selected)


def resolve_names(choices: Choices, forms: Sequence[Settings], root: Path) -> Choices:
    """Return the choices with the files of every key and id among PATHS, of any form. Raises DefinitionError."""
    if not choices.paths:
        return choices
    folder = choices.directory
    keys: dict[str, list[Path]] = defaultdict(list)
    for definition in find_all(folder, root).definitions:
        keys[definition.key].append(definition.path)
    folders = [folder.resolve(), *filter(None, (locate_overlays(folder, form) for form in forms))]
    # All definitions must be read to know their ids. That is done only for a name that is nothing else.
    find_ids = functools.cache(lambda: _find_ids(folder, forms, root))

    def find(given: Path) -> Sequence[Path]:
        # An existing path is meant as a path, even if it is also a key or an id. A report names files from the root,
        # wherever the command runs.
        name = given.as_posix()
        places = (folder / given, root / given) if name not in keys and not os.path.lexists(given) else ()
        path = next((place for place in places if _is_inside(place, folders)), given)
        if _is_inside(path, folders):
            texts = {shown_path(path.resolve(), root)} if path.suffix not in SUFFIXES and not path.is_dir() else set()
            users = find_mentioning(find_all(folder, root, *forms), texts) if texts else ()
            return [each.path for each in users] or [path]
        if name in keys:
            return keys[name]
        if name in find_ids() or os.path.lexists(path):
            return find_ids().get(name, [path])
        near = find_closest(name.removeprefix(f"{folder.name}/"), [*keys, *find_ids()])
        hint = f"did you mean {near}?" if near else "pass files or folders, keys (admissions/enrollment) or ids"
        raise DefinitionError(f"{path} does not exist, and no definition has it as its key or id", hint=hint)

    resolved = itertools.chain.from_iterable(map(find, choices.paths))
    return dataclasses.replace(choices, paths=tuple(dict.fromkeys(resolved)))


def find_mentioning(files: YamlFiles, texts: Collection[str]) -> list[YamlFile]:
    """Return the definitions that take a text from one of some files."""
    layers = {layer for each in files.definitions for layer in files.stack(each)} if texts else ()
    mentioning = {layer.file for layer in layers if mentions(layer, texts)}
    return [each for each in files.definitions if any(layer.file in mentioning for layer in files.stack(each))]


def _is_inside(path: Path, folders: Sequence[Path]) -> bool:
    """Return whether a path exists in one of some folders. A link counts where it is, not where it leads."""
    place = resolve_above(path)
    return os.path.lexists(place) and any(place.resolve() == each or place.is_relative_to(each) for each in folders)


def _find_ids(folder: Path, forms: Sequence[Settings], root: Path) -> dict[str, list[Path]]:
    ids: dict[str, list[Path]] = defaultdict(list)
    for form in forms:
        for definition in load(folder, (), root=root, settings=form, without_ids=True).read_all():
            ids[definition.id].append(root / definition.file)
    ids.pop("", None)
    return ids
