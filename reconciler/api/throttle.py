"""Limits the rate: the number of requests in flight, the common pause after a 429, and every wait."""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 20.0  # seconds
# One failure costs almost no time, and a server that is down soon gets few requests.
_GROWTH = 4
LONGEST_NAMED_WAIT = 60.0
_FIRST_PAUSE = 0.02  # the first pause, as a part of the whole time: 0.1 of 5 seconds allows seven looks
# Seconds between two requests if even one at a time is too many.
_LEAST_SPACING, _MOST_SPACING = 0.1, 2.0
# Seconds in which nobody sends then: servers usually count the requests within one second.
_PAUSE_FOR_WINDOW = 1.0
_LEAST_ROUND, _FASTER = 10, 0.8  # after so many successes in a row, the spacing gets shorter by this factor
_POLL_INTERVAL = 0.05  # seconds between two checks whether the run is being stopped
# Several headers are joined: a gateway may add its own, and the first of them counts.
_SECONDS = re.compile(r"([0-9]{1,99}(?:\.[0-9]{1,99})?)(?:,.*)?")


class Throttle:
    """Shared by all workers of a run; thread-safe.

    At most `concurrency` requests are in flight, and fewer while the API answers 429 (additive increase, multiplicative
    decrease, as in TCP). `stopping` ends every wait early. `backoff` is the longest first wait between two attempts, in
    seconds; each further wait may be four times as long, up to `LONGEST_BACKOFF`.
    """

    def __init__(self, concurrency: int, *, stopping: Callable[[], bool], backoff: float) -> None:
        self.limit = concurrency  # how many requests may be in flight at the moment
        self._max_limit = concurrency
        self._spacing = 0.0
        self._next_at = 0.0
        self._pace = 0  # how often the pace was lowered
        self._successes = 0
        self._stopping = stopping
        self._backoff = backoff
        self._turns = threading.Condition()
        self._in_flight = 0
        self._first_waiting = 0
        self._open_at = 0.0

    @contextmanager
    def turn(self, *, first: bool = False) -> Iterator[int | None]:
        """Wait for a free slot and hold it. Yields the number of the pace, or None if the run was stopped.

        With `first`, before all others that wait and regardless of the current limit: what was read before a write must
        not become outdated.
        """
        with self._turns:
            self._first_waiting += first
        try:
            turn = self._enter(first=first)
        finally:
            with self._turns:
                self._first_waiting -= first
                self._turns.notify_all()
        try:
            yield turn
        finally:
            if turn is not None:
                with self._turns:
                    self._in_flight -= 1
                    self._turns.notify_all()

    def _enter(self, *, first: bool) -> int | None:
        # Sleeping happens outside the lock, so everything is checked again afterwards, under the lock.
        while self.sleep(max(self._open_at, self._next_at) - time.monotonic()):
            with self._turns:
                while self._in_flight >= (self._max_limit if first else 0 if self._first_waiting else self.limit):
                    self._turns.wait()
                now = time.monotonic()
                if max(self._open_at, self._next_at) <= now:
                    self._in_flight += 1
                    self._next_at = now + self._spacing
                    return self._pace
                # This thread was woken for a free slot but does not take it yet, so wake another one.
                self._turns.notify()
        return None

    def note(self, turn: int, *, too_many: bool) -> None:
        """Note an answer: a 429 (`too_many`) lowers the pace, and a full round without one raises it a little."""
        with self._turns:
            # A request that was sent before the pace was last lowered says nothing about the new pace.
            if turn != self._pace:
                return
            self._successes += 1
            if too_many:
                self._pace += 1
                self._successes = 0
                # If one request at a time is too many, they are spaced out.
                if self.limit == 1:
                    self._spacing = min(max(self._spacing * 2, _LEAST_SPACING), _MOST_SPACING)
                    self._open_at = max(self._open_at, time.monotonic() + _PAUSE_FOR_WINDOW)
                self.limit = max(1, self.limit // 2)
            elif self._successes >= max(self.limit, _LEAST_ROUND if self._spacing else 1):
                self._successes = 0
                # The reverse of slowing down: first the spacing shrinks, then the limit grows.
                if self._spacing:
                    self._spacing = self._spacing * _FASTER if self._spacing > _LEAST_SPACING else 0.0
                elif self.limit < self._max_limit:
                    self.limit += 1
                    self._turns.notify()

    def pause_all(self, seconds: float) -> None:
        """Pause all requests for so many seconds, unless a pause that ends later has already begun."""
        with self._turns:
            self._open_at = max(self._open_at, time.monotonic() + seconds)

    def was_held(self, since: float) -> bool:
        """Return whether a caller that has waited since then was delayed by a pause, and not only for a moment."""
        return self._open_at > since + _PAUSE_FOR_WINDOW

    def backoff(self, attempt: int) -> float:
        """Return the seconds to wait after an attempt, counted from 1: exponential, with full jitter."""
        # With full jitter, threads that failed together do not come back together.
        highest = min(LONGEST_BACKOFF, self._backoff * _GROWTH ** min(max(attempt - 1, 0), 30))
        return random.uniform(0, highest)  # noqa: S311 - no secret

    def poll(self, seconds: float) -> Iterator[None]:
        """Yield immediately, then after growing pauses, until the time is over or the run is being stopped."""
        deadline, pause = time.monotonic() + seconds, seconds * _FIRST_PAUSE
        yield
        while (remaining := deadline - time.monotonic()) > 0 and self.sleep(min(pause, remaining)):
            yield
            pause *= 2

    def sleep(self, seconds: float) -> bool:
        """Sleep, at most until the run is being stopped. Returns whether it slept to the end."""
        # In short steps, because a signal only sets a flag and wakes no thread.
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            if self._stopping():
                return False
            time.sleep(min(remaining, _POLL_INTERVAL))
        return True


def read_retry_after(retry_after: str | None, date: str | None) -> float | None:
    """Read `Retry-After` (RFC 9110, 10.2.3) into seconds from now, at most `LONGEST_NAMED_WAIT`.

    It contains seconds or an HTTP date; `date` is the answer's own `Date`. Returns None if there is no wait, or one
    that cannot be read or is already over.
    """
    text = (retry_after or "").strip()
    if match := _SECONDS.fullmatch(text):
        seconds = float(match[1])
    else:
        moment = parse_http_date(text)
        if moment is None:
            return None
        # Only the difference counts. Use the server's own clock if it is known, because ours may be minutes off.
        seconds = (moment - (parse_http_date(date or "") or datetime.now(UTC))).total_seconds()
    return min(seconds, LONGEST_NAMED_WAIT) if seconds > 0 else None


def parse_http_date(text: str) -> datetime | None:
    """Read a date from HTTP (RFC 9110, 5.6.7) or from a cookie; None for anything else."""
    from email.utils import parsedate_to_datetime  # slow to load, and most runs meet no date

    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
