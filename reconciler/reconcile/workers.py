"""Work on many assistants at once: so many in flight, in the order given, none once the run is stopping."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
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

    def start(item: Item) -> Answer | None:
        return None if stopping() else work(item)

    with ThreadPoolExecutor(max_workers=min(concurrency, len(items))) as pool:
        futures = [pool.submit(start, item) for item in items]
        for done, future in enumerate(as_completed(futures), start=1):
            progress(done, len(items))
            if future.exception() is not None:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    return [future.result() for future in futures]
