"""Reads the base of a run, from the record or any other commit, and what unclear writes may have left live."""

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

from reconciler.assistant.paths import FieldPath, parse_pointer
from reconciler.core.base import BaseDefinitions, Entries, Entry
from reconciler.core.definition import is_definition_file, key_of
from reconciler.core.tree import value_at
from reconciler.files.find import UnreadableText, read_text
from reconciler.git.commit_layers import parse_definition
from reconciler.git.record import Unclear, read_entries
from reconciler.usecases.project.new_assistants import resolve_entries
from reconciler.usecases.project.project import Project


def read_base_of(project: Project, base: BaseDefinitions) -> BaseDefinitions:
    """Return the base with its entries, and what writes without a clear answer may have left live."""
    record, current = project.record, project.loaded.definitions
    entries = None
    if not project.loaded.whole:
        # The cost of a run of selected files depends on the selection, as long as each has its history at its own path.
        selected = {*(definition.file for definition in current), *project.removed}
        entries = _read_entries(project, base.commit, only=selected)
        if any(definition.id and entries.find_at(definition.file, definition.id) is None for definition in current):
            entries = None
    if entries is None:
        entries = _read_entries(project, base.commit)
    values_by_id: dict[str, list[tuple[FieldPath, Any]]] = {}
    # A late write may show by now. It is nobody's edit either.
    for unclear in (*record.unclear, *record.late):
        for path, value in _find_attempts(project, unclear):
            for name in unclear.ids:
                values_by_id.setdefault(name, []).append((path, value))
    unclear_writes = {name: tuple(values) for name, values in values_by_id.items()}
    return dataclasses.replace(base, entries=entries, unclear_writes=unclear_writes)


def _read_entries(project: Project, commit: str, *, only: Collection[str] | None = None) -> Entries:
    """Return the entries of the base; with `only` those at some paths."""
    record, current = project.record, project.loaded.definitions
    # A record of the older form is read like any revision, with its own settings and overlays.
    if record.resolved and commit == record.commit:
        entries = read_entries(record, project.snapshot(record.applied, current), only=only)
    else:
        snapshot = project.snapshot(commit, current)
        if only is None:
            entries = snapshot.read_base(still_there=lambda entry: _is_there(project, entry))
        else:
            entries = snapshot.read(
                [key_of(path, project.below) for path in only if is_definition_file(path, project.below)]
            )
        entries = Entries(entries.by_file, entries.warnings, record.other_ids)
    return resolve_entries(entries, current, project.find_created_id)


def _is_there(project: Project, entry: Entry) -> bool:
    """Tell whether the file of an older definition is still there and still that assistant's: then it has not moved."""
    path = project.root / entry.file
    if not path.is_file() or project.settings.environment is not None:  # there the overlay holds the id
        return path.is_file()
    try:
        document = parse_definition(read_text(path).encode())
    except UnreadableText:
        return True
    return document is not None and document.get("id") == entry.id


def _find_attempts(project: Project, unclear: Unclear) -> Iterator[tuple[FieldPath, Any]]:
    """Yield the values that an unclear write may have sent: its definition's, in the commits that it was made from."""
    # Any of the attempts may have arrived late, so the values of all of them are ours.
    for head in filter(project.repository.has, unclear.heads):
        snapshot, ids, file = project.snapshot(head), unclear.ids, unclear.file
        # If it is not there, the definitions' folder may have been renamed.
        entry = snapshot.read({key_of(file, project.below)}).find(ids, file)
        entry = entry or snapshot.read_everything().find(ids, file)
        if entry is not None:
            fields = map(parse_pointer, unclear.fields)
            yield from ((path, value_at(entry.declared, path)) for path in fields)
