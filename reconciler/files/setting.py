"""One setting of `reconciler.yaml` as a row of the table: what it is, what judges it, what it is read as.

Its part of the JSON Schema for editors is made of the same row.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.assistant.json_schema import END, Schema


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, or one entry of a setting.

    `schema` are the keywords by which an editor judges it. `read` makes the value that the program uses, and raises
    ValueError with words that go on after the setting's name. A group has `keys`, a list has `items`. A group whose
    names are free has `items` too, and `names`, which judges the names. A group with a `shorthand` may be written as
    the one text that this key would have.
    """

    description: str
    schema: Schema = dataclasses.field(default_factory=dict)
    examples: tuple[Any, ...] = ()
    read: Callable[[Any], Any] | None = None
    is_required: bool = False
    keys: Mapping[str, "Setting"] = dataclasses.field(default_factory=dict)
    items: "Setting | None" = None
    names: "Setting | None" = None
    shorthand: str = ""


def make_text(
    description: str,
    *examples: str,
    pattern: str = r"\S",
    must: str = "cannot be empty",
    read: Callable[[str], Any] = str,
    is_required: bool = False,
) -> Setting:
    """Return a setting that is a text: a pattern judges it, in editors too, then `read`, for what no pattern knows."""

    def check(value: str) -> Any:
        if not re.search(pattern, value):
            raise ValueError(must)
        return read(value)

    schema = {"type": "string", "pattern": pattern, "patternErrorMessage": f"This {must}."}
    return Setting(description=description, schema=schema, examples=examples, read=check, is_required=is_required)


def make_choice(description: str, example: str, choices: Mapping[str, str] | Sequence[str], **facts: Any) -> Setting:
    """Return a setting that is one of a few words, each with what it means where the word does not say it all."""
    schema: Schema = {"type": "string", "enum": [*choices]}
    if isinstance(choices, Mapping):
        schema["enumDescriptions"] = [*choices.values()]
    return Setting(description=description, schema=schema, examples=(example,), **facts)


def make_flag(description: str) -> Setting:
    """Return a setting that is on or off, and off where it is not there."""
    return Setting(description=description, schema={"type": "boolean"}, examples=(True,))


def make_list(description: str, items: Setting, example: list[Any], **schema: Any) -> Setting:
    """Return a setting that is a list; `schema` are further keywords about the list itself."""
    return Setting(description=description, items=items, examples=(example,), schema=schema)


def make_schema(setting: Setting) -> Schema:
    """Return the JSON Schema (draft-07) of a setting, for editors to check with."""
    schema: Schema = {"description": setting.description, **setting.schema}
    if setting.keys:
        required = [key for key, below in setting.keys.items() if below.is_required]
        schema |= {"type": "object", "properties": {key: make_schema(below) for key, below in setting.keys.items()}}
        schema |= {"required": required} if required else {}
        schema["additionalProperties"] = False
        if setting.shorthand:
            # A pattern judges texts alone, so that one schema does for both ways to write it.
            allowed = setting.keys[setting.shorthand].schema["enum"]
            schema |= {"type": ["string", "object"], "pattern": f"^(?:{'|'.join(allowed)}){END}"}
            schema["patternErrorMessage"] = f"This must be one of {', '.join(allowed)}."
    elif setting.items and setting.names:
        schema |= {"type": "object", "propertyNames": make_schema(setting.names)}
        schema["additionalProperties"] = make_schema(setting.items)
    elif setting.items:
        schema |= {"type": "array", "items": make_schema(setting.items)}
    if setting.examples:
        schema["examples"] = [*setting.examples]
    return schema
