"""One project at GitLab, at gitlab.com or a server of one's own."""

import dataclasses
import re
from typing import Any
from urllib.parse import quote

from reconciler.core.edits import FileEdit
from reconciler.errors import HostError, UsageError
from reconciler.hosts.calls import Calls
from reconciler.hosts.host import Entry, Request

_QUICK_ACTION = re.compile(r"^/", re.MULTILINE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GitLab:
    """A `Host` (`reconciler.hosts.host`). `number` is the merge request's `iid`, None in a run that is about none."""

    calls: Calls
    project: str
    number: int | None
    run_url: str = ""
    commit: str = ""
    branch: str = ""
    longest_body: int = 1_000_000
    proposal: str = "merge request"

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

    def requests(self, branch: str | None) -> list[Request]:
        """Return the merge requests of a branch, open or not; without one, all open ones."""
        query = f"state=all&source_branch={quote(branch, safe='')}" if branch is not None else "state=opened"
        found = self.calls.list_all(f"/projects/{self.project}/merge_requests?{query}")
        return [one for one in map(_read_request, found) if branch in (None, one.branch)]

    def find_merged(self, commit: str) -> list[Request]:
        """Return the merge requests that brought a commit into the branch of this pipeline."""
        found = self.calls.list_all(f"/projects/{self.project}/repository/commits/{commit}/merge_requests")
        merged = [one for one in found if one.get("target_branch") == self.branch]
        return [one for one in map(_read_request, merged) if one.state == "merged"]

    def about(self, request: Request) -> "GitLab":
        """Return the host as a pipeline of this merge request has it."""
        return dataclasses.replace(self, number=int(request.id))

    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Make a branch with one commit on top of `head`: without `force`, GitLab refuses a branch that is there."""
        commit = {
            "branch": branch,
            "start_sha": head,
            "commit_message": message,
            "actions": [_act(one) for one in files],
        }
        made = self.calls.ask("POST", f"/projects/{self.project}/repository/commits", commit)
        return str(made["id"])

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; that it is gone already is no failure."""
        try:
            self.calls.ask("DELETE", f"/projects/{self.project}/repository/branches/{quote(branch, safe='')}")
        except HostError as error:
            if error.status != 404:
                raise

    def open_request(self, branch: str, title: str, body: str) -> str:
        """Open a merge request, whose branch goes when it is merged, and return its address."""
        opened = {
            "source_branch": branch,
            "target_branch": self.branch,
            "title": title,
            "description": body,
            "remove_source_branch": True,
        }
        made = self.calls.ask("POST", f"/projects/{self.project}/merge_requests", opened)
        return str(made.get("web_url") or "")

    def close_request(self, there: Request, body: str) -> None:
        """Close a merge request, with another description."""
        path = f"/projects/{self.project}/merge_requests/{there.id}"
        self.calls.ask("PUT", path, {"description": body, "state_event": "close"})

    def make_inert(self, text: str) -> str:
        """Return a text in which no line is a quick action: `/close` in a definition's text would close.

        GitLab drops each carriage return, and then takes a line that begins with `/`, but in code. Which lines are
        code is its own judgement, so none is left here; a report's lines of code have two characters before the text.
        """
        return _QUICK_ACTION.sub("&#47;", text.replace("\r", ""))

    @property
    def _issues(self) -> str:
        return f"/projects/{self.project}/issues"

    @property
    def _merge_request(self) -> str:
        if self.number is None:
            raise UsageError("this pipeline has no merge request", hint="comment in a merge request's pipeline")
        return f"/projects/{self.project}/merge_requests/{self.number}"


def _read(one: dict[str, Any], key: str, body: str) -> Entry:
    author = one.get("author")
    name = str(author.get("username") or "") if isinstance(author, dict) else ""
    return Entry(id=str(one.get(key)), author=name, body=one.get(body) or "", title=str(one.get("title") or ""))


def _read_request(one: dict[str, Any]) -> Request:
    # A fork's branch of the same name is not the one that was made here.
    own = one.get("source_project_id") == one.get("target_project_id")
    said = str(one.get("state") or "")
    return Request(
        **dataclasses.asdict(_read(one, "iid", "description")),
        state="open" if said == "opened" else "merged" if said == "merged" else "closed",
        branch=str(one.get("source_branch") or "") if own else "",
        commit=str(one.get("sha") or ""),
    )


def _act(edit: FileEdit) -> dict[str, Any]:
    if edit.text is None:
        return {"action": "delete", "file_path": edit.path}
    return {"action": "create" if edit.is_new else "update", "file_path": edit.path, "content": edit.text}
