"""The writes of a run, in order: one at a time until one has succeeded, and then the others in parallel."""

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.core.outcome import Outcome
from reconciler.core.ports import Assistants
from reconciler.core.run import Failure, Result
from reconciler.usecases.project.project import Project
from reconciler.usecases.workers import Control, for_each
from reconciler.usecases.writing.creation import create
from reconciler.usecases.writing.write import Write

_REFUSALS_THAT_END_A_RUN = 3
_ABANDONED = Failure(
    "network",
    "the run was stopped during this write, before a response arrived",
    hint="apply again: what is already live is not sent again",
)


class Writes:
    """Writes one assistant at a time until one was read back, then several at once. `notes` say why it stopped."""

    def __init__(self, api: Assistants, project: Project, control: Control) -> None:
        self.notes: list[str] = []
        self._api = api
        self._project = project
        self._control = control
        self._broken = threading.Event()
        self._proven = False
        self._refused = 0  # writes that were not permitted, one after the other

    def write_all(self, pending: Sequence[Result], *, broken: bool) -> list[Result]:
        """Return the result of each assistant, in any order. If the run is already `broken`, none is started."""
        if broken:
            self._broken.set()
        # The ones with the most undeclared keys come first: only they show whether the API drops such keys.
        pending = sorted(pending, key=_count_undeclared, reverse=True)
        results: list[Result] = []
        while len(results) < len(pending) and not self._proven and not self._stopping():
            results += self._write_parallel(pending[len(results) :][:1], len(results), len(pending))
        return results + self._write_parallel(pending[len(results) :], len(results), len(pending))

    def _write_parallel(self, pending: Sequence[Result], finished: int, total: int) -> list[Result]:
        is_last = finished + len(pending) == total  # no later write is left that a second look could protect
        control = dataclasses.replace(
            self._control,
            stopping=self._stopping,
            progress=lambda done, _: self._control.progress(finished + done, total),
        )
        return for_each(
            pending,
            lambda planned: self._write_one(planned, is_last=is_last),
            control,
            skipped=lambda planned: planned.end(Outcome.SKIPPED),
            abandoned=lambda planned: planned.end(Outcome.INDETERMINATE, _ABANDONED),
        )

    def _write_one(self, planned: Result, *, is_last: bool) -> Result:
        stopping = self._control.stopping
        if planned.creates:
            result = create(self._api, self._project, planned, stopping=stopping)
        else:
            write = Write(self._api, self._project, planned, stopping=stopping)
            result = write.settle()
            if result.outcome is Outcome.INDETERMINATE and not (is_last or self._proven or self._stopping()):
                result = write.look_again(result)
        if result.dropped:
            self._stop("The API dropped fields that no definition declares, so no further write was started.")
        elif result.is_recorded:
            self._proven = True
        elif not self._proven:
            self._count_refusal(result)
        if self._control.fail_fast and result.has_failed:
            self._broken.set()
        return result

    def _count_refusal(self, result: Result) -> None:
        # The API may deny this account one assistant. Trying a thousand denied ones would look like an attack.
        was_sent = result.plan is not None and result.plan.patch is not None
        if was_sent and result.outcome is Outcome.FAILED and result.error and result.error.status in (401, 403):
            self._refused += 1
            if self._refused == _REFUSALS_THAT_END_A_RUN:
                self._stop("Three writes in a row were denied and none succeeded: no further write was started.")
        elif was_sent:
            self._refused = 0

    def _stop(self, note: str) -> None:
        self._broken.set()
        if note not in self.notes:
            self.notes.append(note)

    def _stopping(self) -> bool:
        return self._broken.is_set() or self._control.stopping()


def _count_undeclared(result: Result) -> int:
    """Return how many objects of the patch contain something undeclared."""
    declared, patch = result.definition.declared, result.plan.patch if result.plan is not None else None
    sent = (patch or {}).items()
    return sum(_has_undeclared(value, declared.get(field)) for field, value in sent if isinstance(value, Mapping))


def _has_undeclared(sent: Mapping[str, Any], declared: Any) -> bool:
    if not isinstance(declared, Mapping):
        return bool(sent)
    nested = ((value, declared[key]) for key, value in sent.items() if isinstance(value, Mapping) and key in declared)
    return not sent.keys() <= declared.keys() or any(_has_undeclared(value, inner) for value, inner in nested)
