import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from odd_client import ASSISTANT, TOKEN, all_credentials, check_no_secret, client, login_credentials, token_credentials
from odd_server import OddServer, Reply, Request, answer, build_response, odd_server

from reconciler.errors import ApiError

YES = answer(200, ASSISTANT)
GONE = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture
def server() -> Iterator[OddServer]:
    with odd_server() as running:
        running.on("GET *", YES)
        yield running


def sets(*cookies: str, status: int = 200, body: Any = None, **headers: str) -> Reply:
    """An answer with several Set-Cookie headers, in that order."""
    whole = build_response(
        status, b'{"id": "asst_1", "name": "Enrollment", "model": {"temperature": 0.6}}' if body is None else body
    )
    head, _, rest = whole.partition(b"\r\n\r\n")
    lines = [f"Set-Cookie: {cookie}" for cookie in cookies]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    content = b"\r\n".join([head, *(line.encode() for line in lines)]) + b"\r\n\r\n" + rest

    def send(sock: Any, request: Request) -> bool:
        sock.sendall(content)
        return True

    return send


def cookies(server: OddServer, method: str = "GET") -> list[str]:
    return ["".join(request.header("cookie")) for request in server.requests(method)]


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        (["auth-token=deleted; Max-Age=0", "auth-token=hush-good; Path=/"], "hush-good"),
        ([f"auth-token=deleted; Path=/; {GONE}", "auth-token=hush-good; Path=/"], "hush-good"),
        (["auth-token=hush-one; Path=/", "auth-token=hush-good; Path=/"], "hush-good"),
        (["auth-token=hush-one; Path=/old", "auth-token=hush-good; Path=/"], "hush-good"),
        (["auth-token=hush-good; Path=/", "auth-token=deleted; Path=/old; Max-Age=0"], "hush-good"),
        (["auth-token=hush-good; Path=/", "auth-token=; Path=/old"], "hush-good"),
        (["auth-token=hush-good; Max-Age=3600; " + GONE], "hush-good"),
        (["auth-token=hush-good; Expires=Thu, 01-Jan-2099 00:00:00 GMT"], "hush-good"),
        (["auth-token=hush-good; Expires=nonsense; Max-Age=soon"], "hush-good"),
        (["nonsense", "", "=x", "AUTH-TOKEN = hush-good ;HttpOnly"], "hush-good"),
        (["auth-token=hush-good; Path=/", "auth-token=deleted; Path=/; Max-Age=0"], None),
        (["auth-token=hush-good; Path=/", f"auth-token=; Path=/; {GONE}"], None),
        (["auth-token=hush-good; Max-Age=-1"], None),
        (["auth-token=hush-good; Max-Age=-" + "9" * 5000], None),
        (["auth-token=hush-good; Max-Age=" + "9" * 5000], "hush-good"),
        (["auth-token=hush-good; Expires=Thu, 01-Jan-1970 00:00:00 GMT"], None),
        (["auth-token-2=hush-good", "x-auth-token=hush-good"], None),
    ],
)
def test_of_several_tokens_the_last_one_counts_and_an_expired_one_is_none(
    server: OddServer, headers: list[str], token: str | None
) -> None:
    server.on("POST /auth/login", sets(*headers))
    with client(server, login_credentials()) as api:
        if token is None:
            with pytest.raises(ApiError, match="without the cookie `auth-token`"):
                api.get("asst_1")
        else:
            api.get("asst_1")
            assert cookies(server) == [f"auth-token={token}"]


def test_whether_a_cookie_has_expired_is_a_question_of_the_servers_clock(server: OddServer) -> None:
    lasting = "auth-token=hush-good; Expires=Mon, 05 Jan 2015 13:00:00 GMT"
    server.on("POST /auth/login", sets(lasting, Date="Mon, 05 Jan 2015 12:00:00 GMT"))
    with client(server, login_credentials()) as api:
        api.get("asst_1")
    assert cookies(server) == ["auth-token=hush-good"]


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_token_that_an_answer_renews_takes_the_place_of_the_old_one(server: OddServer, status: int) -> None:
    server.on("GET *", sets("auth-token=hush-new; Path=/; Secure", status=status), YES)
    with client(server, retries=0) as api:
        if status == 200:
            api.get("asst_1")
        else:
            with pytest.raises(ApiError):
                api.get("asst_1")
        api.get("asst_1")
    assert cookies(server) == [f"auth-token={TOKEN}", "auth-token=hush-new"]


