"""Objects that git reads, although no git of today would write them."""

import pytest

from reconciler.git.objects import parse_commit


@pytest.mark.parametrize(
    ("committer", "date"),
    [
        ("A <a@example.com> 1600000000 +0200", 1_600_000_000),
        ("A <a@example.com>", 0),
        ("A <a@example.com> 99999999999999999 +0000", 0),
    ],
)
def test_a_commit_needs_no_date_that_makes_sense(committer: str, date: int) -> None:
    commit = parse_commit("1" * 40, f"tree {'2' * 40}\nauthor A <a@example.com>\ncommitter {committer}\n\nOld".encode())
    assert (commit.date, commit.author, commit.message) == (date, "A", "Old")
