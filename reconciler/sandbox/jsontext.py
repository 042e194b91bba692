"""Reads and writes JSON as strictly as RFC 8259. Knows nothing about assistants and loads no library."""

import json
import math
from typing import Any

MAX_DEPTH = 64


class NotJson(ValueError):  # noqa: N818 - it says what the body is
    """The body cannot be used as JSON; the text is meant for the client."""


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body. Raises NotJson, also if it is nested deeper than MAX_DEPTH."""
    try:
        # Python's parser accepts NaN and Infinity, and reads 1e999 as infinity. The API accepts none of them.
        value = json.loads(body.decode(), parse_constant=_read_number, parse_float=_read_number)
    except (ValueError, RecursionError) as error:
        raise NotJson("The body is not valid JSON") from error
    if not _is_shallow(value):
        raise NotJson(f"The body is nested deeper than {MAX_DEPTH} levels")
    return value


def encode(value: Any) -> str:
    """Return a value as compact JSON. Raises ValueError or TypeError if JSON cannot express it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # JSON can escape a lone surrogate, but UTF-8 has none, so it stays an escape.
    return text.encode(errors="backslashreplace").decode()


def _read_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _is_shallow(value: Any) -> bool:
    # Level by level, without recursion, because the limit protects against too deep recursion.
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        outer = [item for item in level if isinstance(item, dict | list)]
        level = [inner for item in outer for inner in (item.values() if isinstance(item, dict) else item)]
    return not level
