import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from authority import Authority, make_authority
from odd_client import ASSISTANT, check_no_secret, client, token_credentials
from odd_server import OddServer, answer, odd_server, raw_reply

from reconciler.api.client import AssistantsApi
from reconciler.api.tls import explain_tls
from reconciler.core.ports import ApiLimits
from reconciler.errors import ApiError, SettingsError

YES = answer(200, ASSISTANT)
HTTPS = "https://127.0.0.1:9/api"
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "RECONCILER_CLIENT_CERT", "RECONCILER_CLIENT_KEY")


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[OddServer]:
    with odd_server(tls=authority.server(authority.issue())) as running:
        running.on("GET *", YES)
        yield running


def catch_error(server: OddServer) -> ApiError:
    with client(server, retries=2) as api, pytest.raises(ApiError) as error_info:
        api.get("asst_1")
    return check_no_secret(error_info.value)


def test_both_variables_name_authorities(server: OddServer, authority: Authority, env: pytest.MonkeyPatch) -> None:
    env.setenv("SSL_CERT_FILE", str(authority.file))
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT
        assert api.get("asst_1") == ASSISTANT
    assert server.connections == 1
    env.delenv("SSL_CERT_FILE")
    folder = authority.folder / "hashed"
    folder.mkdir()
    (folder / "ca.pem").write_text(authority.file.read_text("ascii"), "ascii")
    subprocess.run(["openssl", "rehash", str(folder)], check=True)
    env.setenv("SSL_CERT_DIR", str(folder))
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "RECONCILER_CLIENT_CERT"])
@pytest.mark.parametrize(
    ("content", "says"),
    [("missing", "No such file"), ("folder", "Is a directory"), ("der", "in PEM form"), ("empty", "in PEM form")],
)
def test_a_file_that_cannot_be_used_is_named(
    env: pytest.MonkeyPatch, authority: Authority, tmp_path: Path, variable: str, content: str, says: str
) -> None:
    place = tmp_path / content
    if content == "folder":
        place.mkdir()
    elif content == "der":
        place.write_bytes(ssl.PEM_cert_to_DER_cert(authority.file.read_text("ascii")))
    elif content == "empty":
        place.touch()
    env.setenv(variable, str(place))
    with pytest.raises(SettingsError) as error_info:
        AssistantsApi(HTTPS, token_credentials())
    assert f"{variable} names a file that cannot be used: {str(place)!r}" in error_info.value.message
    assert says in error_info.value.message
    assert variable in error_info.value.hint
    AssistantsApi("http://127.0.0.1:9/api", token_credentials())  # which needs none of these files


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSLKEYLOGFILE", "/no/such/keys"),
        ("SSLKEYLOGFILE", "/"),
        ("SSL_CERT_DIR", "/no/such"),
        ("SSL_CERT_DIR", "/dev/null"),
    ],
)
def test_a_place_that_cannot_be_used_is_named(env: pytest.MonkeyPatch, variable: str, value: str) -> None:
    env.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"{variable} names .*{value!r}"):
        AssistantsApi(HTTPS, token_credentials())


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "RECONCILER_CLIENT_CERT"])
@pytest.mark.parametrize("encode", [str, lambda pem: b64encode(pem.encode()).decode()], ids=["pem", "base64"])
def test_a_key_in_place_of_a_path_is_not_shown(
    env: pytest.MonkeyPatch, authority: Authority, variable: str, encode: Callable[[str], str]
) -> None:
    content = encode(authority.issue("mine").read_text("ascii"))
    env.setenv(variable, content)
    with pytest.raises(SettingsError, match=f"{variable} must be the path of a f.*content") as error_info:
        AssistantsApi(HTTPS, token_credentials())
    assert content[40:60] not in error_info.value.message + error_info.value.hint


@pytest.mark.parametrize("is_joined", [False, True])
def test_a_damaged_authority_among_good_ones_is_named(
    env: pytest.MonkeyPatch, authority: Authority, tmp_path: Path, *, is_joined: bool
) -> None:
    good, file = authority.file.read_text("ascii"), tmp_path / "authorities.pem"
    # Two files were joined, of which the first has no line end.
    file.write_text(good.rstrip() + good if is_joined else good + good.replace("M", "!") + good, "ascii")
    env.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(SettingsError, match="one of its certificates is damaged"):
        AssistantsApi(HTTPS, token_credentials())


