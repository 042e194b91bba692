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
from reconciler.reconcile.base import History


def dated(run: Run, history: History) -> Run:
    """Return a run in which changes and conflicts name the commit since the base that set the desired value.

    Left out where it is not known: edits that are not committed, and history that a shallow clone lacks.
    """
    files = {result.definition.id: result.definition.file for result in run.results if _moved(result)}
    if history.git is None or history.head is None or history.base is None or not files:
        return run
    edits = read_edits(
        history.git, history.base.commit, {name: file for name, file in files.items() if name}, _known(run, history)
    )
    results = [
        _dated(result, edits[result.definition.id or ""]) if _moved(result) else result for result in run.results
    ]
    return dataclasses.replace(run, results=tuple(results))


def _known(run: Run, history: History) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the objects that this run has read already: the base's, and the definitions as git names their text."""
    known = {found.blob.name: (found.id, found.declared) for found in history.definitions.by_id.values()}
    now = [result.definition for result in run.results if isinstance(result.definition, Definition)]
    return known | {object_name(found.text, len(history.head or "")): (found.id, found.declared) for found in now}


def _moved(result: Result) -> bool:
    """Tell whether git has moved somewhere in a definition."""
    if result.plan is None or not isinstance(result.definition, Definition):
        return False
    return any(change.kind != "drift" for change in result.plan.changes)


def _dated(result: Result, edits: Edits) -> Result:
    if result.plan is None:
        return result
    changes = tuple(
        change if change.kind == "drift" else dataclasses.replace(change, since=_since(change, edits))
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
