"""What can go wrong before or around an assistant: a few lines each, naming what to do, and never a traceback."""

import json
import shlex
import socket
import subprocess
import sys

import pytest
from between import Answer, Forward, Request, between, json_answer
from commands import COMMAND, connection_variables, environment, run
from leaks import PASSWORD
from projects import Project
from servers import running_sandbox

PAGE = b"<!doctype html><html><body>Agent Builder</body></html>"


def join_lines(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


@pytest.fixture
def one_definition(project: Project) -> Project:
    project.write("a", id="asst_1", name="New")
    return project


@pytest.mark.parametrize(
    ("command", "variables", "half"),
    [
        (["plan"], {}, ""),
        (["apply", "--yes"], {"RECONCILER_EMAIL": "a@b.test", "RECONCILER_PASSWORD": ""}, "RECONCILER_PASSWORD"),
        (["import", "asst_9"], {"RECONCILER_EMAIL": " ", "RECONCILER_PASSWORD": "hush"}, "RECONCILER_EMAIL"),
    ],
)
def test_no_credentials(one_definition: Project, command: list[str], variables: dict[str, str], half: str) -> None:
    with running_sandbox({"asst_1": {}}) as sandbox:
        result = run(*command, cwd=one_definition.root, env={"RECONCILER_API_URL": sandbox.url, **variables})
        assert sandbox.requests == []
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: there are no credentials for the API{f': {half} is not set' if half else ''}\n"
        "  set RECONCILER_AUTH_TOKEN, or RECONCILER_EMAIL and RECONCILER_PASSWORD\n"
    )


def test_a_hint_cannot_control_the_terminal(project: Project) -> None:
    inner = project.root / "in\x1b[31mner"
    (inner / "assistants").mkdir(parents=True)
    (inner / "assistants" / "a.yaml").write_text("id: asst_1\nname: A\n", "utf-8")
    people = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for command in (["add", "-A"], [*people, "commit", "--quiet", "-m", "outer"], ["init", "--quiet", str(inner)]):
        subprocess.run(["git", *command], cwd=project.root, check=True)
    result = run("plan", cwd=inner, env={"FORCE_COLOR": "1"})
    assert (result.code, result.stdout) == (1, "")
    assert "remove " + str(inner / ".git").replace("\x1b", r"\x1b") in result.stderr


def test_no_url(one_definition: Project) -> None:
    result = run("plan", cwd=one_definition.root, env={"RECONCILER_AUTH_TOKEN": "hush"})
    assert (result.code, result.stdout) == (1, "")
    assert "no API URL is configured" in result.stderr
    assert "set RECONCILER_API_URL, pass --api-url, or write api_url into reconciler.yaml" in result.stderr


def test_the_url_s_precedence(one_definition: Project) -> None:
    with running_sandbox({"asst_1": {}}) as sandbox:
        env = connection_variables(sandbox, "http://127.0.0.1:1/api")
        assert run("plan", "--api-url", sandbox.url, "--retries", "0", cwd=one_definition.root, env=env).code == 0
        one_definition.configure(api_url="http://127.0.0.1:1/api")
        assert run("plan", cwd=one_definition.root, env=connection_variables(sandbox)).code == 0
        one_definition.configure(api_url=sandbox.url)
        env = {name: value for name, value in env.items() if name != "RECONCILER_API_URL"}
        assert run("plan", cwd=one_definition.root, env=env).code == 0


def test_plain_http_to_another_machine(one_definition: Project) -> None:
    env = {"RECONCILER_API_URL": "http://api.example.test/api", "RECONCILER_AUTH_TOKEN": "hush"}
    result = run("plan", cwd=one_definition.root, env=env)
    assert (result.code, result.stdout) == (1, "")
    assert "plain http" in result.stderr
    assert "--allow-insecure-http" in result.stderr
    assert len(result.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("email", "password", "message"),
    [
        ("admin@sandbox.test", "hush-wrong", "Login failed: wrong password, or no such account"),
        ("nobody@sandbox.test", PASSWORD, "Login failed: wrong password, or no such account"),
        ("disabled@sandbox.test", PASSWORD, "Login failed: the account is disabled"),
    ],
)
def test_a_login_that_fails(one_definition: Project, email: str, password: str, message: str) -> None:
    with running_sandbox({"asst_1": {}}) as sandbox:
        env = {**connection_variables(sandbox, email=email), "RECONCILER_PASSWORD": password}
        result = run("apply", "--yes", "--report", "r.json", cwd=one_definition.root, env=env)
        assert sandbox.calls == {"POST": 1}
    assert result.code == 1
    assert message in join_lines(result.stdout)
    assert "hush" not in result.stdout + result.stderr
    assert len(result.stdout.splitlines()) <= 10
    report = json.loads((one_definition.root / "r.json").read_text())
    assert report["assistants"][0]["outcome"] == "failed"
    assert report["assistants"][0]["error"]["status"] in (401, 403)


