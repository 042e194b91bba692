"""Turns an answer into a value, or into an error without secrets. Sends nothing."""

import json
import math
import re
import sys
from typing import Any
from urllib.parse import urlsplit

from reconciler.api.body import MAX_BODY
from reconciler.api.repeats import Call
from reconciler.api.results import Answer, NoAnswer, find_kind
from reconciler.api.secret import Scrubber
from reconciler.core.json_size import has_more_tokens, is_deeper
from reconciler.core.tree import value_at
from reconciler.dataclass import dataclass
from reconciler.errors import ApiError

MAX_DEPTH = 100
MAX_TOKENS = 200_000  # texts, commas and opening brackets; a list of a thousand assistants has about 80,000
_LONGEST_NUMBER = 400  # characters; the largest double has 309 digits, and long numbers are slow to write
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{_LONGEST_NUMBER}}}")
_LONGEST_QUOTE = 200
_LONGEST_READ = 64 * 1024  # characters that are quoted from the beginning of a text
_BEFORE_JSON = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # white space, and the marks of UTF-8 and UTF-16
WRONG_URL = "does RECONCILER_API_URL end in /api?"


class NotJsonError(Exception):
    """A body that is not acceptable JSON; the text says why."""


def read_json(body: bytes) -> Any:
    """Parse a body strictly. Raises `NotJsonError`.

    It must be UTF-8, with or without a byte order mark. Duplicate keys, NaN, infinity and very long numbers are
    rejected, and so is anything deeper than `MAX_DEPTH` or longer than `MAX_TOKENS`.
    """
    # Half of a surrogate pair, which JSON writes as an escape (`\ud83d`), is accepted like any other text.
    try:
        text = body.decode("utf-8-sig")
        if has_more_tokens(text, MAX_TOKENS):
            raise NotJsonError("JSON with too many values")
        if sys.getsizeof(text) > 2 * MAX_BODY:  # a single emoji makes Python use four bytes for each character
            raise NotJsonError("JSON that is too large")
        # One search is faster than checking each of many short numbers, unless values are far apart.
        has_long_number = text.count(",") < len(text) / 32 or _LONG_NUMBER.search(text) is not None
        value = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
            parse_int=_parse_int if has_long_number else None,
        )
        # Counting brackets is quick, and shows that nearly every answer is within the limits.
        too_deep = body.count(b"{") + body.count(b"[") > MAX_DEPTH and is_deeper(value, MAX_DEPTH)
    except RecursionError:
        too_deep = True
    except UnicodeDecodeError:
        raise NotJsonError("JSON that is not UTF-8") from None
    except ValueError:
        raise NotJsonError("something that is not JSON") from None
    if too_deep:
        raise NotJsonError("JSON that is nested too deeply")
    return value


def find_json(body: bytes) -> Any:
    """Parse a body like `read_json`, but return None if it is not acceptable JSON."""
    try:
        return read_json(body)
    except NotJsonError:
        return None


