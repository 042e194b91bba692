"""What changed inside a long value, as lines and pieces of lines that a renderer only has to colour.

Texts are compared line by line, and two lines that are much alike word by word. Unchanged stretches are
shortened, and white space that matters is made visible. Pure; knows neither colours nor formats.
"""

import dataclasses
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from reconciler.report.values import escape, key_name, literal

Mark = Literal["same", "old", "new", "gap"]
Sign = Literal[" ", "-", "+", "~", "gap"]

CONTEXT_LINES = 2
CONTEXT_CHARACTERS = 40
MOST_LINES = 20_000  # of a text; a definition of 1 MiB has fewer, what live holds may be anything
LONGEST_LINE = 200_000  # characters of a line that is compared word by word
LONGEST_RUN = 30  # lines that were only added, or only removed, shown of one stretch
LONGEST_PIECE = 1200  # characters of one changed piece

_ALIKE = 0.5
_AFFORDABLE = 60_000  # pairs of equal tokens that difflib may look at: two texts of some 2,000 words each
_TOKEN = re.compile(r"[\w'\u2019]+|\s+|[^\w\s]")
_SENTENCE = re.compile(r"[^.!?]+[.!?]*\s*|[.!?]+\s*")


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one line: in both texts, only in the old or new one, or a gap left between."""

    mark: Mark
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class DiffLine:
    """One line: unchanged, removed, added, changed within (`~`), or a gap that says what it leaves out."""

    sign: Sign
    pieces: tuple[Piece, ...]

    @property
    def old(self) -> tuple[Piece, ...]:
        """The line as it was."""
        return tuple(piece for piece in self.pieces if piece.mark != "new")

    @property
    def new(self) -> tuple[Piece, ...]:
        """The line as it is now."""
        return tuple(piece for piece in self.pieces if piece.mark != "old")


def diff_values(old: Any, new: Any, *, full: bool = False) -> list[DiffLine]:
    """Return what differs between two JSON values; `None` is nothing at all. `full` shortens nothing.

    An empty list means that nothing that is shown differs.
    """
    # Lists and objects are lines, too: one for each element or key.
    lines = list(_compare_lines(_split_lines(old), _split_lines(new)))
    lines += _note_final_newline(old, new)
    if all(line.sign == " " for line in lines):
        return []
    return lines if full else list(_shorten(lines))


def _split_lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        # What is left after so many is one line, and is shortened as one.
        return value.removesuffix("\n").split("\n", MOST_LINES)
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, dict):
        return [f"{key_name(key)}: {literal(item)}" for key, item in value.items()]
    return [literal(value)]


def _note_final_newline(old: Any, new: Any) -> list[DiffLine]:
    """Say it where one text ends in a newline and the other does not: no line shows that."""
    if not (isinstance(old, str) and isinstance(new, str)) or old.endswith("\n") == new.endswith("\n"):
        return []
    sign: Sign = "-" if old.endswith("\n") else "+"
    return [DiffLine(sign, (Piece("gap", "(a newline at the end)"),))]


def _compare_lines(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    for tag, old_part, new_part in _find_opcodes(old, new, junk=False):
        if tag == "equal":
            yield from (_make_line(" ", line) for line in old_part)
        else:
            yield from _compare_replaced(old_part, new_part)


def _compare_replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    """Return replaced lines: pairs that are much alike as one line each, the others removed, then added."""
    removed: list[str] = []
    added: list[str] = []
    # A replaced stretch pairs its lines in order: the first with the first. To look for better pairs would take
    # the square of their number, and edits of a prompt mostly keep their lines.
    for before, after in zip(old, new, strict=False):
        pieces = _mark_words(before, after) if before != after and max(len(before), len(after)) <= LONGEST_LINE else ()
        if pieces or before == after:
            yield from _list_plain(removed, added)
            removed, added = [], []
            yield DiffLine("~", pieces) if pieces else _make_line(" ", before)
        else:
            removed.append(before)
            added.append(after)
    shared = min(len(old), len(new))
    yield from _list_plain([*removed, *old[shared:]], [*added, *new[shared:]])


def _list_plain(removed: Sequence[str], added: Sequence[str]) -> Iterator[DiffLine]:
    yield from (_make_line("-", line) for line in removed)
    yield from (_make_line("+", line) for line in added)


def _make_line(sign: Sign, line: str) -> DiffLine:
    mark: Mark = "old" if sign == "-" else "new" if sign == "+" else "same"
    return DiffLine(sign, (Piece(mark, _show_blanks(line, last=True)),))


def _mark_words(old: str, new: str) -> tuple[Piece, ...]:
    """Return two lines as one with changed words marked; nothing where they are too different for that."""
    pieces: list[Piece] = []
    alike = 0
    for tag, old_part, new_part in _find_opcodes(*_split_tokens(old, new), junk=True):
        before, after = "".join(old_part), "".join(new_part)
        if tag == "equal":
            alike += len(before)
            pieces.append(Piece("same", before))
        else:
            changed = (Piece("old", before), Piece("new", after))
            pieces += [piece for piece in changed if piece.text]
    # Two lines that share less than half read better apart than interleaved.
    if 2 * alike < _ALIKE * (len(old) + len(new)):
        return ()
    # Blanks that end a line are shown, and either line may end within the last pieces.
    last_same = max(place for place, piece in enumerate(pieces) if piece.mark == "same")
    ends = min(last_same + 1, len(pieces) - 1)
    return tuple(
        Piece(piece.mark, _show_blanks(piece.text, last=place >= ends, spaces=piece.mark != "same"))
        for place, piece in enumerate(pieces)
    )


def _split_tokens(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return two lines as words and white space; as sentences where so many words would take too long to compare."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    head, tail = _count_equal_ends(before, after)
    if _is_affordable(before[head : len(before) - tail], after[head : len(after) - tail]):
        return before, after
    return _SENTENCE.findall(old), _SENTENCE.findall(new)


Opcode = tuple[str, Sequence[str], Sequence[str]]


def _find_opcodes(old: Sequence[str], new: Sequence[str], *, junk: bool) -> list[Opcode]:
    """Return how two sequences differ; where that would cost too much, all between their equal ends.

    With `junk`, white space alone is no match, so that `[-help me-]{+assist you+}` is one change.
    """
    # difflib takes quadratic time where much is alike, and people change little of a long text: its equal ends are
    # set aside first. autojunk would call frequent words noise and mark whole prompts as replaced.
    head, tail = _count_equal_ends(old, new)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    found: list[Opcode] = [("equal", old[:head], new[:head])]
    if _is_affordable(before, after):
        matcher = difflib.SequenceMatcher(str.isspace if junk else None, before, after, autojunk=False)
        found += [(tag, before[i:j], after[k:m]) for tag, i, j, k, m in matcher.get_opcodes()]
    else:
        found.append(("replace", before, after))
    found.append(("equal", old[len(old) - tail :], new[len(new) - tail :]))
    return [opcode for opcode in found if opcode[1] or opcode[2]]


def _count_equal_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Return how many tokens two sequences share at their beginning, and how many after that at their end."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _is_affordable(old: Sequence[str], new: Sequence[str]) -> bool:
    # What difflib's time grows with is the number of pairs of equal tokens, not the lengths.
    counts = Counter(new)
    return sum(counts[token] for token in old if not token.isspace()) <= _AFFORDABLE


def _show_blanks(text: str, *, last: bool, spaces: bool = False) -> str:
    """Return a text with tabs as arrows, and spaces as dots where they end a line or are all that changed."""
    if text.isspace() and spaces:
        text = text.replace(" ", "\u00b7")
    elif last:
        shown = text.rstrip(" ")
        text = shown + "\u00b7" * (len(text) - len(shown))
    return "\u2192".join(map(escape, text.split("\t")))


def _shorten(lines: list[DiffLine]) -> Iterator[DiffLine]:
    """Leave out the middle of long stretches of lines, and of long pieces within the lines that stay."""
    start = 0
    while start < len(lines):
        sign = lines[start].sign
        end = start
        while end < len(lines) and lines[end].sign == sign:
            end += 1
        yield from _shorten_stretch(lines[start:end], sign, first=start == 0, last=end == len(lines))
        start = end


def _shorten_stretch(lines: list[DiffLine], sign: Sign, *, first: bool, last: bool) -> Iterator[DiffLine]:
    head = LONGEST_RUN if sign != " " else 0 if first else CONTEXT_LINES
    tail = 0 if sign != " " or last else CONTEXT_LINES
    left_out = len(lines) - head - tail
    # A gap takes as much room as one line.
    if left_out < 2:
        yield from map(_shorten_line, lines)
        return
    yield from map(_shorten_line, lines[:head])
    words = {" ": "unchanged", "-": "more removed", "+": "more added", "~": "more changed"}[sign]
    yield DiffLine("gap", (Piece("gap", f"({left_out} lines {words})"),))
    yield from map(_shorten_line, lines[len(lines) - tail :])


def _shorten_line(line: DiffLine) -> DiffLine:
    pieces: list[Piece] = []
    for place, piece in enumerate(line.pieces):
        if piece.mark == "same":
            begins, ends = place == 0, place == len(line.pieces) - 1
            head = 0 if begins and line.sign == "~" else CONTEXT_CHARACTERS
            tail = 0 if ends and line.sign == "~" else CONTEXT_CHARACTERS
        else:
            head, tail = LONGEST_PIECE // 2, LONGEST_PIECE // 2
        pieces += _shorten_piece(piece, head, tail)
    return DiffLine(line.sign, tuple(pieces))


def _shorten_piece(piece: Piece, head: int, tail: int) -> list[Piece]:
    """Cut the middle out of a piece, at spaces where there are some, if that makes it much shorter."""
    text = piece.text
    if len(text) <= head + tail + CONTEXT_CHARACTERS:
        return [piece]
    begin, end = text[:head], text[len(text) - tail :]
    # Half a word at the cut would look like a change of that word.
    if " " in begin:
        begin = begin[: begin.rindex(" ") + 1]
    if " " in end:
        end = end[end.index(" ") :]
    left_out = len(text) - len(begin) - len(end)
    gap = "\u2026" if piece.mark == "same" else f"\u2026 ({left_out:,} characters more) \u2026"
    parts = [Piece(piece.mark, begin), Piece("gap", gap), Piece(piece.mark, end)]
    return [part for part in parts if part.text]
