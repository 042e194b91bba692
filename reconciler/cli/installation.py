"""Checks that the libraries of the extra `sandbox` are installed, which only the sandbox and the demo need."""

import importlib.util

from reconciler.errors import UsageError

_NEEDED = ("starlette", "uvicorn")


def check_sandbox(feature: str) -> None:
    """Raise UsageError if one of the sandbox's libraries is not installed. `feature` is what needs them."""
    # Look the libraries up without importing them: otherwise, a user of the demo would wait for the import twice.
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            # No command to paste: an index may have another package of this name, so the source must be the same.
            hint = 'install assistant-reconciler[sandbox] from the same source again, as in "Install" in the README'
            raise UsageError(f"{feature} needs a library that is not installed: {name}", hint=hint)
