"""Apply from an earlier report: exactly the writes of a reviewed plan, or again those with an unclear outcome.

What is sent is computed again from today's definition and fresh live. If that differs from the report, somebody has
changed something since, and nothing is sent.
"""

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, covers, dotted
from reconciler.core.canonical import equal
from reconciler.core.definition import Definition
from reconciler.core.plan import Plan
from reconciler.core.reviewed import Applied, AppliedField, Origin, Reviewed
from reconciler.core.run import Result
from reconciler.core.tree import MISSING, value_at
from reconciler.dataclass import dataclass
from reconciler.errors import UsageError
from reconciler.usecases.project.new_assistants import LOOK_FIRST
from reconciler.usecases.project.project import Project
from reconciler.usecases.writing.recordable import is_committed

AGAIN = "plan again, review it, and apply that plan"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """Limits an apply to a plan: every write that is not the reviewed one is refused."""

    reviewed: Reviewed

    def select(self, project: Project, api_url: str) -> Project:
        """Return the project with only the plan's assistants. Raises UsageError for a plan of another kind of run."""
        reviewed = self.reviewed
        check_origin(reviewed.origin, project, api_url)
        for name, value in project.policy.options.items():
            if (planned := reviewed.options.get(name)) != value:
                raise UsageError(f"the plan was made with {name} {planned}, but this run has {value}", hint=AGAIN)
        # A definition without a write may be gone. No reviewed write is missing then.
        written = [name for name, digest in reviewed.digests.items() if digest is not None]
        if missing := _find_missing(project, written):
            raise UsageError(f"the plan writes to {missing}, but no definition has that id any more", hint=AGAIN)
        return _select_definitions(project, reviewed.digests.keys(), reviewed.new)

    def judge(self, result: Result, project: Project) -> Result:
        """Return the result of an assistant, refused if its write is not the reviewed one."""
        if result.error is not None or result.plan is None or result.live is None:
            return result
        if result.plan.freeze is not None or result.plan.creates:
            return result  # whatever was reviewed, nothing is sent
        if result.plan.refusal is not None and self.reviewed.digests.get(result.definition.id) is None:
            return result  # the plan had nothing to send either
        name, settings = result.definition.id, project.settings
        if not (result.pending or result.plan.changes) and all(
            _is_wanted(result.definition, result.plan, path) for path in self.reviewed.sent.get(name, ())
        ):
            return result  # live shows all of it by now
        updated_at = result.live.get("updatedAt")
        mark = result.plan.digest(name, sensitive=settings.sensitive, live_updated_at=updated_at)
        # Neither the report nor its digest contains sensitive values. Only the same commit proves that they are equal.
        is_hidden = any(not settings.may_show(path) for path in result.plan.sent_paths)
        moved, hint = "", AGAIN
        if is_hidden and (self.reviewed.head or "") != project.head:
            moved = "HEAD has changed since the plan"
        elif is_hidden and not is_committed(project, result.definition):
            moved, hint = "it is not committed", f"commit it, {AGAIN}"
        elif is_hidden and updated_at is None:
            moved = "live does not say when it was last edited (updatedAt)"
        if mark != self.reviewed.digests.get(name):
            message = "this is not the write that was reviewed"
        elif moved:
            message = f"a sensitive value changes, and {moved}, so it is unknown whether this was reviewed"
        else:
            return result
        return result.refuse("stale", message, hint=hint)


