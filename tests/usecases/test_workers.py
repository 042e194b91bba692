"""Work on many items at once."""

import subprocess
import sys
import threading

import pytest

from reconciler.usecases.workers import Control, for_each


def test_answers_stand_in_the_order_of_the_items() -> None:
    first, second = threading.Event(), threading.Event()

    def work(item: str) -> str:
        if item == "a":
            assert second.wait(20)
            first.set()
        else:
            second.set()
            assert first.wait(20)
        return item.upper()

    assert for_each("ab", work, Control(concurrency=2), skipped=str) == ["A", "B"]


def test_nothing_to_do() -> None:
    assert for_each([], str, Control(concurrency=5), skipped=str) == []


def test_never_more_at_once_than_allowed() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def work(item: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.005)
        with lock:
            now -= 1

    for_each(range(12), work, Control(concurrency=3), skipped=lambda _: None)
    assert 1 <= most <= 3


def test_what_was_not_started_when_it_stopped_is_skipped() -> None:
    finished: list[int] = []

    def work(item: int) -> str:
        finished.append(item)
        return f"did {item}"

    control = Control(concurrency=1, stopping=lambda: len(finished) == 2)
    answers = for_each(range(4), work, control, skipped=lambda item: f"left {item}")
    assert answers == ["did 0", "did 1", "left 2", "left 3"]


def test_after_what_interrupts_the_calling_thread_nothing_more_is_started() -> None:
    """Such as Ctrl-C in a script or a notebook: that process lives on, and so do its threads."""
    begun: list[int] = []
    go_on = threading.Event()
    before = {*threading.enumerate()}

    def work(item: int) -> None:
        begun.append(item)
        assert item == 0 or go_on.wait(20)

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        for_each(range(9), work, Control(concurrency=2, progress=interrupt), skipped=lambda _: None)
    go_on.set()
    for worker in {*threading.enumerate()} - before:
        worker.join(20)
    assert len(begun) <= 3  # each worker's turn, and the one that the first worker may have begun meanwhile


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the address space")
@pytest.mark.parametrize("threads", [0, 2])
def test_where_the_system_has_no_thread_left_the_others_do_all(threads: int) -> None:
    script = f"""
import resource, threading
from reconciler.usecases.workers import Control, for_each
megabytes = 2**20
pages = int(open("/proc/self/statm").read().split()[0])
used = pages * resource.getpagesize()
# Each thread reserves its stack, of which only some fit.
threading.stack_size(400 * megabytes)
resource.setrlimit(resource.RLIMIT_AS, (used + ({threads} * 400 + 200) * megabytes,) * 2)
names = set()
def work(item):
    names.add(threading.current_thread().name)
    threading.Event().wait(0.05)
    return item + 1
print(for_each(range(20), work, Control(concurrency=10), skipped=lambda _: None) == [*range(1, 21)], len(names))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.stdout == f"True {max(threads, 1)}\n", result.stderr


def test_an_error_in_the_work_ends_it() -> None:
    finished: list[int] = []

    def work(item: int) -> None:
        finished.append(item)
        if item == 1:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        for_each(range(500), work, Control(concurrency=1), skipped=lambda _: None)
    assert finished[:2] == [0, 1]
