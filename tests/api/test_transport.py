import ast
import contextlib
import gzip
import json
import re
import socket
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from odd_client import ASSISTANT, check_no_secret, client, token_credentials
from odd_server import OddServer, Reply, answer, build_response, drip, gzip_bomb, odd_server, raw_reply

import reconciler.api
from reconciler.api.client import AssistantsApi
from reconciler.core.ports import ApiLimits
from reconciler.errors import ApiError

YES = answer(200, ASSISTANT)
BODY = json.dumps(ASSISTANT).encode()


@pytest.fixture
def server() -> Iterator[OddServer]:
    with odd_server() as running:
        yield running


def catch_error(server: OddServer, reply: Reply, *, timeout: float = 5.0) -> ApiError:
    server.on("GET *", reply)
    with client(server, timeout=timeout, retries=0) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    return check_no_secret(error_info.value)


@pytest.mark.parametrize(
    "content",
    [
        b"H",
        b"HTTP/1.1 200 OK\r\nX-Long: xxxx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{xxxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nxxx",
    ],
)
def test_an_answer_that_drips_ends_with_the_time_of_the_attempt(server: OddServer, content: bytes) -> None:
    assert catch_error(server, drip(content), timeout=0.4).kind == "timeout"


def test_an_answer_that_came_before_its_request_is_not_taken_for_its_answer(server: OddServer) -> None:
    other = json.dumps({**ASSISTANT, "name": "of another"}).encode()
    server.on("GET *", raw_reply(build_response(200, BODY) + build_response(200, other), keep=True), YES)
    with client(server) as api:
        assert [api.get("asst_1"), api.get("asst_1")] == [ASSISTANT, ASSISTANT]
    assert server.connections == 2


def test_answers_before_the_answer_do_not_make_it_endless(server: OddServer) -> None:
    assert catch_error(server, drip(b"HTTP/1.1 100 Continue\r\n\r\n"), timeout=0.4).kind == "timeout"


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (raw_reply(build_response(200, BODY)[:-5]), "protocol", "got an incomplete response"),
        (raw_reply(b"HTTP/1.1 200 OK\r\nContent-Le"), "network", "closed before a response arrived"),
        (raw_reply(b""), "network", "closed before a response arrived"),
        (raw_reply(b"SMTP ready\r\n\r\n"), "protocol", "got something that is not HTTP"),
        (answer(200, b"x" * (8 * 1024 * 1024 + 1)), "protocol", "got a response of more than 8 MiB"),
        (gzip_bomb(64), "protocol", "got a response of more than 8 MiB"),
        (
            answer(200, gzip.compress(BODY) + b"\0" * (8 * 1024 * 1024), Content_Encoding="gzip"),
            "protocol",
            "got a response of more than 8 MiB",
        ),
        (answer(200, BODY, Content_Encoding="gzip"), "protocol", "claims to be compressed but is not"),
        (answer(200, gzip.compress(BODY)[:-12], Content_Encoding="gzip"), "protocol", "incomplete compressed"),
        (answer(200, gzip.compress(BODY) + gzip.compress(BODY)[:9], Content_Encoding="gzip"), "protocol", "incomplete"),
        (answer(200, BODY, Content_Encoding="br"), "protocol", "compressed as 'br'"),
        (answer(200, BODY, Content_Encoding="zstd"), "protocol", "compressed as 'zstd'"),
        (answer(200, zlib.compress(BODY), Content_Encoding="deflate"), "protocol", "compressed as 'deflate'"),
        (answer(200, BODY, Content_Encoding="gzip, br"), "protocol", "compressed as 'gzip, br'"),
        (answer(200, gzip.compress(gzip.compress(BODY)), Content_Encoding="gzip, gzip"), "protocol", "'gzip, gzip'"),
    ],
)
def test_an_answer_that_cannot_be_used(server: OddServer, reply: Reply, kind: str, says: str) -> None:
    error = catch_error(server, reply)
    assert error.kind == kind
    assert says in error.message
    assert len(server.all_requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, BODY, Content_Encoding="identity"),
        answer(200, gzip.compress(BODY), Content_Encoding="gzip"),
        answer(200, gzip.compress(BODY), Content_Encoding="x-gzip"),
        answer(200, gzip.compress(BODY), Content_Encoding=" GZip , identity"),
        answer(200, gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]), Content_Encoding="gzip"),
        answer(200, gzip.compress(b"") + gzip.compress(BODY) + gzip.compress(b""), Content_Encoding="gzip"),
        answer(200, gzip.compress(BODY) + b"\0" * 500, Content_Encoding="gzip"),
        answer(200, b"".join(gzip.compress(BODY[at : at + 1]) for at in range(len(BODY))), Content_Encoding="gzip"),
        answer(200, BODY, Content_Encoding="utf-8"),
        answer(200, BODY, Content_Encoding="UTF-8"),
        answer(200, BODY, Content_Encoding="none"),
        answer(200, BODY, Content_Encoding=""),
        answer(200, BODY, Content_Encoding="application/json"),
        answer(200, "\ufeff".encode() + BODY),
        answer(200, gzip.compress("\ufeff".encode() + BODY), Content_Encoding="gzip"),
        raw_reply(b"HTTP/1.0 200 OK\r\n\r\n" + BODY),
        raw_reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
        raw_reply(b"HTTP/1.1 103 Early Hints\r\n\r\n" + build_response(200, BODY)),
    ],
)
def test_every_proper_way_to_send_a_body_is_read(server: OddServer, reply: Reply) -> None:
    server.on("GET *", reply)
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT
        assert api.get("asst_1") == ASSISTANT


