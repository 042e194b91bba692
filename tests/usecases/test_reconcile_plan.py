"""Reading every assistant once: what is asked, what each assistant gets, and what does not stop the others."""

from typing import Any

import pytest
from between import Answer, Forward, Request, between, error_answer
from leaks import PASSWORD
from projects import MODEL, Project, kinds, only_assistant, paths, statuses
from servers import running_sandbox


def test_one_login_and_one_reading_each(project: Project) -> None:
    project.write("a", id="asst_1", model=MODEL)
    project.write("b/c", id="local_asst_2", name="Other")
    with running_sandbox({"asst_1": {"model": MODEL}, "asst_2": {"name": "Two"}}) as sandbox:
        document = project.plan(sandbox.url)
        assert sorted(sandbox.requests, key=lambda request: request[:2]) == [
            ("GET", "/assistants/asst_1", None),
            ("GET", "/assistants/local_asst_2", None),
            ("POST", "/auth/login", {"email": "admin@sandbox.test", "password": PASSWORD}),
        ]
        assert sandbox.requests[0][0] == "POST"
    assert document["api_calls"] == {"GET": 2, "PATCH": 0, "POST": 1}
    assert statuses(document) == {"a": "in_sync", "b/c": "pending"}


def test_paths_select_what_is_read(project: Project) -> None:
    for key in ("one", "team/two", "team/three"):
        project.write(key, id=f"asst_{key.rpartition('/')[2]}", name="New")
    project.write("broken", "id: [")
    with running_sandbox({f"asst_{name}": {} for name in ("one", "two", "three")}) as sandbox:
        assert statuses(project.plan(sandbox.url, "team")) == {"team/three": "pending", "team/two": "pending"}
        assert statuses(project.plan(sandbox.url, "one.yaml")) == {"one": "pending"}
        assert [path for method, path, _ in sandbox.requests if method == "GET"][2:] == ["/assistants/asst_one"]


def test_what_cannot_be_read_does_not_stop_the_others(project: Project) -> None:
    for key in ("forbidden", "good", "missing", "overloaded", "server", "strange"):
        project.write(key, id=f"asst_{key}", name="New")
    project.write("invalid", "id: asst_invalid\nnme: x\n")
    fails = {"/assistants/asst_forbidden": 403, "/assistants/asst_overloaded": 429, "/assistants/asst_server": 500}

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.path in fails:
            return error_answer(fails[request.path])
        answer = forward(request)
        return answer.with_body([]) if request.path.endswith("strange") else answer

    seed: dict[str, Any] = {
        f"asst_{key}": {} for key in ("forbidden", "good", "overloaded", "server", "strange", "invalid")
    }
    with running_sandbox(seed) as sandbox, between(sandbox, meddle) as server:
        document = project.plan(server.url)
    assert statuses(document) == {
        "forbidden": "error",
        "good": "pending",
        "invalid": "error",
        "missing": "missing",
        "overloaded": "error",
        "server": "error",
        "strange": "error",
    }
    assert kinds(document) == {
        "forbidden": "forbidden",
        "good": None,
        "invalid": "invalid",
        "missing": "not_found",
        "overloaded": "rate_limited",
        "server": "server",
        "strange": "protocol",
    }
    by_key = {entry["key"]: entry["error"] for entry in document["assistants"]}
    assert by_key["missing"]
    assert by_key["missing"]["status"] == 404
    assert "check that the id" in by_key["missing"]["message"]
    assert by_key["invalid"]
    assert by_key["invalid"]["message"] == "line 2: unknown field nme; did you mean name?"
    assert (document["summary"]["total"], document["summary"]["error"], document["summary"]["missing"]) == (7, 5, 1)


