"""Stores the cookies of the API's answers for the run, such as a renewed token or a load balancer's choice.

Python's own cookie jars do not send a `Secure` cookie to http://localhost, and the sandbox sets one. The rest follows
RFC 6265. `Domain` is ignored, because the caller sends cookies to the API's origin alone.
"""

import re
from dataclasses import field
from datetime import UTC, datetime

from reconciler.api.results import Answer
from reconciler.api.secret import COOKIE_NAME
from reconciler.api.throttle import parse_http_date
from reconciler.dataclass import dataclass

_MAX_COOKIES, _MAX_LENGTH = 50, 4096  # number of cookies, and characters of each, as in browsers
_PAIR = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=([^;]*)")
_SENDABLE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One `Set-Cookie`. If it has `expired`, it removes the cookie with its name and path."""

    name: str
    value: str
    path: str
    expired: bool


@dataclass()
class Jar:
    """All cookies but the token. `base` is the path of the API's base URL."""

    base: str = ""
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)

    def store(self, cookies: list[Cookie]) -> None:
        """Keep the cookies that can be sent. Not thread-safe."""
        for cookie in cookies:
            self.cookies.pop((cookie.name, cookie.path), None)
            if not cookie.expired and _SENDABLE.fullmatch(cookie.value) and len(cookie.value) <= _MAX_LENGTH:
                self.cookies[cookie.name, cookie.path] = cookie.value
        for oldest in list(self.cookies)[: max(0, len(self.cookies) - _MAX_COOKIES)]:
            del self.cookies[oldest]

    def select(self, path: str) -> list[str]:
        """Return the cookies for a path below the base URL, as pieces of the Cookie header."""
        full_path = f"{self.base}{path}/"
        # Copied, because another thread may store a cookie in the meantime.
        return [f"{name}={value}" for (name, root), value in list(self.cookies.items()) if full_path.startswith(root)]


def read_cookies(answer: Answer) -> list[Cookie]:
    """Return the cookies of an answer. Its own clock decides which of them have expired."""
    headers = answer.header_values("set-cookie")
    if not headers:  # the usual case; parsing the date takes longer than everything else
        return []
    now = parse_http_date(answer.header("date")) or datetime.now(UTC)
    return [cookie for header in headers if (cookie := _parse_cookie(header, now))]


def find_token(cookies: list[Cookie]) -> str | None:
    """Return the last token among the cookies, unless it has expired or a later cookie removes it."""
    tokens: dict[str, str] = {}
    for cookie in cookies:
        if cookie.name.lower() == COOKIE_NAME:
            tokens.pop(cookie.path, None)
            if cookie.value and not cookie.expired:
                tokens[cookie.path] = cookie.value
    return next(reversed(tokens.values()), None)


def _parse_cookie(header: str, now: datetime) -> Cookie | None:
    pair, *attributes = header.split(";")
    match = _PAIR.fullmatch(pair)
    if match is None:
        return None
    values = {name.strip().lower(): value.strip() for name, _, value in (text.partition("=") for text in attributes)}
    path = values.get("path", "")
    age = values.get("max-age", "")
    if re.fullmatch(r"-?[0-9]+", age):  # it takes precedence over Expires
        expired = age.startswith("-") or not age.strip("0")
    else:
        expires = parse_http_date(values.get("expires", ""))
        expired = expires is not None and expires <= now
    return Cookie(match[1], match[2].strip(), f"{path.rstrip('/')}/" if path.startswith("/") else "/", expired)
