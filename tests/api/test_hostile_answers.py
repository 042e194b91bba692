"""An API that means harm, down to its bytes: an error, soon, in little memory, and never a traceback."""

import contextlib
import gzip
import io
import itertools
import json
import os
import socket
import unittest.mock
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bounded import WORK, measure_work, run_bounded
from depth import every_third, examples
from hypothesis import given, settings, strategies as st
from odd_server import (
    OddServer,
    Reply,
    Request,
    answer,
    build_response,
    drip,
    gzip_bomb,
    hang_up,
    odd_server,
    raw_reply,
    reset,
    silence,
)
from trees import list_paths

from reconciler.api.body import MAX_BODY
from reconciler.cli.boundary import run_guarded
from reconciler.cli.main import reconciler

TOKEN = "hush-token-1"
DEFINITION = """\
id: asst_1
name: New
firstMessage: Hello
firstMessageMode: null
model: {provider: openai, model: gpt-4o, temperature: 0.5}
voice: {voiceId: alloy}
endCallPhrases: [bye, done]
metadata: {team: a, more: {b: [1, 2]}}
maxDurationSeconds: 600
"""
LIVE: dict[str, Any] = {
    "id": "asst_1",
    "orgId": "org_1",
    "createdAt": "2024-01-01T00:00:00Z",
    "updatedAt": "2024-01-02T00:00:00Z",
    "name": "Old",
    "firstMessage": None,
    "firstMessageMode": "assistant-speaks-first",
    "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.7, "messages": [{"role": "system"}]},
    "voice": {"provider": "openai", "voiceId": "echo"},
    "endCallPhrases": ["done", "bye"],
    "metadata": {"team": "b"},
    "maxDurationSeconds": 1800,
    "tools": [],
}
ODD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.integers(10**300, 10**310),
        st.text(max_size=12),
        st.sampled_from(["\x1b[31m", "\ud800", "::error::x", "<script>", "|`*", "a\n" * 40, "asst_2", "", "x" * 3000]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
COMMANDS = [
    ["plan", "--format", "json"],
    ["plan", "-v"],
    ["apply", "--yes", "--format", "markdown"],
    ["drift", "--format", "github"],
    ["pull"],
    ["import", "asst_1", "--directory", "new", "--force"],
    ["whoami"],
]
OFTEN = settings(max_examples=examples(150))


@pytest.fixture(scope="module")
def server() -> Iterator[OddServer]:
    with odd_server() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for name in ("assistants", "new"):
        (folder / name).mkdir()
    return folder


def run_in_process(server: OddServer, folder: Path, arguments: list[str]) -> str:
    """What a command shows, run in this process; it never crashes, and is soon done."""
    (folder / "assistants" / "a.yaml").write_text(DEFINITION, "utf-8")
    variables = {"RECONCILER_API_URL": server.url, "RECONCILER_AUTH_TOKEN": TOKEN, "PATH": os.environ["PATH"]}
    out, err = io.StringIO(), io.StringIO()
    with (
        unittest.mock.patch.dict(os.environ, variables, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(folder),
    ):
        options = ["--retries", "0", "--timeout", "0.2"]
        _, work = measure_work(lambda: run_guarded(reconciler, [*arguments, *options]))
    assert "bug in reconciler" not in err.getvalue(), err.getvalue()
    assert work < WORK
    output = out.getvalue() + err.getvalue()
    assert TOKEN not in output
    assert not [char for char in output if char != "\n" and not char.isprintable() and ord(char) < 0xA0]
    return output


@st.composite
def assistants(draw: st.DrawFn) -> Any:
    """An assistant in which some values are of any type."""
    live = json.loads(json.dumps(LIVE))
    paths = [path for path in list_paths(LIVE) if path and all(isinstance(key, str) for key in path)]
    for path in draw(st.lists(st.sampled_from(paths), min_size=1, max_size=3)):
        around = live
        for key in path[:-1]:
            around = around.get(key) if isinstance(around, dict) else None
        if isinstance(around, dict):
            around[path[-1]] = draw(ODD)
    return live


def answer_json(value: Any) -> Reply:
    return answer(200, json.dumps(value, allow_nan=True))


@OFTEN
@given(st.one_of(assistants(), ODD), st.one_of(assistants(), ODD), st.sampled_from(COMMANDS))
def test_values_of_any_type(server: OddServer, folder: Path, got: Any, after: Any, command: list[str]) -> None:
    server.on("GET *", answer_json(got), answer_json(got), answer_json(after))
    server.on("PATCH *", answer_json(after))
    run_in_process(server, folder, command)


@OFTEN
@given(
    st.integers(100, 599),
    st.one_of(st.binary(max_size=80), ODD.map(lambda value: json.dumps({"error": value}).encode())),
    st.sampled_from(COMMANDS),
)
def test_any_status_and_bytes(server: OddServer, folder: Path, status: int, body: bytes, command: list[str]) -> None:
    reply = raw_reply(build_response(status, body))
    server.on("GET *", answer_json(LIVE), answer_json(LIVE), reply) if status % 2 else server.on("GET *", reply)
    server.on("PATCH *", reply)
    run_in_process(server, folder, command)


@OFTEN
@given(
    st.one_of(
        st.binary(max_size=80),
        st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail),
        st.binary(max_size=40).map(lambda tail: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + tail),
        st.binary(max_size=40).map(
            lambda tail: b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:10] + tail
        ),
        st.text("0123456789abcdefx;-\r\n", max_size=30).map(
            lambda tail: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + tail.encode()
        ),
        st.text("0123456789-+., GMTx:", max_size=20).map(
            lambda wait: f"HTTP/1.1 301 No\r\nRetry-After: {wait}\r\nLocation: //{wait}\r\n\r\n".encode()
        ),
    ),
    st.sampled_from(COMMANDS),
)
def test_any_bytes_in_place_of_http(server: OddServer, folder: Path, content: bytes, command: list[str]) -> None:
    server.on("GET *", raw_reply(content))
    server.on("PATCH *", raw_reply(content))
    run_in_process(server, folder, command)


