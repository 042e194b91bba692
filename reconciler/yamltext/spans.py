"""Finds where every node of a YAML text begins and ends, to the character: what an edit may replace.

Built from libyaml's events, which tell an alias from its value. Its marks are corrected where they
reach further than the node: a block collection ends with its last member, a block text with its last line.
The text must be one that `read_yaml` accepts, not empty and without a byte order mark. Does not decide what is
written there.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator
from typing import Any, Literal

import yaml

from reconciler.assistant.paths import FieldPath
from reconciler.dataclass import dataclass
from reconciler.yamltext.portable import BREAK, HEADER

NodeKind = Literal["scalar", "alias", "mapping", "list"]
_LINE_END = re.compile(r"[\r\n]|\Z")
_LINE_BELOW = re.compile(r"\r?\n[^\r\n]*")
_COLON = re.compile(r"[ \t]*:")
# Between two members of a list without brackets are only white space and comments.
_TO_NEXT_DASH = re.compile(r"(?:\s|#[^\r\n]*)*")
# An anchor or a tag, and what is between it and the value.
_PROPERTY = re.compile(rf"(&[0-9A-Za-z_-]+|!(?:<[^>]*>|[^\s,\[\]{{}}]*)){_TO_NEXT_DASH.pattern}")


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the text."""

    kind: NodeKind
    start: int  # of its anchor or tag, if it has one, else of the value
    properties: int  # where anchor and tag end
    content: int  # where the value itself begins
    end: int
    column: int  # from 0
    style: str = ""  # the first character of a scalar that is not plain
    flow: bool = False
    tag: str | None = None
    anchor: str | None = None
    value: str = ""
    members: tuple["Member", ...] = ()
    header: int = 0  # where the header of a block text ends
    lines: tuple[str, ...] = ()  # of a block text, each with the line break before it
    body_column: int = 0  # how far the lines of a block text are indented, 0 where it has none

    @property
    def is_empty(self) -> bool:
        """Return whether this has no text of its own, apart from an anchor or a tag."""
        return self.kind == "scalar" and not self.style and not self.value

    @property
    def is_block_text(self) -> bool:
        """Return whether this is a text below a header, `|` or `>`."""
        return self.style in ("|", ">")

    @property
    def is_block_collection(self) -> bool:
        """Return whether this is a mapping or list without brackets."""
        return self.kind in ("mapping", "list") and not self.flow

    def walk(self) -> Iterator["Node"]:
        """Yield this node and all values below it."""
        yield self
        for member in self.members:
            yield from member.value.walk()

    def find(self, step: str) -> "Member | None":
        """Return the member of a key, or of an index of a list."""
        return next((member for member in self.members if member.name == step), None)

    def follow(self, path: FieldPath) -> Iterator["Node"]:
        """Yield this node and those on the way to a path, up to an alias or to what is missing."""
        yield self
        if path and (member := self.find(path[0])):
            yield from member.value.follow(path[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A key of a mapping and its value, or a member of a list."""

    name: str  # the key's text, or the index
    start: int  # of its key or dash; between brackets a member of a list starts with its value
    after: int  # where its colon or dash ends; its key, if that has no colon
    value: Node
    colon: str = ""  # to be written before a value, if the key has no colon
    style: str = ""  # of the key
    explicit: bool = False  # the key is written with a question mark

    @property
    def end(self) -> int:
        """Where the value ends, or what is before it if there is none."""
        return max(self.value.end, self.after)


def find_spans(text: str) -> Node:
    """Return the root node of a text."""
    builder = _Builder(text)
    # The stream and the document begin before it.
    _, _, root = itertools.islice(builder.events, 3)
    return builder.build_node(root, 0)


def line_start(text: str, position: int) -> int:
    """Return where the line of a position begins."""
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """Return where the line of a position ends, before its line break."""
    match = _LINE_END.search(text, position)
    return match.start() if match else len(text)


def line_break(text: str) -> str:
    """Return the line break that a text uses: its first one."""
    match = BREAK.search(text)
    return match[0] if match else "\n"


class _Builder:
    """Turns events into nodes. The text was read before, so its depth is limited."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self.names: dict[str, str] = {}

    def build_node(self, event: Any, parent_column: int) -> Node:
        """Return the node that an event begins."""
        start, end, column = event.start_mark.index, event.end_mark.index, event.start_mark.column
        if isinstance(event, yaml.AliasEvent):
            # If an alias is a key, the key's name is the text that the alias stands for.
            name = self.names.get(str(event.anchor), "")
            return Node("alias", start, start, start, end, column, value=name)
        # Events do not say where an anchor or a tag ends, so the text does.
        properties = content = start
        while (event.anchor or event.tag) and (match := _PROPERTY.match(self.text, content)):
            properties, content = match.end(1), match.end()
        is_scalar = isinstance(event, yaml.ScalarEvent)
        if is_scalar and not event.value and not event.style:
            content = end = properties
        # The whole file may be one line, so its beginning is only searched for if it is not known.
        column = column if content == start else content - line_start(self.text, content)
        style, value, flow = (event.style, event.value, False) if is_scalar else ("", "", bool(event.flow_style))
        kind: NodeKind = "scalar" if is_scalar else "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
        node = Node(kind, start, properties, content, end, column, style, flow, event.tag, event.anchor, value)
        if not is_scalar:
            return self._build_collection(node)
        if event.anchor:
            self.names[event.anchor] = value
        return self._build_block_text(node, parent_column) if node.is_block_text else node

    def _build_block_text(self, node: Node, parent_column: int) -> Node:
        header = HEADER.match(self.text, node.content)
        assert header is not None  # noqa: S101 - the parser found one here
        first_line = line_end(self.text, header.end())
        lines = _LINE_BELOW.findall(self.text, first_line, node.end)
        contents = [line.lstrip("\r\n") for line in lines]
        column = next((len(line) - len(line.lstrip(" ")) for line in contents if line.strip(" ")), 0)
        # An indentation indicator counts from the column of what the text belongs to.
        for digit in filter(str.isdigit, header[0]):
            column = parent_column + int(digit)
        # libyaml's end is after the last line break, and after all blank lines that follow. They belong to the text
        # only with a `+`, or if they have more blanks than the text's column.
        if contents[-1:] == [""]:
            contents.pop()
        while contents and not ("+" in header[0] or contents[-1].strip(" ") or contents[-1][column:]):
            contents.pop()
        lines = lines[: len(contents)]
        end = first_line + sum(map(len, lines))
        return dataclasses.replace(node, end=end, header=header.end(), lines=tuple(lines), body_column=column)

    def _build_collection(self, node: Node) -> Node:
        build_member = self._build_pair if node.kind == "mapping" else self._build_item
        members: list[Member] = []
        end = node.content
        while not isinstance(event := next(self.events), yaml.CollectionEndEvent):
            members.append(build_member(event, node, end, len(members)))
            end = members[-1].end
        # Without brackets libyaml's end is where the next token begins, which is after blank lines and comments.
        end = event.end_mark.index if node.flow and event.end_mark else end
        return dataclasses.replace(node, members=tuple(members), end=end)

    def _build_pair(self, event: Any, mapping: Node, previous_end: int, _index: int) -> Member:
        # Events do not say where colon and question mark are, so the text around the key does.
        key = self.build_node(event, mapping.column)
        value = self.build_node(next(self.events), mapping.column)
        colon = _COLON.match(self.text, key.end)
        return Member(
            name=key.value,
            start=key.start,
            after=colon.end() if colon else key.end,
            value=value,
            colon="" if colon else ":",
            style=key.style,
            explicit=self.text[previous_end : key.start].rstrip(" \t").endswith("?"),
        )

    def _build_item(self, event: Any, sequence: Node, previous_end: int, index: int) -> Member:
        # Events do not say where the dash is either.
        gap = None if sequence.flow else _TO_NEXT_DASH.match(self.text, previous_end)
        value = self.build_node(event, sequence.column)
        start = gap.end() if gap else value.start
        return Member(name=str(index), start=start, after=start + 1 if gap else start, value=value)
