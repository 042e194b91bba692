"""Reads the text files of definitions, each file once, and decides which files a definition may name."""

import contextlib
import functools
import os
import posixpath
import re
import stat
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.assistant.fields import may_hold_text
from reconciler.assistant.file_names import same_name
from reconciler.assistant.invisible import tell_apart
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.plain_words import find_closest
from reconciler.assistant.problem import FieldProblem
from reconciler.assistant.texts import (
    FORBIDDEN,
    HOW_TO_RESOLVE,
    TEXT_KEY,
    clean_text,
    find_references,
    may_mention,
    resolve_reference,
)
from reconciler.core.definition import MAX_BYTES, SUFFIXES, TextFile
from reconciler.core.tree import put_all
from reconciler.files.find import YamlFile, describe_foreign, read_beginning
from reconciler.yamltext.nodes import UnreadableText, place_in
from reconciler.yamltext.reader import read_tolerantly

# The limit for all texts of one layer: a list may name one large file thousands of times.
MAX_TEXTS = 4 * MAX_BYTES
_CONTROL = "[\x00-\x1f\x7f]"


class TextReader:
    """Reads text files below some folders of a repository; folders and files are named from its `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read_cached = functools.cache(self._read_file)
        self._is_behind_link = functools.cache(lambda folder: os.path.realpath(folder) != os.path.normpath(folder))

    def resolve(
        self, fields: Mapping[str, Any], file: str, folders: Sequence[str]
    ) -> tuple[Mapping[str, Any], tuple[TextFile, ...], list[FieldProblem]]:
        """Return a file's fields with texts filled in, these texts, and problems. Texts must be in one of `folders`."""
        texts: list[TextFile] = []
        problems: list[FieldProblem] = []
        # At the top it would replace the whole file by one text, without any fields.
        if TEXT_KEY in fields:
            message = f"{TEXT_KEY} inserts one text, not a whole file of fields; write it after a field's name"
            problems.append(FieldProblem((TEXT_KEY,), message, about="key"))
            fields = {key: value for key, value in fields.items() if key != TEXT_KEY}
        mentions = dict(find_references(fields))
        values = dict.fromkeys(mentions, "")
        size = 0
        for path, mention in mentions.items():
            found = self._find(path, mention, file, folders)
            if isinstance(found, FieldProblem):
                problems.append(found)
                continue
            texts.append(found)
            size += len(found.text)
            if size > MAX_TEXTS:
                problems.append(_refuse(path, f"its text files are over {MAX_TEXTS >> 20} MiB together"))
            else:
                values[path] = found.text
        return put_all(fields, values.items()), tuple(texts), problems

    def _find(
        self, path: FieldPath, mention: Mapping[str, Any], file: str, folders: Sequence[str]
    ) -> TextFile | FieldProblem:
        """Return the text file that a field of `file` mentions, or what is wrong with it."""
        if (problem := _check_reference(path, mention)) is not None:
            return problem
        name = resolve_reference(mention[TEXT_KEY], file)
        if not any(is_inside(name, folder) for folder in folders):
            allowed = " or ".join("the definitions' folder" if folder == "." else folder for folder in folders)
            return _refuse(path, f"{name} is outside {allowed}; text files must be inside it")
        result = self._read_cached(name)
        if isinstance(result, str):
            return _refuse(path, result)
        content, text = result
        return TextFile(path=path, reference=mention[TEXT_KEY], file=name, content=content, text=text)

    def _read_file(self, name: str) -> tuple[str, str] | str:
        """Return the content and the text of a file, or what is wrong with it."""
        path = self._root / name
        try:
            mode = path.lstat().st_mode
            # A link in the path above counts, too, since it may lead anywhere.
            if stat.S_ISLNK(mode) or self._is_behind_link(path.parent):
                return f"{name} is a link, which is not followed; put the file itself there"
            # Opening a pipe would wait for its writer.
            if not stat.S_ISREG(mode):
                return f"{name} is not a file"
            content = read_beginning(path)
        except FileNotFoundError:
            return f"there is no file {name}; {_suggest_path(path)}"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
        if len(content) > MAX_BYTES:
            return f"{name} is larger than 1 MiB, far more than a text needs"
        if kind := describe_foreign(content):
            return f"{name} is {kind}"
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            return f"{name} is not saved as UTF-8 (see line {line}); save it as UTF-8"
        if match := re.search(FORBIDDEN, text):
            line, column = place_in(text, match.start())
            if match[0].isprintable():
                return f"{name} has an unresolved git merge conflict in line {line}; {HOW_TO_RESOLVE}"
            code = f"U+{ord(match[0]):04X}"
            return f"{name} has an invisible control character ({code}) in line {line}, column {column}; remove it"
        return text, clean_text(text)


def _refuse(path: FieldPath, reason: str) -> FieldProblem:
    return FieldProblem((*path, TEXT_KEY), f"{dotted(path)}: {reason}", reason)


def _suggest_path(path: Path) -> str:
    with contextlib.suppress(OSError):
        texts = [entry.name for entry in path.parent.iterdir() if not entry.name.endswith(SUFFIXES)]
        if near := find_closest(path.name, texts):
            # The two may look the same, since macOS stores accents in another form.
            is_same = same_name(near) == same_name(path.name)
            return f"did you mean {near}?" + (f" The two differ only {tell_apart(path.name, near)}" if is_same else "")
    return "correct the path, which is relative to the folder of this file, or write the text"


def mentions(file: YamlFile, texts: Collection[str]) -> bool:
    """Return whether a YAML file mentions one of some text files, or may mention one in an unreadable part."""
    try:
        text = file.read()
    except UnreadableText:
        return True
    if not may_mention(text):
        return False
    reading = read_tolerantly(text)
    # A file with problems may hide a mention, and `delete` must not remove a text that is still in use.
    if reading.problems:
        return any(posixpath.basename(name) in text for name in texts)
    references = (mention[TEXT_KEY] for _, mention in find_references(reading.value))
    return any(isinstance(name, str) and resolve_reference(name, file.file) in texts for name in references)


def is_inside(file: str, folder: str) -> bool:
    """Return whether a path from the root is inside a folder; `.` is the root."""
    return not file.startswith(("../", "/")) if folder == "." else file.startswith(f"{folder}/")


def _check_reference(path: FieldPath, mention: Mapping[str, Any]) -> FieldProblem | None:
    reference_path = (*path, TEXT_KEY)
    if not may_hold_text(path):
        problem = f"{TEXT_KEY} inserts a text, but {dotted(path)} is not a text field"
        return FieldProblem(reference_path, f"{problem}; write its value here", about="key")
    if other_keys := [key for key in mention if key != TEXT_KEY]:
        message = f"{TEXT_KEY} cannot be combined with other keys; remove one"
        return FieldProblem((*path, other_keys[0]), message, about="key")
    reference = mention[TEXT_KEY]
    if not isinstance(reference, str) or posixpath.basename(reference).strip() in ("", ".", ".."):
        return FieldProblem(reference_path, f"{TEXT_KEY} must be the path of a text file, like prompts/enrollment.md")
    if "\\" in reference:
        return FieldProblem(reference_path, f"the path after {TEXT_KEY} uses /, on Windows too")
    if re.search(_CONTROL, reference):
        return FieldProblem(reference_path, f"the path after {TEXT_KEY} contains a control character; remove it")
    if reference.lower().endswith(SUFFIXES):
        message = "a text file cannot end in .yaml or .yml, which are read as definitions; call it .md or .txt"
        return FieldProblem(reference_path, message)
    return None
