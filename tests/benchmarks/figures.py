"""The figures themselves: what is measured, what it is compared with, and the goal that it has to meet.

Counts are exact and have to be right. Times are ratios between what ran in turns, start-up included: of the processor's
time, since the clock of a busy machine says little; by the clock only where the API's latency is what counts.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.fleet import FOLDER, share_values, write_fleet, write_rules
from benchmarks.runs import ApiCounts, Bench, LocalApi, ProcessResult, local_api, measure_in_turns, ratio

IMPORT_CLICK = "import click"
# What a command that checks YAML against a model cannot do without, and what one that reads an API cannot.
IMPORT_MODELS = """
import click, yaml, pydantic
class Model(pydantic.BaseModel):
    name: str
    size: int = 0
"""
IMPORT_HTTPX = "import click, yaml, httpx"
PARSE = """
import pathlib, sys, time, yaml
started = time.process_time()
for path in pathlib.Path(sys.argv[1]).rglob("*.yaml"):
    yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
print(time.process_time() - started)
"""
# The same requests by the plainest client that keeps its connections: one for each thread.
BARE_CLIENT = """
import concurrent.futures, ssl, sys, threading, httpx
url, size, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
cookie = httpx.post(url + "/auth/login", json={"email": "", "password": ""}).headers["set-cookie"].partition(";")[0]
context, local = ssl.create_default_context(), threading.local()
def read(number):
    if not hasattr(local, "client"):
        local.client = httpx.Client(verify=context, headers={"Cookie": cookie})
    return local.client.get(f"{url}/assistants/asst_{number:06d}").json()["id"]
with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
    assert len(set(pool.map(read, range(size)))) == size
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
FOR_GIT = ("reconciler.git", "reconciler.usecases.plan", "subprocess")
FOR_REQUESTS = ("asyncio", "anyio", "deepdiff", "h11", "httpcore", "httpx", "rich", "ssl", *FOR_GIT)

LEAST_MEMORY = 55 * 1024  # KiB
MEMORY_EACH = 10  # KiB
MOST_GIT_PROCESSES = 12
MOST_FOR_RULES = 0.3  # ms for each definition
FAIL_EVERY = 20
FAST_API_MS = 1.0  # so little that what the client does itself is what counts
TOLERANCE = 1.1  # how far a time may be beyond its goal before that is a failure: machines have bad days
REPORTS = ("--report=plan.md", "--report=plan.html", "--report=plan.xml")


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; the verdict is `pass`, `near` within the tolerance, `MISS`, or nothing without a goal."""

    name: str
    measured: str
    goal: str
    verdict: str


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
            _, counts = api.reconciler(*words, concurrency=sizes.concurrency)
            yield _judge_counts(f"API calls, {name}", counts.calls, goal)
            yield _judge_connections(name, counts, sizes.concurrency if goal else 0)


def imports(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Tell which modules a command imports that it has no use for."""
    write_fleet(folder, min(sizes.assistants, 10))
    validate = ["validate", "--directory", str(folder / FOLDER)]
    for name, words, unwanted in (
        ("--version", ["--version"], (*FOR_MODELS, *FOR_REQUESTS)),
        ("--help", ["--help"], (*FOR_MODELS, *FOR_REQUESTS)),
        ("validate", validate, FOR_REQUESTS),
    ):
        needless = bench.python(RUN_AND_LIST_MODULES, ",".join(unwanted), *words).output.strip()
        yield Figure(f"needless imports, {name}", needless or "none", "none", "MISS" if needless else "pass")


