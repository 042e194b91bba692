import gc
import queue
import threading
from typing import Any

import pytest
from between import Answer, Forward, Request, between
from projects import open_api
from servers import running_sandbox

from reconciler.api.prefetch import Prefetch
from reconciler.errors import ApiError

LONGEST = 10.0  # seconds; a test that waits longer hangs


class Reader:
    """Reads assistants by letting the test decide when each reading ends."""

    def __init__(self) -> None:
        self.begun: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()  # the id, and the thread
        self.may_end = threading.Event()

    def __call__(self, assistant_id: str) -> dict[str, Any]:
        self.begun.put((assistant_id, threading.current_thread().name))
        assert self.may_end.wait(LONGEST)
        if assistant_id == "gone":
            raise ApiError("not_found", "there is no such assistant")
        return {"id": assistant_id}

    @property
    def count(self) -> int:
        return self.begun.qsize()


def test_what_has_begun_is_read_once_and_asked_for_again_it_is_read_again() -> None:
    reader = Reader()
    prefetch = Prefetch(reader, 2, stopping=lambda: False)
    for name in ("a", "b", "a"):
        prefetch.begin(name)
    begun = {reader.begun.get(timeout=LONGEST)[0] for _ in range(2)}
    reader.may_end.set()
    assert begun == {"a", "b"}
    assert prefetch.take("a") == {"id": "a"}
    assert reader.count == 0
    assert prefetch.take("a") == {"id": "a"}
    assert reader.begun.get_nowait() == ("a", threading.current_thread().name)


def test_what_no_worker_has_come_to_is_read_by_who_asks_and_by_nobody_else() -> None:
    reader = Reader()
    prefetch = Prefetch(reader, 1, stopping=lambda: False)
    for name in ("a", "b", "c"):
        prefetch.begin(name)
    assert reader.begun.get(timeout=LONGEST)[0] == "a"
    threading.Timer(0.05, reader.may_end.set).start()
    assert prefetch.take("a") == {"id": "a"}
    assert [prefetch.take(name)["id"] for name in ("c", "b")] == ["c", "b"]
    prefetch.begin("d")
    assert prefetch.take("d") == {"id": "d"}
    names = [reader.begun.get_nowait()[0] for _ in range(reader.count)]
    assert sorted(names) == ["b", "c", "d"]


def test_a_failure_is_raised_where_the_reading_is_taken() -> None:
    reader = Reader()
    reader.may_end.set()
    prefetch = Prefetch(reader, 1, stopping=lambda: False)
    prefetch.begin("gone")
    reader.begun.get(timeout=LONGEST)
    with pytest.raises(ApiError, match="no such assistant"):
        prefetch.take("gone")


def test_a_run_that_is_being_stopped_begins_none() -> None:
    reader = Reader()
    reader.may_end.set()
    is_stopping = threading.Event()
    prefetch = Prefetch(reader, 1, stopping=is_stopping.is_set)
    others = set(threading.enumerate())
    is_stopping.set()
    prefetch.begin("a")
    prefetch.close()
    for worker in set(threading.enumerate()) - others:
        worker.join(LONGEST)
    assert reader.count == 0
    assert prefetch.take("a") == {"id": "a"}


def test_what_waits_to_be_read_at_the_end_of_a_run_is_not_read_any_more() -> None:
    reader = Reader()
    prefetch = Prefetch(reader, 1, stopping=lambda: False)
    others = set(threading.enumerate())
    for name in ("a", "b", "c"):
        prefetch.begin(name)
    (worker,) = set(threading.enumerate()) - others
    assert reader.begun.get(timeout=LONGEST)[0] == "a"
    prefetch.close()
    reader.may_end.set()
    worker.join(LONGEST)
    assert (worker.is_alive(), reader.count) == (False, 0)
    assert prefetch.take("b") == {"id": "b"}


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_reading_that_nobody_takes_leaves_no_connection_open(is_answered: bool) -> None:
    arrived, may_answer = threading.Event(), threading.Event()

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == "GET":
            arrived.set()
            assert may_answer.wait(LONGEST)
        return forward(request)

    with running_sandbox({"asst_1": {}}) as sandbox, between(sandbox, meddle) as server:
        others = set(threading.enumerate())
        with open_api(server.url) as api:
            api.begin_get("asst_1")
            assert arrived.wait(LONGEST)
            (worker,) = (thread for thread in set(threading.enumerate()) - others if thread.name.endswith("(_work)"))
            if is_answered:
                may_answer.set()
        may_answer.set()
        worker.join(LONGEST)
        assert not worker.is_alive()
        # A socket that is still open warns when it is freed, and a warning is an error here.
        del api
        gc.collect()
