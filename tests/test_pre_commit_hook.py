"""The hook for pre-commit: that its command exists, when it runs, and that it sees all files.

`tests/checks/pre_commit/check.py` tries it with the real pre-commit, which needs a network.
"""

import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import run
from projects import Project

HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / ".pre-commit-hooks.yaml").read_text("utf-8")
)


def test_there_is_one_hook_with_the_keys_that_pre_commit_knows() -> None:
    (hook,) = HOOKS
    assert hook["id"] == "reconciler-validate"
    assert set(hook) == {"id", "name", "description", "entry", "language", "files", "pass_filenames"}
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)


def test_it_runs_a_command_that_is_installed(tmp_path: Path) -> None:
    command, *arguments = shlex.split(HOOKS[0]["entry"])
    assert command in entry_points(group="console_scripts").names
    assert arguments == ["validate"]
    done = run(*arguments, "--directory", "agents", "--strict", "--help", cwd=tmp_path)
    assert done.code == 0


@pytest.mark.parametrize(
    ("file", "runs"),
    [
        ("assistants/a.yaml", True),
        ("assistants/admissions/north/a.yml", True),
        ("environments/staging/a.yaml", True),
        ("reconciler.yaml", True),
        ("docs/reconciler.yaml", False),
        ("old/assistants/a.yaml", False),
        ("assistants/prompts/a.md", True),
        (".github/workflows/plan.yml", False),
    ],
)
def test_it_runs_when_a_definition_or_the_settings_change(file: str, runs: bool) -> None:
    assert bool(re.search(HOOKS[0]["files"], file)) is runs


def test_what_it_runs_finds_one_id_in_two_files_of_which_one_is_old(project: Project) -> None:
    project.write("old", id="asst_1", name="A")
    project.write("new", id="asst_1", name="B")
    done = run(*shlex.split(HOOKS[0]["entry"])[1:], cwd=project.root)
    assert done.code == 1
    assert "assistants/new.yaml:1:5: the id asst_1 also stands in assistants/old.yaml:1:5" in done.stdout
