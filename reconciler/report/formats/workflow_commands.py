"""The lines by which a step of a GitHub workflow talks to its runner, and how any other text is kept from it.

A runner reads every line of a step's output. One that begins with `::`, or that holds `##[` anywhere, may be a
command: it can set outputs, hide text, or switch commands off. The rules, escapes included, are those of
`ActionCommand.cs` in github.com/actions/runner. Pure.
"""

import re
from collections.abc import Mapping

_LINE_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_ANYWHERE = re.compile(r"#(?=#\[)")
_IN_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_TEXT, ":": "%3A", ",": "%2C"}


def write_command(name: str, properties: Mapping[str, str | int], text: str) -> str:
    """Return a command as one line without its end; what it carries may hold anything. Empty properties go."""
    pairs = ",".join(f"{key}={_escape(str(value), _IN_PROPERTIES)}" for key, value in properties.items() if value != "")
    return f"::{name}{' ' + pairs if pairs else ''}::{_escape(text, _IN_TEXT)}"


def disarm(text: str) -> str:
    """Return a text in which no line is a command: `::` at a line's start and `##[` anywhere get a space inside."""
    return _ANYWHERE.sub("# ", _LINE_START.sub(r"\1: ", text))


def _escape(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
