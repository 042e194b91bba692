"""Sends requests to a host's API. The token is sent only to its origin, follows no redirect, and is never shown."""

import contextlib
import dataclasses
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from typing import Any

from reconciler.api.results import TEMPORARY_STATUSES, Answer, NoAnswer
from reconciler.api.secret import Scrubber
from reconciler.api.throttle import read_retry_after
from reconciler.api.transport import Connection, Wire
from reconciler.core.base_url import BaseUrl, check_base_url
from reconciler.errors import HostError, SettingsError

_ATTEMPTS = 4
_TIMEOUT = 30.0  # seconds
_LARGEST = 64 * 1024 * 1024  # bytes of an answer; a comment at GitLab may have a megabyte
_LONGEST_MESSAGE = 300  # characters of a host's message
_MOST_PAGES = 100
PAGE_SIZE = 100  # entries; the largest page of either host


def open_wire(base: BaseUrl) -> Wire:
    """Return what connects to the server of a base URL, with the proxy and the authorities that the API has, too.

    Raises SettingsError if a variable names a proxy or a file that cannot be used.
    """
    # The client certificate is only for the assistants' API.
    return Wire(dataclasses.replace(base, path=""), client=False)


class Tolerate(contextlib.AbstractContextManager[Any, bool]):
    """Suppresses a HostError with one of these statuses, which ends the block."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = statuses

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        return isinstance(error, HostError) and error.status in self._statuses


class HostClient:
    """Requests below one base URL. `name` is the host's name in messages, `header` the name and value of the token."""

    def __init__(
        self,
        name: str,
        url: str,
        header: tuple[str, str],
        token: str,
        *,
        allow_insecure_http: bool = False,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        try:
            self._base = check_base_url(url, allow_insecure_http=allow_insecure_http)
        except SettingsError as error:
            # The original message is about the assistants' API.
            message = error.message.replace("The API URL", f"The URL of {name}'s API")
            hint = "the CI sets it: GITHUB_API_URL, or CI_API_V4_URL; plain http needs --allow-insecure-http"
            raise HostError(message, hint=hint) from None
        self._headers = {header[0]: header[1]}
        self._wire = open_wire(self._base)
        self._scrubber = Scrubber(token, *self._wire.secrets)
        self._wait = wait

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send one request and return the JSON of the answer. Raises HostError."""
        answer = self._send(method, self._base.path + path, body)[0]
        # Both hosts show what was written. A gateway that answers in their place does not, and nothing may be there.
        if body is not None and not (answer and isinstance(answer, dict)):
            raise HostError(f"{self._name} answered {method} {path} without what was written", hint=_ELSEWHERE)
        return answer

    def query_graphql(self, query: str) -> Mapping[str, Any]:
        """Send a query to the host's GraphQL API, which is beside this one, and return its data. Raises HostError."""
        path = f"{re.sub('/v[34]$', '', self._base.path)}/graphql"
        answer = self._send("POST", path, {"query": query}, repeatable=True)[0]
        data = answer.get("data") if isinstance(answer, dict) else None
        return data if isinstance(data, dict) else {}

    def create(self, path: str, body: Mapping[str, Any], key: str) -> str:
        """Send one POST and return the text that its answer has under a key. Raises HostError."""
        answer = self.request("POST", path, body)
        name = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(name, str):
            raise HostError(f"{self._name} answered POST {path} without `{key}`", hint=_ELSEWHERE)
        return name

    def list_all(self, path: str, key: str = "") -> Iterator[dict[str, Any]]:
        """Yield all entries of a list, page after page. With a key, each page is an object. Raises HostError."""
        for page in range(1, _MOST_PAGES + 1):
            place = f"{self._base.path}{path}{'&' if '?' in path else '?'}per_page={PAGE_SIZE}&page={page}"
            entries, answer = self._send("GET", place, None)
            if key and isinstance(entries, dict):
                entries = entries.get(key)
            if not isinstance(entries, list):
                raise HostError(f"{self._name} answered GET {path.partition('?')[0]} with something that is not a list")
            yield from (entry for entry in entries if isinstance(entry, dict))
            # Both hosts say whether there is another page. If the answer does not, a page that is not full is the last.
            link, next_page = answer.header("link"), answer.header_values("x-next-page")
            is_unknown = not link and not next_page
            if not ('rel="next"' in link or any(next_page) or (is_unknown and len(entries) == PAGE_SIZE)):
                return
        # The entry that we look for may be on a later page. Then each run would create another one.
        message = f"{self._name} lists more than {_MOST_PAGES} pages below {path.partition('?')[0]}"
        raise HostError(message, hint="close or delete old entries there")

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, repeatable: bool = False
    ) -> tuple[Any, Answer]:
        repeatable = repeatable or method != "POST"
        request = f"{method} {path.removeprefix(self._base.path).partition('?')[0]}"
        content = None if body is None else json.dumps(body).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            wait, is_last = 2.0 ** (attempt - 1), attempt == _ATTEMPTS
            with contextlib.closing(Connection(self._wire, _TIMEOUT, _LARGEST)) as connection:
                result = connection.exchange(method, path, self._headers, content)
            if isinstance(result, NoAnswer):
                # If nothing was sent, even a request that must happen only once may be repeated.
                unclear = result.reached and not repeatable
                if is_last or unclear or not result.temporary:
                    note = "; it is unknown whether the request was carried out" if unclear else ""
                    message = f"{self._name} did not answer {request}{note}: {self._scrub(result.text)}"
                    raise HostError(message, hint=result.hint)
            else:
                status = _find_status(result)
                # Only 429 says that nothing was done.
                retryable = status in TEMPORARY_STATUSES and (repeatable or status == 429)
                if is_last or not retryable:
                    return self._read(request, status, result.body), result
                wait = _read_wait(result) or wait
            self._wait(wait)
        raise AssertionError("unreachable")

    def _read(self, request: str, status: int, content: bytes) -> Any:
        value = None
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(content) if content.strip() else None
        # A wrong URL, or a login page in front of it, returns an HTML page with status 200.
        if 200 <= status < 300:
            if value is None and content.strip():
                raise HostError(f"{self._name} answered {request} with something that is not JSON")
            return value
        # At GitHub, the message may be no more than "Validation Failed", and the reasons are under `errors`.
        details = [value.get("message") or value.get("error"), value.get("errors")] if isinstance(value, dict) else []
        detail = " ".join(each if isinstance(each, str) else json.dumps(each) for each in details if each)
        message = f": {self._scrub(detail)}" if detail else ""
        hint = _HINTS.get(status, "")
        raise HostError(f"{self._name} answered {status} to {request}{message}", status=status, hint=hint)

    def _scrub(self, text: str) -> str:
        # Hide the secrets before shortening: half a token must not be shown either.
        text = self._scrubber.clean(text)[:_LONGEST_MESSAGE]
        return "".join(char if char.isprintable() else " " for char in text)


