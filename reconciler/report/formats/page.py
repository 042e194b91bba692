"""A page of limited length. The most important parts are added first."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from reconciler.dataclass import dataclass
from reconciler.report.differences.diffs import DiffLine
from reconciler.report.wording import count_noun

# Renders a line, shortened to about this many characters if a number is given.
WriteLine = Callable[[DiffLine, int | None], Sequence[str]]


def measure_utf16(text: str) -> int:
    """Return the length of a text in UTF-16 units, as GitHub counts it. An emoji counts as two."""
    # Nearly all parts are ASCII, and each is measured several times.
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def measure_bytes(text: str) -> int:
    """Return how many bytes a text takes in a file."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def fit_lines(
    lines: Iterable[DiffLine], room: int, write: WriteLine, measure: Callable[[str], int] = len
) -> tuple[list[str], int, int]:
    """Return as much of a diff as fits, how many lines that differ are missing, and the remaining space."""
    shown: list[str] = []
    lacks = 0
    for line in lines:
        # Writing a very long line that does not fit would be expensive.
        parts = write(line, None) if len(line.text) <= room else []
        needed = sum(measure(part) + 1 for part in parts)
        if parts and needed <= room:
            room -= needed
            shown += parts
            continue
        lacks += line.differs
        # Show the beginning of a very long line, so that a reader sees what it is about.
        shown = shown or [*write(line, room)]
        room = 0
    return shown, lacks, room


def find_share(sizes: Iterable[int], room: int) -> int:
    """Return how much space each of several parts gets at most. Long ones get what the short ones do not need."""
    ascending, share = sorted(sizes), room
    for place, size in enumerate(ascending):
        share = room // (len(ascending) - place)
        if size > share:
            break
        room -= size
    return share


@dataclass(slots=True)
class Page:
    """Parts with blank lines between them, as many as there is space for. `measure` returns the length of a text."""

    room: int
    measure: Callable[[str], int]
    parts: list[str] = dataclasses.field(default_factory=list)
    # What did not fit, and how many lines of which field. Readers must see that the page is not complete.
    left_out: list[str] = dataclasses.field(default_factory=list)
    lacks: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, part: str) -> bool:
        """Add a part if there is space for it, and return whether there was. An empty part needs none."""
        if not part:
            return True
        needed = self.measure(part) + 2
        if needed > self.room:
            return False
        self.room -= needed
        self.parts.append(part)
        return True

    def add_lines(self, head: Sequence[str], lines: Sequence[str], noun: str, plural: str = "") -> None:
        """Add as many lines below their head as there is space for. The others are counted as `noun`."""
        # A table without rows is useless, so its head is only added together with a first row.
        room = self.room - sum(self.measure(line) + 1 for line in head) - 2
        fitting = 0
        while fitting < len(lines) and (room := room - self.measure(lines[fitting]) - 1) >= 0:
            fitting += 1
        if fitting:
            self.add("\n".join([*head, *lines[:fitting]]))
        self.leave_out(len(lines) - fitting, noun, plural)

    def leave_out(self, number: int, noun: str, plural: str = "") -> None:
        """Note how many things were left out because there was no space, if any."""
        if number:
            self.left_out.append(count_noun(number, noun, plural))
