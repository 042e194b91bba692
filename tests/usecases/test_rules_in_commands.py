"""A team's rules in every command: what they forbid is told, and nothing of it goes live."""

import datetime
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from projects import Project, outcomes, statuses
from servers import running_sandbox
from stories import InstalledStory, story

from reconciler.cli.main import reconciler
from reconciler.usecases.project.environments import Form
from reconciler.usecases.validate import validate

CALM = {"id": "calm", "path": "/model/temperature", "schema": {"maximum": 0.8}, "reason": "agreed"}
BYE = {"id": "bye", "path": "/endCallMessage", "required": True, "reason": "the law", "severity": "warning"}
MODEL = {"provider": "openai", "model": "gpt-4o"}


def test_the_installed_command(tmp_path: Path) -> None:
    live: dict[str, dict[str, Any]] = {"a": {"model": {**MODEL, "temperature": 0.5}}, "b": {"name": "Old"}}
    with story(tmp_path / "repository", live, kind=InstalledStory) as repo:
        repo.project.configure(rules=[CALM, BYE])
        repo.write("a", model={"temperature": 0.9})
        repo.write("b", name="New")
        message = "agreed: model.temperature is 0.9, and must be at most 0.8 [calm]"
        planned, applied = repo.run("plan"), repo.run("apply", "--yes")
        drifted = repo.run("drift", "--base", "none")
        for result in (planned, applied, drifted):
            assert result.code == 1
            assert f"assistants/a.yaml:3:16: {message}" in result.stderr
            assert "assistants/b.yaml:1:1: warning: the law: endCallMessage is not declared" in result.stderr
        assert '~ name: "Old" -> "New"' in planned.stdout
        assert repo.sandbox.patches == []
        github = repo.run("validate", "--format", "github")
        assert (
            f"::error file=assistants/a.yaml,line=3,col=16,title=The definition is not valid::{message}"
            in github.stdout
        )
        repo.write("a", model={"temperature": 0.8})
        assert repo.run("apply", "--yes").code == 0
        assert [repo.run("validate", *strict).code for strict in ((), ("--strict",))] == [0, 1]


def test_a_definition_that_breaks_a_rule_can_be_pulled_and_deleted(tmp_path: Path) -> None:
    live: dict[str, dict[str, Any]] = {"a": {"model": {**MODEL, "temperature": 0.9}}}
    with story(tmp_path / "repository", live) as repo:
        repo.write("a", model={"temperature": 0.9})
        repo.commit("First")
        repo.project.configure(rules=[CALM])
        repo.commit("A rule")
        repo.sandbox.edit("asst_a", model={**MODEL, "temperature": 0.5})
        assert [repo.run("validate").code, repo.run("pull").code, repo.run("validate").code] == [1, 0, 0]
        repo.write("a", model={"temperature": 1.5})
        repo.commit("Too much")
        deleted = repo.run("delete", "assistants/a.yaml", "--yes", "--name", "a", "--force-conflicts")
        assert deleted.code == 0, deleted.stderr


@pytest.mark.parametrize(("day", "status"), [("2027-01-31", "pending"), ("2027-02-01", "error")])
def test_a_rule_counts_from_its_day_on(project: Project, day: str, status: str) -> None:
    project.started_at = datetime.datetime.fromisoformat(f"{day}T12:00:00Z")
    project.configure(rules=[{**CALM, "from": "2027-02-01"}])
    project.write("a", id="asst_1", model={"temperature": 0.9})
    with running_sandbox({"asst_1": {"model": {**MODEL, "temperature": 0.5}}}) as sandbox:
        document = project.plan(sandbox.url)
    assert statuses(document) == {"a": status}
    (problem,) = document["problems"]
    assert problem["severity"] == ("warning" if status == "pending" else "error")


def test_entries_that_match_nothing_or_end_are_told(project: Project) -> None:
    project.started_at = datetime.datetime.fromisoformat("2027-01-20T12:00:00Z")
    late = {"assistants": ["a"], "reason": "a trial", "expires": "2027-01-31"}
    project.configure(rules=[{**CALM, "except": [late, {"assistants": ["x"], "reason": "gone"}]}])
    project.write("a", id="asst_1", model={"temperature": 0.9})
    with running_sandbox({"asst_1": {"model": {**MODEL, "temperature": 0.9}}}) as sandbox:
        ended, unmatched = project.plan(sandbox.url)["warnings"]
        assert ended.startswith("the exception from the rule calm (a trial) expires on 2027-01-31: renew or remove")
        assert unmatched.startswith("the exception from the rule calm (gone) matches no definition")
        project.started_at = datetime.datetime.fromisoformat("2027-02-01T00:00:00Z")
        assert outcomes(project.apply(sandbox.url)) == {"a": "unchanged"}, "an exception past its date still counts"


@pytest.mark.parametrize(("day", "problems"), [("2027-01-31", []), ("2027-02-01", ["error"])])
def test_an_exception_past_its_date_fails_validate(project: Project, day: str, problems: list[str]) -> None:
    project.started_at = datetime.datetime.fromisoformat(f"{day}T00:00:00Z")
    project.configure(rules=[{**CALM, "except": [{"assistants": ["a"], "reason": "a trial", "expires": "2027-01-31"}]}])
    project.write("a", id="asst_1", model={"temperature": 0.9})
    run = validate([Form(project.settings, project.load_definitions())], started_at=project.started_at)
    assert [problem.severity for problem in run.problems] == problems
    for problem in run.problems:
        assert problem.message.startswith(
            "the exception from the rule calm (a trial) expired on 2027-01-31 and still applies"
        )


