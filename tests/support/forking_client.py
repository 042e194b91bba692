"""Asks the process of `forking` for a command. To a script it is that command, and starts often: it imports little."""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def ask(
    address: str, arguments: Sequence[str], cwd: str, env: Mapping[str, str], streams: Sequence[int]
) -> socket.socket:
    """Ask for a command with these three streams; the answer is a line with its process id, then one with its code."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    message = json.dumps({"arguments": list(arguments), "cwd": cwd, "env": dict(env)}).encode()
    socket.send_fds(connection, [message[:1]], streams)
    connection.sendall(message[1:])
    connection.shutdown(socket.SHUT_WR)
    return connection


def stand_in(address: str) -> "NoReturn":
    """Be the command: with its words, its streams, the signals that it gets, and its end."""
    folder = os.getcwd()  # noqa: PTH109 - pathlib would take longer than all the rest
    connection = ask(address, sys.argv[1:], folder, os.environ, (0, 1, 2))
    answer = connection.makefile()
    command = int(answer.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: os.kill(command, got))
    code = int(answer.readline())
    if code < 0:  # a signal ended it
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
