"""Paragraphs for a terminal: pieces of coloured text, wrapped at spaces, with a hanging indent."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from reconciler.dataclass import dataclass
from reconciler.report.differences.diffs import Mark
from reconciler.report.differences.values import count_columns

# `old` is red, `new` green, `changed` yellow. A piece of a line has its mark as its colour.
Ink = Literal["plain", "bold", "dim", "changed", "bad"] | Mark
Span = tuple[str, Ink]
Word = tuple[Span, list[Span]]  # the spaces before it, and its spans, which no line break divides
_CODES: dict[Ink, str] = {"bold": "1", "dim": "2", "gap": "2", "old": "31", "new": "32", "changed": "33", "bad": "31;1"}
_ENDLESS = 10_000  # characters of a paragraph from which on its words are counted only if it does not fit
_PART = re.compile(r"( +)|([^ ]+)")


@dataclass(frozen=True, slots=True)
class Style:
    """Whether a text has colours (plain ANSI), and its width in columns."""

    colour: bool
    width: int

    def paint(self, text: str, ink: Ink) -> str:
        """Return the text in a colour that ends with the text."""
        code = _CODES.get(ink)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text

    def paint_line(self, line: Iterable[Span]) -> str:
        """Return one line of spans as text. Neighbours with the same colour share their colour codes."""
        runs = itertools.groupby(line, key=lambda span: span[1])
        return "".join(self.paint("".join(text for text, _ in run), ink) for ink, run in runs)


def wrap_paragraph(spans: Iterable[Span], style: Style, *, first: Sequence[Span] = (), indent: int = 0) -> list[str]:
    """Return spans as lines within the width, with `first` before the first and `indent` spaces before the others."""
    spans = list(spans)
    if sum(len(text) for text, _ in spans) > _ENDLESS and _measure([*first, *spans]) <= style.width:
        return [style.paint_line([*first, *spans])]
    # A line is broken only after its first word. Otherwise, a long word would leave an empty line.
    return _fill_lines(_split_words(spans), style, first, indent, has_word=False)


def break_line(head: Sequence[Span], parts: Iterable[str], style: Style, indent: int) -> list[str]:
    """Return parts after a head. A part that does not fit begins a new line. No part is divided."""
    words: list[Word] = [((" ", "plain"), [(part, "plain")]) for part in parts]
    return _fill_lines(words, style, head, indent, has_word=_measure(head) > indent)


def _fill_lines(
    words: Iterable[Word], style: Style, first: Sequence[Span], indent: int, *, has_word: bool
) -> list[str]:
    """Return words as lines. The first word may begin a new line only if `first` has a word already."""
    lines: list[list[Span]] = [list(first)]
    room = style.width - _measure(first)
    for space, word in words:
        needed = len(space[0]) + _measure(word)
        if has_word and needed > room:
            lines.append([(" " * indent, "plain"), *word])
            room = style.width - indent - _measure(word)
        else:
            lines[-1] += [space, *word]
            room -= needed
        has_word = True
    for line in lines:
        # A word never ends in a space, only a margin or a sign does.
        while line and not line[-1][0].strip(" "):
            line.pop()
    return [style.paint_line(line) for line in lines]


def _measure(spans: Iterable[Span]) -> int:
    return sum(count_columns(text) for text, _ in spans)


def _split_words(spans: Iterable[Span]) -> Iterator[Word]:
    space: Span = ("", "plain")
    word: list[Span] = []
    for text, ink in spans:
        for blanks, letters in _PART.findall(text):
            # If a span ends without a space, the word continues in the next span, even in another colour.
            if blanks and word:
                yield space, word
                space, word = (blanks, ink), []
            elif blanks:
                space = space[0] + blanks, space[1]
            else:
                word.append((letters, ink))
    if word:
        yield space, word
