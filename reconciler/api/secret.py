"""Values that must never be shown, and the scrubber that masks them in foreign texts."""

import contextlib
import json
import re
from typing import NoReturn
from urllib.parse import quote, quote_plus

from reconciler.dataclass import dataclass
from reconciler.errors import SettingsError

MASK = "***"
COOKIE_NAME = "auth-token"
_NOT_IN_A_COOKIE = re.compile(r"[^\x21-\x7e]|[;,]")
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# As `html.escape` does, whose module takes time to load.
_IN_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


class Secret:
    """A token or a password: only `reveal()` returns it, `repr` and `str` never do.

    `name` is the user's name for it (`RECONCILER_AUTH_TOKEN`), for the error. With `cookie`, the value must be allowed
    in a Cookie header (RFC 6265; quotes and backslashes are allowed as well, because servers set them). Raises
    `SettingsError`, which never shows the value.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str, *, name: str = "A secret", cookie: bool = False) -> None:
        # CI systems often add a newline. A password may begin or end with a space, but a token cannot.
        value = value.strip() if cookie else value.strip("\r\n")
        # Python decodes the environment with the locale, which may not be UTF-8. Invalid bytes stay surrogates.
        with contextlib.suppress(UnicodeError):
            value = value.encode("utf-8", "surrogateescape").decode()
        problem = find_cookie_problem(value) if cookie else _find_text_problem(value)
        if problem:
            raise SettingsError(f"{name} {problem}.", hint=f"set {name} again; its value is not shown here")
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, to send it. Never show it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not written anywhere, so it cannot be pickled")


@dataclass(frozen=True)
class Credentials:
    """What the user gave to log in; any part may be missing. Email and password are used if no token works."""

    token: Secret | None = None
    email: str | None = None
    password: Secret | None = None


def find_cookie_problem(value: str) -> str:
    """Return why a text cannot be a cookie's value, as the end of a sentence; "" if it can."""
    if not value:
        return "is empty"
    if value.lower().startswith(f"{COOKIE_NAME}="):
        return f"begins with `{COOKIE_NAME}=`: remove that part"
    if not value.isascii():
        return "contains a character that is not ASCII, so it cannot be a token"
    if _NOT_IN_A_COOKIE.search(value):
        return "contains white space, a control character, `;` or `,`, which is not allowed in a cookie"
    return ""


def _find_text_problem(value: str) -> str:
    if not value:
        return "is empty"
    if HALF_CHARACTER.search(value):
        return "contains a character that is not saved as UTF-8"
    return "contains a control character or a line break" if _CONTROL.search(value) else ""


class Scrubber:
    """Masks known secrets in texts of an API or a library, in every usual spelling."""

    def __init__(self, *secrets: str) -> None:
        self._spellings: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, value: str) -> None:
        """Add a secret, such as the token of a login."""
        escaped = json.dumps(value)[1:-1]
        self._spellings |= {value, escaped, repr(value)[1:-1], value.translate(_IN_HTML)}
        self._spellings |= {json.dumps(value, ensure_ascii=False)[1:-1], escaped.replace("/", "\\/")}
        self._spellings |= {quote(value), quote(value, safe=""), quote_plus(value)}

    def clean(self, text: str) -> str:
        """Return the text with every spelling of every known secret masked."""
        # The longest first, or half of an escaped spelling would be left. `sorted` copies: a thread may add one.
        for spelling in sorted(self._spellings, key=len, reverse=True):
            text = text.replace(spelling, MASK)
        return text
