"""Reads one definition from its files, and finds its problems, each at its place."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.assistant.lints import find_lints
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import MAX_PROBLEMS, FieldProblem, Problem
from reconciler.core.definition import DEFAULTS, NEW, Definition, drop_id
from reconciler.core.rules import RuleSet
from reconciler.core.settings import FILE_NAME
from reconciler.core.tree import item_at
from reconciler.dataclass import dataclass
from reconciler.files.collisions import describe_same_name
from reconciler.files.find import YamlFile
from reconciler.files.layers import LayerReader, ReadFile, check_fields, find_anchors, locate_problems

# `id: new`, in any spelling. A tag, an anchor or a comment may come between the two, and either may be an alias.
_SAYS_NEW = re.compile(rb"""\bid\b(?:[\s"':>|+?0-9-]|[!&]\S*|\#[^\n]*)*+(?:new\b|\*)""")
# What a file without an id may be meant to be, by its name.
_AS_DEFAULTS = f"; if it contains shared values, rename it to {DEFAULTS}"
_MEANT_OTHERWISE = {
    "default": _AS_DEFAULTS,
    "defaults": _AS_DEFAULTS,
    Path(FILE_NAME).stem: "; if it contains the settings, move it out of this folder, beside it",
}

FindId = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class ReadDefinition:
    """One definition as far as it could be read, and what is wrong with it."""

    definition: Definition
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> list[Problem]:
        """The problems but for warnings, sorted."""
        return sorted(problem for problem in self.problems if problem.severity == "error")

    @property
    def has_id(self) -> bool:
        """Return whether one of its files says an id, right or wrong."""
        return any("id" in layer.fields for layer in self.definition.layers)

    def with_problems(self, problems: Sequence[Problem]) -> "ReadDefinition":
        """Return the definition with more problems."""
        return ReadDefinition(self.definition, (*self.problems, *problems)) if problems else self


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionReader:
    """Reads definitions from their files. `find_id` returns the known id of a file that says `id: new`."""

    layers: LayerReader
    rules: RuleSet
    find_id: FindId
    needs_id: bool

    def read(self, stack: Sequence[YamlFile], *, checked: bool) -> ReadDefinition:
        """Read the files of one definition, the lowest first. Unless `checked`, this only does what its id needs."""
        files = [self.layers.read(each) for each in stack]
        # Defaults are below the definition, overlays above it.
        place = [each.kind for each in stack].index("definition")
        definition_file = stack[place]
        problems = [problem for file in files[place:] for problem in file.problems]
        problems += [problem for each in stack[:place] for problem in self.layers.judge(each)]
        problems += [describe_same_name(file.layer.file, files[-1].layer.file) for file in files[place + 1 : -1]]
        # Other layers alone are no definition, whatever they say.
        document = self.layers.merge(files) if isinstance(files[place].reading.value, dict) else None
        written_id = (document or {}).get("id")
        # The id is needed before ids are compared: a second file with this id would manage the same assistant.
        id_ = (self.find_id(definition_file.file) or "") if written_id == NEW else written_id
        definition = Definition(
            key=definition_file.key,
            file=definition_file.file,
            id=id_ if isinstance(id_, str) else "",
            declared=drop_id(document or {}),
            layers=tuple(file.layer for file in files),
            says_new=written_id == NEW,
        )
        if checked and document is not None:
            problems += self._check(definition, document, files)
        # Problems in a text file of defaults may be there twice.
        problems = list(dict.fromkeys(problems))
        if len(problems) >= MAX_PROBLEMS:
            first_problems = sorted(problems)[: MAX_PROBLEMS - 1]
            message = f"this file has {MAX_PROBLEMS} problems or more, and only these are shown; correct them first"
            problems = [*first_problems, replace(first_problems[-1], message=message)]
        return ReadDefinition(definition, tuple(problems))

    def _check(
        self, definition: Definition, document: Mapping[str, Any], files: Sequence[ReadFile]
    ) -> Iterator[Problem]:
        """Yield what the checks, the lints and the team's rules find in a definition, each at its place."""
        problems = check_fields(document, files, self.layers.settings, needs_id=self.needs_id)
        if hint := _MEANT_OTHERWISE.get(definition.key.rpartition("/")[2].lower()):
            hints = {"file": hint}
            problems = [replace(each, message=each.message + hints.get(each.about, "")) for each in problems]
        # A value that the API would not accept is reported once.
        wrong = {problem.path for problem in problems if problem.path}
        # Problems of defaults are reported where the defaults are checked, in other words.
        shared = {file.layer.file for file in files if file.layer.kind == "defaults"}
        located = locate_problems(problems, definition, self.layers.settings)
        yield from (problem for problem in located if problem.file not in shared)
        other_problems = (*_find_lints(document, files), *self.rules.find_violations(definition.key, document))
        others = [problem for problem in other_problems if problem.path not in wrong]
        yield from locate_problems(others, definition, self.layers.settings)
        for file in files:
            if file.layer.kind != "defaults":
                yield from find_anchors(file)


def may_have_id(ids: Collection[bytes], stack: Iterable[YamlFile]) -> bool:
    """Return whether a definition may have one of some ids, in UTF-8. Its files are searched as bytes, not parsed."""
    for file in stack:
        if file.kind != "defaults":
            content = file.read_bytes()
            # With escapes, an id is written differently from its value. The search for one quote is only for speed.
            is_escaped = b"\\" in content or (b"'" in content and b"''" in content)
            if is_escaped or any(name in content for name in ids):
                return True
            if b"new" in content and _SAYS_NEW.search(content):
                return True
    return False


def _find_lints(document: Mapping[str, Any], files: Sequence[ReadFile]) -> list[FieldProblem]:
    """Return what the lints find; those about YAML itself look at each file that declares something."""
    cut_off: set[str] = set()
    folded: set[FieldPath] = set()
    mentioned: set[str] = set()
    # From the uppermost down: an overlay replaces what the file below it says.
    for file in reversed(files):
        fields = file.layer.fields
        cut_off |= set(file.reading.cut_off) - mentioned
        mentioned |= fields.keys()
        folded |= {path for path in file.reading.folded if item_at(document, path) == item_at(fields, path)}
    return find_lints(document, cut_off, folded)
