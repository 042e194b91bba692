"""What a small GitHub and a small GitLab have in common: one private repository over git's HTTP, an API, and tokens.

Every token may do what it was given out for, and nothing else.
"""

import base64
import contextlib
import itertools
import json
import os
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

REPOSITORY = "northfield/assistants"
Answer = tuple[int, Any]
Query = Mapping[str, list[str]]


@dataclass
class CodeHost:
    """What the server holds, as GitHub's API shows it: `pulls` are the pull requests or merge requests.

    `calls` are the API's requests, as they came.
    """

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
    moved_to: str = ""
    """Where git is sent that has shown a token."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    bot: str = ""
    """Who writes with a pipeline's token."""

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

    def respond(self, method: str, path: str, query: Query, body: Any, token: str) -> Answer | None:
        """Answer a request of the API; None where the path is none of its."""
        raise NotImplementedError

    def new(self, body: str, login: str = "", **rest: Any) -> dict[str, Any]:
        """Make an entry of somebody's."""
        number = next(self.numbers)
        user = {"login": login or self.bot}
        return {"id": 1000 + number, "number": number, "user": user, "body": body, "state": "open", **rest}

    def request(self, branch: str, target: str, **rest: Any) -> dict[str, Any]:
        """Make a request to merge one branch into another."""
        repo = {"full_name": REPOSITORY}
        head = {"ref": branch, "sha": self.git_command("rev-parse", f"refs/heads/{branch}"), "repo": repo}
        self.pulls.append({**self.new(**rest), "merged_at": None, "head": head, "base": {"ref": target, "repo": repo}})
        return self.pulls[-1]

    def list_requests(self, states: tuple[str, ...], branch: str | None) -> list[dict[str, Any]]:
        """The requests in some states, the newest first; one whose branch is gone is closed."""
        branches = self.git_command("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split()
        for pull in self.pulls:
            if pull["head"]["ref"] not in branches:
                pull["state"] = "closed"
        return [
            pull for pull in reversed(self.pulls) if pull["state"] in states and branch in (None, pull["head"]["ref"])
        ]

    # --- in git

    def git_command(self, *arguments: str, given: str = "", index: str = "") -> str:
        """What a git command prints in the bare repository."""
        environment = {**os.environ, **WITHOUT_OUR_CONFIGURATION, **({"GIT_INDEX_FILE": index} if index else {})}
        who = ("-c", f"user.name={self.bot}", "-c", "user.email=bot@hub.test")
        result = subprocess.run(
            ["git", "-C", str(self.git), *who, *arguments],
            input=given,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return result.stdout.strip()

    def write_tree(self, base: str, files: list[tuple[str, str, str | None]]) -> str:
        """Make a tree of another one and of files: path, mode, and text, None where it is to go."""
        index = str(self.folder / f"index-{next(self.numbers)}")
        self.git_command("read-tree", base, index=index)
        for path, mode, text in files:
            if text is None:
                self.git_command("rm", "--cached", "--quiet", "--", path, index=index)
                continue
            blob = self.git_command("hash-object", "-w", "--stdin", given=text)
            self.git_command("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}", index=index)
        return self.git_command("write-tree", index=index)

    def write_commit(self, tree: str, parents: list[str], message: str) -> str:
        """Make a commit, without a ref."""
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git_command("commit-tree", tree, *words, "-m", message)


def select_page(entries: list[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
    """The part of a list that a request asks for."""
    size, page = int(query["per_page"][0]), int(query["page"][0])
    return entries[size * (page - 1) : size * page]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    host: CodeHost


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        body = b"".join(self._body())
        if address.path.startswith("/api/"):
            self._api(address.path, parse_qs(address.query), body)
        else:
            self._git(address.path, address.query, body)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server's names

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
        token = self.headers.get("private-token") or self.headers.get("authorization", "").partition(" ")[2]
        answered = self.server.host.respond(self.command, path, query, json.loads(body) if body else None, token)
        status, answer = answered or (404, {"message": "Not Found"})
        self._send(status, {"content-type": "application/json"}, b"" if status == 204 else json.dumps(answer).encode())

    def _git(self, path: str, query: str, body: bytes) -> None:
        """Git's own server behind a check of the token: a CGI script, as in git-http-backend(1)."""
        host, writes = self.server.host, "git-receive-pack" in path + query
        kind, _, given = self.headers.get("authorization", "").partition(" ")
        _, _, token = base64.b64decode(given).decode().partition(":") if kind.lower() == "basic" else ("", "", "")
        if host.patience is not None:
            host.patience -= 1
            if host.patience < 0:
                self._send(503, {}, b"")
                return
        if writes and self.command == "GET":
            host.before_push()
        if token not in host.tokens:
            self._send(401, {"www-authenticate": 'Basic realm="host"'}, b"")
            return
        if host.moved_to:
            self._send(301, {"location": f"{host.moved_to}{self.path}"}, b"")
            return
        if not host.may(token, "contents", "write" if writes else "read"):
            self._send(403, {}, b"")
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(host.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            **WITHOUT_OUR_CONFIGURATION,
            "PATH_INFO": path.replace(f"/{REPOSITORY}/", f"/{REPOSITORY}.git/", 1),
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "REMOTE_USER": host.bot,
            "REMOTE_ADDR": "127.0.0.1",
        }
        result = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=True
        )
        head, _, content = result.stdout.partition(b"\r\n\r\n")
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
def running_server(host: CodeHost) -> Iterator[None]:
    """Run the server, with an empty repository."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(host.git)], check=True)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.host = host
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
