"""Decides which characters can be seen, names those that cannot, and says what to do about them."""

import re
import unicodedata
from typing import Final

# Letters and marks without ink: printable to Python, and nothing on a screen.
_BLANK_LETTERS: Final = "\u034f\u115f\u1160\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
_BLANK: Final = re.compile(f"[{_BLANK_LETTERS}]")
# Whatever follows one of these is shown in another order than it is stored in (Unicode Standard Annex 9).
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
    """Return whether a character leaves ink, or is an ordinary space."""
    return character.isprintable() and character not in _BLANK_LETTERS


def is_all_seen(text: str) -> bool:
    """Return whether every character of a text can be seen: nearly every text, which this sees quickly."""
    return text.isprintable() and not _BLANK.search(text)


def is_blank(text: str) -> bool:
    """Return whether a text holds nothing that can be seen but spaces."""
    return not any(is_seen(char) and char != " " for char in text)


def name_character(character: str) -> str:
    """Return what a character is, with its code point: `a no-break space (U+00A0)`."""
    name = _NAMES.get(character) or unicodedata.name(character, "control character").lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} (U+{ord(character):04X})"


def remove_unseen(text: str) -> str:
    """Return a text without what nobody sees in it, and without spaces around it."""
    return "".join(filter(is_seen, text)).strip()


def replace_unseen(character: str) -> str:
    """Return what to do about a character that nobody sees, where something else may follow it."""
    return "type an ordinary space instead, or delete it" if _is_space(character) else "delete it"


def reject_unseen(character: str) -> str:
    """Return what to say about such a character at its place."""
    reason = "which looks like a space but is not one" if _is_space(character) else "which is invisible"
    return f"here is {name_character(character)}, {reason}; {replace_unseen(character)}"


def name_reordering(text: str) -> str:
    """Return the first character of a text that lets it look like another text, with its code point; or nothing."""
    char = "" if text.isascii() else next((each for each in text if each in REORDERING), "")
    return char and name_character(char)


def _is_space(character: str) -> bool:
    return character != " " and unicodedata.category(character) in _SPACES


def tell_apart(name: str, other: str) -> str:
    """Return in what alone two names differ that are one to `same_name`, so that it can be seen."""
    if unicodedata.normalize("NFC", name) != unicodedata.normalize("NFC", other):
        return "in capital and small letters"
    return f"in how their letters are stored ({_write_form(name)} and {_write_form(other)})"


def _write_form(name: str) -> str:
    """Return a name with its accents, and the letters that have one, written as escapes."""
    return "".join(
        char if unicodedata.normalize("NFD", char) == char and not unicodedata.combining(char) else ascii(char)[1:-1]
        for char in name
    )


def describe_unseen(text: str) -> str:
    """Return which character of a text nobody sees, where it is and what to do; nothing where all is seen."""
    if is_all_seen(text) and text == text.strip(" "):
        return ""
    # A space at either end is as hard to see as what is no space at all.
    # Half a surrogate pair is shown as what it is, and comes from no keyboard.
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
    # A block text ends in one, whether or not its writer wanted it.
    instead = (
        'write it behind its key, or ">-" instead of ">" and "|-" instead of "|"' if character == "\n" else "delete it"
    )
    return f"there is {name} at its end: {instead}"
