"""GitHub and GitLab as far as their references say: tokens, pages, lengths, authors; one server that is both."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

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
        if path in (f"{GITHUB}/user", f"{GITLAB}/user"):
            if self.user is None:
                return 403, {"message": "Resource not accessible by integration"}, {}
            return 200, {"login": self.user, "username": self.user}, {}
        if path in self.facts:
            return (200, self.facts[path], {}) if self.facts[path] else (403, {"message": "Forbidden"}, {})
        gitlab = path.startswith(GITLAB)
        found = re.fullmatch(
            r"/api/v4/projects/north%2Ffield/(?:merge_requests/7/(notes)|(issues))(?:/(\d+))?(/notes)?"
            if gitlab
            else r"/api/v3/repos/north/field/issues(?:/7/(comments)|()/?(?:comments/)?(\d+)?)?(/comments)?",
            path,
        )
        if found is None:
            return 404, {"message": "404 Project Not Found" if gitlab else "Not Found"}, {}
        is_comment = bool(found[1]) or (not gitlab and "/issues/comments/" in path)
        return self._entries(method, "comments" if is_comment else "issues", found, query, body, gitlab=gitlab)

    def _entries(
        self, method: str, kind: str, found: re.Match[str], query: dict[str, list[str]], body: Any, *, gitlab: bool
    ) -> tuple[int, Any, dict[str, str]]:
        entries: list[dict[str, Any]] = getattr(self, kind)
        if method == "GET":
            listed = [one for one in entries if one["state"] == "open"]
            start = (int(query["page"][0]) - 1) * self.page
            more = start + self.page < len(listed)
            link = {"x-next-page": "2" if more else ""} if gitlab else {"link": '<x>; rel="next"'} if more else {}
            return 200, [_shown(one, gitlab=gitlab) for one in listed[start : start + self.page]], link
        text = body.get("body") or body.get("description") or ""
        if len(text.encode("utf-16-le")) // 2 > (1_000_000 if gitlab else 65_536):
            return 422, {"message": "body is too long"}, {}
        author = self.user or BOT
        if method == "POST":
            if found[4]:  # a word on an issue
                entry = next(one for one in entries if str(one["id"]) == found[3])
                entry.setdefault("said", []).append(text)
            else:
                entry = self.add(kind, text, author, **({"title": body["title"]} if "title" in body else {}))
            return 201, _shown(entry, gitlab=gitlab), {}
        entry = next(one for one in entries if str(one["id"]) == found[3])
        if entry["author"] != author:
            return 403, {"message": "403 Forbidden"}, {}
        entry |= {"body": text or entry["body"], "title": body.get("title", entry.get("title"))}
        if body.get("state") == "closed" or body.get("state_event") == "close":
            entry["state"] = "closed"
        return 200, _shown(entry, gitlab=gitlab), {}


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
        given = self.headers.get("private-token") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if hosts.failing:
            status, answer, headers = hosts.failing.pop(0)
        elif given != TOKEN:
            status, answer, headers = 401, {"message": f"Bad credentials {given}"}, {}
        else:
            status, answer, headers = hosts.answer(self.command, address.path, parse_qs(address.query), body)
        sent = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(sent))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - http.server's names


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
