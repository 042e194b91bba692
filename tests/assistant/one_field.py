"""One field of a definition: a value for it, and what the schema says of it."""

from typing import Any

from reconciler.assistant.json_schema import make_assistant_schema
from reconciler.assistant.paths import FieldPath

SCHEMA = make_assistant_schema("definition", needs_id=True)


def declare(path: FieldPath, value: Any) -> dict[str, Any]:
    """Return a definition that declares one value."""
    for key in reversed(path):
        value = {key: value}
    return {"id": "a", **value}


def find_schema(path: FieldPath) -> dict[str, Any]:
    """Return the schema of one field."""
    schema: dict[str, Any] = SCHEMA
    for key in path:
        schema = schema["properties"][key]
    return schema
