"""How a signal ends the demo: only while it waits for something, so that tidying up is never cut short."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Notes SIGINT, SIGTERM and SIGHUP from now on, and turns them into SystemExit at `waiting`."""

    def __init__(self) -> None:
        self._number = 0
        self._waits = False
        for number in _SIGNALS:
            signal.signal(number, self._note)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Let a signal, also one that came before, end what stands in the block."""
        self._waits = True
        try:
            self._leave()
            yield
        finally:
            self._waits = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._number = number
        self._leave()

    def _leave(self) -> None:
        if self._waits and self._number:
            raise SystemExit(128 + self._number)
