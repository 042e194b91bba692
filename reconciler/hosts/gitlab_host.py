"""What is GitLab's own, at gitlab.com or a server of one's own."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.core.run import FileEdit
from reconciler.hosts.host import Dialect, Host, Request

_QUICK_ACTION = re.compile(r"^/", re.MULTILINE)


class GitLab(Host):
    """A project at GitLab; `path` is `/projects/ID`, and `number` a merge request's `iid`."""

    dialect = Dialect(
        proposal="merge request",
        longest_body=1_000_000,
        edit="PUT",
        author=("author", "username"),
        number="iid",
        body="description",
        open="opened",
        close={"state_event": "close"},
        notes="notes",
        comments="/merge_requests/{}/notes?sort=asc&order_by=created_at",
        comment="/merge_requests/{}/notes",
        requests="/merge_requests",
        of_branch="source_branch={branch}",
        of_commit="/repository/commits/{}/merge_requests",
        branches="/repository/branches",
    )

    def me(self, authors: Collection[str]) -> str:
        """Return the user name that the token belongs to; a project access token has a user of its own."""
        user = self.calls.ask("GET", "/user")
        return str(user.get("username") or "") if isinstance(user, dict) else ""

    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Make a branch with one commit on top of `head`: without `force`, GitLab refuses a branch that is there."""
        actions = [
            {"action": "delete", "file_path": one.path}
            if one.text is None
            else {"action": "create" if one.is_new else "update", "file_path": one.path, "content": one.text}
            for one in files
        ]
        commit = {"branch": branch, "start_sha": head, "commit_message": message, "actions": actions}
        return self.calls.ask_name("POST", f"{self.path}/repository/commits", commit, "id")

    def open_request(self, branch: str, title: str, body: str) -> None:
        """Open a merge request, whose branch goes when it is merged."""
        opened = {"source_branch": branch, "target_branch": self.branch, "title": title, "description": body}
        self.calls.ask("POST", f"{self.path}/merge_requests", {**opened, "remove_source_branch": True})

    def make_inert(self, text: str) -> str:
        """Return a text in which no line is a quick action: `/close` in a definition's text would close."""
        # A line of code may begin with `/`, but which lines are code is GitLab's own judgement, so none is left.
        return _QUICK_ACTION.sub("&#47;", text.replace("\r", ""))

    def _read_request(self, one: Mapping[str, Any]) -> Request:
        # A fork's branch of the same name is not the one that was made here.
        own = one.get("source_project_id") == one.get("target_project_id")
        said = str(one.get("state") or "")
        return Request(
            **self._read(one),
            state="open" if said == "opened" else "merged" if said == "merged" else "closed",
            branch=str(one.get("source_branch") or "") if own else "",
            into=str(one.get("target_branch") or ""),
            commit=str(one.get("sha") or ""),
        )
