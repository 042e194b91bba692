"""`--format github` as a runner sees it: annotations on stdout, and the two files that it names."""

import re
from pathlib import Path
from typing import Any

import pytest
from commands import connection_variables, run
from projects import MODEL, Project
from servers import Sandbox, running_sandbox
from stories import story

from reconciler.core.outcome import Outcome, Status

RUNNER = {"GITHUB_ACTIONS": "true"}
LIMIT = 1_000 * 1024
LIVE: dict[str, dict[str, Any]] = {"asst_1": {"name": "Old", "model": MODEL}, "asst_2": {"name": "Same"}}
ATTACK = "::set-output name=has_errors::false"


class Files:
    """The files that a runner names to a step."""

    def __init__(self, folder: Path) -> None:
        self.summary = folder / "summary.md"
        self.output = folder / "output.txt"
        self.env = {**RUNNER, "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_OUTPUT": str(self.output)}

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text("utf-8").splitlines() if "=" in line)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def two(project: Project) -> Project:
    project.write("a", "id: asst_1\nname: New\nmodel:\n  temperature: 0.6\n")
    project.write("b", id="asst_2", name="Same")
    return project


def environment(sandbox: Sandbox, files: Files) -> dict[str, str]:
    return {**connection_variables(sandbox), **files.env}


def test_validate_annotates_each_problem_on_its_own_line(project: Project, files: Files) -> None:
    project.write("bad", "id: asst_1\nnmae: X\nmodel:\n  temperature: 9\n")
    result = run("validate", "--format", "github", cwd=project.root, env=files.env)
    assert (result.code, result.stderr) == (1, "")
    places = re.findall(r"^::error file=assistants/bad\.yaml,line=(\d+),col=\d+,title=", result.stdout, re.MULTILINE)
    assert places == ["2", "4"]
    assert files.outputs() | {"has_errors": "true", "error": "1", "has_changes": "false"} == files.outputs()
    assert files.summary.read_text("utf-8").startswith("## Validate\n")


def test_a_plan_fills_both_files_and_leaves_what_was_there(two: Project, files: Files) -> None:
    files.summary.write_text("before, without a line end", "utf-8")
    files.output.write_text("mine=1\n", "utf-8")
    with running_sandbox(LIVE) as sandbox:
        result = run("plan", "--format", "github", cwd=two.root, env=environment(sandbox, files))
        plain = run("plan", "--format", "markdown", cwd=two.root, env=connection_variables(sandbox))
    assert (result.code, result.stderr) == (0, "")
    assert "::error" not in result.stdout
    assert result.stdout.splitlines()[-1] == "Plan: 1 to change, 0 drifted, 0 conflicts, 1 in sync, 0 errors."
    assert files.summary.read_text("utf-8") == "before, without a line end\n\n" + plain.stdout
    assert files.outputs() == {
        "mine": "1",
        "has_changes": "true",
        "has_drift": "false",
        "has_conflicts": "false",
        "has_errors": "false",
        **dict.fromkeys((*Status, *Outcome), "0"),
        **dict.fromkeys(("pending", "in_sync"), "1"),
        "total": "2",
    }


def test_drift_is_an_annotation_on_the_line_that_was_overridden(two: Project, files: Files) -> None:
    with running_sandbox({**LIVE, "asst_1": {"name": "New", "model": MODEL}}) as sandbox:
        result = run("drift", "--base", "none", "--format", "github", cwd=two.root, env=environment(sandbox, files))
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.startswith(
        "::warning file=assistants/a.yaml,line=4,title=Edited in the dashboard%3A New::model.temperature:"
    )
    assert files.outputs() | {"has_drift": "true", "drifted": "1", "has_changes": "false"} == files.outputs()


def test_an_apply_that_was_refused_is_an_error_on_its_file(two: Project, files: Files) -> None:
    with running_sandbox(LIVE) as sandbox:
        env = {**connection_variables(sandbox, email="viewer@sandbox.test"), **files.env}
        result = run("apply", "--yes", "--format", "github", cwd=two.root, env=env)
    assert result.code == 1
    assert result.stdout.startswith(
        "::error file=assistants/a.yaml,line=1,title=Failed%2C nothing was changed%3A New::"
    )
    assert files.outputs() | {"has_errors": "true", "failed": "1", "unchanged": "1"} == files.outputs()


def test_a_saved_report_gives_the_same_lines_and_files(two: Project, files: Files, tmp_path: Path) -> None:
    with running_sandbox({**LIVE, "asst_2": {"name": "Other"}}) as sandbox:
        env = environment(sandbox, files)
        live = run("plan", "--format", "github", "--report", "plan.json", cwd=two.root, env=env)
    again = Files(tmp_path / "again")
    again.summary.parent.mkdir()
    result = run("report", "plan.json", "--format", "github", cwd=two.root, env=again.env)
    assert result.stdout == live.stdout
    assert again.summary.read_bytes() == files.summary.read_bytes()
    assert again.output.read_bytes() == files.output.read_bytes()


