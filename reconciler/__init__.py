"""Declarative, GitOps-style reconciler for voice and chat assistants."""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from reconciler.public import *  # noqa: F403 - the names in its `__all__`
else:

    def __getattr__(name: str) -> object:
        """Load a public name. Raises AttributeError for any other."""
        public = importlib.import_module("reconciler.public")
        if name not in (*public.__all__, "__all__"):
            raise AttributeError(f"module 'reconciler' has no attribute {name!r}")
        return getattr(public, name)


def __dir__() -> list[str]:
    """Return the public names."""
    return ["__version__", *importlib.import_module("reconciler.public").__all__]
