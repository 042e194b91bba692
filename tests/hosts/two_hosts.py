"""GitHub and GitLab as far as their references say: tokens, pages, lengths, authors; one server that is both."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

GITHUB, GITLAB = "/api/v3", "/api/v4"
TOKEN = "sup3r-s3cret-token"
BOT = "github-actions[bot]"


@dataclass
class Hosts:
    """What the server holds: comments and issues, whichever host they are of. `failing` answers come first."""

    url: str = ""
    user: str | None = None
    page: int = 100
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    failing: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[Any] = field(default_factory=list)
    hook: tuple[int, Any, dict[str, str]] = (200, "ok", {})
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Any] = field(default_factory=dict)
    refusing: int = 0  # the status with which a new request is answered

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was written, without the bodies."""
        return [(method, path) for method, path, _ in self.calls if method != "GET"]

    def add(self, kind: str, body: str, author: str = BOT, **rest: Any) -> dict[str, Any]:
        """Make an entry as somebody wrote it."""
        entries: list[dict[str, Any]] = getattr(self, kind)
        number = 100 * (kind == "issues") + len(entries) + 1
        entries.append({"id": number, "body": body, "author": author, "state": "open", **rest})
        return entries[-1]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any, dict[str, str]]:
        """Answer one request of one who may do it."""
        if path == "/api/graphql":
            return 200, {"data": {"viewer": {"login": self.user}, "project": self.facts.get("project")}}, {}
        if path in (f"{GITHUB}/user", f"{GITLAB}/user") and path not in self.facts:
            if self.user is None or self.user.endswith("[bot]"):
                return 403, {"message": "Resource not accessible by integration"}, {}
            return 200, {"login": self.user, "username": self.user}, {}
        fact = self.facts.get(path)
        if isinstance(fact, int):
            return fact, {"message": "Not today"}, {}
        if isinstance(fact, list) or (isinstance(fact, dict) and "total_count" in fact):
            return 200, *_turn_page(fact, query)
        if path in self.facts:
            return (200, self.facts[path], {}) if self.facts[path] else (403, {"message": "Forbidden"}, {})
        gitlab = path.startswith(GITLAB)
        if method == "POST" and path.endswith(("/pulls", "/merge_requests")) and (status := self._refuse_request(body)):
            return status, {"message": "another already exists" if status == 409 else "may not open requests"}, {}
        result = (self._gitlab_git if gitlab else self._github_git)(method, path, query, body)
        if result is not None:
            return *result, {}
        match = re.fullmatch(
            r"/api/v4/projects/north%2Ffield/(?:merge_requests/7/(notes)|(issues))(?:/(\d+))?(/notes)?"
            if gitlab
            else r"/api/v3/repos/north/field/issues(?:/7/(comments)|()/?(?:comments/)?(\d+)?)?(/comments)?",
            path,
        )
        if match is None:
            return 404, {"message": "404 Project Not Found" if gitlab else "Not Found"}, {}
        is_comment = bool(match[1]) or (not gitlab and "/issues/comments/" in path)
        return self._entries(method, "comments" if is_comment else "issues", match, query, body, gitlab=gitlab)

    def _refuse_request(self, body: dict[str, Any]) -> int:
        """The status with which a new request is refused, if it is: a branch has one open request at most."""
        branch = body.get("head") or body.get("source_branch")
        return self.refusing or 409 * bool(self.list_requests(("open",), [str(branch)]))

    def _gitlab_git(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any] | None:
        """Commits, branches and merge requests at GitLab."""
        project = f"{GITLAB}/projects/north%2Ffield"
        if path == f"{project}/repository/commits":
            if body["branch"] in self.branches:
                return 400, {"message": f"A branch called '{body['branch']}' already exists."}
            name = self.commit(body["branch"], body["start_sha"], body["actions"])
            self.commits[name] = body["commit_message"]
            return 201, {"id": name}
        if path.startswith(f"{project}/repository/commits/"):
            found = self.branches.get(unquote(path.rpartition("/")[2]))
            return (200, {"id": found, "message": self.commits.get(found, "Mine")}) if found else None
        if path.startswith(f"{project}/repository/branches/"):
            deleted = self.branches.pop(unquote(path.rpartition("/")[2]), None)
            return (204, None) if deleted else (404, {"message": "404 Branch Not Found"})
        if path == f"{project}/merge_requests" and method == "POST":
            request = self.request(body["source_branch"], body["target_branch"], body["title"], body["description"])
            return 201, self.show_request(request, gitlab=True)
        if path == f"{project}/merge_requests":
            states = {"opened": ("open",)}.get(query["state"][0], ("open", "closed", "merged"))
            return 200, self.list_requests(states, query.get("source_branch"), gitlab=True)
        if match := re.fullmatch(rf"{project}/merge_requests/(\d+)", path):
            request = self.requests[int(match[1]) - 1]
            request |= {"body": body["description"], "state": "closed"}
            return 200, self.show_request(request, gitlab=True)
        return None

    def _github_git(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any] | None:
        """Trees, commits, refs and pull requests at GitHub."""
        repository = f"{GITHUB}/repos/north/field"
        if path.startswith(f"{repository}/commits/"):
            name = self.branches.get(path.removeprefix(f"{repository}/commits/"))
            found = {"sha": name, "commit": {"message": self.commits.get(str(name), "Mine")}}
            return (200, found) if name else (422, {"message": f"No commit found for SHA: {path.split('/')[-2]}"})
        if path == f"{repository}/git/trees":
            self.commits["tree"] = body
            return 201, {"sha": "tree"}
        if path == f"{repository}/git/commits":
            self.commits |= {"commit": body, "made": body["message"]}
            return 201, {"sha": "made"}
        if path == f"{repository}/git/refs":
            branch = body["ref"].removeprefix("refs/heads/")
            if branch in self.branches:
                return 422, {"message": "Reference already exists"}
            head, files = self.commits["commit"]["parents"][0], self.commits["tree"]["tree"]
            return 201, {"ref": self.commit(branch, head, files, body["sha"])}
        if path.startswith(f"{repository}/git/refs/heads/"):
            deleted = self.branches.pop(path.removeprefix(f"{repository}/git/refs/heads/"), None)
            return (204, None) if deleted else (422, {"message": "Reference does not exist"})
        if path == f"{repository}/pulls" and method == "POST":
            return 201, self.show_request(self.request(body["head"], body["base"], body["title"], body["body"]))
        if path == f"{repository}/pulls":
            states = ("open",) if query["state"][0] == "open" else ("open", "closed", "merged")
            branch = [query["head"][0].partition(":")[2]] if "head" in query else None
            return 200, self.list_requests(states, branch)
        if match := re.fullmatch(rf"{repository}/pulls/(\d+)", path):
            request = self.requests[int(match[1]) - 1]
            request |= {"body": body["body"], "state": body["state"]}
            return 200, self.show_request(request)
        return None

    def commit(self, branch: str, head: str, files: Any, name: str = "") -> str:
        """Make a branch with one commit."""
        self.branches[branch] = name or f"{len(self.branches) + 1:040x}"
        self.commits[branch] = (head, files)
        return self.branches[branch]

    def request(self, branch: str, target: str, title: str, body: str, author: str = "") -> dict[str, Any]:
        """Open a request as somebody does."""
        number = len(self.requests) + 1
        request = {"number": number, "branch": branch, "target": target, "title": title, "body": body, "state": "open"}
        self.requests.append({**request, "author": author or self.user or BOT})
        return self.requests[-1]

    def list_requests(self, states: tuple[str, ...], branch: list[str] | None, *, gitlab: bool = False) -> list[Any]:
        found = [
            request for request in self.requests if request["state"] in states and branch in (None, [request["branch"]])
        ]
        return [self.show_request(one, gitlab=gitlab) for one in found]

    def show_request(self, one: dict[str, Any], *, gitlab: bool = False) -> dict[str, Any]:
        """A request as a host shows it."""
        commit = self.branches.get(one["branch"], "gone")
        if gitlab:
            state = {"open": "opened"}.get(one["state"], one["state"])
            places = {"source_branch": one["branch"], "source_project_id": 1, "target_project_id": 1, "sha": commit}
            more = {"description": one["body"], "web_url": f"https://gitlab.test/{one['number']}", "state": state}
            return {"iid": one["number"], "author": {"username": one["author"]}, **places, **more}
        repository = {"full_name": "north/field"}
        return {
            "number": one["number"],
            "user": {"login": one["author"]},
            "body": one["body"],
            "html_url": f"https://github.test/{one['number']}",
            "state": "open" if one["state"] == "open" else "closed",
            "merged_at": "2026-01-01T00:00:00Z" if one["state"] == "merged" else None,
            "head": {"ref": one["branch"], "sha": commit, "repo": repository},
            "base": {"ref": one["target"], "repo": repository},
        }

    def _entries(
        self, method: str, kind: str, match: re.Match[str], query: dict[str, list[str]], body: Any, *, gitlab: bool
    ) -> tuple[int, Any, dict[str, str]]:
        entries: list[dict[str, Any]] = getattr(self, kind)
        if method == "GET":
            listed = [entry for entry in entries if entry["state"] == "open"]
            start = (int(query["page"][0]) - 1) * self.page
            more = start + self.page < len(listed)
            link = {"x-next-page": "2" if more else ""} if gitlab else {"link": '<x>; rel="next"'} if more else {}
            return 200, [_shown(entry, gitlab=gitlab) for entry in listed[start : start + self.page]], link
        text = body.get("body") or body.get("description") or ""
        if len(text.encode("utf-16-le")) // 2 > (1_000_000 if gitlab else 65_536):
            return 422, {"message": "body is too long"}, {}
        author = self.user or BOT
        if method == "POST":
            if match[4]:  # a word on an issue
                entry = next(entry for entry in entries if str(entry["id"]) == match[3])
                entry.setdefault("said", []).append(text)
            else:
                entry = self.add(kind, text, author, **({"title": body["title"]} if "title" in body else {}))
            return 201, _shown(entry, gitlab=gitlab), {}
        entry = next(entry for entry in entries if str(entry["id"]) == match[3])
        if entry["author"] != author:
            return 403, {"message": "403 Forbidden"}, {}
        entry |= {"body": text or entry["body"], "title": body.get("title", entry.get("title"))}
        if body.get("state") == "closed" or body.get("state_event") == "close":
            entry["state"] = "closed"
        return 200, _shown(entry, gitlab=gitlab), {}


