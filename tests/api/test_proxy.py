import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from authority import Authority, make_authority
from odd_client import ASSISTANT, check_no_secret, client, token_credentials
from odd_server import OddServer, Reply, Request, answer, hang_up, odd_server, raw_reply, reset, silence
from tunnel import tunnel

from reconciler.api.client import AssistantsApi
from reconciler.api.proxy import is_exempt
from reconciler.core.base_url import check_base_url
from reconciler.core.ports import ApiLimits
from reconciler.errors import ApiError, SettingsError, UnclearWrite

NAME = "https://api.corp.test:8443/api"
TLS, PLAIN = "https://agents.example.test/api", "http://agents.example.test/api"  # no names that resolve


@pytest.mark.parametrize(
    ("url", "no_proxy", "exempt"),
    [
        (NAME, "api.corp.test", True),
        (NAME, "API.Corp.Test", True),
        (NAME, "api.corp.test:8443", True),
        (NAME, "api.corp.test:443", False),
        ("https://api.corp.test/api", "api.corp.test:443", True),
        ("https://api.corp.test/api", "api.corp.test:8443", False),
        (NAME, "corp.test", True),
        (NAME, ".corp.test", True),
        (NAME, "*.corp.test", True),
        (NAME, "*.corp.test:8443", True),
        (NAME, ".corp.test:80", False),
        (NAME, "orp.test", False),
        (NAME, "*", True),
        (NAME, "*:8443", True),
        (NAME, "other.test, api.corp.test", True),
        (NAME, "other.test api.corp.test", True),
        (NAME, "other.test,,", False),
        (NAME, "", False),
        (NAME, ".", False),
        (NAME, "*.", False),
        (NAME, "10.0.0.0/8", False),
        (NAME, "api.corp.test.", True),
        ("https://api.corp.test./api", "corp.test", True),
        ("https://b\u00fccher.test/api", "b\u00fccher.test", True),
        ("https://b\u00fccher.test/api", "xn--bcher-kva.test", True),
        ("https://10.1.2.3/api", "10.0.0.0/8", True),
        ("https://10.1.2.3/api", "10.1.2.3", True),
        ("https://10.1.2.3:8443/api", "10.1.2.3:8443", True),
        ("https://10.1.2.3:8443/api", "10.1.2.3:443", False),
        ("https://10.1.2.3/api", "10.1.2.9/24", True),
        ("https://10.1.2.3/api", "192.168.0.0/16", False),
        ("https://10.1.2.3/api", "fd00::/8", False),
        ("https://[fd00::1]/api", "fd00::/8", True),
        ("https://[fd00::1]/api", "fd00::1", True),
        ("https://[fd00::1]/api", "[fd00::1]", True),
        ("https://[fd00::1]:8443/api", "[fd00::1]:8443", True),
        ("https://[fd00::1]:8443/api", "[fd00::1]:443", False),
        ("https://[fd00::1]/api", "10.0.0.0/8", False),
    ],
)
def test_no_proxy_takes_names_suffixes_ports_and_ranges(url: str, no_proxy: str, exempt: bool) -> None:
    assert is_exempt(check_base_url(url, allow_insecure_http=False), no_proxy) is exempt


@pytest.mark.parametrize(
    ("no_proxy", "through"), [("0.0.0.0", False), ("0.0.0.0:{port}", False), ("0.0.0.0/32", False), ("0.0.0.0:1", True)]
)
def test_the_environment_decides_what_goes_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, through: bool
) -> None:
    with odd_server() as server, odd_server() as proxy:
        server.on("GET *", answer(200, ASSISTANT))
        proxy.on("GET *", answer(200, ASSISTANT))
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=server.origin.rpartition(":")[2]))
        url = server.url.replace("127.0.0.1", "0.0.0.0")
        with api_through_proxy(url) as api:
            assert api.get("asst_1") == ASSISTANT
        assert (proxy.connections, server.connections) == (int(through), int(not through))


@pytest.fixture
def server() -> Iterator[OddServer]:
    with odd_server() as running:
        yield running


