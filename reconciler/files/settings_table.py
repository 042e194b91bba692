"""Reads settings.yaml, the one table of what `reconciler.yaml` may contain: checks, words and JSON Schema use it.

A setting is added there and as a field of `core.settings`. Below the table are the readers of single values that it
names. They raise ValueError with a text that continues the setting's name.
"""

import datetime
import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from reconciler.assistant import fields
from reconciler.assistant.json_schema import DIALECT, Schema
from reconciler.assistant.lints import LINTS
from reconciler.assistant.paths import FieldPath, dotted, parse_path, to_pointer
from reconciler.assistant.plain_words import find_closest
from reconciler.core.base_url import check_base_url
from reconciler.core.settings import MaxChanges
from reconciler.errors import SettingsError

_TABLE: Final = Path(__file__).with_name("settings.yaml")


@functools.cache
def load_table() -> Schema:
    """Return the table with what other tables say: the fields of an assistant, and the lints."""
    # The table is read only when it is needed: few commands need it, and none in a project without settings.
    table: Schema = yaml.load(_TABLE.read_text("utf-8"), Loader=yaml.CSafeLoader)
    rows = table["properties"]
    rows["always_send"]["items"]["examples"] = [*fields.TOP_LEVEL]
    rows["lints"]["properties"].update(
        {name: {"description": words, **rows["lints"]["$each"]} for name, words in LINTS.items()}
    )
    return table


def settings_schema() -> Schema:
    """Return the JSON Schema (draft-07) of `reconciler.yaml`, for editors to check with."""
    # A schema cannot check everything, such as what a path leads to or whether a date exists. `validate` does.
    return {"$schema": DIALECT, "title": "Settings of reconciler", **_drop_own_keys(load_table())}


def _drop_own_keys(row: Any) -> Any:
    if isinstance(row, list):
        return [*map(_drop_own_keys, row)]
    if not isinstance(row, Mapping):
        return row
    return {key: _drop_own_keys(value) for key, value in row.items() if not key.startswith("$")}


def read_value(row: Schema, value: Any) -> Any:
    """Return a value as a row of the table reads it. Raises ValueError, whose text follows the setting's name."""
    if "$judge" in row:
        return _READERS[row["$judge"]](value)
    must: str = row.get("patternErrorMessage", "")
    if not re.search(row.get("pattern", ""), value):
        raise ValueError(must.removeprefix("This ").removesuffix("."))
    return _READERS[row["$read"]](value) if "$read" in row else value


def _read_url(value: str) -> str:
    # An option of the run says whether plain http may leave this machine, so this accepts it.
    try:
        return check_base_url(value, allow_insecure_http=True).text
    except SettingsError as error:
        raise ValueError(f"cannot be used. {error}") from None


def _read_day(value: str) -> datetime.date:
    # A pattern has checked the form, since Python also reads 20270131 and week dates.
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a date that exists, like 2027-01-31") from None


def _read_top_level(value: str) -> str:
    # `find_slips` checks whether there is such a field, since that depends on `extra_fields`.
    path = read_path(value)
    if len(path) > 1:
        raise ValueError(f"must name top-level fields of an assistant; did you mean {path[0]}?")
    return path[0]


def read_path(value: str) -> FieldPath:
    """Return the path that a text names, a JSON Pointer or a dotted path. Raises ValueError, as `read_value`."""
    try:
        path = parse_path(value)
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None
    # No key at the top has a dot: `/metadata.crmKey` would hide nothing.
    if "." in path[0]:
        keys = [*path[0].split("."), *path[1:]]
        raise ValueError(f"cannot be used: it mixes slashes and dots; write {to_pointer(keys)}")
    return path


def _read_pattern(value: str) -> FieldPath:
    path = read_path(value)
    # A * inside a key would match nothing. The value that it should hide would be shown, and nobody would notice.
    if any("*" in key and key != "*" for key in path):
        raise ValueError("cannot be used: a * stands for one whole key; write the key out, or a * alone")
    if "" in path:
        raise ValueError("cannot be used: it ends in a slash, or has two in a row; remove it")
    return path


def _read_managed(value: str) -> FieldPath:
    """Return a path inside an object that the server manages; `*` stands for one whole key."""
    path = _read_pattern(value)
    if len(path) < 2:
        raise ValueError(
            f"must point inside an object, like /model/revision; a whole field like {value} is sent only "
            "where a definition declares it"
        )
    return path


def _read_extra_field(value: str) -> FieldPath:
    path = read_path(value)
    # An entry below a field that takes anything has no effect. One for a documented field would turn off its checks.
    has_keys = path[0] in fields.CLOSED_OBJECTS
    longest = 2 if has_keys else 1
    if path[0] in fields.READ_ONLY and len(path) == 1:
        raise ValueError(f"{path[0]} is set by the API and cannot be declared; remove it")
    if fields.is_documented(path):
        raise ValueError(f"{dotted(path)} is a documented field and needs no entry; remove it")
    if "*" in path or "" in path:
        raise ValueError("must name one field, without * and without an empty name")
    if len(path) > 1 and fields.is_documented(path[:1]) and not has_keys:
        raise ValueError(f"{path[0]} has no fields inside; remove this")
    if len(path) > longest:
        field = to_pointer(path[:longest]) if value.startswith("/") else dotted(path[:longest])
        near = find_closest(path[0], fields.CLOSED_OBJECTS, cutoff=1.0)
        correction = f"did you mean {near}?" if near and not has_keys else f"name the whole field, {field}"
        raise ValueError(f"{value} is too deep; {correction}")
    return path


def _read_schema(value: Any) -> Any:
    # `rule_schemas` checks what is in it.
    if isinstance(value, dict | bool):
        return value
    raise ValueError("must be a JSON Schema: a group of keywords, like {maximum: 0.8}")


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "url": _read_url,
    "day": _read_day,
    "top_level": _read_top_level,
    "path": _read_pattern,
    "managed_path": _read_managed,
    "extra_field": _read_extra_field,
    "schema": _read_schema,
    "limit": lambda value: MaxChanges.parse(value if isinstance(value, str | int) else ""),
}