def test_two_ids_of_one_assistant_are_duplicates_of_each_other(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", id="local_asst_1", name="Newer")
    project.write("c", id="asst_2", name="New")
    with running_sandbox({"asst_1": {}, "asst_2": {}}) as sandbox:
        document = project.plan(sandbox.url)
    assert statuses(document) == {"a": "error", "b": "error", "c": "pending"}
    assert kinds(document) == {"a": "duplicate", "b": "duplicate", "c": None}
    first, second, _ = document["assistants"]
    assert first["error"]
    assert second["error"]
    assert "assistants/b.yaml" in first["error"]["message"]
    assert "assistants/a.yaml" in second["error"]["message"]
    assert (first["patch"], first["changes"], first["digest"]) == (None, [], None)


def test_a_definition_that_nobody_selected_has_its_assistant_all_the_same(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", id="local_asst_1", name="Newer")
    project.write("c", id="local_asst_2", name="New")
    with running_sandbox({"asst_1": {}, "asst_2": {}}) as sandbox:
        document = project.plan(sandbox.url, "b.yaml", "c.yaml")
    assert kinds(document) == {"b": "duplicate", "c": None}


def test_the_same_id_in_two_files_is_a_problem_of_the_files(project: Project) -> None:
    project.write("a", id="asst_1", name="New")
    project.write("b", id="asst_1", name="New")
    project.write("c", id="asst_2", name="New")
    with running_sandbox({"asst_1": {}, "asst_2": {}}) as sandbox:
        document = project.plan(sandbox.url)
        assert [path for method, path, _ in sandbox.requests if method == "GET"] == ["/assistants/asst_2"]
    assert kinds(document) == {"a": "duplicate", "b": "duplicate", "c": None}
    assert [problem["file"] for problem in document["problems"]] == ["assistants/a.yaml", "assistants/b.yaml"]


@pytest.mark.parametrize(("live", "message"), [("org_b", "organisation 'org_b'"), (None, "no organisation")])
def test_an_assistant_of_another_organisation_is_not_ours(project: Project, live: str | None, message: str) -> None:
    project.configure(org_id="org_a")
    project.write("a", id="asst_1", name="New")
    project.write("b", id="asst_2", name="New")
    with running_sandbox({"asst_1": {"orgId": live}, "asst_2": {"orgId": "org_a"}}) as sandbox:
        document = project.plan(sandbox.url)
    assert kinds(document) == {"a": "forbidden", "b": None}
    error = document["assistants"][0]["error"]
    assert error
    assert message in error["message"]
    assert document["assistants"][0]["patch"] is None


def test_a_new_object_that_lacks_what_the_api_requires_is_invalid(project: Project) -> None:
    project.write("a", id="asst_1", model={"temperature": 0.5})
    with running_sandbox({"asst_1": {"model": None}}) as sandbox:
        document = project.plan(sandbox.url)
    error = only_assistant(document)["error"]
    assert error
    assert (error["kind"], error["status"]) == ("invalid", None)
    assert "declare model.provider and model.model as well" in error["message"]


def test_ignored_differences_are_listed_and_not_planned(project: Project) -> None:
    rule = {"path": "/metadata/crm", "assistants": ["team/*"], "reason": "set by the CRM", "expires": "2999-01-31"}
    project.configure(ignore=[rule])
    for key, id_ in (("team/a", "asst_1"), ("b", "asst_2")):
        project.write(key, id=id_, metadata={"crm": "ours", "team": "x"})
    live = {"metadata": {"crm": "theirs", "team": "x"}}
    with running_sandbox({"asst_1": live, "asst_2": live}) as sandbox:
        document = project.plan(sandbox.url)
        drifted = project.drift(sandbox.url)
    assert statuses(document) == {"b": "pending", "team/a": "in_sync"}
    assert statuses(drifted) == {"b": "drifted", "team/a": "in_sync"}
    ignored = [{"path": "/metadata/crm", "reason": "set by the CRM", "expires": "2999-01-31"}]
    assert document["assistants"][1]["ignored"] == drifted["assistants"][1]["ignored"] == ignored
    assert document["assistants"][1]["patch"] is None
    assert document["warnings"] == []


def test_an_entry_that_matches_nothing_is_told_in_whole_runs_only(project: Project) -> None:
    project.configure(ignore=[{"path": "/metadata/crm", "reason": "set by the CRM"}])
    project.write("a", id="asst_1", name="Same")
    with running_sandbox({"asst_1": {"name": "Same"}}) as sandbox:
        (note,) = project.plan(sandbox.url)["warnings"]
        assert "ignore metadata.crm matches nothing" in note
        assert project.plan(sandbox.url, "a.yaml")["warnings"] == []
        project.write("b", "id: asst_2\nmetadata: {crm: 1\n")
        assert project.plan(sandbox.url)["warnings"] == [], "what an invalid file declares is not known"


def test_an_entry_past_its_date_is_a_warning_and_still_obeyed(project: Project) -> None:
    project.configure(ignore=[{"path": "/name", "reason": "renamed by hand", "expires": "2020-01-31"}])
    project.write("a", id="asst_1", name="Ours")
    with running_sandbox({"asst_1": {"name": "Theirs"}}) as sandbox:
        document = project.plan(sandbox.url)
    assert statuses(document) == {"a": "in_sync"}
    (note,) = document["warnings"]
    assert "ignore name expired on 2020-01-31" in note


def test_extra_fields_are_compared_and_sent(project: Project) -> None:
    project.configure(extra_fields=["/model/messages", "/tools"])
    messages = [{"role": "system", "content": "Be kind."}]
    project.write("a", id="asst_1", model={**MODEL, "messages": messages}, tools=["x"])
    live = {"model": {**MODEL, "messages": [{"role": "system", "content": "Be rude.", "seed": 1}]}, "tools": ["x"]}
    with running_sandbox({"asst_1": live}) as sandbox:
        document = project.plan(sandbox.url)
    assert paths(document) == ["/model/messages change"]
    entry = only_assistant(document)
    assert entry["patch"] == {"model": {**MODEL, "messages": messages}}
    assert entry["warnings"] == [
        "model.messages[0].seed is live but not declared, and sending its list element removes it"
    ]


def test_nothing_new_is_read_once_the_run_is_stopping(project: Project) -> None:
    for number in range(5):
        project.write(f"a{number}", id=f"asst_{number}", name="New")
    with running_sandbox({f"asst_{number}": {} for number in range(5)}) as sandbox:
        document = project.plan(sandbox.url, concurrency=1, stopping=lambda: len(sandbox.requests) > 2)
    assert list(statuses(document).values()) == ["pending", "pending", None, None, None]
    assert [entry["error"] for entry in document["assistants"]] == [None] * 5


def test_a_progress_report_for_each_assistant(project: Project) -> None:
    for number in range(3):
        project.write(f"a{number}", id=f"asst_{number}")
    progress: list[tuple[int, int]] = []
    with running_sandbox({f"asst_{number}": {} for number in range(3)}) as sandbox:
        project.plan(sandbox.url, progress=lambda done, total: progress.append((done, total)))
    assert progress == [(1, 3), (2, 3), (3, 3)]
