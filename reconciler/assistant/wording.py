"""Validation's findings in words for people who do not program: what is wrong, and what to write instead."""

import difflib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from reconciler.assistant import fields
from reconciler.assistant.finding import Finding
from reconciler.assistant.paths import FieldPath, dotted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_CURLY_QUOTES = "\u2018\u2019\u201c\u201d"
_WANTED = {
    "string_type": "text",
    "string_unicode": "text that UTF-8 can hold",  # not from a file, which is UTF-8; from an argument
    "int_type": "a whole number, like 1800",
    "float_type": "a number, like 0.7",
    "list_type": 'a list, with each item on a line of its own that begins with "- "',
    "dict_type": "a group of keys and values, indented below it",
    "model_type": "a group of fields, indented below it",
}


def put_into_words(detail: "ErrorDetails") -> Finding:
    """Return pydantic's account of one error as a finding."""
    path = tuple(str(part) for part in detail["loc"])
    kind, written = detail["type"], detail["input"]
    if kind == "missing":
        return Finding(
            path,
            'has no "id"; add a line with the assistant\'s id in the API, like: id: asst_123; for a new assistant run '
            "`reconciler create` with this file",
            about="file",
        )
    if kind == "extra_forbidden":
        where = f" inside {dotted(path[:-1])}" if path[1:] else ""
        return Finding(path, unknown_field(path), f"unknown field{where}", about="key")
    name = _name(path)
    if written is None:
        way_out = "write its text, or remove the item" if _is_item(path) else "remove the line to leave it unmanaged"
        return Finding(path, "the id cannot be empty" if path == ("id",) else f"{name} cannot be empty; {way_out}")
    if path == ("id",) and kind == "string_pattern_mismatch":
        return Finding(path, _bad_id(str(written)))
    if kind == "literal_error":
        return _not_listed(path, str(detail["ctx"]["expected"]), written)
    if kind in {"greater_than_equal", "less_than_equal"}:
        range_ = f"{name} must be between 0 and 2"
        return Finding(path, f"{range_}; you wrote {written}", range_)
    return Finding(path, f"{name} must be {_WANTED[kind]}; you wrote {_kind_of(written)}{_fix(kind, written)}")


def unknown_field(path: FieldPath) -> str:
    """Return what to say about a key that the API does not have at this place."""
    parent, key = path[:-1], path[-1]
    if not parent and key in fields.READ_ONLY:
        return f"{key} is set by the API; remove it"
    guess = _guess(parent, key)
    if guess:
        return f"unknown field {dotted(path)}; {guess}"
    allowed = fields.keys_inside(parent)
    place = f"inside {dotted(parent)}" if parent else "here"
    listed = ", ".join(allowed if parent else ("id", *allowed))
    return (
        f"unknown field {dotted(path)}; allowed {place}: {listed} "
        "(a field that the API has beyond its reference can be listed under extra_fields in reconciler.yaml)"
    )


def closest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the candidate that somebody who wrote `word` most likely meant, if there is one."""
    by_letters = {_letters(candidate): candidate for candidate in candidates}
    found = difflib.get_close_matches(_letters(word), by_letters, n=1, cutoff=cutoff)
    return by_letters[found[0]] if found else None


def _guess(parent: FieldPath, key: str) -> str:
    """Return a "did you mean": a key of this place, the same key elsewhere, then what looks alike."""
    here = ("id", *fields.keys_inside(parent)) if not parent else fields.keys_inside(parent)
    near = closest(key, here, cutoff=1.0)
    if near:
        return f"did you mean {near}?"
    elsewhere = [path for path in fields.DOCUMENTED if path[:-1] != parent]
    same = [path for path in elsewhere if _letters(key) in (_letters(path[-1]), _letters("".join(path)))]
    if same:
        return _belongs(same)
    near = closest(key, here)
    if near:
        return f"did you mean {near}?"
    near = closest(key, {path[-1] for path in elsewhere}, cutoff=0.8)
    return _belongs([path for path in elsewhere if path[-1] == near]) if near else ""


def _belongs(places: list[FieldPath]) -> str:
    """Return where a key belongs that stands at the wrong place."""
    names = " or ".join(dotted(path) for path in places)
    if len(places) > 1:
        return f"did you mean {names}?"
    path = places[0]
    if len(path) == 1:
        return f"did you mean {names} at the top of the file, without indentation?"
    return f"did you mean {names}? Write {path[1]} indented below {path[0]}"


def _not_listed(path: FieldPath, listed: str, written: Any) -> Finding:
    """Return the finding for a value outside the API's list; pydantic gives the list as `'a', 'b' or 'c'`."""
    values = re.findall(r"'([^']*)'", listed)
    rule = f"{_name(path)} must be one of {', '.join(values)}"
    if not isinstance(written, str):
        return Finding(path, f"{rule}; you wrote {_kind_of(written)}")
    near = closest(written, values, cutoff=0.5)
    guess = f"; did you mean {near}?" if near else ""
    return Finding(path, f'{rule}; you wrote "{_shortened(written)}"{guess}', rule)


def _bad_id(written: str) -> str:
    """Return what is wrong with an id."""
    if not written:
        return "the id cannot be empty"
    if written in (".", ".."):
        return 'the id cannot be "." or ".."; copy the assistant\'s id from the API'
    if set(written) & set(_CURLY_QUOTES):
        return 'the id has curly quotes around or in it; remove them, or use straight quotes (")'
    return 'the id cannot contain "/", "?", "#", white space or control characters; copy only the id itself'


def _fix(kind: str, written: Any) -> str:
    """Return how to repair a value of the wrong type, where that is likely, without quoting the value."""
    if kind == "string_type" and isinstance(written, bool | int | float):
        return '; put it in quotes ("...") if it is meant as text'
    if kind in ("int_type", "float_type") and isinstance(written, str):
        if _NUMBER.fullmatch(written.strip(_CURLY_QUOTES + " ")):
            return "; write the number without quotes"
        return ""
    if kind == "int_type" and isinstance(written, float):
        return "; write it without a decimal point"
    if kind == "list_type" and isinstance(written, str) and written.startswith("-"):
        return "; put a space after each dash"
    return ""


def _kind_of(written: Any) -> str:
    """Return what a value is, in plain words."""
    if isinstance(written, bool):
        return "true or false"
    if isinstance(written, int):
        return "a whole number"
    if isinstance(written, float):
        return "a number with a decimal point"
    if isinstance(written, str):
        return "text"
    if isinstance(written, list):
        return "a list"
    return "nothing" if written is None else "a group of keys and values"


def _name(path: FieldPath) -> str:
    """Return a path for a sentence: list items are counted from 1."""
    if path == ("id",):
        return "the id"
    if _is_item(path):
        return f"endCallPhrases, item {int(path[1]) + 1},"
    return dotted(path)


def _is_item(path: FieldPath) -> bool:
    """Tell whether a path names an item of the one list that the API documents."""
    return path[0] == "endCallPhrases" and len(path) == 2


def _shortened(text: str) -> str:
    """Return a text that fits into a message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:37] + "..."


def _letters(key: str) -> str:
    """Return the letters and digits of a key, in lower case: `first_message` is `firstMessage` misspelt."""
    return "".join(character for character in key.lower() if character.isalnum())
