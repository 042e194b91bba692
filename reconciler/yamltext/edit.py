"""Changes single values of a YAML text and leaves every other line as it is: text in, text out."""

import contextlib
import dataclasses
import difflib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.tree import MISSING, build_tree, item_at, put_all, value_at
from reconciler.errors import ReconcilerError
from reconciler.yamltext.draft import Draft, ItemName, Splices
from reconciler.yamltext.insert import insert_items, insert_pairs, remove_member
from reconciler.yamltext.nodes import UnreadableText
from reconciler.yamltext.reader import read_yaml, reads_as
from reconciler.yamltext.replace import replace_value
from reconciler.yamltext.spans import Node, line_break, line_end, line_start
from reconciler.yamltext.steps import Step, apply_steps, encode, find_inner_steps, find_key_steps
from reconciler.yamltext.writer import write_definition

_BOM = "\ufeff"
_BY_HAND = "make this change in the file by hand"
_FIRST: FieldPath = ("id",)  # a new id goes to the top of a file, where people look for it
# Fields and their new JSON values, None for null. No path is within another one's.
NewValues = Mapping[FieldPath, Any]


class EditRefused(ReconcilerError):  # noqa: N818 - it names what happened, as UnclearWrite does
    """A value cannot be changed safely. Nothing was changed. The path is empty if the whole file is the reason."""

    def __init__(self, message: str, path: FieldPath = (), *, hint: str = _BY_HAND) -> None:
        super().__init__(message, hint=hint)
        self.path = path


def edit_yaml(text: str, edits: NewValues) -> str:
    """Return the text with the values changed; a value that is already equal stays as it is written.

    A field that an object lacks becomes its last one. An empty text becomes a new file. Raises EditRefused, naming the
    field, where a change would touch more than its value or would not read as intended.
    """
    if not edits or not text:
        return _write_new(edits) if edits else text
    body = text.removeprefix(_BOM)
    old = _read(body)
    if not isinstance(old, dict):
        raise EditRefused("the file contains no fields")
    for path in edits:
        _check_parents(old, path)
    steps = [*find_key_steps(old, put_all(old, edits.items()), ())]
    if not steps:
        return text
    # libyaml's positions leave out a byte order mark. The line break is found now: an edit may remove the first line.
    draft = Draft(body, line_break(body), {})
    draft.moved.update(_find_moved(draft, old, steps))
    return text[: len(text) - len(body)] + _edit(draft, old, steps, [*edits])


def _write_new(edits: NewValues) -> str:
    # Each alone before all together, so that the error names the field that is to blame.
    for group in (*([edit] for edit in edits.items()), [*edits.items()]):
        try:
            text = write_definition(build_tree(group))
        except ValueError:
            raise _refuse_unwritable(group[-1][0]) from None
    return text


