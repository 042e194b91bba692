"""Where the repository's root is."""

from pathlib import Path

import pytest

from reconciler.files.folders import folder_in_git, is_there, repository_root, shown_path


@pytest.mark.parametrize("as_file", [False, True])
def test_the_nearest_folder_with_git_in_it(tmp_path: Path, as_file: bool) -> None:
    folder = tmp_path / "repository" / "agents" / "assistants"
    folder.mkdir(parents=True)
    git = tmp_path / "repository" / ".git"
    git.write_text("gitdir: elsewhere") if as_file else git.mkdir()

    assert repository_root(folder) == tmp_path / "repository"
    assert repository_root(tmp_path / "repository") == tmp_path / "repository"


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here" / "agents" / "assistants"
    folder.mkdir(parents=True)

    assert repository_root(folder) == tmp_path / "here" / "agents"
    monkeypatch.chdir(tmp_path / "here")
    assert repository_root(Path("agents/assistants")) == tmp_path / "here"


def test_a_folder_is_named_as_git_knows_it_whatever_links_lead_there(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "agents"
    folder.mkdir(parents=True)
    (folder.parent / ".git").mkdir()
    (tmp_path / "link").symlink_to(folder)
    root = repository_root(tmp_path / "link")
    assert folder_in_git(tmp_path / "link", root) == folder_in_git(folder, root) == "agents"
    assert folder_in_git(folder.parent, root) == "."


def test_what_cannot_be_looked_at_is_not_gone(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dead").symlink_to("nowhere")
    assert [is_there(tmp_path / name) for name in ("a", "b", "a/b", "loop", "dead")] == [True, *[False] * 4]
    with pytest.raises(OSError, match="File name too long"):
        is_there(tmp_path / ("x" * 300))


def test_shown_paths(tmp_path: Path) -> None:
    assert shown_path(tmp_path / "a" / "b.yaml", tmp_path) == "a/b.yaml"
    assert shown_path(tmp_path / "b.yaml", tmp_path / "a") == "../b.yaml"
