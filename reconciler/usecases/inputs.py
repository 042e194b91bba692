"""What a command works on: the settings and the definitions, read from the folder that the options name."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.assistant.paths import FieldPath
from reconciler.core.definition import Definition
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, UsageError
from reconciler.files.definitions import Loaded, load
from reconciler.files.find import FoundFile, find_files, find_overlays, select
from reconciler.files.folders import repository_root
from reconciler.files.settings import load_settings
from reconciler.usecases.choices import DefinitionOptions
from reconciler.yamltext.places import locate


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """The folder, the settings and the definitions."""

    folder: Path
    settings: Settings
    loaded: Loaded

    @property
    def folders(self) -> tuple[Path, ...]:
        """The definitions' folder and, in an environment that has one, its overlays'."""
        overlay = self.settings.overlay
        return (self.folder, *([self.folder.resolve().parent / overlay] if overlay is not None else []))


def read_inputs(options: DefinitionOptions) -> Inputs:
    """Return everything that the options name. Raises SettingsError and DefinitionError."""
    settings = read_settings(options)
    root = repository_root(options.directory)
    return Inputs(options.directory, settings, load(options.directory, options.paths, root=root, settings=settings))


def read_forms(options: DefinitionOptions) -> list[tuple[Settings, Loaded]]:
    """Return the definitions in the environment that was chosen; else as written, and in every environment.

    Where there are environments, an id is theirs to give: as written a definition needs none. Raises as
    `read_inputs` does.
    """
    settings = read_settings(options)
    forms = [settings]
    if settings.environment is None:
        forms += [settings.chosen(name) for name in sorted(settings.environments)]
    root = repository_root(options.directory)
    paths = _in_every(forms, options, root)
    return [(form, load(options.directory, paths, root=root, settings=form, without_ids=_bare(form))) for form in forms]


def read_pair(options: DefinitionOptions, against: str) -> tuple[Inputs, Inputs]:
    """Return the definitions in the environment that was chosen, and in another one.

    A PATH may be an overlay of either: it means its definition in both. Raises as `read_inputs` does.
    """
    pair = read_settings(options), read_settings(dataclasses.replace(options, environment=against))
    root, folder = repository_root(options.directory), options.directory
    paths = _in_every(pair, options, root)
    here, there = (Inputs(folder, one, load(folder, paths, root=root, settings=one)) for one in pair)
    return here, there


def read_settings(options: DefinitionOptions) -> Settings:
    """Return the settings that stand beside the folder, as they are in the environment that was chosen.

    Raises SettingsError, and UsageError for an environment that is not there.
    """
    settings = load_settings(options.directory, root=repository_root(options.directory))
    if options.environment is None:
        return settings
    if options.environment not in settings.environments:
        known = ", ".join(sorted(settings.environments))
        hint = f"reconciler.yaml has these: {known}" if known else "no reconciler.yaml here has environments"
        raise UsageError(f"there is no environment {options.environment!r}", hint=hint)
    return settings.chosen(options.environment)


def with_overlays_to_come(settings: Settings, folder: Path) -> Settings:
    """Return the settings for commands that write overlays: a folder that is not there yet is no mistake to them."""
    if settings.overlay is None or (folder.resolve().parent / settings.overlay).is_dir():
        return settings
    return dataclasses.replace(settings, overlay=None)


def _bare(settings: Settings) -> bool:
    """Tell whether these settings are a project's with environments, before one of them is chosen."""
    return bool(settings.environments) and settings.environment is None


def _in_every(forms: Sequence[Settings], options: DefinitionOptions, root: Path) -> tuple[Path, ...]:
    """Return PATHS that select alike in several environments: an overlay of one means its definition in all.

    Raises DefinitionError as `select` does, and for an overlay without a definition.
    """
    if not options.paths or len(forms) == 1:
        return tuple(options.paths)
    folder = options.directory
    overlays: dict[str, list[FoundFile]] = {}
    for form in forms:
        for key, found in find_overlays(folder, form, root).items():
            overlays.setdefault(key, []).extend(found)
    files = find_files(folder, root)
    chosen = select(files, overlays, folder, options.paths)
    astray = chosen - {found.file for found in files}
    if astray:
        raise DefinitionError(
            f"the overlay {min(astray)} has no definition of the same name",
            hint="write one, or rename or remove the overlay",
        )
    return tuple(found.path for found in files if found.file in chosen)


def places(definition: Definition) -> Mapping[FieldPath, tuple[str, int]]:
    """Return the file and line at which each field of a definition is declared."""
    found = {path: (definition.file, line) for path, (line, _) in locate(definition.text).items()}
    if definition.overlay is not None:
        upper = locate(definition.overlay.text)
        found |= {path: (definition.overlay.file, line) for path, (line, _) in upper.items()}
    return found
