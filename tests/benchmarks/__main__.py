"""`make bench`: measures, and prints one line per figure as soon as it is there."""

import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Sizes, all_figures
from benchmarks.runs import Bench, FailedRun


def main() -> int:
    """Return 1 where a count is wrong. A time that misses its goal is shown and no failure: machines have bad days."""
    sizes = Sizes()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores. Ratios are medians of runs in turns.")
    print(f"The limit is N x latency / concurrency: {sizes.assistants} x {sizes.latency_ms:g} ms / {sizes.concurrency}")
    print(f"= {sizes.limit:g} s. Every time is that of a whole command, its start included.\n")
    missed, wrong = 0, 0
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as temporary:
        folder = Path(temporary)
        try:
            for figure in all_figures(Bench(folder / "bytecode"), folder, sizes):
                verdict = "pass" if figure.met else "MISS"
                print(f"{figure.name:27} {figure.measured:32} {figure.goal:13} {verdict}", flush=True)
                missed += not figure.met
                wrong += figure.exact and not figure.met
        except FailedRun as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
    print(f"\n{missed} missed." if missed else "\nEvery goal is met.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
