"""The one table of what `reconciler.yaml` may hold, settings.yaml: checks, words and JSON Schema come from it.

A setting is added there and as a field of `core.settings`.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from reconciler.assistant import fields
from reconciler.assistant.json_schema import DIALECT, Schema
from reconciler.assistant.lints import LINTS

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
