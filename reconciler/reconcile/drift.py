"""What was edited live behind git's back. Never writes."""

import dataclasses

from reconciler.adapters.api import AssistantsApi
from reconciler.core.run import Run
from reconciler.reconcile.plan import plan
from reconciler.reconcile.scope import Scope


def drift(api: AssistantsApi, scope: Scope) -> Run:
    """Return where live moved; without a base the definition itself is the base (contract, section 4)."""
    if scope.history.base is None:
        scope = dataclasses.replace(scope, base_of=lambda definition, _live: definition.declared)
    return plan(api, scope, command="drift")
