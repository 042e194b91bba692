"""One repository at GitHub, or at a GitHub Enterprise server."""

import dataclasses
from typing import Any

from reconciler.errors import HostError, UsageError
from reconciler.hosts.calls import Calls
from reconciler.hosts.host import Entry

# The account that the token of a workflow's job writes as; such a token may not ask who it is.
BOT = "github-actions[bot]"


@dataclasses.dataclass(frozen=True, kw_only=True)
class GitHub:
    """A `Host` (`reconciler.hosts.host`). `number` is the pull request's, None in a run that is about none."""

    calls: Calls
    repository: str
    number: int | None
    run_url: str = ""
    commit: str = ""
    longest_body: int = 65_536

    def me(self) -> str:
        """Return the login that the token belongs to."""
        try:
            user = self.calls.ask("GET", "/user")
        except HostError as error:
            if error.status in (403, 404):
                return BOT
            raise
        return str(user.get("login") or BOT) if isinstance(user, dict) else BOT

    def comments(self) -> list[Entry]:
        """Return the comments on the pull request."""
        return [_read(one) for one in self.calls.list_all(f"{self._issues}/{self._pull_request}/comments")]

    def write_comment(self, body: str, there: Entry | None) -> None:
        """Write a comment, or edit one in place."""
        if there is None:
            self.calls.ask("POST", f"{self._issues}/{self._pull_request}/comments", {"body": body})
        else:
            self.calls.ask("PATCH", f"{self._issues}/comments/{there.id}", {"body": body})

    def issues(self) -> list[Entry]:
        """Return the open issues; to GitHub a pull request is one, too."""
        found = self.calls.list_all(f"{self._issues}?state=open")
        return [_read(one, "number") for one in found if "pull_request" not in one]

    def write_issue(self, title: str, body: str, there: Entry | None) -> None:
        """Open an issue, or edit one in place."""
        if there is None:
            self.calls.ask("POST", self._issues, {"title": title, "body": body})
        else:
            self.calls.ask("PATCH", f"{self._issues}/{there.id}", {"title": title, "body": body})

    def close_issue(self, there: Entry, why: str) -> None:
        """Say why an issue is settled, and close it."""
        self.calls.ask("POST", f"{self._issues}/{there.id}/comments", {"body": why})
        self.calls.ask("PATCH", f"{self._issues}/{there.id}", {"state": "closed", "state_reason": "completed"})

    def make_inert(self, text: str) -> str:
        """Return the text as it is: the report's Markdown has made mentions and links dead already."""
        return text

    @property
    def _issues(self) -> str:
        return f"/repos/{self.repository}/issues"

    @property
    def _pull_request(self) -> int:
        if self.number is None:
            raise UsageError(
                "this run is about no pull request", hint="comment in a workflow that `pull_request` starts"
            )
        return self.number


def _read(one: dict[str, Any], key: str = "id") -> Entry:
    user = one.get("user")
    author = str(user.get("login") or "") if isinstance(user, dict) else ""
    return Entry(id=str(one.get(key)), author=author, body=one.get("body") or "", title=str(one.get("title") or ""))
