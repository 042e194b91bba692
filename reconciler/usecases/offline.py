"""A plan without an API: the base stands in for live. For a pull request that has no credentials."""

import dataclasses

from reconciler.core.ignore import rules_for
from reconciler.core.plan import plan_creation, plan_offline as plan_one
from reconciler.core.run import Result, Run
from reconciler.errors import UsageError
from reconciler.usecases.project import Project
from reconciler.usecases.runs import make_run, now
from reconciler.usecases.since import name_setters


def plan_offline(project: Project) -> Run:
    """Return what the definitions change since the base. Raises UsageError without one."""
    base = project.base
    if base is None:
        hint = f"give --base REV, or {project.how_to_fetch}"
        raise UsageError("plan --offline needs a base to stand in for live", hint=hint)
    started_at = now()
    plans = [
        Result(
            definition,
            plan=plan_creation(definition.declared)
            if definition.is_new
            else plan_one(
                definition.declared,
                base.declared_for((definition.id,), definition.file, {}),
                policy=project.policy,
                ignore=rules_for(project.settings.ignore, definition.key),
            ),
        )
        for definition in project.loaded.definitions
    ]
    results = name_setters(plans, project)
    return dataclasses.replace(make_run("plan", project, started_at, results), offline=True)