def test_a_url_without_api(one_definition: Project) -> None:
    with running_sandbox({"asst_1": {}}) as sandbox:
        result = run(
            "plan", cwd=one_definition.root, env=connection_variables(sandbox, sandbox.url.removesuffix("/api"))
        )
    assert result.code == 1
    assert "RECONCILER_API_URL end in /api?" in join_lines(result.stdout)


def test_a_page_instead_of_an_answer(one_definition: Project) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        return json_answer(200, PAGE, content_type="text/html")

    with running_sandbox() as sandbox, between(sandbox, meddle) as server:
        env = {"RECONCILER_API_URL": server.url, "RECONCILER_AUTH_TOKEN": "hush-token"}
        result = run("plan", cwd=one_definition.root, env=env)
    assert result.code == 1
    assert "got an HTML page instead of JSON: does RECONCILER_API_URL end in /api?" in join_lines(result.stdout)


def test_nobody_listens(one_definition: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    env = {"RECONCILER_API_URL": f"http://127.0.0.1:{port}/api", "RECONCILER_AUTH_TOKEN": "hush"}
    result = run("plan", "--retries", "0", cwd=one_definition.root, env=env)
    assert result.code == 1
    assert "no connection to" in join_lines(result.stdout)
    assert ": Connection refused" in join_lines(result.stdout)
    assert "check that the API is running" in join_lines(result.stdout)


def test_a_token_that_has_run_out(one_definition: Project) -> None:
    with running_sandbox({"asst_1": {}}) as sandbox:
        result = run(
            "plan",
            cwd=one_definition.root,
            env={"RECONCILER_API_URL": sandbox.url, "RECONCILER_AUTH_TOKEN": "hush-old"},
        )
        assert result.code == 1
        assert "RECONCILER_AUTH_TOKEN may have expired" in join_lines(result.stdout)
        assert "hush" not in result.stdout + result.stderr
        env = {**connection_variables(sandbox), "RECONCILER_AUTH_TOKEN": "hush-old"}
        assert run("apply", "--yes", cwd=one_definition.root, env=env).code == 0
        assert sandbox.patches == [{"name": "New"}]


def test_an_unknown_id_does_not_stop_the_others(one_definition: Project) -> None:
    one_definition.write("b", id="asst_gone", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        result = run("apply", "--yes", cwd=one_definition.root, env=connection_variables(sandbox))
        assert sandbox.patches == [{"name": "New"}]
    assert result.code == 1
    hint = "the assistant may have been deleted; if not, check that the id belongs to this API, http"
    assert hint in join_lines(result.stdout)


def test_no_definitions(project: Project) -> None:
    result = run("plan", cwd=project.root)
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: the folder assistants contains no definition\n"
        "  write one that ends in .yaml or .yml; `reconciler import ID` does it for a live assistant\n"
    )
    project.folder.rmdir()
    result = run("validate", cwd=project.root)
    assert result.code == 1
    assert "there is no folder assistants" in result.stderr
    assert "`reconciler init` starts a new project" in result.stderr


def test_settings_that_cannot_be_used(one_definition: Project) -> None:
    (one_definition.root / "reconciler.yaml").write_text('max_change: 5\n"\\e[31m": 1\norg_id: 7\n')
    result = run("plan", cwd=one_definition.root)
    assert (result.code, result.stdout) == (1, "")
    assert "reconciler.yaml:1:1: unknown setting max_change; did you mean max_changes?" in result.stderr
    assert "reconciler.yaml:3:9" in result.stderr
    assert "\x1b" not in result.stderr
    result = run("validate", "--format", "github", cwd=one_definition.root)
    assert (result.code, result.stderr) == (1, "")
    assert "::error file=reconciler.yaml,line=3,col=9," in result.stdout
    assert result.stdout.endswith("Validate: 3 problems in 1 file, no definition was checked.\n")


def test_what_a_definition_says_cannot_act_on_the_terminal(one_definition: Project) -> None:
    one_definition.write("bad", 'id: asst_2\n"\\e[2J\\x07": 1\n')
    with running_sandbox({"asst_1": {"name": "\x1b]0;x\x07"}}) as sandbox:
        result = run("plan", cwd=one_definition.root, env=connection_variables(sandbox))
    assert "\x1b" not in result.stdout + result.stderr
    assert "\x07" not in result.stdout + result.stderr
    assert "\\x1b[2J" in result.stderr


def test_a_file_outside_the_folder(one_definition: Project) -> None:
    result = run("plan", "reconciler.yaml", cwd=one_definition.root)
    assert result.code == 1
    assert "reconciler.yaml does not exist" in result.stderr
    (one_definition.root / "elsewhere").mkdir()
    result = run("validate", "elsewhere", cwd=one_definition.root)
    assert result.code == 1
    assert "is not in the definitions' folder" in result.stderr


@pytest.mark.parametrize("command", [["apply", "--yes"], ["create", "--yes"]])
def test_a_path_that_is_empty_is_not_the_folder_that_one_is_in(one_definition: Project, command: list[str]) -> None:
    """As of a variable that is not set: the run would be about every definition."""
    result = run(*command, "", cwd=one_definition.root / "assistants", env={})
    assert (result.code, result.stdout) == (1, "")
    assert "is empty" in result.stderr


def test_a_folder_that_is_gone(one_definition: Project) -> None:
    in_removed_folder = "mkdir gone && cd gone && rmdir ../gone && exec "
    result = subprocess.run(
        ["/bin/sh", "-c", f"{in_removed_folder}{shlex.quote(COMMAND)} validate"],
        cwd=one_definition.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "the current folder no longer exists" in result.stderr.splitlines()[-2]
    assert result.stderr.splitlines()[-1] == "  change to a folder that exists"


@pytest.mark.parametrize("room", [True, False])
def test_a_fault_of_our_own_leaves_a_file_and_no_traceback(one_definition: Project, room: bool) -> None:
    """A module that cannot be imported stands in for a fault."""
    broken = one_definition.root / "broken" / "deepdiff"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("import os\nraise RuntimeError(os.environ['HUSH'])\n")
    with running_sandbox({"asst_1": {}}) as sandbox:
        env = environment(
            {
                **connection_variables(sandbox),
                "PYTHONPATH": str(broken.parent),
                "TMPDIR": str(one_definition.root),
                "HUSH": "hush-value",
            }
        )
        # Where the tests' coverage is measured, what measures it would fail on the full disk in words of its own.
        env = {name: value for name, value in env.items() if not name.startswith("COVERAGE_")}
        result = subprocess.run(
            ["/bin/sh", "-c", f"{'' if room else 'ulimit -f 0; '}exec {shlex.quote(COMMAND)} plan"],
            cwd=one_definition.root,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (result.returncode, result.stdout) == (1, "")
    assert "this is a bug in reconciler (RuntimeError)" in result.stderr
    assert "Traceback" not in result.stderr
    assert "hush-value" not in result.stderr
    logs = [*one_definition.root.glob("reconciler-*.log")]
    assert len(logs) == room
    for log in logs:
        assert str(log) in result.stderr
        assert "core/canonical.py" in log.read_text()
        assert "hush-value" not in log.read_text()


@pytest.mark.parametrize(
    "limit",
    [
        "bytearray(2**60)",
        "import threading; threading.stack_size(2**50); threading.Thread(target=print).start()",
    ],
)
def test_a_limit_of_the_system_is_no_fault_of_our_own(one_definition: Project, limit: str) -> None:
    # It is met where a library is loaded.
    library = one_definition.root / "library" / "deepdiff"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text(f"{limit}\n", "utf-8")
    with running_sandbox({"asst_1": {}}) as sandbox:
        env = {**connection_variables(sandbox), "PYTHONPATH": str(library.parent)}
        result = run("plan", cwd=one_definition.root, env=env)
    assert (result.code, result.stdout) == (1, "")
    assert "Error: the system has no memory or no thread left for this run" in result.stderr


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="to pathlib such a path is not there")
@pytest.mark.parametrize("arguments", [("plan", "--directory"), ("validate", "--report"), ("sandbox", "--seed")])
def test_a_path_that_the_system_refuses_is_no_fault_of_our_own(
    one_definition: Project, arguments: tuple[str, str]
) -> None:
    result = run(*arguments, f"{'x' * 300}.json", cwd=one_definition.root)
    assert (result.code, result.stdout) == (1, "")
    assert "xx.json cannot be used: File name too long" in result.stderr


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="pathlib follows such a link to nowhere")
@pytest.mark.parametrize("arguments", [("--directory", "loop"), ("loop/a.yaml",), ("--environment", "e")])
def test_a_link_to_itself_is_named(one_definition: Project, arguments: tuple[str, ...]) -> None:
    (one_definition.root / "loop").symlink_to("loop")
    if "e" in arguments:
        one_definition.configure(environments={"e": {"overlay": "loop"}})
    result = run("validate", *arguments, cwd=one_definition.root)
    assert (result.code, result.stdout) == (1, "")
    assert f"{one_definition.root.resolve() / 'loop'}" in result.stderr
    assert "cannot be used: Too many levels of symbolic links" in result.stderr
