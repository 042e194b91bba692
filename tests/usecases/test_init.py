"""A new project: what `init` writes is complete, valid, and never takes the place of anything."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from commands import COMMAND, run

from reconciler.usecases.init import list_files

ROOT = Path(__file__).parent.parent.parent

SOURCE = f"north/reconciler@{'a' * 40}"


def test_a_project_begins_and_is_valid(tmp_path: Path) -> None:
    result = run("init", "--ci", "github", "--from", SOURCE, "--api-url", "https://agents.test/api", cwd=tmp_path)
    assert result.code == 0, result.stderr
    written = [line.removeprefix("wrote ") for line in result.stdout.splitlines()]
    assert {"reconciler.yaml", "assistants/.gitkeep", ".vscode/settings.json"} < set(written)
    assert yaml.safe_load((tmp_path / "reconciler.yaml").read_text()) == {
        "api_url": "https://agents.test/api",
        "record": True,
    }
    (workflow,) = (tmp_path / ".github" / "workflows").iterdir()
    called = re.findall(r"uses: (.*)", workflow.read_text())
    assert called == [
        f"north/reconciler/.github/workflows/{name}.yml@{'a' * 40}"
        for name in ("plan", "apply", "drift", "rollback", "retire")
    ]
    assert "gh workflow run assistants.yml -f do=first-run" in result.stderr
    assert "gh secret set --env production RECONCILER_EMAIL" in result.stderr
    contents = re.findall(r"<<< '(.*?)'", result.stderr, re.DOTALL)
    assert [sorted(json.loads(one)) for one in contents] == [
        ["deployment_branch_policy"],
        ["conditions", "enforcement", "name", "rules", "target"],
    ]
    (tmp_path / "assistants" / "a.yaml").write_text("id: new\nname: A\n")
    assert run("validate", cwd=tmp_path).code == 0


def test_a_folder_with_a_blank_in_its_name_suits_git_and_the_shell(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    steps = run("init", "--directory", "our bots", cwd=tmp_path).stderr
    assert " RECONCILER_EMAIL=... RECONCILER_DIRECTORY='our bots'\n" in steps
    command = ["git", "check-attr", "eol", "--", "our bots/new one.yaml"]
    result = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("our bots/new one.yaml: eol: lf\n", "")


def test_nothing_that_is_there_is_touched(tmp_path: Path) -> None:
    for name in ("reconciler.yaml", ".gitlab-ci.yml", "schema/settings.schema.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".vscode").symlink_to(elsewhere)
    result = run("init", "--ci", "gitlab", cwd=tmp_path)
    assert (result.code, [*elsewhere.iterdir()]) == (0, [])
    assert "left reconciler.yaml: it already exists" in result.stderr
    assert {(tmp_path / name).read_text() for name in ("reconciler.yaml", ".gitlab-ci.yml")} == {"mine"}
    assert (tmp_path / "ci" / "plan.sh").stat().st_mode & 0o111
    again = run("init", "--ci", "gitlab", cwd=tmp_path)
    assert (again.code, again.stdout) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="a limit of POSIX")
def test_no_part_of_a_file_stays_where_the_disk_is_full(tmp_path: Path) -> None:
    limited = f"ulimit -f 0; exec '{COMMAND}' init"
    result = subprocess.run(
        ["sh", "-c", limited], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (1, "wrote assistants/.gitkeep\n")
    assert "reconciler.yaml: cannot be written: File too large" in result.stderr
    assert run("init", cwd=tmp_path).stdout.startswith("wrote reconciler.yaml\n")


ENDED_AT_A_WRITE = """
import os, signal, sys
number, left = int(sys.argv.pop(1)), int(sys.argv.pop(1))
def look(frame, event, called):
    global left
    left -= event == "c_call" and called.__name__ == "write"
    if left == 0:
        os.kill(os.getpid(), number)
