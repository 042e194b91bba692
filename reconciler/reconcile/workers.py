"""Work on many assistants at once: so many in flight, in the order given, none once the run is stopping."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def nothing(done: int, total: int) -> None:
    """Take a progress report and show it to nobody."""


def for_each(
    items: Sequence[Item],
    work: Callable[[Item], Answer],
    *,
    concurrency: int,
    stopping: Callable[[], bool],
    progress: Callable[[int, int], None] = nothing,
) -> list[Answer | None]:
    """Return what `work` answers for each item, in the items' order; None for those that were never started.

    `progress` is called in the calling thread with the number of items done, and of all.
    """
    if not items:
        return []
    answers: list[Answer | None] = [None] * len(items)
    waiting = iter(enumerate(items))
    ended: SimpleQueue[bool] = SimpleQueue()  # True for each item, False for each worker

    def take_turns() -> None:
        try:
            for index, item in waiting:
                answers[index] = None if stopping() else work(item)
                ended.put(True)
        except BaseException:
            deque(waiting, maxlen=0)  # takes what is left, so that nobody starts it
            raise
        finally:
            ended.put(False)

    # A future for each worker and not for each item: ten thousand of them weigh 14 MB.
    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        workers = [pool.submit(take_turns) for _ in range(min(concurrency, len(items)))]
        done, at_work = 0, len(workers)
        while at_work:
            if ended.get():
                done += 1
                progress(done, len(items))
            else:
                at_work -= 1
    for worker in workers:
        worker.result()
    return answers
