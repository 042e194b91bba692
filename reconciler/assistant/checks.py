"""Checks what a definition declares against the table of fields: which keys there are, and which values they take."""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.assistant import wording
from reconciler.assistant.fields import BY_PATH, ID, Field, Kind, keys_inside
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import MAX_PROBLEMS, FieldProblem

# No "/", "?", "#", white space or control character, which would change the URL that the id becomes part of;
# neither "." nor "..", which a URL drops; no curly quote, which only ever comes from a text editor.
_ID_CHARACTER = r"[^/?#\s\x00-\x1f\x7f\u2018\u2019\u201c\u201d]"
_ID_START = _ID_CHARACTER.replace("[^", "[^.")
ID_PATTERN: Final = f"(?:{_ID_START}{_ID_CHARACTER}*|\\.{_ID_START}{_ID_CHARACTER}*|\\.\\.{_ID_CHARACTER}+)"
_ID = re.compile(ID_PATTERN)

# Compared with `type`, not `isinstance`: to Python `True` is a number as well.
_TYPES: Final[Mapping[Kind, tuple[type, ...]]] = {
    "text": (str,),
    "whole number": (int,),
    "number": (int, float),
    "texts": (list,),
    "fields": (dict,),
    "anything": (dict,),
}


def check_definition(
    document: Mapping[str, Any], extra_fields: Iterable[FieldPath] = (), *, needs_id: bool = True
) -> list[FieldProblem]:
    """Return everything in which a definition file's content is not what the API takes, `MAX_PROBLEMS` at most.

    `document` is the file's content as plain JSON values, `id` included. What stands at `extra_fields` is not
    looked at. Without `needs_id` an absent `id` is no problem.
    """
    problems = itertools.chain(
        _check_id(document, needs_id=needs_id), _check_object((), document, frozenset(extra_fields))
    )
    return list(itertools.islice(problems, MAX_PROBLEMS))


def _check_id(document: Mapping[str, Any], *, needs_id: bool) -> Iterator[FieldProblem]:
    if "id" not in document:
        if needs_id:
            yield wording.describe_missing_id()
        return
    value = document["id"]
    if not isinstance(value, str):
        yield from _check_value(ID, value, ())
    elif not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        # Not from a file, which is UTF-8, but an argument of the command line may hold any bytes.
        yield wording.describe_wrong_kind(ID.path, "encodable text", value)
    elif not _ID.fullmatch(value):
        yield wording.describe_bad_id(value)


def _check_object(
    parent: FieldPath, fields: Mapping[str, Any], extra_fields: Collection[FieldPath]
) -> Iterator[FieldProblem]:
    # What stands at an extra field is not looked at, whatever it is, since the reference says nothing about it.
    known = keys_inside(parent)
    for key in known:
        if key in fields and (*parent, key) not in extra_fields:
            yield from _check_value(BY_PATH[*parent, key], fields[key], extra_fields)
    for key in fields:
        path = (*parent, key)
        if key not in known and path != ID.path and path not in extra_fields:
            yield wording.describe_unknown_field(path)


def _check_value(field: Field, value: Any, extra_fields: Collection[FieldPath]) -> Iterator[FieldProblem]:
    if value is None:
        if not field.takes_null:
            yield wording.describe_null(field.path)
    # Before the kind: whoever wrote a number for a provider is helped more by the names than by "text".
    elif field.choices:
        if type(value) is not str or value not in field.choices:
            yield wording.describe_unlisted(field, value)
    elif type(value) not in _TYPES[field.kind]:
        yield wording.describe_wrong_kind(field.path, field.kind, value)
    elif field.kind == "fields":
        yield from _check_object(field.path, value, extra_fields)
    elif field.kind == "texts":
        yield from _check_items(field, value)
    elif field.range and not field.range[0] <= value <= field.range[1]:
        yield wording.describe_out_of_range(field, value)


def _check_items(field: Field, items: list[Any]) -> Iterator[FieldProblem]:
    for index, item in enumerate(items):
        path = (*field.path, str(index))
        if item is None:
            yield wording.describe_null(path)
        elif type(item) is not str:
            yield wording.describe_wrong_kind(path, "text", item)
