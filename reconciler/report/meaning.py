"""Describes what a change means, in a few words for people who do not read configuration every day."""

from typing import Any

_MODES = {
    "assistant-speaks-first": "the assistant speaks first",
    "assistant-waits-for-user": "the assistant waits for the caller",
    "assistant-speaks-first-with-model-generated-message": "the assistant generates its own greeting",
}
_OTHER = {
    "/name": "another name",
    "/firstMessage": "another greeting",
    "/model/provider": "another provider of the language model",
    "/model/model": "another language model",
    "/voice/provider": "another provider of the voice",
    "/voice/voiceId": "another voice",
    "/transcriber/provider": "another provider of speech recognition",
    "/transcriber/model": "another model of speech recognition",
    "/voicemailMessage": "another voicemail message",
    "/endCallMessage": "another goodbye",
    "/endCallPhrases": "other phrases end the call",
}
_EMPTY = {
    "/firstMessage": "no greeting",
    "/voicemailMessage": "no voicemail message",
    "/endCallMessage": "no goodbye",
    "/endCallPhrases": "no phrase ends the call",
    "/maxDurationSeconds": "no maximum call length",
}
_MORE_OR_LESS = {
    "/model/temperature": ("more varied answers", "more consistent answers"),
    "/model/maxTokens": ("longer answers possible", "shorter answers"),
}
_MINUTE = 60


def describe_meaning(path: str, old: Any, new: Any) -> str:
    """Return what a change of one of the API's own fields (a JSON Pointer) means, or "" if it is obvious."""
    if new is None:
        return _EMPTY.get(path, "")
    if path == "/firstMessageMode":
        return _MODES.get(new, "") if isinstance(new, str) else ""
    if _is_number(new):
        return _compare_numbers(path, old, new)
    return _OTHER.get(path, "") if old is not None else ""


def _compare_numbers(path: str, old: Any, new: float) -> str:
    if path == "/maxDurationSeconds":
        return f"calls of up to {_write_duration(new)}"
    if path in _MORE_OR_LESS and _is_number(old) and old != new:
        larger, smaller = _MORE_OR_LESS[path]
        return larger if new > old else smaller
    return ""


def _write_duration(seconds: float) -> str:
    if seconds >= _MINUTE and seconds % _MINUTE == 0:
        minutes = int(seconds // _MINUTE)
        return "1 minute" if minutes == 1 else f"{minutes:,} minutes"
    return "1 second" if seconds == 1 else f"{seconds:,} seconds"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
