"""An assistant is deleted because somebody names it, and what only it had in the project goes with it."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, error_answer, json_answer
from commands import Completed
from projects import only_assistant, open_api
from stories import Story, entries, story
from two_environments import two_environments

from reconciler.core.outcome import Outcome
from reconciler.git.repository import Repository
from reconciler.usecases.apply import Session
from reconciler.usecases.delete import delete as delete_one

FILE = "assistants/a.yaml"
TEXT = "id: asst_a\nname: Old\nfirstMessage: {$file: texts/a.txt}\nendCallMessage: {$file: texts/both.txt}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Two assistants that are live, recorded, and share a text."""
    live = {"a": {"name": "Old", "firstMessage": "Hi", "endCallMessage": "Bye"}, "b": {"endCallMessage": "Bye"}}
    with story(tmp_path / "work", live) as repo:
        repo.project.configure(record=True, sensitive=["/metadata/key"])
        (repo.project.folder / "texts").mkdir()
        for name, text in (("a", "Hi"), ("both", "Bye")):
            (repo.project.folder / "texts" / f"{name}.txt").write_text(text, "utf-8")
        repo.write("a", TEXT)
        repo.write("b", "id: asst_b\nendCallMessage: {$file: texts/both.txt}\n")
        repo.commit("First")
        repo.apply_and_record()
        repo.sandbox.forget_requests()
        yield repo


def run_delete(repo: Story, *arguments: str, name: str = "Old") -> Completed:
    """Delete the first assistant, with its name."""
    return repo.run("delete", FILE, "--yes", "--name", name, "--format", "json", "--retries", "0", *arguments)


def count_deletions(repo: Story) -> int:
    """How many requests to delete have reached the API."""
    return repo.sandbox.calls.get("DELETE", 0)


def files(repo: Story) -> set[str]:
    """The files below the definitions' folder."""
    return {path.name for path in repo.project.folder.rglob("*") if path.is_file()}


def test_the_assistant_its_file_its_text_and_its_entry_go(repo: Story) -> None:
    repo.sandbox.edit("asst_a", metadata={"key": "secret value", "note": "undeclared"})
    before, last = repo.record, repo.sandbox.live("asst_a")
    result = run_delete(repo)
    document = json.loads(result.stdout)
    entry = only_assistant(document)
    assert (result.code, entry["outcome"], document["command"]) == (0, "deleted", "delete"), result.stderr
    assert entry["last"] == {**last, "metadata": {"key": "(sensitive)", "note": "undeclared"}}
    assert document["api_calls"]["DELETE"] == document["summary"]["deleted"] == count_deletions(repo) == 1
    assert files(repo) == {"b.yaml", "both.txt"}
    assert set(repo.tree()) == {"assistants/b.yaml"}
    assert repo.parents == [repo.head, before]
    assert f"deleted: {FILE} (asst_a)" in repo.message
    assert f"Removed {FILE}." in result.stderr
    with repo.sandbox.client() as client:
        assert client.get("/assistants/asst_a").status_code == 404
    repo.commit("Without it")
    assert repo.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("kind", ["drift", "conflict", "stale"])
def test_what_was_edited_live_is_not_lost(repo: Story, kind: str) -> None:
    if kind == "stale":
        repo.sandbox.rehearse("edit metadata.note=late after 1st GET /assistants/asst_a")
    else:
        repo.sandbox.edit("asst_a", firstMessage="Edited")
    if kind == "conflict":
        (repo.project.folder / "texts/a.txt").write_text("Mine", "utf-8")
    result = run_delete(repo)
    entry = only_assistant(json.loads(result.stdout))
    assert (result.code, entry["outcome"], count_deletions(repo)) == (1, "refused", 0)
    assert entry["error"]["kind"] == ("stale" if kind == "stale" else "conflict")
    assert "last" not in entry
    assert len(files(repo)) == 4
    if kind != "stale":
        assert "--force-conflicts" in entry["error"]["message"]
        assert run_delete(repo, "--force-conflicts").code == 0


