"""Which value a pull writes for each field that was edited live, and into which file. Writes nothing itself."""

import collections
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from reconciler.assistant.fields import UNORDERED
from reconciler.assistant.paths import FieldPath, dotted, part_below
from reconciler.assistant.texts import FORBIDDEN, TEXT_KEY, clean_text
from reconciler.core.canonical import equal, equal_completely
from reconciler.core.definition import MAX_BYTES, Layer, TextFile
from reconciler.core.line_merge import MergeTexts, count_equal_ends, find_touching, has_lines, merge_values
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind
from reconciler.core.settings import IgnoreRule
from reconciler.core.tree import MISSING, Missing, item_at, paths_matching, put_all
from reconciler.dataclass import dataclass
from reconciler.yamltext.edit import NewValues

Conflicts = Literal["merge", "live"]
_MOST_COMPARISONS = 1_000  # of elements of two lists: of more, those that moved are not found
_IN_CONFLICT = (
    "git changed it as well; --conflicts merges texts line by line, and takes the live value of any other field"
)
_TOUCHING = (
    "git and live changed the same or adjacent lines of {names}: merge them by hand, or take the live "
    "text with --conflicts=live"
)


class SkippedField(NamedTuple):
    """A field that the pull does not write, with the reason. It `fails` if the pull should have written it."""

    path: FieldPath
    reason: str
    fails: bool = True


def choose_values(
    changes: Sequence[Change], conflicts: Conflicts | None, merge_texts: MergeTexts
) -> tuple[dict[FieldPath, Any | Missing], list[SkippedField], list[Change]]:
    """Return what a pull writes by path, the fields that it skips, and git's changes that it overwrites.

    A field that git changed too is skipped, unless `conflicts` is set: then both edits are merged. If they
    overlap, `merge` leaves texts of several lines and takes live's value for anything else; `live` takes it for both.
    """
    values: dict[FieldPath, Any | Missing] = {}
    skipped: list[SkippedField] = []
    overwritten: list[Change] = []
    for change in changes:
        value = _keep_unchanged(change)
        if change.kind is Kind.CONFLICT:
            if conflicts is None:
                skipped.append(SkippedField(change.path, _IN_CONFLICT, fails=False))
                continue
            versions = change.base, change.live, change.desired
            merged = merge_values(versions, merge_texts)
            is_merge = merged is MISSING and conflicts == "merge"
            touching = [*find_touching(versions, change.path, merge_texts)] if is_merge else []
            if merged is not MISSING:
                value = merged
            # A text of several lines is too much to lose unread.
            elif any(has_lines(*values) for _, values in touching):
                names = ", ".join(dotted(path) for path, _ in touching)
                skipped.append(SkippedField(change.path, _TOUCHING.format(names=names)))
                continue
            else:
                overwritten.append(change)
        values[change.path] = value
    return values, skipped, overwritten


def keep_ignored(change: Change, value: Any | Missing, declared: Any, ignore: Iterable[IgnoreRule]) -> Any | Missing:
    """Return what a pull writes for a field, with what is declared at the ignored places inside a list."""
    # The plan has put live's values there, so that sending the list changes none of them. Git keeps its own.
    patterns = [pattern for rule in ignore if (pattern := part_below(rule.path, change.path))]
    # What git does not declare in an element of its own stays undeclared.
    sides = (declared, change.desired)
    places = dict.fromkeys(place for pattern in patterns for side in sides for place in paths_matching(side, pattern))
    values = [(find_place(change.desired, value, place), item_at(declared, place)) for place in places]
    return put_all(value, [(place, item) for place, item in values if place and item_at(value, place) is not MISSING])


def find_place(old: Any, new: Any, path: FieldPath) -> FieldPath | None:
    """Return where a live value has what is at a path in the definition's, None where an element on the way is gone."""
    if not path:
        return path
    key = path[0]
    if isinstance(old, list) and isinstance(new, list):
        pairs = _find_unchanged(old, new)
        pairs |= _find_edited(old, new, pairs)
        if int(key) not in pairs:
            return None
        key = str(pairs[int(key)])
    inner_place = find_place(item_at(old, path[:1]), item_at(new, (key,)), path[1:])
    return None if inner_place is None else (key, *inner_place)


def _keep_unchanged(change: Change) -> Any | Missing:
    """Return live's value; of a list with the definition's own elements, and its order where that means nothing."""
    old, new = change.desired, change.live
    if not (isinstance(old, list) and isinstance(new, list)):
        return new
    # An element that is in sync keeps its live value when the list is sent, so that nothing is to be added to it.
    unchanged = {new_index: old_index for old_index, new_index in _find_unchanged(old, new).items()}
    items = [old[unchanged[at]] if at in unchanged else item for at, item in enumerate(new)]
    is_sorted = change.path in UNORDERED and all(isinstance(item, str) for item in (*old, *items))
    return _sort_as(old, items) if is_sorted else items


def _sort_as(old: list[str], new: list[str]) -> list[str]:
    # Adding one phrase in the dashboard should change one line, whatever the API's order.
    open_items, items = collections.Counter(new), list[str | None]()
    for item in old:
        items.append(item if open_items[item] else None)
        open_items[item] -= open_items[item] > 0
    # A new phrase takes the place of one that is gone: most often somebody has edited it.
    added = open_items.elements()
    sorted_items = [next(added, None) if item is None else item for item in items]
    return [*(item for item in sorted_items if item is not None), *added]


