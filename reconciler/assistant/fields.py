"""The fields of an assistant: the one table of what the API's reference documents about each.

Checks, JSON Schema, null rules and plain words come from this table, so a field is added here and nowhere else. Source:
the reference's page "Update an assistant" (EDMO Agent Builder API 1.0.0). Needs no library.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Literal

from reconciler.assistant.paths import FieldPath
from reconciler.dataclass import dataclass

# `fields`: an object whose keys the reference lists. `anything`: an object that takes any key.
ValueKind = Literal["text", "whole number", "number", "texts", "fields", "anything"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as the reference documents it."""

    path: FieldPath
    description: str
    kind: ValueKind = "text"
    examples: tuple[Any, ...] = ()
    # The only values that the API takes, each with its meaning; "" if the name is clear by itself.
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    range: tuple[int, int] | None = None  # the least and the greatest number
    takes_null: bool = False  # for "no value"
    required_inside: bool = False  # the object around it cannot be created without it
    is_unordered: bool = False  # a list whose order has no meaning
    is_spoken: bool = False  # a text that a caller hears


def _row(path: str, description: str, *examples: Any, **facts: Any) -> Field:
    """Return a row of the table; the path is dotted, and without examples the first of the choices is one."""
    examples = examples or (*facts.get("choices", ()),)[:1]
    return Field(path=tuple(path.split(".")), description=description, examples=examples, **facts)


_MODES: Final = {
    "assistant-speaks-first": "The assistant starts with firstMessage.",
    "assistant-waits-for-user": "The assistant waits until the other side says or writes something; firstMessage is "
    "not spoken.",
    "assistant-speaks-first-with-model-generated-message": "The assistant begins, with words that the language model "
    "makes up; firstMessage is not spoken.",
}
_MODELS: Final = dict.fromkeys(("openai", "anthropic"), "")
_VOICES: Final = dict.fromkeys(("11labs", "azure", "cartesia", "deepgram", "playht", "openai", "edmo"), "")
_TRANSCRIBERS: Final = dict.fromkeys(("deepgram", "assemblyai", "whisper"), "")
_SPOKEN: Final = {"takes_null": True, "is_spoken": True}
_FIRST_MESSAGE: Final = "Hi, I'm your enrollment assistant. How can I help today?"

# In the API's order. Definitions are written, and problems listed, in the same order.
FIELDS: Final[tuple[Field, ...]] = (
    _row("name", "Name shown in the dashboard.", "Enrollment Assistant"),
    _row(
        "firstMessage", "The first thing that the assistant says when a call or chat starts.", _FIRST_MESSAGE, **_SPOKEN
    ),
    _row("firstMessageMode", "Who speaks first, and whether firstMessage is used.", choices=_MODES, takes_null=True),
    _row(
        "model", 'The language model behind the assistant: which "brain" it uses and how creative it is.', kind="fields"
    ),
    _row("model.provider", "Provider of the language model.", choices=_MODELS, required_inside=True),
    _row("model.model", "Name of a model from that provider.", "gpt-4o", required_inside=True),
    _row(
        "model.temperature",
        "How creative the answers are, from 0 to 2: lower is steadier, higher is more varied.",
        0.7,
        kind="number",
        range=(0, 2),
    ),
    _row("model.maxTokens", "The maximum number of tokens in one answer.", 1024, kind="whole number"),
    _row("voice", "The voice that callers hear.", kind="fields"),
    _row("voice.provider", "Provider of the voice.", "openai", choices=_VOICES),
    _row("voice.voiceId", "Name of a voice from that provider.", "alloy"),
    _row("transcriber", "How speech is converted to text.", kind="fields"),
    _row("transcriber.provider", "Provider of the transcriber.", choices=_TRANSCRIBERS),
    _row(
        "transcriber.model",
        "Name of a model from that provider; not every provider has models.",
        "nova-2",
        takes_null=True,
    ),
    _row(
        "voicemailMessage",
        "What the assistant leaves on an answering machine.",
        "Hello, this is the enrollment office. Please call us back.",
        **_SPOKEN,
    ),
    _row(
        "endCallMessage",
        "The last thing that the assistant says before it hangs up.",
        "Thank you for calling. Goodbye!",
        **_SPOKEN,
    ),
    _row(
        "endCallPhrases",
        "Phrases that end the call when somebody says them. Their order does not matter.",
        ["goodbye", "that is all"],
        kind="texts",
        takes_null=True,
        is_unordered=True,
    ),
    _row("metadata", "Any keys and values of your own.", {"team": "admissions"}, kind="anything", takes_null=True),
    _row("maxDurationSeconds", "The maximum length of a call, in seconds.", 1800, kind="whole number", takes_null=True),
)

# Not in the table, because it cannot be written: it only says which assistant the definition describes.
ID: Final = _row("id", "The assistant's id in the API: the provider's or the local database's.", "asst_123")
# No two assistants share these: they tell one from another.
NEVER_SHARED: Final = ("id", "name")
READ_ONLY: Final = ("id", "orgId", "createdAt", "updatedAt")
BY_PATH: Final[Mapping[FieldPath, Field]] = {field.path: field for field in FIELDS}
DOCUMENTED: Final[tuple[FieldPath, ...]] = tuple(BY_PATH)
TOP_LEVEL: Final[tuple[str, ...]] = tuple(path[0] for path in DOCUMENTED if len(path) == 1)
# Objects whose keys the reference lists, in contrast to `metadata`.
CLOSED_OBJECTS: Final[tuple[str, ...]] = tuple(field.path[0] for field in FIELDS if field.kind == "fields")
UNORDERED: Final[tuple[FieldPath, ...]] = tuple(field.path for field in FIELDS if field.is_unordered)
WHOLE_NUMBERS: Final[tuple[FieldPath, ...]] = tuple(field.path for field in FIELDS if field.kind == "whole number")
MESSAGES: Final[tuple[str, ...]] = tuple(field.path[0] for field in FIELDS if field.is_spoken)
_KEYS_INSIDE: Final[Mapping[FieldPath, tuple[str, ...]]] = {
    parent: tuple(path[-1] for path in DOCUMENTED if path[:-1] == parent) for parent in ((), *DOCUMENTED)
}
REQUIRED_INSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(key for key in _KEYS_INSIDE[name,] if BY_PATH[name, key].required_inside) for name in CLOSED_OBJECTS
}


def takes_null(path: FieldPath) -> bool:
    """Return whether null may be sent at a path. It may inside `metadata`, and where the reference is silent."""
    return path not in BY_PATH or BY_PATH[path].takes_null


def may_hold_text(path: FieldPath) -> bool:
    """Return whether a path, which may contain list indices, may hold a text. It may where the reference is silent."""
    return path != ID.path and (path not in BY_PATH or BY_PATH[path].kind == "text")


def is_documented(path: FieldPath) -> bool:
    """Return whether the reference lists a writable path; everything below `metadata` counts as listed."""
    return path in BY_PATH or path[:1] == ("metadata",)


def is_known(path: FieldPath) -> bool:
    """Return whether every key of a path is allowed in its object. Anything below a plain value counts as allowed."""
    steps = ((key, keys_inside(path[:depth])) for depth, key in enumerate(path))
    return path == ID.path or all(key in known for key, known in steps if known)


def keys_inside(parent: FieldPath) -> tuple[str, ...]:
    """Return the documented keys directly below a path (`()`: the assistant itself), in the API's order."""
    return _KEYS_INSIDE.get(parent, ())
