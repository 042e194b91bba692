"""The API's base URL: checked once, before anything is sent. Touches no network."""

import ipaddress
from urllib.parse import SplitResult, quote, urlsplit

from reconciler.assistant.invisible import is_all_seen
from reconciler.dataclass import dataclass
from reconciler.errors import SettingsError

HOW_TO_SET = "Set --api-url or RECONCILER_API_URL to the API's base URL, such as http://localhost:3000/api."
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class BaseUrl:
    """A checked base URL."""

    text: str  # without a trailing slash, capitals in the host, or the scheme's own port
    origin: str  # as it may be in messages
    scheme: str
    host: str  # as it was written
    address: str  # the host as DNS knows it
    port: int | None  # None for the scheme's own
    path: str  # as it is sent
    loopback: bool


def check_base_url(url: str, *, allow_insecure_http: bool) -> BaseUrl:
    """Check the base URL that the user configured. Raises `SettingsError`."""
    # Plain http is only for this machine, unless it is allowed: the cookie would be sent unencrypted.
    url = url.strip()
    if not url:
        raise _refuse("No API URL is set")
    parts = _split(url)
    host = (parts.hostname or "").lower()
    # Checked before any message shows the URL: it may contain a password.
    if "@" in (parts.netloc or url):
        raise _refuse("The API URL contains a user name or a password (something before an `@`)")
    if "?" in url or "#" in url:
        raise _refuse("The API URL contains a `?` or a `#`: it must end with its path")
    if parts.scheme not in ("http", "https"):
        raise _refuse(f"The API URL {url!r} does not begin with http:// or https://")
    if not host:
        raise _refuse(f"The API URL {url!r} names no host")
    # Requests that stay on this machine need no TLS, and the sandbox has none.
    loopback = _is_loopback(host)
    if parts.scheme == "http" and not (loopback or allow_insecure_http):
        message = f"The API URL {url!r} is plain http: the login would be sent unencrypted."
        hint = "use https://; on a network that you trust, --allow-insecure-http allows http://"
        raise SettingsError(message, hint=hint)
    # One spelling for each API, since environments and reports compare their URLs.
    origin = f"{parts.scheme}://{parts.netloc.lower().removesuffix(f':{PORTS[parts.scheme]}')}"
    path = parts.path.rstrip("/")
    return BaseUrl(
        text=origin + path,
        origin=origin,
        scheme=parts.scheme,
        host=host,
        address=_find_address(host),
        port=parts.port if parts.port != PORTS[parts.scheme] else None,
        path=quote(path, safe="/%:@!$&'()*+,;=~"),
        loopback=loopback,
    )


def _find_address(host: str) -> str:
    if host.isascii():
        return host
    import idna  # few hosts need it, and its tables are large

    try:
        return idna.encode(host).decode()
    except idna.IDNAError:
        raise _refuse("The API URL cannot be read: its host name is invalid") from None


def _split(url: str) -> SplitResult:
    # `urlsplit` drops tabs and line breaks silently and reads the port only when it is asked for.
    try:
        parts = urlsplit(url)
        readable = parts.port != 0 and is_all_seen(url) and not {" ", "\\"} & {*url}
    except ValueError:
        readable = False
    if not readable:
        why = "its host or port is invalid, or it contains white space or an invisible character"
        raise _refuse(f"The API URL cannot be read: {why}")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(message: str) -> SettingsError:
    return SettingsError(f"{message}.", hint=HOW_TO_SET)
