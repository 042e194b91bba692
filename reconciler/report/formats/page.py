"""A page of limited length that is filled from the most important part to the least."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence


def measure_utf16(text: str) -> int:
    """Return how long a text is for GitHub and others that count UTF-16 units: an emoji counts two."""
    # Nearly all parts are ASCII, and each is measured several times.
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def measure_bytes(text: str) -> int:
    """Return how many bytes a text takes in a file."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@dataclasses.dataclass(slots=True)
class Page:
    """Parts with a blank line between them, as many as there is room for; `measure` says how long a text is."""

    room: int
    measure: Callable[[str], int] = measure_utf16
    parts: list[str] = dataclasses.field(default_factory=list)

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

    def add_lines(self, head: Sequence[str], lines: Iterable[str]) -> int:
        """Add as many lines below their head as there is room for; return how many are left out."""
        # A table without rows says nothing, so its head takes room only together with a first row.
        waiting = list(lines)
        room = self.room - sum(self.measure(line) + 1 for line in head) - 2
        fitting = 0
        while fitting < len(waiting) and (room := room - self.measure(waiting[fitting]) - 1) >= 0:
            fitting += 1
        if fitting:
            self.add("\n".join([*head, *waiting[:fitting]]))
        return len(waiting) - fitting

    def text(self) -> str:
        """Return the page; it ends in a newline."""
        return "\n\n".join(self.parts) + "\n"
