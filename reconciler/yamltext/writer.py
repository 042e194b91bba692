"""Writes JSON values as YAML that people like to read: new definitions, and pieces that fit into a file."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.assistant.invisible import REORDERING
from reconciler.core.definition import MAX_BYTES
from reconciler.core.json_size import has_more_tokens
from reconciler.dataclass import dataclass
from reconciler.yamltext.nodes import MAX_NODES
from reconciler.yamltext.reader import reads_as
from reconciler.yamltext.scalars import read_plain, write_number

WIDTH: Final = 96
# These are written as escapes. Compiled only when needed, since that takes as long as reading ten files.
_UNWRITABLE = "[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
# In a text of one line these are written as escapes, too. Without that it would look like another text.
_MISLEADING = f"{_UNWRITABLE}|[{REORDERING}]"
# YAML's indicators without the dash, which is one only before white space.
_NOT_PLAIN_START = frozenset(",[]{}#&*!|>'\"%@`?:")
# Ends of a text (`: `, ` #`), the dash of an item, the end of a document, and tabs, which nobody sees.
_NOT_PLAIN = re.compile(r":(?:\s|\Z)|\s#|\t|\A-(?:[\s-]|\Z)|\A\.\.\.")
# Stricter than YAML: between brackets parsers differ in what may be next to a colon or a question mark.
_NOT_PLAIN_IN_BRACKETS = re.compile(r"[,\[\]{}:?]")
_INDENTED = re.compile(r"\n*[ \t]")
# A folded line may be broken at a single space. YAML does not fold lines that begin with a blank.
_FOLD = re.compile(r"(?<![ \t]) (?![ \t])")
_NARROWEST: Final = 60
# A text longer than the file's width less these is folded. A shorter one ends only a little beyond the width.
_AFTER_KEY: Final = 16
# YAML has one digit for an indentation indicator.
_FARTHEST: Final = 9
# YAML takes up to 1,024 characters for a key before its colon (YAML 1.2.2, 7.4.2).
_LONGEST_KEY: Final = 1000


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written."""

    step: int = 2  # of its indentation
    list_offset: int = 2  # how far a list is to the right of its key
    blocks: bool = True  # else texts of several lines are written in quotes
    width: int = 0  # if there is one, long texts of one line are folded
    quotes: str = ""  # of texts on one line, none for plain ones


def write_definition(fields: Mapping[str, Any], *, most: int = MAX_BYTES) -> str:
    """Return the text of a definition. Raises ValueError for one that is nested too deeply, or over `most` bytes."""
    encoded = json.dumps(fields, ensure_ascii=False)
    # Reading such a text again would take seconds, so it is refused at once. A value has three tokens at most.
    if len(encoded.encode("utf-8", "surrogatepass")) > most or has_more_tokens(encoded, 3 * MAX_NODES):
        raise ValueError("these fields are too large for a definition")
    # Blocks repeat their indentation in each line. Without them a large and deep text may still be small enough.
    for layout in (Layout(width=WIDTH), Layout(width=WIDTH, blocks=False)):
        text = "\n".join(write_block(fields, 0, layout) or ["{}"]) + "\n"
        if reads_as(text, fields, most=most):
            return text
    raise ValueError("these fields cannot be written as YAML")


def write_inline(value: Any, quotes: str = "", *, in_brackets: bool = False) -> str:
    """Return a value on one line. `quotes` are those of its texts, empty for plain ones."""
    if isinstance(value, str):
        return _write_text(value, quotes, in_brackets=in_brackets)
    if isinstance(value, Mapping):
        pairs = [
            f"{_write_text(key, quotes, in_brackets=True)}: {write_inline(child, quotes, in_brackets=True)}"
            for key, child in value.items()
        ]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Sequence):
        return f"[{', '.join(write_inline(item, quotes, in_brackets=True) for item in value)}]"
    # `true`, `false` and `null` are the same in JSON and YAML. But PyYAML reads JSON's `1e+20` as a text.
    return write_number(value) if isinstance(value, float) else json.dumps(value)


def write_block(value: Any, column: int, layout: Layout) -> list[str]:
    """Return the lines of a list or mapping that is not empty, with its own entries at a column."""
    if isinstance(value, Mapping):
        entries = (write_pair(key, child, column, layout) for key, child in value.items())
    else:
        entries = (write_item(item, column, layout) for item in value)
    return [*itertools.chain.from_iterable(entries)]


def write_pair(key: str, value: Any, column: int, layout: Layout) -> list[str]:
    """Return a key and its value as lines at a column."""
    prefix, key_lines = f"{' ' * column}{_write_text(key, '', in_brackets=False)}:", list[str]()
    if len(prefix) > _LONGEST_KEY:
        key_lines, prefix = [f"{' ' * column}? {prefix.strip()[:-1]}"], f"{' ' * column}:"
    if is_filled(value):
        return [*key_lines, prefix, *write_block(value, column_below(value, column, layout), layout)]
    return [*key_lines, *_write_scalar(prefix, value, column, layout)]


def write_item(value: Any, column: int, layout: Layout) -> list[str]:
    """Return the lines of an item of a list, with its dash at a column."""
    prefix = " " * column + "-"
    if is_filled(value):
        # The first line is after the dash, and the others below it, whatever the file's step is.
        first, *others = write_block(value, column + 2, layout)
        return [f"{prefix} {first[column + 2 :]}", *others]
    return _write_scalar(prefix, value, column, layout)


def column_below(value: Any, column: int, layout: Layout) -> int:
    """Return the column of a list or mapping below a key at `column`."""
    return column + (layout.step if isinstance(value, Mapping) else layout.list_offset)


