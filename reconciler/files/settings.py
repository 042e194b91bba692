"""Reads `reconciler.yaml`, the optional file beside the definitions' folder.

What the settings mean is not decided here.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pydantic

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import MAX_PROBLEMS, Problem
from reconciler.core.settings import FILE_NAME, Environment, IgnoreRule, InvalidSettings, Settings
from reconciler.files.find import UnreadableText, read_text
from reconciler.files.folders import shown_path
from reconciler.files.settings_models import (
    OF_A_KEY,
    EnvironmentEntry,
    IgnoreEntry,
    SettingsFile,
    describe,
    misspelt,
)
from reconciler.yamltext.places import Place, find_places
from reconciler.yamltext.reader import YamlProblem, YamlProblems, read_yaml

_OTHER_NAME: Final = "reconciler.yml"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def load_settings(folder: Path, *, root: Path) -> Settings:
    """Return the settings that stand beside a folder of definitions; the defaults where there is no file.

    `root` is the repository's root, from which the file is named. Raises InvalidSettings with all problems at
    once.
    """
    parent = folder.resolve().parent
    path, other = parent / FILE_NAME, parent / _OTHER_NAME
    if other.exists():
        message = f"the settings are read from {FILE_NAME}; rename this file"
        raise InvalidSettings([Problem(shown_path(other, root), 1, 1, message)])
    if not path.exists() and not path.is_symlink():
        return Settings()
    file = shown_path(path, root)
    try:
        text = read_text(path)
    except UnreadableText as error:
        raise InvalidSettings([Problem(file, error.line, error.column, error.message)]) from None
    return _read(text, file, folder.resolve())


def _read(text: str, file: str, folder: Path) -> Settings:
    """Return the settings that a text holds, for the definitions of a folder."""
    problems: list[Problem] = []
    unreadable: set[tuple[FieldPath | None, str]] = set()
    try:
        content = read_yaml(text)
    except YamlProblems as error:
        content = error.value
        for problem in error.problems:
            if not _is_date(problem, content):
                unreadable.add((problem.path, problem.about))
                problems.append(Problem(file, problem.line, problem.column, problem.message))
    if content is None and not problems:
        return Settings(file=file)
    if not isinstance(content, dict):
        message = 'the settings are lines like "api_url: https://..."'
        raise InvalidSettings(problems or [Problem(file, 1, 1, message)])
    places = find_places(text)
    try:
        checked = SettingsFile.model_validate(content)
    except pydantic.ValidationError as error:
        problems += (
            Problem(file, *_place(path, about, places, lacks=detail["type"] == "missing"), describe(detail, path))
            for detail, path, about in itertools.islice(_faults(error), MAX_PROBLEMS)
            if (path, about) not in unreadable
        )
    else:
        found = itertools.chain(_mixed_folders(checked, folder), misspelt(checked))
        problems += (Problem(file, *places[path].value, message) for path, message in found)
    if problems:
        raise InvalidSettings(problems)
    return _settings(checked, file, places)


def _mixed_folders(checked: SettingsFile, folder: Path) -> Iterator[tuple[FieldPath, str]]:
    """Yield the overlay folders that hold what others read, or are held: what is written for one would reach both."""
    taken = {folder: "the definitions' folder"}
    for name, entry in checked.environments.items():
        if not entry.overlay:
            continue
        overlays = (folder.parent / entry.overlay).resolve()
        for other, whose in taken.items():
            if overlays.is_relative_to(other) or other.is_relative_to(overlays):
                hint = f"name a folder of its own, like environments/{name}"
                yield ("environments", name, "overlay"), f"overlay cannot be, hold or lie in {whose}: {hint}"
                break
        taken[overlays] = f"the overlay folder of {name}"


def _is_date(problem: YamlProblem, content: object) -> bool:
    """Tell whether the complaint is a date after `expires`, the one place where a plain date is clear."""
    path = problem.path or ()
    if problem.about != "value" or len(path) < 3 or (path[-3], path[-1]) != ("ignore", "expires"):
        return False
    value: Any = content
    for part in path:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return _DATE.fullmatch(value) is not None


def _faults(error: pydantic.ValidationError) -> Iterator[tuple[Any, FieldPath, str]]:
    """Yield pydantic's account of each error, with the path that it is about, and whether the key or the value."""
    for detail in error.errors(include_url=False):
        path = tuple(str(part) for part in detail["loc"])
        if path[-1:] == (OF_A_KEY,):
            yield detail, path[:-1], "key"
        else:
            yield detail, path, "key" if detail["type"] == "extra_forbidden" else "value"


def _place(path: FieldPath, about: str, places: dict[FieldPath, Place], *, lacks: bool) -> tuple[int, int]:
    """Return where an error stands: at the key, the value, or the entry that lacks something."""
    place = places.get(path[:-1] if lacks else path, Place((1, 1), (1, 1)))
    return place.key if about == "key" else place.value


def _rules(entries: Sequence[IgnoreEntry], above: FieldPath, places: dict[FieldPath, Place]) -> tuple[IgnoreRule, ...]:
    return tuple(
        IgnoreRule(
            path=entry.path,  # type: ignore[arg-type]
            reason=entry.reason,
            assistants=tuple(entry.assistants),
            expires=entry.expires,  # type: ignore[arg-type]
            line=places[*above, "ignore", str(index)].key[0],
        )
        for index, entry in enumerate(entries)
    )


def _environment(entry: EnvironmentEntry, path: FieldPath, places: dict[FieldPath, Place]) -> Environment:
    place = places.get((*path, "overlay"), Place((1, 1), (1, 1)))
    return Environment(**{**dict(entry), "ignore": _rules(entry.ignore, path, places), "overlay_place": place.value})


def _settings(checked: SettingsFile, file: str, places: dict[FieldPath, Place]) -> Settings:
    """Return checked content as values; the models' validators have turned pointers into paths."""
    values: dict[str, Any] = dict(checked)
    values["ignore"] = _rules(checked.ignore, (), places)
    values["environments"] = {
        name: _environment(entry, ("environments", name), places) for name, entry in checked.environments.items()
    }
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return Settings(**{**values, **lists}, file=file)
