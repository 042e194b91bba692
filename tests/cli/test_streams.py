"""stdout carries the report alone; colour, encodings, pipes, reports in files."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND, Completed, connection_variables, environment, run
from odd_server import answer, odd_server
from projects import MODEL, Project
from servers import running_sandbox

ESCAPE = "\x1b["


@pytest.fixture
def one_definition(project: Project) -> Project:
    project.write("team/a", id="asst_1", name="Grüße ☕", model={"temperature": 0.6})
    return project


LIVE = {"asst_1": {"name": "Old", "model": MODEL}}


def shell(project: Project, script: str, env: dict[str, str]) -> Completed:
    """Run a line of shell in which `reconciler` is the command."""
    result = subprocess.run(
        ["/bin/sh", "-c", script.replace("reconciler", shlex.quote(COMMAND))],
        cwd=project.root,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    stdout, stderr = result.stdout.decode(), result.stderr.decode()
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    return Completed(result.returncode, stdout, stderr)


def test_json_is_all_that_stdout_carries(one_definition: Project) -> None:
    one_definition.write("bad", "id: [\n")
    with running_sandbox(LIVE) as sandbox:
        result = run("plan", "-v", "--format", "json", cwd=one_definition.root, env=connection_variables(sandbox))
    report = json.loads(result.stdout)
    assert report["assistants"][1]["name"] == "Grüße ☕"
    # Assistants are read while files are still being parsed, so either may be said first.
    (problem,) = (line for line in result.stderr.splitlines() if line.startswith("assistants/bad.yaml:"))
    requests = [line.split(" (")[0] for line in result.stderr.splitlines() if line != problem]
    assert requests == ["POST /auth/login 200", "GET /assistants/asst_1 200"]
    assert result.code == 1


def test_the_format_may_come_from_the_environment(one_definition: Project) -> None:
    with running_sandbox(LIVE) as sandbox:
        result = run(
            "plan", cwd=one_definition.root, env={**connection_variables(sandbox), "RECONCILER_FORMAT": "markdown"}
        )
    assert result.stdout.startswith("#")


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_colour_is_as_the_environment_asks(one_definition: Project, variables: dict[str, str], coloured: bool) -> None:
    one_definition.write("bad", "id: [\n")
    with running_sandbox(LIVE) as sandbox:
        result = run("plan", cwd=one_definition.root, env={**connection_variables(sandbox), **variables})
        structured = run(
            "plan", "--format", "json", cwd=one_definition.root, env={**connection_variables(sandbox), **variables}
        )
        checked = run("doctor", cwd=one_definition.root, env={**connection_variables(sandbox), **variables})
    assert (ESCAPE in result.stdout) == coloured
    assert (ESCAPE in result.stderr) == coloured
    assert (ESCAPE in checked.stdout) == coloured
    assert ESCAPE not in structured.stdout


def test_a_reader_that_leaves_early(one_definition: Project) -> None:
    for number in range(200):
        one_definition.write(f"many/a{number}", id=f"asst_m{number}", name="New")
    seed = {**LIVE, **{f"asst_m{number}": {} for number in range(200)}}
    with running_sandbox(seed) as sandbox:
        env = connection_variables(sandbox)
        for format_ in ("text", "json"):
            script = f"reconciler plan --format {format_} --report r.json | head -n 0"
            assert shell(one_definition, script, env).stderr == ""
            assert json.loads((one_definition.root / "r.json").read_text())["summary"]["total"] == 201
        assert shell(one_definition, "reconciler --help | head -n 0", env).stderr == ""


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&-"])
def test_closed_streams(one_definition: Project, closed: str) -> None:
    with running_sandbox(LIVE) as sandbox:
        env = connection_variables(sandbox)
        assert shell(one_definition, f"reconciler plan --report r.json {closed}", env).code == 0
        assert json.loads((one_definition.root / "r.json").read_text())["summary"]["pending"] == 1
        assert shell(one_definition, f"reconciler apply {closed}", env).code == 1
        assert shell(one_definition, f"reconciler plan --nope {closed}", env).code == 1
        assert sandbox.patches == []
        assert shell(one_definition, f"reconciler apply --yes -v {closed}", env).code == 0
        assert len(sandbox.patches) == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "xx_YY.nope"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
def test_a_locale_without_the_letters(one_definition: Project, variables: dict[str, str]) -> None:
    with running_sandbox(LIVE) as sandbox:
        env = {**connection_variables(sandbox), **variables}
        result = run("plan", "--report", "r.md", cwd=one_definition.root, env=env)
    assert (result.code, result.stderr) == (0, "")
    assert "Old" in result.stdout
    assert "Grüße ☕" in (one_definition.root / "r.md").read_text("utf-8")


def test_a_locale_that_cannot_name_a_file(one_definition: Project) -> None:
    one_definition.write("a", id="asst_1", firstMessage={"$file": "gr\u00fc\u00dfe.md"})
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = run("validate", cwd=one_definition.root, env=env)
    assert (result.code, result.stdout) == (1, "")
    assert "a file's name has a letter that this system's encoding (ascii) lacks" in result.stderr
    assert "PYTHONUTF8=1" in result.stderr


def test_what_programs_read_is_utf8_whatever_the_terminal_is(one_definition: Project) -> None:
    with running_sandbox(LIVE) as sandbox:
        env = environment({**connection_variables(sandbox), "PYTHONIOENCODING": "cp1252"})
        for form in ("json", "markdown", "github", "text"):
            command = [COMMAND, "plan", "--format", form]
            result = subprocess.run(
                command, cwd=one_definition.root, env=env, capture_output=True, timeout=60, check=False
            )
            assert result.returncode == 0
            if form == "json":
                assert json.loads(result.stdout)["assistants"][0]["name"] == "Gr\u00fc\u00dfe \u2615"
            elif form == "markdown":
                assert "Gr\u00fc\u00dfe \u2615" in result.stdout.decode()
            elif form == "text":
                assert (
                    r'"Gr\xfc\xdfe \u2615"'
                    in result.stdout.decode("cp1252").encode("ascii", "backslashreplace").decode()
                )


def test_reports_are_written_in_every_format_that_is_asked_for(one_definition: Project) -> None:
    one_definition.write("b", id="asst_gone")
    with running_sandbox(LIVE) as sandbox:
        result = run(
            "plan",
            "--report",
            "r.json",
            "--report",
            "r.md",
            "--report",
            "other.json",
            cwd=one_definition.root,
            env=connection_variables(sandbox),
        )
    assert result.code == 1
    report = json.loads((one_definition.root / "r.json").read_text("utf-8"))
    assert report["summary"] | {"total": 2, "pending": 1, "missing": 1} == report["summary"]
    assert (one_definition.root / "r.md").read_text("utf-8").startswith("#")
    assert (one_definition.root / "other.json").read_bytes() == (one_definition.root / "r.json").read_bytes()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody may write")
def test_a_report_that_cannot_be_written_keeps_nothing_else_from_being_written(one_definition: Project) -> None:
    reports = ["--report", "/proc/a.md", "--report", "/proc/b.md", "--report", "r.md"]
    with running_sandbox(LIVE) as sandbox:
        result = run("plan", *reports, cwd=one_definition.root, env=connection_variables(sandbox))
    assert result.code == 1
    assert "to change" in result.stdout
    assert (one_definition.root / "r.md").exists()
    assert result.stderr.count("cannot be written: ") == 2


def test_files_are_named_alike_from_everywhere(one_definition: Project) -> None:
    below = one_definition.root / "docs" / "deep"
    below.mkdir(parents=True)
    with running_sandbox(LIVE) as sandbox:
        env = connection_variables(sandbox)
        from_root = json.loads(run("plan", "--format", "json", cwd=one_definition.root, env=env).stdout)
        from_below = json.loads(
            run("plan", "--format", "json", "--directory", "../../assistants", cwd=below, env=env).stdout
        )
        by_variable = run(
            "plan", "../../assistants/team", cwd=below, env={**env, "RECONCILER_DIRECTORY": "../../assistants"}
        )
    assert from_root["assistants"] == from_below["assistants"]
    assert from_root["assistants"][0]["file"] == "assistants/team/a.yaml"
    assert "assistants/team/a.yaml: to change" in by_variable.stdout


def test_a_line_of_progress_is_for_terminals_only(one_definition: Project) -> None:
    for number in range(30):
        one_definition.write(f"many/a{number}", id=f"asst_m{number}")
    with running_sandbox({**LIVE, **{f"asst_m{number}": {} for number in range(30)}}) as sandbox:
        result = run("plan", cwd=one_definition.root, env={**connection_variables(sandbox), "FORCE_COLOR": "1"})
    assert result.stderr == ""


def test_reports_are_rendered_again_and_merged(one_definition: Project, tmp_path: Path) -> None:
    one_definition.write("b", id="asst_2", name="Same")
    with running_sandbox({**LIVE, "asst_2": {"name": "Same"}}) as sandbox:
        env = connection_variables(sandbox)
        plan = run("plan", "--report", "a.json", "assistants/team", cwd=one_definition.root, env=env)
        run("plan", "--report", "b.json", "assistants/b.yaml", cwd=one_definition.root, env=env)
        sandbox.forget_requests()
        assert run("report", "a.json", cwd=one_definition.root).stdout == plan.stdout
        result = run("report", "b.json", "a.json", "--format", "json", "--report", "all.md", cwd=one_definition.root)
        assert sandbox.requests == []
    assert (result.code, result.stderr) == (0, "")
    merged = json.loads(result.stdout)
    assert [entry["key"] for entry in merged["assistants"]] == ["b", "team/a"]
    assert merged["summary"] | {"total": 2, "pending": 1, "in_sync": 1} == merged["summary"]
    assert merged["api_calls"] == {"GET": 2, "PATCH": 0, "POST": 2}
    assert (one_definition.root / "all.md").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"{", "is not JSON"), (b"{}", "is not a report of this tool"), (b"\xff", "not UTF-8")],
)
def test_a_report_that_is_none(project: Project, content: bytes | None, message: str) -> None:
    if content is not None:
        (project.root / "r.json").write_bytes(content)
    result = run("report", "r.json", cwd=project.root)
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: r.json: ")
    assert message in result.stderr


def test_the_schema_is_json_and_follows_the_settings(project: Project) -> None:
    project.configure(extra_fields=["/tools"])
    result = run("schema", cwd=project.root)
    assert (result.code, result.stderr) == (0, "")
    assert "tools" in json.loads(result.stdout)["properties"]


def test_whoami_shows_nothing_that_the_api_s_reference_does_not_list(project: Project) -> None:
    """A token in the answer would be in the job's log for ever."""
    user = {"id": "u1", "role": "VIEWER", "permissions": {"agents": ["read"]}, "token": "s3cret", "password": "hush"}
    with odd_server() as server:
        server.on("GET /auth/me", answer(200, {"user": user}), answer(200, {"user": {"token": "s3cret"}}))
        env = {"RECONCILER_API_URL": server.url, "RECONCILER_AUTH_TOKEN": "x"}
        account = json.loads(run("whoami", "--format", "json", cwd=project.root, env=env).stdout)
        assert account == {"id": "u1", "role": "VIEWER", "permissions": {"agents": ["read"]}}
        result = run("whoami", cwd=project.root, env=env)
        assert (result.code, result.stdout) == (0, "The credentials work. The API does not say whose they are.\n")


def test_whoami(project: Project) -> None:
    with running_sandbox() as sandbox:
        result = run("whoami", cwd=project.root, env=connection_variables(sandbox, email="viewer@sandbox.test"))
        assert (result.code, result.stderr) == (0, "")
        assert result.stdout == (
            "name:  Vi Viewer\nemail: viewer@sandbox.test\nrole:  VIEWER\nid:    user_viewer@sandbox.test\n"
        )
        result = run("whoami", "--format", "json", cwd=project.root, env=connection_variables(sandbox))
        assert json.loads(result.stdout)["role"] == "ADMIN"
        asked = run("whoami", cwd=project.root, env={**connection_variables(sandbox), "RECONCILER_FORMAT": "json"})
        assert asked.stdout == result.stdout
        other = run("whoami", cwd=project.root, env={**connection_variables(sandbox), "RECONCILER_FORMAT": "github"})
        assert (other.code, other.stdout[:5]) == (0, "name:")
        result = run("whoami", cwd=project.root, env={**connection_variables(sandbox), "RECONCILER_PASSWORD": "hush"})
        assert (result.code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: Login failed: wrong password")
