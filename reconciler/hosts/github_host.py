"""What is GitHub's own, or a GitHub Enterprise server's."""

import contextlib
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.core.run import FileEdit
from reconciler.errors import HostError
from reconciler.hosts.host import Dialect, Host, Request, take_group

# The account that the token of a workflow's job writes as; such a token may not ask who it is.
BOT = "github-actions[bot]"


class GitHub(Host):
    """A repository at GitHub; `path` is `/repos/OWNER/NAME`."""

    dialect = Dialect(
        proposal="pull request",
        longest_body=65_536,
        edit="PATCH",
        author=("user", "login"),
        number="number",
        body="body",
        open="open",
        close={"state": "closed"},
        notes="comments",
        comments="/issues/{}/comments",
        comment="/issues/comments",
        requests="/pulls",
        of_branch="head={owner}%3A{branch}",
        of_commit="/commits/{}/pulls",
        branches="/git/refs/heads",
        in_name="/",
    )

    def me(self, authors: Collection[str]) -> str:
        """Return the login that the token belongs to."""
        try:
            return _read_login(self.calls.ask("GET", "/user"))
        except HostError as error:
            # GitHub says so to the token of an app, which belongs to no user. A job's own token is one of them.
            if error.status not in (403, 404):
                raise
        if any(name.endswith("[bot]") and name != BOT for name in authors):
            # GraphQL alone tells an app who it is. It is a POST, so it is not sent where it could change nothing.
            with contextlib.suppress(HostError):
                return _read_login(self.calls.ask_graphql("{ viewer { login } }").get("viewer"))
        return BOT

    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Make a branch with one commit on top of `head`; GitHub writes its name under the commit."""
        git = f"{self.path}/git"
        # In a tree a null as its object takes the file out.
        tree = [
            {"path": one.path, "mode": one.mode, "type": "blob"}
            | ({"content": one.text} if one.text is not None else {"sha": None})
            for one in files
        ]
        root = self.calls.ask_name("POST", f"{git}/trees", {"base_tree": head, "tree": tree}, "sha")
        commit = {"message": message, "tree": root, "parents": [head]}
        made = self.calls.ask_name("POST", f"{git}/commits", commit, "sha")
        # To make a ref, never to move one: what somebody has pushed there stays.
        self.calls.ask("POST", f"{git}/refs", {"ref": f"refs/heads/{branch}", "sha": made})
        return made

    def open_request(self, branch: str, title: str, body: str) -> None:
        """Open a pull request."""
        opened = {"title": title, "head": branch, "base": self.branch, "body": body}
        self.calls.ask("POST", f"{self.path}/pulls", opened)

    def _read_request(self, one: Mapping[str, Any]) -> Request:
        head, base = take_group(one, "head"), take_group(one, "base")
        # A fork's branch of the same name is not the one that was made here.
        own = take_group(head, "repo").get("full_name") == take_group(base, "repo").get("full_name")
        return Request(
            **self._read(one),
            state="merged" if one.get("merged_at") else "open" if one.get("state") == "open" else "closed",
            branch=str(head.get("ref") or "") if own else "",
            into=str(base.get("ref") or ""),
            commit=str(head.get("sha") or ""),
        )


def _read_login(user: Any) -> str:
    return str(user.get("login") or BOT) if isinstance(user, dict) else BOT