def test_a_summary_keeps_to_its_limit_together_with_what_is_there_already(project: Project, files: Files) -> None:
    prompt = "\n".join(f"{line}. Grüße jede Anruferin und jeden Anrufer freundlich ☕." for line in range(25))
    for number in range(500):
        messages = [{"role": "system", "content": f"{prompt} {number}"}]
        project.write(f"many/a{number:03}", id=f"asst_{number}", model={"messages": messages}, firstMessage=prompt)
    project.configure(
        extra_fields=["/model/messages"], lints=dict.fromkeys(["spoken-markdown", "spoken-emoji"], "none")
    )
    earlier_text = "x" * 100_000
    files.summary.write_text(earlier_text, "utf-8")
    with running_sandbox({f"asst_{number}": {"model": MODEL} for number in range(500)}) as sandbox:
        env = environment(sandbox, files)
        first = run("plan", "--format", "github", cwd=project.root, env=env)
        size = files.summary.stat().st_size
        text = files.summary.read_text("utf-8").removeprefix(earlier_text)
        second = run("plan", "--format", "github", cwd=project.root, env=env)
    assert (first.code, first.stderr) == (0, "")
    assert LIMIT - 20_000 < size <= LIMIT
    assert len({*re.findall(r"^\| .*\b(many/a\d{3})\b", text, re.MULTILINE)}) == 500
    assert text.count("\n```") % 2 == 0
    assert text.count("<details>") == text.count("</details>")
    assert "_Left out to fit the size limit: " in text
    assert files.summary.stat().st_size <= LIMIT
    assert second.code == 0


def test_a_full_summary_is_left_alone(two: Project, files: Files) -> None:
    files.summary.write_bytes(b"x" * (LIMIT - 500))
    with running_sandbox(LIVE) as sandbox:
        result = run("plan", "--format", "github", cwd=two.root, env=environment(sandbox, files))
    assert result.code == 0
    assert result.stderr == "The job's summary is full; this report is not in it.\n"
    assert files.summary.read_bytes() == b"x" * (LIMIT - 500)
    assert files.outputs()["pending"] == "1"


def test_without_a_runner_there_are_annotations_and_no_files(two: Project) -> None:
    two.write("bad", "id: [\n")
    before = sorted(two.root.rglob("*"))
    with running_sandbox(LIVE) as sandbox:
        result = run("plan", "--format", "github", cwd=two.root, env=connection_variables(sandbox))
    assert result.stdout.startswith("::error file=assistants/bad.yaml,line=")
    assert sorted(two.root.rglob("*")) == before


def test_a_file_that_cannot_be_written_is_named_and_the_rest_is_there(two: Project, files: Files) -> None:
    env = {**files.env, "GITHUB_STEP_SUMMARY": str(two.root)}
    result = run("validate", "--format", "github", cwd=two.root, env=env)
    assert result.code == 1
    assert "cannot be written: Is a directory" in result.stderr
    assert "GITHUB_STEP_SUMMARY" in result.stderr
    assert result.stdout == "2 definitions are valid.\n"
    assert files.outputs()["has_errors"] == "false"


def test_another_format_leaves_the_runner_s_files_alone(two: Project, files: Files) -> None:
    assert run("validate", cwd=two.root, env=files.env).code == 0
    assert not files.summary.exists()
    assert not files.output.exists()


@pytest.mark.parametrize("format_", ["text", "markdown", "json", "github"])
def test_nothing_that_anybody_wrote_becomes_a_command(project: Project, files: Files, format_: str) -> None:
    project.write("a", id="asst_1", name=f"{ATTACK}\n##[set-output name=x]y", firstMessage="word " * 30 + f"\n{ATTACK}")
    project.write("bad", f'id: asst_2\n"##[set-output name=x]": 1\n"{ATTACK}": 1\n')
    live = {"asst_1": {"name": f"##[debug]{'word ' * 30}{ATTACK}", "firstMessage": f"{ATTACK}\n##[debug]x"}}
    with running_sandbox(live) as sandbox:
        result = run("plan", "--format", format_, cwd=project.root, env=environment(sandbox, files))
    ours = re.compile(r"::(error|warning) file=assistants/[a-z]+\.yaml,(line=\d+,)?(col=\d+,)?title=[^:]*::")
    for line in (result.stdout + result.stderr).splitlines():
        if line.lstrip().startswith("::"):
            assert ours.match(line), line
        else:
            assert "##[" not in line
    assert "set-output" in result.stdout + result.stderr


def test_no_name_becomes_a_command_in_what_other_commands_list(tmp_path: Path) -> None:
    name = "##[set-output name=x]y"
    listing = (("announce", "--token", "t"), ("history",), ("doctor",), ("pull",), ("import", "asst_a", "--force"))
    with story(tmp_path / "work", {"a": {"metadata": {name: "older"}}}) as repo:
        repo.write(name, id="asst_a", metadata={name: "old"})
        repo.write(f"{name}-new", id="new", name="N")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", metadata={name: "edited"})
        for words in listing:
            result = repo.run(*words, env=RUNNER)
            shown = result.stdout + result.stderr
            assert "# #[set-output" in shown, (words, shown)
            assert "##[set-output" not in shown, words
