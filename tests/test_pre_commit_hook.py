"""The hook for pre-commit: that its command exists, that it runs at every commit, and that it sees all files.

`tests/checks/pre_commit/check.py` tries it with the real pre-commit, which needs a network.
"""

import shlex
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml
from commands import run
from projects import Project

HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / ".pre-commit-hooks.yaml").read_text("utf-8")
)


def test_there_is_one_hook_with_the_keys_that_pre_commit_knows() -> None:
    (hook,) = HOOKS
    assert hook["id"] == "reconciler-validate"
    assert set(hook) == {"id", "name", "description", "entry", "language", "always_run", "pass_filenames"}
    # A commit that only deletes a file names none to pre-commit.
    assert (hook["language"], hook["always_run"], hook["pass_filenames"]) == ("python", True, False)


def test_it_runs_a_command_that_is_installed(tmp_path: Path) -> None:
    command, *arguments = shlex.split(HOOKS[0]["entry"])
    assert command in entry_points(group="console_scripts").names
    assert arguments == ["validate"]
    result = run(*arguments, "--directory", "agents", "--strict", "--help", cwd=tmp_path)
    assert result.code == 0


def test_what_it_runs_finds_one_id_in_two_files_of_which_one_is_old(project: Project) -> None:
    project.write("old", id="asst_1", name="A")
    project.write("new", id="asst_1", name="B")
    result = run(*shlex.split(HOOKS[0]["entry"])[1:], cwd=project.root)
    assert result.code == 1
    assert "assistants/new.yaml:1:5: the id asst_1 is also used in assistants/old.yaml:1:5" in result.stdout
