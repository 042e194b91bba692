"""What the use cases need of the API; `reconciler.api.client.AssistantsApi` is the real one."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Assistants(Protocol):
    """The assistants' API. Thread-safe. Every method that calls it raises `ApiError` for a call that failed.

    A write raises `UnclearWrite` where it may have happened all the same: look at live before it is sent again.
    """

    @property
    def url(self) -> str:
        """The API's base URL, checked, without a slash at its end."""

    @property
    def concurrency(self) -> int:
        """How many requests may be in flight at the same time."""

    @property
    def retries(self) -> int:
        """How many times a call is repeated after a failure that may pass."""

    @property
    def calls(self) -> Mapping[str, int]:
        """How many requests of each method reached the API, or may have: repeats and logins included."""

    def get(self, assistant_id: str) -> dict[str, Any]:
        """Read one assistant by either of its ids; the answer may show the other."""

    def get_after_write(self, assistant_id: str, is_old: Callable[[Mapping[str, Any] | None], bool]) -> dict[str, Any]:
        """Read one assistant after a write, again while `is_old` says so of a reading, or of None for a 404."""

    def patch(self, assistant_id: str, body: Mapping[str, Any], *, live_id: str) -> dict[str, Any]:
        """Write once, and return the assistant as the answer shows it; `live_id` is the `id` that `get` showed."""

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an assistant, and return it as the answer shows it. Never repeated: that could create a second one."""

    def delete(self, assistant_id: str) -> None:
        """Delete an assistant. Never repeated, and never undone."""

    def me(self) -> dict[str, Any]:
        """Return the user that the credentials belong to."""

    def list_assistants(self) -> list[dict[str, Any]] | None:
        """Return all assistants where the API lists them, else None."""

    def pause(self, attempt: int) -> None:
        """Wait before a write is repeated, after the attempt of that number (the first is 1)."""
