"""What an answer says: JSON out of a body, and the error for everything that is not a good answer.

Sends nothing. Every text that came from outside passes the scrubber and is cut to one short line before it is
shown.
"""

import json
import math
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reconciler.api.secret import Scrubber
from reconciler.api.transport import MAX_BODY, Answer, Failure
from reconciler.core.json_size import has_more_tokens
from reconciler.errors import ApiError, ErrorKind, UnclearWrite

MAX_DEPTH = 100
MAX_TOKENS = 250_000  # texts, commas and opening brackets: a list of a thousand assistants has some 80,000
_LONGEST_NUMBER = 400  # characters; the largest double has 309 digits, and long ones take long to be written again
_LONGEST_QUOTE = 200
_LONGEST_READ = 64 * 1024  # of a text of which the beginning is quoted
_STATUS_KINDS: dict[int, ErrorKind] = {
    400: "invalid",
    401: "auth",
    403: "forbidden",
    404: "not_found",
    422: "invalid",
    429: "rate_limited",
}
WRONG_URL = "does RECONCILER_API_URL end in /api?"


class NotJsonError(ValueError):
    """A body that is no acceptable JSON; the text says what is wrong with it."""


@dataclass(frozen=True)
class Request:
    """What the texts need to know of a request."""

    method: str
    path: str
    attempts: int
    unclear_write: bool = False

    def __str__(self) -> str:
        times = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.method} {self.path}{times}"


def kind_of(status: int) -> ErrorKind:
    """Return the contract's error kind for an HTTP status that is not a success."""
    return _STATUS_KINDS.get(status, "server" if status >= 500 else "protocol")


