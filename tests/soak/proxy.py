"""A proxy for plain HTTP that loses connections: before it has passed a request on, or with the answer to it."""

import contextlib
import http.client
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HOST = "sandbox.test"  # a name that nobody but the proxy knows: to this machine nobody goes through one
_HEADERS = ("cookie", "content-type", "accept-encoding")


class Proxy(ThreadingHTTPServer):
    """Passes every request on to one address. `losing` is the share of connections that it loses."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: str, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.losing = 0.0
        self.lost = 0
        self._open = 0
        self._address = address
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count a connection that was taken."""
        with self._lock:
            self._open += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Count a connection that has ended."""
        super().shutdown_request(request)
        with self._lock:
            self._open -= 1

    def calm(self) -> None:
        """Wait until no connection is open: a client that has given up may have left a write here."""
        until, quiet = time.monotonic() + 30, 0
        while quiet < 3:  # in a row, since one may be waiting to be taken
            if time.monotonic() > until:
                raise TimeoutError("connections through the proxy are still open")
            time.sleep(0.01)
            quiet = 0 if self._open else quiet + 1

    def loses(self) -> bool:
        """Tell whether the next connection is lost, and count it."""
        with self._lock:
            lost = self._chance.random() < self.losing / 2  # asked twice for each request
            self.lost += lost
            return lost

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the answer of the address to a request, and its body."""
        with contextlib.closing(http.client.HTTPConnection(self._address, timeout=30)) as connection:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer, answer.read()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        # A client that has given up, or a server that hangs up: the proxy's own client sees no more than that.
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._pass_on()
            return
        self._lose()

    do_POST = do_PATCH = do_GET  # noqa: N815 - http.server's names

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.server.loses():
            self._lose()
            return
        kept = {name: value for name in _HEADERS if (value := self.headers.get(name))}
        answer, content = self.server.ask(self.command, urlsplit(self.path).path, kept, body)
        if self.server.loses():
            self._lose()
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _lose(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


@contextlib.contextmanager
def running_proxy(url: str, seed: int) -> Iterator[Proxy]:
    """Run a proxy that passes everything on to the host and port of a URL."""
    with Proxy(urlsplit(url).netloc, seed) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
