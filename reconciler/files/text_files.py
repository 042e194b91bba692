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
from reconciler.assistant.texts import FORBIDDEN, TEXT_KEY, clean_text, find_references, may_mention, resolve_reference
from reconciler.core.definition import MAX_BYTES, SUFFIXES, TextFile
from reconciler.core.tree import put_all
from reconciler.files.find import FoundFile, UnreadableText, describe_foreign, read_beginning
from reconciler.yamltext.nodes import place_in
from reconciler.yamltext.reader import read_tolerantly

# The most text of one layer in total: a list may name one large file thousands of times.
MAX_TEXTS = 4 * MAX_BYTES
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class TextReader:
    """Reads text files below some folders of a repository; folders and files are named from its `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read = functools.cache(self._read_file)
        self._is_behind_link = functools.cache(lambda folder: os.path.realpath(folder) != os.path.normpath(folder))

    def resolve(
        self, fields: Mapping[str, Any], file: str, folders: Sequence[str]
    ) -> tuple[Mapping[str, Any], tuple[TextFile, ...], list[FieldProblem]]:
        """Return a file's fields with their texts, which may be in some `folders`, the texts, and what is wrong."""
        texts: list[TextFile] = []
        values: list[tuple[FieldPath, str]] = []
        problems: list[FieldProblem] = []
        # At the top it would make a whole file out of one text, and no field would be left to check.
        if TEXT_KEY in fields:
            message = f"{TEXT_KEY} inserts one text, not a whole file of fields; write it after a field's name"
            problems.append(FieldProblem((TEXT_KEY,), message, about="key"))
            fields = {key: value for key, value in fields.items() if key != TEXT_KEY}
        size = 0
        for path, given in find_references(fields):
            text, wrong = "", _check_reference(path, given)
            if wrong is None:
                reference = given[TEXT_KEY]
                found = self._find(reference, file, folders)
                if not isinstance(found, str):
                    content, text = found
                    name = resolve_reference(reference, file)
                    texts.append(TextFile(path=path, reference=reference, file=name, content=content))
                    size += len(text)
                    found = "" if size <= MAX_TEXTS else f"its text files are over {MAX_TEXTS >> 20} MiB together"
                if found:
                    text, wrong = "", FieldProblem((*path, TEXT_KEY), f"{dotted(path)}: {found}", found)
            values.append((path, text))
            problems += [wrong] if wrong is not None else []
        return put_all(fields, values), tuple(texts), problems

    def _find(self, reference: str, file: str, folders: Sequence[str]) -> tuple[str, str] | str:
        """Return the content and the text of the file that a reference names, or what is wrong with it."""
        name = resolve_reference(reference, file)
        if not any(is_inside(name, folder) for folder in folders):
            where = " or ".join("the definitions' folder" if folder == "." else folder for folder in folders)
            return f"{name} is outside {where}; text files must be inside it"
        return self._read(name)

    def _read_file(self, name: str) -> tuple[str, str] | str:
        path = self._root / name
        try:
            mode = path.lstat().st_mode
            # One on the way counts, too: it may lead anywhere.
            if stat.S_ISLNK(mode) or self._is_behind_link(path.parent):
                return f"{name} is a link, which is not followed; put the file itself there"
            # Opening a pipe would wait for its writer.
            if not stat.S_ISREG(mode):
                return f"{name} is not a file"
            content = read_beginning(path)
        except FileNotFoundError:
            return f"there is no file {name}; {_guess(path)}"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
        if len(content) > MAX_BYTES:
            return f"{name} is larger than 1 MiB, far more than a text needs"
        if what := describe_foreign(content):
            return f"{name} is {what}"
        try:
            read = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            return f"{name} is not saved as UTF-8, as its line {line} shows; save it as UTF-8"
        if found := FORBIDDEN.search(read):
            line, column = place_in(read, found.start())
            code = f"U+{ord(found[0]):04X}"
            return f"{name} has an invisible control character ({code}) in line {line}, column {column}; remove it"
        return read, clean_text(read)


def _guess(path: Path) -> str:
    with contextlib.suppress(OSError):
        texts = [entry.name for entry in path.parent.iterdir() if not entry.name.endswith(SUFFIXES)]
        if near := find_closest(path.name, texts):
            # The two may look alike: a name with accents that macOS has stored.
            is_same = same_name(near) == same_name(path.name)
            return f"did you mean {near}?" + (f" The two differ only {tell_apart(path.name, near)}" if is_same else "")
    return "correct the path, which is relative to the folder of this file, or write the text"


def mentions(found: FoundFile, texts: Collection[str]) -> bool:
    """Return whether a YAML file mentions one of some text files, or may do so: not all of it can be read."""
    try:
        text = found.read()
    except UnreadableText:
        return True
    if not may_mention(text):
        return False
    reading = read_tolerantly(text)
    # What is wrong with a file may hide a mention, and `delete` must not remove a text that is still in use.
    if reading.problems:
        return any(posixpath.basename(name) in text for name in texts)
    named = (given[TEXT_KEY] for _, given in find_references(reading.value))
    return any(isinstance(name, str) and resolve_reference(name, found.file) in texts for name in named)


def is_inside(file: str, folder: str) -> bool:
    """Return whether a path from the root is inside a folder; `.` is the root."""
    return not file.startswith(("../", "/")) if folder == "." else file.startswith(f"{folder}/")


def _check_reference(path: FieldPath, given: Mapping[str, Any]) -> FieldProblem | None:
    below = (*path, TEXT_KEY)
    if not may_hold_text(path):
        what = f"{TEXT_KEY} inserts a text, but {dotted(path)} is not a text field"
        return FieldProblem(below, f"{what}; write its value here", about="key")
    if others := [key for key in given if key != TEXT_KEY]:
        message = f"{TEXT_KEY} cannot be combined with other keys; remove one of the two"
        return FieldProblem((*path, others[0]), message, about="key")
    reference = given[TEXT_KEY]
    if not isinstance(reference, str) or posixpath.basename(reference).strip() in ("", ".", ".."):
        return FieldProblem(below, f"{TEXT_KEY} must be the path of a text file, like prompts/enrollment.md")
    if "\\" in reference:
        return FieldProblem(below, f"the path after {TEXT_KEY} uses /, on Windows too")
    if _CONTROL.search(reference):
        return FieldProblem(below, f"the path after {TEXT_KEY} contains a control character; remove it")
    if reference.lower().endswith(SUFFIXES):
        message = "a text file cannot end in .yaml or .yml, which are read as definitions; call it .md or .txt"
        return FieldProblem(below, message)
    return None
