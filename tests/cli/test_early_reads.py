"""Assistants are read while the files of others are still being parsed."""

import pytest
from commands import connection_variables, run
from projects import Project
from servers import running_sandbox

COUNT = 300


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_reads_begin_before_the_last_file_is_parsed_and_none_is_sent_twice(project: Project, command: str) -> None:
    ids = [f"asst_{number:03}" for number in range(COUNT)]
    for number, name in enumerate(ids):
        project.write(f"{number:03}", id=name, name="New")
    project.write("same-id", id=ids[-1])
    project.write("zz-invalid", "id: asst_000\nnme: x\n")
    with running_sandbox({name: {} for name in ids}) as sandbox:
        result = run(command, "-v", cwd=project.root, env=connection_variables(sandbox))
        read = [path for method, path, _ in sandbox.requests if method == "GET"]
    assert result.code == 1
    # The problems of the files are shown once all of them are parsed.
    assert result.stderr.index("GET /assistants/asst_") < result.stderr.index("zz-invalid.yaml:2:1")
    assert len(read) == len(set(read))
    assert set(read) <= {f"/assistants/{name}" for name in ids}


def test_what_is_wrong_with_the_api_is_said_after_the_problems_of_the_files(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", "id: asst_2\nnme: x\n")
    lines = run("plan", cwd=project.root, env={"RECONCILER_API_URL": "ftp://nowhere"}).stderr.splitlines()
    assert next(line.split(":")[0] for line in lines if ":" in line) == "assistants/b.yaml"
    assert any(line.startswith("Error: ") for line in lines)
