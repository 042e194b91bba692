"""The few colours of the text report, as plain ANSI; whether to use them is the command line's decision."""

import dataclasses
from typing import Literal

Ink = Literal["plain", "bold", "dim", "old", "new", "changed", "bad"]

_CODES: dict[Ink, str] = {
    "bold": "1",
    "dim": "2",
    "old": "31",
    "new": "32",
    "changed": "33",
    "bad": "31;1",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Palette:
    """Lays ink on text: `old` is red, `new` green, `changed` yellow; one that is off returns plain text."""

    on: bool

    def paint(self, text: str, ink: Ink) -> str:
        """Return the text in an ink that is switched off again at the end of the text."""
        code = _CODES.get(ink)
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and code and text else text
