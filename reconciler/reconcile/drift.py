"""What was edited live behind git's back. Never writes."""

import dataclasses

from reconciler.adapters.api import AssistantsApi
from reconciler.core.run import Run
from reconciler.reconcile.plan import Scope, plan


def drift(api: AssistantsApi, scope: Scope) -> Run:
    """Return the differences as drift: without a base the definition itself is the base (contract, section 4)."""
    if scope.base is None:
        scope = dataclasses.replace(scope, base_of=lambda definition: definition.declared)
    return plan(api, scope, command="drift")
