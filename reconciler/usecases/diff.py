"""Compare the definitions of two environments, offline. Different ids do not count."""

import dataclasses

from reconciler.core.canonical import align_line_ends, find_differing_declarations
from reconciler.core.definition import Definition
from reconciler.core.run import Comparison
from reconciler.core.settings import Settings
from reconciler.files.definitions import Loaded


def compare(environment: Loaded, against: Loaded, settings: Settings) -> list[Comparison]:
    """Return how two environments' definitions differ, by file, under the `settings` of the first."""
    first, second = ({entry.file: entry for entry in loaded.definitions} for loaded in (environment, against))
    invalid = {entry.file: entry for loaded in (environment, against) for entry in loaded.invalid}
    return [
        Comparison(invalid[file].key, file, "error", message=invalid[file].message)
        if file in invalid
        else _compare(file, first.get(file), second.get(file), settings)
        for file in sorted({*first, *second, *invalid})
    ]


def _compare(file: str, first: Definition | None, second: Definition | None, settings: Settings) -> Comparison:
    if first is None:
        return Comparison(second.key if second else "", file, "only_in_against", against=second)
    if second is None:
        return Comparison(first.key, file, "only_in_environment", first)
    # Where line ends do not count they are no difference here either.
    second = dataclasses.replace(second, declared=align_line_ends(second.declared, first.declared, settings))
    paths = find_differing_declarations(first.declared, second.declared)
    return Comparison(first.key, file, "differs" if paths else "alike", first, second, paths)
