"""What changed inside a long text, as lines and pieces of lines. Leaves out only equal parts. Knows no format."""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from reconciler.core.line_merge import count_equal_ends
from reconciler.dataclass import dataclass
from reconciler.report.differences.sequences import Opcode, find_opcodes, pair_alike
from reconciler.report.differences.values import drop_half_escape, escape, literal, reveal_alike, show_apart

Mark = Literal["same", "old", "new", "gap"]
Sign = Literal[" ", "-", "+", "~", "gap"]
CONTEXT_LINES = 2
CONTEXT_CHARACTERS = 40
MOST_LINES = 20_000  # of a text; a definition of 1 MiB has fewer, but a live text may have any number
LONGEST_LINE = 1_050_000  # characters of a line that is compared word by word; a definition has at most 1 MiB
MARKS: dict[Mark, tuple[str, str]] = {"old": ("[-", "-]"), "new": ("{+", "+}"), "same": ("", ""), "gap": ("", "")}
_ANY_MARK = re.compile(r"\[-|-\]|\{\+|\+\}")
_A_PAGE = 3_000  # characters
_ALIKE = 0.5
# Stand for a tab and a blank that matters. `escape` escapes private-use characters, so a text contains neither.
_TAB, _SPACE = "\ue000", "\ue001"
_STAND_INS = ("\u2192", "\u21e5", "\\t"), ("\u00b7", "\u2423")
# A word includes the marks of its letters: accents, vowel signs and joiners that are separate characters.
_TOKEN = re.compile(r"(?:[\w'\u2019\u200d]|[^\x00-\u02ff\u2000-\u206f\u3000-\u303f\s])+|\s+|.", re.DOTALL)
_LONGEST_WORD = 40  # characters; Chinese, Japanese and Thai have no spaces, and neither has a URL
_JOINERS = ("\u200c", "\u200d")
_LONGEST_ESCAPE = 10  # characters: \U0001f600
_REST_OF_ESCAPE = re.compile(r"^[0-9a-fnrtuUx\\\"]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one line: in both texts, only in the old or new one, or a gap."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line: unchanged, removed, added, partly changed (`~`), or a gap that says what it leaves out."""

    sign: Sign
    pieces: tuple[Piece, ...]

    def show_blanks(self, tab: str, space: str) -> "DiffLine":
        """Return the line with these marks for tabs and blanks that matter."""
        if all(piece.text.isascii() for piece in self.pieces):
            return self
        texts = (piece.text.replace(_TAB, tab).replace(_SPACE, space) for piece in self.pieces)
        return DiffLine(self.sign, tuple(map(Piece, (piece.mark for piece in self.pieces), texts)))

    @property
    def differs(self) -> bool:
        """Whether it is in only one of the texts, or partly changed."""
        return self.sign in ("-", "+", "~")

    @property
    def text(self) -> str:
        """The line as text, with marks around the changed words."""
        return "".join(piece.text for piece in self.marked_pieces)

    @property
    def marked_pieces(self) -> list[Piece]:
        """The pieces with `[-old-]{+new+}` around the changed words of the line, with or without colours."""
        if self.sign != "~":
            return list(self.pieces)
        return [Piece(piece.mark, piece.text.join(MARKS[piece.mark])) for piece in self.pieces]


def diff_texts(old: Any, new: Any) -> tuple[DiffLine, ...]:
    """Return the differences of two texts, or of other values without parts. None stands for no value."""
    lines = list(_compare_lines(_split_lines(old), _split_lines(new)))
    # A diff of lines does not show a missing newline at the end.
    if isinstance(old, str) and isinstance(new, str) and old.endswith("\n") != new.endswith("\n"):
        lines.append(DiffLine("-" if old.endswith("\n") else "+", (Piece("gap", "(a newline at the end)"),)))
    if all(line.sign == " " for line in lines):
        return ()
    # A mark that occurs in one of the texts would be ambiguous.
    all_text = f"{old}{new}"
    tab, space = (next((mark for mark in marks if mark not in all_text), marks[-1]) for marks in _STAND_INS)
    return tuple(_leave_out_equal([line.show_blanks(tab, space) for line in lines]))


def count_changed_lines(old: Any, new: Any) -> int:
    """Return how many lines differ between two texts. A line that was replaced counts once, however it is shown."""
    stretches = find_opcodes(_split_lines(old), _split_lines(new))
    return sum(max(len(before), len(after)) for equal, before, after in stretches if not equal) or 1


def _split_lines(value: Any) -> list[str]:
    if value is None:
        return []
    # Everything after so many lines counts as one line.
    return value.removesuffix("\n").split("\n", MOST_LINES) if isinstance(value, str) else [literal(value)]


def _compare_lines(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    opcodes, revealed = _find_changes(old, new)
    for equal, old_part, new_part in opcodes:
        if equal:
            yield from (_make_line(" ", line, revealed) for line in old_part)
        else:
            yield from _compare_replaced(old_part, new_part, revealed)


def _find_changes(
    old: Sequence[str], new: Sequence[str], *, junk: bool = False
) -> tuple[Sequence[Opcode], Mapping[str, str]]:
    """Return stretches of lines or words, and how to write those that look like others, if one of them is changed."""
    opcodes = list(find_opcodes(old, new, junk=junk))
    if not (revealed := reveal_alike([*old, *new], escaped=False)):
        return opcodes, {}
    changed = {text for equal, before, after in opcodes if not equal for text in (*before, *after)}
    return opcodes, {} if changed.isdisjoint(revealed) else revealed


def _compare_replaced(old: Sequence[str], new: Sequence[str], revealed: Mapping[str, str]) -> Iterator[DiffLine]:
    """Return replaced lines: similar pairs as one line each, the others as removed, then added."""
    paired = []
    for old_place, new_place in pair_alike(old, new):
        before, after = None if old_place is None else old[old_place], None if new_place is None else new[new_place]
        pieces: tuple[Piece, ...] = ()
        if before is not None and after is not None and max(len(before), len(after)) <= LONGEST_LINE:
            pieces = _mark_words(before, after)
        paired.append((pieces, before, after))
    for alike, group in itertools.groupby(paired, key=lambda item: bool(item[0])):
        lines = list(group)
        if alike:
            yield from (DiffLine("~", pieces) for pieces, _, _ in lines)
        else:
            yield from (_make_line("-", before, revealed) for _, before, _ in lines if before is not None)
            yield from (_make_line("+", after, revealed) for _, _, after in lines if after is not None)


def _make_line(sign: Sign, line: str, revealed: Mapping[str, str]) -> DiffLine:
    mark: Mark = "old" if sign == "-" else "new" if sign == "+" else "same"
    return DiffLine(sign, (Piece(mark, revealed.get(line) or _show_blanks(line, is_last=True)),))


def _mark_words(old: str, new: str) -> tuple[Piece, ...]:
    """Return two lines as one with the changed words marked, or nothing if they are too different."""
    opcodes, revealed = _find_changes(_TOKEN.findall(old), _TOKEN.findall(new), junk=True)

    def join(words: Sequence[str]) -> str:
        return "".join(revealed.get(word, word) for word in words)

    stretches: list[tuple[bool, str, str]] = []
    for equal, before, after in opcodes:
        is_word = len(before) == len(after) == 1 and not (equal or revealed)
        stretches += _narrow(before[0], after[0]) if is_word else [(equal, join(before), join(after))]
    alike = sum(len(before) for equal, before, _ in stretches if equal)
    # Lines that share less than half, or contain marks of their own, are easier to read separately, unless they would
    # take pages, or the difference would be invisible.
    length = len(old) + len(new)
    separate = 2 * alike < _ALIKE * length or (length < _A_PAGE and _ANY_MARK.search(old + new))
    if separate and show_apart(old, new) == [escape(old), escape(new)]:
        return ()
    return tuple(piece for piece in _show_stretches(stretches) if piece.text)


def _narrow(old: str, new: str) -> Iterator[tuple[bool, str, str]]:
    """Yield a changed word as stretches; what two long words share at their ends is set aside."""
    is_long = min(len(old), len(new)) > _LONGEST_WORD
    head, tail = count_equal_ends(old, new) if is_long else (0, 0)
    while head and any(_is_attached(word, head) for word in (old, new)):
        head -= 1
    while tail and any(_is_attached(word, len(word) - tail) for word in (old, new)):
        tail -= 1
    parts = ((word[:head], word[head : len(word) - tail], word[len(word) - tail :]) for word in (old, new))
    yield from (part for part in zip((True, False, True), *parts, strict=True) if part[1] or part[2])


def _is_attached(word: str, place: int) -> bool:
    """Return whether the character at a place belongs to the one before it, as an accent or a vowel sign does."""
    is_mark = unicodedata.category(word[place : place + 1] or " ").startswith("M")
    return is_mark or not {*word[place - 1 : place + 1]}.isdisjoint(_JOINERS)


def _show_stretches(stretches: Sequence[tuple[bool, str, str]]) -> Iterator[Piece]:
    """Yield pieces in which every character is visible, and no two different pieces look alike."""
    for number, (equal, old, new) in enumerate(stretches, 1):
        # Blanks at the end of a line are shown.
        is_last = number == len(stretches)
        if equal:
            yield Piece("same", _show_blanks(old, is_last=is_last))
            continue
        texts = show_apart(old, new)
        if texts == [escape(old), escape(new)] or (old + new).isspace():
            texts = [_show_blanks(text, is_last=is_last, spaces=True) for text in (old, new)]
        yield from (Piece("old", texts[0]), Piece("new", texts[1]))


def _show_blanks(text: str, *, is_last: bool, spaces: bool = False) -> str:
    """Return a text with tabs as arrows, and with spaces as dots if they end a line or are the only change."""
    body = text.rstrip(" ") if is_last else text
    visible = _TAB.join(map(escape, body.split("\t"))) + _SPACE * (len(text) - len(body))
    return visible.replace(" ", _SPACE) if text.isspace() and spaces else visible


def _leave_out_equal(lines: list[DiffLine]) -> Iterator[DiffLine]:
    """Leave out the middle of long runs of equal lines, and of long equal pieces in the remaining lines."""
    around = range(-CONTEXT_LINES, CONTEXT_LINES + 1)
    near = {place + offset for place, line in enumerate(lines) if line.sign != " " for offset in around}
    for is_near, group in itertools.groupby(enumerate(lines), key=lambda item: item[0] in near):
        stretch = [line for _, line in group]
        # A gap takes as much space as one line.
        if is_near or len(stretch) == 1:
            yield from map(_shorten_line, stretch)
        else:
            yield DiffLine("gap", (Piece("gap", f"({len(stretch)} lines unchanged)"),))


def _shorten_line(line: DiffLine) -> DiffLine:
    if line.sign in ("-", "+"):
        return line
    pieces: list[Piece] = []
    for place, piece in enumerate(line.pieces):
        head = 0 if place == 0 and line.sign == "~" else CONTEXT_CHARACTERS
        tail = 0 if place == len(line.pieces) - 1 and line.sign == "~" else CONTEXT_CHARACTERS
        pieces += _shorten_equal(piece, head, tail) if piece.mark == "same" else [piece]
    return DiffLine(line.sign, tuple(pieces))


def _shorten_equal(piece: Piece, head: int, tail: int) -> list[Piece]:
    """Cut the middle out of a piece, at spaces if possible, if that makes it much shorter."""
    text = piece.text
    if len(text) <= head + tail + CONTEXT_CHARACTERS:
        return [piece]
    begin, end = text[:head], text[len(text) - tail :]
    # Half a word would look like a change, and half an escape like another character.
    begin = begin[: begin.rindex(" ") + 1] if " " in begin else drop_half_escape(begin)
    if " " in end:
        end = end[end.index(" ") :]
    elif "\\" in text[len(text) - tail - _LONGEST_ESCAPE : len(text) - tail]:
        end = _REST_OF_ESCAPE.sub("", end)
    parts = [Piece("same", begin), Piece("gap", "\u2026"), Piece("same", end)]
    return [part for part in parts if part.text]
