"""Logs in to the API: where the token comes from, and when a refused token is worth a new login.

In this API, a 401 means "not logged in" or "no permission" (docs/reference.md, "The API"), so a new login is tried
only if it may help. Nothing here shows a token, an email address or a password.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.api.answers import WRONG_URL, Explainer, find_json
from reconciler.api.cookies import Cookie, Jar, find_token, read_cookies
from reconciler.api.repeats import Call, Sender
from reconciler.api.results import Answer, NoAnswer
from reconciler.api.secret import COOKIE_NAME, Credentials, find_cookie_problem
from reconciler.core.tree import value_at
from reconciler.dataclass import dataclass
from reconciler.errors import ApiError, ErrorKind

LOGIN_PATH = "/auth/login"
ME_PATH = "/auth/me"
_LEAST_SECRET = 16  # characters; a longer cookie is masked like a token, while a load balancer's is usually shorter


@dataclass(frozen=True, slots=True)
class Token:
    """A token. `generation` counts the logins of this run; 0 is the token that the user gave."""

    cookie: str
    generation: int


class Session:
    """The session of a run, shared by all threads. `path` is the path of the API's base URL."""

    def __init__(self, credentials: Credentials, sender: Sender, explain: Explainer, path: str) -> None:
        self.role: str | None = None
        self._credentials = credentials
        self._sender = sender
        self._explain = explain
        self._jar = Jar(path)
        self._lock = threading.Condition()
        self._in_flight: set[object] = set()  # one object for each request without an answer
        self._token: Token | None = None
        # Whether the token has worked. The user's own token counts as proven: it worked once, and may have expired
        # since. A token from a login a moment ago cannot have expired.
        self._proven = True
        self._refused_methods: set[str] = set()  # methods that got a 401, and no success since
        self._login_error: ApiError | None = None
        if credentials.token is not None:
            self._token = Token(f"{COOKIE_NAME}={credentials.token.reveal()}", 0)

    def get_token(self) -> Token:
        """Return the token to send, logging in if there is none yet. Raises `ApiError`."""
        if (current := self._token) is not None:
            return current
        with self._lock:
            return self._token or self._log_in()

    def write_cookies(self, token: Token, path: str) -> str:
        """Return the Cookie header for a request to a path below the base URL."""
        return "; ".join([token.cookie, *self._jar.select(path)])

    def store_cookies(self, answer: Answer, request_token: Token) -> None:
        """Keep the cookies of an answer to a request with `request_token`. A new token replaces that."""
        cookies = read_cookies(answer)
        if not cookies:
            return
        with self._lock:
            token = self._store(cookies)
            # Take no token from a 401, which could go on for ever, nor from an answer to an older token. If the answer
            # only removes the token, keep it: the next answer shows whether it still works.
            is_usable = token and not find_cookie_problem(token) and answer.status != 401
            if token and is_usable and self._token and self._token.generation == request_token.generation:
                self._explain.scrubber.add(token)
                cookie = f"{COOKIE_NAME}={token}"
                if cookie != self._token.cookie:
                    self._token = Token(cookie, request_token.generation)

    def _store(self, cookies: list[Cookie]) -> str | None:
        """Keep all cookies but the token, and return that."""
        others = [cookie for cookie in cookies if cookie.name.lower() != COOKIE_NAME]
        self._jar.store(others)
        for cookie in others:
            if len(cookie.value) >= _LEAST_SECRET:
                self._explain.scrubber.add(cookie.value)
        return find_token(cookies)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request as in flight until the block ends."""
        ticket = object()
        with self._lock:
            self._in_flight.add(ticket)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight.remove(ticket)
                self._lock.notify_all()

    def note_success(self, method: str, token: Token) -> None:
        """Note that the API accepted a request of that method."""
        if self._proven and not self._refused_methods:
            return  # the usual case, checked without the lock: nothing is new
        with self._lock:
            if self._token and self._token.generation == token.generation:
                self._proven = True
                self._refused_methods.discard(method)

    def renew(self, method: str, refused_token: Token, *, is_repeated: bool = False) -> bool:
        """Get another token for a request that got a 401. Returns False if the 401 is final.

        `is_repeated`: the request was already refused with an earlier token. Raises `ApiError` if the login fails.
        """
        with self._lock:
            # An older request may still bring a new token, or prove that this token works. So wait for all requests in
            # flight. The wait ends, because a request that waits here no longer counts.
            earlier = set(self._in_flight)
            while self._token is refused_token and earlier & self._in_flight:
                self._lock.wait()
            # Of all threads with the same refused token, only one logs in. The others use its new token.
            if self._token is not None and self._token is not refused_token:
                return True
            if not (self._credentials.email and self._credentials.password):
                return False
            if self._login_error is None and not self._can_help(method, refused_token, is_repeated=is_repeated):
                return False
            self._refused_methods.add(method)
            self._log_in()
            return True

    def _can_help(self, method: str, refused_token: Token, *, is_repeated: bool) -> bool:
        """Return whether a new login may turn a 401 into a success."""
        if not self._proven:
            return False
        if not is_repeated and method not in self._refused_methods:
            return True
        # A login has not helped this request or method before. If the token does not even work for `GET /auth/me`,
        # it has expired again. Otherwise the permission is missing, and each request would cost a login.
        result = self._sender.send(Call("GET", ME_PATH, cookie=self.write_cookies(refused_token, ME_PATH)))
        return result.status == 401

    def _log_in(self) -> Token:
        """Log in and keep the token. The caller holds the lock."""
        if self._login_error is None:
            try:
                token = self._fetch_token()
            except ApiError as error:
                self._login_error = error
            else:
                self._proven = False
                self._token = token
                return token
        # A failed login is final, because repeated ones lock accounts. Each thread raises its own error.
        login_error = self._login_error
        raise ApiError(login_error.kind, login_error.message, status=login_error.status, hint=login_error.hint)

    def _fetch_token(self) -> Token:
        email, password = self._credentials.email, self._credentials.password
        if not email or password is None:
            hint = "set RECONCILER_AUTH_TOKEN, or RECONCILER_EMAIL and RECONCILER_PASSWORD"
            raise ApiError("auth", f"There are no credentials for the API: {hint}")
        content = json.dumps({"email": email, "password": password.reveal()}).encode()
        call = Call("POST", LOGIN_PATH, content, cookie="; ".join(self._jar.select(LOGIN_PATH)))
        result = self._sender.send(call)
        if isinstance(result, NoAnswer):
            raise self._explain.no_answer(call, result)
        if not result.ok:
            raise self._explain_refusal(call, result)
        cookie = self._read_cookie(call, result)
        role = value_at(find_json(result.body), ("user", "role"))
        self.role = role if isinstance(role, str) else None
        return Token(cookie, self._token.generation + 1 if self._token else 1)

    def _explain_refusal(self, call: Call, answer: Answer) -> ApiError:
        status = answer.status
        kind: ErrorKind = "auth"
        hint = "check RECONCILER_EMAIL and RECONCILER_PASSWORD"
        detail = f". The API answered {status}{self._explain.describe(answer)}"
        if status == 401:
            problem = f"wrong password, or no such account{detail}"
        elif status in (400, 422):
            problem = f"the API did not accept the e-mail address and password{detail}"
        elif status == 403:
            kind, problem = "forbidden", f"the account is disabled{detail}"
            hint = "ask an administrator to enable it, or use another account"
        elif status in (404, 405):  # not `not_found`, which would say that every assistant is missing
            kind, problem, hint = "protocol", f"there is no login at {LOGIN_PATH}{detail}: {WRONG_URL}", ""
        else:
            return self._explain.status(call, answer)
        return ApiError(kind, f"Login failed: {problem}", status=status, hint=hint)

    def _read_cookie(self, call: Call, answer: Answer) -> str:
        token = self._store(read_cookies(answer))
        if token is not None:
            if problem := find_cookie_problem(token):
                text = f"a cookie `{COOKIE_NAME}` that {problem}"
                raise self._explain.unusable(call, answer, text, right_url=True)
            self._explain.scrubber.add(token)
            return f"{COOKIE_NAME}={token}"
        problem = "" if find_json(answer.body) is None else f"a login response without the cookie `{COOKIE_NAME}`"
        raise self._explain.unusable(call, answer, problem)
