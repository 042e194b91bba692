"""Declarative, GitOps-style reconciler for voice and chat assistants.

The public names are those of `reconciler.public`; they are loaded when they are first used, so that the
command starts as fast as it can.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.public import (
        AssistantEntry as AssistantEntry,
    )
    from reconciler.public import (
        AssistantsApi as AssistantsApi,
    )
    from reconciler.public import (
        ChangeEntry as ChangeEntry,
    )
    from reconciler.public import (
        Definition as Definition,
    )
    from reconciler.public import (
        ErrorEntry as ErrorEntry,
    )
    from reconciler.public import (
        NotRecorded as NotRecorded,
    )
    from reconciler.public import (
        Problem as Problem,
    )
    from reconciler.public import (
        ProblemEntry as ProblemEntry,
    )
    from reconciler.public import (
        Project as Project,
    )
    from reconciler.public import (
        ReconcilerError as ReconcilerError,
    )
    from reconciler.public import (
        Report as Report,
    )
    from reconciler.public import (
        apply as apply,
    )
    from reconciler.public import (
        connect as connect,
    )
    from reconciler.public import (
        drift as drift,
    )
    from reconciler.public import (
        load as load,
    )
    from reconciler.public import (
        plan as plan,
    )

__version__ = "0.1.0"

_PUBLIC = (
    *("AssistantEntry", "AssistantsApi", "ChangeEntry", "Definition", "ErrorEntry", "NotRecorded", "Problem"),
    *("ProblemEntry", "Project", "ReconcilerError", "Report", "apply", "connect", "drift", "load", "plan"),
)


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Load a public name. Raises AttributeError for any other."""
        if name not in _PUBLIC:
            raise AttributeError(f"module 'reconciler' has no attribute {name!r}")
        return getattr(importlib.import_module("reconciler.public"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return ["__version__", *_PUBLIC]