def diff_lines(before: str, after: str, file: str) -> str:
    """Return a unified diff of two texts of one file, empty if they are equal."""
    # `splitlines` also breaks lines at eight other characters, and git could not apply such a diff.
    old, new = (re.findall(r"[^\n]*\n|[^\n]+\Z", text) for text in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{file}", f"b/{file}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _read(text: str) -> Any:
    try:
        return read_yaml(text)
    except UnreadableText as error:
        # The message quotes nothing from the file: it may be printed where the file's values may not.
        problem = error.problems[0]
        message = f"the file cannot be read: line {problem.place[0]}: {problem.discreet or problem.message}"
        raise EditRefused(message, hint="correct the file first") from None


def _check_parents(document: Any, path: FieldPath) -> None:
    """Raise EditRefused if a value on the way to a field is no object. Missing and null ones are created."""
    for depth in range(1, len(path)):
        parent = value_at(document, path[:depth])
        if parent is not None and parent is not MISSING and not isinstance(parent, dict):
            raise EditRefused(f"{dotted(path)} cannot be written: {dotted(path[:depth])} is not an object", path)


def _list_leaves(document: Any, steps: Sequence[Step]) -> Iterator[Step]:
    """Yield steps, with those inside of a list or object in place of its own."""
    for step in steps:
        inner = find_inner_steps(document, step)
        yield from _list_leaves(document, inner) if inner else [step]


def _find_moved(draft: Draft, document: Any, steps: Sequence[Step]) -> Iterator[tuple[ItemName, list[str]]]:
    """Yield the removed items of lists, each with its lines, so that an item that moves keeps its comments."""
    text = draft.text
    for path in (step.path for step in _list_leaves(document, steps) if step.kind == "remove"):
        *_, node = draft.root.follow(path[:-1])
        if node.kind == "list" and not node.flow:
            member = node.members[int(path[-1])]
            lines = text[line_start(text, member.start) : line_end(text, member.end)].split(draft.newline)
            yield (path[:-1], encode(item_at(document, path))), lines


def _edit(draft: Draft, document: Any, steps: Sequence[Step], paths: Sequence[FieldPath]) -> str:
    """Return the text of a document after some steps, given from last to first. Raises EditRefused.

    What is at or in one of the `paths` may be written again as a whole.
    """
    intended = apply_steps(document, steps)
    # Each attempt reads the whole text, so all steps are made at once if they do not touch each other.
    with contextlib.suppress(EditRefused):
        return _write(draft, [*_list_leaves(document, steps)], intended, paths)
    if half := len(steps) // 2:
        draft = dataclasses.replace(draft, text=_edit(draft, document, steps[:half], paths))
        return _edit(draft, apply_steps(document, steps[:half]), steps[half:], paths)
    # If the parts cannot be edited one by one, the whole value is written again.
    is_whole = any(steps[0].path[: len(path)] == path for path in paths)
    if inner := find_inner_steps(document, steps[0]):
        with contextlib.suppress(EditRefused) if is_whole else contextlib.nullcontext():
            return _edit(draft, document, inner, paths)
    return _write(draft, steps, intended, paths)


def _write(draft: Draft, steps: Sequence[Step], intended: Any, paths: Sequence[FieldPath]) -> str:
    """Return the first proposal for some steps that reads as intended. Raises EditRefused."""
    # YAML has too many rules for what may stand where. Reading each proposal again needs to know none of them.
    proposals = [_propose(draft, draft.root, step, intended) for step in reversed(steps)]
    # Of several steps, one that needs its second proposal is found by halves: the others keep their best one.
    most = None if len(steps) == 1 else 1
    for splices in itertools.islice(zip(*proposals, strict=False), most):
        candidate = draft.splice(*itertools.chain(*splices))
        if candidate is not None and reads_as(candidate, intended):
            return candidate
    path = steps[0].path
    # A new key may be on the way to the field.
    path = next((field for field in paths if field[: len(path)] == path), path)
    on_the_way = [*draft.root.follow(path)]
    inside = on_the_way[-1].walk() if len(on_the_way) > len(path) else ()
    if any(node.anchor for node in itertools.chain(on_the_way, inside)):
        raise EditRefused(
            f"{dotted(path)} cannot be changed alone: it has, or is inside, an anchor (&) whose value is also used "
            "elsewhere in the file",
            path,
            hint="replace the alias (*) with the value, or change the file by hand",
        )
    raise _refuse_unwritable(path)


def _propose(draft: Draft, holder: Node, step: Step, intended: Any, depth: int = 0) -> Iterator[Splices]:
    """Yield ways to make a step, the best first. Raises EditRefused next to a key written with "?".

    `holder` is at the first `depth` keys of the path.
    """
    is_last = depth == len(step.path) - 1
    if is_last and step.kind == "insert":
        if holder.kind == "list":
            yield from insert_items(draft, holder, step.path, step.value)
        else:
            yield from insert_pairs(draft, holder, step.value, first=step.path == _FIRST)
        return
    path = step.path[: depth + 1]
    member = holder.find(path[-1])
    assert member is not None  # noqa: S101 - the text reads as the document that is changed
    if member.explicit:
        raise EditRefused(f'{dotted(path)} is next to a key written with "?", which is not edited', path)
    if is_last and step.kind == "remove":
        yield remove_member(draft, holder, member)
    elif is_last or member.value.kind in ("alias", "scalar"):
        # An alias is replaced by what it stands for. An empty value becomes an object.
        yield from replace_value(draft, holder, member, step.value if is_last else item_at(intended, path))
    else:
        yield from _propose(draft, member.value, step, intended, depth + 1)


def _refuse_unwritable(path: FieldPath) -> EditRefused:
    return EditRefused(f"{dotted(path)} cannot be written into this file so that it reads as intended", path)
