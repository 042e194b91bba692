"""Describes what a change means, in a few words for people who do not read configuration every day."""

from typing import Any

# The words for a field that gets another value, none, a larger or a smaller number, or one of the values that it takes.
_MEANINGS: dict[str, dict[str, str]] = {
    "/name": {"other": "another name"},
    "/firstMessage": {"other": "another greeting", "none": "no greeting"},
    "/firstMessageMode": {
        "assistant-speaks-first": "the assistant speaks first",
        "assistant-waits-for-user": "the assistant waits for the caller",
        "assistant-speaks-first-with-model-generated-message": "the assistant generates its own greeting",
    },
    "/model/provider": {"other": "another provider of the language model"},
    "/model/model": {"other": "another language model"},
    "/model/temperature": {"larger": "more varied answers", "smaller": "more consistent answers"},
    "/model/maxTokens": {"larger": "longer answers possible", "smaller": "shorter answers"},
    "/voice/provider": {"other": "another provider of the voice"},
    "/voice/voiceId": {"other": "another voice"},
    "/transcriber/provider": {"other": "another provider of speech recognition"},
    "/transcriber/model": {"other": "another model of speech recognition"},
    "/maxDurationSeconds": {"none": "no maximum call length"},
    "/voicemailMessage": {"other": "another voicemail message", "none": "no voicemail message"},
    "/endCallMessage": {"other": "another goodbye", "none": "no goodbye"},
    "/endCallPhrases": {"other": "other phrases end the call", "none": "no phrase ends the call"},
}
_NONE: tuple[Any, ...] = (None, "", [])
_MINUTE = 60


def describe_meaning(path: str, old: Any, new: Any) -> str:
    """Return what a change of one of the API's own fields (a JSON Pointer) means, or "" if it is obvious."""
    words = _MEANINGS.get(path, {})
    if path == "/firstMessageMode" and isinstance(new, str):
        return words.get(new, "")
    if path == "/maxDurationSeconds" and _is_number(new):
        return f"calls of up to {_write_duration(new)}"
    if _is_number(new) and _is_number(old) and new != old:
        return words.get("larger" if new > old else "smaller", "")
    if new in _NONE:
        return words.get("none", "")
    return words.get("other", "") if old not in _NONE else ""


def _write_duration(seconds: float) -> str:
    if seconds >= _MINUTE and seconds % _MINUTE == 0:
        minutes = int(seconds // _MINUTE)
        return "1 minute" if minutes == 1 else f"{minutes:,} minutes"
    return "1 second" if seconds == 1 else f"{seconds:,} seconds"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
