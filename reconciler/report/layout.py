"""Paragraphs for a terminal: pieces of coloured text, wrapped at spaces, with a hanging indent."""

import dataclasses
import itertools
import re
from collections.abc import Iterable, Sequence

from reconciler.report.colour import Ink, Palette
from reconciler.report.values import columns

Span = tuple[str, Ink]

_PART = re.compile(r"( +)|([^ ]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """In which colours a text is shown, how wide, and whether it is shown whole."""

    palette: Palette
    width: int
    verbose: bool


@dataclasses.dataclass(slots=True)
class _Word:
    """What no line break divides: spans without a space between them, and the spaces before the first."""

    space: str
    space_ink: Ink
    spans: list[Span]

    @property
    def width(self) -> int:
        return sum(columns(text) for text, _ in self.spans)


def wrap_paragraph(spans: Iterable[Span], look: Look, *, first: Sequence[Span] = (), indent: int = 0) -> list[str]:
    """Return spans as lines no wider than the look allows, as far as their words do.

    `first` begins the first line, `indent` spaces every other one. No line ends in white space.
    """
    lines: list[list[Span]] = [list(first)]
    room = look.width - sum(columns(text) for text, _ in first)
    # A line may only be broken before a word if it has one already: else a long word would leave an empty line.
    begun = False
    for word in _split_words(spans):
        needed = len(word.space) + word.width
        if begun and needed > room:
            lines.append([(" " * indent, "plain"), *word.spans])
            room = look.width - indent - word.width
        else:
            lines[-1] += [(word.space, word.space_ink), *word.spans]
            room -= needed
        begun = True
    return [paint_line(_strip_end(line), look.palette) for line in lines]


def paint_line(line: Iterable[Span], palette: Palette) -> str:
    """Return one line of spans as text; neighbours of one ink share their colour codes."""
    runs = itertools.groupby(line, key=lambda span: span[1])
    return "".join(palette.paint("".join(text for text, _ in run), ink) for ink, run in runs)


def _split_words(spans: Iterable[Span]) -> Iterable[_Word]:
    word = _Word("", "plain", [])
    for text, ink in spans:
        for space, letters in _PART.findall(text):
            if space and word.spans:
                yield word
                word = _Word(space, ink, [])
            elif space:
                word.space += space
            else:
                word.spans.append((letters, ink))
    if word.spans:
        yield word


def _strip_end(line: list[Span]) -> list[Span]:
    """Return a line without the spaces at its end; a word never has any, so only margins and signs do."""
    while line and not line[-1][0].strip(" "):
        line.pop()
    return line
