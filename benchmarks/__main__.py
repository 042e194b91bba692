"""`python -m benchmarks`: measures, and prints one line per figure."""

import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Sizes, all_figures
from benchmarks.runs import Bench


def main() -> int:
    """Print all figures; return 1 where a count is wrong. A time that misses its goal is told, and no failure."""
    wrong = False
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as temporary:
        folder = Path(temporary)
        for figure in all_figures(Bench(folder / "bytecode"), folder, Sizes()):
            print(f"{figure.name:30} {figure.measured:36} goal {figure.goal:10} {'pass' if figure.met else 'MISS'}", flush=True)
            wrong = wrong or (figure.exact and not figure.met)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
