"""The JSON Schemas (draft-07) of a definition and of an overlay, made from the models, for editors to check with.

Only keywords that editors understand. `enumDescriptions` and `patternErrorMessage` are VS Code's additions:
they explain, and judge nothing. What a schema cannot see (how the YAML is written, other files) is
`validate`'s work.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from reconciler.assistant.checks import Assistant
from reconciler.assistant.paths import FieldPath, dotted

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
# The end of a text. In some dialects of regular expressions `$` lets a line break follow.
END: Final = r"(?![\s\S])"


def definition_schema(extra_fields: Iterable[FieldPath] = (), *, needs_id: bool = True) -> dict[str, Any]:
    """Return the schema of a definition.

    `extra_fields` are undocumented fields that it takes with any value. Without `needs_id` the id may be
    missing, since an environment's overlay gives it.
    """
    schema = _assistant("Assistant definition", extra_fields)
    return schema if needs_id else _without_required(schema)


def overlay_schema(extra_fields: Iterable[FieldPath] = ()) -> dict[str, Any]:
    """Return the schema of an environment's file that is laid over a definition: the same fields, none required."""
    schema = _without_required(_assistant("Overlay of an assistant definition", extra_fields))
    schema["description"] = (
        "What one environment says differently about an assistant, laid over the definition of the same name. "
        "Groups are merged, null is kept, everything else is replaced."
    )
    return schema


def _assistant(title: str, extra_fields: Iterable[FieldPath]) -> dict[str, Any]:
    generated = Assistant.model_json_schema()
    schema = _plain(generated, generated.pop("$defs"))
    for path in extra_fields:
        owner = schema if len(path) == 1 else schema["properties"][path[0]]
        owner["properties"][path[-1]] = {
            "title": _title(path[-1]),
            "description": f"{dotted(path)} is not in the API's reference; reconciler.yaml allows it under "
            "extra_fields. It may hold anything.",
        }
    return {"$schema": DIALECT, "title": title, **schema}


def _without_required(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "required"}


def _plain(part: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """Return a part of pydantic's schema in the simplest form of draft-07.

    References are written out (draft-07 ignores what stands beside one), a choice between a type and null
    becomes a list of types, and defaults, which mean nothing in a definition, are left out.
    """
    plain: dict[str, Any] = {}
    if "$ref" in part:
        plain |= _plain(parts[part["$ref"].rpartition("/")[2]], parts)
    for key, value in part.items():
        if key == "anyOf":
            plain |= _plain(value[0], parts)
        elif key == "properties":
            plain[key] = {name: {"title": _title(name), **_plain(field, parts)} for name, field in value.items()}
        elif key == "items":
            plain[key] = _plain(value, parts)
        elif key == "pattern":
            plain[key] = value.removesuffix("$") + END
        elif key not in {"default", "title", "$ref"}:
            plain[key] = value
    return _or_null(plain) if "anyOf" in part else plain


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema that takes null besides; pydantic writes `X | None` as a choice of X and null."""
    wider = {
        **schema,
        "type": [schema["type"], "null"],
        "description": f"{schema['description']} Write null to keep it empty.",
    }
    if "enum" in schema:
        wider["enum"] = [*schema["enum"], None]
    if "enumDescriptions" in schema:
        wider["enumDescriptions"] = [*schema["enumDescriptions"], "Nothing is chosen."]
    return wider


def _title(key: str) -> str:
    """Return a key as words: `firstMessageMode` is "First message mode"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key).capitalize()
