"""The benchmarks count what they say they count. Times are theirs alone: no test looks at a clock."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from benchmarks.figures import Sizes, at_most, calls, imports, record_cost
from benchmarks.fleet import FOLDER, assistant, definition, write_fleet
from benchmarks.runs import Bench, FailedRun, local_api, measure_in_turns, ratio
from reconciler.assistant.fields import TOP_LEVEL

TINY = Sizes(assistants=7, differing=2, concurrency=3)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "bytecode")


def test_api_calls_are_exact_and_connections_kept_alive(bench: Bench, tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in calls(bench, tmp_path / "fleet", TINY)}
    counted = {name.removeprefix("API calls, "): figure.measured for name, figure in figures.items() if "API" in name}
    assert counted == {
        "validate": "none",
        "plan": "1 POST, 7 GET",
        "drift": "1 POST, 7 GET",
        "apply": "1 POST, 11 GET, 2 PATCH",
        "apply again": "1 POST, 7 GET",
    }
    assert {figures[name].verdict for name in figures if "API" in name} == {"pass"}
    connections = {name.removeprefix("connections, "): figures[name].measured for name in figures if "connect" in name}
    assert connections.pop("validate") == "0, 0 requests at once"
    for name, measured in connections.items():
        connection_count, at_once = (int(part.split()[0]) for part in measured.split(","))
        # Each carries several requests. How many are made, only a machine without pauses tells: an idle one is dropped.
        requests = sum(int(part.split()[0]) for part in counted[name].split(","))
        assert (1 <= connection_count < requests, 1 <= at_once <= 3) == (True, True), f"{name}: {measured}"


def test_an_apply_with_a_record_starts_few_git_processes(bench: Bench, tmp_path: Path) -> None:
    processes, _ = record_cost(bench, tmp_path, dataclasses.replace(TINY, rounds=1))
    assert processes.verdict == "pass"
    assert 1 < int(processes.measured.split()[0]) <= 12


def test_each_request_of_a_number_fails_and_is_repeated(bench: Bench, tmp_path: Path) -> None:
    write_fleet(tmp_path / "fleet", 7)
    with local_api(bench, tmp_path / "fleet", latency_ms=0, fail_every=3) as api:
        _, counts = api.reconciler("plan", concurrency=3)
    assert sum(counts.calls.values()) == 1 + 7 + 3


def test_nothing_is_imported_that_a_command_does_not_need(bench: Bench, tmp_path: Path) -> None:
    assert [figure.measured for figure in imports(bench, tmp_path / "fleet", TINY)] == ["none"] * 3


def test_the_fleet_declares_every_field_and_is_in_sync() -> None:
    declared = yaml.safe_load(definition(3))
    assert set(declared) == {"id", *TOP_LEVEL}
    assert 1200 < len(definition(3)) < 1600
    live = assistant(3, temperature=0.6)
    live["model"].pop("tools")
    assert {key: live[key] for key in declared} == declared


def test_a_run_that_fails_says_what_it_printed(bench: Bench, tmp_path: Path) -> None:
    write_fleet(tmp_path / "fleet", 1)
    (tmp_path / "fleet" / FOLDER / "broken.yaml").write_text("nam: x\n")
    with local_api(bench, tmp_path / "fleet", latency_ms=0) as api, pytest.raises(FailedRun, match=r"broken\.yaml"):
        api.reconciler("plan", concurrency=1)


def test_ratios_are_those_of_the_best_turns() -> None:
    times = iter([9.0, 9.0, 4.0, 1.0, 2.0, 3.0, 8.0, 8.0])
    slow, fast = measure_in_turns(3, times.__next__, times.__next__)
    assert (slow, fast) == ([4.0, 2.0, 8.0], [1.0, 3.0, 8.0])
    assert ratio(slow, fast) == 2.0


def test_a_miss_is_a_failure_only_beyond_its_tolerance() -> None:
    verdicts = {times: at_most("it", times, "that", 1.5).verdict for times in (1.5, 1.51, 1.65, 1.66)}
    assert verdicts == {1.5: "pass", 1.51: "near", 1.65: "near", 1.66: "MISS"}
