"""Ways of adding an entry to an object or a list of a YAML text, or of taking one out, best first.

As with other values: whoever asks takes the first proposal that reads as intended.
"""

import re
from collections.abc import Iterator
from typing import Any

from reconciler.yamltext.page import Page, Splice, style_of
from reconciler.yamltext.spans import Item, Node, Pair, line_end, line_start
from reconciler.yamltext.values import write_inline, write_item, write_pair

# What may stand behind an entry between brackets that has its line to itself.
_COMMA = re.compile(r"[ \t]*,?[ \t]*(?=[\r\n]|\Z)")
_COMMA_OR_COMMENT = re.compile(r"[ \t]*,?(?:[ \t]+#[^\r\n]*|[ \t]*)(?=[\r\n]|\Z)")
_ITS_COMMA = re.compile(r"[ \t]*,")
# What stands between an entry without brackets and the next one, where no comment has a line to itself.
_OWN_COMMENT = re.compile(r"[ \t]*(?:#[^\r\n]*)?\s*")


def insert_pair(page: Page, mapping: Node, key: str, value: Any) -> Iterator[str]:
    """Propose texts in which a mapping ends with one more key."""
    last = mapping.pairs[-1] if mapping.pairs else None
    style = last.key.style if last else ""
    if mapping.flow:
        written = write_inline({key: value}, style, in_brackets=True)[1:-1]
        yield _append_in_brackets(page, mapping, last, written)
        return
    # Behind the last line of the last value; comments and blank lines that follow are about what comes then.
    for hand in page.hands():
        lines = write_pair(key, value, mapping.column, hand, style)
        yield page.spliced(page.lines_at(line_end(page.text, mapping.end), lines))
    if last and not last.explicit:
        # A block text that the file breaks off would gain a line break by a line after it.
        lines = write_pair(key, value, mapping.column, page.hand, style)
        yield page.spliced(page.lines_before(last.start, mapping.column, lines))


def insert_first_pair(page: Page, mapping: Node, key: str, value: str) -> str:
    """Return the text in which a mapping begins with one more key."""
    first = mapping.pairs[0] if mapping.pairs else None
    if not mapping.flow and first:
        written = f"{write_inline(key)}: {write_inline(value)}"
        return page.spliced(page.lines_before(first.start, mapping.column, [" " * mapping.column + written]))
    written = write_inline({key: value}, first.key.style if first else "")[1:-1]
    return _prepend_in_brackets(page, mapping, first, written)


def insert_item(page: Page, sequence: Node, index: int, value: Any) -> Iterator[str]:
    """Propose texts in which a list with something in it has one more entry, before the one at `index` now."""
    before = sequence.items[index - 1] if index else None
    first = sequence.items[0]
    style = style_of(sequence)
    if sequence.flow:
        written = write_inline(value, style, in_brackets=True)
        add = _append_in_brackets if before else _prepend_in_brackets
        yield add(page, sequence, before or first, written)
        return
    for hand in page.hands():
        lines = write_item(value, sequence.column, hand, style)
        if before:
            yield page.spliced(page.lines_at(line_end(page.text, before.end), lines))
        else:
            yield page.spliced(page.lines_before(first.start, sequence.column, lines))


def remove_entry(page: Page, holder: Node, index: int) -> str:
    """Return the text in which a mapping or list lacks one entry, but not its only one."""
    entries, text = holder.entries, page.text
    start, end = entries[index].start, entries[index].end
    before = entries[index - 1].end if index else None
    following = entries[index + 1].start if index + 1 < len(entries) else None
    if _is_first_on_line(page, start) and (not holder.flow or _COMMA_OR_COMMENT.match(text, end)):
        return page.spliced(_cut_lines(page, start, end))
    # On a line with others it takes one comma with it, but no comment, which may be about them.
    if not holder.flow:
        alone = following and _OWN_COMMENT.fullmatch(text, end, following)
        return page.spliced(Splice(start, following, "")) if following and alone else text
    if before is not None and "#" not in text[before:start]:
        return page.spliced(Splice(before, end, ""))
    if following and "#" not in text[end:following]:
        return page.spliced(Splice(start, following, ""))
    # Between comments of other entries, which stay; a comma before a closing bracket does no harm.
    comma = _ITS_COMMA.match(text, end) if following else None
    return page.spliced(Splice(start, comma.end() if comma else end, ""))


def _is_first_on_line(page: Page, position: int) -> bool:
    start = line_start(page.text, position)
    return bool(start) and not page.text[start:position].strip(" \t")


def _cut_lines(page: Page, first: int, last: int) -> Splice:
    """Return the splice that takes out the lines from one position to another."""
    start = line_start(page.text, first)
    # With the line break before it, not the one behind, which the last line of a file may lack.
    start -= 2 if page.text[start - 2 : start] == "\r\n" else 1
    end = line_end(page.text, last)
    # At the end of a text no blank line may stay as its new last one.
    return Splice(page.inked_line_end(start) if end == len(page.text) else start, end, "")


def _append_in_brackets(page: Page, holder: Node, last: Pair | Item | None, written: str) -> str:
    """Return the text with one more entry between brackets, after another one."""
    if last is None:
        return page.spliced(Splice(holder.content + 1, holder.content + 1, written))
    # Where the one before has its line to itself, so has this one.
    margin = page.text[line_start(page.text, last.start) : last.start]
    alone = not margin.strip(" \t") and line_start(page.text, last.start) == line_start(page.text, last.end)
    on_own_line = alone and _COMMA.match(page.text, last.end)
    separator = f",{page.newline}{margin}" if on_own_line else ", "
    return page.spliced(Splice(last.end, last.end, separator + written))


def _prepend_in_brackets(page: Page, holder: Node, first: Pair | Item | None, written: str) -> str:
    """Return the text with one more entry between brackets, before another one."""
    if first is None:
        return _append_in_brackets(page, holder, None, written)
    margin = page.text[line_start(page.text, first.start) : first.start]
    separator = f",{page.newline}{margin}" if not margin.strip(" \t") else ", "
    return page.spliced(Splice(first.start, first.start, written + separator))
