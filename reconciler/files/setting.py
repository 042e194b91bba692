"""One setting of `reconciler.yaml` as a row of the table: what it is, what judges it, what it is read as."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.assistant.json_schema import Schema


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
) -> Setting:
    """Return a setting that is a text: a pattern judges it, in editors too, then `read`, for what no pattern knows."""

    def check(value: str) -> Any:
        if not re.search(pattern, value):
            raise ValueError(must)
        return read(value)

    schema = {"type": "string", "pattern": pattern, "patternErrorMessage": f"This {must}."}
    return Setting(description=description, schema=schema, examples=examples, read=check)


def make_list(description: str, items: Setting, example: list[Any], **schema: Any) -> Setting:
    """Return a setting that is a list; `schema` are further keywords about the list itself."""
    return Setting(description=description, items=items, examples=(example,), schema=schema)
