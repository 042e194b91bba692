"""Works on many assistants at once, in the given order, and starts none once the run is stopping."""

import itertools
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

from reconciler.dataclass import dataclass

Item = TypeVar("Item")
Answer = TypeVar("Answer")
LOOK_EVERY = 0.2  # seconds between two looks at whether to go on waiting
PATIENCE = 1.0  # seconds that workers have to notice that the run was aborted


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """The control of a run."""

    concurrency: int = 16  # requests in flight
    fail_fast: bool = False  # after a failure no further assistant is written
    stopping: Callable[[], bool] = lambda: False  # nothing new is started
    aborted: Callable[[], bool] = lambda: False  # what is in flight is not awaited
    progress: Callable[[int, int], None] = lambda _done, _total: None  # called in the calling thread


DEFAULT_CONTROL = Control()


def for_each(
    items: Sequence[Item],
    work: Callable[[Item], Answer],
    control: Control,
    *,
    skipped: Callable[[Item], Answer],
    abandoned: Callable[[Item], Answer] | None = None,
) -> list[Answer]:
    """Return what `work` answers for each item, else `skipped`; `abandoned` if left behind by an aborted run."""
    # The calling thread waits for one queue. It alone shows progress and raises errors. A worker notes an item before
    # it works on it, so an aborted run knows which items may have been sent.
    answers = [*map(skipped, items)]
    begun: set[int] = set()
    indices = itertools.count()  # shared: no two workers get the same one
    broken = threading.Event()
    finished: SimpleQueue[int | BaseException | None] = SimpleQueue()  # an item, what broke a worker, or its end

    def take_turns() -> None:
        try:
            while not broken.is_set() and (index := next(indices)) < len(items):
                if not control.stopping():
                    begun.add(index)
                    answers[index] = work(items[index])
                finished.put(index)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the calling thread
            broken.set()
            finished.put(error)
        finally:
            finished.put(None)

    # Daemons: a worker that hangs in a system call must not keep an aborted run from ending.
    workers = [threading.Thread(target=take_turns, daemon=True) for _ in range(min(control.concurrency, len(items)))]
    try:
        at_work = sum(map(_start, workers))
        if workers and not at_work:
            take_turns()
            at_work = 1
        open_items = _await(finished, len(items), at_work, control)
    finally:
        # A caller's signal handler may raise here, as Ctrl-C does in a notebook. The workers must not outlive the call.
        broken.set()
    results = list(answers)
    for index in open_items & begun:
        results[index] = (abandoned or skipped)(items[index])
    return results


def _start(worker: threading.Thread) -> bool:
    """Return whether a worker has started. At a limit of the system, those that have started take over its turns."""
    # An error would end the run with writes in flight that are neither reported nor recorded.
    try:
        worker.start()
    except RuntimeError:
        return False
    return True


def _await(finished: SimpleQueue[int | BaseException | None], items: int, workers: int, control: Control) -> set[int]:
    """Wait for all workers, and return the items that nobody ended: none, unless the run was aborted."""
    open_items, at_work, abort_requests = set(range(items)), workers, 0
    broken: BaseException | None = None
    while at_work and abort_requests * LOOK_EVERY < PATIENCE:
        try:
            event = finished.get(timeout=LOOK_EVERY)
        except Empty:
            abort_requests += control.aborted()
            continue
        if isinstance(event, int):
            open_items.discard(event)
            control.progress(items - len(open_items), items)
        elif event is None:
            at_work -= 1
        else:
            broken = event
    if broken is not None:
        raise broken
    return open_items if at_work else set()
