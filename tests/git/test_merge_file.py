"""Texts merged as git merges them, and a git that fails."""

from pathlib import Path

import pytest

from reconciler.errors import RepositoryError
from reconciler.git.merge_file import merge_texts


@pytest.mark.parametrize(
    ("base", "live", "desired", "merged"),
    [
        ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n"),
        ("a\nb\n", "A\nb\n", "a\nB\n", None),  # side by side
        ("a\nb\n", "a\nx\nb\n", "a\ny\nb\n", None),
        ("a\nb\n", "a\nx\nb\n", "a\nx\nb\n", "a\nx\nb\n"),
        ("a\nb", "a\nb\n", "A\nb", None),  # a line without its end is another one
        ("a\n\nb\n\nc", "a\n\nB\n\nc", "a\n\nb\n\nc\nd", "a\n\nB\n\nc\nd"),
        ("a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n"),
        ("a\x0bb\u2028c\n\nd\n", "a\x0bb\u2028C\n\nd\n", "a\x0bb\u2028c\n\nD\n", "a\x0bb\u2028C\n\nD\n"),
        ("a\nb\nc\n", "a \ud83c\nb\nc\n", "a\nb\nC\n", "a \ud83c\nb\nC\n"),  # half a surrogate pair
        ("a\nb\nc\n", "A\0\nb\nc\n", "a\nb\nC\n", None),  # binary data to git
        ("", "a\n", "b\n", None),
        ("a\nb\nc\n", "", "a\nb\nC\n", None),
        ("one", "two", "three", None),
    ],
)
def test_both_edits_are_in_it_or_there_is_none(base: str, live: str, desired: str, merged: str | None) -> None:
    assert merge_texts(base, live, desired) == merged
    assert merge_texts(base, desired, live) == merged


@pytest.mark.parametrize("fails", ["exit 128", "exit 255", "kill -9 $$"])
def test_a_git_that_fails_is_an_error_and_no_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    git = tmp_path / "git"
    git.write_text(f"#!/bin/sh\n{fails}\n", "utf-8")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="git merge-file"):
        merge_texts("a\nb\n", "A\nb\n", "a\nB\n")


def test_a_git_that_is_missing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="not on PATH"):
        merge_texts("a\nb\n", "A\nb\n", "a\nB\n")
