"""A server on loopback that answers as a test tells it to, down to the bytes, as no proper server would."""

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One request as it arrived. Header names are in lower case."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    at: float

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


Reply = Callable[[socket.socket, Request], bool]
"""Writes an answer; returns whether the connection stays open."""


def build_response(status: int, body: bytes, headers: Headers = {}) -> bytes:  # noqa: B006 - never changed
    lines = [f"HTTP/1.1 {status} Odd", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def answer(status: int, body: Any = None, **headers: str) -> Reply:
    """JSON, or the bytes or text as they are. Header names are written with `_` for `-`."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return raw_reply(build_response(status, content, named), keep=True)


def raw_reply(content: bytes, *, keep: bool = False) -> Reply:
    def send(sock: socket.socket, request: Request) -> bool:
        sock.sendall(content)
        return keep

    return send


def hang_up(sock: socket.socket, request: Request) -> bool:
    return False


def reset(sock: socket.socket, request: Request) -> bool:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def half_reply(status: int, body: bytes) -> Reply:
    return raw_reply(build_response(status, body)[: -len(body) // 2])


def drip(content: bytes, *, every: float = 0.02) -> Reply:
    """One byte at a time, for ever: the last byte again and again, until the client has had enough."""

    def send(sock: socket.socket, request: Request) -> bool:
        position = 0
        while True:
            sock.sendall(content[position : position + 1])
            position = min(position + 1, len(content) - 1)
            time.sleep(every)

    return send


def silence(sock: socket.socket, request: Request) -> bool:
    sock.settimeout(20)
    sock.recv(1)
    return False


def gzip_bomb(megabytes: int) -> Reply:
    packed = gzip.compress(b'{"id": "' + b"x" * (megabytes * 1024 * 1024) + b'"}')
    return answer(200, packed, Content_Encoding="gzip")


class OddServer:
    """Replies to each method and path with its script, one reply after the other, the last one for ever."""

    def __init__(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        self.url = f"{self.origin}/api"
        self.all_requests: list[Request] = []
        self.connections = 0
        self.most_in_flight = 0
        self.latency = 0.0
        self.hang_up_on = 0
        """That many connections are closed before anything is read from them."""
        self._scripts: dict[tuple[str, str], list[Reply]] = {}
        self._listener = listener
        self._tls = tls
        self._lock = threading.Lock()
        self._in_flight = 0
        self._open: set[socket.socket] = set()

    def on(self, request: str, *replies: Reply) -> None:
        """Script the replies to `METHOD /path`; the path is the one below the base URL, or `*`."""
        method, path = request.split(" ")
        self._scripts[method, path] = list(replies)

    def requests(self, method: str, path: str = "") -> list[Request]:
        with self._lock:
            return [
                request for request in self.all_requests if request.method == method and request.path.endswith(path)
            ]

    def all_closed(self, timeout: float) -> bool:
        """Wait until the clients have closed all connections."""
        until = time.monotonic() + timeout
        while self._open and time.monotonic() < until:
            time.sleep(0.005)
        return not self._open

    def serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                dropped = self.hang_up_on > 0
                self.hang_up_on -= dropped
                self._open |= set() if dropped else {sock}
            if dropped:
                sock.close()
                continue
            threading.Thread(target=self._talk, args=(sock, number), daemon=True).start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for sock in left:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _talk(self, plain: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), plain, self._wrap(plain) as sock, sock.makefile("rb") as file:
            while True:
                request = _read_request(file, number)
                if request is None:
                    break
                with self._lock:
                    self.all_requests.append(request)
                    self._in_flight += 1
                    self.most_in_flight = max(self.most_in_flight, self._in_flight)
                    reply = self._next(request)
                time.sleep(self.latency)
                with self._lock:  # counted out before the answer is on its way, or the next request overtakes it
                    self._in_flight -= 1
                if not reply(sock, request):
                    break
        with self._lock:
            self._open.discard(plain)

    def _wrap(self, plain: socket.socket) -> socket.socket:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._tls.wrap_socket(plain, server_side=True) if self._tls else plain

    def _next(self, request: Request) -> Reply:
        script = self._scripts.get((request.method, request.path.removeprefix("/api")))
        script = script or self._scripts.get((request.method, "*"))
        if not script:
            return answer(404, {"error": "nothing here"})
        return script.pop(0) if len(script) > 1 else script[0]


def _read_request(file: Any, number: int) -> Request | None:
    first = file.readline().decode("latin-1").split(" ")
    if len(first) != 3 or not first[0].isupper():
        return None  # the end of the connection, or the beginning of a TLS handshake
    method, path, _ = first
    headers = []
    while line := file.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers.append((name.lower(), value.strip()))
    length = int(dict(headers).get("content-length", "0"))
    return Request(method, path, headers, file.read(length), number, time.monotonic())


@contextlib.contextmanager
def odd_server(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[OddServer]:
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        server = OddServer(listener, tls)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join(10)
