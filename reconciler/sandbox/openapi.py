"""The API's OpenAPI 3.1 document: its objects as JSON Schemas, its calls, and the check of bodies.

The schemas come from the public reference of the EDMO Agent Builder API 1.0.0. Every body is checked against them, so
a rule about fields, types, choices, ranges or null stands here or nowhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from reconciler.sandbox.settings import BASE_PATH, Nested

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
        "model": {**_TEXT, "examples": ["gpt-4o"]},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2, "examples": [0.7]},
        "maxTokens": {"type": "integer", "examples": [1024]},
    },
    description=_MORE_KEYS,
)
REQUIRED_IN_MODEL = ["provider", "model"]
_VOICE_PROVIDERS = ["11labs", "azure", "cartesia", "deepgram", "playht", "openai", "edmo"]
_VOICE_ID = {**_TEXT, "examples": ["alloy"]}
_VOICE = _object({"provider": {"enum": _VOICE_PROVIDERS}, "voiceId": _VOICE_ID}, description=_MORE_KEYS)
_TRANSCRIBERS = ["deepgram", "assemblyai", "whisper"]
_TRANSCRIBER = _object({"provider": {"enum": _TRANSCRIBERS}, "model": _TEXT_OR_NULL}, description=_MORE_KEYS)
OBJECTS = {"model": _MODEL, "voice": _VOICE, "transcriber": _TRANSCRIBER}
_DATE_TIME: Schema = {**_TEXT, "format": "date-time", "readOnly": True}
_READ_ONLY: Schema = {
    "id": {**_TEXT, "readOnly": True, "description": "The external provider's id."},
    "orgId": {**_TEXT, "readOnly": True},
    "createdAt": _DATE_TIME,
    "updatedAt": _DATE_TIME,
}
# A field that the reference does not list is kept, as the real API may do; only the API's own fields are refused.
_NAMES: Schema = {"not": {"enum": list(_READ_ONLY)}}
_USER = _object(
    {
        **dict.fromkeys(("id", "email", "name"), _TEXT),
        "role": {**_TEXT, "examples": ["ADMIN", "EDITOR", "VIEWER"]},
        "disabled": {"type": "boolean"},
        "permissions": {"type": ["object", "null"], "additionalProperties": {"type": "array", "items": _TEXT}},
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
    update = _object(_writable("ModelUpdate" if nested == "merge" else "ModelConfig"), propertyNames=_NAMES)
    # The reference marks `model` and `voice` as required in a PATCH body and says in the same breath that all
    # fields are optional: `strict` believes the marks.
    if strict:
        update["required"] = ["model", "voice"]
    return {
        "Login": _object({"email": _TEXT, "password": {**_TEXT, "format": "password"}}, required=["email", "password"]),
        "User": _USER,
        "ModelConfig": {**_MODEL, "required": REQUIRED_IN_MODEL},
        "ModelUpdate": _MODEL,
        "VoiceConfig": _VOICE,
        "TranscriberConfig": _TRANSCRIBER,
        "AssistantUpdate": update,
        "AssistantCreation": _object(_writable("ModelConfig"), propertyNames=_NAMES),
        "Assistant": _object(
            {**_READ_ONLY, **_writable("ModelConfig"), "name": _TEXT_OR_NULL},
            description="May carry fields that are not listed.",
            required=list(_READ_ONLY),
        ),
        "Error": _object({"error": _TEXT}, required=["error"]),
    }


_ERRORS = {
    400: "The body is no JSON, or breaks a rule.",
    401: "Not authenticated, or no permission to change assistants.",
    403: "The account is disabled.",
    404: "No such assistant.",
    500: "Error in the local database or at the external provider.",
}
_EITHER_ID = "The external provider's id, or the local database's."
_ID = {"name": "id", "in": "path", "required": True, "description": _EITHER_ID, "schema": {"type": "string"}}


def openapi_document(schemas: Mapping[str, Schema], *, listing: bool) -> Schema:
    """Return the document of a sandbox with these component schemas; `listing` is whether it lists assistants."""
    about = "A local stand-in for trying and testing."
    return {
        "openapi": "3.1.0",
        "info": {"title": "EDMO Agent Builder API (sandbox)", "version": "1.0.0", "description": about},
        "servers": [{"url": BASE_PATH}],
        "paths": _paths(listing=listing),
        "components": {
            "securitySchemes": {"CookieAuth": {"type": "apiKey", "in": "cookie", "name": "auth-token"}},
            "schemas": schemas,
        },
    }


def _paths(*, listing: bool) -> Schema:
    user = {"user": ref("User")}
    welcome = _answer("Logged in.", _object({"message": _TEXT, **user}))
    welcome["headers"] = {"Set-Cookie": {"schema": {"type": "string"}}}
    login = _call("login", "Log in; the answer sets the cookie `auth-token`.", welcome, "Login", 400, 401, 403)
    assistant = _answer("The assistant.", ref("Assistant"))
    several = _answer("All of them.", {"type": "array", "items": ref("Assistant")})
    create = _call("createAssistant", "Create an assistant in both stores.", assistant, "AssistantCreation", 400, 401)
    create["responses"]["201"] = create["responses"].pop("200")
    gone = _answer("Gone.", _object({"success": {"const": True}}))
    return {
        # The only call that needs no cookie: the cookie comes from it.
        "/auth/login": {"post": {**login, "security": []}},
        "/auth/me": {"get": _call("me", "Return whose cookie it is.", _answer("The user.", _object(user)), "", 401)},
        "/assistants": {
            **({"get": _call("listAssistants", "List all assistants.", several, "", 401)} if listing else {}),
            "post": create,
        },
        "/assistants/{id}": {
            "parameters": [_ID],
            "get": _call("getAssistant", "Read the local database's copy.", assistant, "", 401, 404),
            "patch": _call("updateAssistant", "Update both copies.", assistant, "AssistantUpdate", 400, 401, 404),
            "delete": _call("deleteAssistant", "Delete both copies.", gone, "", 401, 404),
        },
    }


def _call(name: str, summary: str, answer: Schema, body: str, *errors: int) -> Schema:
    """Return one operation; `body` is the schema of what it takes, "" for nothing."""
    failures = {str(status): _answer(_ERRORS[status], ref("Error")) for status in (*errors, 500)}
    takes = {"requestBody": {"required": True, "content": _answer("", ref(body))["content"]}} if body else {}
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"CookieAuth": []}],
        "responses": {"200": answer, **failures},
        **takes,
    }


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_WORDS = {"integer": "an integer", "object": "an object", "array": "a list", "null": "null"}
# JSON Schema takes 5.0 for an integer, this API does not.
_Validator = extend(  # type: ignore[no-untyped-call]  # jsonschema types the rest
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int),
)


class Schemas:
    """The schemas of one sandbox, and what they say of a body."""

    def __init__(self, *, nested: Nested = "merge", strict: bool = False) -> None:
        self.components = component_schemas(nested=nested, strict=strict)
        document = {"components": {"schemas": self.components}}
        self._validators = {name: _Validator({**ref(name), **document}) for name in self.components}

    def problems(self, schema: str, body: Any) -> list[str]:
        """Return what is wrong with a body under a component schema, a sentence each; none if all is well."""
        errors = self._validators[schema].iter_errors(body)
        return sorted({sentence for error in errors for sentence in _sentences(error)})


def _sentences(error: ValidationError) -> Iterator[str]:
    """Translate one error of jsonschema, without the value, which may be confidential."""
    path = [str(part) for part in error.absolute_path]
    where = ".".join(path) or "the body"
    rule: Any = error.validator_value
    body: Any = error.instance
    match error.validator:
        case "type":
            types = [rule] if isinstance(rule, str) else rule
            yield f"{where} must be {_join([_WORDS.get(name, f'a {name}') for name in types])}"
        case "enum":
            yield f"{where} must be {_join(['null' if choice is None else choice for choice in rule])}"
        case "minimum":
            yield f"{where} must be at least {rule}"
        case "maximum":
            yield f"{where} must be at most {rule}"
        case "required":
            yield from (f"{'.'.join([*path, key])} is required" for key in rule if key not in body)
        case "not":
            yield f"{body} is read-only"
        case _:  # pragma: no cover - a keyword that no schema of ours uses yet
            yield f"{where} breaks the rule {error.validator!r}"


def _join(choices: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