def _turn_page(fact: Any, query: dict[str, list[str]]) -> tuple[Any, dict[str, str]]:
    """One page of a list, or of the list in an object at GitHub, which shows 30 variables at most."""
    page, size = (int(query.get(name, [default])[0]) for name, default in (("page", "1"), ("per_page", "20")))
    if isinstance(fact, list):
        more = {"x-next-page": str(page + 1) if page * size < len(fact) else ""}
        return fact[(page - 1) * size : page * size], more
    ((key, entries),) = [(key, value) for key, value in fact.items() if key != "total_count"]
    link = {"link": '<x>; rel="next"'} if page * 30 < len(entries) else {}
    return {**fact, key: entries[(page - 1) * 30 : page * 30]}, link


def _shown(entry: dict[str, Any], *, gitlab: bool) -> dict[str, Any]:
    if gitlab:
        text = {"body": entry["body"], "description": entry["body"]}
        more = {"title": entry.get("title"), "system": entry.get("system", False)}
        return {"id": entry["id"], "iid": entry["id"], "author": {"username": entry["author"]}, **text, **more}
    more = {key: entry[key] for key in ("title", "pull_request") if key in entry}
    return {
        "id": entry["id"],
        "number": entry["id"],
        "user": {"login": entry["author"]},
        "body": entry["body"],
        **more,
    }


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(content) if content else None
        hosts = self.server.hosts
        hosts.calls.append((self.command, address.path, body))
        token = self.headers.get("private-token") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if address.path == "/hook":
            hosts.hooks.append(body)
            status, answer, headers = hosts.hook
        elif hosts.failing:
            status, answer, headers = hosts.failing.pop(0)
        elif token != TOKEN:
            status, answer, headers = 401, {"message": f"Bad credentials {token}"}, {}
        else:
            status, answer, headers = hosts.answer(self.command, address.path, parse_qs(address.query), body)
        sent = json.dumps(answer).encode() if answer is not None else b""
        self.send_response_only(status)
        for name, value in {**headers, "content-length": str(len(sent))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server's names


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hosts: Hosts


@contextlib.contextmanager
def running_hosts() -> Iterator[Hosts]:
    """Run the server for a while."""
    hosts = Hosts()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.hosts = hosts
        hosts.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield hosts
        finally:
            server.shutdown()
            thread.join()