@pytest.fixture
def api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[OddServer, Authority]]:
    """An API by TLS, which is known by a name that only a proxy can resolve."""
    authority = make_authority(tmp_path / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with odd_server(tls=authority.server(authority.issue(san="DNS:agents.example.test"))) as server:
        for method in ("GET", "PATCH", "POST"):
            server.on(f"{method} *", answer(200, ASSISTANT))
        yield server, authority


def api_through_proxy(url: str = TLS, retries: int = 2, timeout: float = 5.0) -> AssistantsApi:
    limits = ApiLimits(retries=retries, timeout=timeout, allow_insecure_http=True)
    return AssistantsApi(url, token_credentials(), limits, backoff=0.01)


@pytest.mark.parametrize("by_tls", [False, True])
def test_a_tunnel_through_a_proxy_with_a_password(
    api_server: tuple[OddServer, Authority], monkeypatch: pytest.MonkeyPatch, by_tls: bool
) -> None:
    server, authority = api_server
    tls = authority.server(authority.issue("proxy")) if by_tls else None
    with odd_server(tls=tls) as proxy:
        proxy.on("CONNECT *", tunnel(server, "anna:hu:sh %"))
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin.replace("//", "//anna:hu%3Ash%20%25@"))
        with api_through_proxy() as api:
            assert api.get("asst_1") == ASSISTANT
            assert api.patch("asst_1", {"name": "x"}, live_id="asst_1") == ASSISTANT
        assert [request.path for request in proxy.all_requests] == ["agents.example.test:443"]
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin.replace("//", "//anna:hush@"))
        with (
            api_through_proxy() as api,
            pytest.raises(ApiError, match="407 from the proxy in HTTPS_PROXY") as error_info,
        ):
            api.get("asst_1")
        assert "hush" not in str(check_no_secret(error_info.value))
        assert len(proxy.all_requests) == 2
    assert [request.method for request in server.all_requests] == ["GET", "PATCH"]
    assert {*map(tuple, (request.header("proxy-authorization") for request in server.all_requests))} == {()}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"san": "DNS:other.test"}, "mismatch"),
        ({"days": -1}, "has expired"),
        ({"client": True}, "the proxy requires a client certificate"),
    ],
)
def test_trouble_with_a_proxys_own_certificate_is_not_blamed_on_the_api(
    api_server: tuple[OddServer, Authority], monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], says: str
) -> None:
    _, authority = api_server
    client = options.pop("client", False)
    monkeypatch.setenv("RECONCILER_CLIENT_CERT", str(authority.issue("mine")))
    with odd_server(tls=authority.server(authority.issue("proxy", **options), client=client)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        with api_through_proxy() as api, pytest.raises(ApiError, match="the proxy in HTTPS_PROXY failed: ") as error:
            api.patch("asst_1", {}, live_id="asst_1")
        assert says in error.value.message
        assert "the operator of the proxy" in error.value.hint
        assert type(error.value) is ApiError
        assert (proxy.connections, sum(api.calls.values())) == (1, 0)


OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def opened_and_silent(sock: socket.socket, request: Request) -> bool:
    """A tunnel behind which nobody answers."""
    sock.sendall(OPENED)
    return silence(sock, request)


def opened_and_reset(sock: socket.socket, request: Request) -> bool:
    """The tunnel is there, and breaks off."""
    sock.sendall(OPENED)
    sock.recv(1)
    return reset(sock, request)


@pytest.mark.parametrize(
    "reply", [hang_up, silence, answer(502, ""), answer(504, ""), raw_reply(OPENED), opened_and_silent]
)
def test_a_write_that_got_no_further_than_the_proxy_is_not_unclear(
    api_server: tuple[OddServer, Authority], monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    server, _ = api_server
    with odd_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        proxy.on("CONNECT *", reply)
        with api_through_proxy(timeout=0.4) as api:
            with pytest.raises(ApiError, match="after 3 attempts") as error_info:
                api.patch("asst_1", {}, live_id="asst_1")
            assert type(error_info.value) is ApiError
            assert sum(api.calls.values()) == 0
        proxy.on("CONNECT *", reply, tunnel(server))
        # Long enough for a busy machine, since the second attempt has to succeed.
        with api_through_proxy(timeout=2.0) as api:
            assert api.patch("asst_1", {}, live_id="asst_1") == ASSISTANT
    assert len(server.all_requests) == 1


@pytest.mark.parametrize(
    ("reply", "message", "hint"),
    [
        (answer(403, ""), "403 from the proxy in HTTPS_PROXY", "NO_PROXY"),
        (raw_reply(OPENED), "the connection was closed during the TLS handshake", "proxy in HTTPS_PROXY"),
        (opened_and_reset, "the connection was closed during the TLS handshake", "proxy in HTTPS_PROXY"),
        (hang_up, "the connection was closed before a response arrived", "proxy in HTTPS_PROXY"),
    ],
)
def test_what_a_proxy_did_instead_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, reply: Reply, message: str, hint: str
) -> None:
    with odd_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        proxy.on("CONNECT *", reply)
        with api_through_proxy(retries=0) as api, pytest.raises(ApiError) as error_info:
            api.get("asst_1")
    assert error_info.value.message.endswith(message)
    assert hint in error_info.value.hint


def test_a_write_that_got_lost_behind_the_proxy_is_unclear(
    api_server: tuple[OddServer, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = api_server
    server.on("PATCH *", hang_up)
    with odd_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        proxy.on("CONNECT *", tunnel(server))
        with api_through_proxy() as api:
            for _ in range(2):  # over a new connection, and over one that was good for a reading
                with pytest.raises(UnclearWrite):
                    api.patch("asst_1", {}, live_id="asst_1")
                api.get("asst_1")
    assert len(server.requests("PATCH")) == 2


def test_a_proxy_that_is_down_is_what_the_hint_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
    with api_through_proxy(retries=0) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert "refused" in error_info.value.message
    assert "check that the proxy in ALL_PROXY is running" in error_info.value.hint


@pytest.mark.parametrize(("name", "end"), [("http_proxy", ""), ("ALL_PROXY", ""), ("HTTP_PROXY", "\n")])
def test_a_proxy_of_the_environment_is_used(
    server: OddServer, monkeypatch: pytest.MonkeyPatch, name: str, end: str
) -> None:
    monkeypatch.setenv(name, server.origin.replace("//", "//anna:hush@") + end)
    server.on("GET *", answer(200, ASSISTANT))
    with api_through_proxy(PLAIN) as api:
        assert api.get("asst_1") == ASSISTANT
    (request,) = server.all_requests
    assert request.path == "http://agents.example.test/api/assistants/asst_1"
    assert request.header("proxy-authorization")


@pytest.mark.parametrize(
    ("url", "variable", "asked"),
    [
        (TLS, "HTTPS_PROXY", "CONNECT *"),
        (PLAIN, "http_proxy", "GET *"),
        (TLS, "ALL_PROXY", "CONNECT *"),
    ],
)
@pytest.mark.parametrize("login", ["anna:hush%20hush@", ""])
def test_a_wrong_password_is_sent_to_a_proxy_once(
    server: OddServer, monkeypatch: pytest.MonkeyPatch, url: str, variable: str, asked: str, login: str
) -> None:
    monkeypatch.setenv(variable, server.origin.replace("//", f"//{login}"))
    server.on(asked, answer(407, {"error": "hush hush"}, Proxy_Authenticate="Basic"))
    server.latency = 0.05
    with api_through_proxy(url, retries=3) as api, ThreadPoolExecutor(16) as pool:
        errors = [future.exception() for future in [pool.submit(api.get, f"asst_{n}") for n in range(60)]]
        assert sum(api.calls.values()) == 0
    assert len(server.all_requests) == 1
    for error in errors:
        assert isinstance(error, ApiError)
        assert check_no_secret(error).kind == "network"
        assert f"407 from the proxy in {variable}" in error.message
        assert "only Basic" in error.hint
        assert variable in error.hint
        assert "running" not in error.hint


@pytest.mark.parametrize(("status", "times"), [(403, 1), (502, 3), (503, 3), (504, 3)])
def test_a_proxy_that_cannot_reach_the_api_is_asked_again(
    server: OddServer, monkeypatch: pytest.MonkeyPatch, status: int, times: int
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.origin)
    server.on("CONNECT *", answer(status, ""))
    with api_through_proxy() as api, pytest.raises(ApiError, match=f"{status} from the proxy") as error_info:
        api.get("asst_1")
    assert error_info.value.kind == "network"
    assert len(server.all_requests) == times


def test_what_a_proxy_repeats_of_its_password_is_not_shown(server: OddServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.origin.replace("//", "//anna:hush@"))
    server.on("GET *", answer(403, {"error": "not with Basic YW5uYTpodXNo, which is anna:hush"}))
    with api_through_proxy(PLAIN, retries=0) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert "YW5uYTpodXNo" not in str(check_no_secret(error_info.value))


def test_loopback_is_never_reached_through_a_proxy(server: OddServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.invalid:1")
    server.on("GET *", answer(200, ASSISTANT))
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT


@pytest.mark.parametrize("proxy", ["socks5://anna:hush@h:1", "http://anna:hush@h:port", "http://", "ftp://hush"])
def test_an_unusable_proxy_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SettingsError, match="proxy") as error_info:
        api_through_proxy()
    assert "hush" not in str(error_info.value) + error_info.value.hint


def test_a_proxy_may_be_named_without_a_scheme_or_be_reached_by_tls(
    server: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET *", answer(200, ASSISTANT))
    monkeypatch.setenv("HTTP_PROXY", server.origin.removeprefix("http://"))
    with api_through_proxy(PLAIN) as api:
        assert api.get("asst_1") == ASSISTANT
    monkeypatch.setenv("HTTP_PROXY", server.origin.replace("http://", "https://"))
    with api_through_proxy(PLAIN, retries=0) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    assert error_info.value.kind == "network"
