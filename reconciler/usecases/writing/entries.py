"""What the record says of one assistant from now on: its definition, but for what the run did not settle."""

from collections.abc import Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.base import Entry
from reconciler.core.canonical import restrict_to_declared
from reconciler.core.definition import Definition
from reconciler.core.run import Result
from reconciler.core.tree import MISSING, drop_at, item_at, paths_matching, put_at, value_at
from reconciler.usecases.project.project import Project


def make_entry(project: Project, result: Result, old: Entry | None) -> Entry | None:
    """Return what the record says of an assistant from now on; None for one that is not valid, or not there yet.

    That is its definition, but for what the run did not settle: an ignored field keeps the old entry's value, or is
    absent where there is none; a field that did not converge gets what live showed. When the ignore ends, or the
    next plan is made, git's move is a change and nobody's edit.
    """
    definition = result.definition
    if not isinstance(definition, Definition) or not definition.id:
        return None
    declared: Any = definition.declared
    # First what live did not show, then what is ignored: an ignored path never counts as not converged.
    for path in result.remaining:
        if (wanted := value_at(declared, path)) is not MISSING and result.after is not None:
            seen = restrict_to_declared(wanted, value_at(result.after, path))
            # A missing key is recorded as null: then an edit that gives it a value is seen as one.
            declared = put_at(declared, path, None if seen is MISSING else seen)
    for path in _ignored_paths(project, result, definition):
        declared = _keep(declared, path, old.declared if old is not None else {}, result.after or result.live)
    return Entry(definition.id, definition.file, declared)


def _ignored_paths(project: Project, result: Result, definition: Definition) -> list[FieldPath]:
    """Return the declared places that an ignore rule names, and the leaves that it accepts as a whole."""
    rules = project.overrides_for(definition.key).ignore
    found = [path for rule in rules for path in paths_matching(definition.declared, rule.path)]
    found += [entry.path for entry in result.plan.ignored] if result.plan is not None else []
    return sorted(set(found))


def _keep(declared: Any, path: FieldPath, old: Mapping[str, Any], live: Mapping[str, Any] | None) -> Any:
    """Return a definition in which an ignored place holds what the old entry has there, or nothing.

    An element of a list cannot be absent, or the others would move up: what live shows stands in for it.
    """
    before = item_at(old, path)
    if before is not MISSING:
        return put_at(declared, path, before)
    if isinstance(item_at(declared, path[:-1]), list):
        shown = item_at(live, path)
        return declared if shown is MISSING else put_at(declared, path, shown)
    return drop_at(declared, path)
