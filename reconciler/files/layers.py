"""Reads the files of definitions, each with what is wrong in it. What several definitions share is read once."""

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.assistant.checks import check_definition
from reconciler.assistant.fields import ID, NEVER_SHARED, TOP_LEVEL
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.problem import MAX_PROBLEMS, FieldProblem, Problem
from reconciler.assistant.texts import may_mention
from reconciler.core.definition import DEFAULTS, START, SUFFIXES, Definition, Layer, LayerKind, get_shared, merge_layers
from reconciler.core.settings import FILE_NAME, Settings
from reconciler.core.tree import merge_overlay, paths_matching
from reconciler.dataclass import dataclass
from reconciler.files.find import YamlFile
from reconciler.files.folders import folder_in_git, locate_overlays
from reconciler.files.text_files import TextReader, is_inside
from reconciler.yamltext.misread_lines import describe_non_mapping
from reconciler.yamltext.nodes import UnreadableText, find_places, find_unused_anchors
from reconciler.yamltext.reader import Reading, read_tolerantly

_NAME = re.compile(r"[\w-]+")
_ANCHOR = re.compile(r"(?:^|[\s,\[{])&[\w-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """One file as far as it could be read."""

    layer: Layer
    reading: Reading  # its text as YAML; mentions of texts that are not there are among its problems
    problems: Sequence[Problem]  # the same and all else, in words for people

    def has_refused(self, problem: FieldProblem) -> bool:
        """Return whether the reader has refused the same key, or the value that contains what a check found."""
        for refused in self.reading.problems:
            # A wrong key is wrong, whatever its value is.
            is_own_key = problem.about == "key" and refused.path == problem.path
            is_inside = refused.path == problem.path[: len(refused.path)] and not is_own_key
            if {"key": is_own_key, "value": is_inside}.get(refused.about):
                return True
        return False


class LayerReader:
    """Reads all kinds of files of definitions. Each kind may name text files in other folders."""

    def __init__(self, folder: Path, root: Path, settings: Settings) -> None:
        overlays = locate_overlays(folder, settings)
        self.settings = settings
        self._texts = TextReader(root)
        self._folder = folder_in_git(folder, root)
        self._overlays = folder_in_git(overlays, root) if overlays is not None else None
        # Many definitions share defaults. These are read once, merged once for each folder, and checked once.
        self._merged: dict[tuple[str, ...], Mapping[str, Any]] = {}
        self._read_shared = functools.cache(self._read)
        self.judge = functools.cache(self._judge)

    def read(self, file: YamlFile) -> ReadFile:
        """Read one file as far as it can be read."""
        return self._read_shared(file) if file.kind == "defaults" else self._read(file)

    def _read(self, file: YamlFile) -> ReadFile:
        folders = [self._folder]
        if self._overlays is not None and is_inside(file.file, self._overlays):
            folders.append(self._overlays)
        try:
            text = file.read()
            # The readable part is checked as well, so that people see all problems of a file at once.
            reading = read_tolerantly(text)
        except UnreadableText as error:
            text, reading = "", Reading(problems=error.problems)
        document = reading.value
        raw = document if isinstance(document, dict) else {}
        fields, text_files, unresolved = (
            self._texts.resolve(raw, file.file, folders) if may_mention(text) else (raw, (), [])
        )
        reading.problems.extend(_locate_unresolved(text, unresolved))
        problems: list[Problem] = []
        for problem in reading.problems:
            is_shown = problem.about == "file" or self.settings.may_quote(problem.path)
            message = problem.message if is_shown else problem.discreet or problem.message
            problems.append(Problem(file.file, *problem.place, message))
        if not isinstance(document, dict) and not problems:
            message = _describe_non_mapping(document, file.kind)
            problems.append(Problem(file.file, 1, 1, message, about_file=document is None))
        fields = get_shared(fields) if file.kind == "defaults" else fields
        layer = Layer(
            file=file.file, text=text, fields=fields, kind=file.kind, texts=text_files, find_places=find_places
        )
        return ReadFile(layer=layer, reading=reading, problems=problems)

    def merge(self, files: Sequence[ReadFile]) -> Mapping[str, Any]:
        """Return what some files declare together, the lowest first. Those with the same defaults are merged once."""
        shared = tuple(file.layer.file for file in files if file.layer.kind == "defaults")
        if shared not in self._merged:
            self._merged[shared] = merge_layers(file.layer for file in files[: len(shared)])
        uppers = [each.layer.fields for each in files[len(shared) :]]
        merged: Mapping[str, Any] = functools.reduce(merge_overlay, uppers, self._merged[shared])
        # The definition's own order comes first. The record keeps it, whatever the other layers add.
        return {key: merged[key] for key in (*uppers[0], *merged)} if shared and uppers else merged

    def _judge(self, yaml_file: YamlFile) -> tuple[Problem, ...]:
        """Return the problems of a file of defaults, whichever definitions take values from it."""
        file = self.read(yaml_file)
        alone = Definition(yaml_file.key, yaml_file.file, "", file.layer.fields, (file.layer,))
        found_names = [
            key for key in NEVER_SHARED if isinstance(file.reading.value, dict) and key in file.reading.value
        ]
        message = f"{DEFAULTS} cannot contain {{}}, which belongs to a single assistant; remove it here"
        wrong = [FieldProblem((key,), message.format(key), about="key") for key in found_names]
        wrong += check_fields(alone.declared, [file], self.settings, needs_id=False)
        return (*file.problems, *locate_problems(wrong, alone, self.settings), *find_anchors(file))


def check_fields(
    document: Mapping[str, Any], files: Sequence[ReadFile], settings: Settings, *, needs_id: bool
) -> list[FieldProblem]:
    """Return what the checks find in the content of some files."""
    is_shared = all(file.layer.kind == "defaults" for file in files)
    advised = [key for key in (*ID.path, *TOP_LEVEL) if not (is_shared and key in NEVER_SHARED)]
    problems = check_definition(document, settings.extra_fields, needs_id=needs_id, advised=advised)
    # The reader keeps a rejected value as text. The checks would report a wrong type instead of the real problem.
    problems = [problem for problem in problems if not any(file.has_refused(problem) for file in files)]
    # `never_send` explains the problem better than "unknown field", which would point the user to `extra_fields`.
    managed: dict[FieldPath, FieldProblem] = {}
    for path in (path for pattern in settings.never_send for path in paths_matching(document, pattern)):
        message = f"{dotted(path)} is listed under never_send in {FILE_NAME}: the server manages it; remove it here"
        managed[path] = FieldProblem(path, message, about="key")
    return [*(problem for problem in problems if problem.path not in managed), *managed.values()]


def locate_problems(problems: Iterable[FieldProblem], definition: Definition, settings: Settings) -> Iterator[Problem]:
    """Yield problems at their places, in words that show no sensitive value."""
    for problem in problems:
        # A key that is not a plain name may contain a value: `{endCallMessage:Goodbye}` is one key.
        is_name = not problem.path or _NAME.fullmatch(problem.path[-1])
        is_shown = settings.may_show(problem.path) if is_name else settings.may_quote(problem.path)
        message = problem.message if is_shown else problem.discreet or problem.message
        is_whole = problem.about == "file"
        place = (definition.file, 1, 1) if is_whole else definition.locate(problem.path, problem.about, problem.line)
        message += problem.advice[not place[0].endswith(SUFFIXES)]
        located = Problem(*place, message, problem.severity, lint=problem.lint, about_file=is_whole)
        if graded := settings.grade(located, definition.key) if problem.lint else located:
            yield graded


def find_anchors(file: ReadFile) -> Iterator[Problem]:
    """Yield a problem for each anchor that was probably meant as a text."""
    # The search for anchors is slow. Two quick searches of the text make it unnecessary for nearly every file.
    if "&" in file.layer.text and not file.reading.problems and _ANCHOR.search(file.layer.text):
        message = 'the word after this "&" is read as a name, not as text; put the text in quotes'
        for place_in_file in itertools.islice(find_unused_anchors(file.layer.text), MAX_PROBLEMS):
            yield Problem(file.layer.file, *place_in_file, message, "warning")


def _locate_unresolved(text: str, problems: Sequence[FieldProblem]) -> Iterator[FieldProblem]:
    """Yield problems with mentions of text files, at their places, about the fields that lack their texts."""
    places = find_places(text) if problems else {}
    for problem in problems:
        position = places.get(problem.path, START).of(problem.about)
        field = problem.path[:-1] or problem.path
        yield dataclasses.replace(problem, path=field, about="value", place=position)


def _describe_non_mapping(document: object, kind: LayerKind) -> str:
    if document is None and kind == "defaults":
        return "this file is empty; write the shared values, or remove the file"
    if document is None:
        return "this file is empty; a definition begins with a line like: id: asst_123"
    lines = 'a definition consists of lines like "id: asst_123"'
    if kind == "defaults":
        lines = 'shared values consist of lines like "maxDurationSeconds: 1800"'
    return describe_non_mapping(document, lines)
