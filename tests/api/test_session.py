import collections
import functools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from odd_client import (
    ASSISTANT,
    PASSWORD,
    TOKEN,
    all_credentials,
    check_no_secret,
    client,
    login_answer,
    login_credentials,
    token_credentials,
)
from odd_server import OddServer, Reply, Request, answer, odd_server

from reconciler.api.secret import Credentials, Secret
from reconciler.errors import ApiError, ErrorKind

NO = answer(401, {"error": "Unauthorized"})
YES = answer(200, ASSISTANT)


@pytest.fixture
def server() -> Iterator[OddServer]:
    with odd_server() as running:
        running.on(
            "POST /auth/login", login_answer("hush-token-2"), login_answer("hush-token-3"), login_answer("hush-token-4")
        )
        running.on("GET *", YES)
        running.on("PATCH *", YES)
        yield running


def accept_only(*tokens: str, reply: Reply = YES) -> Reply:
    """Answers 401 to every other token."""
    cookies = [[f"auth-token={token}"] for token in tokens]

    def send(sock: Any, request: Request) -> bool:
        return (reply if request.header("cookie") in cookies else NO)(sock, request)

    return send


def count_logins(server: OddServer) -> int:
    return len(server.requests("POST", "/auth/login"))


def catch_error(server: OddServer, credentials: Credentials, method: str = "GET") -> ApiError:
    with client(server, credentials) as api:
        ask = api.get if method == "GET" else functools.partial(api.patch, body={}, live_id="asst_1")
        with pytest.raises(ApiError) as error_info:
            ask("asst_1")
    assert type(error_info.value) is ApiError
    return check_no_secret(error_info.value)


def test_without_a_token_there_is_one_login_at_first_use(server: OddServer) -> None:
    with client(server, login_credentials()) as api:
        assert server.connections == 0
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(api.get, ["asst_1"] * 20)) == [ASSISTANT] * 20
        assert dict(api.calls) == {"GET": 20, "PATCH": 0, "POST": 1}
    (request,) = server.requests("POST")
    assert json.loads(request.body) == {"email": "anna@example.edu", "password": PASSWORD}
    assert request.header("cookie") == []
    assert request.header("content-type") == ["application/json"]
    # The cookie was `Secure` and this is plain http: it is sent all the same, and only by hand.
    assert {*map(tuple, (request.header("cookie") for request in server.requests("GET")))} == {
        ("auth-token=hush-token-2",)
    }


def test_a_good_token_needs_no_login(server: OddServer) -> None:
    with client(server, all_credentials()) as api:
        api.get("asst_1")
    assert count_logins(server) == 0


def test_an_expired_token_costs_one_login_however_many_threads_meet_it(server: OddServer) -> None:
    server.on("GET *", accept_only("hush-token-2"))
    server.latency = 0.02
    with client(server, all_credentials(), concurrency=16) as api, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(api.get, ["asst_1"] * 64)) == [ASSISTANT] * 64
        assert api.calls["POST"] == 1
    assert count_logins(server) == 1
    assert len(server.requests("GET")) <= 64 + 16


def test_a_token_that_expires_again_is_renewed_again(server: OddServer) -> None:
    with client(server, all_credentials()) as api:
        api.get("asst_1")
        for number, good in enumerate(("hush-token-2", "hush-token-3"), start=1):
            server.on("GET *", accept_only(good))
            assert api.get("asst_1") == ASSISTANT
            assert count_logins(server) == number


def test_a_patch_is_repeated_once_after_a_login(server: OddServer) -> None:
    server.on("PATCH *", accept_only("hush-token-2"))
    with client(server, all_credentials()) as api:
        assert api.patch("asst_1", {"name": "x"}, live_id="asst_1") == ASSISTANT
    assert [request.body for request in server.requests("PATCH")] == [b'{"name":"x"}'] * 2
    assert count_logins(server) == 1


