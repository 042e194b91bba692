"""Exit codes, and that 1 beats 2."""

import pytest
from commands import connection_variables, run
from projects import Project
from servers import running_sandbox

from reconciler import __version__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nope"], "No such option '--nope'"),
        (["nope"], "No such command 'nope'"),
        (["plna"], "No such command 'plna'. Did you mean 'plan'?"),
        (["plan", "--concurrency", "0"], "0 is not in the range"),
        (["plan", "--concurrency", "many"], "'many' is not a valid whole number."),
        (["plan", "--timeout", "long"], "'long' is not a valid number of seconds."),
        (["plan", "--timeout", "nan"], "--timeout"),
        (["plan", "--timeout", "inf"], "--timeout"),
        (["plan", "--format", "xml"], "'xml' is not one of"),
        (["apply", "--yes", "--max-changes", "many"], "must be a number of assistants"),
        (["apply", "--yes", "--max-changes", "101%"], "must be a number of assistants"),
        (["import"], "no assistants are selected"),
        (["import", "asst_1", "--all"], "--all already selects every assistant"),
        (["report"], "Missing argument 'FILE...'"),
        (["plan", "--report", "r.txt"], "a report ends in"),
        (["plan", "--report", "missing/r.json"], "there is no folder to write it into"),
        (["plan", "--changed-since", ""], "Error: '' cannot be read"),
        (["plan", "--base", ""], "Error: '' cannot be read"),
        (["plan", "--changed", "--changed-since", "HEAD"], "--changed and --changed-since cannot be combined"),
        (["apply", "--yes", "--plan", ""], "the path of a report is empty"),
        (["plan", "--directory", ""], "--directory is empty"),
        (["plan", "--environment", ""], "there is no environment ''\n  reconciler.yaml has no environments\n"),
        (["plan", "--report", "assistants.md"], "this is a folder, not a file"),
    ],
)
def test_a_wrong_command_line_is_1_and_sends_nothing(project: Project, arguments: list[str], message: str) -> None:
    (project.root / "assistants.md").mkdir()
    project.write("a", id="asst_1")
    with running_sandbox() as sandbox:
        result = run(*arguments, cwd=project.root, env=connection_variables(sandbox))
        assert sandbox.requests == []
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) <= 3


def test_a_wrong_value_of_the_environment_is_told_with_the_variable(project: Project) -> None:
    result = run("plan", cwd=project.root, env={"RECONCILER_RETRIES": "many"})
    assert (result.code, result.stdout) == (1, "")
    assert "'many'" in result.stderr
    assert "RECONCILER_RETRIES has that value" in result.stderr


def test_without_a_command_the_help_is_shown(project: Project) -> None:
    result = run(cwd=project.root)
    assert (result.code, result.stdout) == (1, "")
    assert "Commands:" in result.stderr


def test_help_and_version(project: Project) -> None:
    assert run("--version", cwd=project.root).stdout == f"reconciler {__version__}\n"
    result = run("--help", cwd=project.root)
    assert (result.code, result.stderr) == (0, "")
    for command in ("validate", "plan", "apply", "drift", "import", "report", "schema", "whoami", "sandbox"):
        assert f"  {command} " in result.stdout


