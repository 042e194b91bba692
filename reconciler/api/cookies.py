"""The cookies of the API's own answers, kept for the run: a token that is renewed, a load balancer's choice.

By hand, since Python's cookie jars never send a `Secure` cookie to http://localhost. RFC 6265 but for that:
the caller sends them to the API's origin alone, so there is no `Domain` to look at.
"""

import re
from dataclasses import field
from datetime import UTC, datetime

from reconciler.api.secret import COOKIE_NAME
from reconciler.api.throttle import parse_http_date
from reconciler.dataclass import dataclass

_MOST, _LONGEST = 50, 4096  # cookies, and characters of each, as browsers keep them
_PAIR = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=([^;]*)")
_SENDABLE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One `Set-Cookie`. An `expired` one takes the cookie of that name and path away."""

    name: str
    value: str
    path: str
    expired: bool


@dataclass()
class Jar:
    """All cookies but the token. `base` is the path of the API's base URL."""

    base: str = ""
    kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, cookies: list[Cookie]) -> None:
        """Keep what can be sent. Not for two threads at once."""
        for cookie in cookies:
            self.kept.pop((cookie.name, cookie.path), None)
            if not cookie.expired and _SENDABLE.fullmatch(cookie.value) and len(cookie.value) <= _LONGEST:
                self.kept[cookie.name, cookie.path] = cookie.value
        for oldest in list(self.kept)[: max(0, len(self.kept) - _MOST)]:
            del self.kept[oldest]

    def select(self, path: str) -> list[str]:
        """Return the cookies for a path below the base URL, as pieces of the Cookie header."""
        whole = f"{self.base}{path}/"
        # A list at once: another thread may keep a new one meanwhile.
        return [f"{name}={value}" for (name, root), value in list(self.kept.items()) if whole.startswith(root)]


def parse_cookies(headers: list[str], date: str) -> list[Cookie]:
    """Read `Set-Cookie` headers; `date` is the answer's, since its clock decides which cookies have expired."""
    if not headers:  # as nearly always: to read the date takes longer than all the rest
        return []
    now = parse_http_date(date) or datetime.now(UTC)
    return [cookie for header in headers if (cookie := _parse_cookie(header, now))]


def find_token(cookies: list[Cookie]) -> str | None:
    """Return the last token among the cookies that has not expired, and that none behind it takes away."""
    tokens: dict[str, str] = {}
    for cookie in cookies:
        if cookie.name.lower() == COOKIE_NAME:
            tokens.pop(cookie.path, None)
            if cookie.value and not cookie.expired:
                tokens[cookie.path] = cookie.value
    return next(reversed(tokens.values()), None)


def _parse_cookie(header: str, now: datetime) -> Cookie | None:
    pair, *attributes = header.split(";")
    found = _PAIR.fullmatch(pair)
    if found is None:
        return None
    named = {name.strip().lower(): value.strip() for name, _, value in (text.partition("=") for text in attributes)}
    path = named.get("path", "")
    age = named.get("max-age", "")
    if re.fullmatch(r"-?[0-9]{1,20}", age):  # which counts more than Expires
        expired = int(age) <= 0
    else:
        at = parse_http_date(named.get("expires", ""))
        expired = at is not None and at <= now
    return Cookie(found[1], found[2].strip(), f"{path.rstrip('/')}/" if path.startswith("/") else "/", expired)
