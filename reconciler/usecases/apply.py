"""Carry out a plan: every assistant that differs is written, the others get the outcome that their plan says.

`apply` is the plan, then one more call; what one write does stands in `write`.
"""

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.api.client import AssistantsApi
from reconciler.assistant.paths import dotted
from reconciler.core.definition import Definition
from reconciler.core.outcome import Kind, Outcome
from reconciler.core.plan import Plan
from reconciler.core.run import Failure, Result, Run
from reconciler.usecases.scope import Scope, make_run, now
from reconciler.usecases.workers import for_each
from reconciler.usecases.write import look_again, write

_ABANDONED = Failure(
    "network",
    "the run was stopped while this was written, and nobody waited for the answer",
    hint="apply again: what is live already stays as it is",
)
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
        results = [Result(definition).end(Outcome.SKIPPED, left=False) for definition in scope.loaded.definitions]
        run = make_run(command, None, scope, now(), results)
        return dataclasses.replace(run, notes=(*run.notes, note))
    skipped = tuple(result.end(Outcome.SKIPPED, left=False) for result in planned.results)
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
    about_to_write: Callable[[Run], None] = lambda _run: None,
) -> Run:
    """Return what became of each assistant of a planned run, under the name of the command that wrote.

    `retries` bounds how often a write whose outcome is unclear is repeated; with `fail_fast` no assistant
    is started after the first that could not be brought to what is desired. `about_to_write` gets, before
    the first write, the run as it is to be told if this one never ends.
    """
    settled = [_without_writing(result) for result in planned.results]
    pending = [result for result in settled if result.outcome is None]
    if pending:
        about_to_write(_beforehand(scope, planned, settled, command))
    writes = _Writes(api, scope, retries, fail_fast, broken=fail_fast and any(map(_has_failed, settled)))
    ended = {result.definition.file: result for result in [*settled, *writes.carry_out(pending)]}
    results = [ended[result.definition.file] for result in planned.results]
    run = make_run(command, api, scope, planned.started_at, _valid(results))
    return dataclasses.replace(run, notes=(*run.notes, *writes.notes))


class _Writes:
    """The writes of a run: the first goes alone, and the others start when a read-back has shown that it did well."""

    def __init__(self, api: AssistantsApi, scope: Scope, retries: int, fail_fast: bool, *, broken: bool) -> None:
        self.notes: list[str] = []
        self._api = api
        self._scope = scope
        self._retries = retries
        self._fail_fast = fail_fast
        self._broken = threading.Event()
        self._proven = False
        if broken:
            self._broken.set()

    def carry_out(self, pending: Sequence[Result]) -> list[Result]:
        """Return what became of each of the assistants, in any order.

        The first are those that take most along undeclared: only they can show whether the API drops such
        things.
        """
        pending = sorted(pending, key=_taken_along, reverse=True)
        ended: list[Result] = []
        while len(ended) < len(pending) and not self._proven and not self._stopping():
            ended += self._at_once(pending[len(ended) :][:1], len(ended), len(pending))
        return ended + self._at_once(pending[len(ended) :], len(ended), len(pending))

    def _at_once(self, pending: Sequence[Result], before: int, total: int) -> list[Result]:
        last = before + len(pending) == total
        found = for_each(
            pending,
            lambda planned: self._one(planned, last=last),
            concurrency=self._scope.concurrency,
            stopping=self._stopping,
            aborted=self._scope.aborted,
            abandoned=lambda result: result.end(Outcome.INDETERMINATE, _ABANDONED, left=True),
            progress=lambda done, _: self._scope.progress(before + done, total),
        )
        return [
            after or planned.end(Outcome.SKIPPED, left=False) for planned, after in zip(pending, found, strict=True)
        ]

    def _one(self, planned: Result, *, last: bool) -> Result:
        result = write(self._api, self._scope, planned, retries=self._retries)
        if result.outcome is Outcome.INDETERMINATE and not (last or self._proven or self._stopping()):
            result = look_again(self._api, result)
        if result.dropped:
            self._stop("The API dropped what no definition declares, so nothing further was started.")
        elif result.outcome is not None and result.outcome.recorded:
            self._proven = True
        elif not self._proven and result.error is not None and result.error.kind in ("auth", "forbidden"):
            self._stop("The first write was not permitted, so nothing further was started.")
        if self._fail_fast and _has_failed(result):
            self._broken.set()
        return result

    def _stop(self, note: str) -> None:
        self._broken.set()
        if note not in self.notes:
            self.notes.append(note)

    def _stopping(self) -> bool:
        return self._broken.is_set() or self._scope.stopping()


def _beforehand(scope: Scope, planned: Run, settled: Sequence[Result], command: str) -> Run:
    """Return the run as a report should tell it if nobody ever tells more: each write may have happened or not."""
    unclear = [result if result.outcome else result.end(Outcome.INDETERMINATE, left=True) for result in settled]
    run = make_run(command, None, scope, planned.started_at, _valid(unclear))
    note = "Written before the first write: the run that wrote this has not ended, or was killed."
    return dataclasses.replace(run, api_url=planned.api_url, api_calls=planned.api_calls, notes=(*run.notes, note))


def _taken_along(result: Result) -> int:
    """Return in how many objects of the patch there is something that no definition declares."""
    if result.plan is None or not isinstance(result.definition, Definition):
        return 0
    declared = result.definition.declared
    sent = (result.plan.patch or {}).items()
    return sum(_holds_more(value, declared.get(field)) for field, value in sent if isinstance(value, Mapping))


def _holds_more(sent: Mapping[str, Any], declared: Any) -> bool:
    if not isinstance(declared, Mapping):
        return bool(sent)
    below = ((value, declared[key]) for key, value in sent.items() if isinstance(value, Mapping) and key in declared)
    return not sent.keys() <= declared.keys() or any(_holds_more(value, inner) for value, inner in below)


def _valid(results: Sequence[Result]) -> list[Result]:
    return [result for result in results if isinstance(result.definition, Definition)]


def _has_failed(result: Result) -> bool:
    return result.outcome is not None and result.outcome.failed


def _without_writing(result: Result) -> Result:
    """Return the result with its outcome where nothing is to be sent; unchanged where something is."""
    if result.outcome is not None or result.pending:
        return result
    if result.error is not None:
        # What the reconciler itself would not do has no HTTP status: a duplicate, another organisation's assistant, ...
        ours = result.error.status is None and result.error.kind in ("duplicate", "invalid", "forbidden")
        return result.end(Outcome.REFUSED if ours else Outcome.FAILED, left=False)
    if result.plan is None:
        return result.end(Outcome.SKIPPED, left=False)
    if result.plan.refusal is not None:
        return result.end(Outcome.REFUSED, _refusal(result.plan), left=False)
    return result.end(Outcome.UNCHANGED, left=False)


def _refusal(plan: Plan) -> Failure:
    moved = ", ".join(dotted(change.path) for change in plan.changes if change.kind == plan.refusal)
    if plan.refusal is Kind.DRIFT:
        hint = _WAYS_OUT.format(force="apply with --on-drift revert to put git's value back")
        return Failure("conflict", f"{moved} was edited live, and --on-drift is fail", hint=hint)
    hint = _WAYS_OUT.format(force="apply with --force-conflicts to let git win")
    return Failure("conflict", f"{moved} was changed both in git and live", hint=hint)
