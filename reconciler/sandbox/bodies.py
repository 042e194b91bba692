"""A request's bytes as JSON, read as strictly as RFC 8259 has it. Knows nothing of assistants."""

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 64


class NotJson(ValueError):  # noqa: N818 - it says what the body is
    """The body cannot be used as JSON; the text is an answer for the client."""


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises NotJson for what is no UTF-8 or no JSON (NaN and Infinity included, which Python's reader would
    take), for numbers that no double holds, and for nesting deeper than MAX_DEPTH.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        message = "The body is not valid JSON"
        raise NotJson(message) from error
    if not _shallow(value):
        message = f"The body is nested deeper than {MAX_DEPTH} levels"
        raise NotJson(message)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _shallow(value: Any) -> bool:
    """Tell whether a value stays within MAX_DEPTH, level by level: recursion is what the bound protects."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False
