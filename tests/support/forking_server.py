"""The process that `forking` starts: our modules loaded, and a child for every command that is asked for.

Who asks sends, over a socket, the three streams that the command gets and then its words, folder and environment. The
answer is the command's process id, and its exit code when it has ended.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

import reconciler
from reconciler.cli import main
from reconciler.files.settings_check import check_settings

NOT_OURS = ("deepdiff", "filelock", "httpx", "yaml")
"""What commands load only where they need it."""


def serve(listener: socket.socket, patience: int) -> None:
    """Answer until stdin ends, which it does with the process that started this one."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    asking: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listener, ended, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        if ended in ready:
            os.read(ended, 4096)
            _tell_who_has_ended(asking)
        if listener in ready:
            connection, _ = listener.accept()
            message, streams = _read(connection)
            child = os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for other in (listener, connection, *asking.values()):
                    other.close()
                _run(message, streams, patience)
            for stream in streams:
                os.close(stream)
            asking[child] = connection
            _tell(connection, child)


def _read(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Read the streams, and then the message to its end."""
    begin, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as rest:
        message: dict[str, Any] = json.loads(begin + rest.read())
    return message, streams


def _tell_who_has_ended(asking: dict[int, socket.socket]) -> None:
    while asking:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        with asking.pop(child) as connection:
            _tell(connection, os.waitstatus_to_exitcode(status))


def _tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # who asked is gone
        connection.sendall(b"%d\n" % number)


def _run(message: dict[str, Any], streams: list[int], patience: int) -> NoReturn:
    """Be the command, from its environment to its exit code."""
    os.chdir(message["cwd"])
    os.environ.clear()
    os.environ.update(message["env"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.argv = ["reconciler", *message["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(patience)
    code = 1
    try:
        main.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    ours = (module.name for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."))
    for name in (*NOT_OURS, *(name for name in ours if name != "reconciler.__main__")):
        importlib.import_module(name)
    check_settings({})  # makes the model, which every command with a reconciler.yaml would make anew
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen(64)
        os.write(1, b"listening\n")
        serve(listening, int(sys.argv[2]))
