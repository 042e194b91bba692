"""Limits the time of a piece of work that nobody can foresee: some patterns need years for a text of a line."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Final

_SECONDS: Final = 1.0  # of the processor


@contextlib.contextmanager
def limit_time() -> Iterator[None]:
    """Raise TimeoutError in the block if it takes more than a second; on Windows and in a thread never."""
    # A search for a pattern ends at nothing but a signal, which Windows lacks and only the main thread gets.
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
