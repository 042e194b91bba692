"""Caps that answer 429: on the requests in flight, and on those within a time."""

import collections
import contextlib
import time
from collections.abc import Iterator

from reconciler.sandbox.fault_rules import Limit


class Gate:
    """Counts the requests that one limit lets in."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._in_flight = 0
        self._let_in: collections.deque[float] = collections.deque()

    @contextlib.contextmanager
    def request(self) -> Iterator[bool]:
        """Give whether the request may come in; it is in flight until this ends."""
        open_ = self._has_time(self.limit.seconds) if self.limit.seconds else self._in_flight < self.limit.most
        self._in_flight += open_
        try:
            yield open_
        finally:
            self._in_flight -= open_

    def _has_time(self, seconds: int) -> bool:
        """Tell whether fewer requests than the limit were let in lately; one that is let in counts from now on."""
        now = time.monotonic()
        while self._let_in and self._let_in[0] <= now - seconds:
            self._let_in.popleft()
        if len(self._let_in) >= self.limit.most:
            return False
        self._let_in.append(now)
        return True
