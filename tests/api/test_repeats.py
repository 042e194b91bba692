import contextlib
import functools
import gzip
import itertools
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from odd_client import ASSISTANT, check_no_secret, client, token_credentials
from odd_server import OddServer, Reply, Request, answer, half_reply, hang_up, odd_server, raw_reply, reset, silence

from reconciler.api.client import AssistantsApi
from reconciler.core.ports import ApiLimits
from reconciler.errors import ApiError, ErrorKind, UnclearWrite

YES = answer(200, ASSISTANT)
BROKEN = answer(500, {"error": "broken"})
PASSING = [
    *(BROKEN, answer(502, "<html>"), answer(503, ""), answer(504, ""), answer(429, {}), hang_up, reset),
    *(answer(status, "<html>") for status in (408, 425, 507, 520, 522, 524, 529, 530, 599)),
]


@pytest.fixture
def server() -> Iterator[OddServer]:
    with odd_server() as running:
        yield running


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def patch_error(api: AssistantsApi) -> ApiError:
    with api, pytest.raises(ApiError) as error_info:
        api.patch("asst_1", {"name": "x"}, live_id="asst_1")
    return check_no_secret(error_info.value)


PACKED = gzip.compress(b'{"id": "asst_1"}')


@pytest.mark.parametrize(
    "reply",
    [
        *(*PASSING, half_reply(200, b'{"id": "asst_1"}')),
        *(answer(200, PACKED[:length], Content_Encoding="gzip") for length in (5, -12, -1)),
        # The status says it all, whatever the body is.
        *(answer(status, "<html>", Content_Encoding=coding) for status in (429, 503, 524) for coding in ("gzip", "br")),
        *(half_reply(503, b"<html>"), answer(500, b"x" * (8 * 1024 * 1024 + 1))),
    ],
)
def test_a_read_is_repeated_after_a_passing_failure(server: OddServer, reply: Reply) -> None:
    server.on("GET *", reply, reply, YES)
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT
        assert api.calls["GET"] == 3


@pytest.mark.parametrize("status", [400, 403, 404, 409, 418, 422, 499, 501, 505])
def test_what_will_not_pass_is_not_repeated(server: OddServer, status: int) -> None:
    server.on("GET *", answer(status, {"error": "no"}))
    with client(server) as api, pytest.raises(ApiError, match=str(status)):
        api.get("asst_1")
    assert len(server.all_requests) == 1


@pytest.mark.parametrize("reply", [answer(422, "<html>", Content_Encoding="gzip"), half_reply(403, b"<html>")])
def test_a_write_that_is_refused_is_refused_whatever_the_body_is(server: OddServer, reply: Reply) -> None:
    server.on("PATCH *", reply)
    error = patch_error(client(server))
    assert not isinstance(error, UnclearWrite)
    assert error.status in (403, 422)


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_attempts_are_bounded_counted_and_told(server: OddServer, retries: int) -> None:
    server.on("GET *", BROKEN)
    with client(server, retries=retries) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert len(server.all_requests) == retries + 1
    attempts_told = f"(after {retries + 1} attempts)" in error_info.value.message
    assert attempts_told == (retries > 0)


def test_a_time_out_is_repeated_and_told(server: OddServer) -> None:
    server.on("GET *", silence)
    with client(server, timeout=0.2, retries=1) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert error_info.value.kind == "timeout"
    assert "(after 2 attempts): no complete response from" in error_info.value.message
    assert "within 0.2 s" in error_info.value.message
    assert "--timeout" in error_info.value.hint
    assert len(server.all_requests) == 2


def test_a_refused_connection_names_the_url_and_was_not_a_call() -> None:
    url = f"http://127.0.0.1:{unused_port()}/api"
    with AssistantsApi(url, token_credentials(), ApiLimits(retries=2), backoff=0.01) as api:
        with pytest.raises(ApiError) as error_info:
            api.get("asst_1")
        assert dict(api.calls) == {"GET": 0, "PATCH": 0, "POST": 0}
        assert error_info.value.kind == "network"
        assert "(after 3 attempts): no connection to http://127.0.0.1:" in error_info.value.message
        assert "refused" in error_info.value.message
        assert url in error_info.value.hint
        # Everybody else finds out with a single attempt: nobody has answered since.
        with pytest.raises(ApiError) as error_info:
            api.get("asst_2")
        assert "attempts" not in error_info.value.message


