"""Since when a definition asks for what differs: the commit that set each desired value."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from reconciler.adapters.base import object_name
from reconciler.adapters.blame import Edits, read_edits
from reconciler.core.canonical import canonical
from reconciler.core.compare import value_at
from reconciler.core.definition import Definition
from reconciler.core.origin import Change, Since
from reconciler.core.run import Result, Run
from reconciler.errors import RepositoryError
from reconciler.reconcile.base import History


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
    git, base, files = history.git, history.base, _undated(run)
    if git is None or history.head is None or base is None or not files:
        return run
    known = _known(run, history)
    run = _named(run, read_edits(git, f"{base.commit}..HEAD", files, known))
    # A value can be older than the base: a record keeps the older file of an assistant that did not get there.
    if files := _undated(run):
        before = (found.file for name in files if (found := history.definitions.find(name)))
        run = _named(run, read_edits(git, "HEAD", files, known, sorted({*files.values(), *before})))
    return run


def _known(run: Run, history: History) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the objects that this run has read already: the base's, and the definitions as git names their text."""
    base = [found for found in history.definitions.by_id.values() if found.overlay is None]
    known = {found.shared.blob.name: (found.id, found.declared) for found in base}
    now = [definition for result in run.results if (definition := _alone(result)) is not None]
    return known | {object_name(found.text, len(history.head or "")): (found.id, found.declared) for found in now}


def _undated(run: Run) -> dict[str, str]:
    """Return the files, by id, of the definitions that ask for something of which nobody is named yet."""
    return {
        definition.id: definition.file
        for result in run.results
        if (definition := _alone(result)) is not None and any(map(_is_undated, _changes(result)))
    }


def _alone(result: Result) -> Definition | None:
    """Return a definition that is one file; of one with an overlay no single file's history tells the values."""
    definition = result.definition
    return definition if isinstance(definition, Definition) and definition.overlay is None else None


def _changes(result: Result) -> tuple[Change, ...]:
    return result.plan.changes if result.plan else ()


def _is_undated(change: Change) -> bool:
    return change.kind != "drift" and change.since is None


def _named(run: Run, edits: Mapping[str, Edits]) -> Run:
    """Return the run with the commits that the edits tell."""
    found = (edits.get(result.definition.id or "") for result in run.results)
    pairs = zip(run.results, found, strict=True)
    return dataclasses.replace(run, results=tuple(_dated(result, own) if own else result for result, own in pairs))


def _dated(result: Result, edits: Edits) -> Result:
    if result.plan is None:
        return result
    changes = tuple(
        dataclasses.replace(change, since=_since(change, edits)) if _is_undated(change) else change
        for change in result.plan.changes
    )
    return dataclasses.replace(result, plan=dataclasses.replace(result.plan, changes=changes))


def _since(change: Change, edits: Edits) -> Since | None:
    """Return the newest commit that brought the desired value, if `HEAD` has it.

    A merge shows again what a commit on the other branch did; it counts only where no other commit did it.
    """

    def has(declared: object) -> bool:
        return bool(canonical(value_at(declared, change.path), change.path) == wanted)

    wanted = canonical(change.desired, change.path)
    if not has(edits.now):
        return None
    setting = [edit for edit in edits.found if has(edit.after) and not has(edit.before)]
    edit = next((edit for edit in setting if not edit.merge), next(iter(setting), None))
    return Since(edit.commit, edit.author, edit.date) if edit else None
