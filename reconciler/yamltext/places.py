"""Finds where keys and values stand in a YAML text. Only asked for when needed; a text may have mistakes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from reconciler.assistant.paths import FieldPath
from reconciler.core.definition import Place
from reconciler.yamltext.nodes import YamlProblems, compose, place_of
from reconciler.yamltext.parser_errors import split_lines

_COMMENT = re.compile(r"[ \t]+#")
_BLANK = re.compile("[ \t\n]")


def find_places(text: str) -> dict[FieldPath, Place]:
    """Return the places of every key and value of a YAML text, by path; list items stand under their index.

    A text that cannot be read has none; of duplicate keys the first one counts.
    """
    places: dict[FieldPath, Place] = {}
    root = _compose_if_readable(text)
    if root is not None:
        _collect(root, (), places)
    return places


def may_be_cut_off(text: str, document: Mapping[str, Any], fields: Iterable[str]) -> list[str]:
    """Return those top-level fields whose value, as it was read, ends as some text before a comment does."""
    # Quick, and it leaves few texts of which `find_cut_off` must look at the nodes.
    # YAML's comment begins behind white space; a "#" within a word is a part of the text.
    before = [part.rstrip(" \t") for part in text.split("#") if part.endswith((" ", "\t"))]
    # A field that is left out ends in its key's colon.
    held = {field: document[field] for field in fields if field in document}
    ends = {field: ":" if value is None else _BLANK.split(str(value))[-1] for field, value in held.items()}
    return [field for field, end in ends.items() if any(part.endswith(end) for part in before)]


def find_cut_off(text: str, fields: Iterable[str]) -> list[str]:
    """Return those top-level fields whose value is plain text, or nothing, before a comment on its line."""
    root = _compose_if_readable(text)
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


def _compose_if_readable(text: str) -> yaml.Node | None:
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
                places[*path, key.value] = Place(place_of(key), place_of(value))
                _collect(value, (*path, key.value), places)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[*path, str(index)] = Place(place_of(item), place_of(item))
            _collect(item, (*path, str(index)), places)
