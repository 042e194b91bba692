"""The JSON Schema says what the models say."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reconciler.adapters.yaml_reader import YamlProblems, read_yaml
from reconciler.core.assistant import find_faults
from reconciler.core.fields import DOCUMENTED, takes_null
from reconciler.core.paths import FieldPath
from reconciler.core.schema import definition_schema

SCHEMA = definition_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "assistants").rglob("*.yaml"))
BAD = yaml.safe_load((ROOT / "tests" / "bad_definitions" / "cases.yaml").read_text("utf-8"))


def part(path: FieldPath) -> dict[str, Any]:
    """Return the schema of one field."""
    found: dict[str, Any] = SCHEMA
    for key in path:
        found = found["properties"][key]
    return found


def at(path: FieldPath, value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return {"id": "a", **value}


def test_it_is_draft_07_by_its_own_meta_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    text = repr(SCHEMA)
    assert not any(word in text for word in ("$ref", "$defs", "anyOf", "'default'"))


def test_it_insists_on_the_id_alone() -> None:
    assert SCHEMA["required"] == ["id"]
    assert VALIDATOR.is_valid({"id": "asst_1"})
    assert not VALIDATOR.is_valid({"name": "x"})
    assert not VALIDATOR.is_valid({"id": "asst_1", "tools": []})
    assert VALIDATOR.is_valid(at(("metadata", "any", "key"), [1, None]))


@pytest.mark.parametrize("path", DOCUMENTED, ids=".".join)
def test_every_field_is_described_and_takes_null_where_the_api_does(path: FieldPath) -> None:
    assert part(path)["description"].endswith(".")
    assert VALIDATOR.is_valid(at(path, None)) is takes_null(path)


@pytest.mark.parametrize("path", [path for path in DOCUMENTED if "properties" not in part(path)], ids=".".join)
def test_the_schemas_own_examples_are_valid(path: FieldPath) -> None:
    for example in part(path)["examples"]:
        VALIDATOR.validate(at(path, example))
        assert find_faults(at(path, example)) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_repositorys_definitions_are_valid(file: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(file.read_text("utf-8")))


def readable() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and content of the bad definitions that are YAML with fields in it."""
    for case in BAD:
        with contextlib.suppress(YamlProblems):
            document = read_yaml(case.get("text", ""))
            if isinstance(document, dict):
                yield case["name"], document


@pytest.mark.parametrize(("name", "document"), list(readable()))
def test_it_refuses_what_the_models_refuse(name: str, document: dict[str, Any]) -> None:
    assert find_faults(document)
    # JSON Schema counts 100.0 as an integer, and Python's `$` lets a line break follow.
    lenient = {"tokens with a decimal point", "an id that ends in a line break"}
    assert VALIDATOR.is_valid(document) is (name in lenient)


def test_extra_fields_take_anything() -> None:
    validator = jsonschema.Draft7Validator(definition_schema([("tools",), ("model", "messages")]))
    assert validator.is_valid({"id": "a", "tools": [1], "model": {"messages": None}})
    assert not validator.is_valid({"id": "a", "model": {"tools": 1}})
    assert not VALIDATOR.is_valid({"id": "a", "tools": [1]})
