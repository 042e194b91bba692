"""The JSON Schema (draft-07) of a definition file, made from the models, for editors to check with."""

from collections.abc import Iterable
from typing import Any, Final

from reconciler.core.assistant import Assistant
from reconciler.core.paths import FieldPath, dotted

DIALECT: Final = "http://json-schema.org/draft-07/schema#"


def definition_schema(extra_fields: Iterable[FieldPath] = ()) -> dict[str, Any]:
    """Return the schema; `extra_fields` are undocumented fields that it takes with any value."""
    generated = Assistant.model_json_schema()
    parts = generated.pop("$defs")
    schema: dict[str, Any] = _plain(generated, parts)
    for path in extra_fields:
        owner = schema if len(path) == 1 else schema["properties"][path[0]]
        owner["properties"][path[-1]] = {
            "description": f"{dotted(path)} is not in the API's reference (extra_fields of reconciler.yaml)."
        }
    return {"$schema": DIALECT, **schema, "title": "Assistant definition"}


def _plain(part: Any, parts: dict[str, Any]) -> Any:
    """Return a part of pydantic's schema in the simplest form of draft-07.

    References are written out (draft-07 ignores what stands beside one), a choice between a type and null
    becomes a list of types, and defaults, which mean nothing in a definition, are left out.
    """
    if not isinstance(part, dict):
        return part
    plain: dict[str, Any] = {}
    if "$ref" in part:
        plain |= _plain(parts[part["$ref"].rpartition("/")[2]], parts)
        plain.pop("title", None)
    for key, value in part.items():
        if key == "anyOf":
            plain |= _or_null(_plain(value[0], parts))
        elif key == "properties":
            plain[key] = {name: _plain(field, parts) for name, field in value.items()}
        elif key in {"examples", "enum", "required"}:
            plain[key] = value
        elif key not in {"default", "title", "$ref"}:
            plain[key] = _plain(value, parts)
    return plain


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes null besides; pydantic writes `X | None` as a choice of X and null."""
    wider = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        wider["enum"] = [*schema["enum"], None]
    return wider
