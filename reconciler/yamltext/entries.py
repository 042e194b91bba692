"""Ways of adding an entry to an object or a list of a YAML text, or of taking one out, best first.

The caller takes the first proposal that reads as intended, as for other values.
"""

import re
from collections.abc import Iterator
from typing import Any

from reconciler.yamltext.draft import Draft, Splice, find_quotes
from reconciler.yamltext.spans import Item, Node, Pair, line_end, line_start
from reconciler.yamltext.write_values import write_inline, write_item, write_pair

# What may stand behind an entry between brackets that has its line to itself.
_COMMA = re.compile(r"[ \t]*,?[ \t]*(?=[\r\n]|\Z)")
_COMMA_OR_COMMENT = re.compile(r"[ \t]*,?(?:[ \t]+#[^\r\n]*|[ \t]*)(?=[\r\n]|\Z)")
_ITS_COMMA = re.compile(r"[ \t]*,")
# What stands between an entry without brackets and the next one, where no comment has a line to itself.
_OWN_COMMENT = re.compile(r"[ \t]*(?:#[^\r\n]*)?\s*")


def insert_pair(draft: Draft, mapping: Node, key: str, value: Any) -> Iterator[str]:
    """Propose texts in which a mapping ends with one more key."""
    last = mapping.pairs[-1] if mapping.pairs else None
    style = last.key.style if last else ""
    if mapping.flow:
        written = write_inline({key: value}, style, in_brackets=True)[1:-1]
        yield _append_in_brackets(draft, mapping, last, written)
        return
    # Behind the last line of the last value; comments and blank lines that follow are about what comes then.
    for layout in draft.layouts():
        lines = write_pair(key, value, mapping.column, layout, style)
        yield draft.splice(draft.lines_at(line_end(draft.text, mapping.end), lines))
    if last and not last.explicit:
        # A block text that the file breaks off would gain a line break by a line after it.
        lines = write_pair(key, value, mapping.column, draft.layout, style)
        yield draft.splice(draft.lines_before(last.start, mapping.column, lines))


def insert_first_pair(draft: Draft, mapping: Node, key: str, value: str) -> str:
    """Return the text in which a mapping begins with one more key."""
    first = mapping.pairs[0] if mapping.pairs else None
    if not mapping.flow and first:
        written = f"{write_inline(key)}: {write_inline(value)}"
        return draft.splice(draft.lines_before(first.start, mapping.column, [" " * mapping.column + written]))
    written = write_inline({key: value}, first.key.style if first else "")[1:-1]
    return _prepend_in_brackets(draft, mapping, first, written)


def insert_item(draft: Draft, sequence: Node, index: int, value: Any) -> Iterator[str]:
    """Propose texts in which a list with something in it has one more entry, before the one at `index` now."""
    before = sequence.items[index - 1] if index else None
    first = sequence.items[0]
    style = find_quotes(sequence)
    if sequence.flow:
        written = write_inline(value, style, in_brackets=True)
        add = _append_in_brackets if before else _prepend_in_brackets
        yield add(draft, sequence, before or first, written)
        return
    for layout in draft.layouts():
        lines = write_item(value, sequence.column, layout, style)
        if before:
            yield draft.splice(draft.lines_at(line_end(draft.text, before.end), lines))
        else:
            yield draft.splice(draft.lines_before(first.start, sequence.column, lines))


def remove_entry(draft: Draft, holder: Node, index: int) -> str:
    """Return the text in which a mapping or list lacks one entry, but not its only one."""
    entries, text = holder.entries, draft.text
    start, end = entries[index].start, entries[index].end
    before = entries[index - 1].end if index else None
    following = entries[index + 1].start if index + 1 < len(entries) else None
    if _is_first_on_line(draft, start) and (not holder.flow or _COMMA_OR_COMMENT.match(text, end)):
        return draft.splice(_cut_lines(draft, start, end))
    # On a line with others it takes one comma with it, but no comment, which may be about them.
    if not holder.flow:
        alone = following and _OWN_COMMENT.fullmatch(text, end, following)
        return draft.splice(Splice(start, following, "")) if following and alone else text
    if before is not None and "#" not in text[before:start]:
        return draft.splice(Splice(before, end, ""))
    if following and "#" not in text[end:following]:
        return draft.splice(Splice(start, following, ""))
    # Between comments of other entries, which stay; a comma before a closing bracket does no harm.
    comma = _ITS_COMMA.match(text, end) if following else None
    return draft.splice(Splice(start, comma.end() if comma else end, ""))


def _is_first_on_line(draft: Draft, position: int) -> bool:
    start = line_start(draft.text, position)
    return bool(start) and not draft.text[start:position].strip(" \t")


def _cut_lines(draft: Draft, first: int, last: int) -> Splice:
    """Return the splice that takes out the lines from one position to another."""
    start = line_start(draft.text, first)
    # With the line break before it, not the one behind, which the last line of a file may lack.
    start -= 2 if draft.text[start - 2 : start] == "\r\n" else 1
    end = line_end(draft.text, last)
    # At the end of a text no blank line may stay as its new last one.
    return Splice(draft.end_of_line_before(start) if end == len(draft.text) else start, end, "")


def _append_in_brackets(draft: Draft, holder: Node, last: Pair | Item | None, written: str) -> str:
    """Return the text with one more entry between brackets, after another one."""
    if last is None:
        return draft.splice(Splice(holder.content + 1, holder.content + 1, written))
    # Where the one before has its line to itself, so has this one.
    margin = draft.text[line_start(draft.text, last.start) : last.start]
    alone = not margin.strip(" \t") and line_start(draft.text, last.start) == line_start(draft.text, last.end)
    on_own_line = alone and _COMMA.match(draft.text, last.end)
    separator = f",{draft.newline}{margin}" if on_own_line else ", "
    return draft.splice(Splice(last.end, last.end, separator + written))


def _prepend_in_brackets(draft: Draft, holder: Node, first: Pair | Item | None, written: str) -> str:
    """Return the text with one more entry between brackets, before another one."""
    if first is None:
        return _append_in_brackets(draft, holder, None, written)
    margin = draft.text[line_start(draft.text, first.start) : first.start]
    separator = f",{draft.newline}{margin}" if not margin.strip(" \t") else ", "
    return draft.splice(Splice(first.start, first.start, written + separator))
