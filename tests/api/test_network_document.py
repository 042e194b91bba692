"""docs/network.md: the variables of each section, as they stand there, make the installed command reach the API."""

import re
import sys
from pathlib import Path

import pytest
from authority import Authority, make_authority
from commands import Completed, run
from odd_client import TOKEN
from odd_server import OddServer, answer, odd_server
from pages import read_section
from tunnel import tunnel

TEXT = (Path(__file__).parents[2] / "docs" / "network.md").read_text("utf-8")
USER = {"user": {"id": "u1", "email": "anna@example.edu", "role": "ADMIN"}}


def variables(title: str, **values: Path | str) -> dict[str, str]:
    """The variables that a section exports, each with a value that holds here."""
    names = re.findall(r"^export ([A-Z_]+)=", read_section(TEXT, title), re.MULTILINE)
    assert sorted(names) == sorted(values)
    return {name: str(values[name]) for name in names}


def run_whoami(server: OddServer, folder: Path, env: dict[str, str], url: str = "") -> Completed:
    server.on("GET *", answer(200, USER))
    connection = {"RECONCILER_API_URL": url or server.url, "RECONCILER_AUTH_TOKEN": TOKEN}
    result = run("whoami", "--retries", "0", cwd=folder, env={**connection, **env})
    assert TOKEN not in result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


def test_a_proxy(tmp_path: Path, authority: Authority) -> None:
    url, trust = "https://agents.example.test/api", {"SSL_CERT_FILE": str(authority.file)}
    tls = authority.server(authority.issue(san="DNS:agents.example.test"))
    with odd_server(tls=tls) as server, odd_server() as proxy:
        proxy.on("CONNECT *", tunnel(server, "build:hush"))
        place = proxy.origin.replace("//", "//build:hush@")
        env = variables("A proxy", HTTPS_PROXY=place, NO_PROXY="localhost,.corp.example.test,10.0.0.0/8") | trust
        assert run_whoami(server, tmp_path, env, url).code == 0
        assert len(proxy.all_requests) == 1
        wrong = run_whoami(server, tmp_path, env | {"HTTPS_PROXY": place.replace("hush", "shush")}, url)
        assert (wrong.code, len(proxy.all_requests)) == (1, 2)
        assert "407 from the proxy in HTTPS_PROXY" in wrong.stderr
        assert "shush" not in wrong.stderr
        # On another name, of this machine, that needs no proxy.
        near = f"https://0.0.0.0:{server.origin.rpartition(':')[2]}/api"
        result = run_whoami(server, tmp_path, env | {"NO_PROXY": "0.0.0.0/8"}, near)
        assert (result.code, len(proxy.all_requests)) == (1, 2)
        assert "for another host" in result.stderr


def test_a_gateway_that_inspects_tls(tmp_path: Path, authority: Authority) -> None:
    title = "A gateway that inspects TLS"
    with odd_server(tls=authority.server(authority.issue("gateway"))) as server:
        unknown = run_whoami(server, tmp_path, {})
        assert unknown.code == 1
        assert "The certificate's authority is unknown. SSL_CERT_FILE" in unknown.stderr
        assert run_whoami(server, tmp_path, variables(title, SSL_CERT_FILE=authority.file)).code == 0
        assert "`SSL_CERT_DIR`" in read_section(TEXT, title)


def test_an_old_authority(tmp_path: Path) -> None:
    old = make_authority(tmp_path / "old", old=True)
    with odd_server(tls=old.server(old.issue())) as server:
        result = run_whoami(server, tmp_path, {"SSL_CERT_FILE": str(old.file)})
    if sys.version_info < (3, 13):
        assert result.code == 0, result.stderr
    else:
        assert "Python 3.13 and newer are stricter" in result.stderr


@pytest.mark.parametrize(
    ("san", "days", "message"), [("IP:127.0.0.1", -1, "has expired"), ("IP:127.0.0.2", 2, "for another host")]
)
def test_a_certificate_with_a_message_of_its_own(
    tmp_path: Path, authority: Authority, san: str, days: int, message: str
) -> None:
    with odd_server(tls=authority.server(authority.issue("bad", san=san, days=days))) as server:
        result = run_whoami(server, tmp_path, {"SSL_CERT_FILE": str(authority.file)})
    assert result.code == 1
    assert message in result.stderr


def test_client_certificates(tmp_path: Path, authority: Authority) -> None:
    authority.issue("mine")
    certificate, key = authority.folder / "mine.pem", authority.folder / "mine.key"
    trust = {"SSL_CERT_FILE": str(authority.file)}
    with odd_server(tls=authority.server(authority.issue(), client=True)) as server:
        without = run_whoami(server, tmp_path, trust)
        assert without.code == 1
        assert "client certificate" in without.stderr
        assert "TLS alert" in without.stderr
        given = variables("Client certificates", RECONCILER_CLIENT_CERT=certificate, RECONCILER_CLIENT_KEY=key)
        assert run_whoami(server, tmp_path, trust | given).code == 0
