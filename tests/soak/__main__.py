"""`make soak`: many schedules, and one line that says what came of them all."""

import argparse
import collections
import multiprocessing
import os
import sys
import time

from soak.schedule import ASSISTANTS, ScheduleResult, run_schedule


def main() -> int:
    """Return 1 where anything was lost, changed or told wrongly."""
    options = _options()
    began = time.monotonic()
    outcomes: collections.Counter[str] = collections.Counter()
    runs, requests, hits, failed = 0, 0, 0, []
    seeds = range(options.seed, options.seed + options.schedules)
    # Not forked: threads of a sandbox would be forked along with it.
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for number, result in enumerate(pool.imap_unordered(run_schedule, seeds), 1):
            outcomes.update(result.outcomes)
            runs, requests, hits = runs + result.runs, requests + result.requests, hits + result.hits
            if result.wrong:
                failed.append(result.seed)
                tell(result)
            if sys.stderr.isatty():
                print(f"\r{number} of {options.schedules}", end="", file=sys.stderr, flush=True)
    summary = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common())
    print(
        f"Soak: {options.schedules} schedules from seed {options.seed}, {ASSISTANTS} assistants each: {runs} runs, "
        f"{requests} requests, {hits} faults, {time.monotonic() - began:.0f} s; {summary}; "
        f"{len(failed)} schedules failed."
    )
    return 1 if failed else 0


def tell(result: ScheduleResult) -> None:
    """Print what went wrong in a schedule, and how to run it alone."""
    print(f"\nSchedule {result.seed} failed; alone: make soak SCHEDULES=1 SEED={result.seed}")
    print(f"  objects: {result.nested}")
    for rule in result.rules:
        print(f"  --fault '{rule}'")
    for problem in result.wrong[:20]:
        print(f"  {problem}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--schedules", type=int, default=500, metavar="N", help="how many (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule; the next has the next number")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), metavar="N", help="how many at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
