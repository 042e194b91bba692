"""Problems of fields in words for people who do not program: what is wrong, and what to write instead."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from reconciler.assistant import fields
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.problem import FieldProblem

_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
# A text editor writes them for quotes, and to YAML they are letters.
_CURLY_QUOTES = "\u2018\u2019\u201c\u201d"
# An id is more than a text: it becomes a part of a URL.
Wanted = Literal[fields.Kind, "encodable text"]
_WANTED: Final[Mapping[Wanted, str]] = {
    "text": "text",
    "encodable text": "text that UTF-8 can hold",
    "whole number": "a whole number, like 1800",
    "number": "a number, like 0.7",
    "texts": 'a list, with each item on a line of its own that begins with "- "',
    "fields": "a group of fields, indented below it",
    "anything": "a group of keys and values, indented below it",
}


def describe_missing_id() -> FieldProblem:
    """Return what to say about a definition without an id."""
    message = (
        'has no "id"; add a line with the assistant\'s id in the API, like: id: asst_123; for a new assistant run '
        "`reconciler create` with this file"
    )
    return FieldProblem(fields.ID.path, message, about="file")


def describe_null(path: FieldPath) -> FieldProblem:
    """Return what to say about null where the API does not take it."""
    if path == fields.ID.path:
        return FieldProblem(path, "the id cannot be empty")
    way_out = "write its text, or remove the item" if _is_item(path) else "remove the line to leave it unmanaged"
    return FieldProblem(path, f"{_name(path)} cannot be empty; {way_out}")


def describe_wrong_kind(path: FieldPath, wanted: Wanted, written: Any) -> FieldProblem:
    """Return what to say about a value that is something else than `wanted`."""
    must_be = f"{_name(path)} must be {_WANTED[wanted]}"
    return FieldProblem(path, f"{must_be}; you wrote {_kind_of(written)}{_repair(wanted, written)}")


def describe_unlisted(field: fields.Field, written: Any) -> FieldProblem:
    """Return what to say about a value outside the API's list."""
    must_be = f"{dotted(field.path)} must be one of {', '.join(field.choices)}"
    if not isinstance(written, str):
        return FieldProblem(field.path, f"{must_be}; you wrote {_kind_of(written)}")
    near = closest(written, field.choices, cutoff=0.5)
    guess = f"; did you mean {near}?" if near else ""
    return FieldProblem(field.path, f'{must_be}; you wrote "{_shortened(written)}"{guess}', must_be)


def describe_out_of_range(field: fields.Field, written: float) -> FieldProblem:
    """Return what to say about a number that is too small or too large."""
    least, greatest = field.range or (0, 0)
    must_be = f"{dotted(field.path)} must be between {least} and {greatest}"
    return FieldProblem(field.path, f"{must_be}; you wrote {written}", must_be)


def describe_unknown_field(path: FieldPath) -> FieldProblem:
    """Return what to say about a key that the API does not have at this place."""
    where = f" inside {dotted(path[:-1])}" if path[1:] else ""
    return FieldProblem(path, _what_instead(path), f"unknown field{where}", about="key")


def describe_bad_id(written: str) -> FieldProblem:
    """Return what to say about a text that can be no id."""
    if not written:
        return describe_null(fields.ID.path)
    if written in (".", ".."):
        message = 'the id cannot be "." or ".."; copy the assistant\'s id from the API'
    elif set(written) & set(_CURLY_QUOTES):
        message = 'the id has curly quotes around or in it; remove them, or use straight quotes (")'
    else:
        message = 'the id cannot contain "/", "?", "#", white space or control characters; copy only the id itself'
    return FieldProblem(fields.ID.path, message)


def closest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the candidate that somebody who wrote `word` most likely meant, if there is one."""
    by_letters = {_letters(candidate): candidate for candidate in candidates}
    found = difflib.get_close_matches(_letters(word), by_letters, n=1, cutoff=cutoff)
    return by_letters[found[0]] if found else None


def _what_instead(path: FieldPath) -> str:
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


def _guess(parent: FieldPath, key: str) -> str:
    """Return a "did you mean": a key of this place, the same key elsewhere, then what looks alike."""
    here = fields.keys_inside(parent) if parent else ("id", *fields.keys_inside(parent))
    elsewhere = [path for path in fields.DOCUMENTED if path[:-1] != parent]
    # The very same letters elsewhere are a better guess than a look-alike here: `voiceId` at the top is no `voice`.
    near = closest(key, here, cutoff=1.0)
    same = [path for path in elsewhere if _letters(key) in (_letters(path[-1]), _letters("".join(path)))]
    if same and not near:
        return _suggest_move(same)
    near = near or closest(key, here)
    if near:
        return f"did you mean {near}?"
    # What only looks alike and belongs elsewhere is a guess upon a guess, so it must look very much alike.
    near = closest(key, [path[-1] for path in elsewhere], cutoff=0.8)
    return _suggest_move([path for path in elsewhere if path[-1] == near]) if near else ""


def _suggest_move(places: list[FieldPath]) -> str:
    """Return where a key belongs that stands at the wrong place."""
    names = " or ".join(dotted(path) for path in places)
    if len(places) > 1:
        return f"did you mean {names}?"
    path = places[0]
    if len(path) == 1:
        return f"did you mean {names} at the top of the file, without indentation?"
    return f"did you mean {names}? Write {path[1]} indented below {path[0]}"


def _repair(wanted: Wanted, written: Any) -> str:
    """Return how to repair a value of the wrong type, where that is likely, without quoting the value."""
    if wanted == "text" and isinstance(written, bool | int | float):
        return '; put it in quotes ("...") if it is meant as text'
    if wanted in ("whole number", "number") and isinstance(written, str):
        is_number = _NUMBER.fullmatch(written.strip(_CURLY_QUOTES + " "))
        return "; write the number without quotes" if is_number else ""
    if wanted == "whole number" and isinstance(written, float):
        return "; write it without a decimal point"
    # YAML reads "-goodbye" and the lines below it as one text.
    if wanted == "texts" and isinstance(written, str) and written.startswith("-"):
        return "; put a space after each dash"
    return ""


def _kind_of(written: Any) -> str:
    """Return what a value is, in plain words."""
    # Before the numbers: to Python `True` is one.
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
        return f"{dotted(path[:-1])}, item {int(path[-1]) + 1},"
    return dotted(path)


def _is_item(path: FieldPath) -> bool:
    """Tell whether a path names an item of a list of texts."""
    holder = fields.BY_PATH.get(path[:-1])
    return holder is not None and holder.kind == "texts"


def _shortened(text: str) -> str:
    """Return a text that fits into a message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:37] + "..."


def _letters(key: str) -> str:
    """Return the letters and digits of a key, in lower case: `first_message` is `firstMessage` misspelt."""
    return "".join(character for character in key.lower() if character.isalnum())