def is_filled(value: Any) -> bool:
    """Return whether a value is a list or mapping that is not empty."""
    return isinstance(value, list | tuple | Mapping) and bool(value)


def write_literal(text: str, column: int, parent_column: int) -> list[str] | None:
    """Return a text as a literal block, its header (`|`) and its lines at `column`, or None where it needs escapes.

    The header has an indentation indicator where the text begins with white space (YAML 1.2.2, 8.1.1.1), and
    the chomping indicator that keeps its trailing line breaks (8.1.1.2).
    """
    # A block of white space alone has no line to show its indentation, and nobody would see it.
    if not text.strip() or _needs_escapes(text):
        return None
    indicator = str(column - parent_column) if _INDENTED.match(text) else ""
    lines = text.removesuffix("\n").split("\n")
    return [f"|{indicator}{_find_chomping(text)}", *(_indent(line, column) for line in lines)]


def write_folded(text: str, column: int, old_lines: Sequence[str], width: int = _NARROWEST) -> list[str] | None:
    """Return a text as a folded block, its header (`>`) and its lines, or None where folding would change it.

    Of `old_lines`, which are there now, those that still fit stay; the longest of them widens the `width`.
    """
    # YAML does not fold lines that begin with white space. At the end of a line nobody would see it.
    core = text.rstrip("\n")
    paragraphs = core.split("\n")
    if _needs_escapes(text) or any(line != line.strip() for line in paragraphs) or not core:
        return None
    width = max(width, *(len(line) for line in old_lines), 0)
    old_paragraphs = [part.split("\n") for part in re.split(r"\n\n+", "\n".join(old_lines).strip("\n"))]
    # A paragraph with the same text keeps its lines, even if it has moved. Another one may be an edited old one.
    indices = {" ".join(lines): index for index, lines in enumerate(old_paragraphs)}
    lines: list[str] = []
    index = 0
    for paragraph in paragraphs:
        if not paragraph:
            lines.append("")
            continue
        # Between two paragraphs one line break belongs to the folding.
        lines += [""] if any(lines) else []
        index = indices.get(paragraph, index)
        lines += _wrap(paragraph, old_paragraphs[index] if index < len(old_paragraphs) else [], width)
        index += 1
    lines += [""] * (_count_breaks(text) - 1)
    return [f">{_find_chomping(text)}", *(_indent(line, column) for line in lines)]


def _needs_escapes(text: str) -> bool:
    """Return whether a text cannot be a block. Marks that reorder text are allowed in one of several lines."""
    lines = text.rstrip("\n")
    return re.search(_UNWRITABLE if "\n" in lines else _MISLEADING, text.replace("\n", "")) is not None


def block_column(column: int, layout: Layout) -> int:
    """Return the column of the lines of a block text that belongs to a key or dash at `column`."""
    return column + (layout.step if layout.step <= _FARTHEST else 2)


def _write_scalar(prefix: str, value: Any, column: int, layout: Layout) -> list[str]:
    if isinstance(value, str) and layout.blocks:
        block, column_of_text = None, block_column(column, layout)
        if "\n" in value:
            block = write_literal(value, column_of_text, column)
        elif layout.width and len(value) > layout.width - _AFTER_KEY and " " in value:
            block = write_folded(value, column_of_text, (), layout.width - column_of_text)
        if block:
            return [f"{prefix} {block[0]}", *block[1:]]
    return [f"{prefix} {write_inline(value, layout.quotes)}"]


def _write_text(text: str, quotes: str, *, in_brackets: bool) -> str:
    if quotes == "'" and "\n" not in text and not re.search(_MISLEADING, text):
        return "'" + text.replace("'", "''") + "'"
    if quotes != '"' and _is_plain(text, in_brackets=in_brackets):
        return text
    # JSON's escapes are valid in YAML. Characters that only YAML needs escaped follow.
    return re.sub(_MISLEADING, lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _is_plain(text: str, *, in_brackets: bool) -> bool:
    if not text or text != text.strip() or text[0] in _NOT_PLAIN_START:
        return False
    if _NOT_PLAIN.search(text) or re.search(_MISLEADING, text):
        return False
    if in_brackets and _NOT_PLAIN_IN_BRACKETS.search(text):
        return False
    return read_plain(text) == text


def _find_chomping(text: str) -> str:
    return {0: "-", 1: ""}.get(_count_breaks(text), "+")


def _count_breaks(text: str) -> int:
    return len(text) - len(text.rstrip("\n"))


def _indent(line: str, column: int) -> str:
    return " " * column + line if line else ""


def _wrap(paragraph: str, old: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines of a paragraph. Old lines at its beginning and end stay, and the rest is wrapped again."""
    # Unchanged lines keep the diff small, so only the text between them is wrapped again.
    start, end, first, last = 0, len(paragraph), 0, len(old)
    while last - first > 1 and paragraph.startswith(old[first], start):
        cut = start + len(old[first])
        if not _FOLD.match(paragraph, cut):
            break
        yield old[first]
        start, first = cut + 1, first + 1
    while last - first > 1 and paragraph.endswith(old[last - 1], start, end):
        cut = end - len(old[last - 1]) - 1
        if cut <= start or not _FOLD.match(paragraph, cut):
            break
        end, last = cut, last - 1
    folds = (match.start() for match in _FOLD.finditer(paragraph, start, end))
    last_fold: int | None = None
    for fold in itertools.chain(folds, [end]):
        if fold - start > width and last_fold is not None:
            yield paragraph[start:last_fold]
            start, last_fold = last_fold + 1, None
        last_fold = fold
    yield paragraph[start:end]
    yield from old[last:]