def test_an_api_that_comes_back_is_given_patience_again() -> None:
    lines: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = (f"http://127.0.0.1:{port}/api", token_credentials(), ApiLimits(retries=1))
    with AssistantsApi(*options, on_request=lines.append, backoff=0.01) as api:
        with pytest.raises(ApiError):
            api.get("asst_1")
        with odd_server(port) as server:
            server.on("GET *", YES)
            api.get("asst_1")
        with pytest.raises(ApiError, match="after 2 attempts"):
            api.get("asst_1")
    assert [line.split()[2] for line in lines[:3]] == ["network", "network", "200"]


@pytest.mark.parametrize(
    "reply",
    [
        *(BROKEN, answer(503, ""), hang_up, reset, half_reply(200, b'{"id": "a"}'), silence),
        *(answer(status, "<html>") for status in (408, 499, 501, 505, 520, 524, 529)),
    ],
)
def test_a_write_that_may_have_happened_is_never_repeated_here(server: OddServer, reply: Reply) -> None:
    server.on("PATCH *", reply, YES)
    error = patch_error(client(server, timeout=0.3))
    assert isinstance(error, UnclearWrite)
    assert error.kind in ("server", "network", "protocol", "timeout")
    assert "attempts" not in error.message
    assert len(server.all_requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(502, "<html>"), "server"),
        (answer(408, "<html>"), "timeout"),
        (answer(499, ""), "network"),
        (answer(501, ""), "server"),
        (answer(524, "error code: 524"), "server"),
        (hang_up, "network"),
        (reset, "network"),
        (silence, "timeout"),
        (half_reply(200, b'{"id": "a"}'), "protocol"),
        (answer(302, "", Location="/login"), "protocol"),
        (answer(204, ""), "protocol"),
        (raw_reply(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "protocol"),
    ],
)
def test_an_unclear_write_has_the_kind_of_its_failure(server: OddServer, reply: Reply, kind: ErrorKind) -> None:
    server.on("PATCH *", reply)
    error = patch_error(client(server, timeout=0.3))
    assert isinstance(error, UnclearWrite)
    assert error.kind == kind


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid"), (403, "forbidden"), (404, "not_found"), (409, "protocol"), (422, "invalid")]
)
def test_a_definite_no_to_a_write_is_no_unclear_write(server: OddServer, status: int, kind: ErrorKind) -> None:
    server.on("PATCH *", answer(status, {"error": "no"}))
    error = patch_error(client(server))
    assert type(error) is ApiError
    assert (error.kind, error.status) == (kind, status)
    assert len(server.all_requests) == 1


def test_a_write_that_came_too_early_was_not_carried_out_and_is_repeated(server: OddServer) -> None:
    server.on("PATCH *", answer(425, {}), answer(425, {}), YES)
    with client(server) as api:
        assert api.patch("asst_1", {"name": "x"}, live_id="asst_1") == ASSISTANT
    server.on("PATCH *", answer(425, {"error": "too early"}))
    error = patch_error(client(server))
    assert type(error) is ApiError
    assert (error.kind, error.status) == ("server", 425)
    assert len(server.all_requests) == 6


@pytest.mark.parametrize("status", [408, 429, 503, 529])
def test_a_wait_that_the_answer_to_a_write_names_comes_before_the_next_look(server: OddServer, status: int) -> None:
    server.on("PATCH *", answer(status, {}, Retry_After="0.4"), YES)
    server.on("GET *", YES)
    with client(server) as api:
        with contextlib.suppress(UnclearWrite):
            api.patch("asst_1", {"name": "x"}, live_id="asst_1")
            assert status == 429  # which is repeated here, since it says that nothing was done
        api.pause(1)
        api.get("asst_1")
    *_, first, second = (request for request in server.all_requests if status != 429 or request.method == "PATCH")
    assert second.at - first.at >= 0.4


def test_a_wait_beside_an_answer_that_is_final_holds_nobody(server: OddServer) -> None:
    server.on("GET *", answer(404, {"error": "no"}, Retry_After="60"), YES)
    with client(server, timeout=1) as api:
        with pytest.raises(ApiError):
            api.get("asst_1")
        assert api.get("asst_1") == ASSISTANT


def test_a_write_is_repeated_after_429(server: OddServer) -> None:
    server.on("PATCH *", answer(429, {}), answer(429, {}), YES)
    with client(server) as api:
        assert api.patch("asst_1", {"name": "x"}, live_id="asst_1") == ASSISTANT
        assert api.calls["PATCH"] == 3
    server.on("PATCH *", answer(429, {"error": "slow down"}))
    error = patch_error(client(server))
    assert type(error) is ApiError
    assert error.kind == "rate_limited"
    assert "(after 3 attempts)" in error.message
    assert "--concurrency" in error.hint


