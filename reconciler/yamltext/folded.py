"""Finds texts whose lines YAML has joined although they were Markdown, in which a line's beginning has a meaning."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from reconciler.assistant.paths import FieldPath
from reconciler.yamltext.nodes import YamlProblems, compose

_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,2}[.)])[ \t]+\S")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+\S")
# How an item or a heading looks once a line before it, or behind it, was joined to its own.
_JOINED = re.compile(r"\S (?:[-*+]|[0-9]{1,2}[.)]|#{1,6}) +\S|^#{1,6} +\S.*", re.MULTILINE)


def may_be_folded(text: str, value: Any) -> bool:
    """Tell whether Markdown lines may have been joined in some text of a file's value: quick, and wrong at times."""
    # What stands on one line of the file was joined by nobody. Values come in the file's order, so that to look for
    # all of them is one walk.
    at = 0
    for held in _find_texts(value):
        for match in _JOINED.finditer(held):
            here = text.find(match[0], at)
            if here < 0 and match[0] not in text:
                return True
            at = max(at, here)
    return False


def find_folded(text: str) -> list[FieldPath]:
    """Return the paths whose text stands in several Markdown lines that its style joins: any style but `|`."""
    try:
        root = compose(text)
    except YamlProblems:
        return []
    return [path for path, node in _walk(root, ()) if node.style != "|" and _is_folded(text, node)]


def _is_folded(text: str, node: yaml.ScalarNode) -> bool:
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


def _find_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _find_texts(item)


def _walk(node: yaml.Node | None, path: FieldPath) -> Iterator[tuple[FieldPath, yaml.ScalarNode]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield from _walk(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, str(index)))
    elif isinstance(node, yaml.ScalarNode):
        yield path, node
