"""What is specific to GitHub, including GitHub Enterprise servers."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from reconciler.core.run import FileEdit
from reconciler.hosts.host import Host, Request, get_group, read_name
from reconciler.hosts.host_client import Tolerate

# The account of the token in a workflow's job. Such a token may not ask which account it has.
BOT = "github-actions[bot]"


class GitHub(Host):
    """A repository at GitHub; `path` is `/repos/OWNER/NAME`."""

    proposal = "pull request"
    longest_body = 65_536
    edit_method = "PATCH"
    author_keys = ("user", "login")
    number_key = "number"
    body_key = "body"
    open_state = "open"
    close_body: ClassVar = {"state": "closed"}
    notes_path = "comments"
    comments_path = "/issues/{}/comments"
    comment_path = "/issues/comments"
    requests_path = "/pulls"
    branch_query = "head={owner}%3A{branch}"
    commit_path = "/commits/{}"
    branches_path = "/git/refs/heads"
    safe_in_branch = "/"

    def read_account(self, authors: Collection[str]) -> str:
        """Return the login that the token belongs to."""
        # GitHub answers this to the token of an app, which belongs to no user. A job's own token is one of these.
        with Tolerate(403, 404):
            return read_name(self.client.request("GET", "/user"), "login")
        # Only GraphQL tells an app its account. Ask only if the answer can change anything.
        if any(name.endswith("[bot]") and name != BOT for name in authors):
            with Tolerate(403, 404):
                return read_name(self.client.query_graphql("{ viewer { login } }").get("viewer"), "login")
        return BOT

    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Create a branch with one commit on top of `head`. GitHub makes the token's account its author."""
        git = f"{self.path}/git"
        # In a tree, null as the object removes the file.
        tree = [
            {"path": edit.path, "mode": edit.mode, "type": "blob"}
            | ({"content": edit.text} if edit.text is not None else {"sha": None})
            for edit in files
        ]
        root = self.client.create(f"{git}/trees", {"base_tree": head, "tree": tree}, "sha")
        commit = {"message": message, "tree": root, "parents": [head]}
        sha = self.client.create(f"{git}/commits", commit, "sha")
        # This only creates a ref and never moves one, so commits that somebody has pushed there stay.
        self.client.request("POST", f"{git}/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        return sha

    def open_request(self, branch: str, title: str, body: str) -> None:
        """Open a pull request."""
        request = {"title": title, "head": branch, "base": self.branch, "body": body}
        self.client.request("POST", f"{self.path}/pulls", request)

    def _read_request(self, item: Mapping[str, Any]) -> Request:
        head, base = get_group(item, "head"), get_group(item, "base")
        # A fork may have a branch with the same name.
        is_same_repository = get_group(head, "repo").get("full_name") == get_group(base, "repo").get("full_name")
        return Request(
            **self._read(item),
            state="merged" if item.get("merged_at") else "open" if item.get("state") == "open" else "closed",
            branch=str(head.get("ref") or "") if is_same_repository else "",
            into=str(base.get("ref") or ""),
            commit=str(head.get("sha") or ""),
        )
