"""TLS: trusted authorities, the client certificate, and what a failed handshake means. Shows no key."""

import os
import ssl

import certifi

from reconciler.api.results import NoAnswer
from reconciler.errors import SettingsError

CLIENT_CERT, CLIENT_KEY = "RECONCILER_CLIENT_CERT", "RECONCILER_CLIENT_KEY"
_LONGEST_SHOWN = 150  # characters of a path; a PEM file with a key is longer in Base64
_AUTHORITY = "SSL_CERT_FILE (a PEM file) or SSL_CERT_DIR (after `openssl rehash`) can name an authority to trust."
_UNKNOWN_AUTHORITY = f"The certificate's authority is unknown. {_AUTHORITY}"
_OTHER_HOST = "The certificate is for another host: the API URL must use a name that is in it."
_REJECTED = "The authority is known, but OpenSSL rejects this kind of certificate. Ask for a new certificate."
# Python 3.13 requires authorities that follow RFC 5280 strictly (VERIFY_X509_STRICT).
_OLD_AUTHORITY = (
    "The authority is known, but Python 3.13 and newer are stricter and reject this kind of certificate. "
    "Ask for a new certificate, or use Python 3.12."
)
# Parts of OpenSSL's messages about a certificate that it rejects (`man openssl-verification-options`).
_VERIFY_HINTS = {
    "has expired": "The certificate has expired, or this machine's clock is wrong. The API's operator must renew it.",
    "not yet valid": "The certificate is not valid yet, or this machine's clock is wrong.",
    **dict.fromkeys(("ostname mismatch", "IP address mismatch"), _OTHER_HOST),
    "revoked": "The certificate was revoked. The API's operator needs a new one.",
    **dict.fromkeys(("issuer certificate", "first certificate", "self-signed", "self signed"), _UNKNOWN_AUTHORITY),
    "purpose": "The certificate is not meant for a server. The API's operator needs another one.",
    "subtree": "The certificate's authority is limited to other hosts. The API's operator needs another certificate.",
    **dict.fromkeys(("unhandled", "invalid CA", "non-CA", "too weak", "too small", "too short"), _REJECTED),
    **dict.fromkeys(("Missing", "Basic Constraints", "key usage", "critical", "mpty"), _OLD_AUTHORITY),
}
# The alerts of RFC 8446, section 6.2, about the client certificate that we sent, or did not send.
_CLIENT_ALERTS = {
    "CERTIFICATE_REQUIRED": "the API requires a client certificate",
    "HANDSHAKE_FAILURE": "the API aborted the TLS handshake, perhaps because it requires a client certificate",
    "UNKNOWN_CA": "the API does not know the authority of the client certificate",
    "CERTIFICATE_EXPIRED": "the client certificate has expired",
    "CERTIFICATE_REVOKED": "the client certificate was revoked",
    **dict.fromkeys(
        ("BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "UNSUPPORTED_CERTIFICATE", "ACCESS_DENIED"),
        "the API rejected the client certificate",
    ),
}


def create_context(*, client: bool = True) -> ssl.SSLContext:
    """Return a context that verifies certificates with the user's authorities. Takes about a tenth of a second.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the built-in authorities. With `client`, a server that asks for it gets
    the certificate in `RECONCILER_CLIENT_CERT`; the key is in `RECONCILER_CLIENT_KEY`, or in the same file. Raises
    `SettingsError` if a file cannot be used.
    """
    file, folder = os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None
    # OpenSSL ignores a folder that does not exist, and would then trust no authority at all.
    if folder and not any(map(os.path.isdir, folder.split(os.pathsep))):
        raise _make_file_error("SSL_CERT_DIR", folder, "there is no such folder")
    try:
        context = ssl.create_default_context(cafile=file if file or folder else certifi.where(), capath=folder)
    except OSError as error:
        # Python also opens SSLKEYLOGFILE here. Only an error about that file has its name.
        variable = "SSLKEYLOGFILE" if error.filename else "SSL_CERT_FILE"
        value, reason = os.environ.get(variable, ""), str(error.strerror)
        if isinstance(error, ssl.SSLError):
            _check_pem(variable, value, b"CERTIFICATE-----")
            # Often a line end is missing where two files were joined.
            reason = "one of its certificates is damaged, or does not begin on a line of its own"
        raise _make_file_error(variable, value, reason) from None
    if client:
        _load_client_certificate(context)
    return context


def explain_tls(error: ssl.SSLError) -> NoAnswer | None:
    """Return what a TLS error means and what to do; None if it is just a lost connection.

    Only errors about our client certificate prove that the API did not get the request.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        message = str(error.verify_message)
        hint = next((hint for part, hint in _VERIFY_HINTS.items() if part in message), "")
        return _fail(str(error), hint or f"The certificate is not trusted. {_AUTHORITY}")
    reason = str(error.reason or "")
    alert = reason.partition("ALERT_")[2]
    if alert in _CLIENT_ALERTS:
        hint = f"{CLIENT_CERT} and {CLIENT_KEY} set the client certificate and its key, as PEM files"
        return _fail(f"{_CLIENT_ALERTS[alert]} (TLS alert {alert.lower()})", hint, reached=False)
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
        hint = "check the port of the API URL, and whether it begins with http://"
        return _fail(f"the server does not use TLS ({reason.lower()})", hint)
    if alert == "PROTOCOL_VERSION" or reason in ("UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"):
        hint = "reconciler uses TLS 1.2 or newer, unless the system's OpenSSL is configured otherwise"
        return _fail(f"the server and this tool have no TLS version in common ({reason.lower()})", hint)
    if reason.endswith("UNRECOGNIZED_NAME"):
        return _fail("the server does not know this host name (TLS alert unrecognized_name)", _OTHER_HOST)
    return None


def _fail(text: str, hint: str, *, reached: bool = True) -> NoAnswer:
    return NoAnswer("network", text, reached=reached, temporary=False, hint=hint)


def _load_client_certificate(context: ssl.SSLContext) -> None:
    certificate, key = os.environ.get(CLIENT_CERT), os.environ.get(CLIENT_KEY)
    if not certificate:
        if key:
            raise SettingsError(f"{CLIENT_KEY} is set, but {CLIENT_CERT} is not.", hint="set both, or neither")
        return
    # Each file is checked on its own, because OpenSSL does not say which of the two is wrong.
    _check_pem(CLIENT_CERT, certificate, b"CERTIFICATE-----")
    variable, file = (CLIENT_KEY, key) if key else (CLIENT_CERT, certificate)
    _check_pem(variable, file, b"KEY-----")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        part = "certificate" if key else "certificate or key"
        raise _make_file_error(CLIENT_CERT, certificate, f"its {part} is damaged") from None
    try:
        # Without a password here, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key or None, password=_refuse_password)
    except ssl.SSLError as error:
        reason = error.reason or ""
        if reason.endswith(("TOO_SMALL", "TOO_WEAK")):
            raise _make_file_error(CLIENT_CERT, certificate, f"OpenSSL rejects it: {reason.lower()}") from None
        problem = "it does not match the certificate" if reason == "KEY_VALUES_MISMATCH" else "its key is damaged"
        raise _make_file_error(variable, file, problem) from None
    except ValueError as error:
        raise _make_file_error(variable, file, str(error)) from None


def _check_pem(variable: str, file: str, mark: bytes) -> None:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - this room has no use for pathlib
            content = stream.read(1024 * 1024)
    except (OSError, ValueError) as error:
        raise _make_file_error(variable, file, getattr(error, "strerror", None) or str(error)) from None
    if mark not in content:
        kind = "certificate" if mark.startswith(b"CERT") else "key"
        raise _make_file_error(variable, file, f"it contains no {kind} in PEM format")


def _refuse_password() -> str:
    raise ValueError("its key has a password, which is not supported")


def _make_file_error(variable: str, file: str, reason: str) -> SettingsError:
    kind = "folder" if variable == "SSL_CERT_DIR" else "file"
    # CI systems can store the content of a file in a variable, and this may be a key.
    if not os.path.lexists(file) and ("-----BEGIN" in file or len(file) > _LONGEST_SHOWN):
        message = (
            f"{variable} must be the path of a {kind}, but it looks like the {kind}'s content, so it is not shown."
        )
        return SettingsError(message, hint=f"write the content to a {kind}, and set {variable} to its path")
    message = f"{variable} names a {kind} that cannot be used: {file!r} ({reason})."
    return SettingsError(message, hint=f"set {variable} to a {kind} that can be used, or unset it")
