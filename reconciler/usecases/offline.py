"""A plan without an API: the base stands in for live. For a pull request that has no credentials."""

import dataclasses

from reconciler.core.ignore import rules_for
from reconciler.core.plan import plan_offline as plan_one
from reconciler.core.run import Result, Run
from reconciler.errors import UsageError
from reconciler.usecases.base import how_to_fetch
from reconciler.usecases.scope import Scope, make_run, now


def plan_offline(scope: Scope) -> Run:
    """Return what the definitions change since the base. Raises UsageError without one."""
    if scope.history.base is None:
        hint = f"give --base REV, or {how_to_fetch(scope.history.ref)}"
        raise UsageError("plan --offline needs a base to stand in for live", hint=hint)
    started_at = now()
    results = [
        Result(
            definition,
            plan=plan_one(
                definition.declared,
                scope.base_of(definition, {}),
                policy=scope.policy,
                ignore=rules_for(scope.settings.ignore, definition.key),
            ),
        )
        for definition in scope.loaded.definitions
    ]
    return dataclasses.replace(make_run("plan", None, scope, started_at, results), offline=True)
