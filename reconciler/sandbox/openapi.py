"""The sandbox's OpenAPI 3.1 document: which calls there are, what they take, what they answer."""

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.schemas import Schema, ref
from reconciler.sandbox.settings import BASE_PATH

Document = dict[str, Any]

_ERRORS = {
    400: "The body is no JSON, or breaks a rule.",
    401: "Not authenticated, or no permission to change assistants.",
    403: "The account is disabled.",
    404: "No such assistant.",
    500: "Error in the local database or at the external provider.",
}
_EITHER_ID = "The external provider's id, or the local database's."
_ID = {"name": "id", "in": "path", "required": True, "description": _EITHER_ID, "schema": {"type": "string"}}


def openapi_document(schemas: Mapping[str, Schema], *, listing: bool) -> Document:
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


def _paths(*, listing: bool) -> Document:
    user = {"user": ref("User")}
    welcome = _answer("Logged in.", _object(message={"type": "string"}, **user))
    welcome["headers"] = {"Set-Cookie": {"schema": {"type": "string"}}}
    login = _call("login", "Log in; the answer sets the cookie `auth-token`.", welcome, "Login", 400, 401, 403)
    assistant = _answer("The assistant.", ref("Assistant"))
    several = _answer("All of them.", {"type": "array", "items": ref("Assistant")})
    create = _call("createAssistant", "Create an assistant in both stores.", assistant, "AssistantCreation", 400, 401)
    create["responses"]["201"] = create["responses"].pop("200")
    gone = _answer("Gone.", _object(success={"const": True}))
    return {
        # The only call that needs no cookie: the cookie comes from it.
        "/auth/login": {"post": {**login, "security": []}},
        "/auth/me": {"get": _call("me", "Return whose cookie it is.", _answer("The user.", _object(**user)), "", 401)},
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


def _call(name: str, summary: str, answer: Document, body: str, *errors: int) -> Document:
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


def _answer(description: str, schema: Document) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(**properties: Document) -> Document:
    return {"type": "object", "properties": properties}
