"""Who may send when: how many requests are in flight, the pause that a 429 means to all, every wait.

Knows nothing of HTTP beyond the text of `Retry-After`, and decides nothing about what is worth a repeat.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_BACKOFF = 20.0
LONGEST_NAMED_WAIT = 60.0
_LOOK_EVERY = 0.05  # seconds between two looks at whether the run is being stopped
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")


class Throttle:
    """Shared by all workers of a run; thread-safe.

    `concurrency` requests at most are in flight. `stopping` ends every wait early. `backoff` is the upper
    bound of the first wait between two attempts, in seconds; it doubles from wait to wait up to
    `LONGEST_BACKOFF`.
    """

    def __init__(self, concurrency: int, *, stopping: Callable[[], bool], backoff: float) -> None:
        self._limit = concurrency  # a limit that adapts to 429s changes this number, under the lock below
        self._stopping = stopping
        self._backoff = backoff
        self._turns = threading.Condition()
        self._in_flight = 0
        self._open_at = 0.0
        self.out_of_patience = False
        """Somebody used up all repeats and nobody got an answer since: one attempt per call will do."""

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for a free place and for the end of a pause, then hold the place.

        Gives True if the request may be sent, False if the run was stopped while a pause was on.
        """
        may_send = self._enter()
        try:
            yield may_send
        finally:
            if may_send:
                with self._turns:
                    self._in_flight -= 1
                    self._turns.notify()

    def _enter(self) -> bool:
        while self.sleep(self._open_at - time.monotonic()):
            with self._turns:
                while self._in_flight >= self._limit:
                    self._turns.wait()
                if self._open_at <= time.monotonic():
                    self._in_flight += 1
                    return True
                self._turns.notify()  # this place stays free while we sleep: somebody else may look at it
        return False

    def pause_all(self, seconds: float) -> None:
        """Let nobody send for that long; a pause that is already on and ends later stays."""
        with self._turns:
            self._open_at = max(self._open_at, time.monotonic() + seconds)

    def backoff(self, attempt: int) -> float:
        """Return the seconds to wait after that attempt (the first is 1): exponential with full jitter."""
        highest = min(LONGEST_BACKOFF, self._backoff * 2 ** min(max(attempt - 1, 0), 30))
        return random.uniform(0, highest)  # noqa: S311 - spreads workers out, guards nothing

    def sleep(self, seconds: float) -> bool:
        """Sleep, at most until the run is being stopped. Returns whether it slept to the end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stopping():
                return False
            time.sleep(min(left, _LOOK_EVERY))
        return True


def named_wait(retry_after: str | None, date: str | None) -> float | None:
    """Read `Retry-After` (RFC 9110, 10.2.3) into seconds from now, at most `LONGEST_NAMED_WAIT`.

    It holds seconds or an HTTP date. `date` is the answer's own `Date`: where there is one a date is measured
    against it, since the two clocks may differ. Returns None where no wait is named, or one that cannot be
    read or is over already.
    """
    text = (retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        at = _http_date(text)
        if at is None:
            return None
        seconds = (at - (_http_date(date or "") or datetime.now(UTC))).total_seconds()
    return min(seconds, LONGEST_NAMED_WAIT) if seconds > 0 else None


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
