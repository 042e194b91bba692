"""The line that shows how far a run is."""

import os
import sys

import pytest

from reconciler.cli.connect import FEW_ITEMS, progress_line


@pytest.mark.parametrize(
    ("is_shown", "total", "is_terminal"),
    [(True, FEW_ITEMS + 1, True), (True, FEW_ITEMS, False), (False, FEW_ITEMS + 1, False)],
)
def test_it_is_for_many_at_a_terminal(
    capsys: pytest.CaptureFixture[str], is_shown: bool, total: int, is_terminal: bool
) -> None:
    with progress_line("Reading", visible=is_shown) as advance:
        for done in range(1, total + 1):
            advance(done, total)
    written = capsys.readouterr()
    assert written.out == ""
    assert ("Reading" in written.err) == is_terminal


def test_it_ends_with_a_run_that_ends_early(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_line("Reading", visible=True) as advance:
        advance(1, 50)
    assert capsys.readouterr().err.endswith("\n")


def test_a_terminal_that_is_gone_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal, progress_line("Writing", visible=True) as advance:
        monkeypatch.setattr(sys, "stderr", terminal)
        os.close(ours)
        for done in range(1, FEW_ITEMS + 2):
            advance(done, FEW_ITEMS + 1)
