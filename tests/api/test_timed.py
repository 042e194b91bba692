"""Waiting for a connection, without a network."""

import threading

import httpcore
import pytest

from reconciler.api.timed import Clock


class LateStream(httpcore.NetworkStream):
    """A stream that tells when it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_a_connection_that_is_there_too_late_is_closed() -> None:
    may_open, stream = threading.Event(), LateStream()

    def connect() -> LateStream:
        assert may_open.wait(30)
        return stream

    clock = Clock(aborted=lambda: True)
    clock.start(30)
    with pytest.raises(httpcore.ConnectTimeout):
        clock.wait_for(connect, httpcore.ConnectTimeout)
    may_open.set()
    assert stream.closed.wait(30)
