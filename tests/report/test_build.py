"""From a run to the document of the contract's section 7: every field, sorted, added up, masked."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, between, json_answer
from json_reports import AssistantEntry, Document, as_report
from projects import MODEL, Project, only_assistant
from rendered import render_markdown, render_text
from servers import running_sandbox

from reconciler import __version__
from reconciler.core.json_values import to_json
from reconciler.core.outcome import Outcome
from reconciler.report.build import STATUSES
from reconciler.report.json_text import parse_report, render_json

DEFINITION = """\
# The desk of admissions.
id: asst_1
name: Enrollment Assistant   # as in the dashboard
firstMessage: |-
  Hi.

  Bye.
model:
  provider: openai
  model: gpt-4o

  temperature: 0.6
metadata: {team: new,
  "a/b~c": 1}
endCallPhrases:
  - bye
voicemailMessage: null
"""
LIVE: dict[str, Any] = {
    "name": "Enrollment Assistant",
    "firstMessage": "Hi.",
    "model": MODEL,
    "metadata": {"team": "old"},
    "endCallPhrases": ["bye", "so long"],
    "voicemailMessage": "Call back",
    "updatedAt": "2024-01-02T12:00:00Z",
}


@pytest.fixture
def planned_document(project: Project) -> Document:
    project.write("admissions/enrollment", DEFINITION)
    with running_sandbox({"asst_1": LIVE}) as sandbox:
        return project.plan(sandbox.url)


def test_every_field_of_the_document(planned_document: Document) -> None:
    assert planned_document["format_version"] == 1
    assert planned_document["tool_version"] == __version__
    assert planned_document["command"] == "plan"
    assert planned_document["api_url"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api", planned_document["api_url"])
    assert (
        planned_document["environment"],
        planned_document["offline"],
        planned_document["head"],
        planned_document["base"],
    ) == (None, False, None, None)
    assert planned_document["options"] == {"on_drift": "keep", "force_conflicts": False}
    assert planned_document["api_calls"] == {"GET": 1, "PATCH": 0, "POST": 1}
    assert (planned_document["warnings"], planned_document["problems"]) == ([], [])
    for moment in (planned_document["started_at"], planned_document["finished_at"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment)
    assert planned_document["started_at"] <= planned_document["finished_at"]
    none = {str(name): 0 for name in (*STATUSES, *Outcome)}
    assert planned_document["summary"] == {**none, "total": 1, "pending": 1}


def test_every_field_of_an_assistant(planned_document: Document) -> None:
    entry = only_assistant(planned_document)
    changes, patch, digest = entry["changes"], entry["patch"], entry["digest"]
    assert {**entry, "changes": [], "patch": None, "digest": None} == {
        "key": "admissions/enrollment",
        "file": "assistants/admissions/enrollment.yaml",
        "id": "asst_1",
        "name": "Enrollment Assistant",
        "status": "pending",
        "outcome": None,
        "changes": [],
        "released": [],
        "ignored": [],
        "patch": None,
        "digest": None,
        "live_updated_at": "2024-01-02T12:00:00Z",
        "remaining": [],
        "warnings": [],
        "error": None,
    }
    assert digest
    assert changes == [
        {
            "path": "/endCallPhrases",
            "kind": "change",
            "sent": True,
            "line": 15,
            "live": ["bye", "so long"],
            "desired": ["bye"],
        },
        {"path": "/firstMessage", "kind": "change", "sent": True, "line": 4, "live": "Hi.", "desired": "Hi.\n\nBye."},
        {"path": "/metadata/a~1b~0c", "kind": "change", "sent": True, "line": 14, "desired": 1},
        {"path": "/metadata/team", "kind": "change", "sent": True, "line": 13, "live": "old", "desired": "new"},
        {"path": "/model/temperature", "kind": "change", "sent": True, "line": 12, "live": 0.7, "desired": 0.6},
        {"path": "/voicemailMessage", "kind": "change", "sent": True, "line": 17, "live": "Call back", "desired": None},
    ]
    assert patch == {
        "firstMessage": "Hi.\n\nBye.",
        "model": {**MODEL, "temperature": 0.6},
        "metadata": {"team": "new", "a/b~c": 1},
        "endCallPhrases": ["bye"],
        "voicemailMessage": None,
    }


def test_what_a_side_lacks_is_left_out_and_a_null_is_not(project: Project) -> None:
    project.write("a", id="asst_1", name="New", firstMessage="Hi", voicemailMessage="Call")
    base = {"name": None, "voicemailMessage": "Base"}
    with running_sandbox({"asst_1": {"firstMessage": None, "name": "Live"}}) as sandbox:
        entry = only_assistant(project.plan(sandbox.url, base=base))
    first, name, voicemail = entry["changes"]
    assert (first["path"], first["live"], "base" in first) == ("/firstMessage", None, False)
    assert (name["base"], name["live"]) == (None, "Live")
    assert (voicemail["base"], "live" in voicemail) == ("Base", False)


def test_assistants_are_sorted_by_file_and_counts_add_up(project: Project) -> None:
    for key, id_ in {"b/z": "asst_1", "a": "asst_2", "b.c": "asst_3", "missing": "asst_4"}.items():
        project.write(key, id=id_, name="Same")
    project.write("aa", "id: [\n")
    with running_sandbox({"asst_1": {"name": "Same"}, "asst_2": {"name": "Old"}}) as sandbox:
        document = project.plan(sandbox.url)
    files = [entry["file"] for entry in document["assistants"]]
    assert files == sorted(files)
    assert len(files) == 5
    counts = document["summary"]
    assert sum(counts[status] for status in STATUSES) == counts["total"] == 5
    assert (counts["in_sync"], counts["pending"], counts["missing"], counts["error"]) == (1, 1, 2, 1)


def test_a_name_comes_from_the_definition_else_from_live(project: Project) -> None:
    project.write("a", id="asst_1", name="Declared")
    project.write("b", id="asst_2")
    project.write("c", id="asst_3")
    seed: dict[str, Any] = {"asst_1": {"name": "Live"}, "asst_2": {"name": "Live"}, "asst_3": {"name": None}}
    with running_sandbox(seed) as sandbox:
        document = project.plan(sandbox.url)
    assert [entry["name"] for entry in document["assistants"]] == ["Declared", "Live", None]


def test_a_digest_is_stable_and_follows_what_would_be_written(project: Project) -> None:
    def digest(temperature: float, live: dict[str, Any]) -> str | None:
        project.write("a", id="asst_1", model={"temperature": temperature})
        with running_sandbox({"asst_1": live}) as sandbox:
            found: str | None = only_assistant(project.plan(sandbox.url))["digest"]
            return found

    one = digest(0.6, {"model": MODEL})
    assert one == digest(0.6, {"model": MODEL, "firstMessage": "Hi", "updatedAt": "2030-01-01T00:00:00Z"})
    others = {
        digest(0.5, {"model": MODEL}),
        digest(0.6, {"model": {**MODEL, "temperature": 0.8}}),
        digest(0.6, {"model": {**MODEL, "messages": []}}),
    }
    assert len({one, *others}) == 4
    assert digest(0.7, {"model": MODEL}) is None


SECRETS = ["hush-desired-key", "hush-live-key", "hush-base-key", "hush-deep"]


def sensitive_documents(project: Project) -> list[Document]:
    project.configure(sensitive=["/metadata/crmKey", "/metadata/list/*/key", "/firstMessage"], org_id="org_sandbox")
    project.write(
        "a",
        id="asst_1",
        firstMessage="hush-desired-key",
        metadata={"crmKey": "hush-desired-key", "list": [{"key": "hush-deep", "n": 1}], "team": "new"},
    )
    live = {
        "firstMessage": "hush-live-key",
        "metadata": {"crmKey": "hush-live-key", "list": [{"key": "hush-live-key", "n": 2}], "other": 1},
    }
    base = {"metadata": {"crmKey": "hush-base-key"}}

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == "PATCH":
            return json_answer(400, {"error": f"bad: {request.body.decode()}"})
        return forward(request)

    documents = []
    with running_sandbox({"asst_1": live}) as sandbox, between(sandbox, meddle) as server:
        documents.append(project.plan(sandbox.url))
        documents.append(project.plan(sandbox.url, base=base))
        documents.append(project.drift(sandbox.url))
        documents.append(project.apply(server.url))
        documents.append(project.apply(sandbox.url))
    return documents


def test_sensitive_values_are_masked_in_every_format(project: Project) -> None:
    documents = sensitive_documents(project)
    for document in documents:
        for text in (
            json.dumps(document),
            render_json(as_report(document)),
            render_text(as_report(document), width=100),
            render_text(as_report(document), colour=True),
            render_markdown(as_report(document)),
        ):
            for secret in SECRETS:
                assert secret not in text
    entry = only_assistant(documents[0])
    assert entry["patch"] == {
        "firstMessage": "(sensitive)",
        "metadata": {
            "crmKey": "(sensitive)",
            "list": [{"key": "(sensitive)", "n": 1}],
            "other": 1,
            "team": "new",
        },
    }
    by_path = {change["path"]: change for change in entry["changes"]}
    assert (by_path["/metadata/crmKey"]["desired"], by_path["/metadata/crmKey"]["live"]) == ("(sensitive)",) * 2
    assert by_path["/metadata/team"]["desired"] == "new"
    assert only_assistant(documents[1])["changes"][1]["base"] == "(sensitive)"
    assert [only_assistant(document)["outcome"] for document in documents] == [None, None, None, "failed", "applied"]


def test_a_sensitive_value_that_does_not_differ_is_masked_where_the_api_quotes_it(project: Project) -> None:
    project.configure(sensitive=["/metadata/crmKey", "/metadata/pin"])
    project.write("a", id="asst_1", name="New", metadata={"pin": 91827364})
    live = {"name": "Old", "metadata": {"crmKey": "hush-live-key", "pin": 91827364}}

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == "PATCH":
            return json_answer(400, {"error": f"not allowed now: {json.dumps(live)}"})
        return forward(request)

    with running_sandbox({"asst_1": live}) as sandbox, between(sandbox, meddle) as server:
        entry = only_assistant(project.apply(server.url))
    assert entry["error"] is not None
    assert '{"crmKey": "(sensitive)", "pin": (sensitive)}' in entry["error"]["message"]


def test_a_digest_says_nothing_about_a_sensitive_value(project: Project) -> None:
    project.configure(sensitive=["/metadata/crmKey"])

    def entry(key: str, moment: str) -> AssistantEntry:
        project.write("a", id="asst_1", metadata={"crmKey": key})
        with running_sandbox({"asst_1": {"metadata": {"crmKey": f"{key}-old"}, "updatedAt": moment}}) as sandbox:
            return only_assistant(project.plan(sandbox.url))

    one = entry("hush-1", "2024-01-01T00:00:00Z")["digest"]
    assert one == entry("hush-2", "2024-01-01T00:00:00Z")["digest"]
    assert one != entry("hush-1", "2024-01-02T00:00:00Z")["digest"]


def test_a_report_is_read_back_as_it_was_written(planned_document: Document) -> None:
    report = as_report(planned_document)
    assert to_json(report) == planned_document
    assert parse_report(render_json(report), name="report.json") == report


def test_files_are_named_from_the_repository_s_root(tmp_path: Path) -> None:
    project = Project(tmp_path / "repository")
    inner = copy.copy(project)
    inner.root, inner.folder = project.root / "agents", project.root / "agents" / "assistants"
    inner.folder.mkdir(parents=True)
    inner.write("team/a", id="asst_1", name="New")
    inner.write("b", "id: 7\n")
    with running_sandbox({"asst_1": {}}) as sandbox:
        document = inner.plan(sandbox.url)
    assert [(entry["key"], entry["file"]) for entry in document["assistants"]] == [
        ("b", "agents/assistants/b.yaml"),
        ("team/a", "agents/assistants/team/a.yaml"),
    ]
    assert [found["file"] for found in document["problems"]] == ["agents/assistants/b.yaml"]
