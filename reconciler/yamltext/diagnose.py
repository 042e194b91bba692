"""Finds everything wrong with composed YAML nodes, with places: the thorough way, taken only when needed."""

from typing import Any, Final

import yaml

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import MAX_PROBLEMS, About
from reconciler.yamltext.nodes import COLLECTION, MAX_DEPTH, YamlProblem
from reconciler.yamltext.scalars import Refusal, read_scalar, told_tag

# How many nodes a document may gain by its aliases.
MAX_ALIASED: Final = 10_000
_COLLECTION_TAGS: dict[type[yaml.Node], str] = {
    yaml.MappingNode: "tag:yaml.org,2002:map",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
}


def find_problems(root: yaml.Node) -> tuple[list[YamlProblem], Any]:
    """Return the problems of a document in its order, MAX_PROBLEMS at most, and the value that it has all the same.

    Aliases must have been found sane. A scalar that is refused stands in the value as text; of duplicate keys
    the first one counts, and a key that is no text is left out.
    """
    search = _Search()
    value = search.value_of(root, ())
    return sorted(search.problems), value


def find_alias_problem(root: yaml.Node) -> YamlProblem | None:
    """Return what is wrong with the aliases: one inside its own anchor, or far too much repeated."""
    sizes = _Sizes()
    return sizes.measure(root)


class _Sizes:
    """Measures what nodes expand to, each once: composed trees are shallow, so the recursion is."""

    def __init__(self) -> None:
        self.measured: dict[int, tuple[int, int]] = {}  # by a node's identity: nodes below and including it, depth
        self.open: set[int] = set()

    def measure(self, node: yaml.Node) -> YamlProblem | None:
        """Measure a node and all below it; return the first problem."""
        if isinstance(node, yaml.ScalarNode):
            self.measured[id(node)] = (1, 1)
            return None
        self.open.add(id(node))
        size, depth = 1, 1
        for child in _children(node):
            if id(child) in self.open:
                return _whole(node, "an alias (*) here refers to something that it is itself a part of")
            if id(child) not in self.measured:
                problem = self.measure(child)
                if problem:
                    return problem
            child_size, child_depth = self.measured[id(child)]
            size, depth = size + child_size, max(depth, child_depth + 1)
        self.open.discard(id(node))
        self.measured[id(node)] = (size, depth)
        if size > len(self.measured) + MAX_ALIASED:
            return _whole(node, f"the aliases (*) in here repeat more than {MAX_ALIASED} values; write less of it")
        if depth > MAX_DEPTH:
            return _whole(node, f"this is nested more than {MAX_DEPTH} levels deep")
        return None


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value)


def _whole(node: yaml.Node, message: str) -> YamlProblem:
    return YamlProblem(node.start_mark.line + 1, node.start_mark.column + 1, message)


class _Search:
    """One walk over the nodes that collects problems."""

    def __init__(self) -> None:
        self.problems: list[YamlProblem] = []

    def value_of(self, node: yaml.Node, path: FieldPath) -> Any:
        """Return a node's value as far as it can be read."""
        if isinstance(node, yaml.ScalarNode):
            value = read_scalar(node.tag, node.value)
            if isinstance(value, Refusal):
                self._report(node, path, value.message, value.discreet)
                return node.value
            return value
        if node.tag not in (COLLECTION, _COLLECTION_TAGS[type(node)]):
            tag = told_tag(node.tag)
            self._report(
                node,
                path,
                f"the tag {tag} is not supported; remove it",
                "this tag is not supported; remove it",
            )
        if isinstance(node, yaml.SequenceNode):
            return [self.value_of(item, (*path, str(index))) for index, item in enumerate(node.value)]
        return self._mapping(node.value, path)

    def _mapping(self, pairs: list[tuple[yaml.Node, yaml.Node]], path: FieldPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        places: dict[str, str] = {}
        for key_node, value_node in pairs:
            key = self._key(key_node, path)
            if key is None:
                self.value_of(value_node, (*path, "?"))
                continue
            value = self.value_of(value_node, (*path, key))
            if key in mapping:
                message = f"stands here a second time; the first is in line {places[key]}: remove one of the two"
                self._report(key_node, (*path, key), f"{key} {message}", f"this key {message}", about="key")
                continue
            mapping[key] = value
            places[key] = f"{key_node.start_mark.line + 1}, column {key_node.start_mark.column + 1}"
        return mapping

    def _key(self, node: yaml.Node, path: FieldPath) -> str | None:
        """Return a key; None, with a problem noted, for one that is no text."""
        if not isinstance(node, yaml.ScalarNode):
            opening = "{" if isinstance(node, yaml.MappingNode) else "["
            message = f'a key must be a text; a text that begins with "{opening}" must be in quotes'
            # An unquoted {{variable}} most often: the whole value is meant to be a text.
            self._report(node, path, message, about="value" if path else "key")
            return None
        key = read_scalar(node.tag, node.value)
        if isinstance(key, str):
            return key
        path = (*path, node.value)
        if isinstance(key, Refusal):
            self._report(node, path, key.message, key.discreet, about="key")
            return str(node.value)
        quoted = f': "{node.value}"' if node.value else ""
        self._report(
            node,
            path,
            f"a key must be a text; quote it{quoted}",
            "a key must be a text; quote it",
            about="key",
        )
        return None

    def _report(
        self, node: yaml.Node, path: FieldPath, message: str, discreet: str = "", about: About = "value"
    ) -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            return
        mark = node.start_mark
        self.problems.append(YamlProblem(mark.line + 1, mark.column + 1, message, path, discreet, about))
