"""Measures JSON from outside: an empty list takes 30 times its text in memory, and code that walks it recurses."""

import itertools
import re
from typing import Any, Final

_MARKS: Final = (",", "[", "{")
# A string may lack its end. Possessive, so that no text makes the search go back over what it has read.
_PIECE = r'(?s)[,\[{]|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'


def has_more_tokens(text: str, limit: int) -> bool:
    """Return whether a text, JSON or not, has more than `limit` strings, commas and opening brackets."""
    # An upper bound: marks inside strings count too, and half of all quotation marks. It almost always suffices.
    if sum(map(text.count, _MARKS)) + (text.count('"') + 1) // 2 <= limit:
        return False
    return next(itertools.islice(re.finditer(_PIECE, text), limit, None), None) is not None


def is_deeper(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested deeper than so many levels."""
    # One level at a time: recursion is what the bound protects.
    layer = [value]
    for _ in range(levels):
        containers = [item.values() if isinstance(item, dict) else item for item in layer if _is_container(item)]
        layer = [item for container in containers for item in container]
    return any(map(_is_container, layer))


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)
