"""Neither password nor token is in anything that a command shows or writes, whatever the API answers."""

import json
import socket
from collections.abc import Iterator

import leaks
import pytest
from between import Answer, Between, Forward, Request, between, json_answer
from commands import Completed, connection_variables, run
from projects import Project
from servers import Sandbox, running_sandbox

PASSWORD = 'hush-P"a/ß <word>'
TOKEN = "hush-token-of-the-environment"
COMMANDS = [
    ("plan",),
    ("apply", "--yes", "--report", "r.json", "--report", "r.md"),
    ("drift",),
    ("import", "asst_1", "asst_gone", "--directory", "new"),
    ("whoami", "--format", "json"),
]


class Spy:
    """Logs in with the sandbox's own password in place of the user's, and learns the tokens that it gives out."""

    def __init__(self, *, echo: bool, token: bool = True) -> None:
        self.secrets = {PASSWORD, TOKEN} if token else {PASSWORD}
        self.echo = echo

    def __call__(self, request: Request, forward: Forward) -> Answer:
        if request.method == "POST":
            assert request.json["password"] == PASSWORD
            if self.echo and request.number > 1:
                return self.echoed(request, 401)
            answer = forward(request.with_body({**request.json, "password": leaks.PASSWORD}))
            self.secrets.add(answer.headers["set-cookie"].partition("=")[2].partition(";")[0])
            return answer
        return self.echoed(request, 403) if self.echo and request.number > 1 else forward(request)

    def echoed(self, request: Request, status: int) -> Answer:
        """An answer that repeats everything it was told, as careless servers do."""
        return json_answer(status, {"error": f"no: {sorted(self.secrets)} {request.headers} {request.body.decode()}"})


def read_everything(result: Completed, project: Project) -> str:
    """Everything that a command left behind."""
    files = [file for file in project.root.rglob("*") if file.is_file() and ".git" not in file.parts]
    return result.stdout + result.stderr + "".join(file.read_text("utf-8") for file in files)


def spellings(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]


def assert_silent(text: str, spy: Spy) -> None:
    assert "hush" not in text
    for secret in spy.secrets:
        for spelling in spellings(secret):
            assert spelling not in text


def environment(server: Between, *, token: bool) -> dict[str, str]:
    env = {
        "RECONCILER_API_URL": server.url,
        "RECONCILER_EMAIL": "admin@sandbox.test",
        "RECONCILER_PASSWORD": PASSWORD,
    }
    return {**env, "RECONCILER_AUTH_TOKEN": TOKEN} if token else env


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox({"asst_1": {"name": "Old"}}, listing=True) as running:
        yield running


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands(project: Project, sandbox: Sandbox, command: tuple[str, ...]) -> None:
    project.write("a", id="asst_1", name="New")
    spy = Spy(echo=False)
    with between(sandbox, spy) as server:
        result = run(*command, "-v", cwd=project.root, env=environment(server, token=True))
        assert len(server.requests("POST")) == 1
    assert len(spy.secrets) == 3
    assert "/auth/login 200" in result.stderr
    assert_silent(read_everything(result, project), spy)


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("command", [COMMANDS[1], COMMANDS[3]], ids=" ".join)
def test_a_server_that_repeats_what_it_is_told(
    project: Project, sandbox: Sandbox, command: tuple[str, ...], token: bool
) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", id="asst_2", name="New")
    spy = Spy(echo=True, token=token)
    with between(sandbox, spy) as server:
        result = run(*command, "-v", cwd=project.root, env=environment(server, token=token))
    assert result.code == 1
    assert "no: " in result.stdout + result.stderr
    assert_silent(read_everything(result, project), spy)


def test_a_wrong_password_that_comes_back(project: Project, sandbox: Sandbox) -> None:
    project.write("a", id="asst_1", name="New")
    spy = Spy(echo=True, token=False)
    with between(sandbox, lambda request, forward: spy.echoed(request, 401)) as server:
        result = run(
            "apply", "--yes", "-v", "--report", "r.json", cwd=project.root, env=environment(server, token=False)
        )
    assert result.code == 1
    assert "wrong password" in result.stdout
    assert_silent(read_everything(result, project), spy)


@pytest.mark.parametrize("secret", ["hush\nX-Evil: 1", "hush;x", "auth-token=hush", "hush\u00e9"])
def test_a_token_that_cannot_be_one_is_not_repeated(project: Project, sandbox: Sandbox, secret: str) -> None:
    project.write("a", id="asst_1", name="New")
    env = {"RECONCILER_API_URL": sandbox.url, "RECONCILER_AUTH_TOKEN": secret}
    result = run("plan", "-v", cwd=project.root, env=env)
    assert (result.code, result.stdout) == (1, "")
    assert "RECONCILER_AUTH_TOKEN" in result.stderr
    assert "hush" not in result.stderr


def test_a_url_with_a_password_in_it_is_not_repeated(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    env = {"RECONCILER_API_URL": "http://me:hush@127.0.0.1/api", "RECONCILER_AUTH_TOKEN": TOKEN}
    result = run("plan", "-v", cwd=project.root, env=env)
    assert result.code == 1
    assert "contains a user name or a password" in result.stderr
    assert "hush" not in result.stderr


def test_a_proxys_password_is_shown_nowhere(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    env = {
        "RECONCILER_API_URL": "https://agents.example.invalid/api",
        "RECONCILER_AUTH_TOKEN": TOKEN,
        "HTTPS_PROXY": f"http://anna:hush-proxy@127.0.0.1:{port}",
    }
    result = run("plan", "-v", "--retries", "0", "--report", "r.json", cwd=project.root, env=env)
    assert result.code == 1
    assert "no connection to https://agents.example.invalid" in " ".join(result.stdout.split())
    assert "hush" not in read_everything(result, project)


def test_netrc_is_not_read(project: Project, sandbox: Sandbox) -> None:
    project.write("a", id="asst_1", name="New")
    netrc = project.root.parent / ".netrc"
    netrc.write_text("default login anna password hush-netrc\n", "utf-8")
    netrc.chmod(0o600)
    with between(sandbox, lambda request, forward: forward(request)) as server:
        env = {**connection_variables(sandbox, server.url), "HOME": str(netrc.parent), "NETRC": str(netrc)}
        result = run("plan", "-v", cwd=project.root, env=env)
        assert result.code == 0
        assert server.all_requests
        assert not any("authorization" in request.headers for request in server.all_requests)
    assert "hush" not in read_everything(result, project)


def test_the_token_is_not_sent_along_a_redirect(project: Project, sandbox: Sandbox) -> None:
    project.write("a", id="asst_1", name="New")
    with between(sandbox, lambda request, forward: forward(request)) as other:
        elsewhere = f"{other.url}/assistants/asst_1"
        with between(sandbox, lambda request, forward: json_answer(307, {}, Location=elsewhere)) as server:
            env = {"RECONCILER_API_URL": server.url, "RECONCILER_AUTH_TOKEN": TOKEN}
            result = run("plan", "-v", cwd=project.root, env=env)
        assert len(server.all_requests) == 1
        assert other.all_requests == []
    assert result.code == 1
    assert "hush" not in read_everything(result, project)


def test_a_url_with_a_password_that_differs_from_the_environment_is_not_shown(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.configure(environments={"staging": {"api_url": "https://b.example/api"}})
    env = {"RECONCILER_API_URL": "https://me:hush@a.example/api", "RECONCILER_AUTH_TOKEN": TOKEN}
    result = run("plan", "--environment", "staging", cwd=project.root, env=env)
    assert result.code == 1
    assert "The API URL contains a user name or a password" in result.stderr
    assert "hush" not in result.stderr
