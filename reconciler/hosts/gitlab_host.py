"""One project at GitLab, at gitlab.com or a server of one's own."""

import dataclasses
import re
from typing import Any

from reconciler.errors import UsageError
from reconciler.hosts.calls import Calls
from reconciler.hosts.host import Entry

_FENCE = re.compile(r"\s*(```+|~~~+)")
_QUICK_ACTION = re.compile(r"^(\s*)/(?=[a-zA-Z])")


@dataclasses.dataclass(frozen=True, kw_only=True)
class GitLab:
    """A `Host` (`reconciler.hosts.host`). `number` is the merge request's `iid`, None in a run that is about none."""

    calls: Calls
    project: str
    number: int | None
    run_url: str = ""
    commit: str = ""
    longest_body: int = 1_000_000

    def me(self) -> str:
        """Return the user name that the token belongs to; a project access token has a user of its own."""
        user = self.calls.ask("GET", "/user")
        return str(user.get("username") or "") if isinstance(user, dict) else ""

    def comments(self) -> list[Entry]:
        """Return the notes on the merge request, but for those that GitLab itself writes."""
        found = self.calls.list_all(f"{self._merge_request}/notes?sort=asc&order_by=created_at")
        return [_read(one, "id", "body") for one in found if not one.get("system")]

    def write_comment(self, body: str, there: Entry | None) -> None:
        """Write a note, or edit one in place."""
        if there is None:
            self.calls.ask("POST", f"{self._merge_request}/notes", {"body": body})
        else:
            self.calls.ask("PUT", f"{self._merge_request}/notes/{there.id}", {"body": body})

    def issues(self) -> list[Entry]:
        """Return the open issues."""
        return [_read(one, "iid", "description") for one in self.calls.list_all(f"{self._issues}?state=opened")]

    def write_issue(self, title: str, body: str, there: Entry | None) -> None:
        """Open an issue, or edit one in place."""
        if there is None:
            self.calls.ask("POST", self._issues, {"title": title, "description": body})
        else:
            self.calls.ask("PUT", f"{self._issues}/{there.id}", {"title": title, "description": body})

    def close_issue(self, there: Entry, why: str) -> None:
        """Say why an issue is settled, and close it."""
        self.calls.ask("POST", f"{self._issues}/{there.id}/notes", {"body": self.make_inert(why)})
        self.calls.ask("PUT", f"{self._issues}/{there.id}", {"state_event": "close"})

    def make_inert(self, text: str) -> str:
        """Return a text in which no line is a quick action: `/close` in a definition's text would close.

        GitLab looks for them everywhere but in code.
        """
        lines, fence = [], ""
        for line in text.split("\n"):
            mark = _FENCE.match(line)
            if mark and (not fence or mark[1].startswith(fence)):
                fence = "" if fence else mark[1]
            lines.append(line if fence else _QUICK_ACTION.sub(r"\1&#47;", line))
        return "\n".join(lines)

    @property
    def _issues(self) -> str:
        return f"/projects/{self.project}/issues"

    @property
    def _merge_request(self) -> str:
        if self.number is None:
            raise UsageError("this pipeline is about no merge request", hint="comment in a merge request's pipeline")
        return f"/projects/{self.project}/merge_requests/{self.number}"


def _read(one: dict[str, Any], key: str, body: str) -> Entry:
    author = one.get("author")
    name = str(author.get("username") or "") if isinstance(author, dict) else ""
    return Entry(id=str(one.get(key)), author=name, body=one.get(body) or "", title=str(one.get("title") or ""))
