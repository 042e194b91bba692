"""Carry out a plan: every assistant that differs is written, the others get the outcome that their plan says.

`apply` is the plan, then one more call; what one write does stands in `write`.
"""

import dataclasses
import threading

from reconciler.adapters.api import AssistantsApi
from reconciler.core.definition import Definition
from reconciler.core.paths import dotted
from reconciler.core.plan import Plan
from reconciler.core.run import FAILED, Failure, Result, Run
from reconciler.reconcile.scope import Scope, make_run, now
from reconciler.reconcile.workers import for_each
from reconciler.reconcile.write import write

_WAYS_OUT = (
    "{force}, remove the field from the definition to leave it to the dashboard, or pull the live value into the "
    "definition"
)


def skip_all(scope: Scope, planned: Run | None = None, *, because: str, command: str = "apply") -> Run:
    """Return the run of an apply that sends nothing at all: every valid assistant is skipped, and the report says why.

    Without a planned run nothing was read either, because an invalid definition stops an apply before its
    first request.
    """
    note = f"Nothing was sent: {because}."
    if planned is None:
        results = [Result(definition, outcome="skipped") for definition in scope.loaded.definitions]
        run = make_run(command, None, scope, now(), results)
        return dataclasses.replace(run, notes=(*run.notes, note))
    skipped = tuple(dataclasses.replace(result, outcome="skipped") for result in planned.results)
    return dataclasses.replace(
        planned, command=command, results=skipped, notes=(*planned.notes, note), finished_at=now()
    )


def apply(
    api: AssistantsApi,
    scope: Scope,
    planned: Run,
    *,
    retries: int = 4,
    fail_fast: bool = False,
    command: str = "apply",
) -> Run:
    """Return what became of each assistant of a planned run, under the name of the command that wrote.

    `retries` bounds how often a write whose outcome is unclear is repeated; with `fail_fast` no assistant
    is started after the first that could not be brought to what is desired.
    """
    settled = [_without_writing(result) for result in planned.results]
    broken = threading.Event()

    def noted(result: Result) -> Result:
        if fail_fast and result.outcome in FAILED:
            broken.set()
        return result

    for result in settled:
        noted(result)
    pending = [result for result in settled if result.outcome is None]
    written = for_each(
        pending,
        lambda result: noted(write(api, scope, result, retries=retries)),
        concurrency=scope.concurrency,
        stopping=lambda: broken.is_set() or scope.stopping(),
        progress=scope.progress,
    )
    ended = [after or before.ended("skipped") for before, after in zip(pending, written, strict=True)]
    results = [result for result in settled if result.outcome is not None] + ended
    valid = [result for result in results if isinstance(result.definition, Definition)]
    return make_run(command, api, scope, planned.started_at, valid)


def _without_writing(result: Result) -> Result:
    """Return the result with its outcome where nothing is to be sent; unchanged where something is."""
    if result.outcome is not None or result.pending:
        return result
    if result.error is not None:
        # What the reconciler itself would not do has no HTTP status: a duplicate, another organisation's assistant, ...
        ours = result.error.status is None and result.error.kind in ("duplicate", "invalid", "forbidden")
        return result.ended("refused" if ours else "failed")
    if result.plan is None:
        return result.ended("skipped")
    if result.plan.refusal is not None:
        return result.ended("refused", _refusal(result.plan))
    return result.ended("unchanged")


def _refusal(plan: Plan) -> Failure:
    moved = ", ".join(dotted(change.path) for change in plan.changes if change.kind == plan.refusal)
    if plan.refusal == "drift":
        hint = _WAYS_OUT.format(force="apply with --on-drift revert to put git's value back")
        return Failure("conflict", f"{moved} was edited live, and --on-drift is fail", hint=hint)
    hint = _WAYS_OUT.format(force="apply with --force-conflicts to let git win")
    return Failure("conflict", f"{moved} was changed both in git and live", hint=hint)
