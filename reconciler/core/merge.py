"""One object put on top of another: an overlay on a definition, declared keys on what is there."""

from collections.abc import Mapping
from typing import Any


def laid_over(shared: Any, overlay: Any) -> Any:
    """Return a value with another laid over it: objects merged, everything else, null too, replaced."""
    if not isinstance(shared, Mapping) or not isinstance(overlay, Mapping):
        return overlay
    return {
        **{key: laid_over(value, overlay[key]) if key in overlay else value for key, value in shared.items()},
        **{key: value for key, value in overlay.items() if key not in shared},
    }
