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


_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_DATE_TIME: Schema = {"type": "string", "format": "date-time", "readOnly": True}

_MODEL: Schema = {
    "type": "object",
    "description": "The language model. Keys that are not listed are kept as they are.",
    "properties": {
        "provider": {"enum": ["openai", "anthropic"]},
        "model": {"type": "string", "examples": ["gpt-4o"]},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2, "examples": [0.7]},
        "maxTokens": {"type": "integer", "examples": [1024]},
    },
}
_MODEL_REQUIRED = ["provider", "model"]

_VOICE: Schema = {
    "type": "object",
    "description": "The voice of spoken answers. Keys that are not listed are kept as they are.",
    "properties": {
        "provider": {"enum": ["11labs", "azure", "cartesia", "deepgram", "playht", "openai", "edmo"]},
        "voiceId": {"type": "string", "examples": ["alloy"]},
    },
}

_TRANSCRIBER: Schema = {
    "type": "object",
    "description": "Speech to text. Keys that are not listed are kept as they are.",
    "properties": {
        "provider": {"enum": ["deepgram", "assemblyai", "whisper"]},
        "model": _TEXT_OR_NULL,
    },
}

_READ_ONLY: Schema = {
    "id": {"type": "string", "readOnly": True, "description": "The external provider's id."},
    "orgId": {"type": "string", "readOnly": True},
    "createdAt": _DATE_TIME,
    "updatedAt": _DATE_TIME,
}

_USER: Schema = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "email": _TEXT,
        "name": _TEXT,
        "role": {"type": "string", "examples": ["ADMIN", "EDITOR", "VIEWER"]},
        "disabled": {"type": "boolean"},
        "permissions": {
            "type": ["object", "null"],
            "additionalProperties": {"type": "array", "items": _TEXT},
        },
    },
}

_LOGIN: Schema = {
    "type": "object",
    "required": ["email", "password"],
    "properties": {"email": _TEXT, "password": {"type": "string", "format": "password"}},
}


def _writable(model: str) -> Schema:
    """Return the fields that a body may hold, with the model's schema under the name given."""
    return {
        "name": _TEXT,
        "firstMessage": _TEXT_OR_NULL,
        "firstMessageMode": {
            "enum": [
                "assistant-speaks-first",
                "assistant-waits-for-user",
                "assistant-speaks-first-with-model-generated-message",
                None,
            ]
        },
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
    """Return the component schemas of one sandbox.

    A server that merges takes a part of a model (ModelUpdate), one that replaces needs the whole
    (ModelConfig). The reference marks `model` and `voice` as required in a PATCH body and says in the same
    breath that all fields are optional: `strict` believes the marks.
    """
    update: Schema = {
        "type": "object",
        "properties": _writable("ModelUpdate" if nested == "merge" else "ModelConfig"),
        "additionalProperties": False,
    }
    if strict:
        update["required"] = ["model", "voice"]
    return {
        "Login": _LOGIN,
        "User": _USER,
        "ModelConfig": {**_MODEL, "required": _MODEL_REQUIRED},
        "ModelUpdate": _MODEL,
        "VoiceConfig": _VOICE,
        "TranscriberConfig": _TRANSCRIBER,
        "AssistantUpdate": update,
        "AssistantCreation": {
            "type": "object",
            "properties": _writable("ModelConfig"),
            "additionalProperties": False,
        },
        "Assistant": {
            "type": "object",
            "description": "May carry fields that are not listed.",
            "required": list(_READ_ONLY),
            "properties": {**_READ_ONLY, **_writable("ModelConfig"), "name": _TEXT_OR_NULL},
        },
        "Error": {"type": "object", "required": ["error"], "properties": {"error": _TEXT}},
    }
