r"""Writes values, names and texts from outside so that a person sees what is really there.

Every text of a definition or the API passes through here before it reaches a terminal or a page. Invisible characters,
and those that would control the terminal, are escaped (`\x1b`, `\u202e`). Knows no format.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.assistant.invisible import is_all_seen, is_seen
from reconciler.assistant.paths import FieldPath, dotted, parse_pointer

SENSITIVE = "(sensitive)"
SHORT = 60  # columns of one value on its own line
NOTHING = "nothing"  # the word for a side without a value
_DEEPEST = 200  # levels, as many as in a report that can be read back
_PLAIN_KEY = re.compile(r"[^\s.\"'\\/{}\[\],:]+")
# Letters that look Latin on a screen, and dashes. Unicode itself maps other characters that look alike.
_LETTERS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf\u0475"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0406\u0408"
    "\u04c0\u051a\u051c"  # Cyrillic
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b3\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03c7"  # Greek
    "\u0565\u0570\u0578\u057d\u0581\u0585\u054d\u0555",  # Armenian
    "aeopcyxijshdqwlv" + "ABEKMHOPCTYXSIJIQW" + "ABEZHIKMNOPTYX" + "ayikvopux" + "ehnugoUO",
)
# Latin letters, dashes and other signs that are usual in names, and characters that only change the look of the letter
# before. Straight and curly quotes look different.
_TWINS = {
    **_LETTERS,
    **str.maketrans("\u0131\u0251\u0261\u2010\u2011\u2012\u2013\u2212\u02d7", "iag------"),
    **str.maketrans("\u2044\u2215\u201a\u2236\ua789\u2223\u01c0\u2217\u01c3", "//,::||*!"),
    **str.maketrans("\u2015\u02bc\u22c5\u2219\u2027\u1427", "\u2014\u2019\u00b7\u00b7\u00b7\u00b7"),
    **dict.fromkeys([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x17B4, 0x17B5]),
}
_NOT_PLAIN = re.compile("[^ -~]")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_ESCAPE_AT_END = re.compile(r"\\.{0,9}$")
_WORD = re.compile(r"[^\s/]+|\s+")
_JOINER = "\u200d"
_EMOJI_FROM = "\u2190"
# Columns of a long line that are shown before a place in it, and in total: with the margins, 80. A whole prompt may be
# one line, and a terminal that wraps the line would show the mark below another part of it.
_BEFORE_PLACE, _WIDEST = 44, 72


def escape(text: str) -> str:
    r"""Return a text in which every character is visible: a line end as `\n`, an ANSI escape as `\x1b`."""
    # Invisible are the characters that `str.isprintable` rejects (the Unicode categories "Other" and "Separator",
    # except the space), and letters that a screen does not show.
    # Nearly every text is plain except for its line ends, and a report has many texts, some of them megabytes long.
    text = text.replace("\n", r"\n")
    if is_all_seen(text):
        return text
    return _NOT_PLAIN.sub(lambda match: _show_char(text, match.start(), match[0]), text)


def _show_char(text: str, place: int, char: str) -> str:
    # A zero-width joiner is kept inside an emoji.
    is_glue = char == _JOINER and place and min(text[place - 1], text[place + 1 : place + 2]) >= _EMOJI_FROM
    return char if is_seen(char) or is_glue else _reveal(char)


def show_name(name: str) -> str:
    """Return the name of a key, a file or an assistant so that it does not look like another name."""
    if name.isascii():
        return escape(name)
    # A letter that only looks Latin is escaped. A name that is clearly in another script stays as it is.
    if name.translate(_LETTERS).isascii():
        return _reveal_name(name)
    return _WORD.sub(lambda match: _reveal_name(match[0]) if _is_mixed(match[0]) else escape(match[0]), name)


def _is_mixed(word: str) -> bool:
    plain = word.translate(_LETTERS)
    mixed = plain != word and plain.isascii() and any("A" <= char <= "z" for char in word)
    return mixed or unicodedata.normalize("NFC", word) != word


def _reveal_name(name: str) -> str:
    return _NOT_PLAIN.sub(lambda match: _reveal(match[0]), name)


def drop_half_escape(text: str) -> str:
    """Return a shortened text without an escape at its end, which may be incomplete."""
    return _ESCAPE_AT_END.sub("", text)


def show_apart(*texts: str, quoted: bool = False) -> list[str]:
    """Return texts with every character visible, `quoted` or not. Two different texts never look alike."""
    # If they would look alike, ambiguous characters are escaped, and blanks that differ become dots.
    escaped = [*map(quote if quoted else escape, texts)]
    if len({*map(_strip_looks, escaped)}) == len({*texts}) and not _hides_a_word(texts):
        return escaped
    blanks = any(map(str.isspace, texts)) or len({text.replace(" ", "") for text in texts}) < len({*texts})
    revealed = (_reveal(text, blanks=blanks) for text in texts)
    return [text.replace('"', r"\"").join('""') for text in revealed] if quoted else [*revealed]


def reveal_alike(texts: Iterable[str], *, escaped: bool = True) -> dict[str, str]:
    """Return those texts that look like another one, rewritten to look different. `escaped`: they contain escapes."""
    different = {*texts}
    # Most texts are ASCII, and ASCII never looks like something else.
    if all(map(str.isascii, different)):
        return {}
    appearances = {text: _strip_looks(escape(text)) for text in different}
    times = Counter(filter(None, appearances.values()))
    reveal = _reveal_name if escaped else _reveal
    return {text: reveal(text) for text, appearance in appearances.items() if times[appearance] > 1}


def _hides_a_word(texts: Sequence[str]) -> bool:
    """Return whether a word of one text looks like a different word of another text."""
    if all(map(str.isascii, texts)):
        return False
    words = [{*text.split()} for text in texts]
    return any(
        {*map(_strip_looks, left - right)} & {*map(_strip_looks, right - left)}
        for left, right in itertools.combinations(words, 2)
    )


def _strip_looks(text: str) -> str:
    """Return a text as a reader sees it: in Unicode's compatible form, with Latin letters for those that look Latin."""
    # Only characters that are not ASCII: `translate` would look up every character, even in megabytes.
    text = _NOT_ASCII.sub(lambda match: match[0].translate(_TWINS), unicodedata.normalize("NFKC", text))
    return " ".join(text.split())


