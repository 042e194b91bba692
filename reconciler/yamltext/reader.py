"""Reads YAML text as a plain JSON value, strictly: what every parser would read alike, or a list of problems.

Positions are looked for only when something is wrong or somebody asks; the happy path keeps no nodes.
"""

import sys
from typing import Any

import yaml

from reconciler.yamltext.diagnose import find_alias_problem, find_problems
from reconciler.yamltext.nodes import COLLECTION, YamlProblem, YamlProblems, compose
from reconciler.yamltext.places import locate
from reconciler.yamltext.scalars import Refusal, read_scalar

__all__ = ["YamlProblem", "YamlProblems", "locate", "read_yaml"]


def read_yaml(text: str) -> Any:
    """Return the value of a text with one YAML document; None for an empty one.

    Raises YamlProblems with everything that is wrong: what the parser does not take (only the first),
    duplicate keys, keys that are no text, tags beyond YAML's core, scalars that YAML parsers read
    differently, NaN and infinity, aliases without bound.
    """
    root = compose(text)
    if root is None:
        return None
    if "*" in text:
        problem = find_alias_problem(root)
        if problem:
            raise YamlProblems([problem])
    try:
        return _build(root)
    except _Doubt:
        problems, value = find_problems(root)
        raise YamlProblems(problems, value) from None


class _Doubt(Exception):  # noqa: N818
    """Something is wrong with a node; `find_problems` says what."""


def _build(node: yaml.Node) -> Any:
    """Return the value of a node whose depth and size are known to be sane."""
    if type(node) is yaml.ScalarNode:
        value = read_scalar(node.tag, node.value)
        if type(value) is Refusal:
            raise _Doubt
        return value
    if type(node) is yaml.MappingNode:
        if node.tag not in (COLLECTION, "tag:yaml.org,2002:map"):
            raise _Doubt
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = read_scalar(key_node.tag, key_node.value) if type(key_node) is yaml.ScalarNode else None
            if type(key) is not str or key in mapping:
                raise _Doubt
            mapping[sys.intern(key)] = _build(value_node)  # a fleet has each key a thousand times
        return mapping
    if node.tag not in (COLLECTION, "tag:yaml.org,2002:seq"):
        raise _Doubt
    return [_build(item) for item in node.value]
