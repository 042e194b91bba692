"""One definition as the files that make it up: the shared one, and in an environment the overlay laid over it.

Reads and merges; what the result must look like is checked elsewhere.
"""

import dataclasses
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import About, FieldProblem, Problem
from reconciler.core.settings import Settings
from reconciler.files.find import FoundFile, UnreadableText, read_text
from reconciler.yamltext.places import Place, find_places
from reconciler.yamltext.reader import YamlProblem, YamlProblems, read_yaml


@dataclasses.dataclass(slots=True)
class Layer:
    """One file as it was read: `document` is None where it holds no group of fields."""

    found: FoundFile
    text: str = ""
    document: dict[str, Any] | None = None
    unreadable: list[YamlProblem] = dataclasses.field(default_factory=list)
    problems: list[Problem] = dataclasses.field(default_factory=list)
    _places: dict[FieldPath, Place] | None = dataclasses.field(default=None, repr=False)

    def note(self, message: str, line: int = 1, column: int = 1) -> None:
        """Add an error."""
        self.problems.append(Problem(self.found.file, line, column, message))

    def places(self) -> dict[FieldPath, Place]:
        """Return where the fields of this file stand; looked up once, since each problem asks."""
        if self._places is None:
            self._places = find_places(self.text)
        return self._places

    def complained_of(self, finding: FieldProblem) -> bool:
        """Tell whether the reader has complained of the same key, or of the value that holds the finding."""
        for problem in self.unreadable:
            path = problem.path or ()
            if problem.about == "key" == finding.about and path == finding.path:
                return True
            # A key that is wrong is so whatever stands behind it.
            own_key = finding.about == "key" and path == finding.path
            if problem.about == "value" and path == finding.path[: len(path)] and not own_key:
                return True
        return False


def read_layer(found: FoundFile, settings: Settings) -> Layer:
    """Return one file as far as it can be read, with its problems."""
    layer = Layer(found)
    if found.trouble:
        layer.note(found.trouble)
        return layer
    try:
        layer.text = read_text(found.path)
        document = read_yaml(layer.text)
    except UnreadableText as error:
        layer.note(error.message, error.line, error.column)
        return layer
    except YamlProblems as error:
        document, layer.unreadable = error.value, error.problems
        for problem in layer.unreadable:
            shown = problem.path is None or settings.may_show(problem.path)
            layer.note(problem.message if shown else problem.discreet or problem.message, problem.line, problem.column)
    if isinstance(document, dict):
        layer.document = document
    elif not layer.unreadable:
        layer.note(_no_mapping(document))
    return layer


def place_of(path: FieldPath, about: About, layers: list[Layer]) -> tuple[str, int, int]:
    """Return the file, line and column of a field: in the uppermost file that mentions it, else in the last."""
    for layer in layers:
        place = layer.places().get(path)
        if place is not None:
            return (layer.found.file, *(place.key if about == "key" else place.value))
    return layers[-1].found.file, 1, 1


def _no_mapping(document: object) -> str:
    """Return what to say about a file that is no group of fields."""
    if document is None:
        return "this file is empty; a definition begins with a line like: id: asst_123"
    if isinstance(document, str) and ":" in document:
        return 'a definition is made of lines like "id: asst_123"; put a space after each colon'
    return 'a definition is made of lines like "id: asst_123", not of a list or a single value'
