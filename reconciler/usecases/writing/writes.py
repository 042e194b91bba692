"""The writes of a run, in order: one at a time until one has succeeded, and then the others in parallel."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.core.outcome import Outcome
from reconciler.core.ports import Assistants
from reconciler.core.run import Failure, Result
from reconciler.usecases.project.project import Project
from reconciler.usecases.writing.creation import create
from reconciler.usecases.writing.workers import Control, for_each
from reconciler.usecases.writing.write import look_again, write

_REFUSALS_THAT_END_A_RUN = 3
_ABANDONED = Failure(
    "network",
    "the run was stopped during this write, before a response arrived",
    hint="apply again: what is live already stays as it is",
)


class Writes:
    """Writes one assistant after another until one was read back, then many at once; `notes` say why it stopped."""

    def __init__(self, api: Assistants, project: Project, control: Control, *, fail_fast: bool) -> None:
        self.notes: list[str] = []
        self._api = api
        self._project = project
        self._control = control
        self._fail_fast = fail_fast
        self._broken = threading.Event()
        self._proven = False
        self._refused = 0  # writes that were not permitted, one after the other

    def carry_out(self, pending: Sequence[Result], *, broken: bool) -> list[Result]:
        """Return the result of each of the assistants, in any order; none is started where it is `broken` already."""
        if broken:
            self._broken.set()
        # First those that take most along undeclared: only they can show whether the API drops such things.
        pending = sorted(pending, key=_count_taken_along, reverse=True)
        ended: list[Result] = []
        while len(ended) < len(pending) and not self._proven and not self._stopping():
            ended += self._at_once(pending[len(ended) :][:1], len(ended), len(pending))
        return ended + self._at_once(pending[len(ended) :], len(ended), len(pending))

    def _at_once(self, pending: Sequence[Result], before: int, total: int) -> list[Result]:
        last = before + len(pending) == total  # nobody comes after these whom a second look could spare
        control = Control(
            concurrency=self._control.concurrency,
            stopping=self._stopping,
            aborted=self._control.aborted,
            progress=lambda done, _: self._control.progress(before + done, total),
        )
        found = for_each(
            pending,
            lambda planned: self._one(planned, last=last),
            control,
            abandoned=lambda result: result.end(Outcome.INDETERMINATE, _ABANDONED, sent=True),
        )
        pairs = zip(pending, found, strict=True)
        return [after or planned.end(Outcome.SKIPPED, sent=False) for planned, after in pairs]

    def _one(self, planned: Result, *, last: bool) -> Result:
        creates = planned.creates
        begin = create if creates else write
        result = begin(self._api, self._project, planned, stopping=self._control.stopping)
        if result.outcome is Outcome.INDETERMINATE and not (creates or last or self._proven or self._stopping()):
            result = look_again(self._api, self._project, result)
        if result.dropped:
            self._stop("The API dropped fields that no definition declares, so nothing further was started.")
        elif result.outcome is not None and result.outcome.is_recorded:
            self._proven = True
        elif not self._proven:
            self._count_refusal(result)
        if self._fail_fast and result.has_failed:
            self._broken.set()
        return result

    def _count_refusal(self, result: Result) -> None:
        # The API may deny this account one assistant. Trying a thousand denied ones would look like an attack.
        was_sent = result.plan is not None and result.plan.patch is not None
        if was_sent and result.outcome is Outcome.FAILED and result.error and result.error.status in (401, 403):
            self._refused += 1
            if self._refused == _REFUSALS_THAT_END_A_RUN:
                self._stop("Three writes in a row were denied and none succeeded: nothing further was started.")
        elif was_sent:
            self._refused = 0

    def _stop(self, note: str) -> None:
        self._broken.set()
        if note not in self.notes:
            self.notes.append(note)

    def _stopping(self) -> bool:
        return self._broken.is_set() or self._control.stopping()


def _count_taken_along(result: Result) -> int:
    """Return in how many objects of the patch there is something that no definition declares."""
    declared, patch = result.definition.declared, result.plan.patch if result.plan is not None else None
    sent = (patch or {}).items()
    return sum(_holds_more(value, declared.get(field)) for field, value in sent if isinstance(value, Mapping))


def _holds_more(sent: Mapping[str, Any], declared: Any) -> bool:
    if not isinstance(declared, Mapping):
        return bool(sent)
    below = ((value, declared[key]) for key, value in sent.items() if isinstance(value, Mapping) and key in declared)
    return not sent.keys() <= declared.keys() or any(_holds_more(value, inner) for value, inner in below)
