"""`reconciler import` as people run it: what it writes, says and refuses."""

import pytest
import yaml
from commands import connection_variables, run
from projects import MODEL, Project
from servers import running_sandbox

LIVE = {
    "name": "Enrollment Assistant",
    "model": {**MODEL, "provider": "groq", "messages": [{"role": "system"}]},
    "metadata": {"crmKey": "hush", "team": "x"},
}


def test_what_is_written_and_what_is_left_out(project: Project) -> None:
    project.folder.rmdir()
    project.configure(sensitive=["/metadata/crmKey"])
    with running_sandbox({"asst_1": LIVE}) as sandbox:
        env = connection_variables(sandbox)
        result = run("import", "asst_1", cwd=project.root, env=env)
        assert (result.code, result.stderr) == (0, "")
        assert result.stdout == (
            "assistants/enrollment-assistant.yaml: written for asst_1\n"
            "  not managed: model.provider; its value is not allowed in a definition\n"
            "  not written: metadata.crmKey; listed under sensitive in reconciler.yaml\n"
            "not managed: fields that the API's reference does not list. To manage them as well, paste this\n"
            "into reconciler.yaml, and import again:\n"
            "extra_fields:\n"
            "  - model.messages\n"
        )
        assert run("validate", cwd=project.root).code == 0
        assert run("plan", "--detailed-exitcode", cwd=project.root, env=env).code == 0
        result = run("apply", "--yes", cwd=project.root, env=env)
        assert (result.code, sandbox.patches) == (0, [])

        result = run("import", "asst_1", cwd=project.root, env=env)
        assert (result.code, result.stdout) == (1, "")
        assert result.stderr == "asst_1: already defined in assistants/enrollment-assistant.yaml\n"


def test_ids_from_stdin(project: Project) -> None:
    with running_sandbox({f"asst_{number}": {"name": "Same"} for number in range(3)}) as sandbox:
        ids = "\n# the first ones\nasst_0\n  asst_1  \r\nasst_0\n"
        result = run("import", "-", "asst_2", cwd=project.root, env=connection_variables(sandbox), stdin=ids)
    assert (result.code, result.stderr) == (0, "")
    assert sorted(file.name for file in project.folder.iterdir()) == ["same-2.yaml", "same-3.yaml", "same.yaml"]
    assert [yaml.safe_load((project.folder / name).read_text())["id"] for name in ("same.yaml", "same-3.yaml")] == [
        "asst_0",
        "asst_2",
    ]


@pytest.mark.parametrize("stdin", ["", "\n# none yet\n"])
def test_no_id_at_all_is_a_mistake(project: Project, stdin: str) -> None:
    result = run("import", "-", "", cwd=project.root, stdin=stdin)
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr == "Error: no id was given\n  `-` reads ids from stdin, one per line\n"


def test_ids_that_are_not_what_they_should_be(project: Project) -> None:
    with running_sandbox({"asst_0": {"name": "Same"}}) as sandbox:
        env = connection_variables(sandbox)
        marked = run("import", "-", cwd=project.root, env=env, stdin="\ufeffasst_0\r\n")
        sandbox.forget_requests()
        odd = run("import", "asst_\udce9", cwd=project.root, env=env)
        latin = run("import", "-", cwd=project.root, env={**env, "LC_ALL": "C"}, stdin="asst_\udce9\n")
        assert sandbox.calls == {}
    assert (marked.code, marked.stdout) == (0, "assistants/same.yaml: written for asst_0\n")
    assert (odd.code, odd.stderr) == (
        1,
        "asst_\\udce9: the id must be text that can be saved as UTF-8; you wrote text\n",
    )
    assert (latin.code, latin.stderr) == (1, "Error: the ids on stdin are not UTF-8 text\n  save the list as UTF-8\n")


def test_all_that_the_api_lists(project: Project) -> None:
    project.write("mine", id="asst_0")
    with running_sandbox({f"asst_{number}": {"name": f"N{number}"} for number in range(3)}, listing=True) as sandbox:
        result = run("import", "--all", cwd=project.root, env=connection_variables(sandbox))
    assert result.code == 0, "one that is defined already is no mistake here"
    assert result.stderr == "asst_0: already defined in assistants/mine.yaml\n"
    assert sorted(file.name for file in project.folder.iterdir()) == ["mine.yaml", "n1.yaml", "n2.yaml"]


