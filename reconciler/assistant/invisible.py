"""Names characters that nobody sees, or that look like a space and are none. Judges no field."""

import re
import unicodedata
from typing import Final

# Letters of Arabic and Indic words are joined with U+200C and U+200D; elsewhere they come with copied text.
_NAMES: Final = {
    "\t": "tab",
    "\n": "line break",
    "\r": "carriage return",
    "\xa0": "no-break space",
    "\xad": "soft hyphen",
    "\u200b": "zero width space",
    "\u2028": "line separator",
    "\ufeff": "byte order mark",
}
_INVISIBLE: Final = re.compile(
    r"[\t\n\r\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def find_invisible(text: str) -> re.Match[str] | None:
    """Return the first character of a text that nobody sees, or that looks like a space and is none."""
    return _INVISIBLE.search(text)


def has_invisible(text: str) -> bool:
    """Tell whether a text holds such a character; most hold none, which is seen quickly."""
    return _INVISIBLE.search(text) is not None


def name_character(character: str) -> str:
    """Return a character's name with its code point: `a no-break space (U+00A0)`."""
    name = _NAMES.get(character) or unicodedata.name(character, "control character").lower()
    article = "an" if name[0] in "aeiou" else "a"
    return f"{article} {name} (U+{ord(character):04X})"
