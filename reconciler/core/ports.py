"""The interface of the API for the use cases, and the limits of its requests. `reconciler.api.client` implements it."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from reconciler.dataclass import dataclass

LONGEST_TIMEOUT = 86_400  # seconds; no clock of a socket takes any number


@dataclass(frozen=True, kw_only=True)
class ApiLimits:
    """How requests are made. `timeout`, in seconds, bounds one attempt as a whole, connecting included."""

    concurrency: int = 16  # requests in flight
    timeout: float = 30.0
    retries: int = 4
    allow_insecure_http: bool = False


DEFAULT_LIMITS = ApiLimits()


class Assistants(Protocol):
    """The assistants' API. Thread-safe. Every method that calls it raises `ApiError` for a call that failed.

    The calls are those of the API's reference; `list_assistants` alone is not in it.
    """

    @property
    def url(self) -> str:
        """The API's base URL, checked, without a slash at its end."""

    @property
    def retries(self) -> int:
        """How many times a call is repeated after a temporary failure."""

    @property
    def calls(self) -> Mapping[str, int]:
        """How many requests of each method reached the API, or may have: repeats and logins included."""

    def get(self, assistant_id: str) -> dict[str, Any]:
        """Read one assistant (`GET /assistants/{id}`) by either of its ids; the answer may show the other."""

    def get_after_write(self, assistant_id: str, is_old: Callable[[Mapping[str, Any] | None], bool]) -> dict[str, Any]:
        """Read one assistant after an accepted write, repeatedly for up to 5 seconds while `is_old` is true for it.

        Reading may lag behind a write. For a 404, `is_old` gets None, and says whether to read again.
        """

    def patch(
        self, assistant_id: str, body: Mapping[str, Any], *, live_id: str, look_again: Callable[[], bool]
    ) -> dict[str, Any]:
        """Write once (`PATCH /assistants/{id}`) and return the assistant as the answer shows it.

        `live_id` is the `id` that `get` showed. `look_again` is asked before the write is repeated, and returns whether
        the body is still right for live. Raises `UnclearWrite` if the write may have happened: look at live
        before it is sent again. Any other `ApiError` means that nothing was written.
        """

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an assistant (`POST /assistants`) and return it as the answer shows it.

        Never repeated: that could create a second one. Raises `UnclearWrite` if the assistant may be there, any
        other `ApiError` if it is not.
        """

    def delete(self, assistant_id: str) -> None:
        """Delete an assistant (`DELETE /assistants/{id}`). Never repeated, and never undone.

        Raises `UnclearWrite` if the assistant may be gone, any other `ApiError` if it is not.
        """

    def me(self) -> dict[str, Any]:
        """Return the user that the credentials belong to (`GET /auth/me`)."""

    def list_assistants(self) -> list[dict[str, Any]] | None:
        """Return all assistants (`GET /assistants`) where the API lists them, else None."""

    def pause(self, attempt: int) -> None:
        """Wait before a write is repeated, after the attempt of that number (the first is 1).

        A few tenths of a second at first, up to 20 seconds later, and less in a run that is being stopped.
        """
