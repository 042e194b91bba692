"""How thorough the tests are: all examples and combinations in `make check-all`, a part of them every day."""

import os

_PERCENT = int(os.environ.get("EXAMPLES_PERCENT", "33"))
THOROUGH = _PERCENT >= 100
"""Whether every test runs with every kind of server."""


def examples(thorough: int) -> int:
    """Return the share of `thorough` examples that this run draws, ten at least."""
    return max(10, thorough * _PERCENT // 100)
