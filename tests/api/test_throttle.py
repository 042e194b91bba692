import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reconciler.api.throttle import LONGEST_BACKOFF, LONGEST_NAMED_WAIT, Throttle, read_retry_after

NOON = "Mon, 05 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("7", None, 7.0),
        (" 7 ", None, 7.0),
        ("0.5", None, 0.5),
        ("0.0625", None, 0.0625),
        ("7, 9", None, 7.0),
        ("1767614400", NOON, LONGEST_NAMED_WAIT),  # the moment itself, as some servers name it
        ("3600", None, LONGEST_NAMED_WAIT),
        ("Mon, 05 Jan 2026 12:00:09 GMT", NOON, 9.0),
        ("Mon, 05 Jan 2026 12:00:09 -0000", NOON, 9.0),
        ("Mon, 05 Jan 2026 13:00:00 GMT", NOON, LONGEST_NAMED_WAIT),
        ("0", None, None),
        ("-5", None, None),
        ("9" * 400, None, None),
        ("Mon, 05 Jan 2026 11:59:00 GMT", NOON, None),
        ("Mon, 32 Jan 2026 11:59:00 GMT", NOON, None),
        ("soon", NOON, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_wait_is_named_in_seconds_or_by_a_date(
    retry_after: str | None, date: str | None, seconds: float | None
) -> None:
    assert read_retry_after(retry_after, date) == seconds


def test_a_date_counts_from_now_where_the_answer_has_none() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    wait = read_retry_after(later, "no date")
    assert wait is not None
    assert 0 < wait <= 30


def test_the_backoff_grows_with_jitter_and_has_a_bound() -> None:
    throttle = Throttle(1, stopping=lambda: False, backoff=0.5)
    firsts = {throttle.backoff(1) for _ in range(200)}
    assert len(firsts) > 100
    assert max(firsts) <= 0.5
    assert max(throttle.backoff(3) for _ in range(200)) > 0.5
    assert max(throttle.backoff(1000) for _ in range(50)) <= LONGEST_BACKOFF
    assert throttle.backoff(0) <= 0.5


def test_no_more_turns_than_allowed_at_once() -> None:
    throttle = Throttle(3, stopping=lambda: False, backoff=0.5)
    inside = 0
    most = 0
    lock = threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with throttle.turn() as turn:
            assert turn is not None
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.001)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(60)))
    assert most == 3


def test_a_pause_holds_everybody_and_stopping_ends_it() -> None:
    stop = threading.Event()
    throttle = Throttle(2, stopping=stop.is_set, backoff=0.5)
    throttle.pause_all(3600)
    throttle.pause_all(1)

    def work(_: int) -> bool:
        with throttle.turn() as turn:
            return turn is not None

    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(work, number) for number in range(3)]
        time.sleep(0.1)
        assert not any(answer.done() for answer in answers)
        stop.set()
        assert [answer.result(timeout=10) for answer in answers] == [False] * 3


def test_a_pause_that_comes_while_somebody_waits_for_a_turn_holds_him_too() -> None:
    throttle = Throttle(1, stopping=lambda: False, backoff=0.5)
    began = time.monotonic()

    def second() -> float:
        with throttle.turn():
            return time.monotonic()

    with ThreadPoolExecutor(1) as pool:
        with throttle.turn():
            waiting = pool.submit(second)
            time.sleep(0.05)
            throttle.pause_all(0.3)
        assert waiting.result(timeout=10) - began >= 0.3


def test_writes_are_the_first_after_a_pause() -> None:
    throttle = Throttle(1, stopping=lambda: False, backoff=0.5)
    throttle.pause_all(0.3)
    order: list[bool] = []

    def work(*, first: bool) -> None:
        with throttle.turn(first=first):
            order.append(first)

    with ThreadPoolExecutor(9) as pool:
        for number in range(9):
            pool.submit(work, first=number in (4, 5))
    assert order == [True] * 2 + [False] * 7


def test_sleeping_says_whether_it_came_to_its_end() -> None:
    assert Throttle(1, stopping=lambda: False, backoff=1).sleep(0.01)
    assert not Throttle(1, stopping=lambda: True, backoff=1).sleep(60)
    assert Throttle(1, stopping=lambda: True, backoff=1).sleep(0)