def _find_unchanged(old: Sequence[Any], new: Sequence[Any]) -> dict[int, int]:
    """Return the elements of a list that live has as well, at any place: the index of each here, and in live."""
    pairs: dict[int, int] = {}
    added = dict(enumerate(new))
    # An element that declares less than live has belongs to several, so those that are alike come first.
    for is_same in (equal_completely, equal):
        # Most keep their place, as seen from the beginning or from the end of the list.
        for shift in (0, len(new) - len(old)):
            for index in (index for index in range(len(old)) if index not in pairs):
                if index + shift in added and is_same(old[index], new[index + shift]):
                    pairs[index] = index + shift
                    del added[index + shift]
        pairs |= _pair({index: item for index, item in enumerate(old) if index not in pairs}, added, is_same)
    return pairs


def _find_edited(old: Sequence[Any], new: Sequence[Any], unchanged: Mapping[int, int]) -> dict[int, int]:
    """Return the elements that live has with another content, as far as anybody can tell."""
    removed = {index: item for index, item in enumerate(old) if index not in unchanged}
    known = {*unchanged.values()}
    added = {index: item for index, item in enumerate(new) if index not in known}
    # As many new ones as are gone are those that were edited. Otherwise what was edited still has the same role, say.
    if len(removed) == len(added):
        return dict(zip(removed, added, strict=True))
    return _pair(removed, added, _share_value)


def _pair(removed: Mapping[int, Any], added: dict[int, Any], belong: Callable[[Any, Any], bool]) -> dict[int, int]:
    """Take each element out of `added` that belongs to a removed one, and return its index by that of the other one.

    If they are too many, take none.
    """
    pairs: dict[int, int] = {}
    for index, old in removed.items() if len(removed) * len(added) <= _MOST_COMPARISONS else ():
        match = next((new_index for new_index, new in added.items() if belong(old, new)), None)
        if match is not None:
            pairs[index] = match
            del added[match]
    return pairs


def _share_value(one: Any, other: Any) -> bool:
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return False
    return any(key in other and equal(value, other[key]) for key, value in one.items() if value is not None)


@dataclass(frozen=True, slots=True)
class TextEdits:
    """What happens to a layer's edits."""

    edits: dict[FieldPath, Any] = dataclasses.field(default_factory=dict)  # of the layer itself
    files: list[tuple[FieldPath, TextFile, str]] = dataclasses.field(default_factory=list)  # with their new content
    reasons: dict[FieldPath, str] = dataclasses.field(default_factory=dict)  # not written, with the reason
    unused: dict[FieldPath, list[TextFile]] = dataclasses.field(default_factory=dict)  # that a field no longer takes


def divide_edits(layer: Layer | None, edits: NewValues, explain: Callable[[TextFile], str | None]) -> TextEdits:
    """Return what of a layer's edits goes into its text files.

    `explain` says why a text file is not written: empty if it is, None if the layer takes the text itself.
    """
    if layer is None:
        return TextEdits(edits={**edits})
    divided = TextEdits()
    for path, value in edits.items():
        texts = [text for text in layer.texts if text.path[: len(path)] == path]
        references: list[tuple[FieldPath, Any]] = []
        files: list[tuple[FieldPath, TextFile, str]] = []
        reason = ""
        # One text that cannot be written leaves the whole field: half of somebody's edit is an edit that nobody made.
        for text in texts:
            # A text file goes along with an element of a list that moves.
            place = find_place(item_at(layer.fields, path), value, text.path[len(path) :])
            new = MISSING if place is None else item_at(value, place)
            obstacle = "" if new == text.text else explain(text)
            if place is None or obstacle is None or not isinstance(new, str):
                divided.unused.setdefault(path, []).append(text)
                continue
            references.append((place, {TEXT_KEY: text.reference}))
            if new != text.text:
                content = _write_text(text.content, new)
                reason = reason or obstacle or _find_obstacle(text, content, new)
                files.append((path, text, content))
        if reason:
            divided.reasons[path] = reason
            continue
        # What the layer says already stays as it is written there.
        divided.edits[path] = put_all(value, references)
        divided.files.extend(files)
    return divided


def _write_text(content: str, text: str) -> str:
    """Return the content of a text file with another text, with the byte order mark and line ends that it has."""
    body = content.removeprefix("\ufeff")
    # A text that ends in a line end needs another one to keep it; else the file ends as it did.
    ending = "\n" if not body or body.endswith("\n") or text.endswith("\n") else ""
    windows = body.count("\r\n") * 2 > body.count("\n")
    old, new = (re.findall(r"[^\n]*\n|[^\n]+", whole) for whole in (body, text + ending))
    # A file may mix its line ends, and a line that stays keeps its own.
    first, last = count_equal_ends([line.replace("\r\n", "\n") for line in old], new)
    edited = "".join(new[first : len(new) - last]).replace("\n", "\r\n" if windows else "\n")
    return "".join([content[: len(content) - len(body)], *old[:first], edited, *old[len(old) - last :]])


def _find_obstacle(text: TextFile, content: str, value: str) -> str:
    """Return why a text file cannot represent a text; empty if it can."""
    # A text file keeps no CRLF and no byte order mark: reading it again would give another text.
    if clean_text(content) != value:
        return f"{text.file} cannot store it: a text file turns CRLF into LF, and drops a byte order mark"
    if len(content.encode("utf-8", "surrogatepass")) > MAX_BYTES or re.search(FORBIDDEN, content):
        return f"{text.file} cannot store it: it is too large, or contains a control or an incomplete character"
    return ""
