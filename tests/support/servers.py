"""The sandbox over TCP, for tests: a real server in a thread, and doors that its API does not have."""

import collections
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import httpx
from leaks import PASSWORD, WatchedSessions
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox.accounts import ADMIN
from reconciler.sandbox.app import build_app
from reconciler.sandbox.fault_rules import parse_rule
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.seed import complete_assistant, now
from reconciler.sandbox.server import Server, listen
from reconciler.sandbox.settings import BASE_PATH, Settings
from reconciler.sandbox.store import LOCAL_PREFIX, STORES, Store, StoreName

Request = tuple[str, str, Any]


class Recorder:
    """An ASGI wrapper that writes down every request to the API before the API sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[Request] = []
        self.connections: set[tuple[str, int]] = set()
        self.before: Callable[[str, str, Any], None] | None = None
        self.most_in_flight = 0
        self.in_flight = 0

    def stand_before(self, app: ASGIApp) -> None:
        """Wrap another application from now on."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if not path.startswith(f"{BASE_PATH}/"):
            await self._app(scope, receive, send)
            return
        received: list[Message] = [await receive()]
        while received[-1].get("more_body"):
            received.append(await receive())
        body = _json_or_none(b"".join(message.get("body", b"") for message in received))
        request = (scope["method"], path.removeprefix(BASE_PATH), body)
        self.requests.append(request)
        self.connections.add(scope["client"])
        if self.before:
            self.before(*request)
        replay = iter(received)

        async def receive_again() -> Message:
            return next(replay, None) or await receive()

        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._app(scope, receive_again, send)
        finally:
            self.in_flight -= 1


class Sandbox:
    """A running sandbox. Ids may be the provider's or, as in the API, the local database's.

    `requests` holds (method, path below the base URL, JSON body or None) of each API request, as they came.
    """

    admin = (ADMIN.email, PASSWORD)

    def __init__(
        self,
        url: str,
        store: Store,
        sessions: WatchedSessions,
        settings: Settings,
        recorder: Recorder,
        faults: Faults,
    ) -> None:
        self.url = url
        self._faults = faults
        self._settings = settings
        self._store = store
        self._sessions = sessions
        self._recorder = recorder

    @contextlib.contextmanager
    def client(self, email: str = ADMIN.email) -> Iterator[httpx.Client]:
        """Give a plain HTTP client that has logged in with one of the fixed accounts."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as client:
            answer = client.post("/auth/login", json={"email": email, "password": PASSWORD})
            client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
            yield client

    @property
    def requests(self) -> list[Request]:
        """A copy of what was requested so far."""
        return list(self._recorder.requests)

    @property
    def calls(self) -> dict[str, int]:
        """How often each method was used."""
        return dict(collections.Counter(method for method, _, _ in self.requests))

    @property
    def patches(self) -> list[Any]:
        """The bodies of all PATCH requests."""
        return [body for method, _, body in self.requests if method == "PATCH"]

    @property
    def posts(self) -> list[Any]:
        """The bodies of all requests to create an assistant."""
        return [body for method, path, body in self.requests if (method, path) == ("POST", "/assistants")]

    @property
    def connections(self) -> int:
        """How many connections brought requests."""
        return len(self._recorder.connections)

    @property
    def most_in_flight(self) -> int:
        """How many requests there were at once, at most."""
        return self._recorder.most_in_flight

    @property
    def in_flight(self) -> int:
        """How many requests there are right now."""
        return self._recorder.in_flight

    @property
    def hits(self) -> list[int]:
        """How often each fault rule hit, in the order that they were given in."""
        return [tally.hit_count for tally in self._faults.tallies]

    def rehearse(self, *faults: str) -> None:
        """From now on let these faults happen, and no others; `mend` is the other word for none."""
        self._faults = Faults([parse_rule(rule) for rule in faults], self._store, self._sessions, 0)
        self._recorder.stand_before(build_app(self._store, self._sessions, self._settings, self._faults))

    def mend(self) -> None:
        """Let no fault happen any more."""
        self.rehearse()

    def forget_requests(self) -> None:
        """Start counting anew."""
        self._recorder.requests.clear()
        self._recorder.connections.clear()
        self._recorder.most_in_flight = 0

    def before_each(self, call: Callable[[str, str, Any], None] | None) -> None:
        """Call something with (method, path, body) before the API sees a request: an edit in between, say."""
        self._recorder.before = call

    def live(self, assistant_id: str) -> dict[str, Any]:
        """The local database's copy, which GET answers."""
        return self._copy("database", assistant_id)

    def provider(self, assistant_id: str) -> dict[str, Any]:
        """The provider's copy."""
        return self._copy("provider", assistant_id)

    def edit(self, assistant_id: str, **fields: Any) -> None:
        """A dashboard edit: sets top-level fields in both copies, whatever the API thinks of them."""
        with self._store.lock:
            for store in STORES:
                before = self._copy(store, assistant_id)
                self._store.write(store, {**before, "updatedAt": now(after=before["updatedAt"]), **fields})

    def put(self, assistant: Mapping[str, Any]) -> None:
        """Store an assistant with any fields; `id` is needed, the API's other own fields are filled in."""
        stored = complete_assistant(assistant["id"].removeprefix(LOCAL_PREFIX), assistant)
        with self._store.lock:
            self._store.write("provider", stored)
            self._store.write("database", stored)

    def expire_tokens(self) -> None:
        """Make every token that was given out invalid."""
        self._sessions.expire()

    def _copy(self, store: StoreName, assistant_id: str) -> dict[str, Any]:
        assistant = self._store.copy(store, self._store.find(assistant_id) or assistant_id)
        if assistant is None:
            raise KeyError(assistant_id)
        return assistant


@contextlib.contextmanager
def running_sandbox(
    seed: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    nested: Literal["merge", "replace"] = "merge",
    strict: bool = False,
    listing: bool = False,
    latency_ms: int = 0,
    faults: Sequence[str] = (),
    fault_seed: int = 0,
) -> Iterator[Sandbox]:
    """Run a sandbox on a free port; `seed` maps an id to the assistant's fields, which may be any.

    `faults` are rules as `--fault` takes them (docs/sandbox.md).
    """
    settings = Settings(nested=nested, strict=strict, listing=listing, latency_ms=latency_ms)
    sessions = WatchedSessions()
    rules = [parse_rule(rule) for rule in faults]
    with contextlib.closing(Store()) as store, listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{BASE_PATH}"
        injected = Faults(rules, store, sessions, fault_seed)
        recorder = Recorder(build_app(store, sessions, settings, injected))
        sandbox = Sandbox(url, store, sessions, settings, recorder, injected)
        store.fill(complete_assistant(key.removeprefix(LOCAL_PREFIX), fields) for key, fields in (seed or {}).items())
        started = threading.Event()
        server = Server(recorder, started.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            if not started.wait(30):
                raise TimeoutError("the sandbox did not start")
            yield sandbox
        finally:
            server.should_exit = True
            thread.join()


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
