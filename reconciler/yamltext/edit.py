"""Changes single values of a YAML text and leaves every other line as it is: text in, text out.

Each change is tried on the text, read again and compared with what was intended; what does not read exactly so
is not returned. Neither files nor what a definition may hold are its business.
"""

import contextlib
import copy
import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.definition import MAX_BYTES
from reconciler.errors import ReconcilerError
from reconciler.yamltext.entries import with_item, with_pair, without_item, without_pair
from reconciler.yamltext.lines import Page
from reconciler.yamltext.nodes import YamlProblems
from reconciler.yamltext.parts import Part, Steps, find_parts, is_same, nested, value_at, with_part
from reconciler.yamltext.reader import read_yaml
from reconciler.yamltext.spans import Node, find_spans, line_break, line_start
from reconciler.yamltext.splice import Replacing, Slot, item_slot, pair_slot
from reconciler.yamltext.values import write_inline

Reason = Literal["unreadable", "paths", "explicit key", "not an object", "anchor", "unwritable"]

_BOM = "\ufeff"
_BY_HAND = "make this change in the file by hand"


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """A field that is to have another value: a JSON value, None for null."""

    path: FieldPath
    value: Any


class EditRefused(ReconcilerError):  # noqa: N818 - it names what happened, as UnclearWrite does
    """A text in which a value cannot be changed safely; nothing was. `reason` is one of a few kinds."""

    def __init__(self, message: str, reason: Reason, *, hint: str = _BY_HAND) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def edit_yaml(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with the values changed; a value that already is as wanted stays as it is written.

    A field that an object lacks becomes its last one. No path may lie within another one's. Raises EditRefused,
    naming the field, where a change would touch more than its value or would not read as intended.
    """
    _check_paths([edit.path for edit in edits])
    body = text.removeprefix(_BOM)
    intended = _read(body)
    if not isinstance(intended, dict):
        raise EditRefused("the file holds no fields", "unreadable")
    editor = _Editor(line_break(body))
    for edit in _last_first(body, edits):
        wanted = _with(intended, edit.path, edit.value)
        body = editor.edited(body, edit.path, intended, wanted)
        intended = wanted
    return text[: len(text) - len(text.removeprefix(_BOM))] + body


def insert_first(text: str, key: str, value: str) -> str:
    """Return the text of a definition with a new first key, below the comments that it begins with.

    Raises EditRefused for a text that has the key, or no key at all.
    """
    body = text.removeprefix(_BOM)
    old = _read(body)
    root = find_spans(body)
    if root is None or root.kind != "mapping" or not isinstance(old, dict):
        raise EditRefused(f"{key} cannot be written into a file without any field", "unreadable")
    if key in old:
        raise EditRefused(f"{key} is in the file already", "paths")
    written = f"{write_inline(key)}: {write_inline(value)}"
    if root.flow:
        written = write_inline({key: value}, root.pairs[0].key.style if root.pairs else "")[1:-1]
    if root.pairs and root.pairs[0].explicit:
        raise _explicit((key,))
    at = root.pairs[0].key.start if root.pairs else root.content + 1
    before = body[line_start(body, at) : at]
    if not root.flow:
        written += line_break(body) + " " * root.column
    elif root.pairs:
        written += f",{line_break(body)}{before}" if not before.strip(" \t") else ", "
    candidate = body[:at] + written + body[at:]
    if not _reads_as(candidate, {key: value, **old}):
        raise EditRefused(f"{key} cannot be written into this file so that it reads as intended", "unwritable")
    return text[: len(text) - len(body)] + candidate


def line_diff(before: str, after: str, file: str) -> str:
    """Return a unified diff of two texts of one file, empty where they are equal."""
    if before == after:
        return ""
    old, new = (re.findall(r"[^\n]*\n|[^\n]+\Z", text) for text in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{file}", f"b/{file}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _check_paths(paths: Sequence[FieldPath]) -> None:
    for number, path in enumerate(paths):
        if not path:
            raise EditRefused("a file cannot be replaced as a whole", "paths")
        if any(path[: len(other)] == other[: len(path)] for other in paths[:number]):
            raise EditRefused(f"{dotted(path)} lies within another field that is to change", "paths")


def _read(text: str) -> Any:
    try:
        return read_yaml(text)
    except YamlProblems as error:
        problem = error.problems[0]
        message = f"the file cannot be read: line {problem.line}: {problem.discreet or problem.message}"
        raise EditRefused(message, "unreadable", hint="correct the file first") from None


def _last_first(text: str, edits: Sequence[Edit]) -> list[Edit]:
    """Return edits of what is there from the last to the first, then the others: an alias goes before its anchor."""
    root = find_spans(text)
    places = [(_place(root, edit.path), edit) for edit in edits]
    there = sorted((place, number) for number, (place, _) in enumerate(places) if place is not None)
    return [edits[number] for _, number in reversed(there)] + [edit for place, edit in places if place is None]


def _place(node: Node | None, path: FieldPath) -> int | None:
    """Return where a value stands, or the alias that stands for it."""
    for key in path:
        if node is None or node.kind == "alias":
            break
        node = next((pair.value for pair in node.pairs if pair.name == key), None)
    return None if node is None else node.start


class _Editor:
    """Makes changes one by one, each with the line break that the text had at first."""

    def __init__(self, newline: str) -> None:
        self.newline = newline

    def edited(self, text: str, steps: Steps, old: Any, new: Any) -> str:
        """Return the text that reads as `new` instead of `old`, which differ at the path only."""
        if is_same(old, new):
            return text
        parts = find_parts(value_at(old, steps), value_at(new, steps))
        if parts is not None:
            with contextlib.suppress(EditRefused):  # not piece by piece, then as a whole
                return self._refined(text, steps, old, parts)
        return self._changed(text, steps, Part(steps[-1], "set", value_at(new, steps)), new)

    def _refined(self, text: str, steps: Steps, whole: Any, parts: Sequence[Part]) -> str:
        """Return the text with only those parts of a list or object changed that differ."""
        for part in parts:
            changed = with_part(whole, steps, part)
            place = (*steps, part.step)
            if part.kind == "set":
                text = self.edited(text, place, whole, changed)
            else:
                text = self._changed(text, place, part, changed)
            whole = changed
        return text

    def _changed(self, text: str, steps: Steps, part: Part, intended: Any) -> str:
        """Return the first text that is proposed for one change and reads as intended. Raises EditRefused."""
        root = find_spans(text)
        assert root is not None  # noqa: S101 - the text has just been read as an object
        walk = _Walk(Page(text, root, self.newline), root, steps, intended)
        for candidate in walk.proposals(part):
            if _reads_as(candidate, intended):
                return candidate
        field = _told(steps)
        if walk.has_anchor:
            raise EditRefused(
                f"{field} cannot be changed alone: it has, or lies in, an anchor (&) whose value is used "
                "elsewhere in the file too",
                "anchor",
                hint="write the value out where its alias (*) stands, or change the file by hand",
            )
        raise EditRefused(f"{field} cannot be written into this file so that it reads as intended", "unwritable")


class _Walk:
    """The way from the root to one value: every node on it is there, except maybe the last."""

    def __init__(self, page: Page, root: Node, steps: Steps, intended: Any) -> None:
        self.page = page
        self.node = root
        self.steps = steps
        self.intended = intended
        self.has_anchor = False
        self.slot: Slot | None = None

    def proposals(self, part: Part) -> Iterator[str]:
        """Yield texts with the change made. Raises EditRefused where the path leads nowhere."""
        for depth, step in enumerate(self.steps):
            self.has_anchor = self.has_anchor or self.node.anchor is not None
            if self.slot and self.node.kind in ("alias", "scalar"):
                # What an alias stands for is written out here; nothing becomes an object.
                yield from Replacing(self.page).proposals(self.slot, value_at(self.intended, self.steps[:depth]))
                return
            if isinstance(step, int) and part.kind != "set" and depth == len(self.steps) - 1:
                if part.kind == "insert":
                    yield from with_item(self.page, self.node, step, part.value)
                else:
                    yield from without_item(self.page, self.node, step)
                return
            slot = self._slot_of(step, depth)
            if slot and part.kind == "remove" and depth == len(self.steps) - 1:
                yield from without_pair(self.page, self.node, str(step))
                return
            if slot is None:
                yield from with_pair(self.page, self.node, str(step), nested(self.steps[depth + 1 :], part.value))
                return
            self.slot, self.node = slot, slot.node
        assert self.slot is not None  # noqa: S101 - no path is empty
        self.has_anchor = self.has_anchor or any(node.anchor for node in self.node.walk())
        yield from Replacing(self.page).proposals(self.slot, part.value)

    def _slot_of(self, step: str | int, depth: int) -> Slot | None:
        """Return the slot of a key or entry, None where there is no such key."""
        if isinstance(step, int):
            return item_slot(self.node, self.node.items[step])
        for pair in self.node.pairs:
            if pair.name == step:
                if pair.explicit:
                    raise _explicit(self.steps[: depth + 1])
                return pair_slot(self.node, pair)
        return None


def _explicit(steps: Iterable[str | int]) -> EditRefused:
    return EditRefused(f'{_told(steps)} is next to a key that is written with "?", which is left alone', "explicit key")


def _told(steps: Iterable[str | int]) -> str:
    return dotted(str(step) for step in steps)


def _with(whole: dict[str, Any], path: FieldPath, value: Any) -> dict[str, Any]:
    """Return a copy of an object with one value set; missing and null objects on the way are made."""
    whole = copy.deepcopy(whole)
    holder = whole
    for depth, key in enumerate(path[:-1]):
        below = holder.get(key)
        if below is None:
            below = holder[key] = {}
        if not isinstance(below, dict):
            message = f"{dotted(path)} cannot be written: {dotted(path[: depth + 1])} is not an object"
            raise EditRefused(message, "not an object")
        holder = below
    holder[path[-1]] = copy.deepcopy(value)
    return whole


def _reads_as(text: str, intended: Any) -> bool:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return False
    try:
        return is_same(read_yaml(text), intended)
    except YamlProblems:
        return False
