"""The figures themselves: what is measured, what it is compared with, and the goal that it has to meet.

Counts are exact and have to be right; times are ratios between what ran side by side, start-up included.
"""

import dataclasses
import functools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
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
RUN_AND_LIST_MODULES = """
import contextlib, io, sys
from reconciler.cli.main import reconciler
nowhere = io.StringIO()
with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), contextlib.suppress(SystemExit):
    reconciler.main(sys.argv[2:], standalone_mode=False)
print(*sorted(set(sys.argv[1].split(",")) & set(sys.modules)))
"""
FOR_MODELS = ("pydantic", "yaml")
FOR_REQUESTS = ("asyncio", "anyio", "deepdiff", "h11", "httpcore", "httpx", "rich", "ssl")

LEAST_MEMORY = 55 * 1024  # KiB
MEMORY_EACH = 10  # KiB
FAIL_EVERY = 20
FAST_API_MS = 1.0  # so little that what the client does itself is what counts


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `exact` says that a miss is a fault, and not the machine's bad day."""

    name: str
    measured: str
    goal: str
    met: bool
    exact: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
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


Group = Callable[[Bench, Path, Sizes], Iterator[Figure]]


def calls(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Count the API calls of each command, and the connections that carried them."""
    write_fleet(folder, sizes.assistants, differing=range(sizes.differing))
    some, differing = sizes.assistants, sizes.differing
    reading = {"POST": 1, "GET": some}
    writing = {"POST": 1, "GET": some + 2 * differing, "PATCH": differing}
    with local_api(bench, folder, latency_ms=FAST_API_MS) as api:
        for name, words, goal in (
            ("validate", ["validate"], {}),
            ("plan", ["plan"], reading),
            ("drift", ["drift"], reading),
            ("apply", ["apply", "--yes"], writing),
            ("apply again", ["apply", "--yes"], reading),
        ):
            _, came = api.reconciler(*words, concurrency=sizes.concurrency)
            yield _exactly(f"API calls, {name}", came.calls, goal)
            yield _connections(name, came, sizes.concurrency if goal else 0)


def imports(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Tell which modules a command imports that it has no use for."""
    write_fleet(folder, min(sizes.assistants, 10))
    validate = ["validate", "--directory", str(folder / FOLDER)]
    for name, words, unwanted in (
        ("--version", ["--version"], (*FOR_MODELS, *FOR_REQUESTS)),
        ("--help", ["--help"], (*FOR_MODELS, *FOR_REQUESTS)),
        ("validate", validate, FOR_REQUESTS),
    ):
        found = bench.python(RUN_AND_LIST_MODULES, ",".join(unwanted), *words).printed.strip()
        yield Figure(f"needless imports, {name}", found or "none", "none", not found, exact=True)


def start_up(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare the start of the command, and a small `validate`, with what they cannot do without."""
    write_fleet(folder, 10)
    subjects: list[Callable[[], Took]] = [
        lambda: bench.python(IMPORT_CLICK),
        lambda: bench.reconciler("--version"),
        lambda: bench.reconciler("--help"),
        lambda: bench.python(IMPORT_MODELS),
        lambda: bench.reconciler("validate", "--directory", str(folder / FOLDER)),
    ]
    click, version, help_, models, ten = interleaved(2 * sizes.rounds + 1, *map(_seconds, subjects))
    yield _at_most("--version", ratio(version, click), "import click", 1.3)
    yield _at_most("--help", ratio(help_, click), "import click", 1.3)
    yield _at_most("validate of 10", ratio(ten, models), "click, yaml, pydantic", 1.3)


def validate_time(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare `validate` with nothing but the C loader's parse of the same files."""
    write_fleet(folder, sizes.assistants)
    definitions = str(folder / FOLDER)
    parse, validate = interleaved(
        sizes.rounds,
        lambda: float(bench.python(PARSE, definitions).printed),
        lambda: bench.reconciler("validate", "--directory", definitions).seconds,
    )
    yield _at_most(f"validate of {sizes.assistants}", ratio(validate, parse), "C loader's parse", 3.0)


def plan_time(bench: Bench, folder: Path, sizes: Sizes, *, differing: int = 0) -> Iterator[Figure]:
    """Time a whole `plan` as a multiple of what the API's latency alone takes."""
    write_fleet(folder, sizes.assistants, differing=range(differing))
    with local_api(bench, folder, latency_ms=sizes.latency_ms) as api:
        (seconds,) = interleaved(sizes.rounds, lambda: _plan(api, sizes).seconds)
    median = statistics.median(seconds)
    name = f"plan of {sizes.assistants}, {differing or 'none'} differ"
    yield _at_most(name, median / sizes.limit, f"limit ({median:.2f} s)", 1.6)


def growth(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan of many assistants with a plan of some, in time and memory."""
    few, many = folder / "few", folder / "many"
    write_fleet(few, sizes.assistants)
    write_fleet(many, sizes.many)
    with (
        local_api(bench, few, latency_ms=FAST_API_MS) as small,
        local_api(bench, many, latency_ms=FAST_API_MS) as large,
    ):
        _plan(small, sizes)
        before, long, after = _plan(small, sizes), _plan(large, sizes), _plan(small, sizes)
    times = long.seconds / statistics.mean([before.seconds, after.seconds])
    goal = 1.05 * sizes.many / sizes.assistants
    yield _at_most(f"plan of {sizes.many}", times, f"plan of {sizes.assistants}", goal)
    for size, took in ((sizes.assistants, before), (sizes.many, long)):
        bound = LEAST_MEMORY + MEMORY_EACH * size
        yield Figure(f"memory, plan of {size}", _mebibytes(took.memory), _mebibytes(bound), took.memory <= bound)


def with_a_base(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan with a base with the same plan without one, and count what `--changed` asks the API.

    The base is the same as now, then one of which every file differs: each has to be parsed twice then. A record's
    entries are other files than the definitions, so all of them are parsed, too.
    """
    write_fleet(folder, sizes.assistants)
    files = sorted((folder / FOLDER).rglob("*.yaml"))
    commit = _commits(bench, folder)
    for file in files:
        file.write_text(file.read_text("utf-8") + "# Reviewed.\n", "utf-8")
    commit("Reviewed")
    with local_api(bench, folder, latency_ms=sizes.latency_ms) as api:
        api.reconciler("apply", "--yes", "--record", "--base=none", concurrency=sizes.concurrency)
        options = ("--base=none", "--base=HEAD", "--base=HEAD^", "--base=refs/reconciler/applied")
        without, same, other, record = interleaved(
            sizes.rounds, *(functools.partial(_seconds_of_plan, api, sizes, option) for option in options)
        )
        files[0].write_text(files[0].read_text("utf-8") + "# Once more.\n", "utf-8")
        commit("One changed")
        _, came = api.reconciler("plan", "--base=HEAD^", "--changed", concurrency=sizes.concurrency)
    yield _at_most("plan, base as now", ratio(same, without), "plan without a base", 1.3)
    yield _at_most("plan, all of base differs", ratio(other, without), "plan without a base", 1.3)
    yield _at_most("plan, with a record", ratio(record, without), "plan without a base", 1.3)
    yield _exactly("API calls, plan --changed", came.calls, {"POST": 1, "GET": 1})


def with_faults(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan, and an apply in which all assistants are written, with the same while requests fail.

    Every 20th request is answered 503, once: its repeat is another request. The API begins anew for each run.
    """
    write_fleet(folder, sizes.assistants, differing=range(sizes.assistants))

    def run(words: Sequence[str], fail_every: int) -> float:
        with local_api(bench, folder, latency_ms=sizes.latency_ms, fail_every=fail_every) as api:
            return api.reconciler(*words, concurrency=sizes.concurrency)[0].seconds

    for words, rounds in ((["plan"], sizes.rounds), (["apply", "--yes"], (sizes.rounds + 1) // 2)):
        subjects = (functools.partial(run, words, fail_every) for fail_every in (0, FAIL_EVERY))
        smooth, failing = interleaved(rounds, *subjects)
        name = f"{words[0]}, every {FAIL_EVERY}th fails once"
        yield _at_most(name, ratio(failing, smooth), f"without faults ({statistics.median(smooth):.2f} s)", 1.5)


def all_figures(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Measure everything, each group of figures in a folder of its own below `folder`."""
    some_differ = functools.partial(plan_time, differing=sizes.differing)
    groups: list[Group] = [
        calls,
        imports,
        start_up,
        validate_time,
        plan_time,
        some_differ,
        with_faults,
        with_a_base,
        growth,
    ]
    for number, group in enumerate(groups):
        yield from group(bench, folder / str(number), sizes)


def _plan(api: LocalApi, sizes: Sizes) -> Took:
    return api.reconciler("plan", concurrency=sizes.concurrency)[0]


def _seconds_of_plan(api: LocalApi, sizes: Sizes, *options: str) -> float:
    return api.reconciler("plan", *options, concurrency=sizes.concurrency)[0].seconds


def _commits(bench: Bench, folder: Path) -> Callable[[str], None]:
    """Make a folder a repository with everything in its first commit; return what adds another."""
    git = ("git", "-C", str(folder), "-c", "user.name=Bench", "-c", "user.email=bench@localhost")

    def commit(message: str) -> None:
        bench.run([*git, "add", "--all"])
        bench.run([*git, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", message])

    bench.run([*git, "init", "--quiet"])
    commit("First")
    return commit


def _seconds(subject: Callable[[], Took]) -> Callable[[], float]:
    return lambda: subject().seconds


def _exactly(name: str, counted: Mapping[str, int], wanted: Mapping[str, int]) -> Figure:
    met = counted == wanted
    return Figure(name, _told(counted), "exact" if met else _told(wanted), met, exact=True)


def _told(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {method}" for method, number in counted.items()) or "none"


def _connections(name: str, came: Came, most: int) -> Figure:
    """Tell how many connections carried everything: kept alive, they are never more than requests in flight."""
    met = came.connections <= most and came.most_in_flight <= most
    measured = f"{came.connections}, {came.most_in_flight} requests at once"
    return Figure(f"connections, {name}", measured, f"at most {most}", met, exact=True)


def _at_most(name: str, times: float, compared: str, goal: float) -> Figure:
    return Figure(name, f"{times:.2f} x {compared}", f"at most {goal:.1f}", round(times, 2) <= goal)


def _mebibytes(kibibytes: int) -> str:
    return f"{kibibytes / 1024:.0f} MiB"