def test_a_body_that_comes_in_small_pieces_is_unpacked_in_any_of_them(server: OddServer) -> None:
    packed = gzip.compress(BODY[:20]) + gzip.compress(BODY[20:])
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.on("GET *", raw_reply(head + b"".join(b"1\r\n%c\r\n" % byte for byte in packed) + b"0\r\n\r\n"))
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT


def test_a_body_of_exactly_the_bound_is_read(server: OddServer) -> None:
    start, end = b'{"id": "', b'"}'
    server.on("GET *", answer(200, start + b"x" * (8 * 1024 * 1024 - len(start + end)) + end))
    with client(server) as api:
        assert len(api.get("asst_1")["id"]) > 8_000_000


def test_a_connection_is_as_good_as_new_after_a_bad_answer(server: OddServer) -> None:
    server.on("GET *", gzip_bomb(16), YES)
    with client(server, concurrency=1) as api:
        with pytest.raises(ApiError):
            api.get("asst_1")
        assert api.get("asst_1") == ASSISTANT


def test_a_connection_that_the_server_closed_while_idle_is_opened_again(server: OddServer) -> None:
    server.on("GET *", raw_reply(build_response(200, BODY)))
    server.on("PATCH *", YES)
    with client(server, concurrency=1, retries=0) as api:
        api.get("asst_1")
        assert server.all_closed(timeout=10)
        assert api.patch("asst_1", {}, live_id="asst_1") == ASSISTANT
    assert server.connections == 2


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..b", ".a"])
def test_a_host_that_cannot_be_one_is_an_error_like_any_other(host: str) -> None:
    with AssistantsApi(f"https://{host}/api", token_credentials(), ApiLimits(retries=0)) as api:
        with pytest.raises(ApiError, match="cannot be a host's name") as error_info:
            api.get("asst_1")
        assert error_info.value.kind == "network"
        assert api.calls["GET"] == 0


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    server: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a host with IPv6 in a network that drops it."""
    server.on("GET *", YES)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent, contextlib.ExitStack() as waiting:
        for _ in range(3):  # its queue is full, so it takes no connection
            queued = waiting.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(silent.getsockname())
        places = [silent.getsockname(), ("127.0.0.1", int(server.origin.rpartition(":")[2]))]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with client(server, timeout=2, retries=0) as api:
            assert api.get("asst_1") == ASSISTANT


def test_the_host_of_an_ipv6_address_has_its_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("needs IPv6")
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("needs IPv6 on loopback")
    with listener, ThreadPoolExecutor(1) as pool:
        place = f"[::1]:{listener.getsockname()[1]}"

        def serve() -> bytes:
            sock, _ = listener.accept()
            with sock:
                received = sock.recv(65536)
                sock.sendall(build_response(200, BODY))
            return received

        served = pool.submit(serve)
        with AssistantsApi(f"http://{place}/api", token_credentials(), ApiLimits(retries=0)) as api:
            assert api.get("asst_1") == ASSISTANT
        assert f"\r\nHost: {place}\r\n".encode() in served.result(10)


def test_no_private_name_of_a_library_is_touched() -> None:
    """Their next version may rename it without a word."""
    for module in Path(reconciler.api.__path__[0]).glob("*.py"):
        tree = ast.parse(module.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                assert isinstance(node.value, ast.Name), ast.unparse(node)
                assert node.value.id == "self", ast.unparse(node)
        for used in (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)):
            assert not re.search(r"\b(httpx|httpcore)\._", ast.unparse(used))


def test_credentials_of_netrc_are_not_sent(server: OddServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anna password hush\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    server.on("GET *", YES)
    with client(server) as api:
        api.get("asst_1")
    assert server.all_requests[0].header("authorization") == []
