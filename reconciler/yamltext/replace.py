"""Ways to replace a value in a YAML text, the best first; the caller takes the first that reads as intended."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.line_merge import count_equal_ends
from reconciler.yamltext.draft import Draft, Splice, Splices, find_quotes
from reconciler.yamltext.scalars import SCALAR_TAGS
from reconciler.yamltext.spans import Member, Node, line_end, line_start
from reconciler.yamltext.writer import (
    Layout,
    block_column,
    column_below,
    is_filled,
    write_block,
    write_folded,
    write_inline,
    write_literal,
)

# Tags that may stay in front of a new value, if it has one of these types.
_TAGS = {**SCALAR_TAGS, "tag:yaml.org,2002:map": (dict,), "tag:yaml.org,2002:seq": (list,)}


def replace_value(draft: Draft, holder: Node, member: Member, value: Any) -> Iterator[Splices]:
    """Propose how to write another value in place of that of a member in `holder`, a mapping or list."""
    node = member.value
    if node.tag and not node.anchor and not node.is_empty and type(value) in _TAGS.get(node.tag, ()):
        untagged = dataclasses.replace(member, value=dataclasses.replace(node, start=node.content))
        yield from _replace(draft, holder, untagged, value)
    yield from _replace(draft, holder, member, value)


def _replace(draft: Draft, holder: Node, member: Member, value: Any) -> Iterator[Splices]:
    node = member.value
    quotes = find_quotes(node)
    is_bare = node.flow and not node.members
    # The brackets are empty, but there is a comment between them, and it stays.
    if is_bare and is_filled(value) and "#" in draft.text[node.start : node.end]:
        yield [Splice(node.content + 1, node.content + 1, write_inline(value)[1:-1])]
    if holder.flow:
        yield _write_head(draft, member, write_inline(value, quotes, in_brackets=True))
        return
    if isinstance(value, str) and ("\n" in value or node.is_block_text):
        for header, *lines in _propose_block_texts(draft, holder, member, value):
            yield _write_head(draft, member, header, lines)
    # Brackets that are there stay.
    if is_filled(value) and (is_bare or not node.flow):
        for layout in draft.list_layouts(quotes):
            yield _write_collection(draft, holder, member, value, layout)
    yield _write_head(draft, member, write_inline(value, quotes))


def _propose_block_texts(draft: Draft, holder: Node, member: Member, value: str) -> Iterator[list[str]]:
    node = member.value
    least_column = block_column(holder.column, draft.layout)
    column = node.body_column or least_column
    # If a text of one line gains line breaks, it is most likely a list or a table. Folding would spread it out.
    if node.style == ">" and ("\n" in node.value.strip("\n") or "\n" not in value.strip("\n")):
        old = [line.lstrip("\r\n")[column:] for line in node.lines]
        yield from filter(None, [write_folded(value, column, old)])
    yield from filter(None, [write_literal(value, start, holder.column) for start in (column, least_column)])


def _write_head(draft: Draft, member: Member, head: str, lines: Sequence[str] = ()) -> list[Splice]:
    """Return the splices that replace a value by a head and the lines below it. Comments on its line stay there."""
    node, text = member.value, draft.text
    if node.is_block_collection and line_start(text, node.content) > member.after:
        # The head moves up after the key, and the lines below it go.
        insertion = draft.insert_after(line_end(text, member.after), lines)
        return [*_write_after_key(draft, member, f" {head}" if head else ""), insertion, _cut_lines(draft, node)]
    if node.is_empty and node.properties == node.start:
        new_head = f"{member.colon} {head}" if head else ""
        return [Splice(member.after, member.after, new_head), draft.insert_after(line_end(text, member.after), lines)]
    # A value of several lines begins after its key, even if the old one had its own line. A comment is not passed.
    moves_up = lines and not node.is_block_text and not node.is_empty and not text[member.after : node.start].strip()
    start = node.start if head and not moves_up else member.after
    new_head = f" {head}" if moves_up and head else head
    if node.is_block_text:
        return [Splice(start, node.header, new_head), _replace_body(draft, node, lines)]
    end = max(node.end, member.after)
    # A line may be as long as the file, so its end is only searched for if something follows there.
    below = [draft.insert_after(line_end(text, end), lines)] if lines else []
    return [Splice(start, end, new_head), *below]


def _replace_body(draft: Draft, node: Node, lines: Sequence[str]) -> Splice:
    """Return the splice that gives a block text new lines. Equal ones at its beginning and end are not touched."""
    # Lines that stay are not written again: a file may mix its line breaks, and they would change.
    old = node.lines
    # A line of blanks is an empty line, if it is not longer than the text's indentation.
    contents = (line.lstrip("\r\n") for line in old)
    first, last = count_equal_ends([line if line[node.body_column :] else "" for line in contents], lines)
    start = line_end(draft.text, node.header) + len("".join(old[:first]))
    end = node.end - len("".join(old[len(old) - last :]))
    new = lines[first : len(lines) - last]
    return Splice(start, end, draft.insert_after(end, new).text) if last else draft.replace_lines(start, end, new)


def _write_collection(draft: Draft, holder: Node, member: Member, value: Any, layout: Layout) -> list[Splice]:
    """Return the splices that replace a value by a list or mapping without brackets."""
    node = member.value
    # A list may begin in the column of its key.
    least_column = holder.column + (not isinstance(value, list))
    is_item = holder.kind == "list" and not node.is_block_text and not node.is_empty
    block = draft.newline.join(write_block(value, node.column, layout))[node.column :]
    if is_item or (node.is_block_collection and node.column >= least_column):
        return [*_write_after_key(draft, member, ""), Splice(node.content, node.end, block)]
    # A comment between key and value stays above what is written.
    if "#" in draft.text[member.after : node.start] and not node.is_block_collection:
        return [Splice(node.start, max(node.end, member.after), block)]
    column = holder.column + 2 if holder.kind == "list" else column_below(value, holder.column, layout)
    return _write_head(draft, member, "", write_block(value, column, layout))


def _write_after_key(draft: Draft, member: Member, text: str) -> list[Splice]:
    """Return the splices that write after a key, and remove the anchor and tag of the value below."""
    node = member.value
    splices = [Splice(member.after, member.after, text)]
    if node.properties > node.start:
        blank = len(draft.text[member.after : node.start]) - len(draft.text[member.after : node.start].rstrip(" \t"))
        splices.append(Splice(node.start - blank, node.properties, ""))
    return splices


def _cut_lines(draft: Draft, node: Node) -> Splice:
    """Return the splice that removes the lines of a node. A comment after the last one stays."""
    end = line_end(draft.text, node.end)
    if draft.text[node.end : end].strip(" \t"):
        return Splice(node.content, draft.text.index("#", node.end), "")
    return Splice(draft.end_of_line_before(node.content), end, "")
