"""Finds where keys and values stand in a YAML text. Only asked for when needed; a text may have mistakes."""

import contextlib

import yaml

from reconciler.assistant.paths import FieldPath
from reconciler.core.definition import Place
from reconciler.yamltext.nodes import YamlProblems, compose, place_of


def find_places(text: str) -> dict[FieldPath, Place]:
    """Return the places of every key and value of a YAML text, by path; list items stand under their index.

    A text that cannot be read has none; of duplicate keys the first one counts.
    """
    places: dict[FieldPath, Place] = {}
    with contextlib.suppress(YamlProblems):
        _collect(compose(text), (), places)
    return places


def _collect(node: yaml.Node | None, path: FieldPath, places: dict[FieldPath, Place]) -> None:
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
