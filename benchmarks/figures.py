"""The figures themselves: what is measured, what it is compared with, and the goal that it has to meet.

Counts are exact and have to be right; times are ratios between what ran side by side.
"""

import functools
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import FOLDER, write_fleet
from benchmarks.runs import Bench, Came, LocalApi, Took, interleaved, local_api, ratio

IMPORT_CLICK = "import click"
# What a command that checks YAML against a model cannot do without.
IMPORT_MODELS = """
import click, yaml, pydantic
class Model(pydantic.BaseModel):
    name: str
    size: int = 0
"""
PARSE = """
import pathlib, sys, time, yaml
started = time.perf_counter()
for path in pathlib.Path(sys.argv[1]).rglob("*.yaml"):
    yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
print(time.perf_counter() - started)
"""
LEAST_MEMORY = 55 * 1024  # KiB
MEMORY_EACH = 10  # KiB


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `exact` says that a miss is a fault, and not the machine's bad day."""

    name: str
    measured: str
    goal: str
    met: bool
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: assistants, of which some differ; latency; requests in flight; turns."""

    assistants: int = 1000
    many: int = 10_000
    differing: int = 10
    latency_ms: float = 20.0
    concurrency: int = 16
    rounds: int = 5

    @property
    def limit(self) -> float:
        """The seconds that the API's latency alone takes."""
        return self.assistants * self.latency_ms / 1000 / self.concurrency


def calls(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Count the API calls of each command, and its connections."""
    write_fleet(folder, sizes.assistants, differing=range(sizes.differing))
    n, k = sizes.assistants, sizes.differing
    reading = {"POST": 1, "GET": n}
    wanted = {"validate": {}, "plan": reading, "drift": reading, "apply": {"POST": 1, "GET": n + 2 * k, "PATCH": k}}
    with local_api(bench, folder, latency_ms=1) as api:
        for command, goal in [*wanted.items(), ("apply again", reading)]:
            words = [*command.split()[:1], *(["--yes"] if command.startswith("apply") else [])]
            came = _calls(api, words, sizes)
            yield Figure(f"API calls, {command}", _told(came.calls), _told(goal), came.calls == goal, exact=True)
            if command != "validate":
                yield _connections(command, came, sizes.concurrency)


def plan_time(bench: Bench, folder: Path, sizes: Sizes, *, differing: int = 0) -> Iterator[Figure]:
    """Time a whole `plan`, start-up included, as a multiple of what the API's latency alone takes."""
    write_fleet(folder, sizes.assistants, differing=range(differing))
    with local_api(bench, folder, latency_ms=sizes.latency_ms) as api:
        (seconds,) = interleaved(sizes.rounds, lambda: _plan(api, sizes).seconds)
    what = f"{differing} differ" if differing else "nothing differs"
    yield _at_most(f"plan of {sizes.assistants}, {what}", statistics.median(seconds) / sizes.limit, 1.6, "limit")


def growth(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan of many assistants with a plan of some, at a latency at which the client is what counts."""
    few, many = folder / "few", folder / "many"
    write_fleet(few, sizes.assistants)
    write_fleet(many, sizes.many)
    with local_api(bench, few, latency_ms=1) as small, local_api(bench, many, latency_ms=1) as large:
        _plan(small, sizes)
        turns = [(_plan(small, sizes), _plan(large, sizes), _plan(small, sizes)) for _ in range(1)]
    times = statistics.median(2 * large.seconds / (before.seconds + after.seconds) for before, large, after in turns)
    goal = 10.5 * sizes.many / sizes.assistants / 10
    yield _at_most(f"plan of {sizes.many}", times, goal, f"plan of {sizes.assistants}")
    for size, took in ((sizes.assistants, turns[0][0]), (sizes.many, turns[0][1])):
        bound = LEAST_MEMORY + MEMORY_EACH * size
        measured, goal_told = f"{took.memory / 1024:.0f} MiB", f"{bound / 1024:.0f} MiB"
        yield Figure(f"memory, plan of {size}", measured, goal_told, took.memory <= bound)


def start_up(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare the start of the command, and a small `validate`, with what they cannot do without."""
    write_fleet(folder, 10)
    validate = ("validate", "--directory", str(folder / FOLDER))
    subjects: list[Callable[[], Took]] = [
        lambda: bench.python(IMPORT_CLICK),
        lambda: bench.reconciler("--version"),
        lambda: bench.reconciler("--help"),
        lambda: bench.python(IMPORT_MODELS),
        lambda: bench.reconciler(*validate),
    ]
    click, version, help_, models, ten = interleaved(2 * sizes.rounds + 1, *map(_seconds, subjects))
    yield _at_most("--version", ratio(version, click), 1.3, "import click")
    yield _at_most("--help", ratio(help_, click), 1.3, "import click")
    yield _at_most("validate of 10", ratio(ten, models), 1.3, "import click, yaml, pydantic")


def validate_time(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare `validate`, start-up included, with nothing but the C loader's parse of the same files."""
    write_fleet(folder, sizes.assistants)
    definitions = str(folder / FOLDER)
    parse, validate = interleaved(
        sizes.rounds,
        lambda: float(bench.python(PARSE, definitions).printed),
        lambda: bench.reconciler("validate", "--directory", definitions).seconds,
    )
    yield _at_most(f"validate of {sizes.assistants}", ratio(validate, parse), 3.0, "C loader's parse")


def all_figures(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Measure everything, each figure in a folder of its own below `folder`."""
    measured = [calls, start_up, validate_time, plan_time, functools.partial(plan_time, differing=10), growth]
    for number, figures in enumerate(measured):
        yield from figures(bench, folder / str(number), sizes)


def _calls(api: LocalApi, words: list[str], sizes: Sizes) -> Came:
    return api.reconciler(*words, concurrency=sizes.concurrency)[1]


def _plan(api: LocalApi, sizes: Sizes) -> Took:
    return api.reconciler("plan", concurrency=sizes.concurrency)[0]


def _seconds(subject: Callable[[], Took]) -> Callable[[], float]:
    return lambda: subject().seconds


def _told(counted: object) -> str:
    return str(counted)


def _connections(command: str, came: Came, concurrency: int) -> Figure:
    """Tell how many connections carried everything: kept alive, they are never more than requests in flight."""
    met = came.connections <= concurrency and came.most_in_flight <= concurrency
    return Figure(f"connections, {command}", str(came.connections), f"at most {concurrency}", met, exact=True)


def _at_most(name: str, times: float, goal: float, compared: str) -> Figure:
    return Figure(name, f"{times:.2f} x {compared}", f"{goal:.1f}", round(times, 2) <= goal)
