"""The fields of an assistant: the one table of what the API's reference documents about each.

Checks, JSON Schema, null rules and plain words all come from this table, so a field is added here and nowhere else.
Source: the reference's page "Update an assistant" (EDMO Agent Builder API 1.0.0). This module only states facts and
needs no library, since comparing and patching read them too.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Literal

from reconciler.assistant.paths import FieldPath

# `fields` is an object whose keys the reference lists, `anything` one that takes any keys.
Kind = Literal["text", "whole number", "number", "texts", "fields", "anything"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as the reference documents it.

    `choices` are the only values that the API takes, each with what it means or "" where its name says so. `range`
    is the least and the greatest number. `takes_null` tells whether the API takes null for "no value",
    `required_inside` whether the object around it cannot be created without it. `is_unordered` marks a list in which
    only the elements count, `is_spoken` a text that a caller hears.
    """

    path: FieldPath
    kind: Kind
    description: str
    examples: tuple[Any, ...] = ()
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    range: tuple[int, int] | None = None
    takes_null: bool = False
    required_inside: bool = False
    is_unordered: bool = False
    is_spoken: bool = False


def _named(*names: str) -> dict[str, str]:
    """Return choices whose names say what they mean."""
    return dict.fromkeys(names, "")


# In the API's order, in which definitions are written and problems are listed.
FIELDS: Final[tuple[Field, ...]] = (
    Field(path=("name",), kind="text", description="Name shown in the dashboard.", examples=("Enrollment Assistant",)),
    Field(
        path=("firstMessage",),
        kind="text",
        description="The first thing the assistant says when a call or chat starts.",
        examples=("Hi, I'm your enrollment assistant. How can I help today?",),
        takes_null=True,
        is_spoken=True,
    ),
    Field(
        path=("firstMessageMode",),
        kind="text",
        description="Who speaks first, and whether the first message is spoken as written.",
        examples=("assistant-speaks-first",),
        choices={
            "assistant-speaks-first": "The assistant begins, with firstMessage.",
            "assistant-waits-for-user": "The assistant waits until the other side says or writes something; "
            "firstMessage is not spoken.",
            "assistant-speaks-first-with-model-generated-message": "The assistant begins, with words that the language "
            "model makes up; firstMessage is not spoken.",
        },
        takes_null=True,
    ),
    Field(
        path=("model",),
        kind="fields",
        description='The language model behind the assistant: which "brain" it uses and how creative it is.',
    ),
    Field(
        path=("model", "provider"),
        kind="text",
        description="Who runs the language model.",
        examples=("openai",),
        choices=_named("openai", "anthropic"),
        required_inside=True,
    ),
    Field(
        path=("model", "model"),
        kind="text",
        description="Name of a model of that provider.",
        examples=("gpt-4o",),
        required_inside=True,
    ),
    Field(
        path=("model", "temperature"),
        kind="number",
        description="How creative the answers are, from 0 to 2: lower is steadier, higher is more varied.",
        examples=(0.7,),
        range=(0, 2),
    ),
    Field(
        path=("model", "maxTokens"),
        kind="whole number",
        description="The most tokens that the model may use for one answer.",
        examples=(1024,),
    ),
    Field(path=("voice",), kind="fields", description="The voice that callers hear."),
    Field(
        path=("voice", "provider"),
        kind="text",
        description="Who makes the voice.",
        examples=("openai",),
        choices=_named("11labs", "azure", "cartesia", "deepgram", "playht", "openai", "edmo"),
    ),
    Field(path=("voice", "voiceId"), kind="text", description="Name of a voice of that provider.", examples=("alloy",)),
    Field(path=("transcriber",), kind="fields", description="How a call's speech becomes text."),
    Field(
        path=("transcriber", "provider"),
        kind="text",
        description="Who turns speech into text.",
        examples=("deepgram",),
        choices=_named("deepgram", "assemblyai", "whisper"),
    ),
    Field(
        path=("transcriber", "model"),
        kind="text",
        description="Name of one of that provider's models; not every provider has them.",
        examples=("nova-2",),
        takes_null=True,
    ),
    Field(
        path=("voicemailMessage",),
        kind="text",
        description="What the assistant leaves on an answering machine.",
        examples=("Hello, this is the enrollment office. Please call us back.",),
        takes_null=True,
        is_spoken=True,
    ),
    Field(
        path=("endCallMessage",),
        kind="text",
        description="The last thing the assistant says before it hangs up.",
        examples=("Thank you for calling. Goodbye!",),
        takes_null=True,
        is_spoken=True,
    ),
    Field(
        path=("endCallPhrases",),
        kind="texts",
        description="Phrases that end the call when they are spoken. Their order means nothing.",
        examples=(["goodbye", "that is all"],),
        takes_null=True,
        is_unordered=True,
    ),
    Field(
        path=("metadata",),
        kind="anything",
        description="Any keys and values of your own.",
        examples=({"team": "admissions"},),
        takes_null=True,
    ),
    Field(
        path=("maxDurationSeconds",),
        kind="whole number",
        description="The longest that a call may last, in seconds.",
        examples=(1800,),
        takes_null=True,
    ),
)

# Not writable, so not in the table: a definition needs the id to say whom it describes.
ID: Final = Field(
    path=("id",),
    kind="text",
    description="The assistant's id in the API: the provider's or the local database's.",
    examples=("asst_123",),
)
READ_ONLY: Final = ("id", "orgId", "createdAt", "updatedAt")

BY_PATH: Final[Mapping[FieldPath, Field]] = {field.path: field for field in FIELDS}
DOCUMENTED: Final[tuple[FieldPath, ...]] = tuple(BY_PATH)
TOP_LEVEL: Final[tuple[str, ...]] = tuple(path[0] for path in DOCUMENTED if len(path) == 1)
# Objects whose keys the reference lists, in contrast to `metadata`.
CLOSED_OBJECTS: Final[tuple[str, ...]] = tuple(field.path[0] for field in FIELDS if field.kind == "fields")
UNORDERED: Final[tuple[FieldPath, ...]] = tuple(field.path for field in FIELDS if field.is_unordered)
MESSAGES: Final[tuple[str, ...]] = tuple(field.path[0] for field in FIELDS if field.is_spoken)
_KEYS_INSIDE: Final[Mapping[FieldPath, tuple[str, ...]]] = {
    parent: tuple(path[-1] for path in DOCUMENTED if path[:-1] == parent) for parent in ((), *DOCUMENTED)
}
REQUIRED_INSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(key for key in _KEYS_INSIDE[name,] if BY_PATH[name, key].required_inside) for name in CLOSED_OBJECTS
}


def takes_null(path: FieldPath) -> bool:
    """Tell whether null may be sent at a path: as documented; yes inside `metadata`, yes if undocumented."""
    return path not in BY_PATH or BY_PATH[path].takes_null


def is_documented(path: FieldPath) -> bool:
    """Tell whether the reference lists a writable path; everything below `metadata` counts as listed."""
    return path in BY_PATH or path[:1] == ("metadata",)


def keys_inside(parent: FieldPath) -> tuple[str, ...]:
    """Return the documented keys directly below a path (`()`: the assistant itself), in the API's order."""
    return _KEYS_INSIDE.get(parent, ())
