"""Warnings: definitions that are valid and yet hardly what somebody meant. Nothing here reads the file."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.assistant.fields import MESSAGES
from reconciler.assistant.problem import FieldProblem

_BRACES = re.compile(r"\{\{|\}\}")
_MODES_WITHOUT_FIRST_MESSAGE = {
    "assistant-waits-for-user": "the assistant waits for the caller",
    "assistant-speaks-first-with-model-generated-message": "the model makes up the first message",
}


def find_warnings(declared: Mapping[str, Any], cut_off: Collection[str] = ()) -> list[FieldProblem]:
    """Return what is doubtful in the declared fields.

    `cut_off` names the messages that stand as plain text before a ` #`, so that the rest of their line is a
    comment.
    """
    findings: list[FieldProblem] = []
    for field in MESSAGES:
        message = declared.get(field)
        if isinstance(message, str):
            findings += (_warning(field, f"{field} {text}") for text in _doubts(message))
        if field in cut_off:
            findings.append(
                _warning(
                    field,
                    f'" #" begins a comment, so {field} ends before it; put the text in quotes if the "#" '
                    "belongs to it, or the comment on a line of its own",
                )
            )
    mode = declared.get("firstMessageMode")
    first = declared.get("firstMessage")
    if isinstance(mode, str) and mode in _MODES_WITHOUT_FIRST_MESSAGE and isinstance(first, str) and first:
        why = _MODES_WITHOUT_FIRST_MESSAGE[mode]
        findings.append(_warning("firstMessage", f"firstMessage is never spoken: with this firstMessageMode {why}"))
    return findings


def _doubts(message: str) -> Iterator[str]:
    """Yield what is doubtful in one message; the field's name is put in front by the caller."""
    if message and (message[-1].isspace()):
        if message.isspace():
            yield "is only white space; write null for no message"
        elif message.endswith(("\n", "\r")):
            yield 'ends in a line break; write "|-" or ">-" instead of "|" or ">" to leave it out'
        else:
            yield "ends in white space; remove it"
    if "{{" in message or "}}" in message:
        open_ = False
        for brace in _BRACES.findall(message):
            if (brace == "{{") == open_:
                break
            open_ = not open_
        else:
            if not open_:
                return
        yield 'has "{{" and "}}" that do not pair up; a variable is written {{name}}'


def _warning(field: str, message: str) -> FieldProblem:
    """Return a warning that stands at a field's value."""
    return FieldProblem((field,), message, severity="warning")
