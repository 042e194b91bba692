"""A certificate authority of a test's own, made by openssl."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_EC = "ec -pkeyopt ec_paramgen_curve:prime256v1"


@dataclass(frozen=True)
class Authority:
    """`file` is its own certificate; `issue` returns a file with a certificate and its key."""

    folder: Path
    file: Path

    def issue(self, name: str = "leaf", *, san: str = "IP:127.0.0.1", days: int = 2, key: str = _EC) -> Path:
        extensions = self.folder / f"{name}.ext"
        identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        extensions.write_text(f"subjectAltName={san}\n{identifiers}", encoding="ascii")
        request, key_file, certificate = (self.folder / f"{name}.{suffix}" for suffix in ("csr", "key", "pem"))
        new_key = ("-newkey", *key.split(), "-nodes")
        _openssl("req", "-new", *new_key, "-subj", f"/CN={name}", "-keyout", key_file, "-out", request)
        issuer = ("-CA", self.file, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        validity = ("-days", days) if days > 0 else _in_the_past()
        _openssl("x509", "-req", "-in", request, *issuer, *validity, "-extfile", extensions, "-out", certificate)
        both = self.folder / f"{name}-both.pem"
        both.write_text(certificate.read_text("ascii") + key_file.read_text("ascii"), encoding="ascii")
        return both

    def server(
        self, certificate: Path, *, client: bool = False, newest: ssl.TLSVersion | None = None
    ) -> ssl.SSLContext:
        """The context of a server with that certificate, which may want one of its clients' too."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        if client:
            tls.verify_mode = ssl.CERT_REQUIRED
            tls.load_verify_locations(self.file)
        if newest is not None:
            tls.maximum_version = newest
        return tls


def make_authority(folder: Path, *, old: bool = False) -> Authority:
    """Make an authority; an `old` one as companies used to, which RFC 5280 does not allow."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates")
    folder.mkdir(exist_ok=True)
    file = folder / "ca.pem"
    _openssl(
        *("req", "-x509", "-newkey", *_EC.split(), "-nodes", "-days", 2, "-subj", "/CN=An authority"),
        *(
            "-addext",
            "basicConstraints=CA:TRUE" if old else "keyUsage=critical,keyCertSign",
            "-keyout",
            folder / "ca.key",
            "-out",
            file,
        ),
    )
    return Authority(folder, file)


def _in_the_past() -> tuple[str, ...]:
    """Return the options for a certificate that has expired: OpenSSL 3.6 takes no negative number of days."""
    options = subprocess.run(["openssl", "x509", "-help"], check=False, capture_output=True).stderr
    if b"-not_after" not in options:
        return "-days", "-1"
    return "-not_before", "20260101000000Z", "-not_after", "20260102000000Z"


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
