"""Write one assistant: read it again, send one PATCH, and check what live shows. The outcome says what was seen.

A PATCH sets absolute values, so one that was refused for now or whose outcome is unclear may be repeated; live is
read again first, and what somebody else has written meanwhile is not overwritten (docs/reference.md, "The API").
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.canonical import equal_exactly
from reconciler.core.outcome import Outcome
from reconciler.core.patch import IncompleteObject, find_dropped_keys, find_undeclared_changes, shows_nothing_new
from reconciler.core.plan import Plan, find_remaining
from reconciler.core.ports import Assistants
from reconciler.core.run import Failure, Result, check_organisation, to_failure
from reconciler.errors import ApiError, ReconcilerError, UnclearWrite
from reconciler.usecases.project.project import Project

_THIRD_VALUE = Failure(
    "conflict",
    "the write's outcome is unclear, and live now has neither the old nor the new value: nothing was sent again",
    hint="plan again and look at the difference",
)


class Write:
    """The write of one planned assistant, which has a patch and was read, with its repeats."""

    def __init__(self, api: Assistants, project: Project, result: Result, *, stopping: Callable[[], bool]) -> None:
        if result.live is None or result.plan is None:
            raise TypeError(result)
        self.api, self.project, self.stopping, self.result = api, project, stopping, result
        self.definition, self.live, self.plan = result.definition, result.live, result.plan
        self.before = self.latest = self.live  # the last readings before the first attempt, and before the last
        self.stale: Failure | None = None  # why the plan is not valid any more
        self.sent = False
        self.repeat: Mapping[str, Any] | None = None  # what a repeat is to send, as live was read last

    def settle(self) -> Result:
        """Return the result of the assistant with its outcome."""
        try:
            return self._settle()
        except ReconcilerError as error:
            # Git may fail, or live may no longer have what the definition is added to. The others go on.
            return self.result.end(Outcome.INDETERMINATE if self.sent else Outcome.FAILED, error)

    def _settle(self) -> Result:
        try:
            # A person was asked, so the plan may be minutes old. It is valid only if live is unchanged.
            if self._is_still_valid():
                if self.stopping():
                    return self.result.end(Outcome.SKIPPED)
                self.sent = True
                return self._verify(self._send(self.plan.patch or {}, self._is_still_valid))
        except UnclearWrite as unclear:
            return self._repeat(unclear)
        except ApiError as error:
            if self.stale is None:
                # Without a status, there was no connection, and nothing was sent.
                return self.result.end(Outcome.FAILED, error, refused=self.sent and error.status is not None)
        return self.result.end(Outcome.REFUSED, self.stale)

    def _is_still_valid(self) -> bool:
        """Read live again, and return whether the plan still fits it."""
        self.before = self.latest = self.project.normalize(self.definition, self.api.get(self.definition.id))
        self.stale = self._find_stale(self.before)
        return self.stale is None

    def look_again(self, result: Result) -> Result:
        """Return the result of an unclear write after another reading, which may show what the API drops."""
        try:
            return self._add_losses(result, self.live, self._check(self.api.get(self.definition.id)))
        except ApiError:
            return result

    def _check(self, reading: dict[str, Any]) -> dict[str, Any]:
        """Return a reading, normalized. Raises ApiError if it is about another assistant."""
        if reading["id"] != self.live["id"]:
            raise ApiError("protocol", f"the API answered with another assistant instead of {self.live['id']!r}")
        return self.project.normalize(self.definition, reading)

    def _send(self, patch: Mapping[str, Any], look_again: Callable[[], bool]) -> dict[str, Any]:
        answer = self.api.patch(self.definition.id, patch, live_id=self.live["id"], look_again=look_again)
        return self.project.normalize(self.definition, answer)

    def _repeat(self, unclear: UnclearWrite) -> Result:
        """Return the result after repeats of a write that may have happened; live is read before each of them."""
        patch = None
        for attempt in range(1, self.api.retries + 1):
            if not unclear.temporary or self.stopping():
                break
            self.api.pause(attempt)
            try:
                patch = self._rebuild_patch()
                if patch is None:
                    return self.result.end(Outcome.INDETERMINATE, _THIRD_VALUE)
                return self._verify(self._send(patch, functools.partial(self._is_current, patch)))
            except UnclearWrite as error:
                unclear = error
            except ApiError as error:
                # Live changed while the repeat waited, so what is to be sent, if anything, is found out again.
                if self.repeat != patch:
                    continue
                # A refused repeat says nothing about the earlier write.
                failure = to_failure(error, f"{unclear}; after that: {error}")
                return self.result.end(Outcome.INDETERMINATE, failure)
        return self._judge_unclear(unclear)

    def _rebuild_patch(self) -> Mapping[str, Any] | None:
        self.latest = self._check(self.api.get(self.definition.id))
        planner = self.project.planner_for(self.definition.key)
        self.repeat = planner.rebuild_patch(self.plan, self.definition.declared, self.latest)
        return self.repeat

    def _is_current(self, patch: Mapping[str, Any]) -> bool:
        return equal_exactly(self._rebuild_patch(), patch)

    def _find_stale(self, before: Mapping[str, Any]) -> Failure | None:
        """Return why the plan is stale: somebody changed a value that the patch would overwrite."""
        stranger = check_organisation(before, self.project.settings)
        if stranger is not None:
            return stranger
        try:
            new_plan = self.project.plan_for(self.definition, before)
        except IncompleteObject:
            new_plan = Plan()
        # Other fields may have moved. What counts is that the same body would replace the same values.
        if before["id"] == self.live["id"] and new_plan.same_write(self.plan):
            return None
        changed_paths = ", ".join(dotted(path) for path in find_undeclared_changes({}, self.live, before))
        message = f"live changed between the plan and the write ({changed_paths or 'id'}), and nothing was sent"
        hint = "plan again, look at the difference, and apply again"
        return Failure("stale", message, hint=hint)

    def _verify(self, answer: Mapping[str, Any]) -> Result:
        """Return what one more reading shows of a write that the API accepted."""
        try:
            after = self._get_after_write()
        except ApiError as error:
            message = f"the API accepted the write, but live could not be read after it: {error}"
            unseen = to_failure(error, message)
            return self._add_losses(self.result.end(Outcome.INDETERMINATE, unseen), self.before, answer)
        return self._judge_reading(after, answer)

    def _judge_reading(self, after: Mapping[str, Any], answer: Mapping[str, Any]) -> Result:
        """Return what the reading after a write shows of it; `answer` is empty if it was invalid."""
        remaining, declared, before = self._find_remaining(after), self.definition.declared, self.before
        touched = {*find_undeclared_changes(declared, before, after)}
        touched |= {*find_undeclared_changes(declared, before, {**before, **answer})}
        answered = {**after, **answer}
        remaining_then = self._find_remaining(answered)
        # A reading of neither the old version nor ours shows what somebody has written since. Our write left what was
        # answered, and the record must know that, or the next run would undo the edit as a change of ours.
        is_ours = after.get("updatedAt") in (before.get("updatedAt"), answered.get("updatedAt"))
        edited = () if is_ours else sorted({*remaining} - {*remaining_then})
        warnings = [
            f"{dotted(path)}, which is not declared, changed while this was written" for path in sorted(touched)
        ]
        warnings += [f"{dotted(path)} was changed live right after this was written" for path in edited]
        # Either may come from a cache. The read after the write decides: the next plan will see the same.
        if not remaining and remaining_then:
            warnings.append("the response to the write differs from the read after it")
        outcome = Outcome.NOT_CONVERGED if remaining else Outcome.APPLIED
        all_warnings = (*self.result.warnings, *warnings)
        left = after if is_ours else answered
        judged = self.result.end(outcome, live_after=left, remaining=remaining, warnings=all_warnings)
        lossy = self._add_losses(judged, before, after)
        return dataclasses.replace(lossy, outcome=Outcome.NOT_CONVERGED) if lossy.dropped else judged

    def _get_after_write(self) -> dict[str, Any]:
        latest, paths = self.latest, self.plan.sent_paths

        # A reading is old if it shows nothing of what was sent. The rest may differ, since somebody may have written
        # between our last reading and the write. If a part shows, the reading is new, and the API keeps another value
        # than was sent.
        def is_old(reading: Mapping[str, Any] | None) -> bool:
            live = self.project.normalize(self.definition, reading or {})
            return reading is not None and shows_nothing_new(paths, latest, live) and bool(self._find_remaining(live))

        return self._check(self.api.get_after_write(self.definition.id, is_old))

    def _judge_unclear(self, unclear: UnclearWrite) -> Result:
        """Return the result of a write whose last response was 5xx, missing, or invalid."""
        # After an invalid response, the reading decides. After the others it cannot: GET reads the local database, and
        # the provider may lack the write (docs/reference.md, "The API").
        if unclear.kind != "protocol":
            return self.result.end(Outcome.INDETERMINATE, unclear)
        try:
            after = self._get_after_write()
        except ApiError:
            return self.result.end(Outcome.INDETERMINATE, unclear)
        if remaining := self._find_remaining(after):
            return self.result.end(Outcome.INDETERMINATE, unclear, remaining=remaining)
        result = self._judge_reading(after, {})
        note = f"live has what was sent, although the response to the write was invalid: {unclear}"
        return dataclasses.replace(result, warnings=(note, *result.warnings))

    def _find_remaining(self, live: Mapping[str, Any]) -> tuple[FieldPath, ...]:
        try:
            return find_remaining(self.plan, self.project.plan_for(self.definition, live))
        except IncompleteObject:
            return self.plan.sent_paths

    def _add_losses(self, result: Result, before: Mapping[str, Any], after: Mapping[str, Any]) -> Result:
        """Return the result with the undeclared keys that the write removed, unchanged if there are none."""
        dropped = find_dropped_keys(self.plan.patch or {}, self.definition.declared, before, after)
        if not dropped:
            return result
        failure = Failure(
            "protocol",
            f"the API dropped {', '.join(map(dotted, dropped))}, which no definition declares and which was sent "
            "unchanged: no further write is started",
            hint="the values are in the JSON report, under `patch`; restore them, and report this to the API's "
            "developers",
        )
        paths = tuple(sorted({*result.remaining, *dropped}))
        return dataclasses.replace(result, error=failure, remaining=paths, dropped=dropped)