def test_a_patch_that_a_pause_holds_after_a_login_is_sent_with_the_new_token(server: OddServer) -> None:
    server.on("PATCH *", accept_only("hush-token-2"))
    server.on("GET /assistants/limited", answer(429, {}, Retry_After="3"), YES)
    with client(server, all_credentials()) as api, ThreadPoolExecutor(1) as pool:

        def look_again() -> bool:
            assert api.get("asst_1") == ASSISTANT
            if not server.requests("GET", "limited"):
                pool.submit(api.get, "limited")
                while not server.requests("GET", "limited"):
                    time.sleep(0.005)
                time.sleep(0.1)
            return True

        assert api.patch("asst_1", {"name": "x"}, live_id="asst_1", look_again=look_again) == ASSISTANT
    assert (count_logins(server), len(server.requests("PATCH"))) == (1, 2)


def test_with_a_bare_token_a_401_is_final(server: OddServer) -> None:
    server.on("GET *", NO)
    error = catch_error(server, token_credentials())
    assert (error.kind, error.status) == ("auth", 401)
    assert "not signed in, or no permission to GET" in error.message
    assert "Unauthorized" in error.message
    assert "RECONCILER_AUTH_TOKEN" in error.hint
    assert len(server.all_requests) == 1


def test_a_second_401_is_the_answer(server: OddServer) -> None:
    server.on("PATCH *", NO)
    error = catch_error(server, all_credentials(), "PATCH")
    assert error.kind == "auth"
    assert "no permission to PATCH (the role is ADMIN)" in error.message
    assert "(after 2 attempts)" in error.message
    assert "the login worked" in error.hint
    assert (count_logins(server), len(server.requests("PATCH"))) == (1, 2)


def test_a_fresh_login_that_is_refused_at_once_is_not_tried_again(server: OddServer) -> None:
    server.on("GET *", NO)
    with client(server, login_credentials()) as api:
        for _ in range(3):
            with pytest.raises(ApiError):
                api.get("asst_1")
    assert (count_logins(server), len(server.requests("GET"))) == (1, 3)


def test_a_viewers_patches_do_not_cost_a_login_each(server: OddServer) -> None:
    server.on("POST /auth/login", *[login_answer(f"hush-token-{n}", role="VIEWER") for n in range(2, 9)])
    server.on("PATCH *", NO)
    with client(server, login_credentials()) as api:
        for _ in range(5):
            api.get("asst_1")
            with pytest.raises(ApiError, match="VIEWER"):
                api.patch("asst_1", {}, live_id="asst_1")
        assert count_logins(server) == 2
        assert len(server.requests("PATCH")) == 6
        # Somebody gives the permission: the next 401 of that method may be an expired token again.
        server.on("PATCH *", YES)
        api.patch("asst_1", {}, live_id="asst_1")
        server.on("PATCH *", accept_only("hush-token-4"))
        assert api.patch("asst_1", {}, live_id="asst_1") == ASSISTANT
    assert count_logins(server) == 3


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (400, "auth", "did not accept the e-mail address and password"),
        (401, "auth", "wrong password, or no such account"),
        (403, "forbidden", "the account is disabled"),
        (404, "protocol", "no login at /auth/login"),
        (405, "protocol", "no login at /auth/login"),
        (418, "protocol", "the API answered 418"),
    ],
)
def test_a_refused_login_is_told_in_plain_words_and_is_final(
    server: OddServer, status: int, kind: ErrorKind, says: str
) -> None:
    server.on("POST /auth/login", answer(status, {"error": f"not with {PASSWORD}"}))
    with client(server, login_credentials()) as api, ThreadPoolExecutor(4) as pool:
        errors = [future.exception() for future in [pool.submit(api.get, "asst_1") for _ in range(8)]]
    assert len({id(error) for error in errors}) == 8
    for error in errors:
        assert isinstance(error, ApiError)
        assert (check_no_secret(error).kind, error.status) == (kind, status)
        assert says in error.message
        assert "***" in error.message
    assert (count_logins(server), len(server.requests("GET"))) == (1, 0)


