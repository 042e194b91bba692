"""A small GitLab on this machine: one project over git's HTTP, and what the pipelines ask its API.

A line of a note or a description that GitLab would take for a quick action is kept in `obeyed`.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from code_host import REPOSITORY, Answer, CodeHost, Query, running_server, select_page

PROJECT = "7"
NOTES, RECORD = "project_7_bot_notes", "project_7_bot_record"
_QUICK_ACTION = re.compile(
    r"^/(?:merge|close|assign|approve|label|title|unlabel|reopen)\b.*", re.MULTILINE | re.IGNORECASE
)


@dataclass
class GitLab(CodeHost):
    """What the server holds. A token's permissions are what its role may; `user` is whose it is."""

    bot: str = RECORD
    obeyed: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the settings say, by the end of the address."""

    def respond(self, method: str, path: str, query: Query, body: Any, token: str) -> Answer | None:
        """Answer a request of the API; None where the path is none of its."""
        if token not in self.tokens:
            return 401, {"message": "401 Unauthorized"}
        user = self.tokens[token]["user"]
        if path == "/api/v4/user":
            return 200, {"username": user}
        if path == "/api/v4/personal_access_tokens/self":
            return 200, {"scopes": ["api"]}
        root = f"/api/v4/projects/{PROJECT}"
        below = path.removeprefix(root).removeprefix("/")
        if not path.startswith(root):
            return None
        self.calls.append((method, below, body))
        if method == "GET" and below in self.facts:
            return 200, self.facts[below]
        # GitLab drops every carriage return, and then looks at the beginnings of lines.
        for text in (body.get("body"), body.get("description")) if body else ():
            self.obeyed += _QUICK_ACTION.findall((text or "").replace("\r", ""))
        for pattern, permission, answer in (
            (r"merge_requests/(\d+)/notes(?:/(\d+))?", "notes", self._notes),
            (r"issues(?:/(\d+)(/notes)?)?", "issues", self._issues),
            (r"merge_requests(?:/(\d+))?", "contents", self._merge_requests),
            (r"repository/commits/([0-9a-f]+)/merge_requests", "contents", self._merged_by),
            (r"repository/(commits)", "contents", self._commit),
            (r"repository/branches/(.+)", "contents", self._branch),
        ):
            if match := re.fullmatch(pattern, below):
                if not self.may(token, permission, "read" if method == "GET" else "write"):
                    return 403, {"message": "403 Forbidden"}
                return answer(method, match, query, body, user)
        return None

    def _notes(self, method: str, match: re.Match[str], query: Query, body: Any, user: str) -> Answer:
        if method == "GET":
            comments = [comment for comment in self.comments if comment["on"] == int(match[1])]
            return 200, select_page([_show_entry(comment, "body") for comment in comments], query)
        if method == "POST":
            self.comments.append(self.new(body["body"], user, on=int(match[1])))
            return 201, _show_entry(self.comments[-1], "body")
        (note,) = (comment for comment in self.comments if comment["id"] == int(match[2]))
        if note["user"]["login"] != user:
            return 403, {"message": "403 Forbidden"}
        note |= body
        return 200, _show_entry(note, "body")

    def _issues(self, method: str, match: re.Match[str], query: Query, body: Any, user: str) -> Answer:
        if method == "GET":
            still = [_show_entry(issue, "description") for issue in self.issues if issue["state"] == "open"]
            return 200, select_page(still, query)
        if match[1] is None:
            self.issues.append(self.new(body["description"], user, title=body["title"]))
            return 201, _show_entry(self.issues[-1], "description")
        (issue,) = (issue for issue in self.issues if issue["number"] == int(match[1]))
        if match[2]:
            issue["body"] += f"\n---\n{body['body']}"
            return 201, {"body": body["body"]}
        return self._change(issue, body)

    def _merge_requests(self, method: str, match: re.Match[str], query: Query, body: Any, user: str) -> Answer:
        if method == "GET":
            states = ("open",) if query["state"][0] == "opened" else ("open", "closed")
            listed = self.list_requests(states, query["source_branch"][0] if "source_branch" in query else None)
            return 200, select_page([_show_request(pull) for pull in listed], query)
        if method == "POST":
            pull_created = self.request(
                body["source_branch"],
                body["target_branch"],
                body=body["description"],
                login=user,
                title=body["title"],
            )
            return 201, _show_request(pull_created)
        (pull,) = (pull for pull in self.pulls if pull["number"] == int(match[1]))
        return self._change(pull, body)

    def _change(self, entry: dict[str, Any], body: Any) -> Answer:
        entry["title"] = body.get("title", entry["title"])
        entry["body"] = body.get("description", entry["body"])
        if body.get("state_event") == "close":
            entry["state"] = "closed"
        return 200, {"iid": entry["number"], "state": entry["state"]}

    def _merged_by(self, method: str, match: re.Match[str], query: Query, body: Any, user: str) -> Answer:
        pulls = [_show_request(pull) for pull in self.pulls if match[1] in pull.get("commits", ())]
        return 200, select_page(pulls, query)

    def _commit(self, method: str, match: re.Match[str], query: Query, body: Any, user: str) -> Answer:
        ref = f"refs/heads/{body['branch']}"
        if self.git_command("for-each-ref", ref):
            return 400, {"message": f"A branch called '{body['branch']}' already exists."}
        files = [(action["file_path"], "100644", action.get("content")) for action in body["actions"]]
        tree = self.write_tree(body["start_sha"], files)
        commit = self.write_commit(tree, [body["start_sha"]], body["commit_message"])
        self.git_command("update-ref", ref, commit, "0" * 40)
        return 201, {"id": commit}

    def _branch(self, method: str, match: re.Match[str], query: Query, body: Any, user: str) -> Answer:
        self.git_command("update-ref", "-d", f"refs/heads/{unquote(match[1])}")
        return 204, None


def _show_entry(entry: dict[str, Any], text: str) -> dict[str, Any]:
    return {
        "id": entry["id"],
        "iid": entry["number"],
        "title": entry.get("title"),
        text: entry["body"],
        "author": {"username": entry["user"]["login"]},
        "system": False,
    }


def _show_request(pull: dict[str, Any]) -> dict[str, Any]:
    state = "merged" if pull["merged_at"] else {"open": "opened"}.get(pull["state"], pull["state"])
    return {
        **_show_entry(pull, "description"),
        "state": state,
        "source_branch": pull["head"]["ref"],
        "target_branch": pull["base"]["ref"],
        "source_project_id": int(PROJECT),
        "target_project_id": int(PROJECT),
        "sha": pull["head"]["sha"],
        "web_url": f"https://gitlab.test/{REPOSITORY}/-/merge_requests/{pull['number']}",
    }


@contextlib.contextmanager
def running_gitlab(folder: Path) -> Iterator[GitLab]:
    """Run the server, with an empty project."""
    gitlab = GitLab(folder)
    with running_server(gitlab):
        yield gitlab
