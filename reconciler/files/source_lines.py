"""Adds the lines of the files to problems, but never a line that may contain a secret."""

import bisect
import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import Problem
from reconciler.core.definition import Layer
from reconciler.core.settings import Settings
from reconciler.yamltext.parser_errors import split_lines
from reconciler.yamltext.reader import read_tolerantly

_HIDDEN: Final = "(?i)//|@|pass|token|secret|credential|auth|e-?mail"


def add_source_lines(problems: Sequence[Problem], layers: Iterable[Layer], settings: Settings) -> list[Problem]:
    """Return the problems with their lines, as far as these may be shown and the problem is about a line."""
    files = {problem.file for problem in problems if not problem.about_file}
    by_file = {layer.file: layer for layer in layers}
    lines = {file: hide_lines(layer, settings, lambda _: "") for file, layer in by_file.items() if file in files}
    for text in (text for layer in by_file.values() for text in layer.texts if text.file in files):
        # If several fields mention a text and one of them is a secret, the text is one, too.
        may_show = settings.may_show(text.path) and lines.get(text.file) != []
        lines[text.file] = split_lines(text.content) if may_show else []
    located: list[Problem] = []
    for problem in problems:
        own_lines = lines.get(problem.file, ())
        has_line = not problem.about_file and problem.line <= len(own_lines)
        located.append(dataclasses.replace(problem, source_line=own_lines[problem.line - 1]) if has_line else problem)
    return located


def add_settings_lines(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Return problems of the settings with their lines, but not a line with a possible password."""
    lines = ["" if re.search(_HIDDEN, line) else line for line in split_lines(text)]
    return [dataclasses.replace(problem, source_line=lines[problem.line - 1]) for problem in problems]


def hide_lines(layer: Layer, settings: Settings, instead: Callable[[str], str]) -> list[str]:
    """Return the lines of a file. Lines that may contain a value at a `sensitive` path are replaced."""
    lines = split_lines(layer.text)
    if not settings.sensitive:
        return lines
    # If a file cannot be read, or has a key twice, it is unknown which lines belong to the path.
    if not layer.places or any(problem.about == "key" for problem in read_tolerantly(layer.text).problems):
        return [instead(line) for line in lines]
    places = sorted((*place, path) for path, pair in layer.places.items() for place in pair)
    hidden = _find_hidden(places, lines, settings)
    return [instead(line) if number in hidden else line for number, line in enumerate(lines, 1)]


def _find_hidden(places: Sequence[tuple[int, int, FieldPath]], lines: Sequence[str], settings: Settings) -> set[int]:
    """Return the numbers of all lines that contain a part of a value that may not be shown."""
    hidden: set[int] = set()
    starts = [line for line, _, _ in places]
    for line, _, path in places:
        if settings.may_quote(path):
            continue
        end = len(lines) + 1
        # It ends above the next line with a place. Between brackets it may end in that line.
        following = bisect.bisect_right(starts, line)
        if following < len(places):
            next_line, column, _ = places[following]
            end = next_line + bool(lines[next_line - 1][: column - 1].strip(" -"))
        hidden.update(range(line, end))
    return hidden
