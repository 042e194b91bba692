r"""How values, names and texts from outside are written so that a person sees what is really there.

Whatever a definition or the API wrote passes through here before it reaches a terminal or a page: what cannot
be seen, or would act on the terminal, is written as an escape (`\x1b`, `\u202e`). Knows no format.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from reconciler.assistant.invisible import is_all_seen, is_seen
from reconciler.assistant.paths import dotted, parse_pointer

SENSITIVE = "(sensitive)"
SHORT = 60  # columns that one value may take on a line of its own

_DEEPEST = 40
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_PLAIN_KEY = re.compile(r"[^\s.\"'\\/{}\[\],:]+")
_JOINER = "\u200d"
_EMOJI_FROM = "\u2190"


def escape(text: str) -> str:
    r"""Return a text in which every character can be seen: a line end as `\n`, an ANSI escape as `\x1b`.

    A zero-width joiner stays where it glues an emoji together. What cannot be seen is what `str.isprintable`
    leaves out: the Unicode categories "Other" and "Separator", the space aside; and letters without ink.
    """
    # Nearly every text is plain, and a report has very many.
    if is_all_seen(text):
        return text
    return "".join(_show_char(text, place, char) for place, char in enumerate(text))


def _show_char(text: str, place: int, char: str) -> str:
    if is_seen(char):
        return char
    if char == _JOINER and place and text[place - 1] >= _EMOJI_FROM and text[place + 1 : place + 2] >= _EMOJI_FROM:
        return char
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def quote(text: str) -> str:
    """Return a text between double quotes, as JSON and YAML read it, with everything in it visible."""
    return '"' + escape(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def literal(value: Any, depth: int = 0) -> str:
    """Return a JSON value on one line, much as YAML's flow style has it: `{provider: "openai", n: [1]}`."""
    if isinstance(value, str):
        return value if value == SENSITIVE else quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    # Live may hold anything; what is nested beyond all use must not exhaust the stack.
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, list):
        return "[" + ", ".join(literal(item, depth + 1) for item in value) + "]"
    if isinstance(value, dict):
        inner = (f"{key_name(key)}: {literal(item, depth + 1)}" for key, item in value.items())
        return "{" + ", ".join(inner) + "}"
    return repr(value)


def key_name(key: str) -> str:
    """Return one key as it reads inside a path or an object; an unusual one stands between quotes."""
    return key if _PLAIN_KEY.fullmatch(key) and escape(key) == key else quote(key)


def field_name(pointer: str) -> str:
    """Return the field that a JSON Pointer names as people write it, `model.temperature`."""
    try:
        return dotted(key_name(key) for key in parse_pointer(pointer))
    except ValueError:
        return quote(pointer)


def field_names(pointers: Iterable[str]) -> str:
    """Return several fields, separated by commas."""
    return ", ".join(map(field_name, pointers))


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_measure_char(char) for char in text)


def _measure_char(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200d\ufe0e\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fits_on_a_line(value: Any) -> bool:
    """Tell whether a value is short enough to be shown whole on one line."""
    if isinstance(value, str) and ("\n" in value or len(value) > SHORT):
        return False
    return columns(literal(value)) <= SHORT
