"""Writes commands from a step of a GitHub workflow to its runner, and disarms all other text.

A runner reads every line of a step's output. A line that begins with `::`, or contains `##[` anywhere, may be a command
that sets outputs, hides text, or switches commands off. `ActionCommand.cs` in github.com/actions/runner defines the
rules and escapes. Pure.
"""

import re
from collections.abc import Mapping

_LINE_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_ANYWHERE = re.compile(r"#(?=#\[)")
_IN_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_TEXT, ":": "%3A", ",": "%2C"}


def write_command(name: str, properties: Mapping[str, str | int], text: str) -> str:
    """Return a command as one line without a line end. Its texts may contain anything. Drops empty properties."""
    pairs = ",".join(f"{key}={_escape(str(value), _IN_PROPERTIES)}" for key, value in properties.items() if value != "")
    return f"::{name}{' ' + pairs if pairs else ''}::{_escape(text, _IN_TEXT)}"


def disarm(text: str) -> str:
    """Return a text without commands: `::` at the start of a line, and `##[` anywhere, get a space inside."""
    return _ANYWHERE.sub("# ", _LINE_START.sub(r"\1: ", text))


def _escape(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
