"""Writes commands from a step of a GitHub workflow to its runner, and disarms all other text.

A runner reads every line of a step's output. A line that begins with `::`, or contains `##[` anywhere, may be a command
that sets outputs, hides text, or switches commands off. `ActionCommand.cs` in github.com/actions/runner defines the
rules and escapes. Pure.
"""

import re
from collections.abc import Mapping

_LINE_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_ANYWHERE = re.compile(r"#(?=#\[)")
_IN_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = _IN_TEXT | str.maketrans({":": "%3A", ",": "%2C"})


def write_command(name: str, properties: Mapping[str, str | int], text: str) -> str:
    """Return a command as one line without a line end. Its texts may contain anything. Drops empty properties."""
    values = {key: str(value).translate(_IN_PROPERTIES) for key, value in properties.items()}
    pairs = ",".join(f"{key}={value}" for key, value in values.items() if value)
    return f"::{name}{' ' + pairs if pairs else ''}::{text.translate(_IN_TEXT)}"


def disarm(text: str) -> str:
    """Return a text without commands: `::` at the start of a line, and `##[` anywhere, get a space inside."""
    return _ANYWHERE.sub("# ", _LINE_START.sub(r"\1: ", text))
