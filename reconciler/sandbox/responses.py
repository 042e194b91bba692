"""The forms of the sandbox's answers: JSON below `/api`, pages everywhere else, and the failures of a fault rule."""

import asyncio
import http
import socket
import struct
import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox.fault_rules import Rule
from reconciler.sandbox.jsontext import encode
from reconciler.sandbox.settings import BASE_PATH

# Where our server puts a connection's transport, in the scope's `state`: no ASGI message can reset or half close it.
TRANSPORT = "transport"
# On, and no time to wait: closing throws away what is unsent and sends RST (socket(7), SO_LINGER).
_NO_LINGER = struct.pack("ii", 1, 0)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Agent Builder</title></head>
<body><h1>Agent Builder</h1><p>This is a page. The API is below <code>/api</code>.</p></body>
</html>
"""


def in_api(path: str) -> bool:
    """Return whether a path belongs to the API."""
    return path == BASE_PATH or path.startswith(f"{BASE_PATH}/")


def json_answer(text: str, status: int = 200) -> Response:
    """Return an answer with a JSON text."""
    return Response(text, status, media_type="application/json")


def error_answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the API's error envelope."""
    response = json_answer(encode({"error": message}), status)
    response.headers.update(headers or {})
    return response


def page_answer(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the web application's page."""
    return HTMLResponse(_PAGE, status, headers)


def make_refusal(rule: Rule, status: int) -> Response:
    """Return what a rule answers in the API's error envelope."""
    # Gateways answer statuses of their own, such as 524 of Cloudflare, which HTTP has no phrase for.
    is_standard = status in http.HTTPStatus.__members__.values()
    phrase = http.HTTPStatus(status).phrase if is_standard else "Error"
    return error_answer(status, f"{phrase} (a simulated fault)", rule.retry_after(time.time()))


async def answer_with_fault(rule: Rule, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or do not, as a rule says."""
    delay = rule.seconds if rule.effect == "hang" else None
    if delay and not rule.after:
        # The body is read first: the write lands even if its client has given up in the meantime.
        receive = await _keep_body(scope, receive)
        await asyncio.sleep(delay)
    needs_answer = delay or rule.effect in ("half", "drip")
    answer = await _carry_out(app, scope, receive) if needs_answer or rule.after else Response()
    if not needs_answer and answer.status_code >= 400:
        # The API itself refused the request and wrote nothing, so that what comes after a write does not come.
        await answer(scope, receive, send)
        return
    match rule.effect:
        case "half" | "drip":
            await _send_pieces(answer, rule, scope, receive, send)
        case "hang" if delay:
            await asyncio.sleep(delay if rule.after else 0)
            await answer(scope, receive, send)
        case "hang":
            # Without end: an answer of any kind would be one, so the client has to give up.
            await _wait_for_end(receive)
        case "reset":
            await reset_connection(scope, receive)
        case "html":
            await page_answer(rule.status)(scope, receive, send)
        case _:
            await make_refusal(rule, rule.status)(scope, receive, send)


async def reset_connection(scope: Scope, receive: Receive) -> None:
    """Break the connection off with RST: the client sees it reset."""
    transport: asyncio.Transport = scope["state"][TRANSPORT]
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
    await _wait_for_end(receive)


async def _keep_body(scope: Scope, receive: Receive) -> Receive:
    """Return a `receive` that gives the request's whole body, which is read now."""
    body = await Request(scope, receive).body()

    async def receive_again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _carry_out(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """Let the application handle a request; return its answer, of which nothing is sent."""
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    # The first message has status and headers, the others pieces of the body.
    answer = Response(b"".join(message.get("body", b"") for message in messages[1:]), messages[0]["status"])
    answer.raw_headers = messages[0]["headers"]
    return answer


async def _send_pieces(answer: Response, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the first half of an answer, or all of it in single bytes as long as the client is there."""
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
    # Less than Content-Length promises; the connection closes once all that was sent has left.
    scope["state"][TRANSPORT].close()
    await _wait_for_end(receive)


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
