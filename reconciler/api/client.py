"""The API of the assistants, as the use cases see it. Decides nothing about assistants."""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from reconciler.api.answers import Explainer, find_json
from reconciler.api.prefetch import Prefetch
from reconciler.api.repeats import Call, Sender
from reconciler.api.results import Answer, NoAnswer
from reconciler.api.secret import HALF_CHARACTER, Credentials, Scrubber
from reconciler.api.session import ME_PATH, Session, Token
from reconciler.api.throttle import FIRST_BACKOFF, Throttle
from reconciler.api.transport import Wire
from reconciler.core.base_url import check_base_url
from reconciler.core.ports import DEFAULT_LIMITS, LONGEST_TIMEOUT, ApiLimits
from reconciler.errors import ApiError, UsageError

LONGEST_LAG = 5.0  # seconds that reads may lag behind a write (docs/reference.md, "The network")
_LONGEST_ID = 500
_NEXT_PAGE = re.compile(r"""\brel\s*=\s*["']?(?:\w+ +)*next\b""", re.IGNORECASE)
_HINT_AFTER_LOGIN = "the login worked, so this account lacks the permission: use another account"
_HINT_BEFORE_LOGIN = (
    "RECONCILER_AUTH_TOKEN may have expired: set a new one, or set RECONCILER_EMAIL and RECONCILER_PASSWORD "
    "to log in automatically"
)


