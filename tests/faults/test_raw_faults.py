"""What no proper server does: bytes that are no answer or half of one, before and after the sandbox has written."""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from fault_matrix import HALF, MOMENTS, PASSING, RETRIES, SENSELESS, SENSELESS_AFTERWARDS, WRITE, Moment, Ways
from fault_runs import check_settled, count_requests, next_run, reported_requests, repository, restart
from json_reports import as_report
from odd_server import OddServer, Reply, Request, build_response, gzip_bomb, hang_up, odd_server, raw_reply, reset
from projects import Project, kinds, outcomes
from servers import Sandbox

ENDLESS_HEADERS = b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 20_000
HALF_A_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{"id": '
OF_ANOTHER = build_response(200, b'{"id": "asst_a", "name": "Somebody else"}')
LATER: Ways = {"write": PASSING["write"]}


@dataclass(frozen=True)
class RawFault:
    """What goes over the wire in place of an answer; `afterwards`: the sandbox has carried the request out."""

    title: str
    reply: Reply
    ways: Ways
    kind: str
    afterwards: bool = False
    moments: tuple[Moment, ...] = MOMENTS


CUT: Ways = {**HALF, "write": SENSELESS["write"]}
FAULTS = (
    RawFault("closed", hang_up, PASSING, "network"),
    RawFault("reset", reset, PASSING, "network"),
    RawFault("half a head", raw_reply(b"HTTP/1.1 200 OK\r\nContent-Ty"), PASSING, "network"),
    RawFault("half a chunk", raw_reply(HALF_A_CHUNK), CUT, "protocol"),
    RawFault("not HTTP", raw_reply(b"SSH-2.0-OpenSSH_9\r\n\r\n"), SENSELESS, "protocol"),
    RawFault("endless headers", raw_reply(ENDLESS_HEADERS), SENSELESS, "protocol"),
    RawFault("too large", gzip_bomb(9), SENSELESS, "protocol"),
    RawFault(
        "not compressed", raw_reply(build_response(200, b"{}", {"Content-Encoding": "gzip"})), SENSELESS, "protocol"
    ),
    RawFault("nothing", raw_reply(build_response(204, b""), keep=True), SENSELESS, "protocol"),
    RawFault(
        "elsewhere", raw_reply(build_response(302, b"", {"Location": "/login"}), keep=True), SENSELESS, "protocol"
    ),
    RawFault("closed after", hang_up, LATER, "network", afterwards=True, moments=WRITE),
    RawFault("half a head after", raw_reply(b"HTTP/1.1 200 OK\r\n"), LATER, "network", afterwards=True, moments=WRITE),
    RawFault(
        "a chunk after", raw_reply(HALF_A_CHUNK), SENSELESS_AFTERWARDS, "protocol", afterwards=True, moments=WRITE
    ),
    RawFault(
        "not HTTP after", raw_reply(b"???\r\n\r\n"), SENSELESS_AFTERWARDS, "protocol", afterwards=True, moments=WRITE
    ),
    RawFault(
        "of another", raw_reply(OF_ANOTHER, keep=True), SENSELESS_AFTERWARDS, "protocol", afterwards=True, moments=WRITE
    ),
)
CELLS = {
    f"{fault.title}-{moment}-{'lasting' if lasting else 'once'}".replace(" ", "-"): (fault, moment, lasting)
    for fault in FAULTS
    for moment in fault.moments
    for lasting in (False, True)
}


def forward_reply(sandbox: Sandbox, reply: Reply | None = None) -> Reply:
    """Let the sandbox answer, and pass that on, or something else in its place."""
    address = urlsplit(sandbox.url).netloc

    def send(sock: socket.socket, request: Request) -> bool:
        headers = {name: value for name, value in request.headers if name in ("cookie", "content-type")}
        with contextlib.closing(http.client.HTTPConnection(address, timeout=30)) as connection:
            connection.request(request.method, request.path, request.body or None, headers)
            answer = connection.getresponse()
            whole = build_response(
                answer.status, answer.read(), {"Set-Cookie": answer.getheader("set-cookie") or "none=x"}
            )
        return (reply or raw_reply(whole, keep=True))(sock, request)

    return send


@contextlib.contextmanager
def server_with_fault(sandbox: Sandbox, fault: RawFault, moment: Moment, *, lasting: bool) -> Iterator[OddServer]:
    """Run a server before the sandbox that replies as the fault has it."""
    good = forward_reply(sandbox)
    bad = forward_reply(sandbox, fault.reply) if fault.afterwards else fault.reply
    request, number = {
        "login": ("POST /auth/login", 0),
        "reading": ("GET /assistants/asst_b", 0),
        "rereading": ("GET /assistants/asst_b", 1),
        "write": ("PATCH /assistants/asst_b", 0),
        "verify": ("GET /assistants/asst_b", 2),
    }[moment]
    with odd_server() as server:
        for method in ("GET", "PATCH", "POST"):
            server.on(f"{method} *", good)
        server.on(request, *[good] * number, bad, *([] if lasting else [good]))
        yield server


@pytest.mark.parametrize(("fault", "moment", "lasting"), CELLS.values(), ids=CELLS)
def test_a_fault_below_http_ends_as_the_matrix_says(
    project: Project, fault: RawFault, moment: Moment, lasting: bool, shared_sandbox: Sandbox
) -> None:
    repository(project)
    ends = fault.ways[moment][lasting]
    kind = None if ends.outcome == "applied" else fault.kind
    everybody = moment == "login" and ends.outcome == "failed"
    sandbox = restart(shared_sandbox)
    with server_with_fault(sandbox, fault, moment, lasting=lasting) as server:
        # Without a lag: how often a write that cannot be seen is looked for would depend on the machine.
        document = project.apply(server.url, retries=RETRIES, concurrency=1, lag=0)
        assert outcomes(document) == {"a": "failed" if everybody else "applied", "b": ends.outcome}
        assert kinds(document) == {"a": kind if everybody else None, "b": kind}
        assert as_report(document).has_failed == (ends.outcome != "applied")
        counted = {method: len(server.requests(method)) for method in ("POST", "GET", "PATCH")}
        assert (
            reported_requests(document)
            == {name: count for name, count in counted.items() if count}
            == count_requests(ends)
        )
        next_run(project, sandbox.url, document)
        check_settled(project, sandbox)
