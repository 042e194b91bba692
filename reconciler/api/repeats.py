"""The one place that sends: repeats what failed in a passing way, counts every attempt, reports each.

What may be repeated depends on the call: a read or a login may, whatever happened; a write only if it surely
did not reach the API, because the caller must look at live first
(docs/reference.md, "The network"). Knows nothing of tokens and of JSON.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field

from reconciler import __version__
from reconciler.api.throttle import Throttle, read_retry_after
from reconciler.api.transport import PASSING, Answer, Connection, NoAnswer, Wire, find_kind
from reconciler.dataclass import dataclass
from reconciler.errors import ApiError, ErrorKind, UnclearWrite

LONGEST_NAMED_WAITS = 300.0  # seconds that one call waits in all where 429s name a wait; such a wait is no repeat
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"assistant-reconciler/{__version__}",
}
_STOPPED = NoAnswer("rate_limited", "the run was stopped while it waited for the API", reached=False, passing=False)


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """One logical request and what it has used up."""

    method: str
    path: str
    content: bytes | None = None
    cookie: str = ""
    write: bool = False  # not repeated once it was sent
    once: bool = False  # never repeated, whatever the answer
    unclear: bool = False  # its last answer leaves open whether it was written
    attempts: int = 0
    repeats: int = 0
    named_waits: float = 0.0
    last: Answer | NoAnswer | None = None

    def __str__(self) -> str:
        times = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.method} {self.path}{times}"

    def fail(self, kind: ErrorKind, message: str, *, status: int | None = None, hint: str = "") -> ApiError:
        """Return an error about this call."""
        family = UnclearWrite if self.unclear else ApiError
        return family(kind, f"{self}: {message}", status=status, hint=hint)

    @property
    def headers(self) -> dict[str, str]:
        """What is sent beside the content."""
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        return {**_HEADERS, **cookie, **({} if self.content is None else {"Content-Type": "application/json"})}


@dataclass(kw_only=True)
class Sender:
    """Sends calls over at most as many connections as there are turns, each kept alive. Thread-safe."""

    wire: Wire
    throttle: Throttle
    retries: int
    timeout: float
    stopping: Callable[[], bool]
    on_request: Callable[[RequestNote], None] | None
    # The requests of each method that reached the API, or may have.
    sent: Counter[str] = field(default_factory=lambda: Counter(GET=0, PATCH=0, POST=0))
    _idle: list[Connection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _out_of_patience: bool = False
    _first: threading.Lock = field(default_factory=threading.Lock)
    _started: bool = False
    _final: NoAnswer | None = None

    def send(self, call: Call) -> Answer | NoAnswer:
        """Send the call, again where that makes sense, and return its last answer or failure."""
        while True:
            with self._go_alone_at_first(), self.throttle.turn() as turn:
                if self._final:
                    return self._final
                # Nothing is repeated in a run that is being stopped, and nothing sent while a pause is on. A first
                # attempt without a pause is made all the same: it may be the look at live after the last write.
                if turn is None or (call.last and self.stopping()):
                    return call.last or _STOPPED
                note, result = self._attempt(call, turn)
            if self.on_request is not None:
                self.on_request(note)
            named = _read_named_wait(result)
            seconds = named or self.throttle.backoff(call.repeats + 1)
            # Both concern the whole account: another worker's next request would meet the same answer. A write that is
            # not repeated here is repeated after a look at live, which waits for the end of the pause.
            if named or _is_429(result):
                self.throttle.pause_all(seconds)
            if not _may_repeat(call, result):
                return result
            if self.stopping() or self._is_used_up(call, result, named):
                return result
            self.throttle.sleep(seconds)

    def close(self) -> None:
        """Close all connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _go_alone_at_first(self) -> Iterator[None]:
        # So that a wrong password reaches a proxy once, and not from sixteen threads at the same time.
        if self.wire.proxy and not self._started:
            with self._first:
                if not self._started:
                    try:
                        yield
                    finally:
                        self._started = True
                    return
        yield

    def _attempt(self, call: Call, turn: int) -> tuple[RequestNote, Answer | NoAnswer]:
        call.attempts += 1
        started = time.monotonic()
        result = call.last = self._exchange(call)
        seconds = time.monotonic() - started
        if isinstance(result, NoAnswer) and result.final:
            self._final = result
        if _is_429(result):
            self.throttle.note_too_many(turn)
        else:
            self.throttle.note_welcome(turn)
        if isinstance(result, Answer) or result.reached:
            with self._lock:
                self.sent[call.method] += 1
            if not _is_429(result):
                self._out_of_patience = False
        return _note(call, result, seconds), result

    def _exchange(self, call: Call) -> Answer | NoAnswer:
        # The connection used last is the warmest. A list's pop and append are atomic, so they need no lock.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.wire.open()
        try:
            return connection.exchange(call.method, call.path, call.headers, call.content, self.timeout)
        finally:
            self._idle.append(connection)

    def _is_used_up(self, call: Call, result: Answer | NoAnswer, named: float | None) -> bool:
        """Count the repeat that would come next, and tell whether the call may not have it any more."""
        overloaded = _is_429(result) and named is not None
        unavailable = overloaded or (isinstance(result, NoAnswer) and not result.reached)
        # After one call has used up its repeats, the others get a single attempt until the API answers again.
        if unavailable and self._out_of_patience:
            return True
        # An API that says when to come back is well: such waits have a bound of their own, in seconds.
        if overloaded:
            call.named_waits += named or 0.0
            used_up = call.named_waits > LONGEST_NAMED_WAITS
        else:
            call.repeats += 1
            used_up = call.repeats > self.retries
        if unavailable and used_up:
            self._out_of_patience = True
        return used_up


def _may_repeat(call: Call, result: Answer | NoAnswer) -> bool:
    if call.once:
        return False
    if isinstance(result, NoAnswer):
        return result.passing and not (call.write and result.reached)
    # 425 (RFC 8470) and 429 alone say that nothing was done.
    return result.status in (425, 429) or (result.status in PASSING and not call.write)


def _is_429(result: Answer | NoAnswer) -> bool:
    return isinstance(result, Answer) and result.status == 429


def _read_named_wait(result: Answer | NoAnswer) -> float | None:
    if isinstance(result, NoAnswer) or result.status not in PASSING:
        return None
    return read_retry_after(result.header("retry-after"), result.header("date"))


def _note(call: Call, result: Answer | NoAnswer, seconds: float) -> RequestNote:
    status = result.status if isinstance(result, Answer) else None
    error = result.kind if isinstance(result, NoAnswer) else None if result.ok else find_kind(result.status)
    return RequestNote(
        method=call.method, path=call.path, status=status, seconds=seconds, attempt=call.attempts, error=error
    )
