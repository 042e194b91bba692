"""A plan without an API: the base stands in for live. For a pull request that has no credentials."""

import dataclasses

from reconciler.core.base import BaseDefinitions
from reconciler.core.definition import Definition
from reconciler.core.plan import plan_creation, plan_offline as plan_one
from reconciler.core.run import Result, Run
from reconciler.core.variables import describe_variables
from reconciler.errors import UsageError
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.since import name_setters
from reconciler.usecases.writing.runs import make_run


def plan_offline(project: Project) -> Run:
    """Return what the definitions change since the base. Raises UsageError without one."""
    base = project.base
    if base is None:
        hint = f"give --base REV, or {project.how_to_fetch}"
        raise UsageError("plan --offline needs a base to stand in for live", hint=hint)
    results = name_setters([_plan(project, base, definition) for definition in project.loaded.definitions], project)
    return dataclasses.replace(make_run("plan", project, results), offline=True)


def _plan(project: Project, base: BaseDefinitions, definition: Definition) -> Result:
    if definition.is_new:
        return Result(definition, plan=plan_creation(definition.declared))
    found = plan_one(
        definition.declared,
        base.declared_for((definition.id,), definition.file, {}),
        policy=project.policy,
        overrides=project.overrides_for(definition.key),
    )
    return Result(definition, plan=found, warnings=tuple(describe_variables(found.changes, project.settings.may_show)))
