"""The API's routes as an ASGI application: JSON below `/api`, pages everywhere else."""

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
from starlette.types import ASGIApp

from reconciler.sandbox.accounts import COOKIE, Account, Sessions
from reconciler.sandbox.faults import Copies, Faults
from reconciler.sandbox.jsontext import NotJson, encode, read_json
from reconciler.sandbox.openapi import REQUIRED_IN_MODEL, Document
from reconciler.sandbox.responses import error_answer, in_api, json_answer, page_answer
from reconciler.sandbox.seed import complete_assistant, merge_objects, now
from reconciler.sandbox.settings import BASE_PATH, Settings
from reconciler.sandbox.store import STORES, Assistant, Store


def build_app(store: Store, sessions: Sessions, settings: Settings, faults: Faults) -> ASGIApp:
    """Return the application over two stores. It ignores host, port, store, seed and faults of the settings."""
    api = _Api(store, sessions, settings, faults)
    app = Starlette(
        routes=[
            Mount(BASE_PATH, app=Router(api.list_routes(), redirect_slashes=False)),
            # As on the real host, a URL without `/api` gets a page with status 200.
            Route("/{path:path}", _answer_page),
        ],
        exception_handlers={
            HTTPException: _answer_refusal,
            sqlite3.Error: lambda *_: error_answer(500, "The local database could not be read or written"),
            Exception: lambda *_: error_answer(500, "Something went wrong in the sandbox"),
        },
    )
    return faults.wrap(app)


