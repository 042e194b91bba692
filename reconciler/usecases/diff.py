"""Compare the definitions of two environments, offline. Different ids do not count."""

import dataclasses

from reconciler.core.canonical import differing_declarations, see_line_ends
from reconciler.core.definition import Definition
from reconciler.core.run import Compared
from reconciler.core.settings import Settings
from reconciler.files.definitions import Loaded


def compare(environment: Loaded, against: Loaded, settings: Settings) -> list[Compared]:
    """Return how two environments' definitions differ, by file, under the `settings` of the first."""
    here, there = ({entry.file: entry for entry in loaded.definitions} for loaded in (environment, against))
    invalid = {entry.file: entry for loaded in (environment, against) for entry in loaded.invalid}
    return [
        Compared(invalid[file].key, file, "error", message=invalid[file].message)
        if file in invalid
        else _compare(file, here.get(file), there.get(file), settings)
        for file in sorted({*here, *there, *invalid})
    ]


def _compare(file: str, here: Definition | None, there: Definition | None, settings: Settings) -> Compared:
    if here is None:
        return Compared(there.key if there else "", file, "only_in_against", against=there)
    if there is None:
        return Compared(here.key, file, "only_in_environment", here)
    # Where line ends do not count they are no difference here either.
    there = dataclasses.replace(there, declared=see_line_ends(there.declared, here.declared, settings))
    paths = differing_declarations(here.declared, there.declared)
    return Compared(here.key, file, "differs" if paths else "alike", here, there, paths)
