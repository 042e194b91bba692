"""Finds where keys and values stand in a YAML text. Only asked for when needed; a text may have mistakes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import yaml

from reconciler.assistant.paths import FieldPath
from reconciler.yamltext.nodes import YamlProblems, compose
from reconciler.yamltext.parser_errors import split_lines

_COMMENT = re.compile(r"[ \t]+#")
_BLANK = re.compile("[ \t\n]")


class Place(NamedTuple):
    """Line and column, from 1, of a key (of a list item: the item) and of its value."""

    key: tuple[int, int]
    value: tuple[int, int]


def locate(text: str) -> dict[FieldPath, tuple[int, int]]:
    """Return line and column, from 1, of every key of a YAML text, by path; list items under their index.

    A text that cannot be read gives nothing; of duplicate keys the first one counts.
    """
    return {path: place.key for path, place in find_places(text).items()}


def find_places(text: str) -> dict[FieldPath, Place]:
    """Return the places of every key and value of a YAML text, as `locate` does."""
    places: dict[FieldPath, Place] = {}
    root = _tolerantly(text)
    if root is not None:
        _collect(root, (), places)
    return places


def may_be_cut_off(text: str, document: Mapping[str, Any], fields: Iterable[str]) -> list[str]:
    """Return those top-level fields whose value, in what the text was read as, ends as some text before a comment does.

    That is quick, and leaves few texts of which `find_cut_off` must look at the nodes.
    """
    # YAML's comment begins behind white space; a "#" within a word is a part of the text.
    before = [part.rstrip(" \t") for part in text.split("#") if part.endswith((" ", "\t"))]
    return [field for field in fields if field in document and _ends_one(document[field], before)]


def find_cut_off(text: str, fields: Iterable[str]) -> list[str]:
    """Return those top-level fields whose value is plain text, or nothing, before a comment on its line."""
    root = _tolerantly(text)
    if not isinstance(root, yaml.MappingNode):
        return []
    # `name: null # why` says what it means, but the value of `name: #5` is most likely the comment.
    lines = split_lines(text)
    wanted = set(fields)
    return [
        key.value
        for key, value in root.value
        if isinstance(key, yaml.ScalarNode)
        and key.value in wanted
        and isinstance(value, yaml.ScalarNode)
        and not value.style
        and value.value not in ("null", "~")
        and _COMMENT.match(lines[value.end_mark.line][value.end_mark.column :])
    ]


def _ends_one(value: Any, parts: Iterable[str]) -> bool:
    """Tell whether one of the parts may end in a plain value; one that is left out ends in its key's colon."""
    end = ":" if value is None else _BLANK.split(str(value))[-1]
    return any(part.endswith(end) for part in parts)


def _tolerantly(text: str) -> yaml.Node | None:
    """Return the root node of a text, None where it cannot be read."""
    try:
        return compose(text)
    except YamlProblems:
        return None


def _collect(node: yaml.Node, path: FieldPath, places: dict[FieldPath, Place]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            # Of duplicate keys the first one counts, as for the value that could be read.
            if isinstance(key, yaml.ScalarNode) and (*path, key.value) not in places:
                places[*path, key.value] = Place(_start(key), _start(value))
                _collect(value, (*path, key.value), places)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[*path, str(index)] = Place(_start(item), _start(item))
            _collect(item, (*path, str(index)), places)


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
