"""Starts the sandbox as a real HTTP server, and stops it. Prints nothing."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Callable, Mapping

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.errors import SandboxError
from reconciler.sandbox.accounts import create_sessions
from reconciler.sandbox.app import build_app
from reconciler.sandbox.faults import Faults, Tally
from reconciler.sandbox.responses import TRANSPORT
from reconciler.sandbox.seed import read_seed
from reconciler.sandbox.settings import BASE_PATH, Settings
from reconciler.sandbox.store import Store


class _Protocol(H11Protocol):
    """uvicorn's protocol, which also gives its transport to each request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class Server(uvicorn.Server):
    """uvicorn for the sandbox. It calls `started` once connections are accepted."""

    def __init__(self, app: ASGIApp, started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                # Longer than clients keep an idle connection, so that none of them uses one that is just being closed.
                timeout_keep_alive=60,
                # A request that hangs must not keep the sandbox from stopping.
                timeout_graceful_shutdown=1,
            )
        )
        self._call_when_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then call `started`."""
        await super().startup(sockets=sockets)
        self._call_when_started()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket on a loopback address; port 0 takes a free one. Raises SandboxError if that fails."""
    address = "127.0.0.1" if host == "localhost" else host
    ip = None
    with contextlib.suppress(ValueError):
        ip = ipaddress.ip_address(address)
    # Anybody who reaches the sandbox can log in, so it must not be reachable from the network.
    if ip is None or not ip.is_loopback:
        hint = "use --host 127.0.0.1, ::1 or localhost"
        raise SandboxError(f"The sandbox listens on loopback only, and {host!r} is not a loopback address", hint=hint)
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    # asyncio disables Nagle's algorithm only if the socket names its protocol. Otherwise, an answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        # Listen now, not when the server starts: with SO_REUSEADDR, two sandboxes could bind the same port.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        hint = "stop the program that uses the port, or choose another with --port (0: a free one)"
        raise SandboxError(f"The sandbox cannot listen on {host}, port {port}: {error.strerror}", hint=hint) from error
    return listener


def serve(
    settings: Settings,
    environment: Mapping[str, str],
    announce: Callable[[str, int], None],
    log: Callable[[str], None] | None = None,
) -> list[Tally]:
    """Run a sandbox until SIGINT or SIGTERM stops it, and return the counters of its fault rules.

    `announce` is called with the base URL and the number of assistants once connections are accepted, and `log` with a
    line for every request to the API. `environment` may contain the user's own account. Raises SandboxError if the
    sandbox cannot start.
    """
    seeds = read_seed(settings.seed) if settings.seed else []
    # Open the store last, so that a failed start leaves no file behind.
    with listen(settings.host, settings.port) as listener, contextlib.closing(Store(settings.store)) as store:
        store.fill(seeds)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{listener.getsockname()[1]}{BASE_PATH}"
        sessions = create_sessions(environment)
        faults = Faults(settings.faults, store, sessions, settings.fault_seed, log)
        app = build_app(store, sessions, settings, faults)
        server = Server(app, lambda: announce(url, len(store.read_all())))
        # uvicorn raises the signal again after it has stopped. Ignore that, so that the exit code is 0.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: None)
        server.run(sockets=[listener])
    return faults.tallies