def test_a_text_that_the_defaults_name_stays(repo: Story) -> None:
    repo.write("_defaults", "voicemailMessage: {$file: texts/a.txt}\n")
    for name in ("asst_a", "asst_b"):
        repo.sandbox.edit(name, voicemailMessage="Hi")
    repo.commit()
    assert run_delete(repo).code == 0
    assert files(repo) == {"b.yaml", "both.txt", "a.txt", "_defaults.yaml"}


@pytest.mark.parametrize(
    "how", ["name: [\nfirstMessage: {$file: texts/a.txt}\n", "name: \ud83d"], ids=["no YAML", "no UTF-8"]
)
def test_a_text_stays_that_a_file_may_name_which_cannot_be_read(repo: Story, how: str) -> None:
    (repo.project.folder / "c.yaml").write_bytes(f"id: asst_c\n{how}".encode("utf-8", "surrogatepass"))
    assert run_delete(repo).code == 0
    assert files(repo) == {"b.yaml", "both.txt", "a.txt", "c.yaml"}


def test_a_file_that_cannot_be_removed_is_named_with_the_reason(repo: Story) -> None:
    def replace(method: str, path: str, body: Any) -> None:
        if method == "DELETE":
            text = repo.project.folder / "texts/a.txt"
            text.unlink()
            text.mkdir()

    repo.sandbox.before_each(replace)
    [warning] = json.loads(run_delete(repo).stdout)["warnings"]
    assert warning == (
        "the assistant is deleted, but assistants/texts/a.txt stays (cannot be read any more: Is a directory): "
        "remove it by hand"
    )


def test_an_entry_that_stays_is_named_with_what_drops_it(repo: Story) -> None:
    lock = repo.root / ".git" / "refs" / "reconciler" / "applied.lock"
    lock.touch()
    result = run_delete(repo)
    assert (result.code, only_assistant(json.loads(result.stdout))["outcome"]) == (1, "deleted")
    assert "the assistant is deleted, but the record still has its entry" in result.stderr
    assert "apply the whole folder, which drops the entry" in result.stderr
    lock.unlink()
    repo.commit("Without it")
    repo.apply_and_record()
    assert set(repo.tree()) == {"assistants/b.yaml"}


def test_git_may_be_ahead_of_live(repo: Story) -> None:
    (repo.project.folder / "texts/a.txt").write_text("Newer", "utf-8")
    repo.commit()
    assert run_delete(repo).code == 0


def test_what_is_neither_committed_nor_live_is_not_lost(repo: Story) -> None:
    (repo.project.folder / "texts/a.txt").write_text("Written a minute ago", "utf-8")
    result = run_delete(repo)
    message = only_assistant(json.loads(result.stdout))["error"]["message"]
    assert (result.code, count_deletions(repo), len(files(repo))) == (1, 0, 4)
    assert message.startswith("firstMessage is neither committed nor live and would be lost")
    assert run_delete(repo, "--force-conflicts").code == 0


