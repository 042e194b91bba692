"""Finds keys that YAML does not read as keys, where its parser gave up. Quotes nothing of the file."""

import re
from collections.abc import Sequence
from typing import Final

from reconciler.assistant.fields import DOCUMENTED

QUOTE_IT: Final = 'put the whole text in quotes ("..."), or write it below the key as a block that begins with "|-"'
NO_SPACE: Final = 'put a space after the colon, as in "name: value"'
GLUED = re.compile(r"\s*(?:- )?([\"']?)(?P<key>[A-Za-z_][\w.]*)\1:\S")
FIELD_NAMES: Final = {path[-1] for path in DOCUMENTED}
# The text before a colon, from where a key may begin.
_KEY = re.compile(r"(?:^\s*(?:- +)*|[{\[,]\s*)(?P<key>[^\s{\[,][^{\[,]*)\Z")
_LONGEST: Final = 1024  # characters (YAML 1.2, section 7.4.2)
_TOO_LONG: Final = (
    f"before a colon YAML reads at most {_LONGEST:,} characters as a key; if this is a text, {QUOTE_IT}; if it is a "
    'key, write "? " before it, and its value on the next line after ": "'
)


def find_wrong_key(
    lines: Sequence[str], place: tuple[int, int], context: tuple[int, int], problem: str
) -> tuple[int, int, str] | None:
    """Return line, column and message about a key where a parser gave up or in its context, None if it is no key."""
    key = _KEY.search(lines[place[0] - 1][: place[1] - 1])
    if key and len(key["key"].rstrip()) > _LONGEST and ": " not in key["key"]:
        return place[0], key.start("key") + 1, _TOO_LONG
    # A key without a space behind its colon looks like one more line of the text above.
    glued = GLUED.match(lines[context[0] - 1]) if "expected ':'" in problem else None
    return (*context, NO_SPACE) if glued and glued["key"] in FIELD_NAMES else None
