"""Converts frozen dataclasses to JSON, and untrusted JSON back. Knows nothing about reports."""

import builtins
import dataclasses
import enum
import functools
import typing
from typing import Annotated, Any, Final, TypeVar, cast

from reconciler.assistant.paths import parse_pointer, to_pointer
from reconciler.core.tree import MISSING

_KIND_NAMES: dict[Any, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}
Pointer = Annotated[str, parse_pointer]  # a JSON Pointer; reading checks it
# The metadata of a field that is no part of the JSON.
UNWRITTEN: Final = {"json": "unwritten"}
_Entry = TypeVar("_Entry")
_Place = tuple[str, ...]


class ShapeError(ValueError):
    """JSON of the wrong shape. The text says where and why, and quotes no value."""


def to_json(value: Any) -> Any:
    """Return an entry of a report as a JSON object; values that came as JSON stay as they are."""
    # If a field has its default None or `MISSING`, its key is left out.
    if dataclasses.is_dataclass(value):
        items = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {
            field.name: to_json(item)
            for field, item in items
            if item is not MISSING and not (item is None and field.default is None) and field.metadata != UNWRITTEN
        }
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value


def from_json(kind: type[_Entry], value: Any) -> _Entry:
    """Return the dataclass that a JSON object describes. Raises ShapeError if it does not.

    Its fields are dataclasses, tuples of one type, dicts, enums, literals, scalars, `Annotated` with a check that
    raises ValueError, or one of these or None.
    """
    return cast("_Entry", _read_value(kind, value, ()))


def _read_value(kind: Any, value: Any, place: _Place) -> Any:
    # Most values are of these, and a report has very many.
    if kind in _KIND_NAMES:
        return _expect(kind, value, place)
    if kind is Any:
        return value
    arguments = typing.get_args(kind)
    match typing.get_origin(kind):
        case None if isinstance(kind, enum.EnumMeta):
            return kind(_expect_one([*map(str, kind)], value, place))
        case None:
            return _read_object(kind, value, place)
        case builtins.tuple:
            items = enumerate(_expect(list, value, place))
            return tuple(_read_value(arguments[0], item, (*place, str(number))) for number, item in items)
        case builtins.dict:
            pairs = _expect(dict, value, place).items()
            return {key: _read_value(arguments[1], item, (*place, key)) for key, item in pairs}
        case typing.Literal:
            return _expect_one(arguments, value, place)
        case typing.Annotated:
            checked = _read_value(arguments[0], value, place)
            try:
                arguments[1](checked)
            except ValueError as error:
                raise ShapeError(f"{_describe_place(place)} names a field wrongly: {error}") from error
            return checked
    # A union, of one type with None: more would need a rule of their own.
    (member,) = [argument for argument in arguments if argument is not type(None)]
    return None if value is None else _read_value(member, value, place)


def _read_object(kind: Any, value: Any, place: _Place) -> Any:
    # Keys that no field names are fine: a later version may have added them.
    fields = {}
    _expect(dict, value, place)
    for name, hint, required in _find_fields(kind):
        if name in value:
            fields[name] = _read_value(hint, value[name], (*place, name))
        elif required:
            raise ShapeError(f"{_describe_place(place)} has no {name!r}")
    return kind(**fields)


# Type hints are evaluated on each request, and a report has thousands of entries.
@functools.cache
def _find_fields(kind: Any) -> list[tuple[str, Any, bool]]:
    """Return the names of a dataclass's fields, each with its type and whether it must be there."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = (field for field in dataclasses.fields(kind) if field.metadata != UNWRITTEN)
    return [(field.name, hints[field.name], field.default is dataclasses.MISSING) for field in fields]


def _expect_one(choices: Any, value: Any, place: _Place) -> Any:
    # A list has no hash, so it cannot be looked up.
    if not isinstance(value, str) or value not in choices:
        _reject(place, "one of " + ", ".join(choices), value)
    return value


def _expect(kind: Any, value: Any, place: _Place) -> Any:
    # Not isinstance: to Python true is a whole number. A whole number is a number without a fraction.
    kinds = (float, int) if kind is float else (kind,)
    return value if type(value) in kinds else _reject(place, _KIND_NAMES[kind], value)


def _reject(place: _Place, allowed: str, value: Any) -> None:
    found_kind = "another text" if allowed.startswith("one of") and isinstance(value, str) else _KIND_NAMES[type(value)]
    raise ShapeError(f"{_describe_place(place)} should be {allowed}, not {found_kind}")


def _describe_place(place: _Place) -> str:
    return to_pointer(place) or "the report"
