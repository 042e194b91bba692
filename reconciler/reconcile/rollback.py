"""Undo an apply: each field goes back to its old value, if it still has the one that was applied.

It is planned like anything else: the old values are desired, the applied ones are the base, and live is
read anew. Where live is neither, somebody has moved on since, and the assistant is refused.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.adapters.api import AssistantsApi
from reconciler.adapters.definitions import Loaded
from reconciler.core.definition import Definition
from reconciler.core.missing import MISSING
from reconciler.core.origin import Base
from reconciler.core.reviewed import Applied
from reconciler.core.run import Failure, Result, Run
from reconciler.reconcile.plan import plan
from reconciler.reconcile.scope import Scope


def rollback_scope(scope: Scope, applied: Sequence[Applied]) -> Scope:
    """Return the scope in which the old values are what the definitions declare, and the applied ones the base."""
    by_id = {entry.id: entry for entry in applied}

    def base_of(definition: Definition, _live: Mapping[str, Any]) -> Base:
        return by_id[definition.id].after() if definition.id in by_id else MISSING

    definitions = tuple(Definition(entry.key, entry.file, entry.id, entry.before()) for entry in applied)
    return dataclasses.replace(
        scope,
        loaded=Loaded(definitions, (), (), whole=False),
        history=dataclasses.replace(scope.history, base=None, record=None),
        base_of=base_of,
    )


def plan_rollback(api: AssistantsApi, scope: Scope, applied: Sequence[Applied]) -> Run:
    """Return what a rollback would do; an assistant with a field that cannot be undone is refused whole."""
    obstacles = {entry.id: "; ".join(entry.obstacles()) for entry in applied}
    planned = plan(api, scope, command="rollback")
    results = tuple(_refused(result, obstacles.get(str(result.definition.id), "")) for result in planned.results)
    return dataclasses.replace(planned, results=results)


def with_revert(run: Run, head: str | None) -> Run:
    """Return the run with a last note that names the commit to revert: git still says otherwise."""
    commit = f"git revert {head}" if head else "revert the commit that was applied"
    note = f"git still says otherwise, and the next apply would bring it back: {commit}, and have that reviewed"
    return dataclasses.replace(run, notes=(*run.notes, note))


def _refused(result: Result, obstacle: str) -> Result:
    if obstacle and result.error is None:
        failure = Failure("invalid", f"this cannot be undone: {obstacle}", hint="put the old values back by hand")
        return result.ended("refused", failure)
    if result.plan is not None and result.plan.refusal is not None:
        failure = Failure(
            "conflict",
            "live has moved on since: a field no longer has the value that was applied",
            hint="look at the difference, and change the definition instead",
        )
        return result.ended("refused", failure)
    return result