def read_json(body: bytes) -> Any:
    """Parse a body strictly. Raises `NotJsonError`.

    It must be UTF-8, without duplicate keys, NaN, infinity and half characters, at most `MAX_DEPTH` deep and
    `MAX_TOKENS` long, with no number of more than some hundred digits.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotJsonError("no JSON") from None
    if has_more_tokens(text, MAX_TOKENS):
        raise NotJsonError("JSON of far too many values")
    if sys.getsizeof(text) > 2 * MAX_BODY:  # one emoji makes Python take four bytes for each character
        raise NotJsonError("JSON that is too large")
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_not_a_number, parse_float=_finite, parse_int=_whole
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except NotJsonError:
        raise
    except RecursionError:
        raise NotJsonError("JSON that is nested too deeply") from None
    except UnicodeEncodeError:
        raise NotJsonError("JSON with half of a character in it") from None
    except ValueError:
        raise NotJsonError("no JSON") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _deeper(value, MAX_DEPTH):
        raise NotJsonError("JSON that is nested too deeply")
    return value


class Explainer:
    """Turns answers and failures into errors; knows the API's URL and the secrets that must not show."""

    def __init__(self, url: str, origin: str, timeout: float, scrubber: Scrubber) -> None:
        self._url = url
        self._origin = origin
        self._timeout = timeout
        self._scrubber = scrubber

    def quote(self, text: str) -> str:
        """Return a foreign text as one short line, without secrets or anything that a terminal obeys."""
        line = " ".join(self._scrubber.clean(text).split())
        safe = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)
        return safe if len(safe) <= _LONGEST_QUOTE else f"{safe[: _LONGEST_QUOTE - 3]}..."

    def senseless(self, request: Request, answer: Answer, problem: str = "") -> ApiError:
        """Return the error for a senseless answer; `problem` says what came instead of a good one."""
        problem = problem or self._what_came(answer)
        message = f"{request}: got {problem}: {WRONG_URL}"
        return self._error(request, "protocol", message, status=answer.status, hint=self._which_url())

    def status(self, request: Request, answer: Answer, *, meaning: str = "", hint: str = "") -> ApiError:
        """Return the error for an answer that is no success; `meaning` says in words what it means here."""
        status = answer.status
        if 300 <= status < 400:
            where = self._pointed_to(answer)
            message = f"{request}: the API redirects{where}, which is not followed: check the API URL"
            return self._error(request, "protocol", message, status=status, hint=self._which_url())
        message = f"{request}: the API answered {status}{self.said(answer)}"
        message += f": {meaning}" if meaning else ""
        return self._error(request, kind_of(status), message, status=status, hint=hint or self._hint(answer))

    def failure(self, request: Request, failure: Failure) -> ApiError:
        """Return the error for a request that got no usable answer."""
        text = self.quote(failure.text)
        hint = f"Is the API running, and is its URL right? It is {self._url}."
        if failure.kind == "timeout":
            message = f"{request}: no complete answer from {self._origin} within {self._timeout:g} s"
            hint += " --timeout SECONDS waits longer."
        elif failure.kind == "protocol":
            message = f"{request}: got {text}"
        elif failure.kind == "network" and not failure.reached:
            message = f"{request}: no connection to {self._origin}: {text}"
        else:
            message = f"{request}: {text}"
        if "CERTIFICATE_VERIFY_FAILED" in text:
            hint = "The API's certificate is not trusted here. SSL_CERT_FILE can name an authority to trust."
        return self._error(request, failure.kind, message, hint=hint)

    def said(self, answer: Answer) -> str:
        """Return what the API said with its status, as the rest of a sentence.

        That is `{"error": "..."}` in every answer that is no success; anything else is described.
        """
        words = _words(answer)
        return f" ({self.quote(words)})" if words else f" with {self._what_came(answer)}"

    def _what_came(self, answer: Answer) -> str:
        body = answer.body.strip()
        if not body:
            return "an empty answer"
        begin = body[:200].lower()
        if begin.startswith(b"<") and (b"html" in begin or "html" in answer.headers.get("content-type", "")):
            return "an HTML page instead of JSON"
        try:
            value = read_json(answer.body)
        except NotJsonError as error:
            if b'"' in body:  # pieces of an assistant, perhaps: nobody could say which of them may be shown
                return str(error)
            return f"{error} ({self.quote(body[:_LONGEST_READ].decode(errors='replace'))!r})"
        if isinstance(value, list):
            return "a list instead of an object"
        return "an object without what belongs in it" if isinstance(value, dict) else "a plain value"

    def _pointed_to(self, answer: Answer) -> str:
        """Name where a redirect points, without user name, query and fragment."""
        try:
            parts = urlsplit(answer.headers.get("location", ""))
        except ValueError:
            return ""
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
        shown = self.quote(place + parts.path)
        return f" to {shown}" if shown else ""

    def _hint(self, answer: Answer) -> str:
        if answer.status == 429:
            return "The API takes fewer requests at a time: try a lower --concurrency, or again later."
        if answer.status >= 500:
            return "This is the API's own trouble: try again later."
        if not _words(answer):
            return f"{self._which_url()} Is that right: {WRONG_URL}"
        return f"Is the id right for this API, {self._url}?" if answer.status == 404 else ""

    def _which_url(self) -> str:
        return f"The API URL is {self._url}."

    def _error(
        self, request: Request, kind: ErrorKind, message: str, *, status: int | None = None, hint: str = ""
    ) -> ApiError:
        family = UnclearWrite if request.unclear_write else ApiError
        return family(kind, message, status=status, hint=hint)


def _words(answer: Answer) -> str:
    try:
        value = read_json(answer.body)
    except NotJsonError:
        return ""
    words = value.get("error") if isinstance(value, dict) else None
    return words if isinstance(words, str) else ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = {sys.intern(key): item for key, item in pairs}  # a fleet has each key a thousand times
    if len(value) < len(pairs):
        raise NotJsonError("JSON in which an object holds the same key twice")
    return value


def _not_a_number(text: str) -> float:
    message = f"JSON with {text} in it"
    raise NotJsonError(message)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError("JSON with a number that is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise NotJsonError("JSON with a number that is too large")
    return int(text)


def _deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
