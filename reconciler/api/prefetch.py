"""Reads assistants in the background, while the files of others are still being parsed."""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

Reading = dict[str, Any]
_MOST = 2000  # readings that wait to be taken: each of them costs memory


class Prefetch:
    """Readings that have begun before somebody asks for them. Thread-safe.

    `read` reads one assistant, in up to `workers` threads. Once `stopping()` is true, none begins.
    """

    def __init__(self, read: Callable[[str], Reading], workers: int, *, stopping: Callable[[], bool]) -> None:
        self._read = read
        self._stopping = stopping
        self._idle_workers = workers
        self._readings: dict[str, Future[Reading]] = {}
        self._queue: SimpleQueue[tuple[str, Future[Reading]] | None] = SimpleQueue()

    def begin(self, assistant_id: str) -> None:
        """Begin to read an assistant, in the order of the calls. All of them come from one thread."""
        if assistant_id in self._readings or len(self._readings) >= _MOST:
            return
        future: Future[Reading] = Future()
        self._readings[assistant_id] = future
        self._queue.put((assistant_id, future))
        if self._idle_workers:
            self._idle_workers -= 1
            # Daemons, as in every run: a thread that hangs in a system call must not keep the process from ending.
            # At a limit of the system, whoever takes the reading reads it.
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=self._work, daemon=True).start()
        # A thread that computes gives up the interpreter only every 5 ms, which is too rare for 16 connections.
        time.sleep(0)

    def take(self, assistant_id: str) -> Reading:
        """Return the reading that has begun, once; otherwise read now. Raises what reading raises."""
        future = self._readings.pop(assistant_id, None)
        # If no worker has come to it yet, the caller reads it: it is there already.
        return self._read(assistant_id) if future is None or future.cancel() else future.result()

    def close(self) -> None:
        """Start no more readings, not even those that already wait."""
        for future in [*self._readings.values()]:
            future.cancel()
        self._queue.put(None)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            assistant_id, future = item
            if self._stopping() or not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._read(assistant_id))
            except BaseException as error:  # noqa: BLE001 - it is raised where the reading is taken
                future.set_exception(error)
        self._queue.put(None)  # for the next worker
