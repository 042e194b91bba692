"""A YAML text while it is edited: its style, and splices. Does not check whether the result reads as intended."""

import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconciler.assistant.paths import FieldPath
from reconciler.dataclass import dataclass
from reconciler.yamltext.spans import Node, find_spans, line_end
from reconciler.yamltext.writer import Layout

_BLANK_LINES = re.compile(r"(?:\r?\n[ \t]*(?=[\r\n]))*")


class Splice(NamedTuple):
    """Characters of the text from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


Splices = Sequence[Splice]
# An item by the path of its list and by what it holds.
ItemName = tuple[FieldPath, str]


@dataclass(frozen=True)
class Draft:
    """A text, its line break, and the lines of removed items, which may have moved."""

    text: str
    newline: str
    moved: dict[ItemName, list[str]]

    @functools.cached_property
    def root(self) -> Node:
        """The outermost node."""
        return find_spans(self.text)

    @functools.cached_property
    def layout(self) -> Layout:
        """The layout, by the first nested mapping and the first list below a key."""
        # A file may mix layouts. The first of each kind counts, so that every run decides the same.
        offsets: dict[str, int] = {}
        for node in self.root.walk():
            for child in (member.value for member in node.members if node.kind == "mapping"):
                if child.is_block_collection:
                    offsets.setdefault(child.kind, child.column - node.column)
        step = offsets.get("mapping") or offsets.get("list") or 2
        return Layout(step, offsets.get("list", step))

    def list_layouts(self, quotes: str) -> Iterator[Layout]:
        """Yield how to write values here: as the file does, then without blocks of text."""
        # A comment below a block text would become part of it if it is indented further. A quoted text has its own end.
        layout = dataclasses.replace(self.layout, quotes=quotes)
        yield from (layout, dataclasses.replace(layout, blocks=False))

    def insert_after(self, position: int, lines: Sequence[str]) -> Splice:
        """Return the splice that writes lines after the one that ends at a position."""
        return self.replace_lines(position, position, lines)

    def replace_lines(self, start: int, end: int, lines: Sequence[str]) -> Splice:
        """Return the splice that replaces the lines from one line's end to another's."""
        # Only a text that keeps its last line breaks ends in a blank line. Blank lines below would belong to it, too.
        if lines and not lines[-1] and (match := _BLANK_LINES.match(self.text, end)):
            end = match.end()
        return Splice(start, end, "".join(self.newline + line for line in lines))

    def insert_before(self, position: int, column: int, lines: list[str]) -> Splice:
        """Return the splice that writes lines before the member at a position, in the same column."""
        return Splice(position, position, self.newline.join([*lines, " " * column])[column:])

    def end_of_line_before(self, position: int) -> int:
        """Return where the last line before a position ends that is not blank."""
        return line_end(self.text, len(self.text[:position].rstrip()))

    def splice(self, *splices: Splice) -> str | None:
        """Return the text after some splices, None if two of them concern the same characters."""
        # The sort is stable and looks at places alone, so splices at one place keep their order.
        pieces: list[str] = []
        position = 0
        for splice in sorted(splices, key=lambda splice: splice[:2]):
            if splice.start < position:
                return None
            pieces += [self.text[position : splice.start], splice.text]
            position = splice.end
        return "".join([*pieces, self.text[position:]])


def find_quotes(node: Node) -> str:
    """Return the quotes of a text, or those of the first text in a list or mapping."""
    style = next((child.style for child in node.walk() if child.kind == "scalar"), "")
    return style if style in ("'", '"') else ""
