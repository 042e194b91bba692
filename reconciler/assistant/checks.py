"""Checks a definition against the table of fields: its keys and their values."""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.fields import BY_PATH, ID, TOP_LEVEL, Field, keys_inside
from reconciler.assistant.invisible import describe_unseen, remove_unseen
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.plain_words import (
    CURLY_QUOTES,
    KINDS,
    describe_kind,
    describe_unknown_field,
    describe_wrong_kind,
    find_closest,
    name_look_alike,
    shorten,
)
from reconciler.assistant.problem import MAX_PROBLEMS, FieldProblem

# The id becomes part of a URL: "/", "?", "#", white space and control characters would change it, and a URL drops "."
# and "..". Curly quotes come from a text editor, and invisible characters from copied text; neither was meant.
ID_PATTERN: Final = (
    r"(?!\.\.?$|(?!new$)[Nn][Ee][Ww]$)"
    r"[^/?#\s\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2018\u2019\u201c\u201d\u202a-\u202e\u2060-\u206f\ufeff]+"
)
_ID = re.compile(ID_PATTERN)
_LIKE_ID = re.compile(r"\W*id\W*", re.IGNORECASE)


def check_definition(
    document: Mapping[str, Any],
    extra_fields: Iterable[FieldPath] = (),
    *,
    needs_id: bool = True,
    advised: Collection[str] = (ID.path[0], *TOP_LEVEL),
) -> list[FieldProblem]:
    """Return at most `MAX_PROBLEMS` that the API would not accept; values at `extra_fields` are not checked.

    `advised` are the top-level keys that a message may suggest.
    """
    extra = frozenset(extra_fields)
    # A misspelled `id` is reported separately.
    needs_id = needs_id and not any(_LIKE_ID.fullmatch(key) and (key,) not in extra for key in document)
    problems = itertools.chain(_check_id(document, needs_id=needs_id), _check_object((), document, extra, advised))
    return list(itertools.islice(problems, MAX_PROBLEMS))


def _check_id(document: Mapping[str, Any], *, needs_id: bool) -> Iterator[FieldProblem]:
    if "id" in document and (message := _explain_bad_id(document["id"])):
        yield FieldProblem(ID.path, message)
    elif needs_id:
        message = (
            'has no "id"; add a line with the assistant\'s id in the API, like: id: asst_123; for a new assistant, '
            "write: id: new"
        )
        yield FieldProblem(ID.path, message, about="file")


def _explain_bad_id(value: Any) -> str:
    if value is None or value == "":
        return "the id cannot be empty; copy it from the dashboard, or for a new assistant write: id: new"
    if isinstance(value, list):
        return "the id must be text; you wrote a list; remove the brackets or the dash around it"
    if not isinstance(value, str):
        return describe_wrong_kind("the id", "text", value)
    if any("\ud800" <= character <= "\udfff" for character in value):
        # A file is always UTF-8, but an argument of the command line may hold any bytes.
        return "the id must be text that can be saved as UTF-8; you wrote text"
    if _ID.fullmatch(value):
        return ""
    if value in (".", ".."):
        return 'the id cannot be "." or ".."; copy the assistant\'s id from the API'
    if value.lower() == "new":
        return f"the id cannot be {value}; for a new assistant, write: id: new"
    if set(value) & set(CURLY_QUOTES):
        return 'the id contains curly quotes; remove them, or use straight quotes (")'
    if unseen := describe_unseen(value):
        return f"the id cannot contain white space or control characters; {unseen}"
    return 'the id cannot contain "/", "?", "#", white space or control characters; copy only the id itself'


def _check_object(
    parent: FieldPath, fields: Mapping[str, Any], extra_fields: Collection[FieldPath], advised: Collection[str]
) -> Iterator[FieldProblem]:
    documented = keys_inside(parent)
    # Values of extra fields are not checked, since the reference says nothing about them.
    for key in documented:
        if key in fields and (*parent, key) not in extra_fields:
            yield from _check_value(BY_PATH[*parent, key], fields[key], extra_fields)
    for key in fields:
        path = (*parent, key)
        if key not in documented and path != ID.path and path not in extra_fields:
            yield describe_unknown_field(path, advised)


def _check_value(field: Field, value: Any, extra_fields: Collection[FieldPath]) -> Iterator[FieldProblem]:
    path = field.path
    if value is None:
        if not field.takes_null:
            message = f"{dotted(path)} cannot be empty; {_advise(field)}remove the line to leave it unmanaged"
            yield FieldProblem(path, message)
    # Before the kind: if somebody wrote a number for a provider, the allowed names help more than "must be text".
    elif field.choices:
        if not isinstance(value, str) or value not in field.choices:
            yield _describe_unlisted(field, value)
    elif type(value) not in KINDS[field.kind][0]:
        fields_hint = f"; its fields are {', '.join(keys_inside(path))}" if field.kind == "fields" else ""
        yield FieldProblem(path, describe_wrong_kind(dotted(path), field.kind, value) + fields_hint)
    elif field.kind == "fields":
        yield from _check_object(path, value, extra_fields, keys_inside(path))
    elif field.kind == "texts":
        yield from _check_items(field, value)
    elif field.range and not field.range[0] <= value <= field.range[1]:
        must_be = f"{dotted(path)} must be between {field.range[0]} and {field.range[1]}"
        yield FieldProblem(path, f"{must_be}; you wrote {value}", must_be)


def _advise(field: Field) -> str:
    """Return how to write the value that the user most likely meant."""
    if field.kind == "fields":
        return f"indent its fields ({', '.join(keys_inside(field.path))}) below it, or "
    return 'write a text (in quotes if it begins with "#"), or ' if field.kind == "text" and not field.choices else ""


def _check_items(field: Field, items: list[Any]) -> Iterator[FieldProblem]:
    for index, item in enumerate(items):
        name = f"{dotted(field.path)}, item {index + 1},"
        # YAML reads a single dash as null. Most often it is an unfinished item.
        if item is None:
            message = f'{name} cannot be empty; write its text (in quotes if it begins with "#"), or remove the item'
            yield FieldProblem((*field.path, str(index)), message)
        elif not isinstance(item, str):
            yield FieldProblem((*field.path, str(index)), describe_wrong_kind(name, "text", item))


def _describe_unlisted(field: Field, value: Any) -> FieldProblem:
    must_be = f"{dotted(field.path)} must be one of {', '.join(field.choices)}"
    if not isinstance(value, str):
        return FieldProblem(field.path, f"{must_be}; you wrote {describe_kind(value)}")
    # With so few names, even a poor match is most likely the right one.
    near = find_closest(value, field.choices, cutoff=0.5)
    guess = f"; did you mean {near}?{name_look_alike(value)}" if near else ""
    # The name looks right to the user, so only the invisible character next to it explains the error.
    if unseen := describe_unseen(value):
        guess = f"; {unseen}" if remove_unseen(value) in field.choices else f"{guess}; {unseen}"
    return FieldProblem(field.path, f'{must_be}; you wrote "{shorten(value)}"{guess}', must_be)
