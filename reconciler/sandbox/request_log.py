"""Tells of every request to the API in one line, with the faults that hit it. No header and no body is in it."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox.answers import in_api

_HITS = "reconciler.hits"


def note(scope: Scope, fault: int) -> None:
    """Remember, for a request that is told of, that a fault hit it."""
    scope.setdefault(_HITS, []).append(fault)


class RequestLog:
    """Wraps an application; `tell` gets a line for each request when it has ended."""

    def __init__(self, app: ASGIApp, tell: Callable[[str], None]) -> None:
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and tell what became of it."""
        if not in_api(scope["path"]):
            await self._app(scope, receive, send)
            return
        answer = "no answer"
        hits: list[int] = []

        async def sending(message: Message) -> None:
            nonlocal answer
            if message["type"] == "http.response.start":
                answer = str(message["status"])
            await send(message)

        try:
            await self._app({**scope, _HITS: hits}, receive, sending)
        finally:
            faults = "".join(f", fault {number}" for number in hits)
            # As it came, percent signs and all: nothing that a terminal obeys is in it.
            path = scope["raw_path"].decode("ascii", "backslashreplace")
            self._tell(f"{scope['method']} {path}: {answer}{faults}")
