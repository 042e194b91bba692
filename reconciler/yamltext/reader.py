"""Reads YAML text strictly as a JSON value that every parser reads the same, or returns a list of problems."""

import bisect
import dataclasses
import functools
import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import MAX_PROBLEMS, About, FieldProblem
from reconciler.core.definition import MAX_BYTES
from reconciler.dataclass import dataclass
from reconciler.yamltext.nodes import COLLECTION, UnreadableText, compose, find_places, place_of
from reconciler.yamltext.portable import find_ambiguities, may_be_ambiguous
from reconciler.yamltext.scalars import Refusal, read_scalar, write_tag
from reconciler.yamltext.steps import is_same

_QUOTES = ('"', "'")
_COMMENT = re.compile(r"[ \t]+#")
# A "!" with nothing after it, before a value; an anchor may come first.
_LONE_MARK = re.compile(r"(?:&\S+(?:\s|#[^\r\n]*)+)?!(?:\s|\Z)")
# An item of a list or a quotation, a line that begins in bold, a row of a table, or a line that begins or ends code.
_ITEM = r"[ \t]*(?:(?:[-*+>\u2022\u25aa]|[0-9]{1,2}[.)])[ \t]+\S|\*\*\S|\|.*\|[ \t]*$|```)"
_HEADING = r"[ \t]*#{1,6}[ \t]+\S"
_AFTER_LONE_MARK = Refusal(
    'a single "!" before a value is not part of the text; remove it, or put the whole text in quotes', ""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The readable part of a text, and everything that is wrong with the text, in its order."""

    # It has refused scalars as texts, the first of duplicate keys, and no keys that are no texts.
    value: Any = None
    problems: list[FieldProblem] = dataclasses.field(default_factory=list)
    folded: tuple[FieldPath, ...] = ()  # texts whose Markdown lines their style has joined
    cut_off: tuple[str, ...] = ()  # keys at the top whose value is plain, or nothing, before a comment on its line


def read_yaml(text: str, *, checks_layout: bool = True) -> Any:
    """Return the value of a text with one YAML document; None for an empty one.

    Raises UnreadableText with everything that is wrong, in the text's order: what the parser does not take (only the
    first), duplicate keys, keys that are no text, tags beyond YAML's core, scalars and, with `checks_layout`, layout
    that YAML parsers read differently, NaN and infinity, aliases without bound.
    """
    reading = read_tolerantly(text, checks_layout=checks_layout)
    if reading.problems:
        raise UnreadableText(reading.problems)
    return reading.value


def _find_layout_problems(text: str) -> Iterator[FieldProblem]:
    ambiguities = find_ambiguities(text)[:MAX_PROBLEMS]
    paths = {place.value: path for path, place in find_places(text).items()} if ambiguities else {}
    # The lines are found once for all ambiguities, of which there may be a thousand.
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))] if ambiguities else []
    for position, message in ambiguities:
        line = bisect.bisect_right(starts, position)
        column = position - starts[line - 1] + 1
        path = paths.get((line, column), ())
        yield FieldProblem(path, message, about="value" if path else "file", place=(line, column))


def read_tolerantly(text: str, *, checks_layout: bool = True) -> Reading:
    """Return what a text contains, with the problems that `read_yaml` raises."""
    # The parser does not count a byte order mark.
    text = text.removeprefix("\ufeff")
    try:
        root = compose(text)
    except UnreadableText as error:
        return Reading(problems=error.problems)
    if root is None:
        return Reading()
    walk = _Walk(text)
    value = walk.read_value(root, ())
    if checks_layout and (walk.spans_lines or may_be_ambiguous(text, walk.in_brackets)):
        walk.problems += _find_layout_problems(text)
    problems = sorted(walk.problems, key=lambda problem: problem.place)
    return Reading(value=value, problems=problems, folded=tuple(walk.folded), cut_off=tuple(walk.cut_off))


def reads_as(text: str, intended: Any, *, most: int = MAX_BYTES) -> bool:
    """Return whether a text has exactly this value, and at most as many bytes as a definition may have, or `most`."""
    try:
        return len(text.encode("utf-8", "surrogatepass")) <= most and is_same(read_yaml(text), intended)
    except UnreadableText:
        return False


_read_key = functools.lru_cache(maxsize=512)(read_scalar)  # a fleet has each key a thousand times


class _Walk:
    """One walk over a text's nodes, which collects what is wrong. `compose` has bounded their depth and size."""

    def __init__(self, text: str) -> None:
        self.problems: list[FieldProblem] = []
        self.folded: list[FieldPath] = []
        self.cut_off: list[str] = []
        self.spans_lines = False  # whether a value in quotes or brackets goes over several lines
        self.in_brackets: list[str] = []
        self._text = text
        self._brackets_end = 0
        self._is_folded: dict[int, bool] = {}  # by node: aliases may repeat one a thousand times

    def read_value(self, node: yaml.Node, path: FieldPath) -> Any:
        """Return a node's value as far as it can be read."""
        if isinstance(node, yaml.ScalarNode):
            if node.start_mark.line != node.end_mark.line and node.style != "|":
                self._check_lines(node, path)
            value = read_scalar(node.tag, node.value)
            # YAML 1.2 reads what is after a single "!" as a text, PyYAML ignores the mark, and people mean it.
            if _LONE_MARK.match(self._text, node.start_mark.index):
                value = _AFTER_LONE_MARK
            if isinstance(value, Refusal):
                self._report(node, path, value.message, value.discreet)
                return node.value
            return value
        if getattr(node, "flow_style", False):
            self.spans_lines |= node.start_mark.line != node.end_mark.line
            # Outer brackets include the inner ones. An alias comes after the brackets that it repeats.
            if node.start_mark.index >= self._brackets_end:
                self._brackets_end = node.end_mark.index
                self.in_brackets.append(self._text[node.start_mark.index : self._brackets_end])
        is_mapping = isinstance(node, yaml.MappingNode)
        if node.tag not in (COLLECTION, "tag:yaml.org,2002:map" if is_mapping else "tag:yaml.org,2002:seq"):
            message = f"the tag {write_tag(node.tag)} is not supported; remove it"
            self._report(node, path, message, "this tag is not supported; remove it")
        if is_mapping:
            return self._read_mapping(node.value, path)
        return [self.read_value(item, (*path, str(index))) for index, item in enumerate(node.value)]

    def _read_mapping(self, pairs: list[tuple[yaml.Node, yaml.Node]], path: FieldPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        first_nodes: dict[str, yaml.Node] = {}
        for key_node, value_node in pairs:
            key = self._read_key_node(key_node, path, is_alone=value_node.start_mark.index == value_node.end_mark.index)
            key_path = (*path, "?" if key is None else key)
            value = self.read_value(value_node, key_path)
            # Of duplicate keys PyYAML takes the last one, and other parsers the first.
            if key in mapping:
                line, column = place_of(first_nodes[key])
                message = f"appears twice; the first is in line {line}, column {column}: remove one"
                self._report(key_node, key_path, f"{key} {message}", f"this key {message}", about="key")
            elif key is not None:
                # `name: null # why` is meant as it is read. But in `name: #5` the value is most likely the comment.
                is_plain = isinstance(value_node, yaml.ScalarNode) and not value_node.style
                if not path and is_plain and value_node.value not in ("null", "~"):
                    self.cut_off += [key] if _COMMENT.match(self._text, value_node.end_mark.index) else []
                mapping[sys.intern(key)] = value  # a fleet has each key a thousand times
                first_nodes[key] = key_node
        return mapping

    def _check_lines(self, node: yaml.ScalarNode, path: FieldPath) -> None:
        self.spans_lines |= node.style in _QUOTES
        if id(node) not in self._is_folded:
            self._is_folded[id(node)] = _is_folded(self._text, node)
        if self._is_folded[id(node)]:
            self.folded.append(path)

    def _read_key_node(self, node: yaml.Node, path: FieldPath, *, is_alone: bool) -> str | None:
        """Return a key, or None if it is no text, which is then a problem. `is_alone` means that it has no value."""
        if not isinstance(node, yaml.ScalarNode):
            opening = "{" if isinstance(node, yaml.MappingNode) else "["
            message = f'a key must be a text; a text that begins with "{opening}" must be in quotes'
            # Most often this is an unquoted {{variable}}, and the whole value is meant to be a text.
            self._report(node, path, message, about="value" if path else "key")
            return None
        self.spans_lines |= node.start_mark.line != node.end_mark.line
        key = _read_key(node.tag, node.value)
        if isinstance(key, str):
            return key
        path = (*path, node.value)
        if isinstance(key, Refusal):
            self._report(node, path, key.of_key or key.message, key.discreet, about="key")
            return str(node.value)
        quoted = f': "{node.value}"' if node.value else ""
        message = "a key must be a text; quote it"
        # In brackets, the comma of `{temperature: 0,5}` begins the next key.
        if is_alone and isinstance(key, int | float) and self._text[: node.start_mark.index].rstrip().endswith(","):
            quoted = ""
            message = "this is read as a separate key; write a decimal point instead of the comma before it"
        self._report(node, path, message + quoted, message, about="key")
        return None

    def _report(
        self, node: yaml.Node, path: FieldPath, message: str, discreet: str = "", about: About = "value"
    ) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(FieldProblem(path, message, discreet, about, place=place_of(node)))


def _is_folded(text: str, node: yaml.ScalarNode) -> bool:
    """Return whether a text has several Markdown lines in the file that its style joins. Only `|` keeps them."""
    # Lines count from the value's own first line. In a block that is the line below its `>`.
    raw_lines = text[node.start_mark.index : node.end_mark.index].strip("\"'").splitlines()
    lines = [line for line in (raw_lines[1:] if node.style == ">" else raw_lines) if line.strip()]
    if len(lines) < 2:
        return False
    value_lines = node.value.splitlines()
    # A single dash at a line's beginning may belong to a sentence. A heading only counts before another line.
    items = sum(1 for line in lines if re.match(_ITEM, line))
    # If the text begins after a dash, that counts: a dash further to the right below it begins no item of the list.
    line_prefix = text[text.rfind("\n", 0, node.start_mark.index) + 1 : node.start_mark.index]
    items += not node.style and line_prefix.strip() == "-"
    headings = sum(1 for line in lines[:-1] if re.match(_HEADING, line))
    joined_items = items - sum(1 for line in value_lines if re.match(_ITEM, line))
    is_heading_joined = headings > 0 and len(value_lines) < len(lines)
    return (items > 1 and joined_items > 0) or is_heading_joined
