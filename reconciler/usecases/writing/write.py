"""Write one assistant: read it again, send one PATCH, and check what live shows.

The outcome states only what was observed.

A PATCH sets absolute values, so one whose outcome is unclear may be repeated; live is read again first, and
what somebody else has written meanwhile is not overwritten (docs/reference.md, "The API").
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.definition import Definition
from reconciler.core.outcome import Outcome
from reconciler.core.patch import IncompleteObject, find_dropped_keys, find_undeclared_changes, shows_nothing_new
from reconciler.core.plan import Plan, find_remaining, patch_again
from reconciler.core.ports import Assistants
from reconciler.core.run import Failure, Result, check_organisation, to_failure
from reconciler.errors import ApiError, UnclearWrite
from reconciler.usecases.project.project import Project


def write(api: Assistants, project: Project, result: Result, *, stopping: Callable[[], bool]) -> Result:
    """Write one planned assistant, which has a patch and was read, and return its result with the outcome."""
    if not isinstance(result.definition, Definition) or result.live is None or result.plan is None:
        raise TypeError(result)
    return _Write(api, project, stopping, result, result.definition, result.live, result.plan).settle()


def look_again(api: Assistants, project: Project, result: Result) -> Result:
    """Return the result of a write without a clear answer, after another reading: it may show what the API drops."""
    if not isinstance(result.definition, Definition) or result.live is None or result.plan is None:
        raise TypeError(result)
    try:
        now = project.see(result.definition, api.get(result.definition.id))
    except ApiError:
        return result
    return _with_losses(
        result, find_dropped_keys(result.plan.patch or {}, result.definition.declared, result.live, now)
    )


@dataclasses.dataclass(frozen=True)
class _Write:
    """The write of one assistant, with its repeats."""

    api: Assistants
    project: Project
    stopping: Callable[[], bool]
    result: Result
    definition: Definition
    live: Mapping[str, Any]
    plan: Plan

    def settle(self) -> Result:
        try:
            # The plan may be minutes old, since a person was asked: it is valid only if live is unchanged.
            before = self._get()
        except ApiError as error:
            return self.result.end(Outcome.FAILED, to_failure(error), left=False)
        stale = self._stale(before)
        if stale is not None:
            return self.result.end(Outcome.REFUSED, stale, left=False)
        if self.stopping():
            return self.result.end(Outcome.SKIPPED, left=False)
        try:
            answer = self._send(self.plan.patch or {})
        except UnclearWrite as unclear:
            return self._send_again(before, unclear)
        except ApiError as error:
            # Without a status, there was no connection, and nothing was sent.
            return self.result.end(Outcome.FAILED, to_failure(error), left=error.status is not None)
        return self._verified(before, answer, shown=before)

    def _see(self, live: Mapping[str, Any]) -> dict[str, Any]:
        return self.project.see(self.definition, live)

    def _get(self) -> dict[str, Any]:
        return self._see(self.api.get(self.definition.id))

    def _send(self, patch: Mapping[str, Any]) -> dict[str, Any]:
        return self._see(self.api.patch(self.definition.id, patch, live_id=self.live["id"]))

    def _send_again(self, before: Mapping[str, Any], unclear: UnclearWrite) -> Result:
        """Return the result after repeats of a write that may have happened; live is read before each of them."""
        now = before
        for attempt in range(1, self.api.retries + 1):
            if not unclear.passing or self.stopping():
                break
            self.api.pause(attempt)
            try:
                now = self._get()
                patch = self._patch_again(now)
                if patch is None:
                    return self.result.end(Outcome.INDETERMINATE, _third_value(), left=True)
                return self._verified(before, self._send(patch), shown=now)
            except UnclearWrite as again:
                unclear = again
            except ApiError as error:
                # A refused repeat says nothing about the write before it.
                return self.result.end(Outcome.INDETERMINATE, to_failure(error), left=True)
        return self._unsettled(before, unclear, shown=now)

    def _stale(self, before: Mapping[str, Any]) -> Failure | None:
        """Return why the plan no longer holds: somebody changed something that the patch would overwrite."""
        stranger = check_organisation(before, self.project.settings)
        if stranger is not None:
            return stranger
        try:
            again = self.project.plan_for(self.definition, before)
        except IncompleteObject:
            again = Plan()
        # Other fields may have moved. What counts is that the same body would replace the same values.
        if before["id"] == self.live["id"] and again.same_write(self.plan):
            return None
        moved = ", ".join(dotted(path) for path in find_undeclared_changes({}, self.live, before))
        return Failure(
            "stale",
            f"live changed between the plan and the write ({moved or 'id'}), and nothing was sent",
            hint="plan again, look at the difference, and apply again",
        )

    def _patch_again(self, live: Mapping[str, Any]) -> dict[str, Any] | None:
        return patch_again(
            self.plan,
            self.definition.declared,
            live,
            policy=self.project.policy,
            overrides=self.project.overrides_for(self.definition.key),
        )

    def _verified(self, before: Mapping[str, Any], answer: Mapping[str, Any], *, shown: Mapping[str, Any]) -> Result:
        """Return what one more reading shows of a write that the API accepted; the last one before it has `shown`."""
        try:
            after = self._get_after_write(shown)
        except ApiError as error:
            unseen = dataclasses.replace(
                to_failure(error), message=f"the API accepted the write, but live could not be read after it: {error}"
            )
            return _with_losses(
                self.result.end(Outcome.INDETERMINATE, unseen, left=True), self._dropped(before, answer)
            )
        return self._seen(before, after, answer)

    def _seen(self, before: Mapping[str, Any], after: Mapping[str, Any], answer: Mapping[str, Any]) -> Result:
        """Return what the reading after a write shows of it; `answer` is empty if it made no sense."""
        left = self._remaining(after)
        warnings = [*self.result.warnings, *self._touched_by_others(before, after, answer)]
        # Either may be stale because of a cache. The read-back decides, since the next plan will see the same.
        if not left and self._remaining({**after, **answer}):
            warnings.append("the response to the write differs from the read after it")
        dropped = self._dropped(before, after)
        outcome = Outcome.NOT_CONVERGED if left or dropped else Outcome.APPLIED
        ended = self.result.end(outcome, left=True, after=after, remaining=left, warnings=tuple(warnings))
        return _with_losses(ended, dropped)

    def _get_after_write(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        sent = [path for path, _ in self.plan.replaced]

        # Reading lags where nothing of what was sent is to be seen yet. The rest may have moved, as somebody may have
        # written between our last look and the write. Where a part has come, the API keeps another value than was sent.
        def is_old(found: Mapping[str, Any] | None) -> bool:
            now = self._see(found or {})
            return found is not None and shows_nothing_new(sent, shown, now) and bool(self._remaining(now))

        return self._see(self.api.get_after_write(self.definition.id, is_old))

    def _unsettled(self, before: Mapping[str, Any], unclear: UnclearWrite, *, shown: Mapping[str, Any]) -> Result:
        """Return what can be said of a write whose last answer was 5xx, none, or senseless.

        After a senseless answer the reading decides. After the others it cannot: GET reads the local
        database, and the provider may not have got the write (docs/reference.md, "The API").
        """
        if unclear.kind != "protocol":
            return self.result.end(Outcome.INDETERMINATE, to_failure(unclear), left=True)
        try:
            after = self._get_after_write(shown)
        except ApiError:
            return self.result.end(Outcome.INDETERMINATE, to_failure(unclear), left=True)
        left = self._remaining(after)
        if left:
            return self.result.end(Outcome.INDETERMINATE, to_failure(unclear), left=True, remaining=left)
        seen = self._seen(before, after, {})
        note = f"live has what was sent, although the response to the write was invalid: {unclear}"
        return dataclasses.replace(seen, warnings=(note, *seen.warnings))

    def _dropped(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldPath, ...]:
        return find_dropped_keys(self.plan.patch or {}, self.definition.declared, before, after)

    def _remaining(self, live: Mapping[str, Any]) -> tuple[FieldPath, ...]:
        try:
            return find_remaining(self.plan, self.project.plan_for(self.definition, live))
        except IncompleteObject:
            return tuple(path for path, _ in self.plan.replaced)

    def _touched_by_others(
        self, before: Mapping[str, Any], after: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> list[str]:
        declared = self.definition.declared
        paths = {*find_undeclared_changes(declared, before, after)}
        paths |= {*find_undeclared_changes(declared, before, {**before, **answer})}
        return [f"{dotted(path)}, which is not declared, changed while this was written" for path in sorted(paths)]


def _with_losses(result: Result, dropped: tuple[FieldPath, ...]) -> Result:
    """Return the result of a write after which undeclared keys are gone; as it is where none are."""
    if not dropped:
        return result
    names = ", ".join(map(dotted, dropped))
    failure = Failure(
        "protocol",
        f"the API dropped {names}, which no definition declares and which was sent unchanged: nothing further is "
        "started",
        hint="the values are in the JSON report, under `patch`; restore them, and report this to the API's developers",
    )
    paths = tuple(sorted({*result.remaining, *dropped}))
    return dataclasses.replace(result, error=failure, remaining=paths, dropped=dropped)


def _third_value() -> Failure:
    return Failure(
        "conflict",
        "the write's outcome is unclear, and live now has neither the old nor the new value: nothing was sent again",
        hint="plan again and look at the difference",
    )
