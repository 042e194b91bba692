"""Which value a pull writes for each field that was edited live, and into which file. Writes nothing itself."""

import collections
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeGuard

from reconciler.assistant.fields import UNORDERED
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.texts import FORBIDDEN, TEXT_KEY, text_of
from reconciler.core.definition import MAX_BYTES, Layer, TextFile
from reconciler.core.line_merge import MergeTexts, find_touching, has_lines, merge_values
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind
from reconciler.core.tree import MISSING, Missing, item_at, put_all
from reconciler.yamltext.edit import Edit

Conflicts = Literal["merge", "live"]
_IN_CONFLICT = "git changed it too; --conflicts merges texts line by line, and takes live's value for any other field"
_TOUCHING = (
    "git and live changed the same or adjacent lines of {names}: merge them by hand, or take live's with "
    "--conflicts=live"
)


class Left(NamedTuple):
    """A field that keeps what its file says, with the reason; it `fails` where the pull was to write it."""

    path: FieldPath
    reason: str
    fails: bool = True


def choose_values(
    changes: Sequence[Change], conflicts: Conflicts | None, merge_texts: MergeTexts
) -> tuple[dict[FieldPath, Any | Missing], list[Left], list[Change]]:
    """Return what a pull writes for the fields that moved live, by path; what is left; and git's moves that go.

    Where git moved too, nothing, unless `conflicts` says so: then what both edits make of the base. Where they touch,
    `merge` leaves texts of several lines, and takes live's value for anything else; `live` takes it for both.
    """
    wanted: dict[FieldPath, Any | Missing] = {}
    left: list[Left] = []
    lost: list[Change] = []
    for change in changes:
        value = _keep_order(change)
        if change.kind is Kind.CONFLICT:
            if conflicts is None:
                left.append(Left(change.path, _IN_CONFLICT, fails=False))
                continue
            three = change.base, change.live, change.desired
            merged = merge_values(*three, merge_texts)
            asks = merged is MISSING and conflicts == "merge"
            touching = [*find_touching(*three, change.path, merge_texts)] if asks else []
            if merged is not MISSING:
                value = merged
            # A text of several lines is too much to lose unread.
            elif any(has_lines(*values) for _, values in touching):
                names = ", ".join(dotted(path) for path, _ in touching)
                left.append(Left(change.path, _TOUCHING.format(names=names)))
                continue
            else:
                lost.append(change)
        wanted[change.path] = value
    return wanted, left, lost


def _keep_order(change: Change) -> Any | Missing:
    """Return live's value, in the definition's order where the order of a list means nothing."""
    # Adding one phrase in the dashboard should change one line, whatever the API's order.
    old, new = change.desired, change.live
    if change.path not in UNORDERED or not (_is_list_of_texts(old) and _is_list_of_texts(new)):
        return new
    waiting, kept = collections.Counter(new), list[str]()
    for item in old:
        if waiting[item]:
            waiting[item] -= 1
            kept.append(item)
    return [*kept, *waiting.elements()]


def _is_list_of_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


@dataclasses.dataclass(frozen=True, slots=True)
class TextEdits:
    """What happens to a layer's edits."""

    own: list[Edit] = dataclasses.field(default_factory=list)  # of the layer itself
    files: list[tuple[TextFile, str]] = dataclasses.field(default_factory=list)  # with their new content
    left: dict[FieldPath, str] = dataclasses.field(default_factory=dict)  # not written, with the reason
    unused: list[TextFile] = dataclasses.field(default_factory=list)  # no field takes a text from them any more


def divide_edits(layer: Layer | None, edits: Sequence[Edit], why_not: Callable[[TextFile], str | None]) -> TextEdits:
    """Return what of a layer's edits goes into its text files.

    `why_not` says why a text file is not written: empty if it is, None if the layer takes the text itself.
    """
    if layer is None:
        return TextEdits(own=[*edits])
    found = TextEdits()
    for edit in edits:
        inside = [text for text in layer.texts if text.path[: len(edit.path)] == edit.path]
        references: list[tuple[FieldPath, Any]] = []
        files: list[tuple[TextFile, str]] = []
        reason = ""
        # One text that cannot be written leaves the whole field: half of somebody's edit is an edit that nobody made.
        for text in inside:
            place = text.path[len(edit.path) :]
            old, new = item_at(layer.fields, text.path), item_at(edit.value, place)
            refused = "" if new == old else why_not(text)
            if new != old and not _leads_to_the_same(item_at(layer.fields, edit.path), edit.value, place):
                refused = None
            if refused is None or not isinstance(new, str):
                found.unused.append(text)
                continue
            references.append((place, {TEXT_KEY: text.reference}))
            if new != old:
                content = _write(text.content, new)
                reason = reason or refused or _find_obstacle(text, content, new)
                files.append((text, content))
        if reason:
            found.left[edit.path] = reason
            continue
        # What the layer says already stays as it is written there.
        found.own.append(Edit(edit.path, put_all(edit.value, references)))
        found.files.extend(files)
    return found


def _leads_to_the_same(old: Any, new: Any, path: FieldPath) -> bool:
    """Return whether a path leads to the same place in two values: no list on the way has got longer or shorter."""
    for depth in range(len(path)):
        before, after = item_at(old, path[:depth]), item_at(new, path[:depth])
        if isinstance(before, list) and (not isinstance(after, list) or len(before) != len(after)):
            return False
    return True


def _write(content: str, text: str) -> str:
    """Return the content of a text file with another text, with the byte order mark and line ends that it has."""
    body = content.removeprefix("\ufeff")
    # A text that ends in a line end needs another one to keep it; else the file ends as it did.
    ending = "\n" if not body or body.endswith("\n") or text.endswith("\n") else ""
    windows = body.count("\r\n") * 2 > body.count("\n")
    written = text + ending
    return content[: len(content) - len(body)] + (written.replace("\n", "\r\n") if windows else written)


def _find_obstacle(text: TextFile, content: str, wanted: str) -> str:
    """Return why a text file cannot hold a text; empty if it can."""
    # A text file keeps no CRLF and no byte order mark: reading it again would give another text.
    if text_of(content) != wanted:
        return f"{text.file} cannot store it: a text file turns CRLF into LF, and drops a byte order mark"
    if len(content.encode("utf-8", "surrogatepass")) > MAX_BYTES or FORBIDDEN.search(content):
        return f"{text.file} cannot store it: it is too large, or contains a control or an incomplete character"
    return ""
