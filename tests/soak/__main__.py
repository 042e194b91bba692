"""`make soak`: many schedules, and one line that says what came of them all."""

import argparse
import collections
import multiprocessing
import os
import sys
import time

from soak.schedule import ASSISTANTS, Found, run_schedule


def main() -> int:
    """Return 1 where anything was lost, changed or told wrongly."""
    options = _options()
    began = time.monotonic()
    outcomes: collections.Counter[str] = collections.Counter()
    runs, requests, hits, failed = 0, 0, 0, []
    seeds = range(options.seed, options.seed + options.schedules)
    # Not forked: threads of a sandbox would be forked along with it.
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for number, found in enumerate(pool.imap_unordered(run_schedule, seeds), 1):
            outcomes.update(found.outcomes)
            runs, requests, hits = runs + found.runs, requests + found.requests, hits + found.hits
            if found.wrong:
                failed.append(found.seed)
                tell(found)
            if sys.stderr.isatty():
                print(f"\r{number} of {options.schedules}", end="", file=sys.stderr, flush=True)
    told = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common())
    print(
        f"Soak: {options.schedules} schedules from seed {options.seed}, {ASSISTANTS} assistants each: {runs} runs, "
        f"{requests} requests, {hits} faults, {time.monotonic() - began:.0f} s; {told}; {len(failed)} schedules failed."
    )
    return 1 if failed else 0


def tell(found: Found) -> None:
    """Print what went wrong in a schedule, and how to run it alone."""
    print(f"\nSchedule {found.seed} failed; alone: make soak SCHEDULES=1 SEED={found.seed}")
    print(f"  objects: {found.nested}")
    for rule in found.rules:
        print(f"  --fault '{rule}'")
    for problem in found.wrong[:20]:
        print(f"  {problem}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--schedules", type=int, default=500, metavar="N", help="how many (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule; the next has the next number")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), metavar="N", help="how many at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
