"""JSON text in and out, as strict as RFC 8259. Knows nothing of assistants and loads no library."""

import json
import math
from typing import Any

MAX_DEPTH = 64


class NotJson(ValueError):  # noqa: N818 - it says what the body is
    """The body cannot be used as JSON; the text is an answer for the client."""


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body. Raises NotJson, for nesting deeper than MAX_DEPTH too."""
    try:
        # Python's reader takes NaN and Infinity, and makes infinity of 1e999. The API takes none of them.
        value = json.loads(body.decode(), parse_constant=_read_number, parse_float=_read_number)
    except (ValueError, RecursionError) as error:
        raise NotJson("The body is not valid JSON") from error
    if not _is_shallow(value):
        raise NotJson(f"The body is nested deeper than {MAX_DEPTH} levels")
    return value


def encode(value: Any) -> str:
    """Return a value as compact JSON text; raises ValueError or TypeError for what JSON cannot hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # JSON can escape a lone surrogate and UTF-8 cannot hold one: it stays the escape that it came in as.
    return text.encode(errors="backslashreplace").decode()


def _read_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _is_shallow(value: Any) -> bool:
    # Level by level and without recursion, since recursion is what the bound protects.
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        outer = [item for item in level if isinstance(item, dict | list)]
        level = [inner for item in outer for inner in (item.values() if isinstance(item, dict) else item)]
    return not level
