"""Reads what the base of a run declared for each assistant, from the record or a commit."""

import dataclasses
from collections.abc import Collection, Iterable
from typing import Any

from reconciler.assistant.paths import FieldPath, parse_pointer
from reconciler.core.base import BaseDefinitions, Entries, Entry
from reconciler.core.definition import is_definition_file, key_of
from reconciler.core.tree import value_at
from reconciler.files.find import read_text
from reconciler.git.commit_layers import parse_definition
from reconciler.git.record import Unclear, read_entries
from reconciler.usecases.project.new_assistants import resolve_entries
from reconciler.usecases.project.project import Project
from reconciler.yamltext.nodes import UnreadableText


def read_base(project: Project) -> BaseDefinitions:
    """Return the base of a project with its entries, and what writes without a clear answer may have left live.

    Raises RepositoryError.
    """
    record, current = project.record, project.loaded.definitions
    entries = None
    if not project.loaded.whole:
        # The cost of a run of selected files depends on the selection, as long as each has its history at its own path.
        selected = {*(definition.file for definition in current), *project.removed}
        entries = _read_entries(project, project.base.commit, only=selected)
        if any(definition.id and entries.find_at(definition.file, definition.id) is None for definition in current):
            entries = None
    if entries is None:
        entries = _read_entries(project, project.base.commit)
    # A late write may show by now. It is nobody's edit either.
    unclear_writes = _find_values(project, (*record.unclear, *record.late))
    return dataclasses.replace(project.base, entries=entries, unclear_writes=unclear_writes, undone=record.digests)


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


def _find_values(project: Project, writes: Iterable[Unclear]) -> dict[str, list[tuple[FieldPath, Any]]]:
    """Return the values that some writes may have sent, by the assistant's ids: its definition's, where it was then."""
    values: dict[str, list[tuple[FieldPath, Any]]] = {}
    for write in writes:
        # Any of the attempts may have arrived late, so the values of all of them are ours.
        for head in filter(project.repository.has, write.heads):
            snapshot, ids, file = project.snapshot(head), write.ids, write.file
            # If it is not there, the definitions' folder may have been renamed.
            entry = snapshot.read({key_of(file, project.below)}).find(ids, file)
            entry = entry or snapshot.read_everything().find(ids, file)
            declared = entry.declared if entry is not None else {}
            found = [(path, value_at(declared, path)) for path in map(parse_pointer, write.fields)]
            for name in ids:
                values.setdefault(name, []).extend(found)
    return values
