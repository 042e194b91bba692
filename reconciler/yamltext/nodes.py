"""Composes YAML text into PyYAML's nodes with libyaml, safely: bounded depth and size, no constructor run.

libyaml's composer recurses in C, and text that nests deeply enough kills the interpreter. It asks its loader
before each node that it descends into, so that is where the depth is counted. What the nodes mean is decided
elsewhere.
"""

import contextlib
import itertools
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from reconciler.assistant.invisible import name_character
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import FieldProblem
from reconciler.core.definition import Place
from reconciler.yamltext.parser_errors import MAX_DEPTH, TOO_DEEP, explain_error
from reconciler.yamltext.scalars import PLAIN, TEXT

# Counts keys, values, lists and groups. 1 MiB of text could hold half a million, in 400 MiB and many seconds.
MAX_NODES: Final = 20_000
# How many nodes a document may gain by its aliases.
MAX_ALIASED: Final = 10_000
# The tag that a mapping or list without one gets.
COLLECTION: Final = "collection"
# YAML 1.1 breaks lines at these. YAML 1.2 reads them as characters.
_INVISIBLE = re.compile("[\x85\u2028\u2029]")


class UnreadableText(Exception):  # noqa: N818 - it names what the text is
    """A text with problems, each at its place."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join("{}:{}".format(*problem.place) for problem in problems))
        self.problems = problems


class _Loader(CParser):
    """libyaml's parser and composer, with the three methods that its composer calls."""

    depth = 0
    nodes = 0

    def resolve(self, kind: type, _value: str | None, implicit: Any) -> str:
        """Return the tag of a node that has none."""
        # PyYAML must not say what a plain text means. It reads YAML 1.1, where `yes` is true and `012` is 10.
        if kind is yaml.ScalarNode:
            return TEXT if implicit[1] else PLAIN
        return COLLECTION

    def descend_resolver(self, parent: Any, _index: object) -> None:
        """Count one more node and one more level. The composer calls this before each node."""
        self.depth += 1
        self.nodes += 1
        # The first node has no parent to report, but it is never refused.
        if self.depth > MAX_DEPTH:
            raise refuse_text(place_of(parent), TOO_DEEP)
        if self.nodes > MAX_NODES:
            raise refuse_text(place_of(parent), f"this file has more than {MAX_NODES} values, far more than it needs")

    def ascend_resolver(self) -> None:
        """Count one level less. The composer calls this after each node."""
        self.depth -= 1


def compose(text: str) -> yaml.Node | None:
    """Return the root node of a text with one YAML document, None for an empty document.

    Raises UnreadableText with one problem: the parser's error, a second document, nesting deeper than
    MAX_DEPTH, more nodes than MAX_NODES, or aliases without bound. What it returns is safe to walk.
    """
    # `isascii` is quick: Python stores the answer with the text.
    if not text.isascii() and (match := _INVISIBLE.search(text)):
        name = name_character(match[0])
        message = f"there is {name} here, which is invisible and which YAML parsers read differently; delete it"
        raise refuse_text(place_in(text, match.start()), message)
    try:
        root = _Loader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        # libyaml counts the bytes before a character that YAML forbids.
        place = place_in(text, len(text.encode()[: error.position].decode()))
        message = f"there is an invisible control character (U+{error.character:04X}) here; remove it"
        raise refuse_text(place, message) from None
    except yaml.MarkedYAMLError as error:
        line, column, message = explain_error(text, error)
        raise refuse_text((line, column), message) from None
    if root is not None and "*" in text:
        _measure(root, {}, set())
    return root


def find_places(text: str) -> dict[FieldPath, Place]:
    """Return the place of each key and value by path, the first of duplicate keys. An unreadable text has none."""
    places: dict[FieldPath, Place] = {}
    with contextlib.suppress(UnreadableText):
        _collect_places(compose(text), (), places)
    return places


def _collect_places(node: yaml.Node | None, path: FieldPath, places: dict[FieldPath, Place]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            # Of duplicate keys the first one counts, as in `Reading.value`.
            if isinstance(key, yaml.ScalarNode) and (*path, key.value) not in places:
                places[*path, key.value] = Place(place_of(key), place_of(value))
                _collect_places(value, (*path, key.value), places)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[*path, str(index)] = Place(place_of(item), place_of(item))
            _collect_places(item, (*path, str(index)), places)


def find_unused_anchors(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of anchors that no alias uses, before a text or number. `compose` must accept the text."""
    # Composed nodes do not have the names of anchors any more. Tokens have each name and its place.
    tokens = list(yaml.scan(text, Loader=yaml.CSafeLoader))
    used = {token.value for token in tokens if isinstance(token, yaml.AliasToken)}
    for token, following in itertools.pairwise(tokens):
        # Before a group or a list it can only be meant as an anchor.
        is_text = isinstance(following, yaml.ScalarToken | yaml.TagToken)
        if is_text and isinstance(token, yaml.AnchorToken) and token.value not in used:
            yield place_of(token)


def place_of(node: Any) -> tuple[int, int]:
    """Return line and column, from 1, at which a node, an event or a token of PyYAML begins."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def place_in(text: str, position: int) -> tuple[int, int]:
    """Return line and column, from 1, of a character of a text."""
    # A lone \r ends a line, too, as it does for the parser.
    before = text[:position].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _measure(node: yaml.Node, sizes: dict[int, tuple[int, int]], ancestors: set[int]) -> tuple[int, int]:
    """Return a node's size and depth with all aliases written out. Raises UnreadableText if either is too large."""
    # An anchor and its aliases are one node, measured once. Nine lines of aliases may stand for a thousand million.
    size, depth = 1, 1
    if not isinstance(node, yaml.ScalarNode):
        ancestors.add(id(node))
        for child in itertools.chain.from_iterable(node.value) if isinstance(node, yaml.MappingNode) else node.value:
            if id(child) in ancestors:
                raise refuse_text(place_of(node), "an alias (*) here refers to a value that contains it")
            child_size, child_depth = sizes.get(id(child)) or _measure(child, sizes, ancestors)
            size, depth = size + child_size, max(depth, child_depth + 1)
        ancestors.discard(id(node))
    sizes[id(node)] = (size, depth)
    # Every measured node is in the text. Whatever the size has beyond these came from aliases.
    if size > len(sizes) + MAX_ALIASED:
        raise refuse_text(
            place_of(node), f"the aliases (*) in here expand to more than {MAX_ALIASED} values; use fewer"
        )
    if depth > MAX_DEPTH:
        raise refuse_text(place_of(node), TOO_DEEP)
    return size, depth


def refuse_text(place: tuple[int, int], message: str) -> UnreadableText:
    """Return the error of a text that cannot be read at all."""
    return UnreadableText([FieldProblem((), message, about="file", place=place)])
