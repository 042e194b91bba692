"""What CONTRIBUTING's recipes name cannot be forgotten: sandbox and documents know each field, format and command."""

import re
from pathlib import Path
from typing import Any

import pytest
from commands import run

from reconciler.assistant.fields import FIELDS, Field
from reconciler.cli.main import COMMANDS
from reconciler.cli.options import FORMATS, FORMATS_BY_SUFFIX
from reconciler.sandbox.openapi import Document

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "report" / "golden"


def sandbox_schema(field: Field) -> dict[str, Any]:
    """The sandbox's own schema of a field, which it may not take from the table."""
    schemas = Document().schemas
    schema: dict[str, Any] = schemas["AssistantUpdate"]
    for key in field.path:
        schema = schema["properties"][key]
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: ".".join(field.path))
def test_the_sandbox_has_each_field_by_its_own_list(field: Field) -> None:
    schema = sandbox_schema(field)
    assert (None in schema.get("enum", ()) or "null" in schema.get("type", ())) is field.takes_null
    assert {choice for choice in schema.get("enum", ()) if choice is not None} == set(field.choices)


def test_each_field_is_in_the_page_about_definitions() -> None:
    page = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert [field.path for field in FIELDS if len(field.path) == 1 and field.path[0] not in rows] == []
    inside = [field.path for field in FIELDS if len(field.path) > 1]
    assert [path for path in inside if f"`{path[1]}`" not in rows[path[0]]] == []


def test_each_format_is_made_by_a_renderer_of_its_own_and_has_golden_files(tmp_path: Path) -> None:
    plan = GOLDEN / "plan.json"
    texts = {form: run("report", str(plan), "--format", form, cwd=tmp_path).stdout for form in FORMATS}
    for suffix, form in FORMATS_BY_SUFFIX.items():
        assert run("report", str(plan), "--report", f"report{suffix}", cwd=tmp_path).code == 0
        text = (tmp_path / f"report{suffix}").read_text("utf-8")
        assert texts.setdefault(form, text) == text
        assert GOLDEN.joinpath(f"plan{suffix}").exists()
    assert len(set(texts.values())) == len(texts)
    assert all(
        GOLDEN.joinpath(f"plan.{form}.txt").exists() for form in {*FORMATS} - {*FORMATS_BY_SUFFIX.values(), "text"}
    )


def test_each_format_is_in_the_page_about_reports() -> None:
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    table = page.partition("| format |")[2].partition("\n\n")[0]
    assert [f"--format {form}" for form in FORMATS if f"`--format {form}`" not in table] == []
    assert [suffix for suffix in FORMATS_BY_SUFFIX if f"`{suffix}`" not in table] == []


def test_each_command_is_in_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if not re.search(rf"`(?:reconciler )?{name}\b", text)] == []