def test_an_empty_variable_is_none(env: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        env.setenv(name, "")
    AssistantsApi(HTTPS, token_credentials())


@pytest.mark.parametrize(
    ("san", "days", "known", "says", "hint"),
    [
        ("IP:127.0.0.1", 2, False, "unable to get local issuer certificate", "SSL_CERT_FILE"),
        ("IP:127.0.0.1", -1, True, "has expired", "renew"),
        ("IP:127.0.0.2", 2, True, "mismatch", "another host"),
        ("DNS:agents.example", 2, True, "mismatch", "another host"),
    ],
)
def test_the_hint_fits_what_is_wrong_with_the_certificate(
    env: pytest.MonkeyPatch, authority: Authority, san: str, days: int, known: bool, says: str, hint: str
) -> None:
    if known:
        env.setenv("SSL_CERT_FILE", str(authority.file))
    with odd_server(tls=authority.server(authority.issue("bad", san=san, days=days))) as server:
        error = catch_error(server)
        assert error.kind == "network"
        assert "CERTIFICATE_VERIFY_FAILED" in error.message
        assert says in error.message
        assert hint in error.hint
        assert ("SSL_CERT_FILE" in error.hint) is not known
        assert (server.connections, server.all_requests) == (1, [])


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        ("Missing Authority Key Identifier", "Python 3.12"),
        ("Missing Subject Key Identifier", "Python 3.12"),
        ("Basic Constraints of CA cert not marked critical", "Python 3.12"),
        ("CA cert does not include key usage extension", "Python 3.12"),
        ("Empty Subject Alternative Name extension", "Python 3.12"),
        # Older Pythons reject these as well.
        ("CA signature digest algorithm too weak", "OpenSSL rejects"),
        ("CA certificate key too weak", "OpenSSL rejects"),
        ("invalid CA certificate", "OpenSSL rejects"),
        ("unhandled critical extension", "OpenSSL rejects"),
        ("unsuitable certificate purpose", "not meant for a server"),
        ("permitted subtree violation", "limited to other hosts"),
    ],
)
def test_a_certificate_that_is_refused_though_its_authority_is_known_has_a_hint_of_its_own(
    words: str, piece: str
) -> None:
    error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {words}")
    error.verify_message = words
    problem = explain_tls(error)
    assert problem is not None
    assert piece in problem.hint
    assert ("Python" in problem.hint) is (piece == "Python 3.12")
    assert "SSL_CERT_FILE" not in problem.hint


def test_what_python_3_13_refuses_is_told_from_an_unknown_authority(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "old", old=True)
    strict = ssl.create_default_context(cafile=authority.file)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT  # which is the default from 3.13 on
    with (
        odd_server(tls=authority.server(authority.issue())) as server,
        socket.create_connection(("127.0.0.1", int(server.origin.rpartition(":")[2]))) as plain,
        pytest.raises(ssl.SSLCertVerificationError) as error_info,
    ):
        strict.wrap_socket(plain, server_hostname="127.0.0.1")
    problem = explain_tls(error_info.value)
    assert problem is not None
    assert "3.13" in problem.hint
    assert "SSL_CERT_FILE" not in problem.hint


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
def test_a_client_certificate_is_shown_to_an_api_that_wants_one(
    env: pytest.MonkeyPatch, authority: Authority, newest: ssl.TLSVersion
) -> None:
    env.setenv("SSL_CERT_FILE", str(authority.file))
    mine = authority.issue("mine")
    with odd_server(tls=authority.server(authority.issue(), client=True, newest=newest)) as server:
        server.on("GET *", YES)
        error = catch_error(server)
        assert error.kind == "network"
        assert "client certificate" in error.message
        assert "TLS alert" in error.message
        assert "RECONCILER_CLIENT_CERT" in error.hint
        assert server.all_requests == []
        env.setenv("RECONCILER_CLIENT_CERT", str(mine))
        with client(server) as api:
            assert api.get("asst_1") == ASSISTANT
        env.setenv("RECONCILER_CLIENT_CERT", str(authority.folder / "mine.pem"))
        env.setenv("RECONCILER_CLIENT_KEY", str(authority.folder / "mine.key"))
        with client(server) as api:
            assert api.get("asst_1") == ASSISTANT


def test_a_client_certificate_that_the_api_does_not_know(
    env: pytest.MonkeyPatch, authority: Authority, tmp_path: Path
) -> None:
    env.setenv("SSL_CERT_FILE", str(authority.file))
    env.setenv("RECONCILER_CLIENT_CERT", str(make_authority(tmp_path / "other").issue("stranger")))
    with odd_server(tls=authority.server(authority.issue(), client=True)) as server:
        error = catch_error(server)
    assert "the API does not know the authority of the client certificate (TLS alert unknown_ca)" in error.message
    assert "RECONCILER_CLIENT_CERT" in error.hint


