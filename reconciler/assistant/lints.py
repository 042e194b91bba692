"""Warnings about definitions that are valid and most likely not what their author meant. Reads no file."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.assistant.fields import MESSAGES
from reconciler.assistant.problem import FieldProblem

_BRACES = re.compile(r"\{\{|\}\}")
_PAIRS = re.compile(r"(?:\{\{\}\})*")
_MODES_WITHOUT_FIRST_MESSAGE = {
    "assistant-waits-for-user": "the assistant waits for the caller",
    "assistant-speaks-first-with-model-generated-message": "the model makes up the first message",
}


def find_warnings(declared: Mapping[str, Any], cut_off: Collection[str] = ()) -> list[FieldProblem]:
    """Return the warnings about the declared fields; `cut_off` names the messages that end before a ` #`."""
    found: list[tuple[str, str]] = []
    for field in MESSAGES:
        found += ((field, f"{field} {text}") for text in _find_slips(declared.get(field)))
        if field in cut_off:
            message = (
                f'" #" begins a comment, so {field} ends before it; put the text in quotes if the "#" '
                "belongs to it, or the comment on a line of its own"
            )
            found.append((field, message))
    mode, first = declared.get("firstMessageMode"), declared.get("firstMessage")
    # Both may hold anything still, since a definition with errors is looked at as well.
    if first and isinstance(first, str) and isinstance(mode, str) and mode in _MODES_WITHOUT_FIRST_MESSAGE:
        why = _MODES_WITHOUT_FIRST_MESSAGE[mode]
        found.append(("firstMessage", f"firstMessage is never spoken: with this firstMessageMode {why}"))
    return [FieldProblem((field,), message, severity="warning") for field, message in found]


def _find_slips(message: Any) -> Iterator[str]:
    """Yield what is most likely a mistake in one message, in words that follow the field's name."""
    if not isinstance(message, str):
        return
    if message.isspace():
        yield "is only white space; write null for no message"
    elif message.endswith(("\n", "\r")):
        # Most often the line break that a block text keeps, and a voice makes a pause of it.
        yield 'ends in a line break; write "|-" or ">-" instead of "|" or ">" to leave it out'
    elif message != message.rstrip():
        yield "ends in white space; remove it"
    if not _PAIRS.fullmatch("".join(_BRACES.findall(message))):
        yield 'has "{{" and "}}" that do not pair up; a variable is written {{name}}'
