"""The sandbox's OpenAPI 3.1 document: which calls there are, what they take, what they answer."""

from typing import Any

from reconciler.sandbox.schemas import component_schemas, ref
from reconciler.sandbox.settings import BASE_PATH, Nested

Document = dict[str, Any]

_BAD_BODY = {400: "The body is no JSON, or breaks a rule."}
_NO_LOGIN = {401: "Not authenticated."}
_NO_PERMISSION = {401: "Not authenticated, or no permission to change assistants."}
_NO_ENTRY = {401: "Bad credentials, or no such account.", 403: "The account is disabled."}
_NOT_THERE = {404: "No such assistant."}
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The external provider's id, or the local database's.",
    "schema": {"type": "string"},
}


def _answer(description: str, schema: Document) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(**properties: Document) -> Document:
    return {"type": "object", "properties": properties}


def _operation(name: str, summary: str, answer: Document, errors: dict[int, str], body: str = "") -> Document:
    """Return one operation with its answer if all is well, and what each status of an error means."""
    errors = {**errors, 500: "Error in the local database or at the external provider."}
    operation: Document = {
        "operationId": name,
        "summary": summary,
        "security": [{"CookieAuth": []}],
        "responses": {
            "201" if name == "createAssistant" else "200": answer,
            **{str(status): _answer(text, ref("Error")) for status, text in errors.items()},
        },
    }
    if body:
        operation["requestBody"] = {"required": True, "content": _answer("", ref(body))["content"]}
    return operation


def _paths(*, listing: bool) -> Document:
    user, assistant = {"user": ref("User")}, _answer("The assistant.", ref("Assistant"))
    welcome = _answer("Logged in.", _object(message={"type": "string"}, **user))
    welcome["headers"] = {"Set-Cookie": {"schema": {"type": "string"}}}
    login = _operation(
        "login", "Log in; the answer sets the cookie `auth-token`.", welcome, {**_BAD_BODY, **_NO_ENTRY}, "Login"
    )
    several = _answer("All.", {"type": "array", "items": ref("Assistant")})
    every = {"get": _operation("listAssistants", "List all assistants.", several, _NO_LOGIN)} if listing else {}
    return {
        # The only call that needs no cookie: it is where the cookie comes from.
        "/auth/login": {"post": {**login, "security": []}},
        "/auth/me": {
            "get": _operation("me", "Tell who the cookie belongs to.", _answer("The user.", _object(**user)), _NO_LOGIN)
        },
        "/assistants": {
            **every,
            "post": _operation(
                "createAssistant",
                "Create an assistant at the provider and keep a copy in the local database.",
                assistant,
                {**_BAD_BODY, **_NO_PERMISSION},
                "AssistantCreation",
            ),
        },
        "/assistants/{id}": {
            "parameters": [_ID],
            "get": _operation(
                "getAssistant",
                "Read an assistant from the local database.",
                assistant,
                {**_NO_LOGIN, **_NOT_THERE},
            ),
            "patch": _operation(
                "updateAssistant",
                "Update an assistant at the provider and in the local database.",
                assistant,
                {**_BAD_BODY, **_NO_PERMISSION, **_NOT_THERE},
                "AssistantUpdate",
            ),
            "delete": _operation(
                "deleteAssistant",
                "Delete an assistant from both.",
                _answer("Gone.", _object(success={"const": True})),
                {**_NO_PERMISSION, **_NOT_THERE},
            ),
        },
    }


def openapi_document(*, nested: Nested = "merge", strict: bool = False, listing: bool = False) -> Document:
    """Return the document of a sandbox with these settings; bodies are checked against its schemas."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "EDMO Agent Builder API (sandbox)",
            "version": "1.0.0",
            "description": "A local stand-in for trying and testing.",
        },
        "servers": [{"url": BASE_PATH}],
        "paths": _paths(listing=listing),
        "components": {
            "securitySchemes": {"CookieAuth": {"type": "apiKey", "in": "cookie", "name": "auth-token"}},
            "schemas": component_schemas(nested=nested, strict=strict),
        },
    }
