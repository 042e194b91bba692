"""A small GitHub on this machine: one private repository over git's HTTP, and what the workflows ask its API.

Every token may do what its job's `permissions` say, and nothing else.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from code_host import REPOSITORY, Answer, CodeHost, Query, running_server, select_page

BOT = "github-actions[bot]"
_DENIED = {"message": "Resource not accessible by integration"}


@dataclass
class Hub(CodeHost):
    """What the server holds."""

    bot: str = BOT

    def respond(self, method: str, path: str, query: Query, body: Any, token: str) -> Answer | None:
        """Answer a request of the API; None where the path is none of its."""
        if path == "/api/v3/user":  # a job's token is nobody's who could be asked about
            return 403, _DENIED
        api = f"/api/v3/repos/{REPOSITORY}/"
        return self.answer(method, path.removeprefix(api), query, body, token) if path.startswith(api) else None

    def answer(self, method: str, path: str, query: Query, body: Any, token: str) -> Answer:
        """Answer one request below the repository's address."""
        self.calls.append((method, path, body))
        for pattern, permissions, respond in (
            (r"issues/(\d+)/comments", ("issues", "pull-requests"), self._comments),
            (r"issues/comments/(\d+)", ("issues", "pull-requests"), self._comment),
            (r"(issues|pulls)", None, self._list),
            (r"(issues|pulls)/(\d+)", None, self._one),
            (r"actions/runs/(\d+)", ("actions",), self._run),
            (r"commits/(.+)/pulls", ("pull-requests", "contents"), self._merged_by),
            (r"git/(trees|commits|refs)(?:/(.+))?", ("contents",), self._git_data),
        ):
            if match := re.fullmatch(pattern, path):
                names = permissions or ({"issues": "issues", "pulls": "pull-requests"}[match[1]],)
                if not any(self.may(token, name, "read" if method == "GET" else "write") for name in names):
                    return 403, _DENIED
                return respond(method, match, query, body)
        return 404, {"message": "Not Found"}

    def _comments(self, method: str, match: re.Match[str], query: Query, body: Any) -> Answer:
        if method == "GET":
            return 200, select_page([comment for comment in self.comments if comment["on"] == int(match[1])], query)
        self.comments.append(self.new(body["body"], on=int(match[1])))
        return 201, self.comments[-1]

    def _comment(self, method: str, match: re.Match[str], query: Query, body: Any) -> Answer:
        (comment,) = (comment for comment in self.comments if comment["id"] == int(match[1]))
        comment |= body
        return 200, comment

    def _list(self, method: str, match: re.Match[str], query: Query, body: Any) -> Answer:
        pulls = match[1] == "pulls"
        if method == "GET":
            states = ("open", "closed") if query["state"][0] == "all" else (query["state"][0],)
            branch = query["head"][0].partition(":")[2] if "head" in query else None
            issues = [issue for issue in reversed(self.issues) if issue["state"] in states]
            return 200, select_page(self.list_requests(states, branch) if pulls else issues, query)
        if pulls:
            return 201, self.request(body["head"], body["base"], body=body["body"], title=body["title"])
        self.issues.append({**self.new(body=body["body"]), **body})
        return 201, self.issues[-1]

    def _merged_by(self, method: str, match: re.Match[str], query: Query, body: Any) -> Answer:
        return 200, select_page([pull for pull in self.pulls if match[1] in pull.get("commits", ())], query)

    def _git_data(self, method: str, match: re.Match[str], query: Query, body: Any) -> Answer:
        if method == "DELETE":
            self.git_command("update-ref", "-d", f"refs/{match[2]}")
            return 204, None
        if match[1] == "refs":
            self.git_command("update-ref", body["ref"], body["sha"], "0" * 40)
            return 201, {"ref": body["ref"]}
        if match[1] == "commits":
            return 201, {"sha": self.write_commit(body["tree"], body["parents"], body["message"])}
        files = [(one["path"], one["mode"], one.get("content")) for one in body["tree"]]
        return 201, {"sha": self.write_tree(body["base_tree"], files)}

    def _one(self, method: str, match: re.Match[str], query: Query, body: Any) -> Answer:
        entries = self.issues if match[1] == "issues" else self.pulls
        (entry,) = (entry for entry in entries if entry["number"] == int(match[2]))
        entry |= body
        return 200, entry

    def _run(self, method: str, match: re.Match[str], query: Query, body: Any) -> Answer:
        run = self.runs.get(int(match[1]))
        return (200, run) if run else (404, {"message": "Not Found"})


@contextlib.contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """Run the server, with an empty repository."""
    hub = Hub(folder)
    with running_server(hub):
        yield hub
