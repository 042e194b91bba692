"""A stand-in for `gh`: the one form of `gh api` that the workflows use, so that tests need no more than Python.

It sends the request to the address that it is given, with the token that `gh` would take for it. It is started often,
so it imports next to nothing: a request of HTTP/1.0 is a few lines, and its answer ends with the connection.
"""

import os
import socket
import sys


def main(arguments: list[str]) -> int:
    command, _, method, *rest = arguments
    assert (command, arguments[1]) == ("api", "--method"), arguments
    body = sys.stdin.buffer.read() if rest[:2] == ["--input", "-"] else b""
    host, _, path = rest[-1].removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    token = os.environ["GH_ENTERPRISE_TOKEN"]
    headers = f"host: {host}\r\nauthorization: token {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection((name, int(port))) as connection, connection.makefile("rb") as answer:
        connection.sendall(f"{method} /{path} HTTP/1.0\r\n{headers}".encode() + body)
        status = int(answer.readline().split()[1])
        while answer.readline().strip():
            pass  # the answer's headers
        sys.stdout.buffer.write(answer.read())
    if status >= 400:
        sys.stderr.write(f"gh: HTTP {status}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
