"""An API that answers 429: the run slows down until it fits, and comes to its end."""

import threading
import time
from collections import Counter

import pytest
from between import Answer, Forward, Request, between, error_answer, json_answer
from projects import Project, statuses
from servers import running_sandbox

from reconciler.api.throttle import Throttle


def count_served(throttle: Throttle, *answers: bool) -> int:
    """Send one request after the other, each of which was welcome or too many; return what may be in flight then."""
    for welcome in answers:
        with throttle.turn() as turn:
            assert turn is not None
            throttle.note(turn, too_many=not welcome)
    return throttle.limit


def test_a_429_halves_what_is_in_flight_and_each_good_round_allows_one_more() -> None:
    throttle = Throttle(16, stopping=lambda: False, backoff=0.01)
    assert count_served(throttle, False) == 8
    assert count_served(throttle, False) == 4
    assert count_served(throttle, *[True] * 3) == 4
    assert count_served(throttle, True) == 5
    assert count_served(throttle, *[True] * 5) == 6
    assert count_served(throttle, *[True] * 500) == 16


def test_those_that_were_sent_at_the_old_pace_count_once() -> None:
    throttle = Throttle(16, stopping=lambda: False, backoff=0.01)
    old = 0
    for _ in range(10):
        throttle.note(old, too_many=True)
        throttle.note(old, too_many=False)
    assert throttle.limit == 8


def test_where_one_at_a_time_is_too_many_they_are_spaced_out() -> None:
    throttle = Throttle(2, stopping=lambda: False, backoff=0.01)
    assert count_served(throttle, False, False) == 1
    began = time.monotonic()
    count_served(throttle, True, True, True)
    assert time.monotonic() - began >= 0.2
    assert count_served(throttle, *[True] * 7) == 1  # the space goes first
    assert count_served(throttle, True) == 2


@pytest.mark.parametrize("named", [True, False])
def test_a_server_that_allows_five_requests_a_second_serves_all(project: Project, named: bool) -> None:
    fleet = 20
    for number in range(fleet):
        project.write(f"a{number:02}", id=f"asst_{number}", name="Live")
    answer_counts: Counter[int] = Counter()
    window = [0.0, 0]
    lock = threading.Lock()

    def meddle(request: Request, forward: Forward) -> Answer:
        with lock:
            now = time.monotonic()
            if now - window[0] >= 1:
                window[:] = [now, 0]
            window[1] += 1
            welcome = window[1] <= 5
            answer_counts[200 if welcome else 429] += 1
        if welcome:
            return forward(request)
        return json_answer(429, {"error": "too many"}, Retry_After="1") if named else error_answer(429)

    seed = {f"asst_{number}": {"name": "Live"} for number in range(fleet)}
    with running_sandbox(seed) as sandbox, between(sandbox, meddle) as server:
        document = project.plan(server.url, retries=4, concurrency=16)
    assert set(statuses(document).values()) == {"in_sync"}
    assert answer_counts[200] == fleet + 1
    assert answer_counts[429] <= fleet
