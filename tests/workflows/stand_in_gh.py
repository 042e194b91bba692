"""A stand-in for `gh`: the one form of `gh api` that the workflows use, so that tests need no more than Python.

It sends the request to the address that it is given, with the token that `gh` would take for it.
"""

import os
import sys
import urllib.error
import urllib.request


def main(arguments: list[str]) -> int:
    command, _, method, *rest = arguments
    assert (command, arguments[1]) == ("api", "--method"), arguments
    body = sys.stdin.buffer.read() if rest[:2] == ["--input", "-"] else None
    token = os.environ["GH_ENTERPRISE_TOKEN"]
    request = urllib.request.Request(rest[-1], data=body, method=method, headers={"authorization": f"token {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as error:
        sys.stdout.buffer.write(error.read())
        sys.stderr.write(f"gh: HTTP {error.code}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