def _is_used_up(answer: Answer) -> bool:
    return answer.header("x-ratelimit-remaining") == "0"


def _find_status(answer: Answer) -> int:
    """Return an answer's status; 429 for too many requests, to which GitHub also answers 403."""
    says_so = _is_used_up(answer) or answer.header_values("retry-after") or b"rate limit" in answer.body.lower()
    return 429 if answer.status == 403 and says_so else answer.status


def _read_wait(answer: Answer) -> float | None:
    """Return the seconds that a host asks to wait; None if it names no usable time."""
    reset = answer.header("x-ratelimit-reset")
    is_time = _is_used_up(answer) and re.fullmatch("[0-9]{1,10}", reset)  # seconds since 1970
    named = answer.header("retry-after") or (formatdate(int(reset), usegmt=True) if is_time else None)
    return read_retry_after(named, answer.header("date"))


_ELSEWHERE = "check that the URL is that of the host's API, and run this again"
_MOVED = "the repository may have moved or have another name: use the address that it has now"
_HINTS = {
    **dict.fromkeys(range(300, 400), _MOVED),
    401: "check the token: it may have expired, or belong to another host",
    403: "the token lacks a permission (GitHub needs pull-requests: write or issues: write, GitLab needs the scope "
    "api; GitHub's token for a pull request from a fork can only read), or the conversation is locked",
    410: "issues may be disabled: enable them in the settings of the repository",
    429: "the host limits how many requests it takes; start the job again later",
    404: "check the repository and the number; the answer is the same if the token has no access",
}
