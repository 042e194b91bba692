"""`reconciler schema`, as it is installed."""

import json
from pathlib import Path

import commands
import jsonschema
from commands import Completed


def run(folder: Path, *options: str) -> Completed:
    return commands.run("schema", *options, cwd=folder)


def test_it_prints_the_schema_and_nothing_else(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert (result.code, result.stderr) == (0, "")
    schema = json.loads(result.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["required"] == ["id"]


def test_it_knows_the_extra_fields_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("extra_fields: [/model/messages]\n")

    schema = json.loads(run(tmp_path).stdout)

    jsonschema.validate({"id": "a", "model": {"messages": []}}, schema)


def test_settings_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("extra_field: []\n")

    result = run(tmp_path)

    assert (result.code, result.stdout) == (1, "")
    assert "reconciler.yaml:1:1: unknown setting extra_field; did you mean extra_fields?" in result.stderr


def test_an_overlay_has_a_schema_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("extra_fields: [/model/messages]\n")

    schema = json.loads(run(tmp_path, "--overlay").stdout)

    assert "required" not in schema
    jsonschema.validate({"model": {"messages": []}}, schema)


def test_where_there_are_environments_a_definition_needs_no_id(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("environments: {staging: {overlay: environments/staging}}\n")

    jsonschema.validate({"name": "x"}, json.loads(run(tmp_path).stdout))


def test_the_settings_have_a_schema_which_helps_with_settings_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("extra_field: []\n")

    result = run(tmp_path, "--settings")

    assert (result.code, result.stderr) == (0, "")
    assert "extra_fields" in json.loads(result.stdout)["properties"]


def test_one_schema_at_a_time(tmp_path: Path) -> None:
    result = run(tmp_path, "--overlay", "--settings")

    assert (result.code, result.stdout) == (1, "")
    assert "use one at a time" in result.stderr
