"""Whether some JSON has the shape that a TypedDict describes; for reports that anybody may have written.

pydantic would do it, but before Python 3.12 it insists on a TypedDict that is not the standard library's.
"""

import functools
import types
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from reconciler.assistant.paths import to_pointer

_WORDS: dict[Any, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}
Place = tuple[str, ...]


class ShapeError(ValueError):
    """Some JSON is not what it should be; the text says where and how, and quotes no value."""


def check_shape(value: Any, kind: Any, place: Place = ()) -> None:
    """Raise ShapeError unless a JSON value has the shape of a type.

    A type is a TypedDict, a list, a dict with text keys, a Literal of texts, a scalar, or one or None.
    Keys that a TypedDict does not name are fine: a later version may have added them.
    """
    if kind is Any:
        return
    if is_typeddict(kind):
        _check_fields(value, kind, place)
        return
    check = _CHECKS.get(get_origin(kind))
    if check:
        check(value, get_args(kind), place)
    elif type(value) is not kind:
        _refuse(place, _WORDS[kind], value)


@functools.cache
def _fields(kind: Any) -> list[tuple[str, Any, bool]]:
    """Return the keys of a TypedDict, each with its type and whether it must be there."""
    found = []
    for key, hint in get_type_hints(kind, include_extras=True).items():
        optional = get_origin(hint) is NotRequired
        found.append((key, get_args(hint)[0] if optional else hint, not optional))
    return found


def _check_fields(value: Any, kind: Any, place: Place) -> None:
    if not isinstance(value, dict):
        _refuse(place, _WORDS[dict], value)
    for key, hint, required in _fields(kind):
        if key in value:
            check_shape(value[key], hint, (*place, key))
        elif required:
            msg = f"{_where(place)} has no {key!r}"
            raise ShapeError(msg)


def _check_list(value: Any, arguments: tuple[Any, ...], place: Place) -> None:
    if not isinstance(value, list):
        _refuse(place, _WORDS[list], value)
    for number, item in enumerate(value):
        check_shape(item, arguments[0], (*place, str(number)))


def _check_dict(value: Any, arguments: tuple[Any, ...], place: Place) -> None:
    if not isinstance(value, dict):
        _refuse(place, _WORDS[dict], value)
    for key, item in value.items():
        check_shape(item, arguments[1], (*place, key))


def _check_literal(value: Any, choices: tuple[Any, ...], place: Place) -> None:
    if not isinstance(value, str) or value not in choices:
        _refuse(place, "one of " + ", ".join(choices), value)


def _check_optional(value: Any, kinds: tuple[Any, ...], place: Place) -> None:
    """Check a value that may be null; a union of more than one other type would need a rule of its own."""
    if value is not None:
        (kind,) = [kind for kind in kinds if kind is not type(None)]
        check_shape(value, kind, place)


_CHECKS = {
    list: _check_list,
    dict: _check_dict,
    Literal: _check_literal,
    Union: _check_optional,
    types.UnionType: _check_optional,
}


def _refuse(place: Place, wanted: str, value: Any) -> None:
    found = "another text" if wanted.startswith("one of") and isinstance(value, str) else _WORDS[type(value)]
    msg = f"{_where(place)} should be {wanted}, not {found}"
    raise ShapeError(msg)


def _where(place: Place) -> str:
    return to_pointer(place) or "the report"
