"""Ways to add an entry to an object or a list of a YAML text, or to remove one; the best comes first."""

import re
from collections.abc import Iterator
from typing import Any

from reconciler.yamltext.draft import Draft, Splice, find_quotes
from reconciler.yamltext.spans import Entry, Node, line_end, line_start
from reconciler.yamltext.writer import write_inline, write_item, write_pair

# What may follow an entry between brackets that has a line of its own.
_COMMA = re.compile(r"[ \t]*,?[ \t]*(?=[\r\n]|\Z)")
_COMMA_OR_COMMENT = re.compile(r"[ \t]*,?(?:[ \t]+#[^\r\n]*|[ \t]*)(?=[\r\n]|\Z)")
_ITS_COMMA = re.compile(r"[ \t]*,")
# What stands between an entry without brackets and the next one, if no comment has a line of its own.
_OWN_COMMENT = re.compile(r"[ \t]*(?:#[^\r\n]*)?\s*")


def insert_pair(draft: Draft, mapping: Node, key: str, value: Any) -> Iterator[str]:
    """Propose texts with one more key at the end of a mapping."""
    last = mapping.entries[-1] if mapping.entries else None
    quotes = last.style if last else ""
    if mapping.flow:
        pair = write_inline({key: value}, quotes, in_brackets=True)[1:-1]
        yield _insert_in_brackets(draft, mapping, pair, after=last)
        return
    # It goes behind the last line of the last value. Comments and blank lines below belong to what follows them.
    for layout in draft.list_layouts(quotes):
        lines = write_pair(key, value, mapping.column, layout)
        yield draft.splice(draft.insert_after(line_end(draft.text, mapping.end), lines))
        if last and not last.explicit:
            # A block text at the end of a file without a last line break would gain one from a line below it.
            yield draft.splice(draft.insert_before(last.start, mapping.column, lines))


def insert_first_pair(draft: Draft, mapping: Node, key: str, value: str) -> str:
    """Return the text with one more key at the beginning of a mapping."""
    first = mapping.entries[0] if mapping.entries else None
    if not mapping.flow and first:
        pair = f"{write_inline(key)}: {write_inline(value)}"
        return draft.splice(draft.insert_before(first.start, mapping.column, [" " * mapping.column + pair]))
    pair = write_inline({key: value}, first.style if first else "")[1:-1]
    return _insert_in_brackets(draft, mapping, pair, before=first)


def insert_item(draft: Draft, sequence: Node, index: int, value: Any) -> Iterator[str]:
    """Propose texts with a new item in a list that is not empty, before the item that is at `index` now."""
    quotes = find_quotes(sequence)
    if sequence.flow:
        before = sequence.entries[index - 1] if index else None
        item = write_inline(value, quotes, in_brackets=True)
        yield _insert_in_brackets(draft, sequence, item, after=before, before=sequence.entries[0])
        return
    for layout in draft.list_layouts(quotes):
        yield insert_lines(draft, sequence, index, write_item(value, sequence.column, layout))


def insert_lines(draft: Draft, sequence: Node, index: int, lines: list[str]) -> str:
    """Return the text with more lines in a list without brackets, before the item that is at `index` now."""
    if index:
        return draft.splice(draft.insert_after(line_end(draft.text, sequence.entries[index - 1].end), lines))
    return draft.splice(draft.insert_before(sequence.entries[0].start, sequence.column, lines))


def remove_entry(draft: Draft, container: Node, entry: Entry) -> str:
    """Return the text without one entry of a mapping or list. It must not be the only one."""
    text, start, end = draft.text, entry.start, entry.end
    previous_end = max((other.end for other in container.entries if other.start < start), default=None)
    next_start = min((other.start for other in container.entries if other.start > start), default=None)
    # A line is removed with the line break before it, and the first line of a text has none.
    line_begin = line_start(text, start)
    has_own_line = bool(line_begin) and not text[line_begin:start].strip(" \t")
    if has_own_line and (not container.flow or _COMMA_OR_COMMENT.match(text, end)):
        return draft.splice(_cut_lines(draft, start, end))
    # On a line with other entries one comma goes as well. A comment stays, since it may be about the others.
    if not container.flow:
        is_alone = next_start and _OWN_COMMENT.fullmatch(text, end, next_start)
        return draft.splice(Splice(start, next_start, "")) if next_start and is_alone else text
    if previous_end is not None and "#" not in text[previous_end:start]:
        return draft.splice(Splice(previous_end, end, ""))
    if next_start and "#" not in text[end:next_start]:
        return draft.splice(Splice(start, next_start, ""))
    # Comments of other entries are next to it, and stay. A comma before a closing bracket does no harm.
    comma = _ITS_COMMA.match(text, end) if next_start else None
    return draft.splice(Splice(start, comma.end() if comma else end, ""))


def _cut_lines(draft: Draft, first: int, last: int) -> Splice:
    """Return the splice that removes the lines from one position to another."""
    start = line_start(draft.text, first)
    # The line break before it goes, not the one behind, since the last line of a file may have none.
    start -= 2 if draft.text[start - 2 : start] == "\r\n" else 1
    end = line_end(draft.text, last)
    # At the end of a text the blank lines before it go as well, so that none becomes the last line.
    return Splice(draft.end_of_line_before(start) if end == len(draft.text) else start, end, "")


def _insert_in_brackets(
    draft: Draft, container: Node, item: str, after: Entry | None = None, before: Entry | None = None
) -> str:
    """Return the text with one more entry between brackets: after an entry, before one, or as the only one."""
    text, neighbour = draft.text, after or before
    if neighbour is None:
        return draft.splice(Splice(container.content + 1, container.content + 1, item))
    line_begin = line_start(text, neighbour.start)
    margin = text[line_begin : neighbour.start]
    # If the neighbour has a line of its own, the new entry gets one, too.
    on_own_line = not margin.strip(" \t")
    if after:
        on_own_line = on_own_line and line_begin == line_start(text, after.end) and bool(_COMMA.match(text, after.end))
    separator = f",{draft.newline}{margin}" if on_own_line else ", "
    position, pieces = (after.end, separator + item) if after else (neighbour.start, item + separator)
    return draft.splice(Splice(position, position, pieces))
