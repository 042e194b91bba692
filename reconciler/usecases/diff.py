"""Compare the definitions of two environments, offline. Different ids do not count."""

import dataclasses

from reconciler.core.canonical import align_line_ends, find_differing_declarations
from reconciler.core.definition import Definition
from reconciler.core.run import Comparison
from reconciler.core.settings import Settings
from reconciler.files.definitions import Loaded


def compare(environment: Loaded, against: Loaded, settings: Settings) -> list[Comparison]:
    """Return how two environments' definitions differ, by file, under the `settings` of the first."""
    here, there = ({entry.file: entry for entry in loaded.definitions} for loaded in (environment, against))
    invalid = {entry.file: entry for loaded in (environment, against) for entry in loaded.invalid}
    return [
        Comparison(invalid[file].key, file, "error", message=invalid[file].message)
        if file in invalid
        else _compare(file, here.get(file), there.get(file), settings)
        for file in sorted({*here, *there, *invalid})
    ]


def _compare(file: str, here: Definition | None, there: Definition | None, settings: Settings) -> Comparison:
    if here is None:
        return Comparison(there.key if there else "", file, "only_in_against", against=there)
    if there is None:
        return Comparison(here.key, file, "only_in_environment", here)
    # Where line ends do not count they are no difference here either.
    there = dataclasses.replace(there, declared=align_line_ends(there.declared, here.declared, settings))
    paths = find_differing_declarations(here.declared, there.declared)
    return Comparison(here.key, file, "differs" if paths else "alike", here, there, paths)