def _reveal(text: str, *, blanks: bool = False) -> str:
    """Return a text in which everything but plain ASCII is an escape, and a backslash is two."""
    visible = text.encode("unicode_escape").decode()
    return visible.replace(" ", "\u00b7") if blanks else visible


def quote(text: str) -> str:
    """Return a text in double quotes, as JSON and YAML read it, with every character visible."""
    return '"' + escape(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def literal(value: Any, depth: int = 0) -> str:
    """Return a JSON value on one line, similar to YAML's flow style: `{provider: "openai", n: [1]}`."""
    if isinstance(value, str):
        return value if value == SENSITIVE else quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    # Live may contain anything. Too deep nesting must not exhaust the stack.
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, list):
        return "[" + ", ".join(literal(item, depth + 1) for item in value) + "]"
    if isinstance(value, dict):
        inner = (f"{key_name(key)}: {literal(item, depth + 1)}" for key, item in value.items())
        return "{" + ", ".join(inner) + "}"
    return repr(value)


def literals(*values: Any) -> list[str]:
    """Return values of one field for a sentence. None stands for no value, and different values look different."""
    if all(isinstance(value, str) and value != SENSITIVE for value in values):
        return show_apart(*values, quoted=True)
    return show_apart(*(NOTHING if value is None else literal(value) for value in values))


def key_name(key: str) -> str:
    """Return a key inside a path or an object. An unusual key is in quotes."""
    if _PLAIN_KEY.fullmatch(key) and show_name(key) == key:
        return key
    return show_name(quote(key))


def field_name(pointer: str) -> str:
    """Return the field of a JSON Pointer as people write it, `model.temperature`."""
    return name_path(parse_pointer(pointer))


def name_path(path: FieldPath) -> str:
    """Return a field's path as people write it. An unusual key is in quotes, `metadata."x y"`."""
    return dotted([*map(key_name, path)])


def count_columns(text: str) -> int:
    """Return how many columns of a terminal a text takes. Wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    non_ascii = _NOT_PLAIN.findall(text)
    return len(text) - len(non_ascii) + sum(map(_measure_char, non_ascii))


def _measure_char(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200d\ufe0e\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fits_on_a_line(value: Any) -> bool:
    """Return whether a value is short enough to be shown whole on one line, and has no text of several lines."""
    if isinstance(value, str) and ("\n" in value or len(value) > SHORT):
        return False
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return count_columns(literal(value)) <= SHORT and all(map(fits_on_a_line, parts))


def draw_place(line: str, column: int) -> list[str]:
    """Return a line of a file, and a line with a `^` below a column (from 1), or nothing without a line."""
    if not line.strip():
        return []
    at = column - 1
    head, tail = line[max(0, at - _BEFORE_PLACE) : at], line[at : at + _WIDEST]
    while count_columns(escape(head)) > _BEFORE_PLACE:
        head = head[1:]
    while count_columns(escape(head)) + count_columns(escape(tail)) > _WIDEST:
        tail = tail[:-1]
    visible = ("… " if len(head) < at else "") + escape(head)
    ellipsis = " …" if len(line) > at + len(tail) else ""
    return [f"    {visible}{escape(tail)}{ellipsis}".rstrip(), f"    {' ' * count_columns(visible)}^"]
