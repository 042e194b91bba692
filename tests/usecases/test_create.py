"""A new assistant out of a definition: one POST whatever the answer, then an id in the file or a word on how."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from between import Answer, Forward, Meddle, Request, error_answer, json_answer
from stories import Story, story
from two_environments import two_environments

NEW = """# Not there yet.
name: Newcomer   # as people call it
firstMessage: Good day
voicemailMessage: ~
model: {provider: openai, model: gpt-4o}
voice: {provider: openai, voiceId: alloy}
"""


def create_refused(repo: Story, *arguments: str | Path) -> str:
    """Try to create what cannot be, and return what is said; no request is sent."""
    repo.sandbox.forget_requests()
    result = repo.run("create", "--yes", *arguments)
    assert (result.code, result.stdout) == (1, "")
    assert repo.sandbox.requests == []
    return result.stderr


def test_the_id_becomes_the_first_key_and_nulls_are_not_sent(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        file = repo.project.folder / "new.yaml"
        file.write_bytes(("\ufeff" + NEW.replace("\n", "\r\n")).encode())
        result = repo.run("create", "--yes", file)
        text = file.read_bytes().decode()
        sent = repo.sandbox.posts
        last = repo.sandbox.requests[-1]
        new = yaml.safe_load(text)["id"]
        other = repo.run("create", "--yes", file)
    lines = NEW.splitlines()
    assert (result.code, result.stderr) == (0, f"Wrote the id {new} into assistants/new.yaml.\n")
    assert result.stdout.startswith(f"assistants/new.yaml: created\n  Newcomer ({new})\n")
    assert result.stdout.endswith("\nCreate: 1 created.\n")
    assert text == "\ufeff" + "\r\n".join([lines[0], f"id: {new}", *lines[1:], ""])
    declared = yaml.safe_load(NEW)
    assert sent == [{key: value for key, value in declared.items() if value is not None}]
    assert last == ("GET", f"/assistants/{new}", None)
    assert other.code == 1
    assert f"already has the id {new}" in other.stderr


def test_a_command_in_a_hint_is_about_the_same_project(tmp_path: Path) -> None:
    """What the user typed is part of it, so that it can be pasted. A variable holds for the next command as well."""
    with story(tmp_path / "work", {}) as repo:
        for folder, text in (("my bots", "name: New\n"), ("environments/staging", "id: asst_there\n")):
            (repo.root / folder).mkdir(parents=True)
            (repo.root / folder / "new.yaml").write_text(text)
        repo.project.configure(environments={"staging": {"overlay": "environments/staging"}})
        options = ("--directory", "my bots", "--environment", "staging")
        variables = {"RECONCILER_DIRECTORY": "my bots", "RECONCILER_ENVIRONMENT": "staging"}
        typed = repo.run("create", "--yes", "my bots/new.yaml", *options)
        by_variable = repo.run("create", "--yes", "my bots/new.yaml", env=variables)
    assert "`reconciler apply --directory 'my bots' --environment staging` updates it" in typed.stderr
    assert "`reconciler apply` updates it" in by_variable.stderr


def drop_request(_: Request, __: Forward) -> None:
    return None


def create_once(tmp_path: Path, answer: Meddle) -> str:
    """What a create shows that gets this answer; it is not repeated, and its definition stays as it is."""

    def meddle(request: Request, forward: Forward) -> Answer | None:
        creates = (request.method, request.path) == ("POST", "/assistants")
        return answer(request, forward) if creates else forward(request)

    with story(tmp_path / "work", {}) as repo, repo.intercept(meddle) as server:
        file = repo.write("new", NEW)
        result = repo.run("create", "--yes", file, "--retries", "3")
        creations = [request for request in server.requests("POST") if request.path == "/assistants"]
        text = file.read_text("utf-8")
    assert (result.code, result.stderr, len(creations), text) == (1, "", 1, NEW)
    return result.stdout


def drop_answer(request: Request, forward: Forward) -> None:
    forward(request)


def answer_after_create(answer: Answer) -> Meddle:
    """Let the API create the assistant, and answer something else."""

    def meddle(request: Request, forward: Forward) -> Answer:
        forward(request)
        return answer

    return meddle


@pytest.mark.parametrize(
    "answer",
    [
        drop_request,
        drop_answer,
        answer_after_create(error_answer(500)),
        answer_after_create(error_answer(502)),
        answer_after_create(error_answer(503)),
        answer_after_create(json_answer(200, b"<html>welcome</html>", content_type="text/html")),
        answer_after_create(json_answer(201, {"name": "Newcomer"})),
        answer_after_create(json_answer(201, [])),
        answer_after_create(json_answer(201, {"id": 12})),
    ],
    ids=["lost", "lost after", "500", "502", "503", "html", "no id", "list", "odd id"],
)
def test_an_unclear_outcome_is_said_and_nothing_is_repeated_or_written(tmp_path: Path, answer: Meddle) -> None:
    shown = create_once(tmp_path, answer)
    assert "assistants/new.yaml: indeterminate" in shown
    assert "it is unknown whether the assistant was created" in shown
    assert "look in the dashboard for 'Newcomer'" in shown


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429])
def test_a_no_is_said_once_and_nothing_is_written(tmp_path: Path, status: int) -> None:
    shown = create_once(tmp_path, lambda _request, _forward: error_answer(status))
    assert f"trouble number {status}" in shown
    assert "unknown" not in shown


@pytest.mark.parametrize(
    ("refused", "is_sent"), [("POST /auth/login", False), ("GET /auth/me", False), ("POST /assistants", True)]
)
def test_the_report_says_whether_the_request_that_creates_was_sent(tmp_path: Path, refused: str, is_sent: bool) -> None:
    def meddle(request: Request, forward: Forward) -> Answer | None:
        return error_answer(403) if f"{request.method} {request.path}" == refused else forward(request)

    with story(tmp_path / "work", {}) as repo, repo.intercept(meddle):
        report = repo.report("create", "--yes", repo.write("new", NEW))
    (new,) = report["assistants"]
    assert (new["outcome"], {change["sent"] for change in new["changes"]}) == ("failed", {is_sent})


def test_a_token_that_has_run_out_is_renewed_before_the_post(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        file = repo.write("new", NEW)
        result = repo.run("create", "--yes", file, env={"RECONCILER_AUTH_TOKEN": "run-out"})
        sent = repo.sandbox.posts
    assert result.code == 0, result.stderr
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("line", "remaining", "lacking"),
    [
        ("{provider: openai, model: gpt-4o}", "{temperature: 0.5}", "model.provider and model.model"),
        (", model: gpt-4o", "", "model.model"),
    ],
)
def test_what_the_api_requires_is_asked_for_before_any_request(
    tmp_path: Path, line: str, remaining: str, lacking: str
) -> None:
    with story(tmp_path / "work", {}) as repo:
        message = create_refused(repo, repo.write("new", NEW.replace(line, remaining)))
    assert message.startswith("Error: assistants/new.yaml: live has no model")
    assert f"declare {lacking} as well" in message


def test_what_apply_would_create_without_a_voice_create_creates_too(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        file = repo.write("new", "id: new\nname: Newcomer\n")
        result = repo.run("create", "--yes", file)
    assert result.code == 0, result.stderr


def test_a_name_that_another_definition_has_needs_force(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        file = repo.write("new", NEW)
        repo.write("other", name="Newcomer")
        message = create_refused(repo, file)
        result = repo.run("create", "--yes", file, "--force")
    assert "assistants/other.yaml also has the name 'Newcomer'" in message
    assert "--force" in message
    assert result.code == 0, result.stderr


def test_invalid_files_and_files_elsewhere_are_refused(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        repo.write("there", id="asst_there", name="There")
        invalid = create_refused(repo, repo.write("new", NEW + "nmae: x\n"))
        (tmp_path / "outside.yaml").write_text(NEW, "utf-8")
        outside = create_refused(repo, tmp_path / "outside.yaml")
        missing = create_refused(repo, "assistants/missing.yaml")
        has_id = create_refused(repo, "assistants/there.yaml")
    assert "assistants/new.yaml:7:1: " in invalid
    assert "did you mean name?" in invalid
    assert "is not in the definitions' folder" in outside
    assert "does not exist" in missing
    assert "already has the id asst_there" in has_id


def test_other_definitions_may_be_invalid(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        repo.write("broken", "id: [\n")
        result = repo.run("create", "--yes", repo.write("new", NEW))
    assert result.code == 0, result.stderr


def test_what_live_does_not_show_is_told(tmp_path: Path) -> None:
    def meddle(request: Request, forward: Forward) -> Answer | None:
        answer = forward(request)
        if request.method == "GET" and request.path.startswith("/assistants/"):
            return answer.with_body({**answer.json, "firstMessage": None})
        return answer

    with story(tmp_path / "work", {}) as repo, repo.intercept(meddle):
        file = repo.write("new", NEW)
        result = repo.run("create", "--yes", file)
        new = yaml.safe_load(file.read_text("utf-8"))["id"]
    assert (result.code, result.stderr) == (1, f"Wrote the id {new} into assistants/new.yaml.\n")
    assert "  not live: firstMessage\n" in result.stdout


def test_a_read_back_that_fails_leaves_the_id_in_the_file(tmp_path: Path) -> None:
    def meddle(request: Request, forward: Forward) -> Answer | None:
        return error_answer(500) if request.path.startswith("/assistants/") else forward(request)

    with story(tmp_path / "work", {}) as repo, repo.intercept(meddle):
        file = repo.write("new", NEW)
        result = repo.run("create", "--yes", file, "--retries", "0")
        new = yaml.safe_load(file.read_text("utf-8"))["id"]
        new_assistant = repo.sandbox.live(new)
    assert result.code == 1
    assert new_assistant["name"] == "Newcomer"
    assert f"the assistant {new} was created, but live could not be read" in result.stdout


@pytest.mark.parametrize("changed", ["folder", "file"])
def test_an_id_that_cannot_be_written_is_named(tmp_path: Path, changed: str) -> None:
    with story(tmp_path / "work", {}) as repo:
        file = repo.write("new", NEW)
        newer = NEW + "endCallMessage: Bye\n"

        def meanwhile(method: str, path: str, _: Any) -> None:
            if (method, path) == ("POST", "/assistants"):
                if changed == "folder":
                    file.parent.rename(tmp_path / "elsewhere")
                    file.parent.write_text("in the way", "utf-8")
                else:
                    file.write_text(newer, "utf-8")

        repo.sandbox.before_each(meanwhile)
        result = repo.run("create", "--yes", file)
        expected_text = file.read_text("utf-8") if changed == "file" else newer
        new = next(word for word in result.stdout.split() if word.startswith("asst_"))
        new_assistant = repo.sandbox.live(new)
    assert (result.code, result.stderr, expected_text) == (1, "", newer)
    assert new_assistant["name"] == "Newcomer"
    assert f"the assistant {new} was created, but its id could not be written" in result.stdout
    assert f"put `id: {new}` into the file by hand" in result.stdout


def test_nothing_is_created_where_the_id_cannot_be_written(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {}) as environments:
        file = environments.shared("new", NEW)
        folder = environments.overlay("staging", "new", "firstMessage: Test\n").parent.parent
        shutil.rmtree(folder)
        folder.write_text("in the way", "utf-8")
        result = environments.run("staging", "create", "--yes", file)
        bodies = environments.repo.sandbox.posts
    assert result.code == 1
    assert "environments/staging/new.yaml: cannot be written" in result.stderr
    assert bodies == []


def test_in_an_environment_the_overlay_takes_the_id(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {}) as environments:
        file = environments.shared("new", NEW)
        overlay = environments.overlay("staging", "new", "# Staging.\nfirstMessage: Test\n")
        result = environments.run("staging", "create", "--yes", file)
        text = overlay.read_text("utf-8")
        new = yaml.safe_load(text)["id"]
        live = environments.repo.sandbox.live(new)
        again = environments.run("staging", "create", "--yes", file)
    assert (result.code, result.stderr) == (0, f"Wrote the id {new} into environments/staging/new.yaml.\n")
    assert text == f"# Staging.\nid: {new}\nfirstMessage: Test\n"
    assert live["firstMessage"] == "Test"
    assert file.read_text("utf-8") == NEW
    assert again.code == 1
    assert again.stderr.startswith(f"Error: environments/staging/new.yaml: the definition already has the id {new}")


def test_the_first_overlay_makes_its_folder(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {}) as environments:
        file = environments.shared("sub/new", NEW)
        (environments.root / "environments/staging").rmdir()
        result = environments.run("staging", "create", "--yes", file)
        overlay = (environments.root / "environments/staging/sub/new.yaml").read_text("utf-8")
    assert (result.code, overlay) == (0, f"id: {result.stderr.split()[3]}\n"), result.stderr


def test_an_environment_without_an_overlay_folder_creates_nothing(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {}) as environments:
        file = environments.shared("new", NEW)
        environments.repo.project.configure(environments={"staging": {"api_url": environments.repo.url}})
        result = environments.run("staging", "create", "--yes", file)
        sent = environments.repo.sandbox.posts
    assert result.code == 1
    assert sent == []
    assert "has no overlay folder" in result.stderr


def test_the_file_may_be_named_by_its_key_as_everywhere(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        repo.write("north/new", NEW)
        result = repo.run("create", "--yes", "north/new")
        assert (result.code, len(repo.sandbox.posts)) == (0, 1), result.stderr
        assert "did you mean north/new?" in create_refused(repo, "nort/new")


@pytest.mark.parametrize(
    ("attributes", "file"),
    [
        pytest.param("", "\ufeff" + NEW, id="byte-order-mark"),
        pytest.param("*.yaml text eol=crlf\n", NEW.replace("\n", "\r\n"), id="git-converts-line-ends"),
    ],
)
def test_a_committed_file_that_git_stores_in_another_form_is_recorded(
    tmp_path: Path, attributes: str, file: str
) -> None:
    with story(tmp_path / "work", {"desk": {"name": "Desk"}}) as repo:
        (repo.root / ".gitattributes").write_text(attributes)
        repo.write("desk", name="Desk")
        path = repo.project.folder / "new.yaml"
        path.write_bytes(file.encode())
        repo.commit()
        repo.apply("--record", "--base", "none", "desk")
        result = repo.run("create", "--yes", path)
        new = yaml.safe_load(path.read_text("utf-8-sig"))["id"]
        repo.commit()
        repo.sandbox.edit(new, name="Renamed")
        statuses = [entry["status"] for entry in repo.plan()["assistants"]]
    assert (result.code, "not recorded" in result.stderr) == (0, False), result.stderr
    assert statuses == ["in_sync", "drifted"]
