"""Checking definitions offline: every problem, `ignore` entries past their date among them."""

from typing import Any

from json_reports import Document
from projects import Project

from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import Form, read_forms
from reconciler.usecases.validate import validate


def run_validate(project: Project, *paths: str) -> Document:
    return project.document(
        validate([Form(project.settings, project.load_definitions(*paths))], started_at=project.started_at)
    )


def test_valid_definitions_have_no_status(project: Project) -> None:
    project.write("a", id="asst_1", name="A")
    document = run_validate(project)
    assert document["command"] == "validate"
    assert (document["problems"], document["api_url"]) == ([], None)
    assert document["api_calls"] == {"GET": 0, "PATCH": 0, "POST": 0}
    (entry,) = document["assistants"]
    assert (entry["key"], entry["id"], entry["name"], entry["status"]) == ("a", "asst_1", "A", None)


def test_problems_stand_in_the_order_of_files_and_lines(project: Project) -> None:
    project.write("b", "id: asst_2\nname: 1\nnme: x\n")
    project.write("a", "id: asst_1\nfirstMessage: 'Hi '\n")
    document = run_validate(project)
    assert [(found["file"], found["line"], found["severity"]) for found in document["problems"]] == [
        ("assistants/a.yaml", 2, "warning"),
        ("assistants/b.yaml", 2, "error"),
        ("assistants/b.yaml", 3, "error"),
    ]
    assert document["summary"]["error"] == 1
    assert [entry["status"] for entry in document["assistants"]] == [None, "error"]


def test_an_ignore_entry_past_its_date_is_a_problem_with_its_place(project: Project) -> None:
    project.write("a", id="asst_1", name="A")
    (project.root / "reconciler.yaml").write_text(
        "ignore:\n"
        "  - {path: /name, reason: fine, expires: 2999-01-01}\n"
        "  - path: /metadata/crm\n"
        "    reason: set by the CRM\n"
        "    expires: 2020-01-31\n"
    )
    expired, unmatched = run_validate(project)["problems"]
    for problem, severity in ((expired, "error"), (unmatched, "warning")):
        place = (problem["file"], problem["line"], problem["column"], problem["severity"])
        assert place == ("reconciler.yaml", 3, 5, severity)
    assert "ignore metadata.crm expired on 2020-01-31" in expired["message"]
    assert "ignore metadata.crm matches nothing in any definition" in unmatched["message"]


def test_an_entry_may_last_until_the_end_of_all_dates(project: Project) -> None:
    project.write("a", id="asst_1", name="A")
    project.configure(ignore=[{"path": "name", "reason": "for ever", "expires": "9999-12-31"}])
    assert run_validate(project)["next_expiry"]["expires"] == "9999-12-31"


def test_a_secret_that_no_definition_declares_is_told_and_fails_nothing(project: Project) -> None:
    project.write("a", "id: asst_1\nmetadata: {crmKey: k}\n")
    project.configure(sensitive=["metadata.crmKey", "metadata.crmkey"])
    document = run_validate(project)
    (warning,) = document["warnings"]
    assert warning == (
        "sensitive metadata.crmkey matches nothing in any definition: check its spelling, unless only live has it"
    )
    assert document["problems"] == []


def test_an_entry_that_matches_nothing_in_any_environment_is_a_warning_at_its_place(project: Project) -> None:
    (project.root / "environments" / "staging").mkdir(parents=True)
    project.write("a", "id: asst_1\nname: A\n")
    project.overlay("staging", "a", "metadata: {crm: 1}\n")
    (project.root / "reconciler.yaml").write_text(
        "ignore:\n"
        "  - {path: metadata.crm, reason: only staging has it}\n"
        "  - {path: metadata.crn, reason: a slip}\n"
        "frozen:\n"
        "  - {assistants: [assistants/a.yaml], reason: a slip}\n"
        "rules:\n"
        "  - {id: r, path: name, required: true, reason: why, assistants: [b]}\n"
        "lints: {spoken-link: {level: none, assistants: [b]}}\n"
        "environments:\n"
        "  staging:\n"
        "    api_url: https://staging.example/api\n"
        "    overlay: environments/staging\n"
        "    enforce: [{path: voice, reason: a slip}]\n"
        "  production: {api_url: 'https://agents.example/api'}\n"
    )

    def problems(*paths: str) -> list[Any]:
        options = Choices(directory=project.folder, paths=tuple(project.folder / path for path in paths))
        found: list[Any] = project.document(validate(read_forms(options), started_at=project.started_at))["problems"]
        return found

    found = [(problem["line"], problem["column"], problem["severity"]) for problem in problems()]
    assert found == [(line, column, "warning") for line, column in ((3, 5), (5, 5), (7, 5), (8, 9), (13, 15))]
    # Of a few files nobody knows what the others say, nor what a broken one does. But its name is known.
    assert problems("a.yaml") == []
    project.write("b", "id: asst_2\nname: [\n")
    broken, unmatched = problems()
    assert broken["file"] == "assistants/b.yaml"
    assert (unmatched["file"], unmatched["line"]) == ("reconciler.yaml", 5)
