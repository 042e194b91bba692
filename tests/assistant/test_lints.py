"""Warnings about definitions that are valid and yet hardly meant."""

from typing import Any

import pytest

from reconciler.assistant.lints import find_warnings

WAITS = "assistant-waits-for-user"
INVENTS = "assistant-speaks-first-with-model-generated-message"


@pytest.mark.parametrize(
    ("declared", "messages"),
    [
        ({}, []),
        ({"firstMessage": "Hello {{name}}, from {{ school }}."}, []),
        ({"firstMessage": "{{a}}{{b}} { c } {{{d}}}"}, []),
        ({"firstMessage": ""}, []),
        ({"firstMessage": None}, []),
        ({"firstMessage": 3}, []),
        ({"name": "x ", "metadata": {"firstMessage": "{{"}}, []),
        ({"firstMessage": "  \n"}, ["is only white space"]),
        ({"voicemailMessage": "Hello "}, ["voicemailMessage ends in white space"]),
        ({"voicemailMessage": "Hello\u00a0"}, ["ends in white space"]),
        ({"endCallMessage": "Bye\n"}, ['endCallMessage ends in a line break; write "|-" or ">-"']),
        ({"firstMessage": "{{name}"}, ["do not pair up"]),
        ({"firstMessage": "name}}"}, ["do not pair up"]),
        ({"firstMessage": "{{a {{b}} c}}"}, ["do not pair up"]),
        ({"firstMessage": "}}{{"}, ["do not pair up"]),
        ({"firstMessage": "{{ "}, ["white space", "do not pair up"]),
        ({"firstMessage": "Hi", "firstMessageMode": WAITS}, ["the assistant waits for the caller"]),
        ({"firstMessage": "Hi", "firstMessageMode": INVENTS}, ["the model makes up the first message"]),
        ({"firstMessage": "Hi", "firstMessageMode": "assistant-speaks-first"}, []),
        ({"firstMessage": "", "firstMessageMode": WAITS}, []),
        ({"firstMessage": None, "firstMessageMode": WAITS}, []),
        ({"firstMessage": "Hi", "firstMessageMode": ["x"]}, []),
    ],
)
def test_warnings(declared: dict[str, Any], messages: list[str]) -> None:
    findings = find_warnings(declared)

    assert len(findings) == len(messages)
    for finding, message in zip(findings, messages, strict=True):
        assert message in finding.message
        assert finding.message.startswith(finding.path[0])
        assert finding.severity == "warning"


def test_messages_that_a_comment_cuts_off() -> None:
    (finding,) = find_warnings({"endCallMessage": "Press 1"}, ["endCallMessage"])
    assert finding.path == ("endCallMessage",)
    assert "begins a comment" in finding.message
