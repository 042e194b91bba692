"""The API client as the tests of the adapters open it: short waits, and secrets that are easy to find in a text."""

from collections.abc import Callable
from typing import Any

from odd_server import OddServer, Reply, answer

from reconciler.api.client import AssistantsApi
from reconciler.api.secret import Credentials, Secret
from reconciler.core.ports import ApiLimits
from reconciler.errors import ApiError

TOKEN = "hush-token-1"
PASSWORD = 'hush "pass" word'
ASSISTANT: dict[str, Any] = {"id": "asst_1", "name": "Enrollment", "model": {"temperature": 0.6}}


def token_credentials() -> Credentials:
    return Credentials(token=Secret(TOKEN, cookie=True))


def login_credentials() -> Credentials:
    return Credentials(email="anna@example.edu", password=Secret(PASSWORD))


def all_credentials() -> Credentials:
    return Credentials(Secret(TOKEN, cookie=True), "anna@example.edu", Secret(PASSWORD))


def client(
    server: OddServer,
    credentials: Credentials | None = None,
    *,
    on_request: Callable[[str], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    concurrency: int = 4,
    timeout: float = 5.0,
    retries: int = 2,
) -> AssistantsApi:
    limits = ApiLimits(concurrency=concurrency, timeout=timeout, retries=retries)
    options = (server.url, credentials or token_credentials(), limits)
    return AssistantsApi(*options, on_request=on_request, stopping=stopping, backoff=0.01)


def login_answer(token: str, role: Any = "ADMIN", **headers: str) -> Reply:
    """The answer to a good login."""
    cookie = f"auth-token={token}; Path=/; HttpOnly; Secure; SameSite=Lax"
    return answer(200, {"message": "Welcome", "user": {"id": "u1", "role": role}}, Set_Cookie=cookie)


def describe_error_chain(error: BaseException) -> str:
    """All that a traceback, a report or a log could show of an error, chained ones included."""
    text = ""
    current: BaseException | None = error
    while current is not None:
        notes = getattr(current, "__notes__", [])
        text += f"{current}\n{current!r}\n{current.args}\n{vars(current)}\n{notes}\n"
        current = current.__cause__ or current.__context__
    return text


def check_no_secret(error: ApiError) -> ApiError:
    """Return the error after making sure that no secret is in it."""
    assert "hush" not in describe_error_chain(error)
    return error