def test_a_key_that_does_not_fit_is_named(env: pytest.MonkeyPatch, authority: Authority, tmp_path: Path) -> None:
    authority.issue("one")
    authority.issue("two")
    authority.issue("weak", key="rsa:1024")
    certificate, key = authority.folder / "one.pem", authority.folder / "two.key"
    env.setenv("RECONCILER_CLIENT_KEY", str(key))
    with pytest.raises(SettingsError, match="RECONCILER_CLIENT_CERT is not"):
        AssistantsApi(HTTPS, token_credentials())
    env.setenv("RECONCILER_CLIENT_CERT", str(certificate))
    with pytest.raises(SettingsError, match=r"RECONCILER_CLIENT_KEY .*two.key.*it does not match the certificate"):
        AssistantsApi(HTTPS, token_credentials())
    env.delenv("RECONCILER_CLIENT_KEY")
    with pytest.raises(SettingsError, match=r"RECONCILER_CLIENT_CERT .*one.pem.*it contains no key"):
        AssistantsApi(HTTPS, token_credentials())
    locked = tmp_path / "locked.key"
    words = ["openssl", "ec", "-in", str(authority.folder / "one.key"), "-aes128", "-passout", "pass:hush"]
    subprocess.run([*words, "-out", str(locked)], check=True, capture_output=True)
    env.setenv("RECONCILER_CLIENT_KEY", str(locked))
    with pytest.raises(SettingsError, match="has a password"):  # and nobody is asked for it
        AssistantsApi(HTTPS, token_credentials())
    env.setenv("RECONCILER_CLIENT_CERT", str(authority.folder / "weak.pem"))
    env.setenv("RECONCILER_CLIENT_KEY", str(authority.folder / "weak.key"))
    with pytest.raises(SettingsError, match=r"RECONCILER_CLIENT_CERT .*weak.pem.*ee_key_too_small"):
        AssistantsApi(HTTPS, token_credentials())
    damaged = tmp_path / "damaged.pem"
    damaged.write_text(certificate.read_text("ascii").replace("MII", "M!!", 1), "ascii")
    env.setenv("RECONCILER_CLIENT_CERT", str(damaged))
    env.setenv("RECONCILER_CLIENT_KEY", str(authority.folder / "one.key"))
    with pytest.raises(SettingsError, match=r"RECONCILER_CLIENT_CERT .*damaged.pem.*its certificate is damaged"):
        AssistantsApi(HTTPS, token_credentials())
    damaged.write_text(authority.folder.joinpath("one.key").read_text("ascii").replace("MI", "M!", 1), "ascii")
    env.setenv("RECONCILER_CLIENT_CERT", str(certificate))
    env.setenv("RECONCILER_CLIENT_KEY", str(damaged))
    with pytest.raises(SettingsError, match=r"RECONCILER_CLIENT_KEY .*damaged.pem.*its key is damaged"):
        AssistantsApi(HTTPS, token_credentials())
    damaged.write_text(certificate.read_text("ascii") + damaged.read_text("ascii"), "ascii")
    env.delenv("RECONCILER_CLIENT_KEY")
    env.setenv("RECONCILER_CLIENT_CERT", str(damaged))
    with pytest.raises(SettingsError, match=r"RECONCILER_CLIENT_CERT .*damaged.pem.*its certificate or key is damaged"):
        AssistantsApi(HTTPS, token_credentials())


def test_a_long_path_of_a_file_that_exists_is_shown(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ("a" * 100) / ("b" * 100)
    file.parent.mkdir()
    file.touch()
    env.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(SettingsError, match=r"bbb.*it contains no certificate in PEM format"):
        AssistantsApi(HTTPS, token_credentials())


def test_an_api_that_speaks_no_tls_is_told_from_one_that_is_down() -> None:
    with odd_server() as plain:
        plain.on("GET *", raw_reply(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        options = (plain.url.replace("http:", "https:"), token_credentials(), ApiLimits(retries=0, timeout=2))
        with AssistantsApi(*options) as api, pytest.raises(ApiError) as error_info:
            api.get("asst_1")
        assert plain.requests("GET") == []
    assert error_info.value.kind in ("network", "timeout")
    for reason, piece in (
        ("WRONG_VERSION_NUMBER", "http://"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "TLS 1.2"),
        ("TLSV1_UNRECOGNIZED_NAME", "another host"),
    ):
        error = ssl.SSLError(1, "words")
        error.reason = reason
        problem = explain_tls(error)
        assert problem is not None
        assert piece in problem.hint
