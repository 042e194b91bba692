"""Reads one file of a definition: its text, its fields, and the problems that keep it from being read.

The one place where a file's text becomes fields. What they must look like is checked elsewhere.
"""

import dataclasses
from collections.abc import Sequence

from reconciler.assistant.problem import FieldProblem, Problem
from reconciler.core.definition import Layer
from reconciler.core.settings import Settings
from reconciler.files.find import FoundFile, UnreadableText
from reconciler.yamltext.places import find_places
from reconciler.yamltext.reader import YamlProblem, read_tolerantly


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """One file as far as it could be read; `has_fields` says whether it holds a group of fields at all.

    `unreadable` is what the reader refused, `problems` the same and all else in words for people.
    """

    layer: Layer
    has_fields: bool
    unreadable: Sequence[YamlProblem]
    problems: Sequence[Problem]

    def has_refused(self, problem: FieldProblem) -> bool:
        """Tell whether the reader has refused the same key, or the value that holds what a check found."""
        for refused in self.unreadable:
            path = refused.path or ()
            is_same = path == problem.path
            if refused.about == "key" == problem.about and is_same:
                return True
            # A key that is wrong is so whatever stands behind it.
            own_key = problem.about == "key" and is_same
            if refused.about == "value" and path == problem.path[: len(path)] and not own_key:
                return True
        return False


def read_layer(found: FoundFile, settings: Settings, *, is_overlay: bool) -> ReadFile:
    """Return one file as far as it can be read, with its problems."""
    text = ""
    problems: list[Problem] = []
    try:
        text = found.read()
    except UnreadableText as error:
        problems.append(Problem(found.file, error.line, error.column, error.message))
    # What could be read goes on through the checks, so that people see all problems of a file at once.
    document, unreadable = read_tolerantly(text)
    for one in unreadable:
        is_shown = one.path is None or settings.may_show(one.path)
        message = one.message if is_shown else one.discreet or one.message
        problems.append(Problem(found.file, one.line, one.column, message))
    fields = document if isinstance(document, dict) else None
    if fields is None and not problems:
        problems.append(Problem(found.file, 1, 1, _describe_other(document)))
    layer = Layer(file=found.file, text=text, fields=fields or {}, is_overlay=is_overlay, find_places=find_places)
    return ReadFile(layer=layer, has_fields=fields is not None, unreadable=unreadable, problems=problems)


def _describe_other(document: object) -> str:
    """Return what to say about a file that is no group of fields."""
    if document is None:
        return "this file is empty; a definition begins with a line like: id: asst_123"
    if isinstance(document, str) and ":" in document:
        return 'a definition is made of lines like "id: asst_123"; put a space after each colon'
    return 'a definition is made of lines like "id: asst_123", not of a list or a single value'
