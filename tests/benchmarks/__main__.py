"""`make bench`: measures, and prints one line per figure as soon as it is there. `GROUPS="plan base"` picks some."""

import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import GROUPS, TOLERANCE, Sizes
from benchmarks.runs import Bench, FailedRun


def main(chosen: list[str]) -> int:
    """Return 1 where a count is wrong, or a ratio is beyond its goal by more than the tolerance."""
    if unknown := set(chosen) - set(GROUPS):
        print(f"Error: there is no group {min(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 1
    sizes = Sizes()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores. Ratios are those of the best of several turns:")
    print("of the processor's time, by the clock where the API has a latency.")
    print(f"The limit is N x latency / concurrency: {sizes.assistants} x {sizes.latency_ms:g} ms / {sizes.concurrency}")
    print(f"= {sizes.limit:g} s. Every time is that of a whole command, its start included.\n")
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as temporary:
        bench = Bench(Path(temporary) / "bytecode")
        try:
            for name in chosen or GROUPS:
                for figure in GROUPS[name](bench, Path(temporary) / name, sizes):
                    print(f"{figure.name:29} {figure.measured:36} {figure.goal:16} {figure.verdict}", flush=True)
                    verdicts.append(figure.verdict)
        except FailedRun as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
    missed, near = verdicts.count("MISS"), verdicts.count("near")
    within = f"{near} within {TOLERANCE - 1:.0%} of the goal" if near else ""
    print("\n" + (", ".join(filter(None, [f"{missed} missed" if missed else "", within])) or "Every goal is met") + ".")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