def test_an_expired_token_and_a_wrong_password_are_told_alike_to_all(server: OddServer) -> None:
    server.on("GET *", NO)
    server.on("POST /auth/login", answer(401, {"error": "Bad credentials"}))
    with client(server, all_credentials()) as api:
        for _ in range(3):
            with pytest.raises(ApiError, match="wrong password"):
                api.get("asst_1")
    assert count_logins(server) == 1


def test_a_login_is_repeated_like_a_read(server: OddServer) -> None:
    server.on("POST /auth/login", answer(500, {}), answer(503, {}), login_answer("hush-token-2"))
    with client(server, login_credentials()) as api:
        assert api.get("asst_1") == ASSISTANT
        assert api.calls["POST"] == 3
    server.on("POST /auth/login", answer(500, {"error": "down"}))
    error = catch_error(server, login_credentials())
    assert (error.kind, error.status) == ("server", 500)
    assert "POST /auth/login (after 3 attempts): the API answered 500 (down)" in error.message


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (answer(200, {"user": {}}), "without the cookie `auth-token`: does RECONCILER_API_URL end in /api?"),
        (answer(200, {"error": f"no {PASSWORD}"}), "without the cookie `auth-token` (no ***)"),
        (answer(200, {"user": {}}, Set_Cookie="session=hush; Path=/"), "without the cookie"),
        (answer(200, {"user": {}}, Set_Cookie="auth-token=; Max-Age=0"), "without the cookie"),
        (answer(200, "<html>"), "an HTML page instead of JSON"),
        (answer(200, {"user": {}}, Set_Cookie="auth-token=hu sh"), "white space"),
        (answer(200, "hush"), "something that is not JSON"),
        (answer(200, {}, **{"Set-Cookie ": "auth-token=hush"}), "something that is not HTTP (illegal header line)"),
        (answer(302, "", Location="/login"), "redirects to /login"),
    ],
)
def test_a_login_answer_without_a_usable_cookie_is_a_protocol_error(server: OddServer, reply: Reply, says: str) -> None:
    server.on("POST /auth/login", reply)
    error = catch_error(server, login_credentials())
    assert error.kind == "protocol"
    assert says in error.message
    assert "hush" not in error.message


def test_a_login_that_nobody_answers_names_the_url(server: OddServer) -> None:
    server.hang_up_on = 100
    error = catch_error(server, login_credentials())
    assert error.kind == "network"
    assert server.url in error.hint


@pytest.mark.parametrize("body", ["", [], {"user": 1}, {"user": {"role": 7}}, {}])
def test_a_role_is_known_only_where_one_is_named(server: OddServer, body: Any) -> None:
    server.on("POST /auth/login", answer(200, body, Set_Cookie="a=b", set_cookie='Auth-Token="hush-2"'))
    server.on("GET /assistants/asst_1", answer(200, ASSISTANT), answer(401, {"error": "no"}))
    with client(server, login_credentials()) as api:
        api.get("asst_1")
        with pytest.raises(ApiError, match=r"no permission to GET(?! \(the role)"):
            api.get("asst_1")
    assert server.requests("GET")[0].header("cookie") == ['auth-token="hush-2"; a=b']


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        (Credentials(), "There are no credentials for the API"),
        (Credentials(email=" "), "There are no credentials for the API"),
        (Credentials(email="anna@example.edu"), "There are no credentials for the API"),
        (Credentials(password=Secret("hush")), "There are no credentials for the API"),
    ],
)
def test_missing_credentials_are_named_and_nothing_is_sent(
    server: OddServer, credentials: Credentials, says: str
) -> None:
    error = catch_error(server, credentials)
    assert (error.kind, error.status) == ("auth", None)
    assert says in error.message
    assert "set RECONCILER_AUTH_TOKEN, or RECONCILER_EMAIL and RECONCILER_PASSWORD" in error.message
    assert server.connections == 0


