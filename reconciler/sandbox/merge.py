"""What PATCH does to an assistant, in both readings of the reference; none of the reconciler's code."""

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.settings import Nested


def patched(assistant: Mapping[str, Any], body: Mapping[str, Any], nested: Nested) -> dict[str, Any]:
    """Return the assistant after a PATCH, as a new object: fields that the body does not mention stay.

    With `merge` an object is merged key by key at every depth, with `replace` the body's takes its place; a
    list is replaced and a null is stored in both.
    """
    if nested == "replace":
        return {**assistant, **body}
    return _merged(assistant, body)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = _merged(before, value)
        else:
            result[key] = value
    return result
