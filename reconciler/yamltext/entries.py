"""Ways of adding an entry to an object or a list of a YAML text, or of taking one out, best first.

As with other values: whoever asks takes the first proposal that reads as intended.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.yamltext.page import Page, Splice, style_of
from reconciler.yamltext.spans import Node, line_end, line_start
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
        end = max(last.value.end, last.after or 0, last.key.end) if last else mapping.content + 1
        yield _append_in_brackets(page, last.key.start if last else None, end, written)
        return
    for hand in page.hands():
        lines = write_pair(key, value, mapping.column, hand, style)
        yield page.spliced(page.lines_at(line_end(page.text, mapping.end), lines))
    if last and not last.explicit:
        # A block text that the file breaks off would gain a line break by a line after it.
        lines = write_pair(key, value, mapping.column, page.hand, style)
        yield page.spliced(page.lines_before(last.key.start, mapping.column, lines))


def insert_item(page: Page, sequence: Node, index: int, value: Any) -> Iterator[str]:
    """Propose texts in which a list with something in it has one more entry, before the one at `index` now."""
    before = sequence.items[index - 1] if index else None
    first = sequence.items[0]
    style = style_of(sequence)
    if sequence.flow:
        written = write_inline(value, style, in_brackets=True)
        if before:
            yield _append_in_brackets(page, before.value.start, before.value.end, written)
        else:
            start = first.value.start
            margin = page.text[line_start(page.text, start) : start]
            following = f",{page.newline}{margin}" if not margin.strip(" \t") else ", "
            yield page.spliced(Splice(start, start, written + following))
        return
    for hand in page.hands():
        lines = write_item(value, sequence.column, hand, style)
        if before:
            end = max(before.value.end, before.dash + 1)
            yield page.spliced(page.lines_at(line_end(page.text, end), lines))
        else:
            yield page.spliced(page.lines_before(first.dash, sequence.column, lines))


def remove_item(page: Page, sequence: Node, index: int) -> Iterator[str]:
    """Propose texts in which a list lacks one entry, but not its only one."""
    if sequence.flow:
        spans = [(item.value.start, item.value.end) for item in sequence.items]
    else:
        spans = [(item.dash, max(item.value.end, item.dash + 1)) for item in sequence.items]
    return _remove(page, spans, index, flow=sequence.flow)


def remove_pair(page: Page, mapping: Node, key: str) -> Iterator[str]:
    """Propose texts in which a mapping lacks one key, but not its only one."""
    spans = [(pair.key.start, max(pair.value.end, pair.after or 0, pair.key.end)) for pair in mapping.pairs]
    index = [pair.name for pair in mapping.pairs].index(key)
    return _remove(page, spans, index, flow=mapping.flow)


def _remove(page: Page, spans: Sequence[tuple[int, int]], index: int, *, flow: bool) -> Iterator[str]:
    """Propose texts that lack one of several entries, each of which stands from one position to another."""
    start, end = spans[index]
    following = spans[index + 1][0] if index + 1 < len(spans) else None
    if _is_first_on_line(page, start) and (not flow or _COMMA_OR_COMMENT.match(page.text, end)):
        yield page.spliced(_cut_lines(page, start, end))
    elif not flow:
        if following and _OWN_COMMENT.fullmatch(page.text, end, following):
            yield page.spliced(Splice(start, following, ""))
    elif index and "#" not in page.text[spans[index - 1][1] : start]:
        yield page.spliced(Splice(spans[index - 1][1], end, ""))
    elif following and "#" not in page.text[end:following]:
        yield page.spliced(Splice(start, following, ""))
    else:  # between comments of other entries, which stay; a comma before a closing bracket does no harm
        comma = _ITS_COMMA.match(page.text, end) if following else None
        yield page.spliced(Splice(start, comma.end() if comma else end, ""))


def _is_first_on_line(page: Page, position: int) -> bool:
    start = line_start(page.text, position)
    return bool(start) and not page.text[start:position].strip(" \t")


def _cut_lines(page: Page, first: int, last: int) -> Splice:
    """Return the splice that takes out the lines from one position to another."""
    start = line_start(page.text, first)
    start -= 2 if page.text[start - 2 : start] == "\r\n" else 1
    end = line_end(page.text, last)
    # At the end of a text no blank line may stay as its new last one.
    return Splice(page.inked_line_end(start) if end == len(page.text) else start, end, "")


def _append_in_brackets(page: Page, start: int | None, end: int, written: str) -> str:
    """Return the text with one more entry between brackets, after the one from `start` to `end`."""
    if start is None:
        return page.spliced(Splice(end, end, written))
    margin = page.text[line_start(page.text, start) : start]
    alone = not margin.strip(" \t") and line_start(page.text, start) == line_start(page.text, end)
    if alone and _COMMA.match(page.text, end):
        return page.spliced(Splice(end, end, f",{page.newline}{margin}{written}"))
    return page.spliced(Splice(end, end, f", {written}"))
