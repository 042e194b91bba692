"""One repository at GitHub, or at a GitHub Enterprise server."""

import dataclasses
from typing import Any
from urllib.parse import quote

from reconciler.core.edits import FileEdit
from reconciler.errors import HostError, UsageError
from reconciler.hosts.calls import Calls
from reconciler.hosts.host import Entry, Request, State

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
    branch: str = ""
    longest_body: int = 65_536
    proposal: str = "pull request"

    def me(self) -> str:
        """Return the login that the token belongs to."""
        try:
            user = self.calls.ask("GET", "/user")
        except HostError as error:
            # GitHub says so to the token of a job, which belongs to an app and to no user.
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
        # The reason first, so that it stands above the closing.
        self.calls.ask("POST", f"{self._issues}/{there.id}/comments", {"body": why})
        self.calls.ask("PATCH", f"{self._issues}/{there.id}", {"state": "closed", "state_reason": "completed"})

    def requests(self, branch: str | None) -> list[Request]:
        """Return the pull requests of a branch, open or not; without one, all open ones."""
        # A fork's branch may have any name.
        owner = self.repository.partition("/")[0]
        query = f"state=all&head={quote(f'{owner}:{branch}', safe='')}" if branch is not None else "state=open"
        found = map(_read_request, self.calls.list_all(f"{self._pulls}?{query}"))
        return [one for one in found if branch in (None, one.branch)]

    def find_merged(self, commit: str) -> list[Request]:
        """Return the pull requests that brought a commit into the branch of this run."""
        found = self.calls.list_all(f"/repos/{self.repository}/commits/{commit}/pulls")
        merged = [one for one in found if (one.get("base") or {}).get("ref") == self.branch]
        return [one for one in map(_read_request, merged) if one.state == "merged"]

    def about(self, request: Request) -> "GitHub":
        """Return the host as a run about this pull request has it."""
        return dataclasses.replace(self, number=int(request.id))

    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Make a branch with one commit on top of `head`; GitHub writes its name under the commit."""
        git = f"/repos/{self.repository}/git"
        tree = [{"path": one.path, "mode": one.mode, "type": "blob", **_content(one)} for one in files]
        made = self.calls.ask("POST", f"{git}/trees", {"base_tree": head, "tree": tree})
        commit = {"message": message, "tree": made["sha"], "parents": [head]}
        made = self.calls.ask("POST", f"{git}/commits", commit)
        # To make a ref, never to move one: what somebody has pushed there stays.
        self.calls.ask("POST", f"{git}/refs", {"ref": f"refs/heads/{branch}", "sha": made["sha"]})
        return str(made["sha"])

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; 422 is what GitHub says of one that is not there."""
        try:
            self.calls.ask("DELETE", f"/repos/{self.repository}/git/refs/heads/{quote(branch)}")
        except HostError as error:
            if error.status not in (404, 422):
                raise

    def open_request(self, branch: str, title: str, body: str) -> str:
        """Open a pull request, and return its address."""
        opened = {"title": title, "head": branch, "base": self.branch, "body": body}
        return str(self.calls.ask("POST", self._pulls, opened).get("html_url") or "")

    def close_request(self, there: Request, body: str) -> None:
        """Close a pull request, with another body."""
        self.calls.ask("PATCH", f"{self._pulls}/{there.id}", {"body": body, "state": "closed"})

    def make_inert(self, text: str) -> str:
        """Return the text as it is: the report's Markdown has made mentions and links dead already."""
        return text

    @property
    def _pulls(self) -> str:
        return f"/repos/{self.repository}/pulls"

    @property
    def _issues(self) -> str:
        return f"/repos/{self.repository}/issues"

    @property
    def _pull_request(self) -> int:
        if self.number is None:
            raise UsageError("this run has no pull request", hint="comment in a workflow that `pull_request` starts")
        return self.number


def _read(one: dict[str, Any], key: str = "id") -> Entry:
    user = one.get("user")
    author = str(user.get("login") or "") if isinstance(user, dict) else ""
    return Entry(id=str(one.get(key)), author=author, body=one.get("body") or "", title=str(one.get("title") or ""))


def _read_request(one: dict[str, Any]) -> Request:
    entry, head = _read(one, "number"), one.get("head") or {}
    state: State = "merged" if one.get("merged_at") else "open" if one.get("state") == "open" else "closed"
    # A fork's branch of the same name is not the one that was made here.
    own = (head.get("repo") or {}).get("full_name") == ((one.get("base") or {}).get("repo") or {}).get("full_name")
    branch = str(head.get("ref") or "") if own else ""
    return Request(**dataclasses.asdict(entry), state=state, branch=branch, commit=str(head.get("sha") or ""))


def _content(edit: FileEdit) -> dict[str, Any]:
    # In a tree a null as its object takes the file out.
    return {"content": edit.text} if edit.text is not None else {"sha": None}
