"""The connection below a request: what no ASGI message can do to it, a fault does here.

It needs the sandbox's own server: the scope's `state` carries the connection's transport.
"""

import asyncio
import socket
import struct

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_TRANSPORT = "transport"
# On, and no time to wait: closing throws away what is unsent and sends RST (socket(7), SO_LINGER).
_NO_LINGER = struct.pack("ii", 1, 0)


class Protocol(H11Protocol):
    """uvicorn's protocol, which hands its transport to the requests that it brings."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Accept a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


async def reset(scope: Scope, receive: Receive) -> None:
    """Break the connection off with RST: the client sees it reset."""
    transport = _transport(scope)
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
    await until_gone(receive)


async def close(scope: Scope, receive: Receive) -> None:
    """Close the connection once all that was sent has left."""
    _transport(scope).close()
    await until_gone(receive)


def is_gone(scope: Scope) -> bool:
    """Tell whether the connection has ended."""
    return _transport(scope).is_closing()


async def until_gone(receive: Receive) -> None:
    """Wait for the connection's end, however long that takes; what still comes is not looked at."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    return transport
