"""Apply from an earlier report: exactly the writes of a reviewed plan, or again those with an unclear outcome.

Of a plan only each assistant and its digest count, of an apply only the names of the fields. What is sent is computed
again from today's definition and fresh live. Where that is not what the report says, somebody has changed something
since, and nothing is sent over it.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.canonical import equal
from reconciler.core.definition import Definition
from reconciler.core.outcome import Outcome
from reconciler.core.plan import Plan
from reconciler.core.reviewed import Applied, Reviewed, digest
from reconciler.core.run import Failure, Result, Run
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import UsageError
from reconciler.usecases.project.new_assistants import LOOK_FIRST
from reconciler.usecases.project.project import Project

AGAIN = "plan again, review it, and apply that plan"


def select_reviewed(project: Project, reviewed: Reviewed) -> Project:
    """Return the project with the plan's assistants alone. Raises UsageError for a plan that is not for this run."""
    _check(project, reviewed)
    present = {definition.id for definition in project.loaded.definitions}
    gone = sorted(name for name, mark in reviewed.digests.items() if mark is not None and name not in present)
    if gone and not project.loaded.invalid:
        raise UsageError(f"the plan writes to {gone[0]}, but no definition has that id any more", hint=AGAIN)
    chosen = tuple(
        definition
        for definition in project.loaded.definitions
        if definition.id in reviewed.digests or (definition.is_new and definition.file in reviewed.new)
    )
    return dataclasses.replace(project, loaded=dataclasses.replace(project.loaded, definitions=chosen, whole=False))


def only_reviewed(planned: Run, project: Project, reviewed: Reviewed) -> Run:
    """Return a planned run in which every write that is not the reviewed one is refused."""
    results = tuple(_refuse_unreviewed(result, project, reviewed) for result in planned.results)
    return dataclasses.replace(planned, results=results)


def _check(project: Project, reviewed: Reviewed) -> None:
    if not reviewed.is_plan:
        raise UsageError(
            f"this is a report of `{reviewed.command}`, not a plan", hint="pass what `plan --report` wrote"
        )
    if reviewed.offline:
        raise UsageError("an offline plan cannot be applied: it was made without reading live", hint=AGAIN)
    now = {"on_drift": project.policy.on_drift, "force_conflicts": project.policy.force_conflicts}
    for name, value in now.items():
        before = reviewed.options.get(name)
        if before != value:
            raise UsageError(f"the plan was made with {name} {before}, but this run has {value}", hint=AGAIN)
    if reviewed.environment != project.settings.environment:
        before, here = _environment(reviewed.environment), _environment(project.settings.environment)
        raise UsageError(f"the plan was made for {before}, but this run is for {here}", hint=AGAIN)


def check_url(reviewed: Reviewed, api_url: str) -> None:
    """Refuse a plan that was made for another API. Raises UsageError."""
    if reviewed.api_url != api_url:
        raise UsageError(f"the plan was made for {reviewed.api_url}, but this run is for {api_url}", hint=AGAIN)


def _refuse_unreviewed(result: Result, project: Project, reviewed: Reviewed) -> Result:
    if result.error is not None or result.plan is None or result.live is None:
        return result
    if result.plan.freeze is not None or result.plan.creates:
        return result  # whatever was reviewed, nothing is sent
    if result.plan.refusal is not None and reviewed.digests.get(str(result.definition.id)) is None:
        return result  # the plan had nothing to send either
    if not (result.pending or result.plan.changes):
        return result  # live shows all of it by now
    updated_at = result.live.get("updatedAt")
    mark = digest(
        str(result.definition.id), result.plan, sensitive=project.settings.sensitive, live_updated_at=updated_at
    )
    if mark != reviewed.digests.get(str(result.definition.id)):
        return result.end(
            Outcome.REFUSED, Failure("stale", "this is not the write that was reviewed", hint=AGAIN), left=False
        )
    if reviewed.head != project.head and _is_hidden(result.plan, project):
        message = (
            "a sensitive value changes, and HEAD has changed since the plan, so it is unknown whether this was reviewed"
        )
        return result.end(Outcome.REFUSED, Failure("stale", message, hint=AGAIN), left=False)
    return result


def _is_hidden(plan: Plan, project: Project) -> bool:
    return any(not project.settings.may_show(path) for path, _ in plan.replaced)


def _environment(name: str | None) -> str:
    return f"the environment {name!r}" if name is not None else "none"


def resume_project(project: Project, unclear: Sequence[Applied]) -> Project:
    """Return the project of the assistants whose writes are unclear, in which their fields are sent again.

    What those writes may have left live counts as our own. Raises UsageError if one has no definition any more:
    what to send is not known then.
    """
    by_id = {entry.id: entry for entry in unclear if entry.id}
    new = {entry.file for entry in unclear if not entry.id}
    chosen = tuple(
        definition
        for definition in project.loaded.definitions
        if definition.id in by_id or (definition.is_new and definition.file in new)
    )
    gone = sorted(by_id.keys() - {definition.id for definition in chosen})
    if gone and not project.loaded.invalid:
        raise UsageError(
            f"the write to {gone[0]} is unclear, and no definition has that id any more",
            hint="put the definition back, or look at the assistant in the dashboard",
        )
    # What live shows may be our own unclear write: with its values added to the base it is no drift and no conflict.
    base = project.base
    if base is not None:
        ours = {entry.id: (*base.written.get(entry.id, ()), *_known_values(entry)) for entry in unclear}
        base = dataclasses.replace(base, written={**base.written, **ours})
    return dataclasses.replace(
        project,
        loaded=dataclasses.replace(project.loaded, definitions=chosen, whole=False),
        resend={entry.id: tuple(field.path for field in entry.fields) for entry in unclear},
        base=base,
    )


def only_known(planned: Run, unclear: Sequence[Applied]) -> Run:
    """Return a planned run in which an assistant is refused where live shows a third value."""
    by_id = {entry.id: entry for entry in unclear}
    results = tuple(_refuse_third_value(result, by_id[result.definition.id or ""]) for result in planned.results)
    return dataclasses.replace(planned, results=results)


def _refuse_third_value(result: Result, entry: Applied) -> Result:
    if not entry.id:
        failure = Failure(
            "conflict",
            "a request that creates is never repeated, and the outcome of this one is unknown",
            hint=LOOK_FIRST.format(file=result.definition.file),
        )
        return result.end(Outcome.REFUSED, failure, left=False, warnings=())
    if result.plan is None or result.live is None or not isinstance(result.definition, Definition):
        return result
    names = ", ".join(_strange(entry, result.live, result.definition.declared))
    if not names:
        return result
    failure = Failure(
        "conflict",
        f"{names} shows neither the old value nor the one that was sent: somebody else has changed it since",
        hint="look at the difference (`reconciler plan`), and apply it as a separate change",
    )
    return result.end(Outcome.REFUSED, failure, left=False)


def _known_values(entry: Applied) -> Iterator[tuple[FieldPath, Any]]:
    """Yield the values that a field had before the write or got from it; a sensitive one is not in the report."""
    for field in entry.fields:
        for value in () if field.masked else (field.old, field.new, field.sent):
            yield field.path, None if value is MISSING else value


def _strange(entry: Applied, live: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that live shows neither as before the write, and not as sent, and not as declared today."""
    known = [*_known_values(entry), *((field.path, value_at(declared, field.path)) for field in entry.fields)]
    for field in entry.fields:
        values = [value for path, value in known if path == field.path and value is not MISSING]
        if not any(equal(value, value_at(live, field.path), field.path) for value in values):
            yield dotted(field.path)
