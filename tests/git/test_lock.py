"""Two runs at once in one clone and environment."""

import subprocess
from pathlib import Path

import pytest
from projects import Project

from reconciler.errors import RepositoryError
from reconciler.git.lock import hold_lock
from reconciler.git.repository import Repository


def test_a_second_run_is_told_to_wait(project: Project) -> None:
    git = Repository(project.root)
    with hold_lock(git, "staging"):
        with (
            pytest.raises(RepositoryError, match="another run is writing from this clone to the environment staging"),
            hold_lock(git, "staging"),
        ):
            pass
        with hold_lock(git, None), hold_lock(git, "production"):
            pass
    with hold_lock(git, "staging"):
        pass


def test_worktrees_of_a_clone_share_the_lock(project: Project, tmp_path: Path) -> None:
    def run(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(project.root), *arguments], check=True, capture_output=True)

    run("-c", "user.name=A", "-c", "user.email=a@example.test", "commit", "--quiet", "--allow-empty", "-m", "First")
    run("worktree", "add", "--quiet", str(tmp_path / "other"))
    with (
        hold_lock(Repository(project.root), None),
        pytest.raises(RepositoryError, match="another run is writing"),
        hold_lock(Repository(tmp_path / "other"), None),
    ):
        pass


def test_without_a_repository_there_is_none_to_hold(tmp_path: Path) -> None:
    nothing = Repository(tmp_path)
    with hold_lock(nothing, None), hold_lock(nothing, None):
        pass


def test_a_lock_that_cannot_be_had_is_named(project: Project) -> None:
    (project.root / ".git" / "reconciler-applied.lock").mkdir()
    with (
        pytest.raises(RepositoryError, match="cannot be acquired") as error_info,
        hold_lock(Repository(project.root), None),
    ):
        pass
    assert "may write to" in error_info.value.hint
