"""Reads `reconciler.yaml`, the optional file beside the definitions' folder."""

import contextlib
import dataclasses
import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import FieldProblem, InvalidSettings, Problem
from reconciler.core.definition import START, Place, correct_name
from reconciler.core.settings import (
    FILE_NAME,
    Dated,
    EnforceRule,
    Environment,
    ForAssistants,
    Freeze,
    IgnoreRule,
    LintLevel,
    Rule,
    Settings,
    now,
)
from reconciler.core.tree import item_at
from reconciler.files.find import read_text
from reconciler.files.folders import shown_path
from reconciler.files.settings_check import check_settings, find_slips
from reconciler.files.settings_table import read_path
from reconciler.files.source_lines import add_settings_lines
from reconciler.yamltext.misread_lines import describe_non_mapping
from reconciler.yamltext.nodes import UnreadableText, find_places
from reconciler.yamltext.reader import read_tolerantly
from reconciler.yamltext.scalars import Refusal, read_plain

_OTHER_NAME: Final = "reconciler.yml"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# The settings that are lists of groups, with the type of each group.
_ENTRIES: Final[Mapping[str, type[ForAssistants]]] = {
    "ignore": IgnoreRule,
    "frozen": Freeze,
    "enforce": EnforceRule,
    "rules": Rule,
    "except": Dated,
}
# The names of settings that Python reserves, with the names of their fields.
_FIELDS: Final[Mapping[str, str]] = {"from": "starts", "except": "exceptions"}
_Built = TypeVar("_Built", bound=ForAssistants | Environment)


def load_settings(folder: Path, *, root: Path, today: datetime.date | None = None) -> Settings:
    """Return the settings beside a folder of definitions, judged on a day; without a file the defaults.

    Raises InvalidSettings with all problems at once.
    """
    today = today or now().date()
    parent = folder.resolve().parent
    path = parent / FILE_NAME
    # A dead link is an error, not an absent file: otherwise its settings would be ignored.
    is_there = path.exists() or path.is_symlink()
    # A file with another name is not read: its `sensitive` would hide nothing, and nobody would notice.
    if misnamed := _OTHER_NAME if (parent / _OTHER_NAME).exists() else "" if is_there else _find_misnamed(parent):
        message = f"the settings are read from {FILE_NAME}; rename this file"
        raise InvalidSettings([Problem(shown_path(parent / misnamed, root), 1, 1, message)])
    if not is_there:
        return Settings(today=today)
    file = shown_path(path, root)
    # Opening a pipe would wait for its writer.
    if path.exists() and not path.is_file():
        raise InvalidSettings([Problem(file, 1, 1, "this cannot be read: it is not a plain file")])
    try:
        text = read_text(path)
    except UnreadableText as error:
        raise InvalidSettings([Problem(file, *each.place, each.message) for each in error.problems]) from None
    return dataclasses.replace(_read(text, file, folder.resolve()), today=today)


def _find_misnamed(parent: Path) -> str:
    """Return a file that was probably meant to be the settings, such as `Reconciler.yaml` or `reconciler.yaml.txt`."""
    with contextlib.suppress(OSError):
        for name in sorted(file.name for file in parent.iterdir()):
            if (correct_name(name) or name).casefold() in (FILE_NAME, _OTHER_NAME):
                return name
    return ""


def find_sensitive(text: str, environment: str | None) -> Iterator[FieldPath]:
    """Yield what some settings say is sensitive in an environment; the rest of the text need not be valid.

    Where they do not know the environment, which may have had another name, what is sensitive in any counts.
    """
    content = read_tolerantly(text).value
    section = content.get("environments") if isinstance(content, dict) else None
    environments = section if isinstance(section, dict) else {}
    groups = [environments[environment]] if environment in environments else environments.values()
    for group in (content, *groups):
        patterns = group.get("sensitive") if isinstance(group, dict) else None
        for path in patterns if isinstance(patterns, list) else ():
            # A pattern with a mistake has never hidden anything: no command has run with it.
            with contextlib.suppress(ValueError):
                yield read_path(str(path))