def test_no_login_is_tried_once_the_run_is_being_stopped(server: OddServer) -> None:
    server.on("GET *", NO)
    stop = threading.Event()
    with client(server, all_credentials(), stopping=stop.is_set) as api:
        stop.set()
        with pytest.raises(ApiError) as error_info:
            api.get("asst_1")
    assert error_info.value.kind == "auth"
    assert (count_logins(server), len(server.all_requests)) == (0, 1)


def test_the_token_of_a_login_is_scrubbed_like_the_first(server: OddServer) -> None:
    server.on("GET *", answer(400, {"error": f"bad: hush-token-2 {TOKEN} {PASSWORD}"}))
    with client(server, login_credentials()) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert "hush-token-2" not in error_info.value.message
    assert "(bad: *** hush-token-1 ***)" in error_info.value.message


class ShortLived:
    """Answers 401 to a token that has been used that often."""

    def __init__(self, server: OddServer, uses: int) -> None:
        self._left: collections.Counter[str] = collections.Counter()
        self._uses = uses
        self._lock = threading.Lock()
        server.on("POST /auth/login", self._log_in)
        server.on("GET *", self._read)

    def _log_in(self, sock: Any, request: Request) -> bool:
        with self._lock:
            token = f"hush-token-{len(self._left) + 2}"
            self._left[f"auth-token={token}"] = self._uses
        return login_answer(token)(sock, request)

    def _read(self, sock: Any, request: Request) -> bool:
        (cookie,) = request.header("cookie")
        with self._lock:
            self._left[cookie] -= 1
            reply = YES if self._left[cookie] >= 0 else NO
        return reply(sock, request)


@pytest.mark.parametrize("uses", [1, 3, 20])
def test_tokens_that_live_for_fewer_requests_than_there_are_in_flight_serve_them_all(
    server: OddServer, uses: int
) -> None:
    ShortLived(server, uses)
    with client(server, login_credentials(), concurrency=16) as api, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(api.get, ["asst_1"] * 48)) == [ASSISTANT] * 48
    assert 48 // uses <= count_logins(server) <= 48 // uses + 1 + len(server.requests("GET", "/auth/me"))


def test_a_token_that_others_are_still_using_is_judged_by_what_becomes_of_them(server: OddServer) -> None:
    """The 401 may overtake the answer that shows that the token was good when it was new."""
    refused_one = threading.Event()

    def no(sock: Any, request: Request) -> bool:
        refused_one.set()
        return NO(sock, request)

    def late(sock: Any, request: Request) -> bool:
        refused_one.wait(10)
        return YES(sock, request)

    server.on("GET /assistants/slow", late)
    server.on("GET /assistants/asst_1", no, YES)
    server.on("GET /auth/me", NO)
    with client(server, login_credentials()) as api, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(api.get, "slow")
        while not server.requests("GET", "slow"):
            time.sleep(0.005)
        assert api.get("asst_1") == ASSISTANT
        assert slow.result(10) == ASSISTANT
    assert count_logins(server) == 2


@pytest.mark.parametrize("asked", [NO, answer(200, {"user": {}}), answer(404, {}), answer(500, {})])
def test_a_second_401_costs_another_login_only_where_the_token_itself_has_expired(
    server: OddServer, asked: Reply
) -> None:
    """Others have used the new token with success: the 401 is about this assistant, or the token is over again."""
    others_have = threading.Event()

    def wait_for_others(sock: Any, request: Request) -> bool:
        others_have.wait(10)
        return NO(sock, request)

    server.on("GET /assistants/mine", YES)
    server.on("GET /assistants/asst_1", NO, wait_for_others, YES)
    server.on("GET /auth/me", asked)
    with client(server, all_credentials()) as api, ThreadPoolExecutor(1) as pool:
        one = pool.submit(api.get, "asst_1")
        while len(server.requests("GET", "asst_1")) < 2:
            time.sleep(0.005)
        api.get("mine")
        others_have.set()
        if asked is NO:
            assert one.result(10) == ASSISTANT
        else:
            with pytest.raises(ApiError, match="no permission to GET"):
                one.result(10)
    assert count_logins(server) == (2 if asked is NO else 1)
