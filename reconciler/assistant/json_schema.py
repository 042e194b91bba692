"""The JSON Schemas (draft-07) of a definition and of an overlay, made from the table of fields, for editors.

They use only keywords that editors understand. `enumDescriptions` and `patternErrorMessage` are specific to VS Code,
and only explain.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from reconciler.assistant.checks import ID_PATTERN
from reconciler.assistant.fields import BY_PATH, ID, NEVER_SHARED, Field, ValueKind, keys_inside
from reconciler.assistant.paths import FieldPath, dotted

Schema = dict[str, Any]
DIALECT: Final = "http://json-schema.org/draft-07/schema#"
# The end of a text. In some dialects of regular expressions, `$` also matches before a line break.
END: Final = r"(?![\s\S])"

# A text may be in its own file. These keywords apply only to objects, so a text passes them.
_TEXT_FILE: Final[Schema] = {
    "properties": {
        "$file": {
            "title": "Text file",
            "description": "The path of a text file, relative to the folder of this file.",
            "examples": ["prompts/enrollment.md"],
            "type": "string",
        }
    },
    "required": ["$file"],
    "additionalProperties": False,
}
_BY_KIND: Final[Mapping[ValueKind, Schema]] = {
    "text": {"type": ["string", "object"], **_TEXT_FILE},
    "whole number": {"type": "integer"},
    "number": {"type": "number"},
    "texts": {"type": "array", "items": {"type": ["string", "object"], **_TEXT_FILE}},
    "fields": {"type": "object", "additionalProperties": False},
    "anything": {"type": "object", "additionalProperties": True},
}

Of = Literal["definition", "overlay", "defaults"]
_HEADINGS: Final[Mapping[Of, tuple[str, str]]] = {
    "definition": (
        "Assistant definition",
        "One assistant. A field that is not mentioned is not managed; null, where allowed, keeps it empty.",
    ),
    "overlay": (
        "Overlay of an assistant definition",
        (
            "The values of an assistant that differ in one environment, merged on top of the definition with the same "
            "name. Groups are merged, null is kept, everything else is replaced."
        ),
    ),
    "defaults": (
        "Defaults of assistant definitions",
        (
            "The values that all definitions in this folder and its subfolders share. A definition's own values are "
            "merged on top. Groups are merged, null is kept, everything else is replaced."
        ),
    ),
}


def make_assistant_schema(of: Of, extra_fields: Iterable[FieldPath] = (), *, needs_id: bool = False) -> Schema:
    """Return the schema of a definition, an overlay or `_defaults.yaml`; `extra_fields` take any value."""
    title, description = _HEADINGS[of]
    properties = {"id": _id_schema(), **_make_properties(())}
    for path in extra_fields:
        # Settings allow extra fields at the top or directly inside a group, so the group is at most one step away.
        owner = properties if len(path) == 1 else properties[path[0]]["properties"]
        owner[path[-1]] = {
            "title": _make_title(path[-1]),
            "description": f"{dotted(path)} is not in the API's reference; reconciler.yaml allows it under "
            "extra_fields. It may have any value.",
        }
    if of == "defaults":
        properties = {key: value for key, value in properties.items() if key not in NEVER_SHARED}
    required = {"required": ["id"]} if needs_id else {}
    judged: Schema = {"additionalProperties": False, "description": description, "properties": properties, **required}
    return {"$schema": DIALECT, "title": title, **judged, "type": "object"}


def _id_schema() -> Schema:
    return {
        "title": _make_title("id"),
        "description": ID.description,
        "examples": [*ID.examples],
        "pattern": f"^{ID_PATTERN}{END}",
        "patternErrorMessage": 'The id cannot be empty, "." or "..", and cannot contain "/", "?", "#", '
        "white space, control characters or curly quotes. Copy only the id itself. A new assistant has new, in lower "
        "case.",
        "type": "string",
    }


def _make_properties(parent: FieldPath) -> dict[str, Schema]:
    return {key: _field_schema(BY_PATH[*parent, key]) for key in keys_inside(parent)}


def _field_schema(field: Field) -> Schema:
    no_value = field.takes_null
    # Nobody keeps a choice between a few names in a text file.
    judging: Schema = {"type": "string"} if field.choices else {**_BY_KIND[field.kind]}
    explaining: Schema = {"description": field.description + (" Write null to keep it empty." if no_value else "")}
    if no_value:
        kinds = judging["type"]
        judging["type"] = [*(kinds if isinstance(kinds, list) else [kinds]), "null"]
    if field.kind == "fields":
        judging["properties"] = _make_properties(field.path)
    if field.choices:
        judging["enum"] = [*field.choices, *([None] if no_value else [])]
    if any(field.choices.values()):
        explaining["enumDescriptions"] = [*field.choices.values(), *(["No value is set."] if no_value else [])]
    if field.range:
        judging["minimum"], judging["maximum"] = field.range
    if field.examples:
        explaining["examples"] = [*field.examples]
    # People commit these schemas. The keys keep their order, so that a new version shows no needless diff.
    groups = [judging, explaining] if no_value else [judging | explaining]
    return {"title": _make_title(field.path[-1])} | {key: group[key] for group in groups for key in sorted(group)}


def _make_title(key: str) -> str:
    """Return a key as words: `firstMessageMode` is "First message mode"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key).capitalize()
