"""The editor's schemas: current in the repository, plain enough for editors, and right about every file of the suite.

After a deliberate change: `RENEW_DOCS=1 pytest tests/editor`, then read the diff.
"""

import dataclasses
import functools
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from commands import COMMAND, environment, run
from editor_documents import (
    BAD,
    BEYOND,
    ROOT,
    SETTINGS,
    UNREADABLE,
    NoDocument,
    content_of,
    documents,
    good_definitions,
    read_as_editors_do,
)
from pages import list_blocks

from reconciler.assistant.checks import check_definition
from reconciler.core.settings import (
    Dated,
    EnforceRule,
    Environment,
    ForAssistants,
    Freeze,
    IgnoreRule,
    Rule,
    Settings,
)
from reconciler.files.settings_check import check_settings

FILES = {
    "definition": (ROOT / "docs" / "schema" / "definition.schema.json", ()),
    "overlay": (ROOT / "docs" / "schema" / "overlay.schema.json", ("--overlay",)),
    "defaults": (ROOT / "docs" / "schema" / "defaults.schema.json", ("--defaults",)),
    "settings": (ROOT / "docs" / "schema" / "settings.schema.json", ("--settings",)),
}
# What yaml-language-server and JetBrains understand. The first six judge nothing.
KEYWORDS = {
    *("$schema", "title", "description", "examples", "enumDescriptions", "patternErrorMessage"),
    *("type", "enum", "required", "properties", "additionalProperties", "propertyNames"),
    *("items", "minItems", "pattern", "minimum", "maximum"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_schemas_of_the_repository_are_current(name: str, tmp_path: Path) -> None:
    file, options = FILES[name]
    result = run("schema", *options, cwd=tmp_path)
    assert (result.code, result.stderr) == (0, "")
    if os.environ.get("RENEW_DOCS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(result.stdout, "utf-8")
    assert file.read_text("utf-8") == result.stdout


@functools.cache
def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILES[name][0].read_text("utf-8"))
    return loaded


def validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(schema(name))


def list_schemas(part: Any) -> Iterator[Mapping[str, Any]]:
    """Every schema inside a schema, itself too."""
    if isinstance(part, dict):
        yield part
        for inner in part.get("properties", {}).values():
            yield from list_schemas(inner)
        for key in ("items", "additionalProperties", "propertyNames"):
            yield from list_schemas(part.get(key))


@pytest.mark.parametrize("name", FILES)
def test_they_are_draft_07_in_words_that_editors_know(name: str) -> None:
    whole = schema(name)
    jsonschema.Draft7Validator.check_schema(whole)
    assert whole["$schema"] == "http://json-schema.org/draft-07/schema#"
    for part in list_schemas(whole):
        assert set(part) <= KEYWORDS
        assert len(part.get("enumDescriptions", part.get("enum", []))) == len(part.get("enum", []))
        assert ("pattern" in part) <= ("patternErrorMessage" in part)
        for key, field in part.get("properties", {}).items():
            assert re.search(r"[.!?]$", field["description"]), key
            assert ("examples" in field) or field["type"] == "object", key
            for example in field.get("examples", ()):
                assert jsonschema.Draft7Validator(field).is_valid(example), key


@pytest.mark.parametrize("name", FILES)
def test_they_judge_every_file_of_the_suite_rightly(name: str) -> None:
    judge = validator(name)
    mine = [document for document in documents() if document.schema == name]
    wrong = [document for document in mine if judge.is_valid(document.value) is not document.good]
    assert wrong == []
    verdicts = Counter(document.good for document in mine)
    assert verdicts[True] > 20
    assert verdicts[False] > 50


def test_what_they_must_take_is_good() -> None:
    for name, definition in good_definitions():
        assert check_definition(definition) == [], name


@pytest.mark.parametrize("case", BAD, ids=lambda case: case["name"])
def test_a_bad_definition_is_refused_or_beyond_a_schema(case: dict[str, Any]) -> None:
    judge = validator("definition")
    if case["name"] in UNREADABLE:
        with pytest.raises(NoDocument):
            read_as_editors_do(content_of(case))
    else:
        assert judge.is_valid(read_as_editors_do(content_of(case))) is (case["name"] in BEYOND)


def test_the_list_of_what_is_beyond_a_schema_names_cases_that_exist() -> None:
    assert {*UNREADABLE, *BEYOND} <= {case["name"] for case in BAD}
    assert not UNREADABLE & BEYOND


def test_an_overlay_needs_nothing_and_takes_an_id() -> None:
    required = [part["required"] for part in list_schemas(schema("overlay")) if "required" in part]
    assert all(keys == ["$file"] for keys in required)  # of what stands for a text
    judge = validator("overlay")
    assert judge.is_valid({})
    assert judge.is_valid({"id": "asst_1", "model": {"temperature": 1}})
    assert not judge.is_valid({"id": "a/b"})


def setting_names(kind: type[Environment | ForAssistants]) -> set[str]:
    """What a kind of settings holds, but for what is no setting: places, the environment that was chosen, the day."""
    fields = {
        {"starts": "from", "exceptions": "except"}.get(field.name, field.name) for field in dataclasses.fields(kind)
    }
    return fields - {"overlay_place", "place", "file", "text", "environment", "today"}


def test_the_settings_know_every_key() -> None:
    whole = schema("settings")
    environment = whole["properties"]["environments"]["additionalProperties"]
    assert set(whole["properties"]) == setting_names(Settings) - {"overlay"}
    assert set(environment["properties"]) == setting_names(Environment)
    for setting, kind in (("ignore", IgnoreRule), ("frozen", Freeze), ("enforce", EnforceRule), ("rules", Rule)):
        assert set(whole["properties"][setting]["items"]["properties"]) == setting_names(kind)
    exceptions = whole["properties"]["rules"]["items"]["properties"]["except"]
    assert set(exceptions["items"]["properties"]) == setting_names(Dated)


@pytest.mark.parametrize("good", [True, False])
def test_the_settings_examples_are_what_the_checks_say(good: bool) -> None:
    bad = [*SETTINGS["bad"], *(entry["settings"] for entry in SETTINGS["beyond"])]
    for settings in SETTINGS["good"] if good else bad:
        assert checks_accept(settings) is good, settings


def checks_accept(settings: Any) -> bool:
    """Whether the settings' checks take these."""
    return isinstance(settings, dict) and not check_settings(settings)[1]


def test_the_example_definitions_name_the_schema() -> None:
    for file in (ROOT / "assistants").rglob("*.yaml"):
        first = file.read_text("utf-8").partition("\n")[0]
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert named != first, file
        assert (file.parent / named).resolve() == FILES["definition"][0], file


DOCUMENT = (ROOT / "docs" / "editor.md").read_text("utf-8")


def test_the_documents_commands_write_the_schemas(tmp_path: Path) -> None:
    (console,) = list_blocks(DOCUMENT, "console")
    path = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
    commands = [line.removeprefix("$ ") for line in console.splitlines()]
    subprocess.run(["sh", "-ec", "\n".join(commands)], cwd=tmp_path, env=environment({"PATH": path}), check=True)
    written = {file.name: file.read_text("utf-8") for file in (tmp_path / "schema").iterdir()}
    assert written == {file.name: file.read_text("utf-8") for file, _ in FILES.values()}


def test_the_documents_settings_for_the_editor_find_them() -> None:
    (settings,) = list_blocks(DOCUMENT, "json")
    assert set(json.loads(settings)["yaml.schemas"]) == {f"./schema/{file.name}" for file, _ in FILES.values()}
