"""What was edited live behind git's back. Never writes."""

import dataclasses

from reconciler.api.client import AssistantsApi
from reconciler.core.run import Result, Run
from reconciler.usecases.plan import plan
from reconciler.usecases.scope import Scope


def drift(api: AssistantsApi, scope: Scope) -> Run:
    """Return where live moved; without a base the definition itself is the base (contract, section 4).

    No patch is in it: nothing is sent under any option, so there is none that would be.
    """
    if scope.history.base is None:
        scope = dataclasses.replace(scope, base_of=lambda definition, _live: definition.declared)
    run = plan(api, scope, command="drift")
    return dataclasses.replace(run, results=tuple(map(_without_patch, run.results)))


def _without_patch(result: Result) -> Result:
    if result.plan is None:
        return result
    return dataclasses.replace(result, plan=dataclasses.replace(result.plan, patch=None, replaced=()))
