"""The sandbox's OpenAPI 3.1 document: which calls there are, what they take, what they answer."""

from typing import Any

from reconciler.sandbox.schemas import component_schemas, ref
from reconciler.sandbox.settings import BASE_PATH, Nested

Document = dict[str, Any]

_COOKIE: list[Document] = [{"CookieAuth": []}]


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}


def _operation(
    name: str,
    summary: str,
    answers: Document,
    errors: dict[int, str],
    *,
    body: str = "",
    public: bool = False,
) -> Document:
    """Return one operation; `errors` maps a status to what it means, each answers the error envelope."""
    operation: Document = {
        "operationId": name,
        "summary": summary,
        "security": [] if public else _COOKIE,
        "responses": {
            **answers,
            **{str(status): {"description": text, "content": _json(ref("Error"))} for status, text in errors.items()},
        },
    }
    if body:
        operation["requestBody"] = {"required": True, "content": _json(ref(body))}
    return operation


_NO_LOGIN = {401: "Not authenticated."}
_NO_PERMISSION = {401: "Not authenticated, or no permission to change assistants."}
_NOT_THERE = {404: "No such assistant."}
_BAD_BODY = {400: "The body is no JSON, or breaks a rule."}
_BROKEN = {500: "Error in the local database or at the external provider."}
_ASSISTANT = {"description": "The assistant.", "content": _json(ref("Assistant"))}


def _auth_paths() -> Document:
    user = {"user": ref("User")}
    welcome = {"type": "object", "properties": {"message": {"type": "string"}, **user}}
    return {
        "/auth/login": {
            "post": _operation(
                "login",
                "Log in; the answer sets the cookie `auth-token`.",
                {
                    "200": {
                        "description": "Logged in.",
                        "headers": {"Set-Cookie": {"schema": {"type": "string"}}},
                        "content": _json(welcome),
                    }
                },
                {
                    **_BAD_BODY,
                    401: "Bad credentials, or no such account.",
                    403: "The account is disabled.",
                    **_BROKEN,
                },
                body="Login",
                public=True,
            )
        },
        "/auth/me": {
            "get": _operation(
                "me",
                "Tell who the cookie belongs to.",
                {
                    "200": {
                        "description": "The user.",
                        "content": _json({"type": "object", "properties": user}),
                    }
                },
                {**_NO_LOGIN, **_BROKEN},
            )
        },
    }


def _assistant_paths(*, listing: bool) -> Document:
    all_of_them: Document = {
        "post": _operation(
            "createAssistant",
            "Create an assistant at the provider and keep a copy in the local database.",
            {"201": _ASSISTANT},
            {**_BAD_BODY, **_NO_PERMISSION, **_BROKEN},
            body="AssistantCreation",
        )
    }
    if listing:
        several = {"description": "All.", "content": _json({"type": "array", "items": ref("Assistant")})}
        all_of_them["get"] = _operation(
            "listAssistants", "List all assistants.", {"200": several}, {**_NO_LOGIN, **_BROKEN}
        )
    success = {"type": "object", "properties": {"success": {"const": True}}}
    return {
        "/assistants": all_of_them,
        "/assistants/{id}": {
            "parameters": [
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "description": "The external provider's id, or the local database's.",
                    "schema": {"type": "string"},
                }
            ],
            "get": _operation(
                "getAssistant",
                "Read an assistant from the local database.",
                {"200": _ASSISTANT},
                {**_NO_LOGIN, **_NOT_THERE, **_BROKEN},
            ),
            "patch": _operation(
                "updateAssistant",
                "Update an assistant at the provider and in the local database.",
                {"200": _ASSISTANT},
                {**_BAD_BODY, **_NO_PERMISSION, **_NOT_THERE, **_BROKEN},
                body="AssistantUpdate",
            ),
            "delete": _operation(
                "deleteAssistant",
                "Delete an assistant from both.",
                {"200": {"description": "Gone.", "content": _json(success)}},
                {**_NO_PERMISSION, **_NOT_THERE, **_BROKEN},
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
        "paths": {**_auth_paths(), **_assistant_paths(listing=listing)},
        "components": {
            "securitySchemes": {"CookieAuth": {"type": "apiKey", "in": "cookie", "name": "auth-token"}},
            "schemas": component_schemas(nested=nested, strict=strict),
        },
    }