def test_two_of_one_name_keep_a_file_each(project: Project) -> None:
    seed = {"asst_1": {"name": "مساعد القبول"}, "asst_2": {"name": "مساعد القبول"}}
    with running_sandbox(seed, listing=True) as sandbox:
        env = connection_variables(sandbox)
        assert run("import", "asst_1", cwd=project.root, env=env).code == 0
        result = run("import", "--force", "--all", cwd=project.root, env=env)
        planned = run("plan", "--detailed-exitcode", cwd=project.root, env=env)
    written = "assistants/مساعد-القبول.yaml: written for asst_1\nassistants/مساعد-القبول-2.yaml: written for asst_2\n"
    assert (result.code, result.stdout, result.stderr) == (0, written, "")
    assert planned.code == 0


def test_all_where_there_is_no_assistant(project: Project) -> None:
    with running_sandbox({}, listing=True) as sandbox:
        result = run("import", "--all", cwd=project.root, env=connection_variables(sandbox))
    assert (result.code, result.stdout, result.stderr) == (0, "", "the API has no assistants\n")


def test_all_where_the_api_lists_nothing(project: Project) -> None:
    with running_sandbox({"asst_1": {}}) as sandbox:
        result = run("import", "--all", cwd=project.root, env=connection_variables(sandbox))
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr == "Error: this API does not list all of its assistants\n  pass their ids instead of --all\n"


def test_one_that_fails_does_not_stop_the_others(project: Project) -> None:
    (project.folder / "taken.yaml").write_text("id: asst_9\n")
    seed = {"asst_1": {"name": "Taken"}, "asst_2": {"name": "\x1b[2J"}}
    with running_sandbox(seed) as sandbox:
        result = run(
            "import", "asst_gone", "asst_1", "asst_2", "a b", cwd=project.root, env=connection_variables(sandbox)
        )
    assert result.code == 1
    assert result.stdout == "assistants/taken-2.yaml: written for asst_1\nassistants/2j.yaml: written for asst_2\n"
    assert "asst_gone: GET /assistants/asst_gone: the API answered 404" in result.stderr
    assert "a b: the id " in result.stderr
    assert (project.folder / "taken.yaml").read_text() == "id: asst_9\n"


def test_what_stands_in_the_way_of_all_is_told_once(project: Project) -> None:
    with running_sandbox({"asst_1": LIVE}) as sandbox:
        env = {**connection_variables(sandbox), "RECONCILER_PASSWORD": "wrong"}
        result = run("import", "a b", "asst_1", "asst_2", cwd=project.root, env=env)
        assert [path for _, path, _ in sandbox.requests] == ["/auth/login"]
    assert (result.code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("a b: the id ")
    assert lines[1].startswith("Login failed: wrong password, or no such account.")
    assert lines[-1] == "  2 assistants: asst_1, asst_2"
    assert result.stderr.count("Login failed") == 1


def test_an_environment_without_a_place_for_the_id_is_refused_before_any_request(project: Project) -> None:
    with running_sandbox({"asst_1": LIVE}) as sandbox:
        project.configure(environments={"staging": {"api_url": sandbox.url}})
        result = run(
            "import", "asst_1", "--environment", "staging", cwd=project.root, env=connection_variables(sandbox)
        )
        assert sandbox.requests == []
    assert result.code == 1
    assert result.stderr == (
        "Error: the environment staging has no overlay folder for the ids\n"
        "  add one in reconciler.yaml: overlay: environments/staging\n"
    )
    assert not list(project.folder.glob("*.yaml"))


def test_what_cannot_be_declared_yet_is_listed_once_as_lines_that_can_be_pasted(project: Project) -> None:
    project.folder.rmdir()
    odd = {"name": "A", "model": {**MODEL, "messages": []}, "tool.ids": ["x"], "yes": 1}
    with running_sandbox({f"asst_{number}": odd for number in range(3)}) as sandbox:
        env = connection_variables(sandbox)
        result = run("import", "asst_0", "asst_1", "asst_2", cwd=project.root, env=env)
        lines = result.stdout.splitlines()
        pasted = lines[lines.index("extra_fields:") :]
        assert pasted == ["extra_fields:", "  - model.messages", "  - /tool.ids", '  - "yes"']
        (project.root / "reconciler.yaml").write_text("\n".join(pasted) + "\n")
        for file in project.folder.iterdir():
            file.unlink()
        result = run("import", "asst_0", cwd=project.root, env=env)
    assert "not managed" not in result.stdout
