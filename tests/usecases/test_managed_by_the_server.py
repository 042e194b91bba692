"""Keys that the server manages (`never_send`), and texts that it keeps with other line ends (`line_endings: any`)."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Meddle, Request, json_answer
from commands import connection_variables, run
from histories import commit_as, setters
from projects import MODEL, Project, only_assistant, outcomes, paths, statuses
from servers import Sandbox, running_sandbox
from stories import Story, story

LIVE: dict[str, Any] = {
    "a": {"firstMessage": "old", "model": {**MODEL, "revision": 1}},
    "b": {"firstMessage": "old", "model": {**MODEL, "revision": 1}},
}
LF, CRLF = "Be kind.\nBe short.\n", "Be kind.\r\nBe short.\r\n"


def strict_server(sandbox: Sandbox) -> Meddle:
    """A server that refuses its own key in a body, and moves it with every write and every reading."""

    def meddle(request: Request, forward: Forward) -> Answer:
        if "revision" in request.body.decode():
            return json_answer(400, {"error": "revision cannot be written"})
        answer = forward(request)
        if request.path.startswith("/assistants/"):
            live = sandbox.live(request.path.rpartition("/")[2])
            sandbox.edit(live["id"], model={**live["model"], "revision": live["model"].get("revision", 0) + 1})
        return answer

    return meddle


def crlf_server(sandbox: Sandbox) -> Meddle:
    """A server that keeps every text with CRLF."""

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == "PATCH":
            body = request.body.replace(b"\\r\\n", b"\\n").replace(b"\\n", b"\\r\\n")
            return forward(dataclasses.replace(request, body=body))
        return forward(request)

    return meddle


@contextlib.contextmanager
def open_story(folder: Path, live: dict[str, Any], **settings: Any) -> Iterator[Story]:
    with story(folder / "project", live) as repo:
        repo.project.configure(**settings)
        yield repo


@pytest.mark.parametrize("path", ["/model/revision", "/*/revision"])
def test_what_the_server_manages_is_sent_by_nobody_and_missed_by_nobody(tmp_path: Path, path: str) -> None:
    with open_story(tmp_path, LIVE, never_send=[path]) as repo:
        for name in LIVE:
            repo.write(name, model={"temperature": 0.6})
        repo.commit()
        with repo.intercept(strict_server(repo.sandbox)):
            document = repo.apply()
            assert outcomes(document) == {"a": "applied", "b": "applied"}
            assert [entry["warnings"] for entry in document["assistants"]] == [[], []]
            assert all("revision" not in patch["model"] for patch in repo.sandbox.patches)
            assert set(outcomes(repo.rollback({**document, "api_url": repo.url})).values()) == {"applied"}


def test_without_the_setting_such_a_model_cannot_be_written(tmp_path: Path) -> None:
    with open_story(tmp_path, LIVE) as repo:
        repo.write("a", model={"temperature": 0.6})
        repo.commit()
        with repo.intercept(strict_server(repo.sandbox)):
            assert outcomes(repo.apply())["a"] == "refused"  # stale, in every run


def test_keys_inside_list_elements_too(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Hi", "id": 1}, {"role": "user", "content": "Yo", "id": 2}]
    live = {"a": {"model": {**MODEL, "messages": messages}}}
    settings = {"extra_fields": ["/model/messages"], "never_send": ["/model/messages/*/id"]}
    with open_story(tmp_path, live, **settings) as repo:
        declared = [{"role": "system", "content": "Hello"}, {"role": "user", "content": "Yo"}]
        repo.write("a", model={"messages": declared})
        repo.commit()
        document = repo.apply()
        assert only_assistant(document)["warnings"] == []
        assert repo.sandbox.patches == [{"model": {**MODEL, "messages": declared}}]


def test_a_definition_cannot_declare_it(project: Project) -> None:
    project.configure(never_send=["/model/revision", "/metadata/*/etag"])
    text = "id: asst_a\nmodel:\n  temperature: 0.6\nmetadata:\n  crm:\n    etag: null\n    queue: x\n"
    project.write("a", text.replace("  temperature", "  revision: 2\n  temperature"))
    assert [
        str(problem).partition(" is listed under never_send")[0] for problem in project.load_definitions().problems
    ] == [
        "assistants/a.yaml:3:3: model.revision",
        "assistants/a.yaml:7:5: metadata.crm.etag",
    ]


def test_an_environment_adds_its_own(tmp_path: Path) -> None:
    environments = {"staging": {"never_send": ["/metadata/etag"], "line_endings": "any"}}
    with open_story(tmp_path, LIVE, never_send=["/model/revision"], environments=environments) as repo:
        chosen = repo.project.settings.choose("staging")
    assert (chosen.never_send, chosen.line_endings) == ((("model", "revision"), ("metadata", "etag")), "any")


def test_import_leaves_out_what_the_server_manages(tmp_path: Path) -> None:
    live = {"a": {"name": "Desk", "firstMessage": CRLF, "metadata": {"etag": "x", "owner": "dean"}}}
    with open_story(tmp_path, live, never_send=["/metadata/etag"], line_endings="any") as repo:
        result = repo.run("import", "asst_a")
        text = (repo.project.folder / "desk.yaml").read_text("utf-8")
        assert result.code == 0, result.stderr
        assert "etag" not in text
        assert "firstMessage: |\n  Be kind.\n  Be short.\n" in text
        assert statuses(repo.plan()) == {"desk": "in_sync"}


@pytest.mark.parametrize(("setting", "status"), [("any", "in_sync"), ("exact", "pending"), (None, "pending")])
def test_line_ends_are_a_difference_unless_a_setting_says_otherwise(
    project: Project, setting: str | None, status: str
) -> None:
    project.configure(**({"line_endings": setting} if setting else {}))
    project.write("a", id="asst_a", firstMessage=LF, metadata={"rules": [LF, {"text": LF}]})
    live = {"firstMessage": CRLF, "metadata": {"rules": [CRLF, {"text": CRLF, "own": CRLF}], "own": CRLF}}
    with running_sandbox({"asst_a": live}) as sandbox:
        assert statuses(project.plan(sandbox.url)) == {"a": status}


def test_a_live_edit_of_such_a_text_is_drift_and_is_pulled_without_escapes(tmp_path: Path) -> None:
    with open_story(tmp_path, {"a": {"firstMessage": LF}}, line_endings="any") as repo:
        repo.write("a", "id: asst_a\nfirstMessage: |  # as the dean wants it\n  Be kind.\n  Be short.\n")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage=CRLF)
        assert statuses(repo.report("drift")) == {"a": "in_sync"}
        repo.sandbox.edit("asst_a", firstMessage=CRLF + "Bye.\r\n")
        assert paths(repo.report("drift")) == ["/firstMessage drift"]
        assert repo.run("pull").code == 0
        text = (repo.project.folder / "a.yaml").read_text("utf-8")
        assert text == "id: asst_a\nfirstMessage: |  # as the dean wants it\n  Be kind.\n  Be short.\n  Bye.\n"
        assert statuses(repo.plan()) == {"a": "in_sync"}


def test_delete_keeps_the_whole_last_reading(tmp_path: Path) -> None:
    live = {"a": {"name": "Old", "firstMessage": CRLF, "metadata": {"etag": 7}}}
    with open_story(tmp_path, live, never_send=["/metadata/etag"], line_endings="any") as repo:
        repo.write("a", name="Old", firstMessage=LF)
        repo.commit()
        last = repo.sandbox.live("asst_a")
        document = repo.report("delete", "assistants/a.yaml", "--yes", "--name", "Old")
        assert only_assistant(document)["outcome"] == "deleted"
        assert only_assistant(document)["last"] == last


def test_git_may_change_a_text_that_live_has_with_other_line_ends(tmp_path: Path) -> None:
    with open_story(
        tmp_path, {"a": {"firstMessage": LF, "metadata": {"own": CRLF, "ours": "x"}}}, line_endings="any"
    ) as repo:
        repo.write("a", firstMessage=LF, metadata={"ours": "x"})
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage=CRLF)
        repo.write("a", firstMessage=LF + "Bye.\n", metadata={"ours": "y"})
        repo.commit()
        assert paths(repo.plan()) == ["/firstMessage change", "/metadata/ours change"]
        assert outcomes(repo.apply_and_record()) == {"a": "applied"}
        # What nobody declared goes back as it came.
        assert repo.sandbox.patches[-1] == {"firstMessage": LF + "Bye.\n", "metadata": {"own": CRLF, "ours": "y"}}


def test_a_server_that_keeps_crlf_has_what_was_written(tmp_path: Path) -> None:
    with open_story(tmp_path, {"a": {"firstMessage": "old\r\n"}}, line_endings="any") as repo:
        repo.write("a", firstMessage=LF)
        repo.commit()
        with repo.intercept(crlf_server(repo.sandbox)):
            document = repo.apply_and_record()
            assert outcomes(document) == {"a": "applied"}
            assert repo.sandbox.live("asst_a")["firstMessage"] == CRLF
            assert statuses(repo.plan()) == {"a": "in_sync"}
            assert outcomes(repo.rollback({**document, "api_url": repo.url})) == {"a": "applied"}
            assert repo.sandbox.live("asst_a")["firstMessage"] == "old\r\n"


def test_an_unclear_write_is_sent_again_over_other_line_ends(project: Project) -> None:
    project.configure(line_endings="any")
    project.write("a", id="asst_a", firstMessage=LF)
    with running_sandbox({"asst_a": {"firstMessage": "old\r\nx"}}, faults=["1st PATCH *: 503"]) as sandbox:
        assert outcomes(project.apply(sandbox.url)) == {"a": "applied"}


def test_a_server_that_keeps_32_bits_has_what_was_written(project: Project) -> None:
    project.write("a", id="asst_a", model={"temperature": 0.4})
    with running_sandbox({"asst_a": {"model": {**MODEL, "temperature": 0.5}}}) as sandbox:
        assert outcomes(project.apply(sandbox.url)) == {"a": "applied"}
        sandbox.edit("asst_a", model={**MODEL, "temperature": 0.4000000059604645})
        assert statuses(project.plan(sandbox.url)) == {"a": "in_sync"}
        result = run("apply", "--yes", cwd=project.root, env=connection_variables(sandbox))
        assert (result.code, len(sandbox.patches)) == (0, 1)


def test_history_blame_and_environments_do_not_count_line_ends_either(tmp_path: Path) -> None:
    environments = {name: {"api_url": f"http://localhost:1/{name}", "overlay": name} for name in ("one", "two")}
    with open_story(tmp_path, {"a": {"firstMessage": "old"}}, line_endings="any", environments=environments) as repo:
        repo.write("a", firstMessage=LF, name="First")
        repo.commit()
        repo.apply_and_record()
        repo.write("a", firstMessage=LF + "Bye.\n", name="First")
        ada = commit_as(repo, "Ada")
        repo.write("a", firstMessage=CRLF + "Bye.\r\n", name="Second")
        commit_as(repo, "Bob")
        assert setters(repo.plan())["/firstMessage"] == ada
        repo.apply_and_record()
        repo.write("a", firstMessage=LF + "Bye.\n", name="Third")
        repo.commit()
        repo.apply_and_record()
        assert [*json.loads(repo.run("history", "--format", "json").stdout)[0]["changed"].values()] == [["/name"]]
        for name, text in (("one", LF), ("two", CRLF)):
            file = repo.root / name / "a.yaml"
            file.parent.mkdir()
            file.write_text(json.dumps({"id": f"asst_{name}", "firstMessage": text}), "utf-8")
        assert repo.run("diff", "--environment", "one", "--against", "two", "--detailed-exitcode").code == 0
