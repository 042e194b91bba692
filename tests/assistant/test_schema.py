"""The JSON Schema says what the checks say."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, strategies as st
from one_field import SCHEMA, declare, find_schema

from reconciler.assistant.checks import check_definition
from reconciler.assistant.fields import DOCUMENTED, takes_null
from reconciler.assistant.json_schema import make_assistant_schema
from reconciler.assistant.paths import FieldPath

EXTRA = [("model", "messages")]
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "assistants").rglob("*.yaml"))


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
    assert VALIDATOR.is_valid(declare(("metadata", "any", "key"), [1, None]))


@pytest.mark.parametrize("path", DOCUMENTED, ids=".".join)
def test_every_field_is_described_and_takes_null_where_the_api_does(path: FieldPath) -> None:
    assert find_schema(path)["description"].endswith(".")
    assert VALIDATOR.is_valid(declare(path, None)) is takes_null(path)


@pytest.mark.parametrize("path", [path for path in DOCUMENTED if "properties" not in find_schema(path)], ids=".".join)
def test_the_schemas_own_examples_are_valid(path: FieldPath) -> None:
    for example in find_schema(path)["examples"]:
        VALIDATOR.validate(declare(path, example))
        assert check_definition(declare(path, example)) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_repositorys_definitions_are_valid(file: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(file.read_text("utf-8")))


WRONG_SOMEWHERE: list[Any] = [
    *(None, True, 0, 1, -1, 3, 1.5, "", "x", "openai", "assistant-speaks-first"),
    *([], ["x"], [None], [1], [[]], {}, {"provider": "openai"}, {"model": None}, {"x": 1}),
]


@pytest.mark.parametrize("path", [("id",), *DOCUMENTED, ("metadata", "a"), ("nmae",), ("model", "x")], ids=".".join)
def test_it_judges_values_as_the_checks_do(path: FieldPath) -> None:
    for value in WRONG_SOMEWHERE:
        document = declare(path, value)
        assert VALIDATOR.is_valid(document) is (check_definition(document) == []), document


@given(st.text(st.characters(codec="utf-8"), max_size=4) | st.text("./?# ab\n\t\u00a0\u201c", max_size=4))
def test_it_judges_ids_as_the_checks_do(id_: str) -> None:
    assert VALIDATOR.is_valid({"id": id_}) is (check_definition({"id": id_}) == [])


def test_a_number_without_a_fraction_counts_as_an_integer() -> None:
    """The one value that JSON Schema takes and the checks do not: it knows no difference."""
    assert check_definition({"id": "a", "maxDurationSeconds": 100.0})
    assert VALIDATOR.is_valid({"id": "a", "maxDurationSeconds": 100.0})


def test_where_environments_give_it_the_id_may_be_missing() -> None:
    validator = jsonschema.Draft7Validator(make_assistant_schema("definition"))
    assert validator.is_valid({"name": "x"})
    assert validator.is_valid({"id": "asst_1"})
    assert not validator.is_valid({"id": ""})


def test_an_overlay_has_the_fields_of_a_definition_and_needs_none() -> None:
    schema = make_assistant_schema("overlay", EXTRA)
    assert "required" not in schema
    assert schema["properties"] == make_assistant_schema("definition", EXTRA)["properties"]
    assert schema["title"] != SCHEMA["title"]
    assert schema["description"] != SCHEMA["description"]


def test_names_are_shown_as_words() -> None:
    assert find_schema(("firstMessageMode",))["title"] == "First message mode"
    assert find_schema(("voice", "voiceId"))["title"] == "Voice id"
    assert make_assistant_schema("definition", EXTRA)["properties"]["model"]["properties"]["messages"] == {
        "title": "Messages",
        "description": "model.messages is not in the API's reference; reconciler.yaml allows it under extra_fields. "
        "It may have any value.",
    }


def test_null_is_explained_where_it_is_allowed() -> None:
    assert find_schema(("voicemailMessage",))["description"].endswith("Write null to keep it empty.")
    assert "null" not in find_schema(("name",))["description"]
    mode = find_schema(("firstMessageMode",))
    assert dict(zip(mode["enum"], mode["enumDescriptions"], strict=True))[None] == "No value is set."


def test_extra_fields_take_anything() -> None:
    validator = jsonschema.Draft7Validator(make_assistant_schema("definition", [("tools",), *EXTRA]))
    assert validator.is_valid({"id": "a", "tools": [1], "model": {"messages": None}})
    assert not validator.is_valid({"id": "a", "model": {"tools": 1}})
    assert not VALIDATOR.is_valid({"id": "a", "tools": [1]})


def test_defaults_take_what_definitions_may_share() -> None:
    whole, shared = (
        make_assistant_schema("definition", EXTRA),
        make_assistant_schema("defaults", EXTRA),
    )
    assert whole["properties"].keys() - shared["properties"].keys() == {"id", "name"}
    assert shared["properties"]["model"] == whole["properties"]["model"]
    assert "required" not in shared
