"""Finds the commit that set each differing desired value."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import align_line_ends, canonical
from reconciler.core.definition import Definition
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind
from reconciler.core.run import Result
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, value_at
from reconciler.git.blame import FileChange, Histories, read_histories
from reconciler.usecases.project.project import Project


def name_setters(results: Sequence[Result], project: Project) -> list[Result]:
    """Return results in which changes and conflicts name the commit since the base that set the desired value.

    Left out where it is not known: values that are not committed, and history that a shallow clone lacks. Raises
    RepositoryError for a history that cannot be read; nothing has been written yet.
    """
    repository, head, base = project.repository, project.head, project.base
    if not (head and base.commit and any(map(_open_files, results))):
        return [*results]
    histories = read_histories(repository, f"{base.commit}..{head}", *_find_undated(results), head)
    dated = [_add_setters(result, histories, project.settings) for result in results]
    # A value can be older than the base: if an assistant was not applied, the record keeps its older entry.
    definitions, layers = _find_undated(dated)
    if definitions or layers:
        undated = (result.definition for result in dated if _open_files(result))
        entries = (base.entries.find([definition.id], definition.file) for definition in undated)
        files = {file for entry in entries if entry is not None for file in entry.files}
        places = sorted({*definitions.values(), *layers, *files})
        histories = read_histories(repository, head, definitions, layers, head, places)
        dated = [_add_setters(result, histories, project.settings) for result in dated]
    return dated


def _find_undated(results: Sequence[Result]) -> tuple[dict[str, str], set[str]]:
    """Return the files with a value whose commit is not known yet: definitions by their id, and others."""
    definitions: dict[str, str] = {}
    other_files: set[str] = set()
    for result in results:
        definition, files = result.definition, _open_files(result)
        # A definition with one layer is followed by its id, wherever its file was. A file that says `id: new` has no id
        # in its history.
        if files and len(definition.layers) == 1 and not definition.says_new:
            definitions[definition.id] = definition.file
            files = files - {definition.file}
        other_files |= files
    return definitions, other_files


def _open_files(result: Result) -> set[str]:
    """Return the files that declare values without a known commit."""
    undated = [change.path for change in result.plan.changes if _is_undated(change)] if result.plan else []
    return {file for path in undated for file, _, _ in _find_parts(result.definition, path)}


def _is_undated(change: Change) -> bool:
    return change.kind is not Kind.DRIFT and change.since is None


def _find_parts(definition: Definition, path: FieldPath) -> Iterator[tuple[str, FieldPath, Any]]:
    """Yield what makes up the desired value at a path: the file, the path in it, and what is there."""
    # The uppermost layer with its text files, and what lower layers add inside an object.
    for layer in reversed(definition.layers):
        value = value_at(layer.as_written, path)
        if value is MISSING:
            continue
        yield layer.file, path, value
        yield from ((each.file, (), each.text) for each in layer.texts if each.path[: len(path)] == path)
        if not isinstance(value, Mapping) or layer.text_at(path):
            return


def _add_setters(result: Result, histories: Histories, settings: Settings) -> Result:
    if result.plan is None:
        return result
    changes = tuple(_add_setter(result.definition, each, histories, settings) for each in result.plan.changes)
    return dataclasses.replace(result, plan=dataclasses.replace(result.plan, changes=changes))


def _add_setter(definition: Definition, change: Change, histories: Histories, settings: Settings) -> Change:
    """Return a change with the newest commit that set a part of the desired value, if `HEAD` has all parts."""
    if not _is_undated(change):
        return change
    path = change.path
    setting: list[FileChange] = []
    for file, inner, value in _find_parts(definition, path):
        history = histories.get(file)
        # Compared like in a plan: a commit that rewrote 1 as 1.0 has set nothing.
        form = canonical(value, path)

        def has(declared: object, inner: FieldPath = inner, value: object = value, form: object = form) -> bool:
            return bool(canonical(align_line_ends(value_at(declared, inner), value, settings), path) == form)

        if history is None or not has(history.now):
            return change
        setting += [edit for edit in history.changes if has(edit.after) and not has(edit.before)]
    # A merge shows again what a commit on the other branch did; it counts only if no other commit did it.
    setter = min((edit.commit for edit in setting), key=lambda commit: (commit.is_merge, commit.age), default=None)
    return dataclasses.replace(change, since=setter.since) if setter else change
