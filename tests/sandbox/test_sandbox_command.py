"""`reconciler sandbox` as people run it: a process, its one line, its signals, its complaints."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from commands import environment, run

COMMAND = (sys.executable, "-m", "reconciler", "sandbox")


class Running:
    """A sandbox process that has said where it is."""

    def __init__(self, process: subprocess.Popen[str], line: str) -> None:
        self.process = process
        self.line = line
        match = re.fullmatch(r"Sandbox API on (http://.+/api) \((\d+) assistants?\)\n", line)
        assert match, line
        self.url = match[1]
        self.assistants = int(match[2])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    @contextlib.contextmanager
    def client(self, email: str = "admin@sandbox.test", password: str = "sandbox") -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as client:
            answer = client.post("/auth/login", json={"email": email, "password": password})
            client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
            yield client


@contextlib.contextmanager
def start_sandbox(*arguments: str, **variables: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(variables),
    )
    assert process.stdout
    assert process.stderr
    try:
        line = process.stdout.readline()
        yield Running(process, line or process.stderr.read())
    finally:
        process.kill()
        process.communicate()


def run_refused(*arguments: str) -> str:
    result = run("sandbox", *arguments, cwd=Path.cwd())
    assert (result.code, result.stdout) == (1, "")
    return result.stderr


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    folder = tmp_path / "assistants"
    folder.mkdir()
    (folder / "one.yaml").write_text("id: asst_1\nname: One\n")
    (folder / "two.yaml").write_text("id: asst_2\nname: Two\n")
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_says_where_it_is_and_stops_quietly(seed: Path, number: signal.Signals) -> None:
    with start_sandbox("--seed", str(seed)) as sandbox:
        assert re.match(r"http://127\.0\.0\.1:\d+/api$", sandbox.url)
        assert sandbox.assistants == 2
        with sandbox.client() as client:
            assert client.get("/assistants/local_asst_2").json()["name"] == "Two"
            # The client's connection is still open: it must not keep the sandbox from stopping.
            assert sandbox.stop(number) == (0, "", "")


def test_without_a_seed_it_is_empty() -> None:
    with start_sandbox() as sandbox:
        assert sandbox.line.endswith("(0 assistants)\n")


def test_a_store_survives_and_a_seed_does_not_overwrite_it(seed: Path, tmp_path: Path) -> None:
    arguments = ("--seed", str(seed), "--store", str(tmp_path / "sandbox.db"))
    with start_sandbox(*arguments) as sandbox, sandbox.client() as client:
        client.patch("/assistants/asst_1", json={"name": "Edited"})
        client.delete("/assistants/asst_2")
        new_id = client.post("/assistants", json={"name": "New"}).json()["id"]
        assert sandbox.stop()[0] == 0
    with start_sandbox(*arguments) as sandbox, sandbox.client() as client:
        assert sandbox.assistants == 3
        names = [client.get(f"/assistants/{one}").json()["name"] for one in ("asst_1", "asst_2", new_id)]
        assert names == ["Edited", "Two", "New"]


def test_the_options_reach_the_api(seed: Path) -> None:
    options = ("--nested", "replace", "--strict", "--listing", "--latency", "1", "--seed", str(seed))
    with start_sandbox(*options) as sandbox, sandbox.client() as client:
        assert [one["id"] for one in client.get("/assistants").json()] == ["asst_1", "asst_2"]
        assert client.patch("/assistants/asst_1", json={}).json() == {"error": "model is required; voice is required"}
        answer = client.patch(
            "/assistants/asst_1", json={"model": {"provider": "openai", "model": "m"}, "voice": {"speed": 1}}
        )
        assert answer.json()["voice"] == {"speed": 1}


def test_takes_the_account_and_the_token_of_the_environment_and_prints_neither() -> None:
    variables = {
        "RECONCILER_EMAIL": "me@example.com",
        "RECONCILER_PASSWORD": "my-own-password",
        "RECONCILER_AUTH_TOKEN": "my-own-token",
    }
    with start_sandbox(**variables) as sandbox:
        with sandbox.client("me@example.com", "my-own-password") as client:
            me = client.get("/auth/me").json()["user"]
            assert (me["email"], me["role"], me["permissions"]) == ("me@example.com", "ADMIN", None)
            client.headers["cookie"] = "auth-token=my-own-token"
            assert client.get("/auth/me").json()["user"] == me
        _, out, err = sandbox.stop()
        for secret in variables.values():
            assert secret not in sandbox.line + out + err


def test_a_request_that_waits_does_not_keep_it_from_stopping() -> None:
    with start_sandbox("--latency", "60000") as sandbox:
        port = int(sandbox.url.rpartition(":")[2].removesuffix("/api"))
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            waiting.sendall(b"GET /api/auth/me HTTP/1.1\r\nhost: x\r\n\r\n")
            # A page does not wait; its answer shows that the request before it has been read.
            assert httpx.get(sandbox.url.removesuffix("/api"), trust_env=False).status_code == 200
            code, _, err = sandbox.stop()
            answer = waiting.makefile("rb").read()
        assert code == 0
        assert "Traceback" not in err
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"error": "The sandbox is stopping"}


@pytest.mark.parametrize(
    ("host", "url"),
    [("localhost", r"http://localhost:\d+/api"), ("127.0.0.2", r"http://127\.0\.0\.2:\d+/api")],
)
def test_other_names_of_loopback(host: str, url: str) -> None:
    with start_sandbox("--host", host) as sandbox:
        assert re.fullmatch(url, sandbox.url)
        assert httpx.get(f"{sandbox.url}/openapi.json", trust_env=False).status_code == 200


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
def test_loopback_over_ipv6() -> None:
    with start_sandbox("--host", "::1") as sandbox:
        assert re.fullmatch(r"http://\[::1\]:\d+/api", sandbox.url)
        assert httpx.get(f"{sandbox.url}/openapi.json", trust_env=False).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_any_other_address_is_refused(host: str) -> None:
    message = run_refused("--host", host, "--port", "0")
    assert f"loopback only, and {host!r} is not a loopback address" in message
    assert "--host 127.0.0.1" in message


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = run_refused("--port", str(port))
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in message
    assert "--port" in message


def test_a_second_sandbox_on_one_port_is_refused() -> None:
    with start_sandbox() as sandbox:
        port = sandbox.url.rpartition(":")[2].removesuffix("/api")
        assert "Address already in use" in run_refused("--port", port)


def test_a_store_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database " * 100)
    assert "notes.txt cannot be used as the sandbox's store" in run_refused("--port", "0", "--store", str(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "is not a folder"), ("name: [", "bad.yaml cannot be used"), ("", "bad.yaml cannot be used")],
)
def test_a_bad_seed_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    folder = tmp_path / "assistants"
    if text is not None:
        folder.mkdir()
        (folder / "bad.yaml").write_text(text)
    assert message in run_refused("--port", "0", "--seed", str(folder))


def test_a_bad_start_leaves_no_store_behind(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    run_refused("--port", "0", "--store", str(file), "--seed", str(tmp_path / "missing"))
    run_refused("--host", "0.0.0.0", "--store", str(file))
    assert not file.exists()


@pytest.mark.parametrize("library", ["uvicorn", "starlette", "jsonschema"])
def test_without_its_libraries_it_says_how_to_get_them(tmp_path: Path, library: str) -> None:
    """A module of that name that cannot be imported stands in for one that is not installed."""
    (tmp_path / f"{library}.py").write_text(f"raise ModuleNotFoundError('gone', name={library!r})\n")
    result = subprocess.run(
        [*COMMAND, "--port", "0"],
        capture_output=True,
        text=True,
        env=environment({"PYTHONPATH": str(tmp_path)}),
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert f"needs a library that is not installed: {library}" in result.stderr
    assert "  install it: " in result.stderr
    assert "[sandbox]" in result.stderr


def test_faults_are_logged_and_counted(seed: Path) -> None:
    options = ("-v", "--fault", "2nd GET /assistants/*: 503", "--fault", "GET /auth/me: reset")
    with start_sandbox("--seed", str(seed), *options) as sandbox, sandbox.client() as client:
        assert [client.get(f"/assistants/{one}").status_code for one in ("asst_1", "x%1b", "asst_2")] == [200, 503, 200]
        with pytest.raises(httpx.ReadError):
            client.get("/auth/me")
        client.get(sandbox.url.removesuffix("/api"))
        assert sandbox.stop() == (
            0,
            "",
            (
                "POST /api/auth/login: 200\n"
                "GET /api/assistants/asst_1: 200\n"
                "GET /api/assistants/x%1b: 503, fault 1\n"
                "GET /api/assistants/asst_2: 200\n"
                "GET /api/auth/me: no answer, fault 2\n"
                "Fault 1 hit 1 of 3 requests: 2nd GET /assistants/*: 503\n"
                "Fault 2 hit 1 of 1 requests: GET /auth/me: reset\n"
            ),
        )


def test_a_reset_comes_before_the_body_is_read() -> None:
    with start_sandbox("--fault", "POST *: reset") as sandbox:
        port = int(sandbox.url.rpartition(":")[2].removesuffix("/api"))
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            raw.sendall(b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                raw.recv(1)


def test_a_random_fault_says_how_to_have_it_again() -> None:
    with start_sandbox("--fault", "10% * *: 503", "--fault-seed", "7") as sandbox:
        _, _, err = sandbox.stop()
    assert err.startswith("Random faults: --fault-seed 7 repeats them.\n")
    with start_sandbox("--fault", "10% * *: 503") as sandbox:
        _, _, err = sandbox.stop()
    assert re.match(r"Random faults: --fault-seed \d+ repeats", err)


def test_a_fault_that_cannot_be_read_is_shown() -> None:
    assert run_refused("--port", "0", "--fault", "* *: 503", "--fault", "2nd PACH *: 503") == (
        "Error: The fault rule `2nd PACH *: 503` cannot be read\n"
        "  write a rule as in `2nd PATCH /assistants/*: 503`; `reconciler sandbox --help` shows the others\n"
    )


def test_help_names_every_account() -> None:
    result = subprocess.run(
        [*COMMAND, "--help"], capture_output=True, text=True, env=environment(), timeout=60, check=True
    )
    lines = [line.split() for line in result.stdout.splitlines()]
    for account, role in (("admin", "ADMIN"), ("editor", "EDITOR"), ("viewer", "VIEWER,"), ("disabled", "cannot")):
        assert [f"{account}@sandbox.test", role] in [line[:2] for line in lines]
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_command_imports_none_of_the_servers_libraries() -> None:
    libraries = "{'starlette', 'uvicorn', 'jsonschema', 'yaml', 'anyio'}"
    program = f"import sys, reconciler.cli.commands.sandbox; print(sorted({libraries} & {{*sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "[]\n"
