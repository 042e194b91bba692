"""Who may send when: how many requests are in flight, the pause that a 429 means to all, every wait.

Knows nothing of HTTP beyond the text of `Retry-After`, and decides nothing about what is worth a repeat.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 20.0  # seconds
_GROWTH = 4  # a lone failure costs next to nothing, and a server that is down is soon left in peace
LONGEST_NAMED_WAIT = 60.0
_LEAST_SPACING, _MOST_SPACING = 0.1, 2.0  # seconds between two requests, where one at a time is too many
_BREATH = 1.0  # seconds in which nobody sends then, so that the time is over for which a server counts requests
_LEAST_ROUND, _FASTER = 10, 0.8  # so many successes in a row shorten the spacing by that much
_LOOK_EVERY = 0.05  # seconds between two looks at whether the run is being stopped
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to send one request; `round` says under which pace it was given."""

    round: int


class Throttle:
    """Shared by all workers of a run; thread-safe.

    `concurrency` requests at most are in flight, fewer while the API answers 429: additive increase,
    multiplicative decrease. `stopping` ends every wait early. `backoff` is the upper
    bound of the first wait between two attempts, in seconds; it grows fourfold from wait to wait up to
    `LONGEST_BACKOFF`.
    """

    def __init__(self, concurrency: int, *, stopping: Callable[[], bool], backoff: float) -> None:
        self._most = self._limit = concurrency
        self._spacing = 0.0
        self._next_at = 0.0
        self._round = 0  # counts the times that the pace was lowered
        self._successes = 0
        self._stopping = stopping
        self._backoff = backoff
        self._turns = threading.Condition()
        self._in_flight = 0
        self._open_at = 0.0
        self.out_of_patience = False
        """Somebody used up all repeats and nobody got an answer since: one attempt per call will do."""

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return self._limit

    @contextmanager
    def turn(self) -> Iterator["Turn | None"]:
        """Wait for a free place and for the end of a pause, then hold the place.

        Gives None if the run was stopped while a pause was on: the request may not be sent.
        """
        turn = self._enter()
        try:
            yield turn
        finally:
            if turn is not None:
                with self._turns:
                    self._in_flight -= 1
                    self._turns.notify_all()

    def _enter(self) -> "Turn | None":
        while self.sleep(max(self._open_at, self._next_at) - time.monotonic()):
            with self._turns:
                while self._in_flight >= self._limit:
                    self._turns.wait()
                now = time.monotonic()
                if max(self._open_at, self._next_at) <= now:
                    self._in_flight += 1
                    self._next_at = now + self._spacing
                    return Turn(self._round)
                self._turns.notify()  # this place stays free while we sleep: somebody else may look at it
        return None

    def too_many(self, turn: "Turn") -> None:
        """Learn of a 429: halve the requests in flight; where one at a time is too many, space them out.

        Those that were sent before the pace was lowered last say nothing about the new pace.
        """
        with self._turns:
            if turn.round != self._round:
                return
            self._round += 1
            self._successes = 0
            if self._limit == 1:
                self._spacing = min(max(self._spacing * 2, _LEAST_SPACING), _MOST_SPACING)
                self._open_at = max(self._open_at, time.monotonic() + _BREATH)
            self._limit = max(1, self._limit // 2)

    def welcome(self, turn: "Turn") -> None:
        """Learn of a request that was not too many; a full round of them allows a little more."""
        with self._turns:
            if turn.round != self._round or (self._limit == self._most and not self._spacing):
                return
            self._successes += 1
            if self._successes < max(self._limit, _LEAST_ROUND if self._spacing else 1):
                return
            self._successes = 0
            if self._spacing:
                self._spacing = self._spacing * _FASTER if self._spacing > _LEAST_SPACING else 0.0
            else:
                self._limit += 1
                self._turns.notify()

    def pause_all(self, seconds: float) -> None:
        """Let nobody send for that long; a pause that is already on and ends later stays."""
        with self._turns:
            self._open_at = max(self._open_at, time.monotonic() + seconds)

    def backoff(self, attempt: int) -> float:
        """Return the seconds to wait after that attempt (the first is 1): exponential with full jitter."""
        highest = min(LONGEST_BACKOFF, self._backoff * _GROWTH ** min(max(attempt - 1, 0), 30))
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
