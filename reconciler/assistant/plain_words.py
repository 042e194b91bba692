"""Describes problems of fields for people who do not program: what is wrong, and what to write instead."""

import difflib
import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.assistant import fields
from reconciler.assistant.file_names import same_name
from reconciler.assistant.invisible import describe_unseen, is_seen, name_character, remove_unseen
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.problem import FieldProblem

_NUMBER = r"[-+]?[0-9]+(\.[0-9]+)?"
# Text editors write these instead of quotes, but YAML reads them as letters.
CURLY_QUOTES: Final = "\u2018\u2019\u201c\u201d"
# The exact types of each kind of field, since in Python `True` is also a number, and the words for it.
KINDS: Final[Mapping[fields.ValueKind, tuple[tuple[type, ...], str]]] = {
    "text": ((str,), "text"),
    "whole number": ((int,), "a whole number, like 1800"),
    "number": ((int, float), "a number, like 0.7"),
    "texts": ((list,), 'a list, with each item on its own line, after "- "'),
    "fields": ((dict,), "a group of fields, indented below it"),
    "anything": ((dict,), "a group of keys and values, indented below it"),
}
_TYPES: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a decimal point",
    str: "text",
    list: "a list",
    type(None): "nothing",
}
_LONGEST_SLIP: Final = 200  # characters of a misspelled word; comparing longer ones takes too long
# What people write instead of YAML's signs at the beginning of a line; `at` is the place to point at.
# Compiled only when a file has a mistake.
_SLIPS: Final = (
    (r"\s*(?P<at>```|~~~)", "remove the lines with {}, which chats and web pages put around a text"),
    (r"\s*(?P<at><!doctype|<html|<\?xml)", "this is a web page; copy only its text into this file"),
    (r"\s*(?:\"[^\"]*\"\s*:.*,\s*)?(?P<at>//|/\*)", 'a comment begins with "#", not with {}'),
    (r"\s*(?P<at>--|;)\s", 'a comment begins with "#", not with {}'),
    (r"\s*(?:- )?[\w.-]+\s*(?P<at>=>|->|[=;\uff1a\ufe55\u2236])", 'write a colon (":") and a space here instead of {}'),
    (r"\s*(?P<at>[*+\u2022\u00b7\u2023\u25aa\u2010-\u2015])\s", 'an item of a list begins with "- ", not with {}'),
    (r"\s*(?P<at>:)\s", "the name of the field is missing before this colon"),
)


def describe_unknown_field(path: FieldPath, allowed: Collection[str]) -> FieldProblem:
    """Return the message about a key that the API does not have in this place; `allowed` are the keys that it has."""
    place = f" inside {dotted(path[:-1])}" if path[1:] else ""
    message, quoting = _suggest_field(path, allowed), f"unknown field {dotted(path)}"
    advice = message.removeprefix(quoting) if message.startswith(quoting) else ""
    return FieldProblem(path, message, f"unknown field{place}{advice}", about="key")


def describe_wrong_kind(name: str, kind: fields.ValueKind, value: Any) -> str:
    """Return the message about a value that is not of the `kind` kind, without quoting it."""
    repair = _suggest_repair(kind, value)
    return f"{name} must be {KINDS[kind][1]}; you wrote {describe_kind(value)}" + (f"; {repair}" if repair else "")


def describe_kind(value: Any) -> str:
    """Return what a value is, in plain words."""
    return _TYPES.get(type(value), "a group of keys and values")


def find_slip(line: str) -> tuple[int, str] | None:
    """Return the column, from 1, of a slip at the beginning of a line, and what to write instead."""
    for pattern, message in _SLIPS:
        if match := re.match(pattern, line, re.IGNORECASE):
            sign = match["at"]
            # Name the character, because it may look exactly like the intended one.
            name = f'"{sign}"' if sign.isascii() else f'"{sign}", {name_character(sign)}'
            return match.start("at") + 1, message.format(name)
    return None