@dataclass(frozen=True, slots=True)
class UnclearWrites:
    """Limits an apply to writes with an unclear outcome: these are sent again, where live shows no third value."""

    origin: Origin
    writes: Sequence[Applied]

    def select(self, project: Project, api_url: str) -> Project:
        """Return the project of the assistants whose writes are unclear, in which their fields are sent again.

        What those writes may have left live counts as our own. Raises UsageError for a report of another run, or if an
        assistant has no definition any more: what to send is not known then.
        """
        check_origin(self.origin, project, api_url)
        ids = [entry.id for entry in self.writes if entry.id]
        if missing := _find_missing(project, ids):
            hint = "restore the definition, or look at the assistant in the dashboard"
            raise UsageError(f"the write to {missing} is unclear, but no definition has that id any more", hint=hint)
        project = _select_definitions(project, ids, [entry.file for entry in self.writes if not entry.id])
        # Live may show our own unclear write. With its values in the base, it is neither drift nor a conflict.
        unclear_writes = dict(project.base.unclear_writes)
        for entry in self.writes:
            ours = ((field.path, value) for field in entry.fields for value in _list_values(field))
            unclear_writes[entry.id] = (*unclear_writes.get(entry.id, ()), *ours)
        base = dataclasses.replace(project.base, unclear_writes=unclear_writes)
        resend = {entry.id: tuple(field.path for field in entry.fields) for entry in self.writes}
        policy = dataclasses.replace(project.policy, only_unclear=True)
        return dataclasses.replace(project, resend=resend, base=base, policy=policy)

    def judge(self, result: Result, project: Project) -> Result:
        """Return the result of an assistant, refused if live shows a third value."""
        entry = next(each for each in self.writes if each.id == result.definition.id)
        # The assistant may exist. Another request could create a second one, so a person must look.
        if not entry.id:
            message = "a request that creates is never repeated, and the outcome of this one is unknown"
            hint = LOOK_FIRST.format(command=project.write_command("create", result.definition.file))
            return result.refuse("conflict", message, hint=hint, warnings=())
        if result.plan is None or result.live is None:
            return result
        values = [(field, value_at(result.definition.declared, field.path)) for field in entry.fields]
        # Until git has reverted the change, an apply would only bring it back.
        differing = (each for each, value in values if value is MISSING or not equal(value, each.new, each.path))
        unlike = [dotted(field.path) for field in differing]
        if entry.undoes and unlike:
            message = f"git does not have the value of {', '.join(unlike)} that the rollback restored"
            return result.refuse("conflict", message, hint="revert the change in git, then resume")
        strange = []
        for field, declared in values:
            live_value = value_at(result.live, field.path)
            own_values = [*_list_values(field), declared]
            if not any(equal(value, live_value, field.path) for value in own_values if value is not MISSING):
                strange.append(field)
        if not strange:
            return result
        names = ", ".join(dotted(field.path) for field in strange)
        message = f"{names} shows neither the old value nor the one that was sent: somebody else has changed it since"
        if any(field.masked for field in strange):
            message = f"{names} differs from git, and somebody may have changed it: the report lacks sensitive values"
        return result.refuse(
            "conflict",
            message,
            hint=f"look at the difference ({project.write_command('plan')}), and apply it as a separate change",
        )


def check_origin(origin: Origin, project: Project, api_url: str) -> None:
    """Refuse a report of another environment or API than the run's. Raises UsageError."""
    # There, the same ids belong to other assistants.
    environments = [
        "no environment" if name is None else f"the environment {name}"
        for name in (origin.environment, project.settings.environment)
    ]
    for earlier, current, hint in (
        (*environments, "use the same --environment as the run of the report"),
        (origin.api_url or "no API, or for several", api_url, "set RECONCILER_API_URL to the API of the report"),
    ):
        if earlier != current:
            raise UsageError(f"the report is for {earlier}, but this run is for {current}", hint=hint)


def _find_missing(project: Project, ids: Collection[str]) -> str | None:
    """Return the first id that no definition has any more; None where some definitions are not valid."""
    missing = {*ids} - {definition.id for definition in project.loaded.definitions}
    return min(missing, default=None) if not project.loaded.invalid else None


def _select_definitions(project: Project, ids: Collection[str], new: Collection[str]) -> Project:
    """Return the project with the definitions of some ids, and of the files whose assistants are to be created."""
    definitions = project.loaded.definitions
    selected = tuple(each for each in definitions if each.id in ids or (each.is_new and each.file in new))
    # If it is about all definitions, the record also drops those that are gone.
    whole = project.loaded.whole and selected == definitions
    return dataclasses.replace(project, loaded=dataclasses.replace(project.loaded, definitions=selected, whole=whole))


def _is_wanted(definition: Definition, plan: Plan, path: FieldPath) -> bool:
    """Return whether a field is to have its declared value: it is still declared, and no difference is ignored."""
    is_ignored = any(covers(entry.path, path) for entry in plan.ignored)
    return value_at(definition.declared, path) is not MISSING and not is_ignored


def _list_values(field: AppliedField) -> list[Any]:
    """Return the values of a field before and after the write; a sensitive value is not in the report."""
    values = () if field.masked else (field.old, field.new, field.sent)
    return [None if value is MISSING else value for value in values]
