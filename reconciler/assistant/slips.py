"""Slips of people who write YAML for the first time, found by what a line looks like that is none of YAML's.

Nothing of a line is quoted but the one sign that is wrong. What a parser says otherwise is put into words elsewhere.
"""

import re
from typing import Final

from reconciler.assistant.invisible import name_character

# Each is matched from the line's beginning in one walk; `at` is where people should look. Compiled when the first file
# has a mistake.
_SLIPS: Final = (
    (r"\s*(?P<at>```|~~~)", "remove the lines with {}, which a chat or a web page puts around a text"),
    (r"\s*(?P<at><!doctype|<html|<\?xml)", "this is a web page; copy its text alone into this file"),
    (r"\s*(?:\"[^\"]*\"\s*:.*,\s*)?(?P<at>//|/\*)", 'a comment begins with "#", not with {}'),
    (r"\s*(?P<at>--|;)\s", 'a comment begins with "#", not with {}'),
    (
        r"\s*(?:- )?[\w.-]+\s*(?P<at>=>|->|[=;\uff1a\ufe55\u2236])",
        'write a colon (":") and a space here instead of {}',
    ),
    (
        r"\s*(?P<at>[*+\u2022\u00b7\u2023\u25aa\u2010-\u2015])\s",
        'an item of a list begins with "- ", not with {}',
    ),
    (r"\s*(?P<at>:)\s", "the name of the field is missing before this colon"),
)


def find_slip(line: str) -> tuple[int, str] | None:
    """Return the column, from 1, of a slip at the beginning of a line, and what to write instead."""
    for pattern, message in _SLIPS:
        if found := re.match(pattern, line, re.IGNORECASE):
            sign = found["at"]
            # One that only looks like the sign that was meant is told by its name.
            name = f'"{sign}"' if sign.isascii() else f'"{sign}", {name_character(sign)}'
            return found.start("at") + 1, message.format(name)
    return None
