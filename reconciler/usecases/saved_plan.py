"""Apply exactly what was reviewed: of a plan's report only each assistant and its digest count.

The patch is computed anew from the definitions and fresh live. Where its digest is another one, somebody
has changed something since the review, and nothing is sent.
"""

import dataclasses

from reconciler.core.digest import digest
from reconciler.core.outcome import Outcome
from reconciler.core.plan import Plan
from reconciler.core.reviewed import Reviewed
from reconciler.core.run import Failure, Result, Run
from reconciler.errors import UsageError
from reconciler.usecases.project.project import Project

AGAIN = "plan again, review it, and apply that plan"


def select_reviewed(project: Project, reviewed: Reviewed) -> Project:
    """Return the project with the plan's assistants alone. Raises UsageError for a plan that is not for this run."""
    _check(project, reviewed)
    present = {definition.id for definition in project.loaded.definitions}
    gone = sorted(name for name, mark in reviewed.digests.items() if mark is not None and name not in present)
    if gone and not project.loaded.invalid:
        raise UsageError(f"the plan writes to {gone[0]}, which no definition has any more", hint=AGAIN)
    chosen = tuple(
        definition
        for definition in project.loaded.definitions
        if definition.id in reviewed.digests or (definition.is_new and definition.file in reviewed.new)
    )
    return dataclasses.replace(project, loaded=dataclasses.replace(project.loaded, definitions=chosen, whole=False))


def only_reviewed(planned: Run, project: Project, reviewed: Reviewed) -> Run:
    """Return a planned run in which every write that is not the reviewed one is refused."""
    results = tuple(_compared(result, project, reviewed) for result in planned.results)
    return dataclasses.replace(planned, results=results)


def _check(project: Project, reviewed: Reviewed) -> None:
    if not reviewed.is_plan:
        raise UsageError(f"this is a report of `{reviewed.command}`, no plan", hint="give what `plan --report` wrote")
    if reviewed.offline:
        raise UsageError("an offline plan cannot be applied: it never saw live", hint=AGAIN)
    now = {"on_drift": project.policy.on_drift, "force_conflicts": project.policy.force_conflicts}
    for name, value in now.items():
        before = reviewed.options.get(name)
        if before != value:
            raise UsageError(f"the plan was made with {name} {before}, and this run has {value}", hint=AGAIN)
    if reviewed.environment != project.settings.environment:
        before, here = _environment(reviewed.environment), _environment(project.settings.environment)
        raise UsageError(f"the plan was made for {before}, and this run is for {here}", hint=AGAIN)


def check_url(reviewed: Reviewed, api_url: str) -> None:
    """Refuse a plan that was made for another API. Raises UsageError."""
    if reviewed.api_url != api_url:
        raise UsageError(f"the plan was made for {reviewed.api_url}, and this run is for {api_url}", hint=AGAIN)


def _compared(result: Result, project: Project, reviewed: Reviewed) -> Result:
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
        message = "a sensitive value changes, and HEAD is not the plan's: nobody can tell whether it was reviewed"
        return result.end(Outcome.REFUSED, Failure("stale", message, hint=AGAIN), left=False)
    return result


def _is_hidden(plan: Plan, project: Project) -> bool:
    return any(not project.settings.may_show(path) for path, _ in plan.replaced)


def _environment(name: str | None) -> str:
    return f"the environment {name!r}" if name is not None else "none"
