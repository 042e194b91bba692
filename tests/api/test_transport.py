import ast
import contextlib
import gzip
import json
import re
import shutil
import socket
import ssl
import subprocess
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
from reconciler.errors import ApiError, SettingsError

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
def test_a_host_that_cannot_be_one_is_an_error_like_any_other(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
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


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def api_through_proxy(url: str) -> AssistantsApi:
    options = (url, token_credentials(), ApiLimits(retries=0, allow_insecure_http=True))
    return AssistantsApi(*options, backoff=0.01)


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(server: OddServer, without_proxies: pytest.MonkeyPatch, name: str) -> None:
    without_proxies.setenv(name, server.origin.replace("//", "//anna:hush@"))
    server.on("GET *", YES)
    with api_through_proxy("http://agents.example.invalid/api") as api:
        assert api.get("asst_1") == ASSISTANT
    (request,) = server.all_requests
    assert request.path == "http://agents.example.invalid/api/assistants/asst_1"
    assert request.header("proxy-authorization")


def test_a_proxy_that_says_no_is_told_without_its_credentials(
    server: OddServer, without_proxies: pytest.MonkeyPatch
) -> None:
    without_proxies.setenv("HTTPS_PROXY", server.origin.replace("//", "//anna:hush@"))
    server.on("CONNECT *", answer(407, "", Proxy_Authenticate="Basic"))
    with api_through_proxy("https://agents.example.invalid/api") as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    error = check_no_secret(error_info.value)
    assert error.kind == "network"
    assert "no connection to https://agents.example.invalid: 407" in error.message


@pytest.mark.parametrize(
    ("url", "variable", "asked"),
    [
        ("https://agents.example.invalid/api", "HTTPS_PROXY", "CONNECT *"),
        ("http://agents.example.invalid/api", "http_proxy", "GET *"),
        ("https://agents.example.invalid/api", "ALL_PROXY", "CONNECT *"),
    ],
)
@pytest.mark.parametrize("login", ["anna:hush%20hush@", ""])
def test_a_wrong_password_is_sent_to_a_proxy_once(
    server: OddServer, without_proxies: pytest.MonkeyPatch, url: str, variable: str, asked: str, login: str
) -> None:
    without_proxies.setenv(variable, server.origin.replace("//", f"//{login}"))
    server.on(asked, answer(407, {"error": "hush hush"}, Proxy_Authenticate="Basic"))
    server.latency = 0.05
    options = (url, token_credentials(), ApiLimits(retries=3, allow_insecure_http=True))
    with AssistantsApi(*options, backoff=0.01) as api, ThreadPoolExecutor(16) as pool:
        errors = [future.exception() for future in [pool.submit(api.get, f"asst_{n}") for n in range(60)]]
        assert sum(api.calls.values()) == 0
    assert len(server.all_requests) == 1
    for error in errors:
        assert isinstance(error, ApiError)
        assert check_no_secret(error).kind == "network"
        assert f"407 from the proxy in {variable}" in error.message
        assert variable in error.hint
        assert "running" not in error.hint


@pytest.mark.parametrize(("status", "times"), [(403, 1), (502, 3), (503, 3), (504, 3)])
def test_a_proxy_that_cannot_reach_the_api_is_asked_again(
    server: OddServer, without_proxies: pytest.MonkeyPatch, status: int, times: int
) -> None:
    without_proxies.setenv("HTTPS_PROXY", server.origin)
    server.on("CONNECT *", answer(status, ""))
    options = ("https://agents.example.invalid/api", token_credentials(), ApiLimits(retries=2))
    with (
        AssistantsApi(*options, backoff=0.01) as api,
        pytest.raises(ApiError, match=f"{status} from the proxy") as error_info,
    ):
        api.get("asst_1")
    assert error_info.value.kind == "network"
    assert len(server.all_requests) == times


def test_what_a_proxy_repeats_of_its_password_is_not_shown(
    server: OddServer, without_proxies: pytest.MonkeyPatch
) -> None:
    without_proxies.setenv("HTTP_PROXY", server.origin.replace("//", "//anna:hush@"))
    server.on("GET *", answer(403, {"error": "not with Basic YW5uYTpodXNo, which is anna:hush"}))
    with api_through_proxy("http://agents.example.invalid/api") as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert "YW5uYTpodXNo" not in str(check_no_secret(error_info.value))


def test_loopback_is_never_reached_through_a_proxy(server: OddServer, without_proxies: pytest.MonkeyPatch) -> None:
    without_proxies.setenv("HTTP_PROXY", "http://proxy.example.invalid:1")
    server.on("GET *", YES)
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT


def test_hosts_that_need_no_proxy_get_none(server: OddServer, without_proxies: pytest.MonkeyPatch) -> None:
    server.on("GET *", YES)
    with odd_server() as proxy:
        without_proxies.setenv("http_proxy", proxy.origin)
        without_proxies.setenv("no_proxy", "0.0.0.0")
        with api_through_proxy(server.url.replace("127.0.0.1", "0.0.0.0")) as api:
            assert api.get("asst_1") == ASSISTANT
        assert proxy.connections == 0


@pytest.mark.parametrize("proxy", ["socks5://anna:hush@h:1", "http://anna:hush@h:port", "http://", "ftp://hush"])
def test_an_unusable_proxy_is_refused_without_being_shown(without_proxies: pytest.MonkeyPatch, proxy: str) -> None:
    without_proxies.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SettingsError, match="proxy") as error_info:
        api_through_proxy("https://agents.example.invalid/api")
    assert "hush" not in str(error_info.value) + error_info.value.hint


def test_a_proxy_may_be_named_without_a_scheme_or_be_reached_by_tls(
    server: OddServer, without_proxies: pytest.MonkeyPatch
) -> None:
    server.on("GET *", YES)
    without_proxies.setenv("HTTP_PROXY", server.origin.removeprefix("http://"))
    with api_through_proxy("http://agents.example.invalid/api") as api:
        assert api.get("asst_1") == ASSISTANT
    without_proxies.setenv("HTTP_PROXY", server.origin.replace("http://", "https://"))
    with api_through_proxy("http://agents.example.invalid/api") as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert error_info.value.kind == "network"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody knows, with its key behind it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    key, file = tmp_path / "key.pem", tmp_path / "loopback.pem"
    options = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=loopback"
    command = [openssl, "req", "-x509", *options.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(file)], check=True, capture_output=True)
    file.write_text(file.read_text(encoding="ascii") + key.read_text(encoding="ascii"), encoding="ascii")
    return file


def test_tls_is_verified(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with odd_server(tls=tls) as server:
        server.on("GET *", YES)
        with client(server) as api, pytest.raises(ApiError) as error_info:
            api.get("asst_1")
        assert check_no_secret(error_info.value).kind == "network"
        assert "CERTIFICATE_VERIFY_FAILED" in error_info.value.message
        assert "SSL_CERT_FILE" in error_info.value.hint
        assert (server.connections, server.all_requests) == (1, [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with client(server) as api:
            assert api.get("asst_1") == ASSISTANT
            assert api.get("asst_1") == ASSISTANT
        assert server.connections == 2


def test_https_to_something_that_speaks_no_tls(server: OddServer) -> None:
    server.on("GET *", YES)
    options = (server.url.replace("http:", "https:"), token_credentials(), ApiLimits(retries=0, timeout=2))
    with AssistantsApi(*options) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert error_info.value.kind in ("network", "timeout")
    assert server.requests("GET") == []
