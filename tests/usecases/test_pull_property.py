"""Live edits of definitions in many styles, pulled: files that say what live says, in which all else is as it was."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path as File
from random import Random
from typing import Any, Literal

import pytest
from definition_styles import DefinitionWriter
from depth import examples
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from live_edits import add_undeclared, edit_field
from projects import Project, open_api
from reference_rules import round_to_single
from servers import Sandbox, running_sandbox
from stories import Nested
from yaml_lines import check_form, check_lines, check_other_parser
from yaml_styles import Path, StyledText

from reconciler.api.client import AssistantsApi
from reconciler.core.definition import Definition
from reconciler.core.settings import Environment, Settings
from reconciler.files.definitions import load
from reconciler.git.repository import Repository
from reconciler.usecases.plan import drift, plan
from reconciler.usecases.project.project import Project as Read
from reconciler.usecases.pull import Pulled, Puller
from reconciler.usecases.workers import DEFAULT_CONTROL
from reconciler.yamltext.nodes import UnreadableText
from reconciler.yamltext.reader import read_yaml

EXAMPLES = examples(90)
Form = Literal["no environment", "an overlay", "an overlay to be made"]
FORMS: tuple[Form, ...] = ("no environment", "an overlay", "an overlay to be made")
REQUIRED = {"model": {"provider": "openai", "model": "gpt-4o"}}
NOT_NULL = [("name",), ("voice",), ("transcriber",), ("transcriber", "provider"), ("voice", "provider")]
NOT_NULL += [("voice", "voiceId"), ("model", "temperature"), ("model", "maxTokens")]
OVERLAYS = "environments/staging"


@pytest.mark.parametrize("form", FORMS)
def test_a_pulled_file_says_what_live_says_and_nothing_else_changes(tmp_path: File, form: Form, nested: Nested) -> None:
    outcomes: list[str] = []
    with running_sandbox(nested=nested) as sandbox, open_api(sandbox.url) as api:
        desk = Desk(Project(tmp_path / "repository"), sandbox, api, form)

        @given(st.data())
        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
        def check(data: st.DataObject) -> None:
            outcomes.append(desk.check_pull(data))

        check()
    assert outcomes.count("pulled") > EXAMPLES // 2
    assert outcomes.count("anchor") <= len(outcomes) // 10


@dataclasses.dataclass
class Desk:
    """A repository with one definition, and a sandbox with its assistant."""

    project: Project
    sandbox: Sandbox
    api: AssistantsApi
    form: Form

    @property
    def settings(self) -> Settings:
        if self.form == "no environment":
            return Settings()
        return Settings(environments={"staging": Environment(overlay=OVERLAYS)}).choose("staging")

    @property
    def read(self) -> Read:
        folder, root, settings = self.project.folder, self.project.root, self.settings
        loaded = load(folder, (), root=root, settings=settings)
        return Read(folder=folder, root=root, settings=settings, repository=Repository(folder), loaded=loaded)

    @property
    def files(self) -> dict[File, bytes]:
        folders = (self.project.folder, self.project.root / OVERLAYS)
        return {file: file.read_bytes() for folder in folders for file in folder.rglob("*.yaml")}

    def check_pull(self, data: st.DataObject) -> str:
        """Write a definition, edit its assistant live, pull, and return what became of it, having checked it."""
        written = self.write_files(data.draw(st.randoms(use_true_random=False)))
        read = self.read
        assume(not read.loaded.invalid)
        (definition,) = read.loaded.definitions
        self.edit_live(data, definition)
        before = self.files
        puller = Puller(read)
        pulled = puller.pull(drift(self.api, read, DEFAULT_CONTROL).results)
        assert self.files == before
        for one in pulled:
            puller.write(one)
        left = {left.path for one in pulled for left in one.skipped}
        self.check_meaning(definition, left)
        for one in pulled:
            check_left(one, definition, self.sandbox.live(definition.id))
            self.check_files(one, before, written)
        self.check_twice(left)
        return "nothing" if not pulled else "pulled" if pulled[0].fields else "anchor" if left else "nothing"

    def write_files(self, random: Random) -> StyledText | None:
        """Write the files; return the one that takes live values, None where it is yet to be made."""
        whole = DefinitionWriter(random).write()
        shared = DefinitionWriter(random, id="").write() if self.form == "an overlay" else whole
        overlay = self.project.root / OVERLAYS / "a.yaml"
        overlay.parent.mkdir(parents=True, exist_ok=True)
        overlay.unlink(missing_ok=True)
        for file, one in ((overlay, whole), (self.project.folder / "a.yaml", shared)):
            if file != overlay or self.form == "an overlay":
                assume_readable(one.text)
                file.write_bytes(one.text.encode())
        return None if self.form == "an overlay to be made" else whole

    def edit_live(self, data: st.DataObject, definition: Definition) -> None:
        """Let live be as declared, then edit some fields: through the API, or so that keys may vanish too."""
        declared = {**definition.declared}
        for field, required in REQUIRED.items():
            if field in declared:
                declared[field] = {**required, **declared[field]}
        self.sandbox.put({"id": definition.id, **add_undeclared(declared)})
        fields = data.draw(st.lists(st.sampled_from(sorted(declared)), min_size=1, max_size=4, unique=True))
        live = self.sandbox.live(definition.id)
        body = {field: data.draw(edit_field(field, live[field]), label=field) for field in fields}
        if data.draw(st.booleans()):
            self.api.patch(definition.id, body, live_id=definition.id)
        else:
            self.sandbox.edit(definition.id, **body)

    def check_meaning(self, before: Definition, left: set[Path]) -> None:
        """What the files declare now is what live says, but for the fields that were left."""
        (after,) = self.read.loaded.definitions
        live = self.sandbox.live(before.id)
        wanted = follow_live(before.declared, live, (), left)
        nulls = self.form == "no environment"  # an overlay has one for what only the shared file declares
        found, wanted = (sort_phrases(dict(fields)) for fields in (after.declared, wanted))
        assert repr(canonical(found, nulls=nulls)) == repr(canonical(wanted, nulls=nulls))
        assert after.id == before.id

    def check_files(self, pulled: Pulled, before: Mapping[File, bytes], original: StyledText | None) -> None:
        """One file is another now, and of that one only the lines of the values."""
        after = self.files
        changed = {file for file in after if after[file] != before.get(file)}
        file = self.project.root / pulled.file
        assert changed <= {file}
        if file not in after:
            return
        text = after[file].decode()
        check_other_parser(before[file].decode() if file in before else "", text)
        if original is not None:
            check_form(original, text)
            check_lines(original, pulled.fields, text)

    def check_twice(self, left: set[Path]) -> None:
        """A plan finds nothing but what was left, and a second pull does nothing."""
        (result,) = plan(self.api, self.read, DEFAULT_CONTROL).results
        assert result.plan is not None
        assert {change.path for change in result.plan.changes} == left
        before = self.files
        for one in Puller(self.read).pull(drift(self.api, self.read, DEFAULT_CONTROL).results):
            assert not one.differs
        assert self.files == before


def sort_phrases(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with the phrases sorted, whose order means nothing and stays as the file has it."""
    phrases = fields.get("endCallPhrases")
    return {**fields, "endCallPhrases": sorted(phrases)} if isinstance(phrases, list) else fields


