"""The fingerprint of a plan's write, by which `apply --plan` knows again what was reviewed."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, covers, meets, to_pointer
from reconciler.core.canonical import exact_text
from reconciler.core.plan import Plan
from reconciler.core.tree import MISSING


def digest(
    assistant_id: str, plan: Plan, *, sensitive: Sequence[FieldPath] = (), live_updated_at: str | None = None
) -> str | None:
    """Return the fingerprint of a plan's write, None where nothing is sent.

    The assistant, the real patch and the live values that it replaces; `updatedAt` stands in for sensitive ones.
    """
    if plan.patch is None:
        return None
    write = [plan.patch, [[to_pointer(path), live] for path, live in plan.replaced]]
    # The digest stands in a report that others read, and that of a short value could be found by trying.
    hidden = [[to_pointer(path), _hide(live, path, sensitive)] for path, live in plan.replaced]
    shown = [_hide(plan.patch, (), sensitive), hidden]
    # Without the hidden values two writes could look alike; `updatedAt` moves whenever one of them was edited.
    is_hidden = shown != write
    text = exact_text([assistant_id, *shown, live_updated_at if is_hidden else None])
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hide(value: Any, path: FieldPath, sensitive: Sequence[FieldPath]) -> Any:
    """Return what stands at a path with `MISSING` for each sensitive value, so that its key still counts."""
    # Live values may be huge, and nearly none of them is sensitive: the others stay as they are.
    near = [pattern for pattern in sensitive if meets(pattern, path)]
    if not near:
        return value
    if any(covers(pattern, path) for pattern in near):
        return MISSING
    if isinstance(value, Mapping):
        return {key: _hide(item, (*path, key), near) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, (*path, str(index)), near) for index, item in enumerate(value)]
    return value
