"""Changes single values of a YAML text and leaves every other line as it is: text in, text out."""

import contextlib
import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.tree import MISSING, item_at, put_at, value_at
from reconciler.dataclass import dataclass
from reconciler.errors import ReconcilerError
from reconciler.yamltext.changes import Change, apply_change, find_changes, is_same
from reconciler.yamltext.draft import Draft
from reconciler.yamltext.insert import insert_first_pair, insert_item, insert_lines, insert_pair, remove_entry
from reconciler.yamltext.reader import YamlProblems, read_yaml, reads_as
from reconciler.yamltext.replace import Slot, make_slot, replace_value
from reconciler.yamltext.spans import Node, find_spans, line_break, line_end, line_start

_BOM = "\ufeff"
_BY_HAND = "make this change in the file by hand"


@dataclass(frozen=True, slots=True)
class Edit:
    """A field and its new JSON value, None for null."""

    path: FieldPath
    value: Any


class EditRefused(ReconcilerError):  # noqa: N818 - it names what happened, as UnclearWrite does
    """A value cannot be changed safely. Nothing was changed."""

    def __init__(self, message: str, *, hint: str = _BY_HAND) -> None:
        super().__init__(message, hint=hint)


def edit_yaml(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with the values changed; a value that is already equal stays as it is written.

    A field that an object lacks becomes its last one. No path may be within another one's. Raises EditRefused,
    naming the field, where a change would touch more than its value or would not read as intended.
    """
    paths = [edit.path for edit in edits]
    for index, path in enumerate(paths):
        if not path:
            raise EditRefused("a file cannot be replaced as a whole")
        # The result of such a pair would depend on their order.
        if any(path[: len(other)] == other[: len(path)] for other in paths[:index]):
            raise EditRefused(f"{dotted(path)} is inside another field that changes")
    body = text.removeprefix(_BOM)
    intended = _read(body)
    if not isinstance(intended, dict):
        raise EditRefused("the file contains no fields")
    # libyaml's positions leave out a byte order mark. The line break is found now: an edit may remove the first line.
    bom, newline = text[: len(text) - len(body)], line_break(body)
    for edit in _sort_edits(body, edits):
        updated = _set_value(intended, edit)
        body = _edit(body, edit.path, intended, updated, newline)
        intended = updated
    return bom + body


def insert_first(text: str, key: str, value: str) -> str:
    """Return a definition's text with a new first key, below its comments. Raises EditRefused if it has the key."""
    body = text.removeprefix(_BOM)
    old = _read(body)
    root = find_spans(body)
    if root is None or root.kind != "mapping" or not isinstance(old, dict):
        raise EditRefused(f"{key} cannot be written into a file without any field")
    if key in old:
        raise EditRefused(f"{key} is in the file already")
    if root.entries and root.entries[0].explicit:
        raise _refuse_explicit((key,))
    candidate = insert_first_pair(Draft(body, root, line_break(body)), root, key, value)
    if not reads_as(candidate, {key: value, **old}):
        raise _refuse_unwritable((key,))
    return text[: len(text) - len(body)] + candidate


def diff_lines(before: str, after: str, file: str) -> str:
    """Return a unified diff of two texts of one file, empty if they are equal."""
    if before == after:
        return ""
    # `splitlines` also breaks lines at eight other characters, and git could not apply such a diff.
    old, new = (re.findall(r"[^\n]*\n|[^\n]+\Z", text) for text in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{file}", f"b/{file}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _read(text: str) -> Any:
    try:
        return read_yaml(text)
    except YamlProblems as error:
        # The message quotes nothing from the file: it may be printed where the file's values may not.
        problem = error.problems[0]
        message = f"the file cannot be read: line {problem.line}: {problem.discreet or problem.message}"
        raise EditRefused(message, hint="correct the file first") from None


def _sort_edits(text: str, edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits of existing values from the last to the first, then the others."""
    # An alias is edited before its anchor. Then nothing else uses the anchor, and it can change, too.
    root = find_spans(text)
    starts = {edit.path: node.start for edit in edits if (node := _find_node(root, edit.path)) is not None}
    existing = sorted((edit for edit in edits if edit.path in starts), key=lambda edit: starts[edit.path])
    return existing[::-1] + [edit for edit in edits if edit.path not in starts]


def _find_node(node: Node | None, path: FieldPath) -> Node | None:
    """Return a value's node, or that of the alias that stands for it."""
    for key in path:
        if node is None or node.kind == "alias":
            break
        entry = node.find(key)
        node = entry.value if entry else None
    return node


def _set_value(document: dict[str, Any], edit: Edit) -> Any:
    """Return an object with one value set. Missing and null objects on the way are created."""
    for depth in range(1, len(edit.path)):
        parent = value_at(document, edit.path[:depth])
        if parent is not None and parent is not MISSING and not isinstance(parent, dict):
            raise EditRefused(f"{dotted(edit.path)} cannot be written: {dotted(edit.path[:depth])} is not an object")
    return put_at(document, edit.path, edit.value)


def _edit(text: str, path: FieldPath, old: Any, new: Any, newline: str) -> str:
    """Return the text changed so that it reads as `new` instead of `old`. The two differ at the path only."""
    if is_same(old, new):
        return text
    before, after = item_at(old, path), item_at(new, path)
    if (changes := find_changes(before, after)) is not None:
        # If the parts cannot be edited one by one, the whole value is written again.
        with contextlib.suppress(EditRefused):
            return _edit_inside(text, path, old, changes, newline)
    return _write_change(text, path, Change(path[-1], "set", after), new, newline)


def _edit_inside(text: str, path: FieldPath, document: Any, changes: Sequence[Change], newline: str) -> str:
    """Return the text after the single changes inside a list or object."""
    moved = _find_moved(text, path, document, changes)
    for change in changes:
        unchanged, document = document, apply_change(document, path, change)
        matches = [lines for value, lines in moved if change.kind == "insert" and is_same(value, change.value)]
        if matches:
            moved = [item for item in moved if item[1] is not matches[0]]
            root = find_spans(text)
            if root and (node := _find_node(root, path)):
                candidate = insert_lines(Draft(text, root, newline), node, change.step, matches[0])
                if reads_as(candidate, document):
                    text = candidate
                    continue
        inner_path = (*path, str(change.step))
        if change.kind == "set":
            text = _edit(text, inner_path, unchanged, document, newline)
        else:
            text = _write_change(text, inner_path, change, document, newline)
    return text


def _find_moved(text: str, path: FieldPath, document: Any, changes: Sequence[Change]) -> list[tuple[Any, list[str]]]:
    """Return the removed items of a list, each with its lines, so that an item that moves keeps its comments."""
    kinds = {change.kind for change in changes}
    node = _find_node(find_spans(text), path) if kinds >= {"insert", "remove"} else None
    if node is None or node.kind != "list" or node.flow:
        return []
    entries = {change.step: node.entries[change.step] for change in changes if change.kind == "remove"}
    starts = {step: line_start(text, entry.start) for step, entry in entries.items()}
    return [
        (item_at(document, (*path, str(step))), text[starts[step] : line_end(text, entry.end)].split(line_break(text)))
        for step, entry in entries.items()
        if not text[starts[step] : entry.start].strip(" ")
    ]


def _write_change(text: str, path: FieldPath, change: Change, intended: Any, newline: str) -> str:
    """Return the first proposal for a change that reads as intended. Raises EditRefused."""
    root = find_spans(text)
    assert root is not None  # noqa: S101 - the text has just been read as an object
    # YAML has too many rules for what may stand where. Reading each proposal again needs to know none of them.
    for candidate in _propose(Draft(text, root, newline), root, path, change, intended):
        if reads_as(candidate, intended):
            return candidate
    if _has_anchor(root, path):
        raise EditRefused(
            f"{dotted(path)} cannot be changed alone: it has, or is inside, an anchor (&) whose value is also used "
            "elsewhere in the file",
            hint="replace the alias (*) with the value, or change the file by hand",
        )
    raise _refuse_unwritable(path)


def _propose(draft: Draft, node: Node, path: FieldPath, change: Change, intended: Any) -> Iterator[str]:
    """Yield texts with the change made, the best first. Raises EditRefused next to a key written with "?"."""
    slot: Slot | None = None
    for depth, step in enumerate(path):
        is_last = depth == len(path) - 1
        if slot and node.kind in ("alias", "scalar"):
            # An alias is replaced by what it stands for. An empty value becomes an object.
            yield from replace_value(draft, slot, item_at(intended, path[:depth]))
            return
        if node.kind == "list" and is_last and change.kind == "insert":
            yield from insert_item(draft, node, change.step, change.value)
            return
        entry = node.find(step)
        if entry is None:
            yield from insert_pair(draft, node, step, put_at({}, path[depth + 1 :], change.value))
            return
        if entry.explicit:
            raise _refuse_explicit(path[: depth + 1])
        if is_last and change.kind == "remove":
            yield remove_entry(draft, node, entry)
            return
        slot = make_slot(node, entry)
        node = slot.node
    if slot:
        yield from replace_value(draft, slot, change.value)


def _has_anchor(node: Node, path: FieldPath) -> bool:
    for key in path:
        entry = node.find(key)
        if node.anchor is not None or entry is None:
            return node.anchor is not None
        node = entry.value
    return any(child.anchor for child in node.walk())


def _refuse_unwritable(path: FieldPath) -> EditRefused:
    return EditRefused(f"{dotted(path)} cannot be written into this file so that it reads as intended")


def _refuse_explicit(path: FieldPath) -> EditRefused:
    return EditRefused(f'{dotted(path)} is next to a key written with "?", which is not edited')