def test_a_write_that_found_no_connection_is_repeated_and_no_unclear_write() -> None:
    lines: list[str] = []
    options = (f"http://127.0.0.1:{unused_port()}/api", token_credentials(), ApiLimits(retries=2))
    error = patch_error(AssistantsApi(*options, on_request=lines.append, backoff=0.01))
    assert type(error) is ApiError
    assert error.kind == "network"
    assert [re.sub(r"[\d.]+ s", "", line) for line in lines] == [
        "PATCH /assistants/asst_1 network ()",
        "PATCH /assistants/asst_1 network (, attempt 2)",
        "PATCH /assistants/asst_1 network (, attempt 3)",
    ]


def measure_waits(server: OddServer, *headers: dict[str, str], retries: int = 0) -> list[float]:
    """Let reads meet 429s with these headers; return the seconds between the requests."""
    server.on("GET *", *[answer(429, {}, **header) for header in headers], YES)
    with client(server, retries=retries) as api:
        assert api.get("asst_1") == ASSISTANT
    times = [request.at for request in server.all_requests]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def test_waits_named_in_seconds_are_honoured_and_are_no_repeats(server: OddServer) -> None:
    pauses = measure_waits(server, {"Retry_After": "0.2"}, {"Retry_After": "0.3"}, {"retry_after": "0.1"})
    assert [pause >= least for pause, least in zip(pauses, (0.2, 0.3, 0.1), strict=True)] == [True] * 3


def test_a_wait_named_by_a_date_is_honoured(server: OddServer) -> None:
    now = datetime.now(UTC)
    then = format_datetime(now + timedelta(seconds=1), usegmt=True)
    (pause,) = measure_waits(server, {"Retry_After": then, "Date": format_datetime(now, usegmt=True)})
    assert pause >= 1


def test_a_503_may_name_its_wait_but_is_a_repeat(server: OddServer) -> None:
    busy = answer(503, {"error": "busy"}, Retry_After="0.2")
    server.on("GET *", busy)
    with client(server, retries=1) as api, pytest.raises(ApiError, match="after 2 attempts"):
        api.get("asst_1")
    first, second = server.all_requests
    assert second.at - first.at >= 0.2


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_wait_pauses_every_worker(server: OddServer, status: int) -> None:
    server.on("GET /assistants/limited", answer(status, {}, Retry_After="0.5"), YES)
    server.on("GET /assistants/other", YES)
    with client(server) as api, ThreadPoolExecutor(4) as pool:
        limited = pool.submit(api.get, "limited")
        while not server.all_requests:
            time.sleep(0.005)
        time.sleep(0.1)
        others = [pool.submit(api.get, "other") for _ in range(3)]
        assert [other.result(timeout=10) for other in others] == [ASSISTANT] * 3
        assert limited.result(timeout=10) == ASSISTANT
    began = server.all_requests[0].at
    assert all(request.at - began >= 0.5 for request in server.all_requests[1:])


def test_a_write_that_has_waited_for_the_end_of_a_pause_is_sent_after_another_look(server: OddServer) -> None:
    """Another worker's request began the pause, after live was read for this write."""
    server.on("GET *", answer(429, {}, Retry_After="3"), YES)
    server.on("PATCH *", YES)
    looks: list[int] = []

    def look_again(*, is_current: bool) -> bool:
        looks.append(len(server.all_requests))
        return is_current

    with client(server) as api, ThreadPoolExecutor(1) as pool:
        limited = pool.submit(api.get, "limited")
        while not server.all_requests:
            time.sleep(0.005)
        time.sleep(0.1)
        with pytest.raises(ApiError, match="pause"):
            api.patch("asst_1", {}, live_id="asst_1", look_again=functools.partial(look_again, is_current=False))
        api.patch("asst_1", {}, live_id="asst_1", look_again=functools.partial(look_again, is_current=True))
        assert limited.result(timeout=10) == ASSISTANT
    assert len(looks) == 1
    assert [request.method for request in server.all_requests].count("PATCH") == 1


def test_a_write_does_not_wait_behind_the_slow_requests_of_others(server: OddServer) -> None:
    """The API allows few requests at once. What was read for the write would get old."""
    written = threading.Event()
    waited_in_vain: list[Request] = []

    def slow(sock: socket.socket, request: Request) -> bool:
        if not written.wait(2):
            waited_in_vain.append(request)
        return YES(sock, request)

    def write(sock: socket.socket, request: Request) -> bool:
        written.set()
        return YES(sock, request)

    server.on("GET /assistants/asst_1", answer(429, {}), YES)
    server.on("GET /assistants/slow", slow)
    server.on("PATCH *", write)
    with client(server, concurrency=4) as api, ThreadPoolExecutor(2) as pool:
        api.get("asst_1")  # from here on two at once are allowed
        others = [pool.submit(api.get, "slow") for _ in range(2)]
        while len(server.requests("GET", "slow")) < 2:
            time.sleep(0.005)
        assert api.patch("asst_1", {}, live_id="asst_1") == ASSISTANT
        assert [other.result(timeout=10) for other in others] == [ASSISTANT] * 2
    assert not waited_in_vain