EDITOR_RULES = [
    {"id": "models", "path": "/model/model", "schema": {"enum": ["gpt-4o"]}, "reason": "approved"},
    {"id": "bye", "path": "/endCallMessage", "required": True, "schema": {"type": "string"}, "reason": "the law"},
    {"id": "roles", "path": "/model/messages/*/role", "required": True, "reason": "a role"},
    {
        "id": "parts",
        "path": "/metadata/*",
        "schema": {"$ref": "#/$defs/short", "$defs": {"short": {"maxLength": 3}}},
        "reason": "short",
    },
    {"id": "some", "path": "/name", "schema": False, "reason": "not for all", "assistants": ["x"]},
    {
        "id": "excepted",
        "path": "/name",
        "schema": False,
        "reason": "not for all",
        "except": [{"assistants": ["x"], "reason": "a trial"}],
    },
    {"id": "later", "path": "/name", "schema": False, "reason": "not yet", "from": "2999-01-01"},
]
GOOD = {
    "id": "a",
    "name": "N",
    "endCallMessage": "Bye",
    "model": {"model": "gpt-4o", "messages": [{"role": "system"}]},
    "metadata": {"x": "abc", "y": {"$file": "long.md"}},
}


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"model": {"model": "gpt-3.5"}}, False),
        ({"model": {"messages": [{"content": "x"}]}}, False),
        ({"model": {"messages": [{"role": None}]}}, False),
        ({"model": {"messages": []}}, True),
        ({"endCallMessage": None}, False),
        ({"endCallMessage": {"$file": "bye.md"}}, True),
        ({"metadata": {"x": "abcd"}}, False),
    ],
)
def test_the_editors_schema_has_the_rules_for_all_assistants(
    tmp_path: Path, change: dict[str, Any], is_good: bool
) -> None:
    settings = {"extra_fields": ["/model/messages"], "rules": EDITOR_RULES}
    whole = schema(tmp_path, settings)
    assert [part["description"] for part in whole["allOf"]] == ["approved", "the law", "a role", "short"]
    assert jsonschema.Draft7Validator(whole).is_valid({**GOOD, **change}) is is_good


REQUIRED = {"dependentRequired": {"crm": ["owner"]}}
SCHEMAS = {"dependentSchemas": {"owner": {"required": ["since"]}}}


@pytest.mark.parametrize(
    ("judging", "verdicts"),
    [
        (REQUIRED, "yes no yes yes"),
        (SCHEMAS, "yes yes no yes"),
        ({**REQUIRED, **SCHEMAS, "allOf": [{"maxProperties": 2}]}, "yes no no no"),
        ({"$ref": "#/$defs/crm", "$defs": {"crm": REQUIRED}, "maxProperties": 2}, "yes no yes no"),
        ({"properties": {"list": {"contains": {"const": 1}, "minContains": 0}}}, "yes yes yes yes"),
    ],
)
def test_the_editors_schema_judges_as_validate_does(tmp_path: Path, judging: Any, verdicts: str) -> None:
    """In draft-07, some keywords have another name, or do not stand beside others."""
    values = {"list": [2]}, {"crm": 1}, {"crm": 1, "owner": 2}, {"crm": 1, "owner": 2, "since": 3}
    rule = {"id": "crm", "path": "/metadata", "schema": judging, "reason": "somebody owns it"}
    editor = jsonschema.Draft7Validator(schema(tmp_path, {"rules": [rule]}))
    for of, judge in (("editor", editor), ("validate", jsonschema.Draft202012Validator(judging))):
        found = (judge.is_valid(value if of == "validate" else {"id": "a", "metadata": value}) for value in values)
        assert " ".join("yes" if is_valid else "no" for is_valid in found) == verdicts, of


def schema(root: Path, settings: dict[str, Any], *options: str) -> Any:
    """What the command prints, in this process."""
    (root / "assistants").mkdir(exist_ok=True)
    (root / "reconciler.yaml").write_text(json.dumps(settings), "utf-8")
    result = CliRunner().invoke(reconciler, ["schema", *options, "--directory", str(root / "assistants")])
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.mark.parametrize("shared", ["overlay", "environments", "defaults"])
def test_what_another_file_may_declare_is_not_required_of_one(tmp_path: Path, shared: str) -> None:
    settings: dict[str, Any] = {"rules": EDITOR_RULES}
    if shared == "environments":
        settings["environments"] = {"a": {}}
    if shared == "defaults":
        (tmp_path / "assistants").mkdir()
        (tmp_path / "assistants" / "_defaults.yaml").write_text("endCallMessage: Bye\n")
    found = jsonschema.Draft7Validator(schema(tmp_path, settings, *(["--overlay"] if shared == "overlay" else [])))
    assert found.is_valid({"id": "a"})
    assert not found.is_valid({"id": "a", "endCallMessage": None})
