"""A server that stands between a client and a sandbox and may meddle with every request and every answer."""

import contextlib
import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from servers import Sandbox


@dataclass(frozen=True)
class Request:
    """A request; `number` counts those of its method, from 1. `path` is below the base URL."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    number: int

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    def with_body(self, body: Any) -> "Request":
        """The same request with another body."""
        return replace(self, body=json.dumps(body).encode())


@dataclass(frozen=True)
class Answer:
    """An answer."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def with_body(self, body: Any) -> "Answer":
        """The same answer with another body."""
        return replace(self, body=json.dumps(body).encode())


def json_answer(status: int, body: Any, **headers: str) -> Answer:
    """An answer of JSON, or of the bytes given; header names are written with `_` for `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, content, {name.replace("_", "-"): value for name, value in headers.items()})


def error_answer(status: int) -> Answer:
    """The API's way to say that something went wrong."""
    return json_answer(status, {"error": f"trouble number {status}"})


Forward = Callable[[Request], Answer]
Meddle = Callable[[Request, Forward], Answer | None]
"""Answers a request, with the sandbox's help or without; None closes the connection without an answer."""


class Between:
    """The server: its URL, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.all_requests: list[Request] = []
        self._lock = threading.Lock()

    def record_request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Request:
        with self._lock:
            number = 1 + sum(before.method == method for before in self.all_requests)
            request = Request(method, path, headers, body, number)
            self.all_requests.append(request)
            return request

    def requests(self, method: str) -> list[Request]:
        return [request for request in self.all_requests if request.method == method]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, sandbox: Sandbox, meddle: Meddle) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = urlsplit(sandbox.url).netloc
        self.base = urlsplit(sandbox.url).path
        self.meddle = meddle
        self.between = Between(f"http://127.0.0.1:{self.server_address[1]}{self.base}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._answer()

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.removeprefix(self.server.base)
        answer = self.server.meddle(
            self.server.between.record_request(self.command, path, headers, body), self._forward
        )
        if answer is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"content-type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _forward(self, request: Request) -> Answer:
        headers: dict[str, str] = {name: request.headers.get(name, "") for name in ("cookie", "content-type")}
        with contextlib.closing(http.client.HTTPConnection(self.server.host, timeout=30)) as connection:
            connection.request(request.method, self.server.base + request.path, request.body or None, headers)
            answer = connection.getresponse()
            cookies = {name: value for name, value in answer.getheaders() if name == "set-cookie"}
            return Answer(answer.status, answer.read(), cookies)


def answer_with(status: int, *names: str, method: str = "PATCH", landed: bool = False) -> Meddle:
    """Answer requests for some assistants with a status; with `landed`, the sandbox carries them out all the same."""

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method != method or request.path.removeprefix("/assistants/asst_") not in names:
            return forward(request)
        if landed:
            forward(request)
        return error_answer(status)

    return meddle


@contextlib.contextmanager
def between(sandbox: Sandbox, meddle: Meddle) -> Iterator[Between]:
    """Run a server before a sandbox; `meddle` answers in its place, and may ask it."""
    with _Server(sandbox, meddle) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.between
        finally:
            server.shutdown()
            thread.join()
