"""Finds keys and texts that YAML does not read as their writer meant, near the place where the parser gave up.

Quotes nothing of the file.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Final

from reconciler.assistant.fields import DOCUMENTED
from reconciler.assistant.invisible import is_seen, reject_unseen
from reconciler.assistant.plain_words import find_slip

QUOTE_IT: Final = 'put the whole text in quotes ("..."), or write it below the key as a block that begins with "|-"'
NO_SPACE: Final = 'put a space after the colon, as in "name: value"'
# Patterns are compiled only when a file has a mistake.
KEY_LINE: Final = r" *(?:- +)?(?:\"[^\"]*\"|[A-Za-z_][\w.-]*) *:(?: +|$)"
GLUED: Final = r"\s*(?:- )?([\"']?)(?P<key>[A-Za-z_][\w.]*)\1:\S"
FIELD_NAMES: Final = {path[-1] for path in DOCUMENTED}
# A pasted text on its key's line begins with none of these.
_NO_PASTED: Final = r"""["'&!]|\{(?!\{)|\[(?!.*\]\()|- |[|>][-+0-9]*\s*(?:#|$)"""
_MARKDOWN_LINE: Final = r"^\s*(?:[-*+]|\#{1,6}|[0-9]{1,2}[.)]|>|\|)\s+\S|^\s*\*\*"
# Neither a key nor the end of the document. Below a field that has a value, "- Tone: kind" is no item of a list.
_MORE_TEXT: Final = rf"(?!{KEY_LINE}|---\s*$)"
_MORE_TEXT_OF_FIELD: Final = rf"(?!(?!- ){KEY_LINE}|---\s*$)"
# The text before a colon, from where a key may begin.
_KEY: Final = r"(?:^\s*(?:- +)*|[{\[,]\s*)(?P<key>[^\s{\[,][^{\[,]*)\Z"
_LONGEST: Final = 1024  # characters (YAML 1.2, section 7.4.2)
_TOO_LONG: Final = (
    f"before a colon YAML reads at most {_LONGEST:,} characters as a key; if this is a text, {QUOTE_IT}; if it is a "
    'key, write "? " before it, and its value on the next line after ": "'
)


def find_invisible(line: str) -> tuple[int, str] | None:
    """Return the column of an invisible character that makes a line unreadable, with what to say about it."""
    # Tabs have a message of their own. An invisible character inside a text does no harm.
    last, has_begun = "", False
    for place, character in enumerate(line):
        if is_seen(character):
            has_begun |= character not in " -"
            last = last if character == " " else character
        elif character != "\t" and (not has_begun or last in ":-\"'}]" or line[place + 1 : place + 2] == ":"):
            return place + 1, reject_unseen(character)
    return None


def find_wrong_key(
    lines: Sequence[str], place: tuple[int, int], context: tuple[int, int], problem: str
) -> tuple[int, int, str] | None:
    """Return line, column and message about a key where a parser gave up or in its context, None if it is no key."""
    key = re.search(_KEY, lines[place[0] - 1][: place[1] - 1])
    if key and len(key["key"].rstrip()) > _LONGEST and ": " not in key["key"]:
        return place[0], key.start("key") + 1, _TOO_LONG
    # A key without a space after its colon looks like one more line of the text above.
    glued = re.match(GLUED, lines[context[0] - 1]) if "expected ':'" in problem else None
    return (*context, NO_SPACE) if glued and glued["key"] in FIELD_NAMES else None


def find_pasted_text(lines: Sequence[str], number: int) -> tuple[int, int] | None:
    """Return where a text of several lines that includes this line begins, after its key; None without one."""
    # YAML takes one line only there, and whoever pastes a text does not know.
    for first in range(number, 0, -1):
        key = re.match(KEY_LINE, lines[first - 1])
        if key is None:
            continue
        value = lines[first - 1][key.end() :].rstrip()
        if not value or re.match(_NO_PASTED, value):
            return None
        more_text = re.compile(_MORE_TEXT if lines[first - 1].startswith((" ", "-")) else _MORE_TEXT_OF_FIELD)
        text = [line for line in itertools.takewhile(more_text.match, lines[first:]) if line.strip()]
        markdown = sum(re.match(_MARKDOWN_LINE, line) is not None for line in text)
        # A single further line may be a field without its colon, or a list item.
        is_long = len(text) > 1 or (markdown == 1 and re.match(_MARKDOWN_LINE, value) is not None)
        return (first, key.end() + 1) if is_long else None
    return None


def describe_non_mapping(document: object, lines: str) -> str:
    """Return what is wrong with the content of a file without keys; `lines` describes what it should contain."""
    if isinstance(document, list):
        return f"{lines}, not of a list; remove the dashes at the beginning"
    if slip := find_slip(str(document)):
        return f"{lines}; {slip[1]}"
    if isinstance(document, str) and ":" in document:
        # In `name:<no-break space>Desk` people see a space.
        unseen = next((char for char in document if not is_seen(char)), None)
        return reject_unseen(unseen) if unseen is not None else f"{lines}; put a space after each colon"
    return f"{lines}, not of a list or a single value"
