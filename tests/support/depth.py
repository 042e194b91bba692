"""How many examples hypothesis draws: a third in the tests of every day, all of them in `make check-all`."""

import os

_PERCENT = int(os.environ.get("EXAMPLES_PERCENT", "33"))


def examples(thorough: int) -> int:
    """Return the share of `thorough` examples that this run draws, ten at least."""
    return max(10, thorough * _PERCENT // 100)
