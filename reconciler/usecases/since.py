"""Since when a definition asks for what differs: the commit that set each desired value."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import canonical
from reconciler.core.definition import Definition
from reconciler.core.origin import Change, Since
from reconciler.core.outcome import Kind
from reconciler.core.run import Result, Run
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import RepositoryError
from reconciler.git.blame import AllEdits, read_edits
from reconciler.git.snapshot import object_name
from reconciler.usecases.base import History


def dated(run: Run, history: History) -> Run:
    """Return a run in which changes and conflicts name the commit since the base that set the desired value.

    Left out where it is not known: edits that are not committed, and history that a shallow clone lacks. History
    that git cannot read is a note of the run, which may have written already: its report must not be lost.
    """
    try:
        return _dated_by_git(run, history)
    except RepositoryError as error:
        note = f"who set what could not be read from git's history: {error.message}"
        return dataclasses.replace(run, notes=(*run.notes, note))


def _dated_by_git(run: Run, history: History) -> Run:
    git, base = history.git, history.base
    if git is None or history.head is None or base is None or not any(map(_open_files, run.results)):
        return run
    known = _known(run, history)
    run = _named(run, read_edits(git, f"{base.commit}..HEAD", *_undated(run), known))
    # A value can be older than the base: a record keeps the older file of an assistant that did not get there.
    definitions, layers = _undated(run)
    if definitions or layers:
        places = {*definitions.values(), *layers, *_places_before(run, history)}
        run = _named(run, read_edits(git, "HEAD", definitions, layers, known, sorted(places)))
    return run


def _known(run: Run, history: History) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the objects that this run has read already: the base's, and the definitions as git names their text."""
    base = [found for found in history.definitions.by_id.values() if found.overlay is None]
    known = {found.shared.blob.name: (found.id, found.declared) for found in base}
    now = [result.definition for result in run.results if isinstance(result.definition, Definition)]
    return known | {
        object_name(found.text, len(history.head or "")): (found.id, found.declared)
        for found in now
        if found.overlay is None
    }


def _undated(run: Run) -> tuple[dict[str, str], set[str]]:
    """Return the files that ask for something of which nobody is named yet.

    Those of whole definitions by their id, and those of which an environment lays two together: there each value
    is told by the file that declares it.
    """
    definitions: dict[str, str] = {}
    layers: set[str] = set()
    for result in run.results:
        if isinstance(result.definition, Definition) and (files := _open_files(result)):
            if result.definition.overlay is None:
                definitions[result.definition.id] = result.definition.file
            else:
                layers |= files
    return definitions, layers


def _open_files(result: Result) -> set[str]:
    """Return the files that declare what nobody is named for yet."""
    if result.plan is None or not isinstance(result.definition, Definition):
        return set()
    return {_declared(result.definition, change.path)[0] for change in result.plan.changes if _is_undated(change)}


def _places_before(run: Run, history: History) -> Iterator[str]:
    """Yield where the base kept the files of definitions of which somebody is to be named."""
    for result in run.results:
        before = history.definitions.find(result.definition.id or "") if _open_files(result) else None
        if before is not None:
            yield from (kept.path for kept in (before.shared, before.overlay) if kept is not None)


def _is_undated(change: Change) -> bool:
    return change.kind is not Kind.DRIFT and change.since is None


def _declared(definition: Definition, path: FieldPath) -> tuple[str, Any]:
    """Return the file that declares what is desired at a path, and what it declares there."""
    if definition.overlay is not None and (value := value_at(definition.overlay.fields, path)) is not MISSING:
        return definition.overlay.file, value
    return definition.file, value_at(definition.declared, path)


def _named(run: Run, edits: AllEdits) -> Run:
    """Return the run with the commits that the edits tell."""
    return dataclasses.replace(run, results=tuple(_dated(result, edits) for result in run.results))


def _dated(result: Result, edits: AllEdits) -> Result:
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
    file, value = _declared(definition, path)
    own = edits.by_id.get(definition.id) if definition.overlay is None else edits.by_file.get(file)
    wanted = canonical(value, path)

    def has(declared: object) -> bool:
        return bool(canonical(value_at(declared, path), path) == wanted)

    if own is None or not has(own.now):
        return None
    setting = [edit for edit in own.found if has(edit.after) and not has(edit.before)]
    edit = next((edit for edit in setting if not edit.merge), next(iter(setting), None))
    return Since(edit.commit, edit.author, edit.date) if edit else None
