"""How a signal ends the demo: only while it waits for something, so that tidying up is never cut short."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Interrupted(Exception):  # noqa: N818 - it names what happened
    """Somebody asked the demo to stop; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interruption:
    """Notes SIGINT, SIGTERM and SIGHUP from now on, and turns them into Interrupted at `waiting`."""

    def __init__(self) -> None:
        self._number = 0
        self._waits = False
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), self._note)

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
            raise Interrupted(self._number)
