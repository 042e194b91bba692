"""What is specific to GitLab, on gitlab.com or on another server."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from reconciler.core.run import FileEdit
from reconciler.errors import HostError
from reconciler.hosts.host import Host, Request, get_group, read_name

_QUICK_ACTION = re.compile(r"^/", re.MULTILINE)


class GitLab(Host):
    """A project at GitLab; `path` is `/projects/ID`, and `number` a merge request's `iid`."""

    proposal = "merge request"
    longest_body = 1_000_000
    edit_method = "PUT"
    author_keys = ("author", "username")
    number_key = "iid"
    body_key = "description"
    open_state = "opened"
    close_body: ClassVar = {"state_event": "close"}
    notes_path = "notes"
    comments_path = "/merge_requests/{}/notes?sort=asc&order_by=created_at"
    comment_path = "/merge_requests/{}/notes"
    requests_path = "/merge_requests"
    branch_query = "source_branch={branch}"
    commit_path = "/repository/commits/{}"
    branches_path = "/repository/branches"

    def read_account(self, authors: Collection[str]) -> str:
        """Return the user name that the token belongs to; a project access token has its own user."""
        return read_name(self.client.request("GET", "/user"), "username")

    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Create a branch with one commit on top of `head`. GitLab refuses to do so if the branch exists."""
        actions = [
            {"action": "delete", "file_path": edit.path}
            if edit.text is None
            else {"action": "create" if edit.is_new else "update", "file_path": edit.path, "content": edit.text}
            for edit in files
        ]
        commit = {"branch": branch, "start_sha": head, "commit_message": message, "actions": actions}
        return self.client.create(f"{self.path}/repository/commits", commit, "id")

    def open_request(self, branch: str, title: str, body: str) -> None:
        """Open a merge request. Merging it deletes the branch."""
        request = {"source_branch": branch, "target_branch": self.branch, "title": title, "description": body}
        self.client.request("POST", f"{self.path}/merge_requests", {**request, "remove_source_branch": True})

    def list_inherited_variables(self, project: str) -> list[dict[str, Any]]:
        """Return the CI variables that a project has of its groups, without their values. Raises HostError."""
        # REST lists them group by group, and only for members of each.
        wanted = "nodes { key protected environment_scope: environmentScope } pageInfo { hasNextPage }"
        query = f"{{ project(fullPath: {json.dumps(project)}) {{ inheritedCiVariables {{ {wanted} }} }} }}"
        group = get_group(get_group(self.client.query_graphql(query), "project"), "inheritedCiVariables")
        if not isinstance(group.get("nodes"), list) or get_group(group, "pageInfo").get("hasNextPage"):
            raise HostError("GitLab does not list all variables that the project has of its groups")
        return [node for node in group["nodes"] if isinstance(node, dict)]

    def make_inert(self, text: str) -> str:
        """Return a text without quick actions: a line `/close` from a definition would close the request."""
        # Lines of code may begin with `/`, but GitLab decides which lines are code, so change all of them.
        return _QUICK_ACTION.sub("&#47;", text.replace("\r", ""))

    def _read_request(self, item: Mapping[str, Any]) -> Request:
        # A fork may have a branch with the same name.
        is_same_project = item.get("source_project_id") == item.get("target_project_id")
        state = str(item.get("state") or "")
        return Request(
            **self._read(item),
            state="open" if state == "opened" else "merged" if state == "merged" else "closed",
            branch=str(item.get("source_branch") or "") if is_same_project else "",
            into=str(item.get("target_branch") or ""),
            commit=str(item.get("sha") or ""),
        )
