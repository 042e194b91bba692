"""Sends every request: repeats temporary failures, counts and reports each attempt.

After a temporary failure, a read or a login may always be repeated. Before a write is repeated, the caller must read
live again (docs/reference.md, "The network"). Knows nothing about tokens and JSON.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field

from reconciler.api.results import REFUSALS, Answer, NoAnswer
from reconciler.api.throttle import Throttle, read_retry_after
from reconciler.api.transport import Connection, Wire
from reconciler.core.ports import ApiLimits
from reconciler.dataclass import dataclass
from reconciler.errors import ApiError, ErrorKind, UnclearWrite

LONGEST_NAMED_WAITS = 300.0  # seconds, in total for one call: waits that a 429 asks for, which do not count as repeats
_STOPPED = NoAnswer(
    "rate_limited",
    "the run was stopped while it waited for the API",
    reached=False,
    temporary=False,
    hint="run this again",
)
_PAUSED = NoAnswer(
    "rate_limited",
    "the API asked for a pause, and nothing was sent",
    reached=False,
    hint="plan again, and look at what has changed since",
)


@dataclass(slots=True)
class Call:
    """One logical request, with its attempts and its last result."""

    method: str
    path: str
    content: bytes | None = None
    cookie: str = ""
    write: bool = False  # not repeated here
    once: bool = False  # never repeated, whatever the answer
    attempts: int = 0
    needs_look: bool = False  # a write: nothing was done, and it may be sent once live was read again
    repeats: int = 0
    retry_after_waits: float = 0.0
    last_result: Answer | NoAnswer | None = None

    def __str__(self) -> str:
        suffix = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.method} {self.path}{suffix}"

    def fail(self, kind: ErrorKind, message: str, *, hint: str = "") -> ApiError:
        """Return an error about this call and its last result."""
        result = self.last_result
        # A write whose result does not say if it was carried out.
        is_unclear = self.write and result and result.reached and result.status not in REFUSALS
        error_class = UnclearWrite if is_unclear else ApiError
        return error_class(kind, f"{self}: {message}", status=result.status if result else None, hint=hint)


@dataclass()
class Sender:
    """Sends calls over connections that are kept alive, one for each turn of the throttle. Thread-safe."""

    wire: Wire
    throttle: Throttle
    limits: ApiLimits
    stopping: Callable[[], bool]
    on_request: Callable[[str], None] | None  # gets a line about each attempt, without what may contain a secret
    # The requests of each method that reached the API, or may have.
    sent: Counter[str] = field(default_factory=lambda: Counter(GET=0, PATCH=0, POST=0))
    _idle: list[Connection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _retries_exhausted: bool = False
    _first_request: threading.Lock = field(default_factory=threading.Lock)
    _has_started: bool = False
    _is_closed: bool = False
    _final_failure: NoAnswer | None = None

    def send(self, call: Call) -> Answer | NoAnswer:
        """Send the call, repeat it if that may help, and return its last answer or failure."""
        # Whatever the call got before, the caller has dealt with.
        call.needs_look, call.last_result, began = False, None, time.monotonic()
        while True:
            result, wait = self._take_turn(call, began)
            if wait is None:
                return result
            self.throttle.sleep(wait)
            if call.write:
                call.needs_look = True
                return result

    def _take_turn(self, call: Call, began: float) -> tuple[Answer | NoAnswer, float | None]:
        """Return what one attempt gets, and the seconds to wait before the next one; None if there is to be none."""
        with self._serialize_first_request(), self.throttle.turn(first=call.write) as turn:
            if self._final_failure:
                call.last_result = self._final_failure
                return self._final_failure, None
            # Once the run is being stopped, nothing is repeated, and no pause is awaited. A first attempt is still made
            # if there is no pause: it may be the read after the last write.
            if turn is None or (call.attempts and self.stopping()):
                return call.last_result or _STOPPED, None
            # Another call may have begun a pause since live was read for this write.
            if call.write and not call.once and self.throttle.was_held(began):
                call.needs_look = True
                return _PAUSED, None
            line, result = self._attempt(call, turn)
        if self.on_request is not None:
            self.on_request(line)
        retry_after = None
        if isinstance(result, Answer) and result.temporary:
            retry_after = read_retry_after(result.header("retry-after"), result.header("date"))
        seconds = retry_after or self.throttle.backoff(call.repeats + 1)
        # Both concern the whole account: every other request would get the same answer. A write that is not repeated
        # here is repeated after live was read again, and that read waits for the end of the pause.
        if retry_after or result.status == 429:
            self.throttle.pause_all(seconds)
        is_last = not _may_repeat(call, result) or self.stopping() or self._is_exhausted(call, result, retry_after)
        return result, None if is_last else seconds

    def close(self) -> None:
        """Close all connections, each as soon as it is not in use."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _serialize_first_request(self) -> Iterator[None]:
        # A wrong password must reach a proxy only once, not from sixteen threads at the same time.
        if self.wire.proxy and not self._has_started:
            with self._first_request:
                if not self._has_started:
                    try:
                        yield
                    finally:
                        self._has_started = True
                    return
        yield

    def _attempt(self, call: Call, turn: int) -> tuple[str, Answer | NoAnswer]:
        call.attempts += 1
        started = time.monotonic()
        result = call.last_result = self._exchange(call)
        seconds = time.monotonic() - started
        if isinstance(result, NoAnswer) and result.final:
            self._final_failure = result
        self.throttle.note(turn, too_many=result.status == 429)
        if result.reached:
            with self._lock:
                self.sent[call.method] += 1
            if result.status != 429:
                self._retries_exhausted = False
        outcome = result.kind if isinstance(result, NoAnswer) else result.status
        repeat = f", attempt {call.attempts}" if call.attempts > 1 else ""
        return f"{call.method} {call.path} {outcome} ({seconds:.3f} s{repeat})", result

    def _exchange(self, call: Call) -> Answer | NoAnswer:
        # The connection that was used last is the least likely to have been closed. `pop` and `append` are atomic.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Connection(self.wire, self.limits.timeout)
        headers = {"Cookie": call.cookie} if call.cookie else {}
        try:
            return connection.exchange(call.method, call.path, headers, call.content)
        finally:
            self._idle.append(connection)
            if self._is_closed:
                self.close()

    def _is_exhausted(self, call: Call, result: Answer | NoAnswer, retry_after: float | None) -> bool:
        """Count the next repeat, and return whether the call has no repeats left."""
        overloaded = result.status == 429 and retry_after is not None
        unavailable = overloaded or not result.reached
        # After one call has used up its repeats, the others get one attempt each until the API answers again.
        if unavailable and self._retries_exhausted:
            return True
        # An API that says when to come back is working, so these waits have their own limit, in seconds.
        if overloaded:
            call.retry_after_waits += retry_after or 0.0
            is_exhausted = call.retry_after_waits > LONGEST_NAMED_WAITS
        else:
            call.repeats += 1
            is_exhausted = call.repeats > self.limits.retries
        if unavailable and is_exhausted:
            self._retries_exhausted = True
        return is_exhausted


def _may_repeat(call: Call, result: Answer | NoAnswer) -> bool:
    # Only 425 (RFC 8470) and 429 say that nothing was done.
    is_safe = not (call.write and result.reached) or result.status in (425, 429)
    return result.temporary and is_safe and not call.once
