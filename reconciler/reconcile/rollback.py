"""Undo an apply: each field goes back to its old value, if it still has the one that was applied.

It is planned like anything else: the old values are desired, the applied ones are the base, and live is
read anew. Where live is neither, somebody has moved on since, and the assistant is refused.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.adapters.api import AssistantsApi
from reconciler.adapters.definitions import Loaded
from reconciler.adapters.git import Git
from reconciler.core.assistant import find_faults
from reconciler.core.canonical import canonical
from reconciler.core.compare import value_at
from reconciler.core.definition import Definition
from reconciler.core.missing import MISSING
from reconciler.core.origin import Base
from reconciler.core.paths import FieldPath, covers
from reconciler.core.reviewed import Applied
from reconciler.core.run import Failure, Result, Run
from reconciler.errors import ReportError
from reconciler.reconcile.plan import plan
from reconciler.reconcile.scope import Scope

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def rollback_scope(scope: Scope, applied: Sequence[Applied]) -> Scope:
    """Return the scope in which the old values are what the definitions declare, and the applied ones the base.

    Raises ReportError for an id that no definition could have: it would become part of a URL.
    """
    for entry in applied:
        for fault in find_faults({"id": entry.id}):
            raise ReportError(f"the report names an assistant {entry.id!r}: {fault.message}")
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
    by_id = {entry.id: entry for entry in applied}
    planned = plan(api, scope, command="rollback")
    results = tuple(_refused(result, by_id[str(result.definition.id)]) for result in planned.results)
    return dataclasses.replace(planned, results=results)


def with_revert(run: Run, head: str | None, git: Git | None) -> Run:
    """Return the run with a last note that names the commit to revert, where git now says otherwise than live."""
    if all(result.outcome in ("refused", "skipped", "failed") for result in run.results):
        return run
    commit = "revert the commit that was applied"
    if head is not None and _COMMIT.fullmatch(head):
        merged = git is not None and git.resolve(head) is not None and len(git.parents(head)) > 1
        commit = f"git revert {'-m 1 ' if merged else ''}{head}"  # of a merge git wants to know which side stays
    note = f"git still says otherwise, and a later apply may bring it back: {commit}, and have that reviewed"
    return dataclasses.replace(run, notes=(*run.notes, note))


def _refused(result: Result, applied: Applied) -> Result:
    obstacle = "; ".join(applied.obstacles())
    if obstacle and result.error is None:
        failure = Failure("invalid", f"this cannot be undone: {obstacle}", hint="put the old values back by hand")
        return result.ended("refused", failure)
    if _has_moved_on(result, applied):
        failure = Failure(
            "conflict",
            "live has moved on since: a field no longer has the value that was applied",
            hint="look at the difference, and change the definition instead",
        )
        return result.ended("refused", failure)
    return result


def _has_moved_on(result: Result, applied: Applied) -> bool:
    """Tell whether a field is neither what was sent nor what it was before, in any part of it.

    A plan alone would not see what somebody added to an object or a list that is to be replaced whole.
    """
    if result.plan is None or result.live is None:
        return False
    accepted = [entry.path for entry in result.plan.ignored]
    for field in applied.fields:
        known = [_exactly(value, field.path) for value in (field.old, field.sent)]
        now = value_at(result.live, field.path)
        if _exactly(now, field.path) not in known and not any(covers(path, field.path) for path in accepted):
            return True
    return False


def _exactly(value: Any, path: FieldPath) -> Any:
    return canonical(None if value is MISSING else value, path)