@pytest.mark.parametrize("is_current", [True, False])
def test_a_write_without_a_connection_is_repeated_only_after_another_look(*, is_current: bool) -> None:
    looks: list[int] = []

    def look_again() -> bool:
        looks.append(1)
        return is_current

    options = (f"http://127.0.0.1:{unused_port()}/api", token_credentials(), ApiLimits(retries=2))
    with AssistantsApi(*options, backoff=0.01) as api, pytest.raises(ApiError):
        api.patch("asst_1", {}, live_id="asst_1", look_again=look_again)
    assert len(looks) == (2 if is_current else 1)


def stop_during(server: OddServer, method: str) -> tuple[ApiError, list[Request]]:
    stop = threading.Event()
    api = client(server, stopping=stop.is_set, retries=50, on_request=lambda _line: stop.set())
    ask = api.get if method == "GET" else functools.partial(api.patch, body={}, live_id="asst_1")
    with api, pytest.raises(ApiError) as error_info:
        ask("asst_1")
    return error_info.value, server.all_requests


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("headers", [{}, {"Retry_After": "60"}])
def test_nothing_is_repeated_once_the_run_is_being_stopped(
    server: OddServer, method: str, headers: dict[str, str]
) -> None:
    server.on(f"{method} *", answer(429, {"error": "slow down"}, **headers))
    error, request = stop_during(server, method)
    assert (error.kind, error.status, type(error)) == ("rate_limited", 429, ApiError)
    assert len(request) == 1


def test_stopping_ends_a_wait_that_has_begun_and_sends_nothing_more(server: OddServer) -> None:
    stop = threading.Event()
    server.on("GET *", answer(429, {"error": "slow down"}, Retry_After="60"))
    with client(server, stopping=stop.is_set) as api, ThreadPoolExecutor(2) as pool:
        first = pool.submit(api.get, "asst_1")
        while not server.all_requests:
            time.sleep(0.005)
        time.sleep(0.1)
        second = pool.submit(api.get, "asst_2")
        time.sleep(0.1)
        stop.set()
        first_error, second_error = first.exception(timeout=10), second.exception(timeout=10)
    assert isinstance(first_error, ApiError)
    assert isinstance(second_error, ApiError)
    assert (first_error.status, second_error.status) == (429, None)
    assert (first_error.kind, second_error.kind) == ("rate_limited", "rate_limited")
    assert "the run was stopped" in second_error.message
    assert len(server.all_requests) == 1


def test_the_first_attempt_is_made_even_while_stopping(server: OddServer) -> None:
    server.on("GET *", YES)
    with client(server, stopping=lambda: True) as api:
        assert api.get("asst_1") == ASSISTANT  # such as the read-back after the last write
        api.pause(1000)


def test_each_attempt_is_noted_without_anything_secret(server: OddServer) -> None:
    lines: list[str] = []
    server.on("GET *", BROKEN, hang_up, YES)
    with client(server, on_request=lines.append) as api:
        api.get("asst_1")
        api.pause(1)
    assert [re.sub(r"[\d.]+ s", "", line) for line in lines] == [
        "GET /assistants/asst_1 500 ()",
        "GET /assistants/asst_1 network (, attempt 2)",
        "GET /assistants/asst_1 200 (, attempt 3)",
    ]


def test_connections_are_kept_and_never_more_than_allowed(server: OddServer) -> None:
    server.on("GET *", YES)
    server.latency = 0.005
    with client(server, concurrency=5) as api:
        for _ in range(2):  # the second pool of threads gets the first one's connections
            with ThreadPoolExecutor(20) as pool:
                assert list(pool.map(api.get, ["asst_1"] * 100)) == [ASSISTANT] * 100
        assert api.calls["GET"] == 200
    assert server.most_in_flight == 5
    assert server.connections == 5


def test_connections_are_closed_at_the_end(server: OddServer) -> None:
    server.on("GET *", YES)
    with client(server) as api, ThreadPoolExecutor(4) as pool:
        list(pool.map(api.get, ["asst_1"] * 20))
    assert server.all_closed(timeout=10)


def test_a_bug_in_a_listener_is_not_swallowed(server: OddServer) -> None:
    def fail(_line: str) -> None:
        raise ZeroDivisionError

    server.on("GET *", YES)
    with client(server, on_request=fail) as api, pytest.raises(ZeroDivisionError):
        api.get("asst_1")
