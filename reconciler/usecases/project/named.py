"""Which definitions PATHS mean: files and folders, else keys, else ids. What is selected is another room's to say."""

import dataclasses
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from reconciler.assistant.plain_words import closest
from reconciler.core.definition import SUFFIXES
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError
from reconciler.files.definitions import load
from reconciler.files.find import find_all
from reconciler.files.folders import shown_path
from reconciler.files.text_files import mentions
from reconciler.usecases.project.choices import DefinitionOptions


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
        for definition in load(folder, (), root=root, settings=form, without_ids=True).everything:
            ids[definition.id].append(root / definition.file)
    ids.pop("", None)
    return ids


def _describe_unknown(given: Path, names: Sequence[str]) -> DefinitionError:
    near = closest(given.as_posix(), names)
    hint = f"Did you mean {near}?" if near else "Name files or folders, keys (admissions/enrollment) or ids."
    return DefinitionError(f"{given} does not exist, and no definition has it as its key or id", hint=hint)