def test_a_token_that_is_taken_away_or_cannot_be_sent_is_no_new_one(server: OddServer) -> None:
    server.on("GET *", sets("auth-token=; Max-Age=0"), sets("auth-token=hush new"), YES)
    with client(server) as api:
        for _ in range(3):
            api.get("asst_1")
    assert cookies(server) == [f"auth-token={TOKEN}"] * 3


class Renewing:
    """Takes a token once: every answer but a 401 brings the next one."""

    def __init__(self, server: OddServer) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._good = TOKEN
        for method in ("GET", "PATCH"):
            server.on(f"{method} *", self)

    def __call__(self, sock: Any, request: Request) -> bool:
        with self._lock:
            if request.header("cookie") != [f"auth-token={self._good}"]:
                return answer(401, {"error": "Unauthorized"})(sock, request)
            self._good = f"hush-{next(self._numbers)}"
            return sets(f"auth-token={self._good}; Path=/")(sock, request)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_token_that_each_answer_renews_costs_no_login(server: OddServer, concurrency: int) -> None:
    Renewing(server)
    with client(server, token_credentials(), concurrency=concurrency) as api, ThreadPoolExecutor(concurrency) as pool:
        assert list(pool.map(api.get, ["asst_1"] * 30)) == [ASSISTANT] * 30
        assert api.patch("asst_1", {}, live_id="asst_1") == ASSISTANT
        assert api.calls["POST"] == 0


def test_a_renewed_token_in_a_401_is_not_tried_for_ever(server: OddServer) -> None:
    server.on("GET *", sets("auth-token=hush-new", status=401, body=b"{}"))
    with client(server, token_credentials()) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert error_info.value.kind == "auth"
    assert len(server.all_requests) == 1


def test_a_load_balancers_cookies_are_sent_back_for_the_run(server: OddServer) -> None:
    server.on("POST /auth/login", sets("lb=node-1; Path=/", "auth-token=hush-2"))
    server.on(
        "GET *",
        sets("lb=node-2; Path=/", "deep=1; Path=/api/assistants/asst_2", "other=1; Path=/elsewhere", "odd=\u00fc"),
        sets("lb=; Path=/; Max-Age=0", "AWSALB=x y"),
        YES,
    )
    with client(server, login_credentials()) as api:
        for name in ("asst_1", "asst_2", "asst_1"):
            api.get(name)
    assert cookies(server) == [
        "auth-token=hush-2; lb=node-1",
        "auth-token=hush-2; lb=node-2; deep=1",
        "auth-token=hush-2; AWSALB=x y",
    ]


def test_a_new_login_goes_with_the_load_balancers_cookie(server: OddServer) -> None:
    server.on("GET *", sets("lb=node-1; Path=/"), answer(401, {"error": "no"}), YES)
    server.on("POST /auth/login", sets("auth-token=hush-2"))
    with client(server, all_credentials()) as api:
        api.get("asst_1")
        api.get("asst_1")
    assert cookies(server, "POST") == ["lb=node-1"]
    assert cookies(server)[-1] == "auth-token=hush-2; lb=node-1"


def test_cookies_have_a_bound(server: OddServer) -> None:
    server.on("GET *", sets(*(f"c{number}={number}" for number in range(80)), "long=" + "x" * 5000), YES)
    with client(server) as api:
        api.get("asst_1")
        api.get("asst_1")
    sent = cookies(server)[1].split("; ")
    assert (len(sent), sent[0], sent[-1]) == (51, f"auth-token={TOKEN}", "c79=79")


def test_what_an_answer_set_is_not_shown(server: OddServer) -> None:
    server.on(
        "GET *",
        sets("auth-token=hush-new", "session=hush-0123456789abcdef"),
        answer(400, {"error": "hush-new hush-0123456789abcdef"}),
    )
    with client(server) as api:
        api.get("asst_1")
        with pytest.raises(ApiError) as error_info:
            api.get("asst_1")
    assert "(*** ***)" in check_no_secret(error_info.value).message
