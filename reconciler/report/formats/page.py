"""A page of limited length that is filled from the most important part to the least."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence

from reconciler.dataclass import dataclass
from reconciler.report.wording import count_noun


def measure_utf16(text: str) -> int:
    """Return how long a text is for GitHub and others that count UTF-16 units: an emoji counts two."""
    # Nearly all parts are ASCII, and each is measured several times.
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def measure_bytes(text: str) -> int:
    """Return how many bytes a text takes in a file."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class Page:
    """Parts with a blank line between them, as many as there is room for; `measure` says how long a text is."""

    room: int
    measure: Callable[[str], int]
    parts: list[str] = dataclasses.field(default_factory=list)
    # What found no room, and of which field how many lines did not: nobody is to take a part for the whole.
    left_out: list[str] = dataclasses.field(default_factory=list)
    lacks: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, part: str) -> bool:
        """Add a part if there is room for it, tell whether there was; an empty one needs none."""
        if not part:
            return True
        needed = self.measure(part) + 2
        if needed > self.room:
            return False
        self.room -= needed
        self.parts.append(part)
        return True

    def add_lines(self, head: Sequence[str], lines: Sequence[str], noun: str, plural: str = "") -> None:
        """Add as many lines below their head as there is room for; `noun` is what the others are left out as."""
        # A table without rows says nothing, so its head takes room only together with a first row.
        room = self.room - sum(self.measure(line) + 1 for line in head) - 2
        fitting = 0
        while fitting < len(lines) and (room := room - self.measure(lines[fitting]) - 1) >= 0:
            fitting += 1
        if fitting:
            self.add("\n".join([*head, *lines[:fitting]]))
        self.leave_out(len(lines) - fitting, noun, plural)

    def leave_out(self, number: int, noun: str, plural: str = "") -> None:
        """Note how many things were left out for lack of room, if any."""
        if number:
            self.left_out.append(count_noun(number, noun, plural))
