"""Lets one request fail as a rule says: before it is carried out, after it, or while it is answered."""

import asyncio
import dataclasses
import http
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox import connection
from reconciler.sandbox.answers import error_answer, page_answer
from reconciler.sandbox.fault_rules import RetryAfter, What


@dataclasses.dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that has not been sent yet."""

    start: Message
    body: bytes

    async def send(self, send: Send) -> None:
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


async def fail(what: What, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or do not, as the rule says.

    A request that the API itself refuses has written nothing, so what would come after a write does not come:
    the client gets the refusal.
    """
    if what.after and what.kind != "half" and what.seconds is None:
        answer = await _carried_out(app, scope, receive)
        if answer.start["status"] >= 400:
            await answer.send(send)
            return
    match what.kind:
        case "half":
            await _half(await _carried_out(app, scope, receive), scope, receive, send)
        case "drip":
            await _drip(what.seconds or 0, await _carried_out(app, scope, receive), scope, receive, send)
        case "hang" if what.seconds is not None:
            await _late(what, what.seconds, app, scope, receive, send)
        case "hang":
            await connection.until_gone(receive)
        case "reset":
            await connection.reset(scope, receive)
        case "html":
            await page_answer(what.status)(scope, receive, send)
        case _:
            await refuse(what.status, what.retry_after, scope, receive, send)


async def refuse(status: int, retry_after: RetryAfter | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a status in the API's error envelope."""
    headers = {"retry-after": retry_after.header(time.time())} if retry_after else {}
    known = status in http.HTTPStatus.__members__.values()
    phrase = http.HTTPStatus(status).phrase if known else "Error"
    await error_answer(status, f"{phrase} (a rehearsed fault)", headers)(scope, receive, send)


async def _carried_out(app: ASGIApp, scope: Scope, receive: Receive) -> _Answer:
    """Let the application handle a request; return its answer, of which nothing is sent."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return _Answer(messages[0], b"".join(message.get("body", b"") for message in messages[1:]))


async def _late(what: What, seconds: float, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Carry a request out and answer it late, even where the client has given up in the meantime.

    With `after` the write comes first, else last: a write that lands after its client has gone.
    """
    received: list[Message] = [await receive()]
    while received[-1].get("more_body"):
        received.append(await receive())
    replay = iter(received)

    async def receive_again() -> Message:
        return next(replay, None) or await receive()

    if not what.after:
        await asyncio.sleep(seconds)
    answer = await _carried_out(app, scope, receive_again)
    if what.after:
        await asyncio.sleep(seconds)
    await answer.send(send)


async def _half(answer: _Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send less than Content-Length promises, then close."""
    await send(answer.start)
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
    await connection.close(scope, receive)


async def _drip(seconds: float, answer: _Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send one byte after the other, as long as somebody is there."""
    await send(answer.start)
    for byte in answer.body:
        await asyncio.sleep(seconds)
        if connection.is_gone(scope):
            await connection.until_gone(receive)
            return
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
    await send({"type": "http.response.body", "body": b""})
