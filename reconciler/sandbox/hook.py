"""What the application asks when it writes, so that faults can come between its two stores."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from starlette.types import Scope

from reconciler.sandbox.store import Assistant

StoreName = Literal["provider", "database"]
Copies = tuple[Assistant, Assistant]


class Hook(Protocol):
    """Asked for every write."""

    def kept(self, scope: Scope, body: Mapping[str, Any], copies: Copies) -> Copies:
        """Return what provider and database keep of the copies that a request's body has just changed or made."""
        ...

    def reaches(self, scope: Scope, store: StoreName) -> bool:
        """Tell whether a request's write reaches a store; asked right before each of the two."""
        ...


class NoFaults:
    """Every write reaches both stores as it is."""

    def kept(self, _scope: Scope, _body: Mapping[str, Any], copies: Copies) -> Copies:
        """Return the copies themselves."""
        return copies

    def reaches(self, _scope: Scope, _store: StoreName) -> bool:
        """Say yes."""
        return True
