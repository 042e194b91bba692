"""Finds texts whose lines YAML has joined although they were Markdown, in which a line's beginning has a meaning."""

import re

import yaml

_ITEM = re.compile(r"[ \t]*(?:(?:[-*+]|[0-9]{1,2}[.)])[ \t]+\S|\|.*\|[ \t]*$)")  # of a list, or a row of a table
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+\S")


def is_folded(text: str, node: yaml.ScalarNode) -> bool:
    """Tell whether a text stands in several Markdown lines of a file that its style, any but `|`, joins."""
    # From the value's own first line: of a block that is the line below its `>`.
    written = text[node.start_mark.index : node.end_mark.index].strip("\"'").splitlines()
    lines = [line for line in (written[1:] if node.style == ">" else written) if line.strip()]
    if len(lines) < 2:
        return False
    kept = node.value.splitlines()
    # A single dash at a line's beginning may be one in a sentence that was wrapped there. A heading takes what follows
    # into itself, so it is one that stands before another line.
    items = sum(1 for line in lines if _ITEM.match(line))
    headings = sum(1 for line in lines[:-1] if _HEADING.match(line))
    joined_items = items - sum(1 for line in kept if _ITEM.match(line))
    is_heading_joined = headings > 0 and len(kept) < len(lines)
    return (items > 1 and joined_items > 0) or is_heading_joined
