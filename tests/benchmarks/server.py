"""A lean local API: login, GET and PATCH with a latency, and a count of what came. Runs in a process of its own.

It does next to nothing per request, so that what is measured is the client. It checks neither bodies nor
cookies; the sandbox does. Each line on stdin is answered with the counts since the last one, as a line of
JSON; when stdin ends the server does, so that nothing is left running.

    python -m benchmarks.server LIVE.jsonl LATENCY_MS FAIL_EVERY

FAIL_EVERY 20 answers 503 to the 20th request, the 40th, ...; 0 to none.
"""

import asyncio
import collections
import dataclasses
import json
import selectors
import sys
import threading
from pathlib import Path
from typing import Any

BASE_PATH = "/api"
COOKIE = "auth-token=benchmark"


@dataclasses.dataclass
class Counts:
    """What came since the last time that somebody asked."""

    calls: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    connections: int = 0
    in_flight: int = 0
    most_in_flight: int = 0

    def to_json(self) -> str:
        """Return the counts as JSON."""
        counts = {name: getattr(self, name) for name in ("connections", "most_in_flight")}
        return json.dumps({**counts, "calls": dict(self.calls)})


class Api:
    """The assistants, each as the bytes that GET answers."""

    def __init__(self, live: Path, latency: float, fail_every: int = 0) -> None:
        self.latency = latency
        self._fail_every = fail_every
        self._request_count = 0
        self.counts = Counts()
        with live.open("rb") as lines:
            self._assistants = {json.loads(line)["id"]: line.rstrip(b"\n") for line in lines}

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """Return a whole HTTP answer."""
        self._request_count += 1
        if self._fail_every and self._request_count % self._fail_every == 0:
            return _http("503 Service Unavailable", b'{"error": "try again"}')
        if (method, path) == ("POST", f"{BASE_PATH}/auth/login"):
            user = {"message": "ok", "user": {"id": "user_1", "email": "", "name": "", "role": "ADMIN"}}
            return _http("200 OK", json.dumps(user).encode(), f"Set-Cookie: {COOKIE}; Path=/; HttpOnly\r\n")
        id_ = path.removeprefix(f"{BASE_PATH}/assistants/")
        if id_ not in self._assistants or method not in ("GET", "PATCH"):
            return _http("404 Not Found", b'{"error": "no such assistant"}')
        if method == "PATCH":
            self._assistants[id_] = json.dumps(json.loads(self._assistants[id_]) | json.loads(body)).encode()
        return _http("200 OK", self._assistants[id_])


class Conversation(asyncio.Protocol):
    """One kept-alive connection: requests one after the other, each answered after the latency."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._received = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        self._transport = transport
        self._api.counts.connections += 1

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; a whole one is answered."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        sizes = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
        if len(body) < int(sizes[0] if sizes else 0):
            return
        self._received.clear()
        method, path, _ = lines[0].split(" ")
        counts = self._api.counts
        counts.calls[method] += 1
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        answer = self._api.answer(method, path, bytes(body))
        asyncio.get_running_loop().call_later(self._api.latency, self._send, answer)

    def _send(self, answer: bytes) -> None:
        self._api.counts.in_flight -= 1
        self._transport.write(answer)


def _http(status: str, body: bytes, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


async def serve(api: Api) -> None:
    """Serve on a free loopback port, say which on stdout, and end when stdin does."""
    loop = asyncio.get_running_loop()
    stdin_ended = asyncio.Event()

    async def take_counts() -> str:
        counts = api.counts.to_json()
        api.counts = Counts(in_flight=api.counts.in_flight)
        return counts

    def listen_to_stdin() -> None:
        for _ in sys.stdin:
            print(asyncio.run_coroutine_threadsafe(take_counts(), loop).result(), flush=True)
        loop.call_soon_threadsafe(stdin_ended.set)

    server = await loop.create_server(lambda: Conversation(api), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=listen_to_stdin, daemon=True).start()
    await stdin_ended.wait()


def main() -> None:
    """Run the server that the command line asks for."""
    live, latency, fail_every = sys.argv[1:]
    # epoll, the usual choice, rounds each wait up to a whole millisecond: with it the latency would not be as said.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(serve(Api(Path(live), float(latency) / 1000, int(fail_every))))


if __name__ == "__main__":
    main()
