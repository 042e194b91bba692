"""Which definitions PATHS select."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from reconciler.core.definition import SUFFIXES, correct_name
from reconciler.errors import DefinitionError
from reconciler.files.find import FoundFiles
from reconciler.files.folders import shown_path


def select(found: FoundFiles, folder: Path, root: Path, paths: Sequence[Path]) -> set[str]:
    """Return the `file`s that PATHS, files or folders, select; all of them without PATHS.

    An overlay selects its definition, or itself if there is none, so that the problem is reported. Defaults select the
    definitions that take values from them. Raises DefinitionError for a path outside the folder, one that does not
    exist, and one that selects nothing.
    """
    files = {one.file for one in found.definitions}
    if not paths:
        return files
    # Of what PATHS name only the folders above are resolved: a link among the definitions is one, wherever it leads.
    folder = folder.resolve()
    chosen: set[str] = set()
    named: Mapping[str, Collection[str]] = {}
    for given in paths:
        absolute = Path(os.path.abspath(given))  # noqa: PTH100 - `resolve` would follow the link
        path = absolute.parent.resolve() / absolute.name
        if not path.exists() and not path.is_symlink():
            raise DefinitionError(f"{given} does not exist")
        name = shown_path(path, root)
        if name in files:
            chosen.add(name)
            continue
        named = named or _name_layers(found)
        if name in named:
            chosen.update(named[name])
            continue
        if not path.is_relative_to(folder):
            message = f"{given} is not in the definitions' folder {shown_path(folder, Path.cwd())}"
            raise DefinitionError(message, hint="Pass files or folders inside it, or another folder with --directory.")
        # A path is relative to itself, too.
        below = {one.file for one in found.definitions if one.path.is_relative_to(path)}
        if not below:
            raise DefinitionError(_nothing_selected(given, path))
        chosen |= below
    return chosen


def _name_layers(found: FoundFiles) -> dict[str, set[str]]:
    """Return the definitions that each file is a layer of; an overlay without a definition stands for itself."""
    named: dict[str, set[str]] = {}
    for one in found.definitions:
        for layer, _ in found.stack(one):
            named.setdefault(layer.file, set()).add(one.file)
    for lost in (one for ones in found.overlays.values() for one in ones):
        named.setdefault(lost.file, {lost.file})
    return named


def _nothing_selected(given: Path, path: Path) -> str:
    if path.is_dir():
        return f"{given} contains no definition (a file that ends in .yaml or .yml)"
    if right_name := correct_name(path.name):
        return f"{given} is not read, because of its name; rename it to {right_name}"
    if path.suffix not in SUFFIXES:
        return f"{given} is not a definition: its name does not end in .yaml or .yml"
    return f"{given} is skipped, because a name in its path begins with a dot"
