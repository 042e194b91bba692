"""The sandbox's answers: JSON below `/api`, pages everywhere else, and the failures of a fault rule."""

import asyncio
import http.client
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox.fault_rules import Rule
from reconciler.sandbox.jsontext import encode
from reconciler.sandbox.settings import BASE_PATH

# The key of a connection's transport in the scope's `state`. No ASGI message can reset a connection.
TRANSPORT = "transport"
# On, with a time of 0: closing discards unsent data and sends RST (socket(7), SO_LINGER).
_NO_LINGER = struct.pack("ii", 1, 0)
_PAGE = Path(__file__).with_name("page.html").read_text("utf-8")


def in_api(path: str) -> bool:
    """Return whether a path belongs to the API."""
    return path == BASE_PATH or path.startswith(f"{BASE_PATH}/")


def json_answer(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with a JSON text."""
    return Response(text, status, headers, media_type="application/json")


def error_answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the API's error envelope."""
    return json_answer(encode({"error": message}), status, headers)


def page_answer(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the web application's page."""
    return HTMLResponse(_PAGE, status, headers)


def make_refusal(rule: Rule, status: int) -> Response:
    """Return what a rule answers in the API's error envelope."""
    # Gateways use their own statuses, such as Cloudflare's 524, for which HTTP has no phrase.
    phrase = http.client.responses.get(status, "Error")
    return error_answer(status, f"{phrase} (a simulated fault)", rule.retry_after(time.time()))


async def answer_with_fault(rule: Rule, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or not, as a rule says."""
    delay = rule.seconds if rule.effect == "hang" else None
    if delay and not rule.after:
        # Read the body first: the write is carried out even if the client gives up in the meantime.
        receive = await _keep_body(scope, receive)
        await asyncio.sleep(delay)
    needs_answer = delay or rule.effect in ("half", "drip")
    answer = await _carry_out(app, scope, receive) if needs_answer or rule.after else Response()
    if not needs_answer and answer.status_code >= 400:
        # The API itself rejected the request and wrote nothing, so a fault after a write does not happen.
        await answer(scope, receive, send)
        return
    match rule.effect:
        case "half" | "drip":
            await _send_pieces(answer, rule, scope, receive, send)
        case "hang" if delay:
            await asyncio.sleep(delay if rule.after else 0)
            await answer(scope, receive, send)
        case "hang":
            # Never send anything: the client has to give up.
            await _wait_for_end(receive)
        case "reset":
            await reset_connection(scope, receive)
        case "html":
            await page_answer(rule.status)(scope, receive, send)
        case _:
            await make_refusal(rule, rule.status)(scope, receive, send)


async def reset_connection(scope: Scope, receive: Receive) -> None:
    """Close the connection with RST, so that the client sees a reset."""
    transport: asyncio.Transport = scope["state"][TRANSPORT]
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
    await _wait_for_end(receive)


async def _keep_body(scope: Scope, receive: Receive) -> Receive:
    """Read the request's whole body now, and return a `receive` that returns it later."""
    body = await Request(scope, receive).body()

    async def receive_again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _carry_out(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """Let the application handle a request, and return its answer instead of sending it."""
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    # The first message has status and headers, the others have pieces of the body.
    answer = Response(b"".join(message.get("body", b"") for message in messages[1:]), messages[0]["status"])
    answer.raw_headers = messages[0]["headers"]
    return answer


async def _send_pieces(answer: Response, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the first half of an answer, or all of it in single bytes while the client is connected."""
    await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    body = bytes(answer.body)
    for piece in [body[: len(body) // 2]] if rule.effect == "half" else [bytes([byte]) for byte in body]:
        await asyncio.sleep(rule.seconds or 0)
        if scope["state"][TRANSPORT].is_closing():
            break
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if rule.effect == "drip" and not scope["state"][TRANSPORT].is_closing():
        await send({"type": "http.response.body", "body": b""})
        return
    # This is less than Content-Length says. The connection closes once everything was sent.
    scope["state"][TRANSPORT].close()
    await _wait_for_end(receive)


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
