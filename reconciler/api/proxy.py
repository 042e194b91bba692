"""Finds the proxy for the API, from the same variables as curl. No message shows the proxy's password."""

import contextlib
import ipaddress
import os
import re
from base64 import b64encode
from typing import TYPE_CHECKING

from reconciler.core.base_url import PORTS, BaseUrl
from reconciler.dataclass import dataclass
from reconciler.errors import SettingsError

if TYPE_CHECKING:
    import httpx

_HINT = "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY set a proxy; NO_PROXY lists hosts that are reached directly"


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the environment variable that names it."""

    url: "httpx.URL"
    auth: tuple[bytes, bytes] | None
    variable: str

    @property
    def secrets(self) -> list[str]:
        """What must not be shown: the password, as it is and as the header has it."""
        if self.auth is None:
            return []
        user, password = self.auth
        return [text for text in (password.decode(), b64encode(user + b":" + password).decode()) if text]


def find_proxy(base: BaseUrl) -> Proxy | None:
    """Return the proxy for the API if the environment names one, but never for loopback. Raises `SettingsError`."""
    if base.loopback:
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    # CI systems often add a newline to a secret.
    text = (proxies.get(base.scheme) or proxies.get("all") or "").strip()
    # If the environment names no proxy at all, `proxy_bypass` also reads the system's settings.
    if not text or is_exempt(base, proxies.get("no", "")) or proxy_bypass(base.host):
        return None
    import httpx

    try:
        proxy = httpx.Proxy(text if "://" in text else f"http://{text}")
    except (ValueError, httpx.InvalidURL):
        proxy = None
    variable = _find_variable(base.scheme, text)
    if proxy is None or not proxy.url.host or proxy.url.scheme not in ("http", "https"):
        message = f"The proxy in {variable} cannot be used: it must begin with http:// or https://."
        raise SettingsError(message, hint=_HINT)
    return Proxy(proxy.url, proxy.raw_auth, variable)


def is_exempt(base: BaseUrl, no_proxy: str) -> bool:
    """Return whether `NO_PROXY` covers the API's host and port.

    Entries are separated by commas or blanks: `*`, a host, a suffix (also with `.` or `*.` before it), an address, or
    a range of addresses (`10.0.0.0/8`). All but a range may have a port.
    """
    port = base.port or PORTS[base.scheme]
    hosts = {base.host.rstrip("."), base.address.rstrip(".")}
    return any(_covers(entry, hosts, port) for entry in re.split(r"[\s,]+", no_proxy.lower()))


def _covers(entry: str, hosts: set[str], port: int) -> bool:
    with contextlib.suppress(ValueError):
        # This includes an IPv6 address without brackets, in which a colon would look like the one before a port.
        network = ipaddress.ip_network(entry.strip("[]"), strict=False)
        return any(ipaddress.ip_address(host) in network for host in hosts)
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit():
        return int(number) == port and _covers(name, hosts, port)
    suffix = entry.removeprefix("*").removeprefix(".").rstrip(".")
    return entry == "*" or any(suffix and (host == suffix or host.endswith(f".{suffix}")) for host in hosts)


def _find_variable(scheme: str, text: str) -> str:
    # Lower case first, as Python reads them.
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"):
        if os.environ.get(name, "").strip() == text:
            return name
    return "the system"
