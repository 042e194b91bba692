"""Ways to add a member to an object or a list of a YAML text, or to remove one; the best comes first."""

import bisect
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.yamltext.draft import Draft, Splice, Splices, find_quotes
from reconciler.yamltext.spans import Member, Node, line_end, line_start
from reconciler.yamltext.steps import encode
from reconciler.yamltext.writer import write_block, write_inline, write_item

# What may follow a member between brackets that has a line of its own.
_COMMA = re.compile(r"[ \t]*,?[ \t]*(?=[\r\n])")
_COMMA_OR_COMMENT = re.compile(r"[ \t]*,?[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_ITS_COMMA = re.compile(r"[ \t]*,")
# What stands between a member without brackets and the next one, or the first comment that has a line of its own.
_OWN_COMMENT = re.compile(r"[ \t]*(?:#[^\r\n]*)?\s*")


def insert_pairs(draft: Draft, mapping: Node, pairs: Mapping[str, Any], *, first: bool = False) -> Iterator[Splices]:
    """Propose how to write more keys at the end of a mapping, or at its beginning if they are to come `first`."""
    last = mapping.members[-1] if mapping.members else None
    quotes = last.style if last else ""
    if mapping.flow:
        inline = [write_inline({key: value}, quotes)[1:-1] for key, value in pairs.items()]
        yield _insert_in_brackets(draft, mapping, inline, None if first else last)
        return
    # They go after the last line of the last value. Comments and blank lines below belong to what follows them.
    for layout in draft.list_layouts(quotes):
        lines = write_block(pairs, mapping.column, layout)
        if first:
            yield [draft.insert_before(mapping.members[0].start, mapping.column, lines)]
        yield [draft.insert_after(line_end(draft.text, mapping.end), lines)]
        # A block text at the end of a file without a last line break would gain one from a line below it.
        yield [draft.insert_before(mapping.members[-1].start, mapping.column, lines)]


def insert_items(draft: Draft, sequence: Node, path: FieldPath, items: Sequence[Any]) -> Iterator[Splices]:
    """Propose how to write new items into a list that is not empty, before the item that is at `path` now."""
    quotes, index = find_quotes(sequence), int(path[-1])
    before = sequence.members[index - 1] if index else None
    if sequence.flow:
        inline = [write_inline(item, quotes, in_brackets=True) for item in items]
        yield _insert_in_brackets(draft, sequence, inline, before)
        return
    for moved, layout in itertools.product([draft.moved, {}], draft.list_layouts(quotes)):
        open_lines = dict(moved)  # an item that comes twice takes its comments once
        lines = [
            open_lines.pop((path[:-1], encode(item)), []) or write_item(item, sequence.column, layout) for item in items
        ]
        all_lines = [*itertools.chain(*lines)]
        if before:
            yield [draft.insert_after(line_end(draft.text, before.end), all_lines)]
        else:
            yield [draft.insert_before(sequence.members[0].start, sequence.column, all_lines)]


def remove_member(draft: Draft, container: Node, member: Member) -> Splices:
    """Return how to remove one member of a mapping or list. It must not be the only one."""
    text, start, end = draft.text, member.start, member.end
    index = bisect.bisect_left(container.members, start, key=lambda other: other.start)
    previous_end = container.members[index - 1].end if index else None
    next_start = next((other.start for other in container.members[index + 1 : index + 2]), None)
    has_own_line = not text[line_start(text, start) : start].strip(" \t")
    if has_own_line and _COMMA_OR_COMMENT.match(text, end):
        return [_cut_lines(draft, start, end)]
    # On a line with other members one comma goes as well. A comment stays, since it may be about the others.
    if not container.flow and (own_comment := _OWN_COMMENT.match(text, end)):
        return [Splice(start, own_comment.end(), "")]
    if previous_end is not None and "#" not in text[previous_end:start]:
        return [Splice(previous_end, end, "")]
    if next_start and "#" not in text[end:next_start]:
        return [Splice(start, next_start, "")]
    # Comments of other members are next to it, and stay. A comma before a closing bracket does no harm.
    comma = _ITS_COMMA.match(text, end)
    return [Splice(start, comma.end() if comma else end, "")]


def _cut_lines(draft: Draft, first: int, last: int) -> Splice:
    """Return the splice that removes the lines from one position to another."""
    start = line_start(draft.text, first)
    # The line break before it goes, not the one after, since the last line of a file may have none.
    start -= 2 if draft.text[start - 2 : start] == "\r\n" else 1
    end = line_end(draft.text, last)
    # At the end of a text the blank lines before it go as well, so that none becomes the last line.
    return Splice(draft.end_of_line_before(start) if end == len(draft.text) else start, end, "")


def _insert_in_brackets(draft: Draft, container: Node, items: Sequence[str], after: Member | None) -> Splices:
    """Return how to write more members between brackets, after one of them or before all."""
    text, neighbour = draft.text, after or next(iter(container.members), None)
    if neighbour is None:
        return [Splice(container.content + 1, container.content + 1, ", ".join(items))]
    margin = text[line_start(text, neighbour.start) : neighbour.start]
    # If the neighbour has a line of its own, the new member gets one, too.
    on_own_line = not margin.strip(" \t") and (after is None or _COMMA.match(text, after.end))
    separator = f",{draft.newline}{margin}" if on_own_line else ", "
    inserted = separator.join(items)
    position, pieces = (after.end, separator + inserted) if after else (neighbour.start, inserted + separator)
    return [Splice(position, position, pieces)]
