"""Limits the time of a whole request, and ends it early if the run is aborted. Knows nothing of HTTP."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import httpcore

from reconciler.dataclass import dataclass

_POLL_INTERVAL = 0.25  # seconds between two checks whether the run was aborted, while waiting for an answer


@dataclass()
class Clock:
    """The deadline of the current attempt, and how far its connection has come."""

    aborted: Callable[[], bool]
    deadline: float = 0.0
    closed: bool = False  # the other side hung up
    has_read: bool = False  # something has arrived since the last write
    steps: int = 0  # one for TCP, and one for each TLS handshake

    def start(self, seconds: float) -> None:
        """Begin an attempt that may take some seconds."""
        self.deadline = time.monotonic() + seconds
        self.closed = False

    def remaining(self, too_late: type[Exception]) -> float:
        """Return the seconds that are left. Raises `too_late` if there are none, or if the run is aborted."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0 or self.aborted():
            raise too_late("the time limit of the request was reached")
        return seconds

    def wait_for(self, step: Callable[[], httpcore.NetworkStream], too_late: type[Exception]) -> httpcore.NetworkStream:
        """Return the stream that a step opens, or raise what it raises; end early like `remaining`."""
        # Nothing can interrupt a hanging system call, so it gets a thread of its own, which is left behind.
        future = Future[httpcore.NetworkStream]()
        try:
            threading.Thread(target=_settle, args=(future, step), daemon=True).start()
        except RuntimeError:  # the system has no thread left
            _settle(future, step)
        try:
            while not future.done():
                wait([future], min(self.remaining(too_late), _POLL_INTERVAL))
        except too_late:
            future.add_done_callback(_close)
            raise
        return future.result()


def _close(future: "Future[httpcore.NetworkStream]") -> None:
    if future.exception() is None:
        future.result().close()


def _settle(future: "Future[httpcore.NetworkStream]", step: Callable[[], httpcore.NetworkStream]) -> None:
    try:
        future.set_result(step())
    except Exception as error:  # noqa: BLE001 - it is raised again by who waits
        future.set_exception(error)


@dataclass()
class TimedBackend(httpcore.SyncBackend):
    """Gives each step the time that is left of the whole attempt; httpcore limits each read and write alone."""

    clock: Clock

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Connect to a host."""
        remaining = self.clock.remaining(httpcore.ConnectTimeout)
        self.clock.steps, self.clock.has_read = 0, False
        connect_tcp = super().connect_tcp

        def connect() -> httpcore.NetworkStream:
            # Python tries the host's addresses one after the other, each for the whole time.
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return connect_tcp(host, port, remaining / len(addresses))

        try:
            stream = self.clock.wait_for(connect, httpcore.ConnectTimeout)
        except UnicodeError:  # Python's error for a host name with a part that is empty or too long
            raise httpcore.ConnectError(f"{host[:40]!r} cannot be a host's name") from None
        except OSError as error:
            raise httpcore.ConnectError(error) from None
        self.clock.steps = 1
        return _TimedStream(stream, self.clock)


@dataclass()
class _TimedStream(httpcore.NetworkStream):
    stream: httpcore.NetworkStream
    clock: Clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # In short steps, because another thread cannot interrupt a hanging read if the run is aborted.
        while True:
            remaining = self.clock.remaining(httpcore.ReadTimeout)
            try:
                chunk = self.stream.read(max_bytes, min(remaining, _POLL_INTERVAL))
            except httpcore.ReadTimeout:
                continue
            self.clock.closed = not chunk
            self.clock.has_read = True
            return chunk

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.clock.has_read = False
        self.stream.write(buffer, self.clock.remaining(httpcore.WriteTimeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        remaining = self.clock.remaining(httpcore.ConnectTimeout)
        stream = self.clock.wait_for(
            lambda: self.stream.start_tls(ssl_context, server_hostname, remaining), httpcore.ConnectTimeout
        )
        self.clock.steps += 1
        return _TimedStream(stream, self.clock)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
