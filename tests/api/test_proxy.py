import pytest
from odd_client import ASSISTANT, bare
from odd_server import answer, odd_server

from reconciler.api.client import ApiOptions, AssistantsApi
from reconciler.api.proxy import is_exempt
from reconciler.core.base_url import check_base_url

NAME = "https://api.corp.test:8443/api"


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
    ("no_proxy", "through"), [("0.0.0.0:{port}", False), ("0.0.0.0/32", False), ("0.0.0.0:1", True)]
)
def test_the_environment_decides_what_goes_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, through: bool
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with odd_server() as server, odd_server() as proxy:
        server.on("GET *", answer(200, ASSISTANT))
        proxy.on("GET *", answer(200, ASSISTANT))
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=server.origin.rpartition(":")[2]))
        url = server.url.replace("127.0.0.1", "0.0.0.0")
        with AssistantsApi(ApiOptions(url, bare(), retries=0, allow_insecure_http=True)) as api:
            assert api.get("asst_1") == ASSISTANT
        assert (proxy.connections, server.connections) == (int(through), int(not through))
