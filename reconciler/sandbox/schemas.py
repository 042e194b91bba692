"""The API's objects as JSON Schemas: the only list of fields, types, choices, ranges and nullability.

They come from the public reference of the EDMO Agent Builder API 1.0.0. The OpenAPI document shows them, and
every body is checked against them, so a rule stands here or nowhere.
"""

from typing import Any

from reconciler.sandbox.settings import Nested

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to a component schema of the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema, **rules: Any) -> Schema:
    return {"type": "object", "properties": properties, **rules}


_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_MORE_KEYS = "Keys that are not listed are kept as they are."
_SPEAKS_FIRST = "assistant-speaks-first"
_MODES = [_SPEAKS_FIRST, "assistant-waits-for-user", f"{_SPEAKS_FIRST}-with-model-generated-message", None]
_MODEL = _object(
    {
        "provider": {"enum": ["openai", "anthropic"]},
        "model": {"type": "string", "examples": ["gpt-4o"]},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2, "examples": [0.7]},
        "maxTokens": {"type": "integer", "examples": [1024]},
    },
    description=f"The language model. {_MORE_KEYS}",
)
_VOICE_PROVIDERS = ["11labs", "azure", "cartesia", "deepgram", "playht", "openai", "edmo"]
_VOICE = _object(
    {"provider": {"enum": _VOICE_PROVIDERS}, "voiceId": {"type": "string", "examples": ["alloy"]}},
    description=f"The voice of spoken answers. {_MORE_KEYS}",
)
_TRANSCRIBER = _object(
    {"provider": {"enum": ["deepgram", "assemblyai", "whisper"]}, "model": _TEXT_OR_NULL},
    description=f"Speech to text. {_MORE_KEYS}",
)
# The documented keys of each field that is an object with a schema of its own.
DOCUMENTED_KEYS = {
    field: frozenset(schema["properties"])
    for field, schema in (("model", _MODEL), ("voice", _VOICE), ("transcriber", _TRANSCRIBER))
}
_DATE_TIME: Schema = {"type": "string", "format": "date-time", "readOnly": True}
_READ_ONLY: Schema = {
    "id": {"type": "string", "readOnly": True, "description": "The external provider's id."},
    "orgId": {"type": "string", "readOnly": True},
    "createdAt": _DATE_TIME,
    "updatedAt": _DATE_TIME,
}
_PERMISSIONS: Schema = {"type": ["object", "null"], "additionalProperties": {"type": "array", "items": _TEXT}}
_USER = _object(
    {
        "id": _TEXT,
        "email": _TEXT,
        "name": _TEXT,
        "role": {"type": "string", "examples": ["ADMIN", "EDITOR", "VIEWER"]},
        "disabled": {"type": "boolean"},
        "permissions": _PERMISSIONS,
    }
)


def _writable(model: str) -> Schema:
    """Return the fields that a body may hold, with the model's schema under the name given."""
    return {
        "name": _TEXT,
        "firstMessage": _TEXT_OR_NULL,
        "firstMessageMode": {"enum": _MODES},
        "model": ref(model),
        "voice": ref("VoiceConfig"),
        "transcriber": ref("TranscriberConfig"),
        "voicemailMessage": _TEXT_OR_NULL,
        "endCallMessage": _TEXT_OR_NULL,
        "endCallPhrases": {"type": ["array", "null"], "items": _TEXT},
        "metadata": {"type": ["object", "null"]},
        "maxDurationSeconds": {"type": ["integer", "null"], "description": "Seconds."},
    }


def component_schemas(*, nested: Nested, strict: bool) -> dict[str, Schema]:
    """Return the component schemas of one sandbox."""
    # A server that merges takes a part of a model. One that replaces needs the whole, or it would keep the part.
    update = _object(_writable("ModelUpdate" if nested == "merge" else "ModelConfig"), additionalProperties=False)
    # The reference marks `model` and `voice` as required in a PATCH body and says in the same breath that all
    # fields are optional: `strict` believes the marks.
    if strict:
        update["required"] = ["model", "voice"]
    return {
        "Login": _object({"email": _TEXT, "password": {**_TEXT, "format": "password"}}, required=["email", "password"]),
        "User": _USER,
        "ModelConfig": {**_MODEL, "required": ["provider", "model"]},
        "ModelUpdate": _MODEL,
        "VoiceConfig": _VOICE,
        "TranscriberConfig": _TRANSCRIBER,
        "AssistantUpdate": update,
        "AssistantCreation": _object(_writable("ModelConfig"), additionalProperties=False),
        "Assistant": _object(
            {**_READ_ONLY, **_writable("ModelConfig"), "name": _TEXT_OR_NULL},
            description="May carry fields that are not listed.",
            required=list(_READ_ONLY),
        ),
        "Error": _object({"error": _TEXT}, required=["error"]),
    }
