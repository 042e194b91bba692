"""How thorough the tests are: all examples and combinations in `make check-all`, a part of them every day."""

import os
from collections.abc import Mapping
from typing import TypeVar

_Case = TypeVar("_Case")
_PERCENT = int(os.environ.get("EXAMPLES_PERCENT", "33"))
THOROUGH = _PERCENT >= 100
"""Whether every test runs with every kind of server."""


def examples(thorough: int) -> int:
    """Return the share of `thorough` examples that this run draws, ten at least."""
    return max(10, thorough * _PERCENT // 100)


def every_third(cases: Mapping[str, _Case]) -> dict[str, _Case]:
    """Return a third of the cases of a costly test; all of them in `make check-all`."""
    return dict([*cases.items()][:: 1 if THOROUGH else 3])