class _Api:
    """The API's calls. Each takes a request, and returns the answer or raises HTTPException."""

    def __init__(self, store: Store, sessions: Sessions, settings: Settings, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._sessions = sessions
        self._settings = settings
        self._document = Document(nested=settings.nested, strict=settings.strict, listing=settings.listing)

    def list_routes(self) -> list[Route]:
        """Return the routes below the base path."""
        listing = {"GET": self._list} if self._settings.listing else {}
        return [
            self._make_route("/assistants/{id}", {"GET": self._read, "PATCH": self._update, "DELETE": self._delete}),
            self._make_route("/assistants", {**listing, "POST": self._create}),
            self._make_route("/auth/login", {"POST": self._log_in}),
            self._make_route("/auth/me", {"GET": self._me}),
            self._make_route("/openapi.json", {"GET": self._openapi}),
        ]

    def _make_route(self, path: str, handlers: Mapping[str, Callable[[Request], Awaitable[Response]]]) -> Route:
        """Return one route for all methods of a path, so that a 405 can list them. HEAD works like GET."""

        async def dispatch(request: Request) -> Response:
            try:
                await asyncio.sleep(self._settings.latency_ms / 1000)
            except asyncio.CancelledError:
                # When the server stops, it cancels requests that still wait. The client gets an answer anyway.
                raise HTTPException(503, "The sandbox is stopping") from None
            return await handlers["GET" if request.method == "HEAD" else request.method](request)

        return Route(path, dispatch, methods=list(handlers))

    async def _openapi(self, _request: Request) -> Response:
        return json_answer(encode(self._document.content))

    async def _log_in(self, request: Request) -> Response:
        credentials = await self._read_body(request, "Login")
        account = self._sessions.find_account(credentials["email"], credentials["password"])
        if account is None:
            raise HTTPException(401, "Invalid email or password")
        if account.disabled:
            raise HTTPException(403, "This account is disabled")
        answer = json_answer(encode({"message": "Login successful", "user": account.to_user()}))
        # `Secure`, as in the real API. Here, clients must send the cookie over plain HTTP anyway.
        answer.set_cookie(COOKIE, self._sessions.log_in(account), httponly=True, samesite="lax", secure=True)
        return answer

    async def _me(self, request: Request) -> Response:
        return json_answer(encode({"user": self._require_account(request).to_user()}))

    async def _read(self, request: Request) -> Response:
        self._require_account(request)
        stored = self._store.read(request.path_params["id"])
        text = self._faults.show(*stored) if stored else None
        if text is None:
            raise HTTPException(404, "Assistant not found")
        return json_answer(text)

    async def _list(self, request: Request) -> Response:
        self._require_account(request)
        texts = (self._faults.show(*stored) for stored in self._store.read_all())
        return json_answer(f"[{','.join(text for text in texts if text is not None)}]")

    async def _create(self, request: Request) -> Response:
        self._require_writer(request, "create")
        body = await self._read_body(request, "AssistantCreation")
        assistant = complete_assistant(f"asst_{secrets.token_hex(12)}", body)
        # Only a fault may stop between the two stores, never another request.
        with self._store.lock:
            answer = self._write(request, body, (assistant, assistant))
        return json_answer(encode(answer), 201)

    async def _update(self, request: Request) -> Response:
        self._require_writer(request, "update")
        # An unknown assistant is a 404, whatever the body is. It is looked up again below, because somebody may delete
        # it while the body is read.
        self._require_assistant(request)
        body = await self._read_body(request, "AssistantUpdate")
        with self._store.lock:
            provider_id = self._require_assistant(request)
            provider, database = (self._store.copy(name, provider_id) for name in STORES)
            if provider is None or database is None:
                raise HTTPException(500, "The external provider does not know this assistant")
            answer = self._write(request, body, (self._patch(provider, body), self._patch(database, body)))
        return json_answer(encode(answer))

    def _write(self, request: Request, body: Mapping[str, Any], copies: Copies) -> Assistant:
        """Write one store after the other, as far as the faults allow. Return the local database's copy."""
        copies = self._faults.normalise(request.scope, body, copies)
        for name, copy in zip(STORES, copies, strict=True):
            if self._faults.reaches(request.scope, name):
                if name == "database":
                    self._faults.hold_reads(request.scope, copy["id"])
                self._store.write(name, copy)
        return copies[1]

    def _patch(self, assistant: Assistant, body: Mapping[str, Any]) -> Assistant:
        """Return a copy of the assistant after a PATCH. Values that the API would not accept are refused."""
        # The reference does not say whether PATCH replaces a nested object or merges into it, so both are offered.
        changed = merge_objects(assistant, body) if self._settings.nested == "merge" else {**assistant, **body}
        missing = [key for key in REQUIRED_IN_MODEL if "model" in body and changed["model"].get(key) is None]
        if missing:
            raise HTTPException(400, "; ".join(f"model.{key} is required" for key in missing))
        changed["updatedAt"] = now(after=assistant["updatedAt"])
        return changed

    async def _delete(self, request: Request) -> Response:
        self._require_writer(request, "delete")
        with self._store.lock:
            provider_id = self._require_assistant(request)
            for name in STORES:
                if self._faults.reaches(request.scope, name):
                    self._store.delete(name, provider_id)
        return json_answer(encode({"success": True}))

    def _require_account(self, request: Request) -> Account:
        account = self._sessions.find_owner(request.cookies.get(COOKIE, ""))
        if account is None:
            raise HTTPException(401, "Not authenticated")
        return account

    def _require_writer(self, request: Request, verb: str) -> None:
        # The API's reference has 401 here, although 403 would be usual.
        if self._require_account(request).role == "VIEWER":
            raise HTTPException(401, f"You do not have permission to {verb} assistants")

    def _require_assistant(self, request: Request) -> str:
        """Return the provider's id of the assistant in the path, which may have either id."""
        provider_id = self._store.find(request.path_params["id"])
        if provider_id is None:
            raise HTTPException(404, "Assistant not found")
        return provider_id

    async def _read_body(self, request: Request, schema: str) -> dict[str, Any]:
        try:
            body: dict[str, Any] = read_json(await request.body())
        except NotJson as error:
            raise HTTPException(400, str(error)) from error
        if problems := self._document.find_problems(schema, body):
            raise HTTPException(400, "; ".join(problems))
        return body


async def _answer_page(request: Request) -> Response:
    return error_answer(404, "Not Found") if in_api(request.url.path) else page_answer()


async def _answer_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type for handlers is wider than what it calls
    if in_api(request.url.path):
        return error_answer(error.status_code, error.detail, error.headers)
    return page_answer(error.status_code, error.headers)
