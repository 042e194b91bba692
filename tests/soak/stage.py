"""What one schedule happens on: a repository, a sandbox over TCP, and the command, run in this process."""

import collections
import contextlib
import io
import json
import os
import subprocess
import threading
import time
import unittest.mock
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.cli.boundary import run_guarded
from reconciler.cli.main import reconciler
from reconciler.sandbox.accounts import ADMIN, COOKIE, PASSWORD, Sessions
from reconciler.sandbox.app import build_app
from reconciler.sandbox.fault_rules import parse_rule
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.seed import complete_assistant
from reconciler.sandbox.server import Server, listen
from reconciler.sandbox.settings import BASE_PATH, Settings
from reconciler.sandbox.store import LOCAL_PREFIX, Store
from soak.fleet import Leaves, flatten
from soak.proxy import HOST

OPTIONS = ("--concurrency", "8", "--format", "json", "--allow-insecure-http")
PATIENCE = 30  # seconds until requests that a client gave up have ended


class Api:
    """The sandbox while it runs: its URL, its two stores, and the faults that can be taken away."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.url = ""
        self._store = store
        self._settings = settings
        self._sessions = Sessions()
        self._faults = Faults((), store, self._sessions, 0)
        self._app: ASGIApp = build_app(store, self._sessions, settings, self._faults)
        self._in_flight = 0
        self._renewing = 0
        self._tokens: collections.deque[str] = collections.deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        self._in_flight += 1
        try:
            await self._app(scope, receive, self._renew(send) if self._renewing else send)
        finally:
            self._in_flight -= 1

    def _renew(self, send: Send) -> Send:
        """Return what brings a new token with each good answer; only so many of the last ones live."""

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                self._tokens.append(self._sessions.log_in(ADMIN))
                while len(self._tokens) > self._renewing:
                    self._sessions.revoke(self._tokens.popleft())
                cookie = f"{COOKIE}={self._tokens[-1]}; Path=/; HttpOnly; Secure"
                message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode())]
            await send(message)

        return sending

    def rehearse(self, rules: Sequence[str], seed: int, *, renewing: int = 0) -> None:
        """From now on let these faults happen, and no others; `renewing` is how many of the last tokens live."""
        self._renewing = renewing
        self._faults = Faults([parse_rule(rule) for rule in rules], self._store, self._sessions, seed)
        self._app = build_app(self._store, self._sessions, self._settings, self._faults)

    def hits(self) -> list[int]:
        """Return how often each rule has hit."""
        return [tally.hit_count for tally in self._faults.tallies]

    def calm(self) -> None:
        """Wait until nothing is in flight: a write may land after its client has given up."""
        until = time.monotonic() + PATIENCE
        while self._in_flight:
            if time.monotonic() > until:
                raise TimeoutError("requests are still in flight")
            time.sleep(0.01)

    def provider(self, id_: str) -> Leaves:
        """Return what the provider holds of an assistant."""
        return flatten(self._store.copy("provider", id_) or {})

    def database(self, id_: str) -> Leaves:
        """Return what the local database holds of it."""
        return flatten(self._store.copy("database", id_) or {})

    def put_back(self, id_: str, field: str, value: Any) -> None:
        """Set one field in both stores, as somebody would in the dashboard."""
        with self._store.lock:
            self._store.write("provider", {**(self._store.copy("provider", id_) or {}), field: value})
            self._store.write("database", {**(self._store.copy("database", id_) or {}), field: value})


@contextlib.contextmanager
def running_api(live: Mapping[str, Mapping[str, Any]], settings: Settings) -> Iterator[Api]:
    """Run a sandbox that holds these assistants, by their ids, on a free port."""
    with contextlib.closing(Store()) as store, listen("127.0.0.1", 0) as listener:
        store.fill(complete_assistant(id_, fields) for id_, fields in live.items())
        api = Api(store, settings)
        api.url = f"http://127.0.0.1:{listener.getsockname()[1]}{BASE_PATH}"
        started = threading.Event()
        server = Server(api, started.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            if not started.wait(PATIENCE):
                raise TimeoutError("the sandbox did not start")
            yield api
        finally:
            server.should_exit = True
            thread.join()


class Repository:
    """A git repository with definitions, and the command run in it."""

    def __init__(self, root: Path, url: str) -> None:
        (root / "assistants").mkdir(parents=True)
        self.root = root
        self._environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "RECONCILER_API_URL": url,
            "RECONCILER_EMAIL": ADMIN.email,
            "RECONCILER_PASSWORD": PASSWORD,
        }
        (root / "reconciler.yaml").write_text("record: true\n", "utf-8")
        self.git("init", "--quiet")

    def go_through(self, proxy: str) -> None:
        """From now on reach the API through a proxy, by a name that only that knows."""
        url = urlsplit(self._environment["RECONCILER_API_URL"])
        self._environment |= {"RECONCILER_API_URL": f"http://{HOST}{url.path}", "HTTP_PROXY": proxy}

    def git(self, *arguments: str) -> str:
        """Return what a git command prints."""
        person = ("-c", "user.name=Soak", "-c", "user.email=soak@example.com", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(self.root), *person, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=self._environment).stdout

    def commit(self, definitions: Mapping[str, Mapping[str, Any]]) -> None:
        """Write definitions, by their keys, and commit them. JSON is YAML."""
        for key, fields in definitions.items():
            text = json.dumps(fields, ensure_ascii=False, indent=2) + "\n"
            (self.root / "assistants" / f"{key}.yaml").write_text(text, "utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "Edited")

    def apply(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run `apply`; return its exit code and its report. Raises AssertionError where it crashes or says nothing."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            unittest.mock.patch.dict(os.environ, self._environment, clear=True),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            contextlib.chdir(self.root),
        ):
            code = run_guarded(reconciler, ["apply", "--yes", *OPTIONS, *arguments])
        messages = stderr.getvalue()
        if "Traceback" in messages or "bug in reconciler" in messages or not stdout.getvalue():
            raise AssertionError(f"apply {' '.join(arguments)} ended with {code}: {messages}")
        report: dict[str, Any] = json.loads(stdout.getvalue())
        return code, report


def local_id(id_: str) -> str:
    """Return an assistant's other id, the local database's."""
    return LOCAL_PREFIX + id_
