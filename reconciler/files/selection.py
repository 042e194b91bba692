"""Which definitions PATHS select."""

from collections.abc import Sequence
from pathlib import Path

from reconciler.core.definition import SUFFIXES, correct_name
from reconciler.errors import DefinitionError
from reconciler.files.find import YamlFiles
from reconciler.files.folders import resolve_above, shown_path


def select_files(yaml_files: YamlFiles, folder: Path, root: Path, paths: Sequence[Path]) -> set[str]:
    """Return the `file`s that PATHS, files or folders, select; all of them without PATHS.

    An overlay selects its definition, or itself if there is none, so that the problem is reported. Defaults select the
    definitions that take values from them, and a folder what all files in it select. Raises DefinitionError for a path
    that does not exist, and one that selects nothing.
    """
    if not paths:
        return {each.file for each in yaml_files.definitions}
    # Only the folders above a path are resolved. A definition that is a link keeps its own name.
    folder = folder.resolve()
    selected: set[str] = set()
    definitions = {each.file for each in yaml_files.definitions}
    by_layer: dict[str, set[str]] = {}
    for argument in paths:
        path = resolve_above(argument)
        if not path.exists() and not path.is_symlink():
            raise DefinitionError(f"{argument} does not exist")
        name = shown_path(path, root)
        # A fleet may be named file by file.
        if name in definitions:
            selected.add(name)
            continue
        by_layer = by_layer or _map_layers(yaml_files)
        prefix = "" if name == "." else f"{name}/"
        files = [name] if name in by_layer else [file for file in by_layer if file.startswith(prefix)]
        selected_here = {user for file in files for user in by_layer[file]}
        if not selected_here and not path.is_relative_to(folder):
            message = f"{argument} is not in the definitions' folder {shown_path(folder, Path.cwd())}"
            raise DefinitionError(message, hint="pass files or folders inside it, or another folder with --directory")
        if not selected_here:
            raise DefinitionError(_explain_nothing(argument, path))
        selected |= selected_here
    return selected


def _map_layers(yaml_files: YamlFiles) -> dict[str, set[str]]:
    """Return, for each file, the definitions that it is a layer of. An overlay without a definition counts as one."""
    by_layer: dict[str, set[str]] = {}
    for each in yaml_files.definitions:
        for layer in yaml_files.stack(each):
            by_layer.setdefault(layer.file, set()).add(each.file)
    for overlay in (each for group in yaml_files.overlays.values() for each in group):
        by_layer.setdefault(overlay.file, {overlay.file})
    return by_layer


def _explain_nothing(argument: Path, path: Path) -> str:
    if path.is_dir():
        return f"{argument} contains no definition (a file that ends in .yaml or .yml)"
    if right_name := correct_name(path.name):
        return f"{argument} is not read, because of its name; rename it to {right_name}"
    if path.suffix not in SUFFIXES:
        return f"{argument} is not a definition: its name does not end in .yaml or .yml"
    return f"{argument} is skipped, because a name in its path begins with a dot"
