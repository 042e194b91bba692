"""Compare the definitions of two environments, offline. Different ids do not count."""

from reconciler.core.canonical import see_line_ends
from reconciler.core.compare import differing_declarations
from reconciler.core.definition import Definition
from reconciler.core.run import Compared, Comparison, Difference
from reconciler.core.settings import Settings
from reconciler.core.tree import value_at
from reconciler.files.definitions import Loaded

Named = tuple[str, Loaded]


def compare(environment: Named, against: Named, settings: Settings) -> Comparison:
    """Return how two environments' definitions differ, each given with its name, under the `settings` of the first."""
    here, there = ({entry.file: entry for entry in loaded.definitions} for _, loaded in (environment, against))
    invalid = {entry.file: entry for _, loaded in (environment, against) for entry in loaded.invalid}
    keys = {entry.file: entry.key for entry in [*here.values(), *there.values()]}
    keys |= {file: entry.key for file, entry in invalid.items()}
    found = [
        Compared(key, file, "error", message=invalid[file].message)
        if file in invalid
        else _compare(key, file, here.get(file), there.get(file), settings)
        for file, key in sorted(keys.items())
    ]
    return Comparison(environment[0], against[0], tuple(found))


def _compare(key: str, file: str, here: Definition | None, there: Definition | None, settings: Settings) -> Compared:
    if here is None or there is None:
        return Compared(key, file, "only_in_environment" if here else "only_in_against", here, there)
    # Where line ends do not count they are no difference here either.
    other = see_line_ends(there.declared, here.declared, settings)
    differences = tuple(
        Difference(path, value_at(here.declared, path), value_at(other, path))
        for path in differing_declarations(here.declared, other)
    )
    return Compared(key, file, "differs" if differences else "alike", here, there, differences)
