"""Decides which characters can be seen, names those that cannot, and says what to do about them."""

import re
import unicodedata
from typing import Final

# Python calls these letters and marks printable, but a screen shows nothing.
_BLANK_LETTERS: Final = "\u034f\u115f\u1160\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
_BLANK: Final = re.compile(f"[{_BLANK_LETTERS}]")
# Text after one of these is shown in another order than it is stored in (Unicode Standard Annex 9).
REORDERING: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_NAMES: Final = {
    "\t": "tab",
    "\n": "line break",
    "\r": "carriage return",
    "\x85": "next line mark",
    "\ufeff": "byte order mark",
}
_SPACES: Final = ("Zs", "Zl", "Zp")


def is_seen(character: str) -> bool:
    """Return whether a character is visible, or an ordinary space."""
    return character.isprintable() and character not in _BLANK_LETTERS


def is_all_seen(text: str) -> bool:
    """Return whether every character of a text can be seen. Quick, because nearly every text is like that."""
    return text.isprintable() and not _BLANK.search(text)


def is_blank(text: str) -> bool:
    """Return whether a text contains nothing visible except spaces."""
    return not any(is_seen(char) and char != " " for char in text)


def name_character(character: str) -> str:
    """Return what a character is, with its code point: `a no-break space (U+00A0)`."""
    name = _NAMES.get(character) or unicodedata.name(character, "control character").lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} (U+{ord(character):04X})"


def remove_unseen(text: str) -> str:
    """Return a text without its invisible characters, and without spaces around it."""
    return "".join(filter(is_seen, text)).strip()


def replace_unseen(character: str) -> str:
    """Return what to do about an invisible character that may also stand between two words."""
    return "type an ordinary space instead, or delete it" if _is_space(character) else "delete it"


def reject_unseen(character: str) -> str:
    """Return what to say about such a character at its place."""
    reason = "which looks like a space but is not one" if _is_space(character) else "which is invisible"
    return f"there is {name_character(character)} here, {reason}; {replace_unseen(character)}"


def name_reordering(text: str) -> str:
    """Return the first character of a text that changes the order in which it is shown, with its code point, or ""."""
    char = "" if text.isascii() else next((each for each in text if each in REORDERING), "")
    return char and name_character(char)


def _is_space(character: str) -> bool:
    return character != " " and unicodedata.category(character) in _SPACES


def tell_apart(name: str, other: str) -> str:
    """Return how two names differ that `same_name` treats as equal, so that the difference can be seen."""
    if unicodedata.normalize("NFC", name) != unicodedata.normalize("NFC", other):
        return "in upper and lower case"
    return f"in how their letters are stored ({_write_form(name)} and {_write_form(other)})"


def _write_form(name: str) -> str:
    """Return a name in which accents, and letters with an accent, are written as escapes."""
    return "".join(
        char if unicodedata.normalize("NFD", char) == char and not unicodedata.combining(char) else ascii(char)[1:-1]
        for char in name
    )


def describe_unseen(text: str) -> str:
    """Return which character of a text is invisible, where it is, and what to do; "" if there is none."""
    if is_all_seen(text) and text == text.strip(" "):
        return ""
    # A space at either end is as hard to see as an invisible character.
    # Half a surrogate pair is shown as an escape, and no keyboard produces one.
    unseen = (at for at, char in enumerate(text) if not is_seen(char) and not "\ud800" <= char <= "\udfff")
    position = next(unseen, None)
    if position is None:
        position = 0 if text.startswith(" ") else len(text.rstrip(" "))
        if position == len(text):
            return ""
    character = text[position]
    name = "a space" if character == " " else name_character(character)
    if is_blank(text[:position]):
        return f"there is {name} at its beginning: {replace_unseen(character)}"
    if not is_blank(text[position:]):
        return f"there is {name} in the middle of it: {replace_unseen(character)}"
    # A block text ends in one, whether its author wanted it or not.
    instead = (
        'write it after its key, or ">-" instead of ">" and "|-" instead of "|"' if character == "\n" else "delete it"
    )
    return f"there is {name} at its end: {instead}"
