"""Reads the layers of a folder's definitions, and finds what is wrong in them. What several share is read once."""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.assistant.checks import check_definition
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.problem import MAX_PROBLEMS, FieldProblem, Problem
from reconciler.core.definition import SUFFIXES, Definition, LayerKind, merge_layers
from reconciler.core.settings import FILE_NAME, Settings
from reconciler.core.tree import merge_overlay, paths_matching
from reconciler.files.find import FoundFile
from reconciler.files.folders import folder_in_git
from reconciler.files.layers import ReadFile, read_layer
from reconciler.files.text_files import TextReader, is_inside
from reconciler.yamltext.nodes import find_unused_anchors

_NAME = re.compile(r"[\w-]+")
_ANCHOR = re.compile(r"(?:^|[\s,\[{])&[\w-]")


class LayerReader:
    """Reads the files of definitions in all their kinds; each kind may name text files in folders of its own."""

    def __init__(self, folder: Path, root: Path, settings: Settings) -> None:
        own = folder_in_git(folder, root)
        beside = folder.resolve().parent
        self.settings = settings
        self._texts = TextReader(root)
        self._own = own
        self._overlays = folder_in_git(beside / settings.overlay, root) if settings.overlay is not None else None
        # Defaults serve many definitions: read once, merged once for each folder, and judged once.
        self._merged: dict[tuple[str, ...], Mapping[str, Any]] = {}
        self._read_shared = functools.cache(lambda found: self._read(found, "defaults"))
        self.judge = functools.cache(self._judge)

    def read(self, found: FoundFile, kind: LayerKind) -> ReadFile:
        """Read one file as far as it can be read."""
        return self._read_shared(found) if kind == "defaults" else self._read(found, kind)

    def _read(self, found: FoundFile, kind: LayerKind) -> ReadFile:
        is_above = self._overlays is not None and is_inside(found.file, self._overlays)
        folders = [self._own, self._overlays] if is_above and self._overlays is not None else [self._own]
        return read_layer(found, self.settings, self._texts, folders, kind)

    def merge(self, files: Sequence[ReadFile]) -> Mapping[str, Any]:
        """Return what some files declare together, the lowest first; the same beginning is merged once."""
        shared = tuple(file.layer.file for file in files if file.layer.kind == "defaults")
        if shared not in self._merged:
            self._merged[shared] = merge_layers(file.layer for file in files[: len(shared)])
        uppers = [one.layer.fields for one in files[len(shared) :]]
        merged: Mapping[str, Any] = functools.reduce(merge_overlay, uppers, self._merged[shared])
        # In the order of the definition, which the record keeps, whatever comes from elsewhere.
        return {key: merged[key] for key in (*uppers[0], *merged)} if shared and uppers else merged

    def _judge(self, found: FoundFile) -> tuple[Problem, ...]:
        """Return the problems of a file of defaults, whichever definitions take values from it."""
        file = self.read(found, "defaults")
        alone = Definition(key=found.key, file=found.file, id="", declared=file.layer.fields, layers=(file.layer,))
        wrong = check_fields(alone.declared, [file], self.settings, needs_id=False)
        return (*file.problems, *place_problems(wrong, alone, self.settings), *find_anchors(file))


def check_fields(
    document: Mapping[str, Any], files: Sequence[ReadFile], settings: Settings, *, needs_id: bool
) -> list[FieldProblem]:
    """Return what the checks find in the content of some files."""
    found = check_definition(document, settings.extra_fields, needs_id=needs_id)
    # What the reader has refused is a text in the document, about which the checks would say something else.
    found = [problem for problem in found if not any(file.has_refused(problem) for file in files)]
    # The more exact problem wins: that the reference does not list the path would send the reader to `extra_fields`.
    managed: dict[FieldPath, FieldProblem] = {}
    for path in (path for pattern in settings.never_send for path in paths_matching(document, pattern)):
        message = f"{dotted(path)} is listed under never_send in {FILE_NAME}: the server manages it; remove it here"
        managed[path] = FieldProblem(path, message, about="key")
    return [*(problem for problem in found if problem.path not in managed), *managed.values()]


def place_problems(found: Iterable[FieldProblem], definition: Definition, settings: Settings) -> Iterator[Problem]:
    """Yield problems at their places, in words that show no sensitive value."""
    for problem in found:
        # A key that is no name may have its value in it: `endCallMessage:Goodbye` in brackets.
        is_name = not problem.path or _NAME.fullmatch(problem.path[-1])
        is_shown = settings.may_show(problem.path) if is_name else settings.may_quote(problem.path)
        message = problem.message if is_shown else problem.discreet or problem.message
        place = (definition.file, 1, 1)
        if problem.about != "file":
            place = definition.locate(problem.path, problem.about, problem.line)
        message += problem.advice[not place[0].endswith(SUFFIXES)]
        is_whole = problem.about == "file"
        placed = Problem(*place, message, problem.severity, lint=problem.lint, about_file=is_whole)
        if graded := settings.grade(placed, definition.key) if problem.lint else placed:
            yield graded


def find_anchors(file: ReadFile) -> Iterator[Problem]:
    """Yield what most likely was to be a text, and is the name of an anchor."""
    # Two quick looks at the text spare nearly every file the search for anchors, which reads it once more.
    if "&" in file.layer.text and not file.unreadable and _ANCHOR.search(file.layer.text):
        message = 'the word after this "&" is read as a name, not as text; put the text in quotes'
        for place_in_file in itertools.islice(find_unused_anchors(file.layer.text), MAX_PROBLEMS):
            yield Problem(file.layer.file, *place_in_file, message, "warning")