class AssistantsApi:
    """The API, as a context manager. Thread-safe; keeps at most `concurrency` requests in flight.

    `on_request` gets a line about every attempt, in its thread. Once `stopping()` is true, waits end and nothing is
    repeated; once `aborted()` is true, no answer is awaited either. `backoff` is the longest first wait between two
    attempts, and `lag` how long reads may lag behind a write, both in seconds. Raises `SettingsError` and `UsageError`
    for options that cannot work. Every method raises `ApiError`.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        limits: ApiLimits = DEFAULT_LIMITS,
        *,
        on_request: Callable[[str], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
        aborted: Callable[[], bool] = lambda: False,
        backoff: float = FIRST_BACKOFF,
        lag: float = LONGEST_LAG,
    ) -> None:
        # NaN is in no range.
        if limits.concurrency < 1 or not 0 < limits.timeout <= LONGEST_TIMEOUT or limits.retries < 0:
            timeout = f"--timeout more than 0 and at most {LONGEST_TIMEOUT}"
            raise UsageError(f"--concurrency must be at least 1, {timeout}, --retries at least 0.")
        base = check_base_url(url, allow_insecure_http=limits.allow_insecure_http)
        self.url = base.text
        self.environment: str | None = None  # of the settings; `public` checks it
        self.concurrency = limits.concurrency
        self.retries = limits.retries
        self._stopping = stopping
        self._lag = lag
        self._throttle = Throttle(limits.concurrency, stopping=stopping, backoff=backoff)
        wire = Wire(base, aborted=aborted)
        secrets = [secret.reveal() for secret in (credentials.token, credentials.password) if secret]
        scrubber = Scrubber(*secrets, *wire.secrets)
        self._sender = Sender(wire, self._throttle, limits, stopping, on_request)
        self._explain = Explainer(base.text, base.origin, limits.timeout, scrubber)
        self._session = Session(credentials, self._sender, self._explain, urlsplit(base.text).path)
        self._prefetch = Prefetch(
            lambda name: self._fetch_assistant(Call("GET", _build_path(name))), limits.concurrency, stopping=stopping
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._prefetch.close()
        self._sender.close()

    @property
    def calls(self) -> Mapping[str, int]:
        """How many requests of each method reached the API, or may have, including repeats and logins."""
        return MappingProxyType(self._sender.sent)

    def get(self, assistant_id: str) -> dict[str, Any]:
        """Read one assistant (`GET /assistants/{id}`) by either of its ids; the answer may contain the other one."""
        return self._prefetch.take(assistant_id)

    def begin_get(self, assistant_id: str) -> None:
        """Begin to read an assistant in the background; the next `get` of it returns that. Raises nothing."""
        self._prefetch.begin(assistant_id)

    def get_after_write(self, assistant_id: str, is_old: Callable[[Mapping[str, Any] | None], bool]) -> dict[str, Any]:
        """Read one assistant after a write, until `is_old` is false for it, the lag is over, or the run is stopped."""
        body: bytes | None = None
        result: dict[str, Any] | ApiError | None = None
        for _ in self._throttle.poll(self._lag):
            call = Call("GET", _build_path(assistant_id))
            try:
                answer = self._send(call)
            except ApiError as error:
                if error.status != 404 or not is_old(None):
                    raise
                result = error
                continue
            # Do not parse the same bytes twice: an answer may be megabytes long.
            if answer.body != body:
                body, result = answer.body, self._read_assistant(call, answer)
                if not is_old(result):
                    break
        if not isinstance(result, dict):
            raise result or AssertionError("unreachable")
        return result

    def patch(
        self, assistant_id: str, body: Mapping[str, Any], *, live_id: str, look_again: Callable[[], bool] = lambda: True
    ) -> dict[str, Any]:
        """Write once (`PATCH /assistants/{id}`) and return the assistant as the API says it is now.

        Repeated only if the API certainly did nothing (no connection, 425, 429, one 401), and sent after a pause or a
        failure only if `look_again()` says that live is as it was. Raises `UnclearWrite` if the write may have
        happened: 408, 499, 5xx, no answer, an invalid one, or one with another `id` than `live_id`, the `id` that GET
        returned.
        """
        call = _build_write("PATCH", _build_path(assistant_id), body)
        assistant = self._read_assistant(call, self._send(call, look_again))
        if assistant["id"] != live_id:
            other = self._explain.quote(assistant["id"])
            problem = f"the response is about another assistant, {other!r} instead of {live_id!r}"
            hint = "look at both assistants in the dashboard before you apply anything else"
            raise call.fail("protocol", problem, hint=hint)
        return assistant

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an assistant (`POST /assistants`), in one request that is never repeated, and return the answer."""
        return self._fetch_assistant(_build_write("POST", "/assistants", body, once=True))

    def delete(self, assistant_id: str) -> None:
        """Delete one assistant (`DELETE /assistants/{id}`), in one request that is never repeated."""
        call = Call("DELETE", _build_path(assistant_id), write=True, once=True)
        answer = self._send(call)
        # 204 means the same as `success`.
        if answer.status != 204 and self._read_object(call, answer).get("success") is not True:
            raise self._explain.unusable(call, answer, "an object without `success: true`")

    def me(self) -> dict[str, Any]:
        """Return the user that the credentials belong to (`GET /auth/me`)."""
        call = Call("GET", ME_PATH)
        answer = self._send(call)
        user = self._read_object(call, answer).get("user")
        if not isinstance(user, dict):
            raise self._explain.unusable(call, answer, "an object without `user`")
        return user

    def list_assistants(self) -> list[dict[str, Any]] | None:
        """Return all assistants, or None if the API does not list them (`GET /assistants` is not in its reference).

        The answer is a list, or an object with the only key `assistants`: with more keys, with status 206, or with a
        link to the next page (RFC 8288), it may be one page of many.
        """
        try:
            answer = self._send(Call("GET", "/assistants"))
        except ApiError as error:
            if error.status in (404, 405):
                return None
            raise
        listing = find_json(answer.body)
        if isinstance(listing, dict) and list(listing) == ["assistants"]:
            listing = listing["assistants"]
        is_page = answer.status == 206 or _NEXT_PAGE.search(answer.header("link"))
        usable = isinstance(listing, list) and all(
            isinstance(item, dict) and not _find_id_problem(item) for item in listing
        )
        return listing if usable and not is_page else None

    def pause(self, attempt: int) -> None:
        """Wait before a write is repeated. `attempt` is the number of the last one, from 1."""
        self._throttle.sleep(self._throttle.backoff(attempt))

    def _send(self, call: Call, look_again: Callable[[], bool] = lambda: True) -> Answer:
        """Send a call with the session's cookie; return its successful answer."""
        was_refused = False
        # This loop ends, because the session returns another token only if it may help.
        while True:
            token = self._session.get_token()
            call.cookie = self._session.write_cookies(token, call.path)
            with self._session.in_flight():
                result = self._sender.send(call)
                # Inside the block, so that a thread with a 401 that waits for this request learns from its result.
                if isinstance(result, Answer):
                    self._session.store_cookies(result, token)
                    if result.ok:
                        self._session.note_success(call.method, token)
                        return result
            may_repeat, has_looked = call.needs_look and not self._stopping(), False
            if result.status == 401 and not call.once and not self._stopping():
                has_looked, was_refused = was_refused, True
                may_repeat = self._session.renew(call.method, token, is_repeated=has_looked)
            # A login or a pause takes its time, so what was read before a write may be old. After a second 401, it is
            # not: a token may last for one request only.
            if not (may_repeat and (has_looked or look_again())):
                raise self._explain_problem(call, result, token)

    def _explain_problem(self, call: Call, result: Answer | NoAnswer, token: Token) -> ApiError:
        if isinstance(result, NoAnswer):
            return self._explain.no_answer(call, result)
        if result.status != 401:
            return self._explain.status(call, result)
        role = f" (the role is {self._explain.quote(self._session.role)})" if self._session.role else ""
        meaning = f"not signed in, or no permission to {call.method}{role}"
        hint = _HINT_AFTER_LOGIN if token.generation else _HINT_BEFORE_LOGIN
        return self._explain.status(call, result, meaning=meaning, hint=hint)

    def _read_object(self, call: Call, answer: Answer) -> dict[str, Any]:
        value = find_json(answer.body)
        if not isinstance(value, dict):
            raise self._explain.unusable(call, answer)
        return value

    def _fetch_assistant(self, call: Call) -> dict[str, Any]:
        return self._read_assistant(call, self._send(call))

    def _read_assistant(self, call: Call, answer: Answer) -> dict[str, Any]:
        # Nothing else is checked, so that fields which the API's reference does not list are not lost.
        assistant = self._read_object(call, answer)
        if problem := _find_id_problem(assistant):
            raise self._explain.unusable(call, answer, problem, right_url="id" in assistant)
        return assistant


def _build_path(assistant_id: str) -> str:
    """Return the assistant's path, with every special character of the id escaped."""
    # "." and ".." would mean this folder and the one above it.
    if assistant_id in ("", ".", "..") or len(assistant_id) > _LONGEST_ID:
        raise ApiError("invalid", f"{assistant_id[:40]!r} cannot be an assistant's id.", hint="check the id")
    return f"/assistants/{quote(assistant_id, safe='', errors='replace')}"


def _build_write(method: str, path: str, body: Mapping[str, Any], *, once: bool = False) -> Call:
    content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    return Call(method, path, content, write=True, once=once)


def _find_id_problem(assistant: dict[str, Any]) -> str:
    if "id" not in assistant:
        return "an object without an `id`"
    if not isinstance(assistant["id"], str) or not assistant["id"]:
        return "an `id` that is not a text"
    # Other texts may contain half a character. An id must fit into a URL and a definition.
    return "an `id` with an incomplete character" if HALF_CHARACTER.search(assistant["id"]) else ""
