"""Finds a text of several lines that was pasted behind its key, where YAML takes one line only."""

import itertools
import re
from typing import Final

KEY_LINE: Final = re.compile(r" *(?:- +)?(?:\"[^\"]*\"|[A-Za-z_][\w.-]*) *:(?: +|$)")
# A pasted text on its key's line begins with none of these.
_NO_PASTED: Final = re.compile(r"""["'{\[&!%@]|- |[|>][-+0-9]*\s*(?:#|$)""")
_MARKDOWN_LINE: Final = re.compile(r"^\s*(?:[-*+]|\#{1,6}|[0-9]{1,2}[.)]|>|\|)\s+\S|^\s*\*\*")


def find_pasted_text(lines: list[str], number: int) -> tuple[int, int] | None:
    """Return where a pasted text that includes this line begins, behind its key; None without one."""
    for first in range(number, 0, -1):
        key = KEY_LINE.match(lines[first - 1])
        if key is None:
            continue
        value = lines[first - 1][key.end() :].rstrip()
        if not value or _NO_PASTED.match(value):
            return None
        below = itertools.takewhile(lambda line: not KEY_LINE.match(line) and line.rstrip() != "---", lines[first:])
        text = [line for line in below if line.strip()]
        markdown = sum(_MARKDOWN_LINE.match(line) is not None for line in text)
        # A single further line may be a field without its colon, or a list item.
        is_long = len(text) > 1 or (markdown == 1 and _MARKDOWN_LINE.match(value) is not None)
        return (first, key.end() + 1) if is_long else None
    return None