from reconciler.cli.main import main
sys.setprofile(look)
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="a signal of POSIX")
@pytest.mark.parametrize(("number", "code", "left"), [(signal.SIGKILL, -9, 1), (signal.SIGINT, 130, 0)])
@pytest.mark.parametrize("write", [5, 11])
def test_no_part_of_a_file_stays_where_it_is_ended(
    tmp_path: Path, number: signal.Signals, code: int, left: int, write: int
) -> None:
    words = [sys.executable, "-B", "-c", ENDED_AT_A_WRITE, str(int(number)), str(write), "init"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=60, check=False).returncode == code
    # A killed process cannot remove its temporary file.
    assert len([*tmp_path.rglob(".reconciler-*")]) == left
    assert run("init", cwd=tmp_path).code == 0
    files = list_files("assistants", api_url=None, ci=None, package=None)
    assert {file: (tmp_path / file).read_text("utf-8") for file in files} == files


def test_the_older_form_of_one_file_for_each_job_goes_on_alone(tmp_path: Path) -> None:
    older = tmp_path / ".github" / "workflows" / "assistants-apply.yml"
    older.parent.mkdir(parents=True)
    older.write_text("mine")
    result = run("init", "--ci", "github", cwd=tmp_path)
    assert [*older.parent.iterdir()] == [older]
    assert "left .github/workflows/assistants.yml: what it would replace already exists" in result.stderr


@pytest.mark.parametrize("given", [["--from", "main"], ["--directory", "../x"], ["--api-url", "nonsense"]])
def test_what_makes_no_sense_writes_nothing(tmp_path: Path, given: list[str]) -> None:
    assert run("init", *given, cwd=tmp_path).code == 1
    assert list(tmp_path.iterdir()) == []


def test_below_a_project_init_names_the_folder_of_that_project(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "reconciler.yaml").touch()
    (tmp_path / "below").mkdir()
    result = run("init", cwd=tmp_path / "below")
    assert (result.code, [*(tmp_path / "below").iterdir()]) == (1, [])
    assert "the definitions' folder is ../assistants, and init works only in a folder above it" in result.stderr


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_pipeline_is_not_written_where_the_host_would_not_find_it(tmp_path: Path, ci: str) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "below").mkdir()
    result = run("init", "--ci", ci, cwd=tmp_path / "below")
    assert (result.code, [*(tmp_path / "below").iterdir()]) == (1, [])
    assert "only in the repository's root" in result.stderr
    assert f"run this in {tmp_path}, with --directory below/assistants\n" in result.stderr
    hinted = run("init", "--ci", ci, "--directory", "below/assistants", cwd=tmp_path)
    pipeline = {"github": [".github/workflows/assistants.yml"], "gitlab": [".gitlab-ci.yml", "ci/assistants.yml"]}[ci]
    names = [*pipeline, "below/assistants/.gitkeep", "below/reconciler.yaml", "below/.gitattributes"]
    assert {f"wrote {name}" for name in names} <= set(hinted.stdout.splitlines())
    assert "below/assistants" in (tmp_path / pipeline[-1]).read_text("utf-8")
    assert '"/assistants/**"' in (tmp_path / "below" / ".gitattributes").read_text("utf-8")
    assert "export RECONCILER_API_URL=... RECONCILER_EMAIL=... RECONCILER_DIRECTORY=below/assistants" in hinted.stderr


def test_a_folder_in_another_repository_is_named_as_it_is_there(tmp_path: Path) -> None:
    for name in ("here", "other"):
        subprocess.run(["git", "init", "--quiet", name], cwd=tmp_path, check=True)
    (tmp_path / "here" / "link").symlink_to(tmp_path / "other")
    result = run("init", "--ci", "github", "--directory", "link/assistants", cwd=tmp_path / "here")
    assert (result.code, [*(tmp_path / "other").glob("*.yaml")]) == (1, [])
    assert f"run this in {tmp_path / 'other'}, with --directory assistants\n" in result.stderr


def test_another_folder_is_named_in_the_pipeline() -> None:
    for ci in ("github", "gitlab"):
        files = list_files("bots", api_url=None, ci=ci, package=None)
        for path, text in files.items():
            if path.endswith(".yml") and path != ".gitlab-ci.yml":
                assert "bots" in json.dumps(yaml.safe_load(text)), path
        assert "bots/**/*.yaml" in files[".vscode/settings.json"]


def test_the_page_shows_what_is_written() -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    for file in sorted((ROOT / "reconciler" / "starter").rglob("*.yml")):
        assert f"\n{file.read_text('utf-8')}```\n" in page, file.name
