"""A small GitHub on this machine: one private repository over git's HTTP, and what the workflows ask its API.

Every token may do what its job's `permissions` say, and nothing else.
"""

import base64
import contextlib
import itertools
import json
import os
import re
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from commands import WITHOUT_OUR_CONFIGURATION

BOT = "github-actions[bot]"
REPOSITORY = "northfield/assistants"
Answer = tuple[int, Any]


@dataclass
class Hub:
    """What the server holds. `calls` are the API's requests, as they came."""

    folder: Path
    url: str = ""
    tokens: dict[str, Mapping[str, str]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    patience: int | None = None
    """How many requests of git's are still answered, if not all."""
    before_push: Callable[[], None] = lambda: None
    """Called when a push begins, after whatever the one who pushes has looked at."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def git(self) -> Path:
        """The bare repository."""
        return self.folder / f"{REPOSITORY}.git"

    def token(self, permissions: Mapping[str, str]) -> str:
        """Give out a token for a job."""
        token = secrets.token_hex(16)
        self.tokens[token] = dict(permissions)
        return token

    def may(self, token: str, name: str, wanted: str) -> bool:
        """Tell whether a token allows something."""
        has = self.tokens.get(token, {}).get(name, "none")
        return has == "write" or has == wanted

    # --- the API

    def answer(self, method: str, path: str, query: Mapping[str, list[str]], body: Any, token: str) -> Answer:
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
            if found := re.fullmatch(pattern, path):
                names = permissions or ({"issues": "issues", "pulls": "pull-requests"}[found[1]],)
                if not any(self.may(token, name, "read" if method == "GET" else "write") for name in names):
                    return 403, {"message": "Resource not accessible by integration"}
                return respond(method, found, query, body)
        return 404, {"message": "Not Found"}

    def new(self, body: str, login: str = BOT, **rest: Any) -> dict[str, Any]:
        """Make an entry of somebody's."""
        number = next(self.numbers)
        return {"id": 1000 + number, "number": number, "user": {"login": login}, "body": body, "state": "open", **rest}

    def _comments(self, method: str, found: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Answer:
        if method == "GET":
            return 200, _page([one for one in self.comments if one["on"] == int(found[1])], query)
        self.comments.append(self.new(body["body"], on=int(found[1])))
        return 201, self.comments[-1]

    def _comment(self, method: str, found: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Answer:
        (comment,) = (one for one in self.comments if one["id"] == int(found[1]))
        comment |= body
        return 200, comment

    def _list(self, method: str, found: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Answer:
        entries = self.issues if found[1] == "issues" else self.pulls
        if method == "GET":
            self._close_what_lost_its_branch()
            there = [one for one in reversed(entries) if query["state"][0] in (one["state"], "all")]
            if head := query.get("head"):
                there = [one for one in there if one["head"]["ref"] == head[0].partition(":")[2]]
            return 200, _page(there, query)
        if found[1] == "pulls":
            repo = {"full_name": REPOSITORY}
            commit = self.git_command("rev-parse", f"refs/heads/{body['head']}")
            ends = {"head": {"ref": body["head"], "sha": commit}, "base": {"ref": body["base"]}}
            body = {**body, **{name: {**end, "repo": repo} for name, end in ends.items()}}
        entries.append({**self.new(body=body["body"], merged_at=None), **body})
        return 201, entries[-1]

    def git_command(self, *arguments: str, given: str = "", index: str = "") -> str:
        """What a git command prints in the bare repository."""
        environment = {**os.environ, **WITHOUT_OUR_CONFIGURATION, **({"GIT_INDEX_FILE": index} if index else {})}
        who = ("-c", f"user.name={BOT}", "-c", "user.email=bot@hub.test")
        done = subprocess.run(
            ["git", "-C", str(self.git), *who, *arguments],
            input=given,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def _merged_by(self, method: str, found: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Answer:
        return 200, _page([pull for pull in self.pulls if found[1] in pull.get("commits", ())], query)

    def _git_data(self, method: str, found: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Answer:
        if method == "DELETE":
            self.git_command("update-ref", "-d", f"refs/{found[2]}")
            return 204, None
        if found[1] == "refs":
            self.git_command("update-ref", body["ref"], body["sha"], "0" * 40)
            return 201, {"ref": body["ref"]}
        if found[1] == "commits":
            parents = [word for parent in body["parents"] for word in ("-p", parent)]
            return 201, {"sha": self.git_command("commit-tree", body["tree"], *parents, "-m", body["message"])}
        index = str(self.folder / f"index-{next(self.numbers)}")
        self.git_command("read-tree", body["base_tree"], index=index)
        for one in body["tree"]:
            if one.get("sha", "") is None:
                self.git_command("rm", "--cached", "--quiet", "--", one["path"], index=index)
                continue
            blob = self.git_command("hash-object", "-w", "--stdin", given=one["content"])
            self.git_command("update-index", "--add", "--cacheinfo", f"{one['mode']},{blob},{one['path']}", index=index)
        return 201, {"sha": self.git_command("write-tree", index=index)}

    def _close_what_lost_its_branch(self) -> None:
        there = self.git_command("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split()
        for pull in self.pulls:
            if pull["head"]["ref"] not in there:
                pull["state"] = "closed"

    def _one(self, method: str, found: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Answer:
        entries = self.issues if found[1] == "issues" else self.pulls
        (entry,) = (one for one in entries if one["number"] == int(found[2]))
        entry |= body
        return 200, entry

    def _run(self, method: str, found: re.Match[str], query: Mapping[str, list[str]], body: Any) -> Answer:
        run = self.runs.get(int(found[1]))
        return (200, run) if run else (404, {"message": "Not Found"})


def _page(entries: list[dict[str, Any]], query: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    size, page = int(query["per_page"][0]), int(query["page"][0])
    return entries[size * (page - 1) : size * page]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        body = b"".join(self._body())
        api = f"/api/v3/repos/{REPOSITORY}/"
        if address.path == "/api/v3/user":  # a job's token is nobody's who could be asked about
            self._send(403, {}, b'{"message": "Resource not accessible by integration"}')
            return
        if address.path.startswith(api):
            self._api(address.path.removeprefix(api), parse_qs(address.query), body)
        else:
            self._git(address.path, address.query, body)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _body(self) -> Iterator[bytes]:
        """Yield the body: as long as its length says, or chunk by chunk."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            yield self.rfile.read(int(self.headers.get("content-length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _api(self, path: str, query: Mapping[str, list[str]], body: bytes) -> None:
        token = self.headers.get("authorization", "").partition(" ")[2]
        status, answer = self.server.hub.answer(self.command, path, query, json.loads(body) if body else None, token)
        self._send(status, {"content-type": "application/json"}, json.dumps(answer).encode())

    def _git(self, path: str, query: str, body: bytes) -> None:
        """Git's own server behind a check of the token: a CGI script, as in git-http-backend(1)."""
        hub, writes = self.server.hub, "git-receive-pack" in path + query
        kind, _, given = self.headers.get("authorization", "").partition(" ")
        user, _, token = base64.b64decode(given).decode().partition(":") if kind.lower() == "basic" else ("", "", "")
        if hub.patience is not None:
            hub.patience -= 1
            if hub.patience < 0:
                self._send(503, {}, b"")
                return
        if writes and self.command == "GET":
            hub.before_push()
        if user != "x-access-token" or token not in hub.tokens:
            self._send(401, {"www-authenticate": 'Basic realm="hub"'}, b"")
            return
        if not hub.may(token, "contents", "write" if writes else "read"):
            self._send(403, {}, b"")
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(hub.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            **WITHOUT_OUR_CONFIGURATION,
            "PATH_INFO": path.replace(REPOSITORY, f"{REPOSITORY}.git", 1),
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "REMOTE_USER": BOT,
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._send(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """Run the server, with an empty repository."""
    hub = Hub(folder)
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(hub.git)], check=True)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.hub = hub
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
