"""The API's routes as an ASGI application.

Behaves like the web application that it stands in for: JSON below `/api`, pages everywhere else. A fault that
is to be rehearsed belongs into a middleware around this application, not in here.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.sandbox.accounts import Account, Sessions
from reconciler.sandbox.bodies import NotJson, read_json
from reconciler.sandbox.merge import patched
from reconciler.sandbox.openapi import openapi_document
from reconciler.sandbox.rules import Rules
from reconciler.sandbox.seed import complete, now
from reconciler.sandbox.settings import BASE_PATH, Settings
from reconciler.sandbox.store import Assistant, Store, encode

Handler = Callable[[Request], Awaitable[Response]]

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Agent Builder</title></head>
<body><h1>Agent Builder</h1><p>This is a page. The API is below <code>/api</code>.</p></body>
</html>
"""
_COOKIE = "auth-token"


def build_app(store: Store, sessions: Sessions, settings: Settings) -> ASGIApp:
    """Return the application over two stores; the settings' host, port, store and seed mean nothing to it."""
    api = _Api(store, sessions, settings)
    app = Starlette(
        routes=[
            Mount(BASE_PATH, app=Router(api.routes(), redirect_slashes=False)),
            Route("/{path:path}", _page),
        ],
        exception_handlers={
            HTTPException: _refusal,
            sqlite3.Error: _store_failed,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    return Latency(app, settings.latency_ms / 1000) if settings.latency_ms else app


class Latency:
    """Makes every request to the API wait, as a network would."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then pass the request on; a sandbox that stops in the meantime says so."""
        if _in_api(scope["path"]):
            try:
                await asyncio.sleep(self._seconds)
            except asyncio.CancelledError:
                await _error(503, "The sandbox is stopping")(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Api:
    """The API's calls: each takes a request and returns the answer, or raises HTTPException."""

    def __init__(self, store: Store, sessions: Sessions, settings: Settings) -> None:
        self._store = store
        self._sessions = sessions
        self._nested = settings.nested
        self._listing = settings.listing
        self._document = openapi_document(nested=settings.nested, strict=settings.strict, listing=settings.listing)
        self._rules = Rules(self._document)

    def routes(self) -> list[Route]:
        """Return the routes below the base path."""
        return [
            _route("/assistants/{id}", {"GET": self._read, "PATCH": self._update, "DELETE": self._delete}),
            _route("/assistants", {"GET": self._list, "POST": self._create}),
            _route("/auth/login", {"POST": self._log_in}),
            _route("/auth/me", {"GET": self._me}),
            _route("/openapi.json", {"GET": self._openapi}),
        ]

    async def _openapi(self, _request: Request) -> Response:
        return _json(encode(self._document))

    async def _log_in(self, request: Request) -> Response:
        credentials = await self._body(request, "Login")
        account = self._sessions.account(credentials["email"], credentials["password"])
        if account is None:
            raise HTTPException(401, "Invalid email or password")
        if account.disabled:
            raise HTTPException(403, "This account is disabled")
        answer = _json(encode({"message": "Login successful", "user": account.as_user()}))
        answer.headers["set-cookie"] = (
            f"{_COOKIE}={self._sessions.log_in(account)}; HttpOnly; Path=/; SameSite=Lax; Secure"
        )
        return answer

    async def _me(self, request: Request) -> Response:
        return _json(encode({"user": self._account(request).as_user()}))

    async def _read(self, request: Request) -> Response:
        self._account(request)
        text = self._store.answer(request.path_params["id"])
        if text is None:
            raise HTTPException(404, "Assistant not found")
        return _json(text)

    async def _list(self, request: Request) -> Response:
        if not self._listing:
            raise HTTPException(404)
        self._account(request)
        return _json(f"[{','.join(self._store.answers())}]")

    async def _create(self, request: Request) -> Response:
        self._writer(request, "create")
        body = await self._body(request, "AssistantCreation")
        assistant = complete(f"asst_{secrets.token_hex(12)}", body)
        with self._store.lock:
            self._store.write_provider(assistant)
            self._store.write_database(assistant)
        return _json(encode(assistant), 201)

    async def _update(self, request: Request) -> Response:
        self._writer(request, "update")
        self._known(request)
        body = await self._body(request, "AssistantUpdate")
        with self._store.lock:
            provider_id = self._known(request)
            provider = self._store.provider_copy(provider_id)
            database = self._store.database_copy(provider_id)
            if provider is None or database is None:
                raise HTTPException(500, "The external provider does not know this assistant")
            provider = self._after(provider, body)
            database = self._after(database, body)
            self._store.write_provider(provider)
            self._store.write_database(database)
        return _json(encode(database))

    def _after(self, assistant: Assistant, body: Mapping[str, Any]) -> Assistant:
        """Return a copy of the assistant after a PATCH; what the API would not hold is refused."""
        result = patched(assistant, body, self._nested)
        if "model" in body and (problems := self._rules.incomplete(result["model"])):
            raise HTTPException(400, "; ".join(problems))
        result["updatedAt"] = now(after=assistant["updatedAt"])
        return result

    async def _delete(self, request: Request) -> Response:
        self._writer(request, "delete")
        with self._store.lock:
            provider_id = self._known(request)
            self._store.delete_provider(provider_id)
            self._store.delete_database(provider_id)
        return _json(encode({"success": True}))

    def _account(self, request: Request) -> Account:
        account = self._sessions.owner(request.cookies.get(_COOKIE, ""))
        if account is None:
            raise HTTPException(401, "Not authenticated")
        return account

    def _writer(self, request: Request, verb: str) -> None:
        if not self._account(request).may_write:
            raise HTTPException(401, f"You do not have permission to {verb} assistants")

    def _known(self, request: Request) -> str:
        """Return the provider's id of the assistant that the path names by either id."""
        provider_id = self._store.find(request.path_params["id"])
        if provider_id is None:
            raise HTTPException(404, "Assistant not found")
        return provider_id

    async def _body(self, request: Request, schema: str) -> dict[str, Any]:
        try:
            body = read_json(await request.body())
        except NotJson as error:
            raise HTTPException(400, str(error)) from error
        if problems := self._rules.problems(schema, body):
            raise HTTPException(400, "; ".join(problems))
        checked: dict[str, Any] = body
        return checked


def _route(path: str, handlers: Mapping[str, Handler]) -> Route:
    """Return one route for all methods of a path, so that a 405 names them all; HEAD is served as GET."""

    async def dispatch(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, dispatch, methods=list(handlers))


def _in_api(path: str) -> bool:
    return path == BASE_PATH or path.startswith(f"{BASE_PATH}/")


def _json(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    response = _json(encode({"error": message}), status)
    response.headers.update(headers or {})
    return response


async def _page(request: Request) -> Response:
    if _in_api(request.url.path):
        return _error(404, "Not Found")
    return HTMLResponse(_PAGE)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type for handlers is wider than what it calls
    if not _in_api(request.url.path):
        return HTMLResponse(_PAGE, error.status_code, error.headers)
    return _error(error.status_code, error.detail, error.headers)


async def _store_failed(_request: Request, _exception: Exception) -> Response:
    return _error(500, "The local database could not be read or written")


async def _unexpected(_request: Request, _exception: Exception) -> Response:
    return _error(500, "Something went wrong in the sandbox")
