"""The reference's example, told by the installed command: plan, apply, plan again, drift."""

import json

import pytest
from commands import connection_variables, run
from projects import MODEL, Project
from servers import running_sandbox

PATCH = {"model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.6}}


@pytest.mark.parametrize("nested", ["merge", "replace"])
def test_the_whole_story(project: Project, nested: str) -> None:
    project.write("enrollment", id="asst_123", model={"temperature": 0.6})
    with running_sandbox({"asst_123": {"name": "E", "model": MODEL}}, nested=nested) as sandbox:  # type: ignore[arg-type]
        env = connection_variables(sandbox)

        result = run("validate", cwd=project.root)
        assert (result.code, result.stdout, result.stderr) == (0, "1 definition is valid.\n", "")
        assert sandbox.requests == []

        result = run("plan", cwd=project.root, env=env)
        assert (result.code, result.stderr) == (0, "")
        assert "~ model.temperature: 0.7 -> 0.6\n" in result.stdout
        assert result.stdout.endswith("Plan: 1 to change, 0 drifted, 0 conflicts, 0 in sync, 0 errors.\n")
        assert sandbox.calls == {"POST": 1, "GET": 1}
        assert run("plan", "--detailed-exitcode", cwd=project.root, env=env).code == 2

        sandbox.forget_requests()
        result = run("apply", "--yes", "--format", "json", cwd=project.root, env=env)
        assert (result.code, result.stderr) == (0, "")
        assert sandbox.patches == [PATCH]
        assert sandbox.calls == {"POST": 1, "GET": 3, "PATCH": 1}
        report = json.loads(result.stdout)
        assert (report["assistants"][0]["outcome"], report["assistants"][0]["patch"]) == ("applied", PATCH)

        result = run("apply", "--yes", cwd=project.root, env=env)
        assert (result.code, sandbox.patches) == (0, [PATCH])
        assert result.stdout.endswith("Apply: 0 applied, 1 unchanged, 0 failed.\n")
        assert run("plan", "--detailed-exitcode", cwd=project.root, env=env).code == 0

        sandbox.edit("asst_123", model=MODEL)
        result = run("drift", "--detailed-exitcode", cwd=project.root, env=env)
        assert (result.code, result.stderr) == (2, "")
        assert "model.temperature: git has 0.6, live now has 0.7" in result.stdout
        assert result.stdout.endswith("Drift: 1 drifted, 0 conflicts, 0 in sync, 0 errors.\n")
        assert run("drift", cwd=project.root, env=env).code == 0
        assert sandbox.patches == [PATCH]
