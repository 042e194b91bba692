"""The API's routes as an ASGI application.

Behaves like the web application that it stands in for: JSON below `/api`, pages everywhere else. A fault that
is to be rehearsed is a middleware around this application; all that is in here is a hook, which it asks when
it writes.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.sandbox.accounts import COOKIE, Account, Sessions
from reconciler.sandbox.answers import error_answer, in_api, json_answer, page_answer
from reconciler.sandbox.bodies import NotJson, read_json
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.hook import Copies, Hook, NoFaults
from reconciler.sandbox.merge import patched
from reconciler.sandbox.openapi import openapi_document
from reconciler.sandbox.rules import Rules
from reconciler.sandbox.seed import complete, now
from reconciler.sandbox.settings import BASE_PATH, Settings
from reconciler.sandbox.store import Assistant, Store, encode

Handler = Callable[[Request], Awaitable[Response]]


def build_app(store: Store, sessions: Sessions, settings: Settings, faults: Faults | None = None) -> ASGIApp:
    """Return the application over two stores; the settings' host, port, store, seed and faults mean nothing to it."""
    api = _Api(store, sessions, settings, faults or NoFaults())
    starlette = Starlette(
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
    starlette.router.redirect_slashes = False
    app: ASGIApp = Latency(starlette, settings.latency_ms / 1000) if settings.latency_ms else starlette
    return faults.around(app) if faults else app


class Latency:
    """Makes every request to the API wait, as a network would."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then pass the request on; a sandbox that stops in the meantime says so."""
        if in_api(scope["path"]):
            try:
                await asyncio.sleep(self._seconds)
            except asyncio.CancelledError:
                await error_answer(503, "The sandbox is stopping")(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Api:
    """The API's calls: each takes a request and returns the answer, or raises HTTPException."""

    def __init__(self, store: Store, sessions: Sessions, settings: Settings, hook: Hook) -> None:
        self._store = store
        self._hook = hook
        self._sessions = sessions
        self._nested = settings.nested
        self._listing = settings.listing
        self._document = openapi_document(nested=settings.nested, strict=settings.strict, listing=settings.listing)
        self._rules = Rules(self._document)

    def routes(self) -> list[Route]:
        """Return the routes below the base path."""
        listing = {"GET": self._list} if self._listing else {}
        return [
            _route("/assistants/{id}", {"GET": self._read, "PATCH": self._update, "DELETE": self._delete}),
            _route("/assistants", {**listing, "POST": self._create}),
            _route("/auth/login", {"POST": self._log_in}),
            _route("/auth/me", {"GET": self._me}),
            _route("/openapi.json", {"GET": self._openapi}),
        ]

    async def _openapi(self, _request: Request) -> Response:
        return json_answer(encode(self._document))

    async def _log_in(self, request: Request) -> Response:
        credentials = await self._body(request, "Login")
        account = self._sessions.account(credentials["email"], credentials["password"])
        if account is None:
            raise HTTPException(401, "Invalid email or password")
        if account.disabled:
            raise HTTPException(403, "This account is disabled")
        answer = json_answer(encode({"message": "Login successful", "user": account.as_user()}))
        answer.headers["set-cookie"] = (
            f"{COOKIE}={self._sessions.log_in(account)}; HttpOnly; Path=/; SameSite=Lax; Secure"
        )
        return answer

    async def _me(self, request: Request) -> Response:
        return json_answer(encode({"user": self._account(request).as_user()}))

    async def _read(self, request: Request) -> Response:
        self._account(request)
        text = self._store.answer(request.path_params["id"])
        if text is None:
            raise HTTPException(404, "Assistant not found")
        return json_answer(text)

    async def _list(self, request: Request) -> Response:
        self._account(request)
        return json_answer(f"[{','.join(self._store.answers())}]")

    async def _create(self, request: Request) -> Response:
        self._writer(request, "create")
        body = await self._body(request, "AssistantCreation")
        assistant = complete(f"asst_{secrets.token_hex(12)}", body)
        with self._store.lock:
            answer = self._write(request, body, (assistant, assistant))
        return json_answer(encode(answer), 201)

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
            answer = self._write(request, body, (self._after(provider, body), self._after(database, body)))
        return json_answer(encode(answer))

    def _write(self, request: Request, body: Mapping[str, Any], copies: Copies) -> Assistant:
        """Write one store after the other, as far as the faults let it come; return the local database's copy."""
        provider, database = self._hook.kept(request.scope, body, copies)
        if self._hook.reaches(request.scope, "provider"):
            self._store.write_provider(provider)
        if self._hook.reaches(request.scope, "database"):
            self._store.write_database(database)
        return database

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
            if self._hook.reaches(request.scope, "provider"):
                self._store.delete_provider(provider_id)
            if self._hook.reaches(request.scope, "database"):
                self._store.delete_database(provider_id)
        return json_answer(encode({"success": True}))

    def _account(self, request: Request) -> Account:
        account = self._sessions.owner(request.cookies.get(COOKIE, ""))
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


async def _page(request: Request) -> Response:
    if in_api(request.url.path):
        return error_answer(404, "Not Found")
    return page_answer()


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type for handlers is wider than what it calls
    if not in_api(request.url.path):
        return page_answer(error.status_code, error.headers)
    return error_answer(error.status_code, error.detail, error.headers)


async def _store_failed(_request: Request, _exception: Exception) -> Response:
    return error_answer(500, "The local database could not be read or written")


async def _unexpected(_request: Request, _exception: Exception) -> Response:
    return error_answer(500, "Something went wrong in the sandbox")