def test_without_a_base_live_must_be_as_git_says(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": {"name": "Old", "firstMessage": "Hi"}}) as repo:
        repo.write("a", name="Old", firstMessage="Other")
        assert (run_delete(repo).code, count_deletions(repo)) == (1, 0)
        words = repo.run("delete", "assistants/a.yaml", "--yes", "--name", "Old").stdout
        assert "Without a base, every difference counts as drift." in words
        repo.write("a", name="Old", firstMessage="Hi")
        assert (run_delete(repo).code, count_deletions(repo), files(repo)) == (0, 1, set())


def test_a_name_of_blanks_is_not_confirmed_by_nothing(repo: Story) -> None:
    repo.sandbox.edit("asst_a", name="  ")
    result = run_delete(repo, "--force-conflicts", name="")
    assert (result.code, repo.sandbox.live("asst_a")["name"]) == (1, "  ")
    assert "--name is not the assistant's name, which is 'a'" in result.stdout


def test_a_name_is_confirmed_as_a_keyboard_writes_it(repo: Story) -> None:
    repo.sandbox.edit("asst_a", name="Cafe\u0301\u00a0West ")
    assert run_delete(repo, "--force-conflicts", name="Cafe West").code == 1
    assert run_delete(repo, "--force-conflicts", name="Caf\u00e9 West").code == 0


def test_it_needs_the_name(repo: Story) -> None:
    for arguments in (["--yes"], ["--name", "Old"], []):
        result = repo.run("delete", FILE, *arguments)
        assert (result.code, result.stdout) == (1, "")
    result = run_delete(repo, name="old")
    assert (result.code, only_assistant(json.loads(result.stdout))["outcome"]) == (1, "skipped")
    assert "'Old'" in result.stdout
    assert repo.sandbox.calls.get("DELETE") is None


def answer_after_delete(answer: Answer) -> Any:
    """Let the API delete, and answer something else."""

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method != "DELETE":
            return forward(request)
        forward(request)
        return answer

    return meddle


@pytest.mark.parametrize(
    "answer", [error_answer(500), error_answer(408), json_answer(200, {"success": False}), json_answer(200, [])]
)
def test_while_it_is_unclear_the_files_stay(repo: Story, answer: Answer) -> None:
    before = repo.record
    with repo.intercept(answer_after_delete(answer)):
        result = run_delete(repo, "--retries", "3")
    entry = only_assistant(json.loads(result.stdout))
    assert (result.code, entry["outcome"], count_deletions(repo)) == (1, "indeterminate", 1)
    assert entry["last"]["name"] == "Old"
    assert (len(files(repo)), repo.record) == (4, before)
    again = run_delete(repo)
    entry = only_assistant(json.loads(again.stdout))
    assert (again.code, entry["outcome"], entry["status"], count_deletions(repo)) == (1, "failed", "missing", 1)
    assert "remove the file" in entry["error"]["message"]


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_no_is_no(repo: Story, status: int) -> None:
    repo.sandbox.rehearse(f"DELETE /assistants/asst_a: {status}")
    result = run_delete(repo)
    entry = only_assistant(json.loads(result.stdout))
    assert (result.code, entry["outcome"], count_deletions(repo), len(files(repo))) == (1, "failed", 1, 4)
    assert repo.sandbox.live("asst_a")["name"] == "Old"


def test_an_assistant_of_another_organisation_stays(repo: Story) -> None:
    repo.project.configure(record=True, org_id="org_other")
    result = run_delete(repo)
    assert (result.code, only_assistant(json.loads(result.stdout))["outcome"], count_deletions(repo)) == (
        1,
        "refused",
        0,
    )


def test_an_assistant_that_is_still_there_keeps_its_files(repo: Story) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        return json_answer(200, {"success": True}) if request.method == "DELETE" else forward(request)

    with repo.intercept(meddle), open_api(repo.url) as api:
        session = Session(api=api)
        run, _ = delete_one(
            (Repository(repo.project.folder), None),
            lambda: repo.project.read("a.yaml"),
            lambda _read: contextlib.nullcontext(session),
        )
    assert (run.results[0].outcome, len(files(repo))) == (Outcome.NOT_CONVERGED, 4)


BRIEF = "id: new\nname: Brief\nmodel: {provider: openai, model: gpt-4o}\nvoice: {provider: openai, voiceId: alloy}\n"


def test_one_that_was_created_from_a_file_is_not_created_again(repo: Story) -> None:
    repo.write("brief", BRIEF)
    repo.commit("Brief")
    repo.apply("--create")
    repo.git("checkout", "--quiet", ".")
    result = repo.run("delete", "assistants/brief.yaml", "--yes", "--name", "Brief")
    assert (result.code, result.stdout.splitlines()[-1]) == (0, "Delete: 1 deleted.")
    repo.git("checkout", "--quiet", ".")
    document = repo.apply("--create", "assistants/brief.yaml")
    created = [path for method, path, _ in repo.sandbox.requests if method == "POST"].count("/assistants")
    assert (only_assistant(document)["status"], created) == ("missing", 1)
    hint = "if the assistant was deleted, `reconciler create assistants/brief.yaml` makes a new one"
    assert hint in only_assistant(document)["error"]["message"]
    assert repo.run("create", "assistants/brief.yaml", "--yes").code == 0


def test_a_later_file_of_the_same_name_is_a_new_assistant(repo: Story) -> None:
    repo.write("brief", BRIEF)
    repo.commit("Brief")
    old = entries(repo.apply("--create"))["brief"]["id"]
    repo.commit("The id")
    assert repo.run("delete", "brief", "--yes", "--name", "Brief").code == 0
    repo.commit("Gone")
    repo.apply()
    repo.write("brief", BRIEF)
    repo.commit("Another one")
    created = entries(repo.apply("--create"))["brief"]
    assert (created["outcome"], created["id"] == old) == ("created", False)


def test_environments_keep_what_they_use(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": {"name": "Enrollment"}}) as environments:
        definition = environments.shared(text="name: Enrollment\n")
        overlays = [environments.overlay(name, "a", id="asst_a") for name in ("staging", "production")]
        bare = environments.repo.run("delete", FILE, "--yes", "--name", "Enrollment")
        assert "pass --environment NAME" in bare.stderr
        assert environments.run("staging", "delete", FILE, "--yes", "--name", "Enrollment").code == 0
        assert [path.exists() for path in (definition, *overlays)] == [True, False, True]
        assert environments.run("production", "delete", FILE, "--yes", "--name", "Enrollment").code == 0
        assert [path.exists() for path in (definition, *overlays)] == [False, False, False]


def test_a_shared_definition_that_says_new_does_not_create_what_one_environment_deleted(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {}) as environments:
        environments.configure(record=True)
        definition = environments.shared("brief", BRIEF)
        repo = environments.repo
        repo.commit("Brief")
        for name in environments.sandboxes:
            environments.report(name, "apply", "--create", "--yes", "--base", "none")
            repo.commit("The id")  # in the overlay
        assert environments.run("staging", "delete", "brief", "--yes", "--name", "Brief").code == 0
        assert definition.exists()
        repo.commit("Not in staging any more")
        document = environments.report("staging", "apply", "--create", "--yes")
        assert only_assistant(document)["status"] == "missing"
        assert len(repo.sandbox.posts) == 1
        assert environments.run("staging", "create", "brief", "--yes").code == 0
        assert only_assistant(environments.report("production", "plan"))["status"] == "in_sync"


def test_a_definition_stays_where_another_environment_takes_it_as_it_is(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": {"name": "Enrollment"}}) as environments:
        definition = environments.shared(text="id: asst_a\nname: Enrollment\n")
        result = environments.run("staging", "delete", FILE, "--yes", "--name", "Enrollment")
        assert (result.code, definition.exists()) == (0, True)
        assert "its id also counts in staging, which now lacks the assistant" in " ".join(result.stdout.split())
        assert environments.run("staging", "plan").code == 1
        definition.write_text("name: Enrollment\n", "utf-8")
        environments.overlay("production", "a", id="asst_a")
        assert environments.run("staging", "plan").code == 0
        result = environments.run("production", "delete", FILE, "--yes", "--name", "Enrollment")
        assert (result.code, definition.exists(), "warning" in result.stdout) == (0, False, False)


def test_a_definition_stays_where_another_environment_has_an_overlay_for_it(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": {"name": "Enrollment"}, "b": {"name": "Exit"}}) as environments:
        definition = environments.shared(text="name: Enrollment\n")
        environments.overlay("staging", "a", id="asst_a")
        environments.overlay("production", "a", endCallMessage="Bye")  # without an id it is not part of production yet
        environments.shared("b", "id: asst_b\nname: Exit\n")
        assert environments.run("staging", "delete", FILE, "--yes", "--name", "Enrollment").code == 0
        assert definition.exists()
        assert environments.run("production", "validate").code == 0


def test_what_is_wrong_with_the_file_is_said_with_its_places(repo: Story) -> None:
    repo.write("a", TEXT + "maxDurationSeconds: soon\nvocie: {}\n")
    result = run_delete(repo)
    assert (result.code, result.stdout, count_deletions(repo)) == (1, "", 0)
    first, second = (line for line in result.stderr.splitlines() if line.startswith(FILE))
    assert first.startswith(f"{FILE}:5:21: maxDurationSeconds must be a whole number")
    assert second.startswith(f"{FILE}:6:1: unknown field vocie; did you mean voice?")
    assert "nothing was deleted" in result.stderr
