"""Who we are to the API: the token, where it comes from, and when a refused one is worth a new login.

A 401 means two things to this API, "not signed in" and "no permission" (api.md), so a login must be able to
help before one is tried. Under a token under which nothing has succeeded yet it cannot. Where a request, or its
method, was refused before, the API is asked whether the token itself has run out. Nothing here shows a token,
an email or a password.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reconciler.api.answers import WRONG_URL, Explainer, NotJsonError, Request, read_json
from reconciler.api.repeats import Call, Sender
from reconciler.api.secret import COOKIE_NAME, Credentials, Scrubber, Secret, cookie_problem
from reconciler.api.transport import Answer, Failure
from reconciler.errors import ApiError

LOGIN_PATH = "/auth/login"
ME_PATH = "/auth/me"
_COOKIE = re.compile(rf"\s*{re.escape(COOKIE_NAME)}\s*=([^;]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pass:
    """A token to send, and the how-manieth of this run it is."""

    cookie: str
    generation: int


class Session:
    """The signed-in session of a run, shared by all threads."""

    def __init__(
        self,
        credentials: Credentials,
        sender: Sender,
        explainer: Explainer,
        scrubber: Scrubber,
        headers: dict[str, str],
    ) -> None:
        self.role: str | None = None
        self._credentials = credentials
        self._sender = sender
        self._explainer = explainer
        self._scrubber = scrubber
        self._headers = headers
        self._lock = threading.Condition()
        self._under_way: Counter[int] = Counter()  # requests that have no answer yet, by their token's generation
        self._pass: Pass | None = None
        self._proven = True  # something succeeded under the token; one that the user gave gets the benefit of the doubt
        self._refused: set[str] = set()  # methods that got a 401 and no success since
        self._failed: ApiError | None = None
        if credentials.token is not None:
            self._pass = Pass(f"{COOKIE_NAME}={credentials.token.reveal()}", 0)

    @property
    def can_log_in(self) -> bool:
        """Whether there are an email and a password."""
        return bool(self._credentials.email) and self._credentials.password is not None

    def show(self) -> Pass:
        """Return the token to send, logging in if there is none yet. Raises `ApiError`."""
        current = self._pass
        if current is not None:
            return current
        with self._lock:
            return self._pass or self._log_in()

    @contextmanager
    def asking(self, used: Pass) -> Iterator[None]:
        """Know of a request with a token that is under way until the block ends."""
        with self._lock:
            self._under_way[used.generation] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[used.generation] -= 1
                self._lock.notify_all()

    def succeeded(self, method: str, used: Pass) -> None:
        """Learn that the API accepted a request of that method."""
        if self._proven and not self._refused:
            return
        with self._lock:
            if self._pass is used:
                self._proven = True
                self._refused.discard(method)

    def renew(self, method: str, refused: Pass, *, again: bool = False) -> Pass | None:
        """Return another token for a request that got a 401, or None where the 401 is the answer.

        However many threads come with the same refused token, one logs in and the others get what it got.
        `again` says that the request was refused under an earlier token, too. Raises `ApiError` if the login
        fails.
        """
        with self._lock:
            while self._pass is refused and not self._proven and self._under_way[refused.generation]:
                self._lock.wait()  # one of those may yet show that the token was good when it was new
            if self._pass is not None and self._pass is not refused:
                return self._pass
            if not self.can_log_in:
                return None
            if self._failed is None and not self._can_help(method, refused, again=again):
                return None
            self._refused.add(method)
            return self._log_in()

    def _can_help(self, method: str, refused: Pass, *, again: bool) -> bool:
        """Tell whether a login may change anything about a 401."""
        if not self._proven or not (again or method in self._refused):
            return self._proven
        result = self._sender.send(Call("GET", ME_PATH, {**self._headers, "Cookie": refused.cookie}))
        return isinstance(result, Answer) and result.status == 401

    def _log_in(self) -> Pass:
        """Log in, under the lock, and keep the token. A failed login is final: repeats lock accounts."""
        if self._failed is None:
            try:
                fresh = self._new_pass()
            except ApiError as error:
                self._failed = error
            else:
                self._proven = False
                self._pass = fresh
                return fresh
        failed = self._failed
        raise ApiError(failed.kind, failed.message, status=failed.status, hint=failed.hint)

    def _new_pass(self) -> Pass:
        password = self._credentials.password
        if not self.can_log_in or password is None:
            raise self._no_credentials()
        body = json.dumps({"email": self._credentials.email, "password": password.reveal()}).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        call = Call("POST", LOGIN_PATH, headers, body)
        result = self._sender.send(call)
        request = Request("POST", LOGIN_PATH, call.attempts)
        if isinstance(result, Failure):
            raise self._explainer.failure(request, result)
        if not 200 <= result.status < 300:
            raise self._refusal(request, result)
        cookie = self._cookie(request, result)
        self.role = _role(result)
        return Pass(cookie, self._pass.generation + 1 if self._pass else 1)

    def _no_credentials(self) -> ApiError:
        email, password = bool(self._credentials.email), self._credentials.password is not None
        missing = "RECONCILER_PASSWORD is not set" if email else "RECONCILER_EMAIL is not set"
        message = f"Cannot sign in: {missing}" if email or password else "There are no credentials for the API"
        return ApiError("auth", f"{message}: set RECONCILER_AUTH_TOKEN, or RECONCILER_EMAIL and RECONCILER_PASSWORD.")

    def _refusal(self, request: Request, answer: Answer) -> ApiError:
        status = answer.status
        said = f". The API answered {status}{self._explainer.said(answer)}"
        check = "Check RECONCILER_EMAIL and RECONCILER_PASSWORD."
        if status == 401:
            return ApiError(
                "auth", f"Login failed: wrong password, or no such account{said}", status=status, hint=check
            )
        if status == 403:
            hint = "Ask an administrator to enable it, or use another account."
            return ApiError("forbidden", f"Login failed: the account is disabled{said}", status=status, hint=hint)
        if status in (400, 422):
            return ApiError(
                "auth",
                f"Login failed: the API did not accept email and password{said}",
                status=status,
                hint=check,
            )
        if status in (404, 405):  # never `not_found`: that would say that every assistant is missing
            return ApiError(
                "protocol",
                f"Login failed: there is no login at {LOGIN_PATH}{said}: {WRONG_URL}",
                status=status,
            )
        return self._explainer.status(request, answer)

    def _cookie(self, request: Request, answer: Answer) -> str:
        """Take the token out of Set-Cookie by hand: a cookie jar would keep a `Secure` one from http://localhost."""
        for header in answer.headers.get_list("set-cookie"):
            found = _COOKIE.match(header)
            token = found.group(1).strip() if found else ""
            if not token:
                continue
            problem = cookie_problem(token)
            if problem:
                raise self._explainer.senseless(request, answer, f"a cookie `{COOKIE_NAME}` that {problem},")
            self._scrubber.add(Secret(token, cookie=True))
            return f"{COOKIE_NAME}={token}"
        try:
            read_json(answer.body)
        except NotJsonError:
            raise self._explainer.senseless(request, answer) from None
        raise self._explainer.senseless(request, answer, f"a login answer without the cookie `{COOKIE_NAME}`")


def _role(answer: Answer) -> str | None:
    try:
        value: Any = read_json(answer.body)
    except NotJsonError:
        return None
    user = value.get("user") if isinstance(value, dict) else None
    role = user.get("role") if isinstance(user, dict) else None
    return role if isinstance(role, str) else None