def _read(text: str, file: str, folder: Path) -> Settings:
    reading = read_tolerantly(text)
    content = reading.value
    refused = [problem for problem in reading.problems if not _is_date(problem, content)]
    if content is None and not refused:
        return Settings(file=file)
    if not isinstance(content, dict):
        message = describe_non_mapping(content, 'the settings consist of lines like "api_url: https://..."')
        raise _make_error(refused or [FieldProblem((), message)], file, text)
    # Reports name the line of an `ignore` rule, so a run without problems needs the places as well.
    places = find_places(text)
    checked, wrong = check_settings(content)
    settings = Settings() if checked is None else _build(Settings, checked, (), places)
    wrong += [*_find_shared_folders(settings.environments, folder), *find_slips(settings)]
    # The reader refuses `off`, which YAML parsers read differently. It is no level either way, so the setting's own
    # message is enough. Any other refused value is a text in the content, so only the reader's message is right.
    final = {(problem.path, problem.about) for problem in refused if not _is_ambiguous(problem, content)}
    located = (_locate(problem, places) for problem in wrong)
    problems = [problem for problem in located if (problem.path, problem.about) not in final]
    explained = {(problem.path, problem.about) for problem in problems}
    problems += [problem for problem in refused if (problem.path, problem.about) not in explained]
    if problems:
        raise _make_error(problems, file, text)
    return dataclasses.replace(settings, file=file, text=text)


def _locate(problem: FieldProblem, places: Mapping[FieldPath, Place]) -> FieldProblem:
    """Return a problem with its place, and the path of the nearest field that has one."""
    path = problem.path
    # If a group is written as one word, its keys have no place in the file.
    while path and path not in places:
        path = path[:-1]
    return dataclasses.replace(problem, path=path, place=places.get(path, START).of(problem.about))


def _make_error(problems: Sequence[FieldProblem], file: str, text: str) -> InvalidSettings:
    located = [Problem(file, *problem.place, problem.message) for problem in problems]
    return InvalidSettings(add_settings_lines(located, text))


def _is_date(problem: FieldProblem, content: object) -> bool:
    # YAML 1.1 reads a date, and 1.2 a text. In a definition that is a problem; here both mean the same day.
    path = problem.path
    if problem.about != "value" or len(path) < 3 or path[-3] not in _ENTRIES or path[-1] not in ("from", "expires"):
        return False
    return re.fullmatch(_DATE, str(item_at(content, path))) is not None


def _is_ambiguous(problem: FieldProblem, content: object) -> bool:
    value = item_at(content, problem.path)
    return problem.about == "value" and isinstance(value, str) and isinstance(read_plain(value), Refusal)


def _find_shared_folders(environments: Mapping[str, Environment], folder: Path) -> Iterator[FieldProblem]:
    """Yield the overlay folders that contain another one, or are inside one. A file in one would belong to both."""
    # Resolved, since `./a` and a link to `a` are the same folder.
    owners = {folder: "the definitions' folder"}
    for name, entry in environments.items():
        if not entry.overlay:
            continue
        overlays = (folder.parent / entry.overlay).resolve()
        for other, owner in owners.items():
            if overlays.is_relative_to(other) or other.is_relative_to(overlays):
                message = (
                    f"overlay cannot be, contain or be inside {owner}: use a separate folder, like environments/{name}"
                )
                yield FieldProblem(("environments", name, "overlay"), message)
                break
        owners[overlays] = f"the overlay folder of {name}"


def _build(
    kind: type[_Built], checked: Mapping[str, Any], path: FieldPath, places: Mapping[FieldPath, Place]
) -> _Built:
    """Return the value of a checked group at a path. Missing keys keep their defaults."""
    values = {_FIELDS.get(key, key): _build_setting(key, value, (*path, key), places) for key, value in checked.items()}
    if issubclass(kind, ForAssistants):
        return kind(**values, place=places[path].key)
    return kind(**values, overlay_place=places.get((*path, "overlay"), START).value)


def _build_setting(name: str, value: Any, path: FieldPath, places: Mapping[FieldPath, Place]) -> Any:
    if name in _ENTRIES:
        return tuple(_build(_ENTRIES[name], entry, (*path, str(index)), places) for index, entry in enumerate(value))
    if name == "lints":
        return tuple(_build(LintLevel, {"lint": key, **entry}, (*path, key), places) for key, entry in value.items())
    if name == "environments":
        return {key: _build(Environment, entry, (*path, key), places) for key, entry in value.items()}
    # Tuples, since the values of the settings are frozen.
    return tuple(value) if isinstance(value, list) else value
