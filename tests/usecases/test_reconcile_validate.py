"""Checking definitions offline: every problem, `ignore` entries past their date among them."""

from json_reports import Document
from projects import Project

from reconciler.usecases.validate import validate


def validated(project: Project, *paths: str) -> Document:
    return project.document(validate([(project.settings, project.loaded(*paths))], started_at=project.started_at))


def test_valid_definitions_have_no_status(project: Project) -> None:
    project.write("a", id="asst_1", name="A")
    document = validated(project)
    assert document["command"] == "validate"
    assert (document["problems"], document["api_url"]) == ([], None)
    assert document["api_calls"] == {"GET": 0, "PATCH": 0, "POST": 0}
    (entry,) = document["assistants"]
    assert (entry["key"], entry["id"], entry["name"], entry["status"]) == ("a", "asst_1", "A", None)


def test_problems_stand_in_the_order_of_files_and_lines(project: Project) -> None:
    project.write("b", "id: asst_2\nname: 1\nnme: x\n")
    project.write("a", "id: asst_1\nfirstMessage: 'Hi '\n")
    document = validated(project)
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
    (problem,) = validated(project)["problems"]
    assert (problem["file"], problem["line"], problem["severity"]) == ("reconciler.yaml", 3, "error")
    assert "ignore metadata.crm expired on 2020-01-31" in problem["message"]