def find_closest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the candidate that is most likely meant by `word`, if there is one."""
    if len(word) > _LONGEST_SLIP:
        return None
    # Only letters and digits are compared: `first_message`, `FirstMessage` and `first-message` are the same slip.
    by_letters = {_letters(candidate): candidate for candidate in candidates}
    matches = difflib.get_close_matches(_letters(word), by_letters, n=1, cutoff=cutoff)
    return by_letters[matches[0]] if matches else None


def name_look_alike(word: str) -> str:
    """Return the end of a sentence about a letter that no name has, because it may look like another letter."""
    letter = next((character for character in word if not character.isascii()), "")
    return f' The "{letter}" in it is {name_character(letter)}' if letter else ""


def _suggest_field(path: FieldPath, allowed: Collection[str]) -> str:
    parent, key = path[:-1], path[-1]
    if not parent and key in fields.READ_ONLY:
        return f"{key} is set by the API; remove it"
    if unseen := describe_unseen(key):
        return f"unknown field {dotted(path)}; {unseen}"
    outer, _, inner = key.partition(".")
    if (outer, inner) in fields.BY_PATH:
        return f"{key} is not the name of a field; write {inner} on its own line, indented below {outer}"
    first_word = key.partition(" ")[0]
    if first_word in fields.keys_inside(parent):
        return f'unknown field {dotted(path)}; put a colon (":") and a space after {first_word}'
    if key.partition(":")[0] in fields.keys_inside(parent):
        return f"unknown field {dotted(path)}; put a space after the colon"
    # No field of the API has a space in its name, so this is a sentence with a colon in it.
    names = {path[-1] for path in fields.DOCUMENTED}
    if " " in key.strip() and not find_closest(key, names, cutoff=0.85):
        return (
            f'unknown field {dotted(path)}; if this line belongs to the text above it, write "|-" after the colon of '
            "its key, and indent every line of the text further than the key"
        )
    if guess := _guess_field(parent, key, allowed):
        return f"unknown field {dotted(path)}; {guess}{name_look_alike(key)}"
    place = f"inside {dotted(parent)}" if parent else "here"
    return (
        f"unknown field {dotted(path)}; allowed {place}: {', '.join(allowed)} "
        "(a field that the API has but its reference does not list can be added under extra_fields in reconciler.yaml)"
    )


def _guess_field(parent: FieldPath, key: str, siblings: Collection[str]) -> str:
    """Return a "did you mean": a key of this place, the same key elsewhere, or else a similar key."""
    letters = _letters(key)
    elsewhere = [path for path in fields.DOCUMENTED if path[:-1] != parent and path != parent]
    # The same letters elsewhere are a better guess than a similar key here: `voiceId` at the top is not `voice`.
    near = find_closest(key, siblings, cutoff=1.0)
    same = [path for path in elsewhere if letters in (_letters(path[-1]), _letters("".join(path)))]
    if same and not near:
        return _suggest_move(same)
    if near := find_closest(key, siblings):
        return f"did you mean {near}?"
    # Another key in another place takes two guesses, so it must be very similar.
    near = find_closest(key, [path[-1] for path in elsewhere], cutoff=0.8)
    return _suggest_move([path for path in elsewhere if path[-1] == near]) if near else ""


def _suggest_move(places: list[FieldPath]) -> str:
    names = " or ".join(dotted(path) for path in places)
    if len(places) > 1:
        return f"did you mean {names}? Write {places[0][-1]} indented below the right one"
    path = places[0]
    if len(path) == 1:
        return f"did you mean {names} at the top of the file, without indentation?"
    return f"did you mean {names}? Write {path[1]} indented below {path[0]}"


def _suggest_repair(kind: fields.ValueKind, value: Any) -> str:
    """Return how to repair a value of the wrong type, where that is likely, without quoting the value."""
    match kind, value:
        case "text", bool() | int() | float():
            return 'put it in quotes ("...") if it is meant as text'
        case "text", dict():
            guess = find_closest(next(iter(value), ""), ("$file",))
            otherwise = 'write the text itself, in quotes ("...") if it has { or ": " in it'
            return f"did you mean {guess}?" if guess else otherwise
        # YAML reads Markdown that was pasted after a key as a comment or a list.
        case "text", list():
            return 'if these are the lines of a text, write it below its key as a block that begins with "|-"'
        case "whole number" | "number", str():
            return _repair_number(kind, value)
        case "whole number", float():
            return "write it without a decimal point"
        case "fields", list():
            return "remove the dash before each field"
        # YAML reads `provider:openai` and the lines below it as one text; the same goes for "-goodbye".
        case "fields", str() if re.match(r"\w+:\S", value):
            return "put a space after each colon"
        case "texts", str() if re.match(r"[0-9]{1,2}[.)]\s", value):
            return 'an item of a list begins with "- ", not with a number'
        case "texts" | "fields", str():
            return _repair_lines(value)
    return ""


def _repair_lines(text: str) -> str:
    if text.startswith("-"):
        unseen = text[1:2] if not is_seen(text[1:2]) else ""
        return "put a space after each dash" + (f", where there is {name_character(unseen)}" if unseen else "")
    slip = find_slip(text)
    return slip[1] if slip else ""


def _repair_number(kind: fields.ValueKind, text: str) -> str:
    visible, unseen = remove_unseen(text), describe_unseen(text)
    if re.fullmatch(_NUMBER, visible.strip(CURLY_QUOTES + " ")):
        # Nothing is allowed between digits, not even a space.
        return f"{unseen.partition(': ')[0]}: delete it" if unseen else "write the number without quotes"
    if kind == "number" and re.fullmatch("[-+]?[0-9]+,[0-9]+", text):
        return "write a decimal point instead of the comma"
    if visible.isdecimal():
        return "write it with the digits 0 to 9"
    if re.match("[0-9]", text):
        return "write only its digits, without a unit or separators"
    return name_look_alike(text).strip().replace("The", "the")


def list_some(names: Sequence[str], limit: int) -> str:
    """Return the first of some names, and how many there are besides: `a, b and 3 more`."""
    suffix = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + suffix


def shorten(text: str) -> str:
    """Return a text that fits into a message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:37] + "..."


@functools.lru_cache(1024)
def _letters(key: str) -> str:
    """Return the letters and digits of a key, in lower case: `first_message` is `firstMessage` misspelt."""
    return "".join(character for character in same_name(key) if character.isalnum())