@OFTEN
@given(st.text(max_size=40), ODD)
def test_any_answer_to_a_login(server: OddServer, folder: Path, cookie: str, body: Any) -> None:
    header = cookie.encode("latin-1", "replace").decode("latin-1").translate({10: None, 13: None})
    server.on("POST /auth/login", answer(200, json.dumps({"user": body}), Set_Cookie=f"auth-token={header}"))
    server.on("GET *", answer_json(LIVE))
    variables = {"RECONCILER_EMAIL": "anna@example.edu", "RECONCILER_PASSWORD": "hush hush"}
    with unittest.mock.patch.dict(os.environ, variables):
        assert "hush hush" not in run_in_process(server, folder, ["plan"])


def moving_assistant(begin: bytes, end: bytes = b"}") -> Reply:
    """An assistant of which a field moves after the second reading: nobody waits for it to show what was written."""
    count = itertools.count(2)

    def send(sock: socket.socket, request: Request) -> bool:
        return answer(200, begin + b', "maxDurationSeconds": %d' % (next(count) // 2) + end)(sock, request)

    return send


def with_metadata(value: bytes) -> Reply:
    """An assistant with something in its metadata."""
    return moving_assistant(b'{"id": "asst_1", "name": "Old"', b', "metadata": {"x": ' + value + b"}}")


def metadata_maker(value: bytes) -> Callable[[], Reply]:
    return lambda: with_metadata(value)


def list_maker(item: bytes) -> Callable[[], Reply]:
    """The same with a list of as many items as an answer has room for."""
    return lambda: with_metadata(b"[" + b",".join([item] * ((MAX_BODY - 200) // (len(item) + 1))) + b"]")


def name_maker(name: bytes) -> Callable[[], Reply]:
    return lambda: moving_assistant(b'{"id": "asst_1", "name": "' + name + b'"')


ROOM = MAX_BODY - 200
WORST: dict[str, Callable[[], Reply]] = {
    "open lists": lambda: answer(200, b"[" * ROOM),
    "open groups": lambda: answer(200, b'{"a":' * (ROOM // 5)),
    "deep lists": metadata_maker(b"[" * 100_000 + b"]" * 100_000),
    "empty lists": list_maker(b"[]"),
    "empty groups": list_maker(b"{}"),
    "small groups": list_maker(b'{"":1}'),
    "numbers": list_maker(b"1"),
    "numbers that just fit": lambda: with_metadata(b"[" + b",".join([b"1"] * 190_000) + b"]"),
    "groups that just fit": lambda: with_metadata(b"[" + b",".join([b'{"":1}'] * 64_000) + b"]"),
    "empty texts": list_maker(b'""'),
    "long numbers": list_maker(b"1" * 4_000),
    "one long number": metadata_maker(b"1" * (ROOM - 100)),
    "a long fraction": metadata_maker(b"1." + b"1" * (ROOM - 100)),
    "many keys": lambda: with_metadata(b"{" + b",".join(b'"%x":1' % number for number in range(700_000)) + b"}"),
    "quotes": lambda: answer(200, b'"' * ROOM),
    "escaped quotes": lambda: answer(200, b'"' + b'\\"' * (ROOM // 2)),
    "a long text": name_maker(b"x" * ROOM),
    "a wide text": name_maker(b"x" * (ROOM // 2 - 10) + "\U0001f600".encode()),
    "too wide a text": name_maker(b"x" * (ROOM - 10) + "\U0001f600".encode()),
    "a long id": lambda: moving_assistant(b'{"id": "' + b"i" * ROOM + b'"'),
    "a page": lambda: answer(502, b"<html>" * (ROOM // 6)),
    "too much": lambda: answer(200, b" " * (MAX_BODY + 1)),
    "a gzip bomb": lambda: gzip_bomb(64),
    "many headers": lambda: raw_reply(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500_000 + b"\r\n{}"),
    "a long header": lambda: raw_reply(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * ROOM + b"\r\n\r\n{}"),
    "many small chunks": lambda: raw_reply(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"
    ),
    "an endless body": lambda: drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n{"),
    "endless chunks": lambda: drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nx"),
    "an endless header": lambda: drip(b"HTTP/1.1 200 OK\r\nX-A: b"),
    "silence": lambda: silence,
    "a reset": lambda: reset,
    "nothing": lambda: hang_up,
}


def test_the_worst_answers_cost_little(tmp_path: Path) -> None:
    calls = []
    worst = every_third(WORST)
    for number, name in enumerate(worst):
        folder = f"assistants{number}"
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.yaml").write_text(DEFINITION.replace("asst_1", f"asst_{number}"), "utf-8")
        options = ["--yes", "--base", "none", "--report", f"{number}.json", "--report", f"{number}.md"]
        calls.append(["apply", "--directory", folder, *options, "--retries", "0", "--timeout", "0.4"])
    with odd_server() as server:
        for number, make in enumerate(worst.values()):
            server.on(f"GET /assistants/asst_{number}", make())
            server.on(f"PATCH /assistants/asst_{number}", make())
        env = {"RECONCILER_API_URL": server.url, "RECONCILER_AUTH_TOKEN": TOKEN}
        results = run_bounded(calls, cwd=tmp_path, env=env)
    assert {result.code for result in results} == {1}
    written_to = {name for name, one in zip(worst, results, strict=True) if " not converged" in one.stdout}
    just_fit = {"numbers that just fit", "groups that just fit"}
    assert written_to == ({"a long fraction", "a long text", "a wide text", "a long id"} | just_fit) & worst.keys()


def test_importing_the_worst_answers_costs_little(tmp_path: Path) -> None:
    lines = {"lines": name_maker(b"x\\n" * (ROOM // 3)), "many values": metadata_maker(b"[" + b"[1]," * 60_000 + b"1]")}
    worst = [
        *({name: WORST[name] for name in ("a long text", "deep lists", "a long id", "a wide text")} | lines).values()
    ]
    with odd_server() as server:
        for number, make in enumerate(worst):
            server.on(f"GET /assistants/asst_{number}", make())
            (tmp_path / str(number)).mkdir()
        calls = [["import", f"asst_{number}", "--directory", str(number)] for number in range(len(worst))]
        env = {"RECONCILER_API_URL": server.url, "RECONCILER_AUTH_TOKEN": TOKEN}
        results = run_bounded(calls, cwd=tmp_path, env=env)
    assert [result.code for result in results] == [1, 1, 0, 1, 1, 1]
    assert "nested too deeply, or too large" in results[0].stderr
