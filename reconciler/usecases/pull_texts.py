"""Takes live texts back into the text files that a layer keeps them in, as far as a pull may write those.

What it does not write it leaves to the layer itself.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.texts import TEXT_KEY, text_of
from reconciler.core.definition import MAX_BYTES, Layer, TextFile
from reconciler.core.tree import item_at, put_all
from reconciler.yamltext.edit import Edit


@dataclasses.dataclass(frozen=True, slots=True)
class TextEdits:
    """What becomes of a layer's edits: those of the layer itself, text files with their new content, and the rest.

    `left` are fields that are not written, with the reason, `unused` text files that a field takes no text from any
    more.
    """

    own: list[Edit] = dataclasses.field(default_factory=list)
    files: list[tuple[TextFile, str]] = dataclasses.field(default_factory=list)
    left: dict[FieldPath, str] = dataclasses.field(default_factory=dict)
    unused: list[TextFile] = dataclasses.field(default_factory=list)


def divide_edits(layer: Layer | None, edits: Sequence[Edit], why_not: Callable[[TextFile], str | None]) -> TextEdits:
    """Return what of a layer's edits goes into its text files.

    `why_not` says why a text file is not written: empty where it is, None where the layer takes the text itself.
    """
    if layer is None:
        return TextEdits(own=[*edits])
    found = TextEdits()
    for edit in edits:
        inside = [text for text in layer.texts if text.path[: len(edit.path)] == edit.path]
        references: list[tuple[FieldPath, Any]] = []
        files: list[tuple[TextFile, str]] = []
        reason = ""
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
    """Return why a text file cannot hold a text; empty where it can."""
    # A text file says no CRLF and no byte order mark: whoever reads it again would get another text.
    if text_of(content) != wanted:
        return f"{text.file} cannot hold it: a text file says CRLF as LF, and drops a byte order mark"
    if len(content.encode("utf-8", "surrogatepass")) > MAX_BYTES or not _is_unicode(content):
        return f"{text.file} cannot hold it: it is too large, or holds half a character"
    return ""


def _is_unicode(content: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in content)
