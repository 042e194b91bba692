"""The one place that sends: repeats what failed in a passing way, counts every attempt, tells about each.

What may be repeated depends on the call: a read or a login may, whatever happened; a write only if it surely
did not reach the API, because whoever asked for it must look at live first (api.md). Knows nothing of tokens
and of JSON.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying

from reconciler.api.answers import kind_of
from reconciler.api.throttle import Throttle, named_wait
from reconciler.api.transport import Answer, Connection, Failure, Wire
from reconciler.errors import ErrorKind

LONGEST_NAMED_WAITS = 300.0
"""Seconds that one call waits in all where 429s name a wait; such a wait is no repeat."""
_PASSING = frozenset({429, 500, 502, 503, 504})
_STOPPED = Failure("rate_limited", "the run was stopped while the API wanted a pause", reached=False, passing=False)


@dataclass(frozen=True, slots=True)
class RequestNote:
    """One attempt, for `-v`: never a header, never a body. `path` is relative to the base URL."""

    method: str
    path: str
    status: int | None
    seconds: float
    attempt: int
    error: ErrorKind | None


@dataclass(slots=True)
class Call:
    """One logical request and what it has used up.

    A `write` is not repeated once it was sent; what is sent `once` is never repeated, whatever the answer.
    """

    method: str
    path: str
    headers: dict[str, str]
    content: bytes | None = None
    write: bool = False
    once: bool = False
    attempts: int = 0
    repeats: int = 0
    named_waits: float = 0.0
    last: Answer | Failure | None = None


class Sender:
    """Sends calls over at most as many connections as there are turns, each kept alive. Thread-safe."""

    def __init__(
        self,
        wire: Wire,
        throttle: Throttle,
        *,
        retries: int,
        timeout: float,
        stopping: Callable[[], bool],
        on_request: Callable[[RequestNote], None] | None,
    ) -> None:
        self.sent: Counter[str] = Counter(GET=0, PATCH=0, POST=0)
        self._wire = wire
        self._throttle = throttle
        self._retries = retries
        self._timeout = timeout
        self._stopping = stopping
        self._on_request = on_request
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._retrying = Retrying(
            retry=_worth_repeating,
            wait=self._wait,
            stop=self._give_up,
            sleep=self._sleep,
            retry_error_callback=_last,
        )

    def send(self, call: Call) -> Answer | Failure:
        """Send the call, again where that makes sense, and return its last answer or failure."""
        return self._retrying(self._attempt, call)

    def close(self) -> None:
        """Close all connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def _attempt(self, call: Call) -> Answer | Failure:
        with self._throttle.turn() as turn:
            if turn is None or (call.last and self._stopping()):
                return call.last or _STOPPED
            call.attempts += 1
            started = time.monotonic()
            result = call.last = self._exchange(call)
            seconds = time.monotonic() - started
            if _is_429(result):
                self._throttle.too_many(turn)
            else:
                self._throttle.welcome(turn)
        if isinstance(result, Answer) or result.reached:
            with self._lock:
                self.sent[call.method] += 1
            if not _is_429(result):
                self._throttle.out_of_patience = False
        if self._on_request is not None:
            self._on_request(_note(call, result, seconds))
        return result

    def _exchange(self, call: Call) -> Answer | Failure:
        # The connection used last is the warmest. There are never more than turns, however many threads come
        # and go.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._wire.open()
        try:
            return connection.exchange(call.method, call.path, call.headers, call.content, self._timeout)
        finally:
            self._idle.append(connection)

    def _wait(self, attempt: RetryCallState) -> float:
        result = _last(attempt)
        seconds = _named(result) or self._throttle.backoff(_call(attempt).repeats + 1)
        if _is_429(result):
            self._throttle.pause_all(seconds)
        return seconds

    def _give_up(self, attempt: RetryCallState) -> bool:
        """Decide after a failure whether the call has used up what it may."""
        call, result = _call(attempt), _last(attempt)
        if self._stopping():
            return True
        overloaded = _is_429(result) and _named(result) is not None
        unreachable = isinstance(result, Failure) and not result.reached
        if (overloaded or unreachable) and self._throttle.out_of_patience:
            return True
        if overloaded:
            call.named_waits += attempt.upcoming_sleep
            done = call.named_waits > LONGEST_NAMED_WAITS
        else:
            call.repeats += 1
            done = call.repeats > self._retries
        if done and (overloaded or unreachable):
            self._throttle.out_of_patience = True
        return done

    def _sleep(self, seconds: float) -> None:
        self._throttle.sleep(seconds)


def _worth_repeating(attempt: RetryCallState) -> bool:
    call = _call(attempt)
    if attempt.outcome is None or attempt.outcome.failed or call.once:
        return False
    result = _last(attempt)
    if isinstance(result, Failure):
        return result.passing and not (call.write and result.reached)
    return result.status == 429 or (result.status in _PASSING and not call.write)


def _call(attempt: RetryCallState) -> Call:
    call: Call = attempt.args[0]
    return call


def _last(attempt: RetryCallState) -> Answer | Failure:
    result: Answer | Failure = attempt.outcome.result() if attempt.outcome else _STOPPED
    return result


def _is_429(result: Answer | Failure) -> bool:
    return isinstance(result, Answer) and result.status == 429


def _named(result: Answer | Failure) -> float | None:
    if isinstance(result, Failure):
        return None
    return named_wait(result.headers.get("retry-after"), result.headers.get("date"))


def _note(call: Call, result: Answer | Failure, seconds: float) -> RequestNote:
    if isinstance(result, Failure):
        return RequestNote(call.method, call.path, None, seconds, call.attempts, result.kind)
    error = None if 200 <= result.status < 300 else kind_of(result.status)
    return RequestNote(call.method, call.path, result.status, seconds, call.attempts, error)