def assume_readable(text: str) -> None:
    """Look for another example where a text is no YAML that we take."""
    try:
        read_yaml(text.removeprefix("\ufeff"))
    except UnreadableText:
        assume(False)


def check_left(pulled: Pulled, definition: Definition, live: Mapping[str, Any]) -> None:
    """A field is left only where a definition cannot say what live says, or where an anchor holds it."""
    for path, reason, _ in pulled.skipped:
        value: Any = live
        for key in path:
            value = (value or {}).get(key)
        if path in NOT_NULL and value is None:
            assert "remove the line to release it" in reason
        else:
            assert "anchor (&)" in reason
            assert "&" in pulled.before
            assert "*" in pulled.before


def follow_live(declared: Any, live: Any, path: Path, left: set[Path]) -> Any:
    """Return what a definition declares that follows live, written apart from how the reconciler compares."""
    if path in left or not declares_something(declared) or is_same(declared, live, path):
        return declared
    if isinstance(declared, dict) and isinstance(live, dict | None):
        return {key: follow_live(value, (live or {}).get(key), (*path, key), left) for key, value in declared.items()}
    return live


def is_same(declared: Any, live: Any, path: Path = ()) -> bool:
    """Tell whether live holds what is declared: numbers by value, booleans apart, undeclared keys not at all."""
    if isinstance(declared, dict):
        return isinstance(live, dict | None) and all(
            not declares_something(value) or is_same(value, (live or {}).get(key), (*path, key))
            for key, value in declared.items()
        )
    if isinstance(declared, list) and isinstance(live, list):
        if path == ("endCallPhrases",):
            return sorted(declared) == sorted(live)
        return len(declared) == len(live) and all(map(is_same, declared, live))
    if isinstance(declared, float) and isinstance(live, float):
        return round_to_single(declared) == round_to_single(live)
    return bool(declared == live and isinstance(declared, bool) == isinstance(live, bool))


def declares_something(declared: Any) -> bool:
    return any(map(declares_something, declared.values())) if isinstance(declared, dict) else True


def canonical(value: Any, *, nulls: bool) -> Any:
    """Return a value in which equal numbers look alike and keys are sorted, with or without nulls in objects."""
    if isinstance(value, dict):
        return {key: canonical(value[key], nulls=nulls) for key in sorted(value) if nulls or value[key] is not None}
    if isinstance(value, list):
        return [canonical(item, nulls=nulls) for item in value]
    number = round_to_single(value) if isinstance(value, float) and not value.is_integer() else value
    return int(number) if isinstance(number, float) and number.is_integer() else number