def start_up(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare the start of the command, and small runs, with what they cannot do without."""
    write_fleet(folder, 10)
    with local_api(bench, folder, latency_ms=0) as api:
        click, version, help_, models, validate, httpx, plan = _processor_time(
            2 * sizes.rounds,
            lambda: bench.python(IMPORT_CLICK),
            lambda: bench.reconciler("--version"),
            lambda: bench.reconciler("--help"),
            lambda: bench.python(IMPORT_MODELS),
            lambda: bench.reconciler("validate", "--directory", str(folder / FOLDER)),
            lambda: bench.python(IMPORT_HTTPX),
            lambda: _plan(api, sizes),
        )
    yield at_most("--version", ratio(version, click), "import click", 1.3)
    yield at_most("--help", ratio(help_, click), "import click", 1.3)
    yield at_most("validate of 10", ratio(validate, models), "click, yaml, pydantic", 1.3)
    yield at_most("plan of 10, no latency", ratio(plan, httpx), "click, yaml, httpx", 1.5)


def validate_time(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare `validate` with the C loader's parse of the same files, and with rules or shared values in them."""
    fleets = [folder / name for name in ("plain", "shared", "ruled", "rules for one")]
    for fleet in fleets:
        write_fleet(fleet, sizes.assistants)
    plain, shared, ruled, ruled_once = fleets
    share_values(shared)
    write_rules(ruled)
    # To load the libraries takes as long for one assistant as for all.
    write_rules(ruled_once, "group-000/campus-0")
    parse, *measured = measure_in_turns(
        sizes.rounds,
        lambda: float(bench.python(PARSE, str(plain / FOLDER)).output),
        *(functools.partial(_validate, bench, fleet) for fleet in fleets),
    )
    without, with_shared, with_rules, with_one_ruled = measured
    yield at_most(f"validate of {sizes.assistants}", ratio(without, parse), "C loader's parse", 2.5)
    yield at_most("validate, values are shared", ratio(with_shared, without), "validate without", 1.15)
    each = (min(with_rules) - min(with_one_ruled)) * 1000 / sizes.assistants
    verdict = _judge(each, MOST_FOR_RULES)
    yield Figure("validate, with rules", f"{each:.2f} ms more for each", f"at most {MOST_FOR_RULES}", verdict)
    once = min(with_one_ruled) - min(without)
    yield Figure("to load settings and rules", f"{once:.2f} s, once", "", "")


def plan_time(bench: Bench, folder: Path, sizes: Sizes, *, differing: int = 0) -> Iterator[Figure]:
    """Time a whole `plan`, and a bare client's same requests, as multiples of what the API's latency alone takes."""
    write_fleet(folder, sizes.assistants, differing=range(differing))
    with local_api(bench, folder, latency_ms=sizes.latency_ms) as api:
        words = (api.url, str(sizes.assistants), str(sizes.concurrency))
        plan, bare = measure_in_turns(
            sizes.rounds, lambda: _plan(api, sizes).seconds, lambda: bench.python(BARE_CLIENT, *words).seconds
        )
    name = f"plan of {sizes.assistants}, {differing or 'none'} differ"
    yield at_most(name, min(plan) / sizes.limit, f"limit ({min(plan):.2f} s)", 1.25)
    yield Figure("the same by a bare client", f"{min(bare) / sizes.limit:.2f} x limit ({min(bare):.2f} s)", "", "")


def report_time(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan in which all assistants differ with the same plan that writes three reports besides."""
    write_fleet(folder, sizes.assistants, differing=range(sizes.assistants))
    reports = [f"--report={folder / name.partition('=')[2]}" for name in REPORTS]
    with local_api(bench, folder, latency_ms=FAST_API_MS) as api:
        alone, with_reports = _processor_time(
            sizes.rounds, lambda: _plan(api, sizes), lambda: _plan(api, sizes, *reports)
        )
    yield at_most("plan with three reports", ratio(with_reports, alone), "plan alone", 1.6)


def growth(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan of many assistants with a plan of some, in time and memory; and what `--changed` costs in both."""
    few, many = folder / "few", folder / "many"
    write_fleet(few, sizes.assistants)
    write_fleet(many, sizes.many)
    for fleet in (few, many):
        add_commit = _make_repository(bench, fleet)
        _set_goodbye(fleet, 1)
        add_commit("One changed")
    with (
        local_api(bench, few, latency_ms=FAST_API_MS) as small,
        local_api(bench, many, latency_ms=FAST_API_MS) as large,
    ):
        turns = [(_plan(small, sizes, "--base=none"), _plan(large, sizes, "--base=none")) for _ in range(2)]
        few_changed, many_changed = _processor_time(
            sizes.rounds,
            lambda: _plan(small, sizes, "--base=HEAD^", "--changed"),
            lambda: _plan(large, sizes, "--base=HEAD^", "--changed"),
        )
        _, counts = large.reconciler("plan", "--base=HEAD^", "--changed", concurrency=sizes.concurrency)
    times = min(long.cpu for _, long in turns) / min(short.cpu for short, _ in turns)
    goal = 1.05 * sizes.many / sizes.assistants
    yield at_most(f"plan of {sizes.many}", times, f"plan of {sizes.assistants}", goal)
    for size, result in zip((sizes.assistants, sizes.many), turns[0], strict=True):
        bound = LEAST_MEMORY + MEMORY_EACH * size
        verdict = _judge(result.memory, bound)
        yield Figure(
            f"memory, plan of {size}", _format_mebibytes(result.memory), f"at most {_format_mebibytes(bound)}", verdict
        )
    yield _judge_counts(f"API calls, --changed of {sizes.many}", counts.calls, {"POST": 1, "GET": 1})
    yield at_most(
        f"plan --changed of {sizes.many}", ratio(many_changed, few_changed), f"the same of {sizes.assistants}", 1.5
    )


def with_a_base(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan with a base with the same plan without one.

    The base is the same as now, then one of which every file differs: each has to be parsed twice then. The entries of
    the record are other files than the definitions; the record says that they are what its commit declares.
    """
    write_fleet(folder, sizes.assistants)
    add_commit = _make_repository(bench, folder)
    for file in sorted((folder / FOLDER).rglob("*.yaml")):
        file.write_text(file.read_text("utf-8") + "# Reviewed.\n", "utf-8")
    add_commit("Reviewed")
    with local_api(bench, folder, latency_ms=sizes.latency_ms) as api:
        api.reconciler("apply", "--yes", "--record", "--base=none", concurrency=sizes.concurrency)
        options = ("--base=none", "--base=HEAD", "--base=HEAD^", "--base=refs/reconciler/applied")
        without, same, other, record = measure_in_turns(
            sizes.rounds, *(functools.partial(_seconds_of_plan, api, sizes, option) for option in options)
        )
    yield at_most("plan, base as now", ratio(same, without), "plan without a base", 1.3)
    yield at_most("plan, all of base differs", ratio(other, without), "plan without a base", 1.3)
    yield at_most("plan, with a record", ratio(record, without), "plan without a base", 1.3)


def record_cost(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Count the git processes of an apply that records one change, and compare it with one that does not record."""
    fleets = {"--record": folder / "recorded", "--no-record": folder / "bare"}
    commits = {}
    for option, fleet in fleets.items():
        write_fleet(fleet, sizes.assistants)
        commits[option] = _make_repository(bench, fleet)
    turns = iter(range(1, 1000))

    def change_one(api: LocalApi, option: str) -> None:
        _set_goodbye(api.fleet, next(turns))
        commits[option]("One changed")

    def time_apply(api: LocalApi, option: str) -> float:
        return api.reconciler("apply", "--yes", option, concurrency=sizes.concurrency)[0].cpu

    def time_change(api: LocalApi, option: str) -> float:
        change_one(api, option)
        return time_apply(api, option)

    with (
        local_api(bench, fleets["--record"], latency_ms=FAST_API_MS) as recorded,
        local_api(bench, fleets["--no-record"], latency_ms=FAST_API_MS) as bare,
    ):
        recorded.reconciler("apply", "--yes", "--record", "--base=none", concurrency=sizes.concurrency)
        with_record, without = measure_in_turns(
            # The difference is a tenth, and single measurements differ by a thirtieth.
            2 * sizes.rounds,
            lambda: time_change(recorded, "--record"),
            lambda: time_change(bare, "--no-record"),
        )
        change_one(recorded, "--record")
        with bench.count_git_processes(folder / "git") as count:
            time_apply(recorded, "--record")
            processes = count()
    verdict = "pass" if processes <= MOST_GIT_PROCESSES else "MISS"
    yield Figure("apply --record", f"{processes} git processes", f"at most {MOST_GIT_PROCESSES}", verdict)
    yield at_most("apply --record, one differs", ratio(with_record, without), "apply without a record", 1.1)


def with_faults(bench: Bench, folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Compare a plan, and an apply in which all assistants are written, with the same while requests fail.

    Every 20th request is answered 503, once: its repeat is another request. The API begins anew for each run.
    """
    write_fleet(folder, sizes.assistants, differing=range(sizes.assistants))

    def run(words: list[str], fail_every: int) -> float:
        with local_api(bench, folder, latency_ms=sizes.latency_ms, fail_every=fail_every) as api:
            return api.reconciler(*words, concurrency=sizes.concurrency)[0].seconds

    for words, rounds in ((["plan"], sizes.rounds), (["apply", "--yes"], (sizes.rounds + 1) // 2)):
        subjects = (functools.partial(run, words, fail_every) for fail_every in (0, FAIL_EVERY))
        smooth, failing = measure_in_turns(rounds, *subjects)
        name = f"{words[0]}, every {FAIL_EVERY}th fails once"
        yield at_most(name, ratio(failing, smooth), f"without faults ({min(smooth):.2f} s)", 1.5)


GROUPS: dict[str, Group] = {
    "calls": calls,
    "imports": imports,
    "start": start_up,
    "validate": validate_time,
    "plan": plan_time,
    "differ": functools.partial(plan_time, differing=Sizes().differing),
    "reports": report_time,
    "record": record_cost,
    "base": with_a_base,
    "faults": with_faults,
    "growth": growth,
}


def at_most(name: str, times: float, compared: str, goal: float) -> Figure:
    """Return the line of a ratio that has a goal."""
    return Figure(name, f"{times:.2f} x {compared}", f"at most {goal:g}", _judge(round(times, 2), goal))


def _judge(measured: float, goal: float) -> str:
    return "pass" if measured <= goal else "near" if measured <= round(goal * TOLERANCE, 4) else "MISS"


def _plan(api: LocalApi, sizes: Sizes, *options: str) -> ProcessResult:
    return api.reconciler("plan", *options, concurrency=sizes.concurrency)[0]


def _seconds_of_plan(api: LocalApi, sizes: Sizes, *options: str) -> float:
    return _plan(api, sizes, *options).seconds


def _validate(bench: Bench, fleet: Path) -> float:
    return bench.reconciler("validate", "--directory", str(fleet / FOLDER)).cpu


def _processor_time(rounds: int, *subjects: Callable[[], ProcessResult]) -> list[list[float]]:
    return measure_in_turns(
        rounds, *(functools.partial(lambda subject: subject().cpu, subject) for subject in subjects)
    )


def _set_goodbye(fleet: Path, number: int) -> None:
    """Change one field of a fleet's first definition."""
    file = min((fleet / FOLDER).rglob("*.yaml"))
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("endCallMessage:")]
    file.write_text("\n".join([*lines, f'endCallMessage: "Goodbye {number}"', ""]), "utf-8")


def _make_repository(bench: Bench, folder: Path) -> Callable[[str], None]:
    """Make a folder a repository with everything in its first commit; return what adds another."""
    git = ("git", "-C", str(folder), "-c", "user.name=Bench", "-c", "user.email=bench@localhost")

    def add_commit(message: str) -> None:
        bench.run([*git, "add", "--all"])
        bench.run([*git, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", message])

    bench.run([*git, "init", "--quiet"])
    add_commit("First")
    return add_commit


def _judge_counts(name: str, counted: Mapping[str, int], expected: Mapping[str, int]) -> Figure:
    is_met = counted == expected
    return Figure(
        name, _format_counts(counted), "exact" if is_met else _format_counts(expected), "pass" if is_met else "MISS"
    )


def _format_counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {method}" for method, number in counted.items()) or "none"


def _judge_connections(name: str, counts: ApiCounts, most: int) -> Figure:
    """Tell how many connections carried everything: kept alive, they are never more than requests in flight."""
    is_met = counts.connections <= most and counts.most_in_flight <= most
    measured = f"{counts.connections}, {counts.most_in_flight} requests at once"
    return Figure(f"connections, {name}", measured, f"at most {most}", "pass" if is_met else "MISS")


def _format_mebibytes(kibibytes: int) -> str:
    return f"{kibibytes / 1024:.0f} MiB"
