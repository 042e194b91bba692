"""Declarative, GitOps-style reconciler for voice and chat assistants."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.public import (
        AssistantsApi,
        Definition,
        NotRecorded,
        Problem,
        Project,
        ReconcilerError,
        Report,
        apply,
        connect,
        drift,
        load,
        plan,
    )

__all__ = [
    "AssistantsApi",
    "Definition",
    "NotRecorded",
    "Problem",
    "Project",
    "ReconcilerError",
    "Report",
    "apply",
    "connect",
    "drift",
    "load",
    "plan",
]

__version__ = "0.1.0"

if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Load a public name. Raises AttributeError for any other."""
        if name not in __all__:
            raise AttributeError(f"module 'reconciler' has no attribute {name!r}")
        return getattr(importlib.import_module("reconciler.public"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return ["__version__", *__all__]
