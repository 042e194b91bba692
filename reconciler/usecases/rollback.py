"""Undo an apply: each field goes back to its old value, if it still has the one that was applied.

It is planned like anything else: the old values are desired, the applied ones are the base, and live is
read anew. Where live is neither, somebody has moved on since, and the assistant is refused.
"""

import dataclasses
import datetime
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reconciler.api.client import AssistantsApi
from reconciler.assistant.checks import find_faults
from reconciler.assistant.paths import FieldPath, covers
from reconciler.core.canonical import canonical
from reconciler.core.definition import Definition
from reconciler.core.origin import Base, Since
from reconciler.core.outcome import Outcome
from reconciler.core.reviewed import Applied
from reconciler.core.run import Failure, Result, Run
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import ReportError
from reconciler.files.definitions import Loaded
from reconciler.git.repository import Git
from reconciler.usecases.plan import plan
from reconciler.usecases.scope import Scope

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_NAMED = 5


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


def with_revert(run: Run, applied: Sequence[Applied], head: str | None, git: Git | None) -> Run:
    """Return the run with a last note that names what to revert, where git now says otherwise than live.

    `head` is the commit that was applied, which may have brought the changes of older ones along.
    """
    undone = {
        result.definition.id
        for result in run.results
        if result.outcome is not None and (result.outcome.may_be_live or result.outcome.settled)
    }
    if not undone:
        return run
    head = head if head is not None and _COMMIT.fullmatch(head) else None
    setters = {since for entry in applied if entry.id in undone for field in entry.fields for since in field.setters}
    commits = _to_revert(setters, head, git)
    way = " && ".join(_revert(commit, git) for commit in commits[:_MOST_NAMED]) or "revert the commit that was applied"
    if len(commits) > _MOST_NAMED:
        way += f" and {len(commits) - _MOST_NAMED} more (`since` in the report that is undone names them)"
    note = f"git still says otherwise, and a later apply may bring it back: {way}, and have that reviewed"
    return dataclasses.replace(run, notes=(*run.notes, note))


def _to_revert(setters: Collection[Since | None], head: str | None, git: Git | None) -> list[str]:
    """Return the commits that set some values, the newest first: `head` where none is known, or it brought them."""
    known = [since for since in setters if since is not None and _COMMIT.fullmatch(since.commit)]
    older = [since for since in known if not _brought_by(head, since.commit, git)]
    dates = {since.commit: _moment(since.date) for since in older}
    found = sorted(dates, key=lambda commit: (-dates[commit], commit))
    return [head, *found] if head is not None and len(older) < len(setters) else found


def _brought_by(head: str | None, commit: str, git: Git | None) -> bool:
    """Tell whether a commit is `head`, or came with it: a merge brought all that its first parent does not have."""
    if commit == head or head is None or git is None:
        return commit == head
    return git.is_ancestor(commit, head) and not git.is_ancestor(commit, f"{head}^")


def _moment(date: str) -> float:
    """Return a date as something to sort by; anybody may have written it."""
    try:
        return datetime.datetime.fromisoformat(date).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _revert(commit: str, git: Git | None) -> str:
    merged = git is not None and git.resolve(commit) is not None and len(git.parents(commit)) > 1
    return f"git revert {'-m 1 ' if merged else ''}{commit}"  # of a merge git wants to know which side stays


def _refused(result: Result, applied: Applied) -> Result:
    obstacle = "; ".join(applied.obstacles())
    if obstacle and result.error is None:
        failure = Failure("invalid", f"this cannot be undone: {obstacle}", hint="put the old values back by hand")
        return result.end(Outcome.REFUSED, failure, left=False)
    if _has_moved_on(result, applied):
        failure = Failure(
            "conflict",
            "live has moved on since: a field no longer has the value that was applied",
            hint="look at the difference, and change the definition instead",
        )
        return result.end(Outcome.REFUSED, failure, left=False)
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
