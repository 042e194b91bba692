"""The models of a definition: which fields it may declare, and which values the API takes for them.

They check what somebody wrote and describe it (the `schema` command); values are never taken from them, since
a definition keeps `1` apart from `1.0` and an absent field apart from null. Descriptions follow the API's
reference.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

import pydantic
from pydantic import Field
from pydantic.alias_generators import to_camel

from reconciler.assistant.finding import Finding
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.wording import put_into_words

# No "/", "?", "#", white space or control character, which would change the URL that the id becomes part of;
# neither "." nor "..", which a URL drops; no curly quote, which only ever comes from a text editor.
_ID_CHARACTER = r"[^/?#\s\x00-\x1f\x7f\u2018\u2019\u201c\u201d]"
_ID_START = _ID_CHARACTER.replace("[^", "[^.")
ID_PATTERN = f"^(?:{_ID_START}{_ID_CHARACTER}*|\\.{_ID_START}{_ID_CHARACTER}*|\\.\\.{_ID_CHARACTER}+)$"


class _Strict(pydantic.BaseModel):
    """Types as written, nothing converted, no other keys."""

    model_config = pydantic.ConfigDict(
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        frozen=True,
        regex_engine="rust-regex",
        defer_build=True,  # builds only what is used, not each part by itself as well
    )


def _optional(
    description: str, *, examples: list[Any] | None = None, choices: list[str] | None = None, **limits: float
) -> Any:
    """Return a field that may be absent; its default is never looked at. `choices` explain its values, in order."""
    told: dict[str, Any] = {"description": description, "examples": examples, **limits}
    return Field(default=None, json_schema_extra={"enumDescriptions": [*choices]} if choices else None, **told)


class ModelConfig(_Strict):
    """The language model behind the assistant: which "brain" it uses and how creative it is."""

    provider: Literal["openai", "anthropic"] = _optional("Who runs the language model.", examples=["openai"])
    model: str = _optional("Name of a model of that provider.", examples=["gpt-4o"])
    temperature: float = _optional(
        "How creative the answers are, from 0 to 2: lower is steadier, higher is more varied.",
        examples=[0.7],
        ge=0,
        le=2,
    )
    max_tokens: int = _optional("The most tokens that the model may use for one answer.", examples=[1024])


class VoiceConfig(_Strict):
    """The voice that callers hear."""

    provider: Literal["11labs", "azure", "cartesia", "deepgram", "playht", "openai", "edmo"] = _optional(
        "Who makes the voice.", examples=["openai"]
    )
    voice_id: str = _optional("Name of a voice of that provider.", examples=["alloy"])


class TranscriberConfig(_Strict):
    """How a call's speech becomes text."""

    provider: Literal["deepgram", "assemblyai", "whisper"] = _optional(
        "Who turns speech into text.", examples=["deepgram"]
    )
    model: str | None = _optional(
        "Name of one of that provider's models; not every provider has them.", examples=["nova-2"]
    )


class Assistant(_Strict):
    """One assistant. A field that is not mentioned is not managed; null, where allowed, keeps it empty."""

    id: Annotated[str, Field(pattern=ID_PATTERN)] = Field(
        description="The assistant's id in the API: the provider's or the local database's.",
        examples=["asst_123"],
        json_schema_extra={
            "patternErrorMessage": 'The id cannot be empty, "." or "..", and cannot contain "/", "?", "#", '
            "white space, control characters or curly quotes. Copy only the id itself."
        },
    )
    name: str = _optional("Name shown in the dashboard.", examples=["Enrollment Assistant"])
    first_message: str | None = _optional(
        "The first thing the assistant says when a call or chat starts.",
        examples=["Hi, I'm your enrollment assistant. How can I help today?"],
    )
    first_message_mode: (
        Literal[
            "assistant-speaks-first",
            "assistant-waits-for-user",
            "assistant-speaks-first-with-model-generated-message",
        ]
        | None
    ) = _optional(
        "Who speaks first, and whether the first message is spoken as written.",
        examples=["assistant-speaks-first"],
        choices=[
            "The assistant begins, with firstMessage.",
            "The assistant waits until the other side says or writes something; firstMessage is not spoken.",
            "The assistant begins, with words that the language model makes up; firstMessage is not spoken.",
        ],
    )
    model: ModelConfig = _optional(
        'The language model behind the assistant: which "brain" it uses and how creative it is.'
    )
    voice: VoiceConfig = _optional("The voice that callers hear.")
    transcriber: TranscriberConfig = _optional("How a call's speech becomes text.")
    voicemail_message: str | None = _optional(
        "What the assistant leaves on an answering machine.",
        examples=["Hello, this is the enrollment office. Please call us back."],
    )
    end_call_message: str | None = _optional(
        "The last thing the assistant says before it hangs up.", examples=["Thank you for calling. Goodbye!"]
    )
    end_call_phrases: list[str] | None = _optional(
        "Phrases that end the call when they are spoken. Their order means nothing.",
        examples=[["goodbye", "that is all"]],
    )
    metadata: dict[str, Any] | None = _optional("Any keys and values of your own.", examples=[{"team": "admissions"}])
    max_duration_seconds: int | None = _optional("The longest that a call may last, in seconds.", examples=[1800])


MAX_FAULTS: Final = 1_000


def find_faults(
    document: Mapping[str, Any], extra_fields: Iterable[FieldPath] = (), *, needs_id: bool = True
) -> list[Finding]:
    """Return everything in which a definition file's content is not what the API takes, `MAX_FAULTS` at most.

    `document` is the file's content as plain JSON values, `id` included. What stands at `extra_fields` is not
    looked at. Without `needs_id` an absent `id` is no fault.
    """
    try:
        Assistant.__pydantic_validator__.validate_python(_without(document, extra_fields))
    except pydantic.ValidationError as error:
        details = [
            detail
            for detail in error.errors(include_url=False, include_context=True)
            if needs_id or (detail["type"], detail["loc"]) != ("missing", ("id",))
        ]
        return [put_into_words(detail) for detail in details[:MAX_FAULTS]]
    return []


def _without(document: Mapping[str, Any], paths: Iterable[FieldPath]) -> Mapping[str, Any]:
    """Return the document without what is at `paths`, one or two keys long each; the original stays."""
    for path in paths:
        inside = document.get(path[0])
        if len(path) == 1:
            document = {key: value for key, value in document.items() if key != path[0]}
        elif isinstance(inside, dict) and path[1] in inside:
            kept = {key: value for key, value in inside.items() if key != path[1]}
            document = {**document, path[0]: kept}
    return document