def test_one_that_cannot_be_read_beats_differences(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", id="asst_gone", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        for command in ("plan", "drift"):
            result = run(command, "--detailed-exitcode", cwd=project.root, env=connection_variables(sandbox))
            assert result.code == 1
            assert "a.yaml" in result.stdout
            assert "assistants/b.yaml: missing" in result.stdout
        selected = run(
            "plan", "--detailed-exitcode", "assistants/a.yaml", cwd=project.root, env=connection_variables(sandbox)
        )
        assert selected.code == 2


def test_an_invalid_file_stops_apply_before_its_first_request_and_not_plan(project: Project) -> None:
    project.write("good", id="asst_1", name="New")
    project.write("bad", "id: asst_2\nnme: x\n")
    with running_sandbox({"asst_1": {}, "asst_2": {}}) as sandbox:
        env = connection_variables(sandbox)
        for command in ("plan", "drift"):
            sandbox.forget_requests()
            result = run(command, "--detailed-exitcode", cwd=project.root, env=env)
            assert result.code == 1
            assert result.stderr == (
                "assistants/bad.yaml:2:1: unknown field nme; did you mean name?\n    nme: x\n    ^\n"
            )
            assert "assistants/good.yaml" in result.stdout
            assert sandbox.calls == {"POST": 1, "GET": 1}
        sandbox.forget_requests()
        result = run("apply", "--yes", cwd=project.root, env=env)
        assert (result.code, sandbox.requests) == (1, [])
        assert "bad.yaml:2:1: unknown field nme" in result.stderr
        assert "Nothing was sent: a definition is not valid." in result.stdout
        assert result.stdout.endswith("Apply: 0 applied, 0 unchanged, 0 failed, 1 refused, 1 skipped.\n")

        result = run("apply", "--yes", "assistants/good.yaml", cwd=project.root, env=env)
        assert (result.code, result.stderr) == (0, "")
        assert sandbox.patches == [{"name": "New"}]


def test_validate_tells_problems_on_stdout(project: Project) -> None:
    project.write("bad", "id: asst_2\nnme: x\nname: 7\n")
    project.write("doubtful", "id: asst_3\nfirstMessage: 'Hi '\n")
    result = run("validate", cwd=project.root)
    assert (result.code, result.stderr) == (1, "")
    unknown, wrong, doubtful = result.stdout.splitlines()[:9:3]  # each with its line of the file, and a mark
    assert unknown == "assistants/bad.yaml:2:1: unknown field nme; did you mean name?"
    assert wrong.startswith("assistants/bad.yaml:3:7: name must be text; you wrote a whole number; put it in quotes")
    assert doubtful.startswith("assistants/doubtful.yaml:2:15: warning: firstMessage ends in white space; remove it")
    result = run("validate", "assistants/doubtful.yaml", cwd=project.root)
    assert result.code == 0
    result = run("validate", "--strict", "assistants/doubtful.yaml", cwd=project.root)
    assert result.code == 1
    assert "--strict allows none" in result.stdout


def test_an_ignore_entry_past_its_date_fails_validate(project: Project) -> None:
    project.configure(ignore=[{"path": "/name", "reason": "x", "expires": "2020-01-01"}])
    project.write("a", id="asst_1", name="A")
    result = run("validate", cwd=project.root)
    assert result.code == 1
    assert "reconciler.yaml:2:3:" in result.stdout
    assert "expired on 2020-01-01" in result.stdout


@pytest.mark.parametrize(
    ("limit", "written"),
    [("--max-changes=1", False), ("--max-changes=2", True), ("--max-changes=66%", False), ("", True)],
)
def test_more_changes_than_allowed_send_nothing(project: Project, limit: str, written: bool) -> None:
    for number in range(3):
        project.write(f"a{number}", id=f"asst_{number}", name="New")
    seed = {f"asst_{number}": {"name": "New" if number == 2 else "Old"} for number in range(3)}
    with running_sandbox(seed) as sandbox:
        result = run("apply", "--yes", *([limit] if limit else []), cwd=project.root, env=connection_variables(sandbox))
        assert len(sandbox.patches) == (2 if written else 0)
    assert result.code == (0 if written else 1)
    if not written:
        note = "Nothing was sent: 2 assistants would be written, but max_changes allows 1; if the plan is right, raise"
        assert note in " ".join(result.stdout.split())


def test_the_limit_may_stand_in_the_settings_and_the_option_wins(project: Project) -> None:
    project.configure(max_changes="0%")
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        assert run("apply", "--yes", cwd=project.root, env=connection_variables(sandbox)).code == 1
        assert sandbox.patches == []
        assert (
            run("apply", "--yes", "--max-changes", "1", cwd=project.root, env=connection_variables(sandbox)).code == 0
        )
        assert sandbox.patches == [{"name": "New"}]
        assert run("apply", "--yes", cwd=project.root, env=connection_variables(sandbox)).code == 0, (
            "nothing is left to change"
        )


@pytest.mark.parametrize(
    ("limit", "paths", "shown"),
    [(1, (), True), (2, (), False), ("50%", (), True), ("50%", ("assistants/a0.yaml",), False), (0, ("a0",), True)],
)
def test_a_plan_says_that_an_apply_would_not_be_allowed(
    project: Project, limit: int | str, paths: tuple[str, ...], shown: bool
) -> None:
    project.configure(max_changes=limit)
    for number in range(2):
        project.write(f"a{number}", id=f"asst_{number}", name="New")
    with running_sandbox({"asst_0": {}, "asst_1": {}}) as sandbox:
        variables = connection_variables(sandbox)
        results = {command: run(command, *paths, cwd=project.root, env=variables) for command in ("plan", "drift")}
    note = "would be written, but max_changes allows"
    said = {command: note in " ".join(result.stdout.split()) for command, result in results.items()}
    assert said == {"plan": shown, "drift": False}
    assert {result.code for result in results.values()} == {0}


def test_an_apply_that_brings_not_everything_is_1(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", id="asst_gone", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        result = run("apply", "--yes", "--fail-fast", cwd=project.root, env=connection_variables(sandbox))
        assert sandbox.patches == []
        assert "1 skipped" in result.stdout
        assert result.code == 1
        result = run("apply", "--yes", cwd=project.root, env=connection_variables(sandbox))
        assert sandbox.patches == [{"name": "New"}]
        assert result.code == 1


def test_without_a_terminal_apply_needs_a_yes(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {}}) as sandbox:
        result = run("apply", cwd=project.root, env=connection_variables(sandbox), stdin="y\n")
        assert sandbox.requests == []
    assert (result.code, result.stdout) == (1, "")
    assert "there is no terminal" in result.stderr
    assert "--yes" in result.stderr
