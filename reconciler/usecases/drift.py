"""What was edited live behind git's back. Never writes."""

import dataclasses

from reconciler.api.client import AssistantsApi
from reconciler.core.plan import Policy
from reconciler.core.run import Run
from reconciler.usecases.plan import plan
from reconciler.usecases.scope import Scope


def drift(api: AssistantsApi, scope: Scope) -> Run:
    """Return where live moved; without a base the definition itself is the base (contract, section 4).

    No patch is in it: nothing is sent under any option, so there is none that would be.
    """
    if scope.history.base is None:
        scope = dataclasses.replace(scope, base_of=lambda definition, _live: definition.declared)
    return plan(api, dataclasses.replace(scope, policy=Policy(read_only=True)), command="drift")
