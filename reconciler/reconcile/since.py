"""Since when a definition asks for what differs: the commit that set each desired value."""

import dataclasses
from collections.abc import Sequence

from reconciler.adapters.blame import Version, versions
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
    moved = [result for result in run.results if isinstance(result.definition, Definition) and _moved(result)]
    if history.git is None or history.base is None or not moved:
        return run
    found = versions(history.git, history.base.commit, [result.definition.file for result in moved])
    results = [_dated(result, found[result.definition.file]) if _moved(result) else result for result in run.results]
    return dataclasses.replace(run, results=tuple(results))


def _moved(result: Result) -> bool:
    return result.plan is not None and any(change.kind != "drift" for change in result.plan.changes)


def _dated(result: Result, found: Sequence[Version]) -> Result:
    if result.plan is None:
        return result
    changes = tuple(
        change if change.kind == "drift" else dataclasses.replace(change, since=_since(change, found))
        for change in result.plan.changes
    )
    return dataclasses.replace(result, plan=dataclasses.replace(result.plan, changes=changes))


def _since(change: Change, found: Sequence[Version]) -> Since | None:
    """Return the oldest of the newest versions in a row that declare the desired value."""
    wanted = canonical(change.desired, change.path)
    since: Since | None = None
    for version in found:
        value = value_at(version.declared, change.path)
        if version.declared is None or canonical(value, change.path) != wanted:
            break
        since = Since(version.commit, version.author, version.date)
    return since
