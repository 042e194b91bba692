"""The API of the assistants, as the use cases see it: read one, patch one, who am I.

Decides nothing about assistants. What is sent how often: `repeats`; tokens: `session`; texts: `answers`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType, TracebackType
from typing import Any, Self
from urllib.parse import quote

from reconciler import __version__
from reconciler.api.answers import Explainer, NotJsonError, Request, read_json
from reconciler.api.repeats import Call, RequestNote, Sender
from reconciler.api.secret import Credentials, Scrubber, Secret
from reconciler.api.session import ME_PATH, Pass, Session
from reconciler.api.throttle import FIRST_BACKOFF, Throttle
from reconciler.api.transport import Answer, Failure, Wire
from reconciler.core.base_url import check_base_url
from reconciler.errors import ApiError, UnclearWrite, UsageError

__all__ = ["ApiOptions", "AssistantsApi", "Credentials", "RequestNote"]

_LONGEST_ID = 500
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"assistant-reconciler/{__version__}",
}


@dataclass(frozen=True)
class ApiOptions:
    """What the user configured. `timeout`, in seconds, bounds one attempt as a whole, connecting included."""

    url: str
    credentials: Credentials = field(default_factory=Credentials)
    concurrency: int = 16
    timeout: float = 30.0
    retries: int = 4
    allow_insecure_http: bool = False


class AssistantsApi:
    """A context manager; thread-safe. At most `concurrency` requests in flight, connections kept alive.

    `on_request` hears of every attempt, in the thread that made it. Once `stopping()` is true waits end and
    nothing is repeated; once `aborted()` is, no answer is awaited either. `backoff` bounds the first wait
    between two attempts, in seconds. Raises `SettingsError` and `UsageError` for options that cannot work;
    nothing is sent before the first call. Every method raises `ApiError`.
    """

    def __init__(
        self,
        options: ApiOptions,
        *,
        on_request: Callable[[RequestNote], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
        aborted: Callable[[], bool] = lambda: False,
        backoff: float = FIRST_BACKOFF,
    ) -> None:
        if options.concurrency < 1 or options.timeout <= 0 or options.retries < 0:
            raise UsageError("--concurrency must be at least 1, --timeout more than 0, --retries at least 0.")
        base = check_base_url(options.url, allow_insecure_http=options.allow_insecure_http)
        credentials = _checked(options.credentials)
        scrubber = Scrubber(credentials.token, credentials.password)
        self.url = base.text
        self.concurrency = options.concurrency
        self.retries = options.retries
        self._stopping = stopping
        self._throttle = Throttle(options.concurrency, stopping=stopping, backoff=backoff)
        self._sender = Sender(
            Wire(base, aborted=aborted),
            self._throttle,
            retries=options.retries,
            timeout=options.timeout,
            stopping=stopping,
            on_request=on_request,
        )
        self._explain = Explainer(base.text, base.origin, options.timeout, scrubber)
        self._session = Session(credentials, self._sender, self._explain, scrubber, _HEADERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sender.close()

    @property
    def calls(self) -> Mapping[str, int]:
        """How many requests of each method reached the API, or may have: repeats and logins included."""
        return MappingProxyType(self._sender.sent)

    @property
    def user_role(self) -> str | None:
        """The role that the login named, if there was a login."""
        return self._session.role

    def get(self, assistant_id: str) -> dict[str, Any]:
        """Read one assistant (`GET /assistants/{id}`) by either of its ids; the answer may show the other."""
        request, answer = self._ask(Call("GET", _path(assistant_id), _HEADERS))
        assistant = self._object(request, answer)
        self._check_id(request, answer, assistant)
        return assistant

    def patch(self, assistant_id: str, body: Mapping[str, Any], *, live_id: str) -> dict[str, Any]:
        """Write once (`PATCH /assistants/{id}`) and return the assistant as the API says it is now.

        Repeated here only where the API surely did nothing (429, no connection, one 401). Raises
        `UnclearWrite` where the write may have happened all the same: 5xx, no answer, a senseless one, or one
        about another `id` than `live_id`, the `id` that GET gave. Any other `ApiError` is a definite no.
        """
        content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        headers = {**_HEADERS, "Content-Type": "application/json"}
        request, answer = self._ask(Call("PATCH", _path(assistant_id), headers, content, write=True))
        request = replace(request, unclear_write=True)
        assistant = self._object(request, answer)
        self._check_id(request, answer, assistant)
        if assistant["id"] != live_id:
            other = self._explain.quote(assistant["id"])
            raise UnclearWrite(
                "protocol",
                f"{request}: the answer is about another assistant, {other!r} instead of {live_id!r}",
                status=answer.status,
                hint="Look at both assistants in the web application before anything else is applied.",
            )
        return assistant

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an assistant (`POST /assistants`) and return it as the API says it is.

        Sent once, whatever the answer: a repeat could create a second one. Raises `UnclearWrite` where the
        assistant may be there all the same, any other `ApiError` where it surely is not.
        """
        content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        headers = {**_HEADERS, "Content-Type": "application/json"}
        request, answer = self._ask(Call("POST", "/assistants", headers, content, write=True, once=True))
        request = replace(request, unclear_write=True)
        assistant = self._object(request, answer)
        self._check_id(request, answer, assistant)
        return assistant

    def me(self) -> dict[str, Any]:
        """Return the user that the credentials belong to (`GET /auth/me`)."""
        request, answer = self._ask(Call("GET", ME_PATH, _HEADERS))
        user = self._object(request, answer).get("user")
        if not isinstance(user, dict):
            raise self._explain.senseless(request, answer, "an object without `user`")
        return user

    def list_assistants(self) -> list[dict[str, Any]] | None:
        """Return all assistants where the API lists them, else None.

        `GET /assistants` is not in the API's reference. A list is taken bare or as the only key `assistants`
        of an object; with more keys beside it it may be one page of many.
        """
        try:
            _, answer = self._ask(Call("GET", "/assistants", _HEADERS))
            found = read_json(answer.body)
        except NotJsonError:
            return None
        except ApiError as error:
            if error.status in (404, 405):
                return None
            raise
        if isinstance(found, dict) and list(found) == ["assistants"]:
            found = found["assistants"]
        if isinstance(found, list) and all(isinstance(item, dict) and _has_id(item) for item in found):
            return found
        return None

    def pause(self, attempt: int) -> None:
        """Wait before somebody repeats a write, after the attempt of that number (the first is 1)."""
        self._throttle.sleep(self._throttle.backoff(attempt))

    def _ask(self, call: Call) -> tuple[Request, Answer]:
        """Send a call with the session's cookie; return its successful answer."""
        headers = call.headers
        token = self._session.show()
        refused = False
        while True:
            call.headers = {**headers, "Cookie": token.cookie}
            with self._session.asking(token):
                result = self._sender.send(call)
                if isinstance(result, Answer) and 200 <= result.status < 300:
                    self._session.succeeded(call.method, token)
                    return Request(call.method, call.path, call.attempts), result
            renewed = None
            if _is_401(result) and not call.once and not self._stopping():
                renewed = self._session.renew(call.method, token, again=refused)
            if renewed is None:
                raise self._problem(call, result, token)
            token, refused = renewed, True

    def _problem(self, call: Call, result: Answer | Failure, token: Pass) -> ApiError:
        if isinstance(result, Failure):
            unclear = call.write and result.reached
            return self._explain.failure(Request(call.method, call.path, call.attempts, unclear), result)
        # 4xx is a definite no; anything else that is no success may hide a write.
        unclear = call.write and not 400 <= result.status < 500
        request = Request(call.method, call.path, call.attempts, unclear)
        if result.status == 401:
            role = f" (the role is {self._explain.quote(self.user_role)})" if self.user_role else ""
            meaning = f"not signed in, or no permission to {call.method}{role}"
            return self._explain.status(request, result, meaning=meaning, hint=self._about_401(token))
        return self._explain.status(request, result)

    def _about_401(self, token: Pass) -> str:
        if token.generation:
            return "The login itself worked: ask for an account that may do this."
        return (
            "RECONCILER_AUTH_TOKEN may have run out: set a new one, or set RECONCILER_EMAIL and "
            "RECONCILER_PASSWORD, which log in whenever that is needed."
        )

    def _object(self, request: Request, answer: Answer) -> dict[str, Any]:
        try:
            value = read_json(answer.body)
        except NotJsonError:
            value = None
        if not isinstance(value, dict):
            raise self._explain.senseless(request, answer)
        return value

    def _check_id(self, request: Request, answer: Answer, assistant: dict[str, Any]) -> None:
        if not _has_id(assistant):
            problem = "an `id` that is not a text" if "id" in assistant else "an object without an `id`"
            raise self._explain.senseless(request, answer, problem)


def _path(assistant_id: str) -> str:
    """Return the assistant's path, with nothing in the id that could mean something in a URL."""
    if assistant_id in ("", ".", "..") or len(assistant_id) > _LONGEST_ID:
        raise ApiError("invalid", f"{assistant_id[:40]!r} cannot be an assistant's id.", hint="Check the id.")
    return f"/assistants/{quote(assistant_id, safe='', errors='replace')}"


def _has_id(assistant: dict[str, Any]) -> bool:
    return isinstance(assistant.get("id"), str) and assistant["id"] != ""


def _is_401(result: Answer | Failure) -> bool:
    return isinstance(result, Answer) and result.status == 401


def _checked(credentials: Credentials) -> Credentials:
    """Make sure that the token can stand in a cookie, however the secret was made."""
    token = credentials.token
    if token is not None:
        token = Secret(token.reveal(), name="RECONCILER_AUTH_TOKEN", cookie=True)
    email = (credentials.email or "").strip() or None
    return replace(credentials, token=token, email=email)
