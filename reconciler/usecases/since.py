"""Since when a definition asks for what differs: the commit that set each desired value."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import canonical
from reconciler.core.definition import Definition
from reconciler.core.origin import Change, Since
from reconciler.core.outcome import Kind
from reconciler.core.run import Result
from reconciler.core.tree import MISSING, value_at
from reconciler.git.blame import AllEdits, read_edits
from reconciler.usecases.project import Project


def name_setters(results: Sequence[Result], project: Project) -> list[Result]:
    """Return results in which changes and conflicts name the commit since the base that set the desired value.

    Left out where it is not known: edits that are not committed, and history that a shallow clone lacks. Raises
    RepositoryError for a history that cannot be read; nothing has been written yet.
    """
    repository, head, base = project.repository, project.head, project.base
    if repository is None or head is None or base is None or not any(map(_open_files, results)):
        return [*results]
    named = _name(results, read_edits(repository, f"{base.commit}..{head}", *_undated(results), head))
    # A value can be older than the base: the record keeps the older entry of an assistant that did not get there.
    definitions, layers = _undated(named)
    if definitions or layers:
        places = sorted({*definitions.values(), *layers, *_places_before(named, project)})
        named = _name(named, read_edits(repository, head, definitions, layers, head, places))
    return named


def _undated(results: Sequence[Result]) -> tuple[dict[str, str], set[str]]:
    """Return the files that ask for something whose commit is not known yet.

    A definition of one file is followed by its id, wherever the file stood. Where several layers make a definition
    each value is followed in the file that declares it.
    """
    definitions: dict[str, str] = {}
    layers: set[str] = set()
    for result in results:
        if isinstance(result.definition, Definition) and (files := _open_files(result)):
            if len(result.definition.layers) == 1:
                definitions[result.definition.id] = result.definition.file
            else:
                layers |= files
    return definitions, layers


def _open_files(result: Result) -> set[str]:
    """Return the files that declare what has no commit named yet."""
    if result.plan is None or not isinstance(result.definition, Definition):
        return set()
    return {_declaring(result.definition, change.path)[0] for change in result.plan.changes if _is_undated(change)}


def _places_before(results: Sequence[Result], project: Project) -> Iterator[str]:
    """Yield where the base kept the files of definitions of which somebody is to be named."""
    for result in results:
        if project.base is not None and _open_files(result):
            before = project.base.entries.find([result.definition.id or ""], result.definition.file)
            yield from before.files if before is not None else ()


def _is_undated(change: Change) -> bool:
    return change.kind is not Kind.DRIFT and change.since is None


def _declaring(definition: Definition, path: FieldPath) -> tuple[str, Any]:
    """Return the file that declares what is desired at a path, and what it declares there."""
    for layer in reversed(definition.layers):
        if (value := value_at(layer.fields, path)) is not MISSING:
            # Lower layers may say more inside an object; what the whole definition declares is what was set.
            return layer.file, value if layer.is_overlay else value_at(definition.declared, path)
    return definition.file, value_at(definition.declared, path)


def _name(results: Sequence[Result], edits: AllEdits) -> list[Result]:
    return [_name_one(result, edits) for result in results]


def _name_one(result: Result, edits: AllEdits) -> Result:
    definition, plan = result.definition, result.plan
    if plan is None or not isinstance(definition, Definition):
        return result
    changes = tuple(
        dataclasses.replace(change, since=_since(definition, change.path, edits)) if _is_undated(change) else change
        for change in plan.changes
    )
    return dataclasses.replace(result, plan=dataclasses.replace(plan, changes=changes))


def _since(definition: Definition, path: FieldPath, edits: AllEdits) -> Since | None:
    """Return the newest commit that brought the desired value, if `HEAD` has it.

    A merge shows again what a commit on the other branch did; it counts only where no other commit did it.
    """
    file, value = _declaring(definition, path)
    own = edits.by_id.get(definition.id) if len(definition.layers) == 1 else edits.by_file.get(file)
    wanted = canonical(value, path)

    def has(declared: object) -> bool:
        return bool(canonical(value_at(declared, path), path) == wanted)

    if own is None or not has(own.now):
        return None
    setting = [edit for edit in own.found if has(edit.after) and not has(edit.before)]
    edit = next((edit for edit in setting if not edit.merge), next(iter(setting), None))
    return Since(edit.commit, edit.author, edit.date) if edit else None
