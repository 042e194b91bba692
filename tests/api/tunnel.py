"""What a proxy does with CONNECT, for an odd server to stand in for one."""

import base64
import contextlib
import socket
import threading
from typing import Any

from odd_server import OddServer, Reply, Request, answer


def tunnel(to: OddServer, login: str = "") -> Reply:
    """What a proxy does with CONNECT: check who asks, dial, and pass bytes on in both directions."""
    wanted = [f"Basic {base64.b64encode(login.encode()).decode()}"] if login else []

    def send(sock: socket.socket, request: Request) -> bool:
        if request.header("proxy-authorization") != wanted:
            return answer(407, "", Proxy_Authenticate="Basic")(sock, request)
        address = ("127.0.0.1", int(to.origin.rpartition(":")[2]))
        with socket.create_connection(address) as far:
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(far, sock), daemon=True)
            back.start()
            pump(sock, far)
            back.join(1)
        return False

    return send


def pump(one: Any, other: Any) -> None:
    with contextlib.suppress(OSError):
        while content := one.recv(65536):
            other.sendall(content)
        other.shutdown(socket.SHUT_WR)
