"""What a command works on: the settings and the definitions, read from the folder that the options name."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from reconciler.adapters.definitions import Loaded, load
from reconciler.adapters.folders import repository_root
from reconciler.adapters.settings import load_settings
from reconciler.adapters.yaml_reader import locate
from reconciler.cli.options import DefinitionOptions
from reconciler.core.definition import Definition
from reconciler.core.paths import FieldPath
from reconciler.core.settings import Settings


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """The folder, the settings and the definitions."""

    folder: Path
    settings: Settings
    loaded: Loaded


def read_inputs(options: DefinitionOptions) -> Inputs:
    """Return everything that the options name. Raises SettingsError and DefinitionError."""
    settings = read_settings(options)
    root = repository_root(options.directory)
    return Inputs(options.directory, settings, load(options.directory, options.paths, root=root, settings=settings))


def read_settings(options: DefinitionOptions) -> Settings:
    """Return the settings that stand beside the folder. Raises SettingsError."""
    return load_settings(options.directory, root=repository_root(options.directory))


def places(definition: Definition) -> Mapping[FieldPath, tuple[int, int]]:
    """Return the line and column of each field of a definition."""
    return locate(definition.text)