@dataclass(frozen=True)
class Explainer:
    """Turns answers and failures into errors. Knows the API's URL, and the secrets to mask."""

    url: str
    origin: str
    timeout: float
    scrubber: Scrubber

    def quote(self, text: str) -> str:
        """Return a foreign text as one short line, without secrets and control characters."""
        line = " ".join(self.scrubber.clean(text).split())
        safe = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)
        return safe if len(safe) <= _LONGEST_QUOTE else f"{safe[: _LONGEST_QUOTE - 3]}..."

    def unusable(self, call: Call, answer: Answer, problem: str = "", *, right_url: bool = False) -> ApiError:
        """Return the error for a successful answer that cannot be used; `problem` says why.

        The message has what the API says is wrong (`{"error": "..."}`). Otherwise it asks about the URL, unless
        `right_url`, or unless the body was clearly meant to be JSON.
        """
        begins_as_json = answer.body.lstrip(_BEFORE_JSON)[:1] in (b"{", b"[")
        bad_json = not problem and begins_as_json and find_json(answer.body) is None
        # The answer to a login that sets no cookie may be the token itself.
        message = f"got {problem or self._describe_body(answer, may_quote=call.method != 'POST')}"
        if words := _find_error_text(answer):
            message += f" ({self.quote(words)})"
        # Before each write, the assistant was read, so the URL is right.
        message += "" if words or bad_json or right_url or call.method == "PATCH" else f": {WRONG_URL}"
        return call.fail("protocol", message, hint="" if words else f"check the API URL: {self.url}")

    def status(self, call: Call, answer: Answer, *, meaning: str = "", hint: str = "") -> ApiError:
        """Return the error for an answer that is not a success; `meaning` says what the status means here."""
        status = answer.status
        if 300 <= status < 400:
            message = f"the API redirects{self._describe_redirect(answer)}, which is not followed"
            return call.fail("protocol", message, hint=f"check the API URL: {self.url}")
        message = f"the API answered {status}{self.describe(answer)}{meaning and f': {meaning}'}"
        return call.fail(find_kind(status), message, hint=hint or self._suggest(call, answer))

    def no_answer(self, call: Call, failure: NoAnswer) -> ApiError:
        """Return the error for a request that got no usable answer."""
        message = self.quote(failure.text)
        hint = f"check that the API is running, and that its URL is right: {self.url}"
        if failure.kind == "timeout":
            message = f"no complete response from {self.origin} within {self.timeout:g} s"
            hint += "; to wait longer, use --timeout SECONDS"
        elif failure.kind == "protocol":
            message = f"got {message}"
            hint = f"check the API URL: {self.url}"
        elif failure.kind == "network" and not failure.reached:
            message = f"no connection to {self.origin}: {message}"
        return call.fail(failure.kind, message, hint=failure.hint or hint)

    def describe(self, answer: Answer) -> str:
        """Return what the API said with its status (`{"error": "..."}`, else what came), as the rest of a sentence."""
        words = _find_error_text(answer)
        return f" ({self.quote(words)})" if words else f" with {self._describe_body(answer)}"

    def _describe_body(self, answer: Answer, *, may_quote: bool = True) -> str:
        body = answer.body.strip()
        if not body:
            return "an empty response"
        start = body[:200].lower()
        if start.startswith(b"<") and (b"html" in start or "html" in answer.header("content-type")):
            return "an HTML page instead of JSON"
        try:
            value = read_json(answer.body)
        except NotJsonError as error:
            if not may_quote or b'"' in body:  # it may contain parts of an assistant, which may be sensitive
                return str(error)
            return f"{error} ({self.quote(body[:_LONGEST_READ].decode(errors='replace'))!r})"
        if isinstance(value, list):
            return "a list instead of an object"
        return "an object without the expected content" if isinstance(value, dict) else "a plain value"

    def _describe_redirect(self, answer: Answer) -> str:
        """Name where a redirect points, without user name, query and fragment."""
        try:
            parts = urlsplit(answer.header("location"))
        except ValueError:
            return ""
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
        location = self.quote(origin + parts.path)
        return f" to {location}" if location else ""

    def _suggest(self, call: Call, answer: Answer) -> str:
        if answer.status == 429:
            return "use a lower --concurrency, or try again later"
        if answer.status >= 500 or answer.status in (408, 425, 499):
            return "the API, or a gateway in front of it, has a problem: try again later"
        if answer.status == 413:
            return "the request is too large for the API, or for a gateway in front of it: shorten the longest texts"
        if not _find_error_text(answer) and call.method != "PATCH":
            return f"check the API URL, {self.url}: {WRONG_URL}"
        if answer.status == 403:
            return "the account may lack the permission, or be disabled: ask an administrator, or use another account"
        if answer.status == 404 and not call.path.startswith("/assistants"):
            return "the account may have been deleted: use another one"
        gone = "the assistant may have been deleted; if not, check that the id belongs to this API"
        return f"{gone}, {self.url}" if answer.status == 404 else ""


def _find_error_text(answer: Answer) -> str:
    words = value_at(find_json(answer.body), ("error",))
    return words if isinstance(words, str) else ""


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = {sys.intern(key): item for key, item in pairs}  # a list of assistants repeats each key a thousand times
    if len(value) < len(pairs):
        raise NotJsonError("JSON with a duplicate key")
    return value


def _refuse_constant(text: str) -> float:
    raise NotJsonError(f"JSON with {text} in it")


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError("JSON with a number that is too large")
    return number


def _parse_int(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise NotJsonError("JSON with a number that is too large")
    return int(text)
