"""A sample of the soak: `make soak` runs many times as many."""

import subprocess
import sys
from pathlib import Path

import pytest
from depth import examples

from soak.__main__ import tell
from soak.schedule import ScheduleResult, run_schedule


@pytest.mark.parametrize("seed", range(1, 1 + examples(25)))
def test_nothing_is_lost_changed_or_told_wrongly(seed: int) -> None:
    found = run_schedule(seed)
    assert not found.wrong, (found.nested, found.rules, *found.wrong)
    assert found.runs > 1


def test_one_line_tells_of_all_schedules() -> None:
    command = [sys.executable, "-m", "soak", "--schedules", "2", "--seed", "7", "--jobs", "1"]
    result = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.startswith("Soak: 2 schedules from seed 7, 40 assistants each: ")
    assert result.stdout.endswith("; 0 schedules failed.\n")


def test_a_schedule_that_fails_tells_how_to_run_it_alone(capsys: pytest.CaptureFixture[str]) -> None:
    tell(ScheduleResult(42, ("GET *: 503",), "merge", ("the end: a01 is lost",), 1, 1, 1, {}))
    output = capsys.readouterr().out
    assert "make soak SCHEDULES=1 SEED=42" in output
    assert "--fault 'GET *: 503'" in output
    assert "a01 is lost" in output
