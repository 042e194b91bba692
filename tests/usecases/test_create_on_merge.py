"""`id: new` from the pull request to live: created once, whatever happens on the way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from between import Answer, Forward, Request, error_answer, json_answer
from commands import Completed, connection_variables, run
from histories import commit_as, setters
from projects import outcomes, statuses
from servers import running_sandbox
from stories import REF, Story, entries, story

NEW = """# A newcomer.
id: new  # to be created
name: Newcomer
firstMessage: Good day
voicemailMessage: ~
model: {provider: openai, model: gpt-4o}
voice: {provider: openai, voiceId: alloy}
"""
FILE = "assistants/new.yaml"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """One assistant that is live and recorded, and a definition of one that is not there yet."""
    with story(tmp_path / "work", {"a": {"firstMessage": "old"}}) as repo:
        yield commit_new(repo)


def commit_new(repo: Story) -> Story:
    """Record one assistant, and commit a new one."""
    repo.project.configure(record=True)
    repo.write("a", firstMessage="old")
    repo.commit("First")
    repo.apply_and_record()
    repo.write("new", NEW)
    repo.commit("Newcomer")
    repo.sandbox.forget_requests()
    return repo


def read_id(repo: Story, file: str = FILE) -> str:
    """The id that a definition's file has."""
    return str(yaml.safe_load((repo.root / file).read_text("utf-8"))["id"])


def unclear_answer(status: int = 500, *, carried_out: bool = True) -> Any:
    """Answer a creation with a status, after it was carried out or instead."""

    def meddle(request: Request, forward: Forward) -> Answer:
        if (request.method, request.path) != ("POST", "/assistants"):
            return forward(request)
        if carried_out:
            forward(request)
        return error_answer(status)

    return meddle


def forget_checkout(repo: Story) -> None:
    """Go on as a fresh checkout of CI does: what was written into the working tree is gone."""
    repo.git("checkout", "--quiet", ".")


def test_a_plan_says_that_a_pipeline_would_not_be_allowed_to_create_it(repo: Story) -> None:
    repo.project.configure(record=True, max_changes=1)
    assert repo.plan()["warnings"] == []
    repo.project.configure(record=True, max_changes=0)
    repo.commit("A limit")
    (note,) = repo.plan()["warnings"]
    assert note.startswith("An apply with --create would send nothing: 1 assistant would be written, but max_changes")
    with repo.intercept(unclear_answer()):
        repo.run("apply", "--yes", "--create", "--max-changes", "1")
    assert not any("max_changes" in note for note in repo.plan()["warnings"]), "no run creates it again"


def test_several_files_may_say_it_and_are_valid(repo: Story) -> None:
    repo.write("second", NEW.replace("Newcomer", "Second"))
    result = repo.run("validate")
    assert (result.code, result.stdout) == (0, "3 definitions are valid.\n")


@pytest.mark.parametrize("options", [[], ["--offline"]])
def test_a_plan_lists_it_as_to_be_created(repo: Story, options: list[str]) -> None:
    document = repo.plan(*options)
    entry = entries(document)["new"]
    assert (entry["status"], entry["id"], entry["patch"], entry["error"]) == ("new", None, None, None)
    assert document["summary"]["new"] == 1
    assert {change["path"]: (change["desired"], change["sent"]) for change in entry["changes"]} == {
        "/name": ("Newcomer", False),
        "/firstMessage": ("Good day", False),
        "/model/provider": ("openai", False),
        "/model/model": ("gpt-4o", False),
        "/voice/provider": ("openai", False),
        "/voice/voiceId": ("alloy", False),
    }
    text = repo.run("plan", *options)
    totals = "Plan: 1 to create, 0 to change, 0 drifted, 0 conflicts, 1 in sync, 0 errors."
    assert text.stdout.splitlines()[-1] == totals
    assert f"{FILE}: to create" in text.stdout
    assert '+ name: nothing -> "Newcomer"' in text.stdout
    assert repo.run("plan", *options, "--detailed-exitcode").code == 2
    assert repo.sandbox.posts == []


def test_many_new_ones_are_looked_up_in_git_one_after_the_other(repo: Story) -> None:
    for number in range(40):
        repo.write(f"new-{number}", f"id: new\nname: Newcomer {number}\n")
        folder = repo.root / f"docs/{number}/pages"
        folder.mkdir(parents=True)
        (folder / "page.md").write_text(f"Page {number}\n", "utf-8")
    repo.commit("Many newcomers")
    result = run("plan", cwd=repo.root, env=connection_variables(repo.sandbox))
    assert (result.code, result.stderr) == (0, "")
    assert "41 to create" in result.stdout


def test_drift_has_nothing_to_say_about_it(repo: Story) -> None:
    result = repo.run("drift", "--detailed-exitcode")
    assert (result.code, result.stdout) == (0, "Drift: 0 drifted, 0 conflicts, 1 in sync, 1 to create, 0 errors.\n")


def test_without_the_option_it_is_left(repo: Story) -> None:
    result = repo.run("apply", "--yes", "--format", "json")
    document = json.loads(result.stdout)
    assert result.code == 0
    assert (outcomes(document)["new"], statuses(document)["new"], repo.sandbox.posts) == ("unchanged", "new", [])
    assert set(repo.tree()) == {"assistants/a.yaml"}


def test_a_run_that_cannot_announce_what_it_creates_sends_nothing_and_its_report_says_so(repo: Story) -> None:
    repo.write("a", firstMessage="new")
    repo.commit("Change")
    hook = repo.root / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    result = repo.run("apply", "--yes", "--create", "--report", "report.json")
    assert (result.code, result.stdout) == (1, "")
    assert "aborted by" in result.stderr
    assert (repo.sandbox.patches, repo.sandbox.posts) == ([], [])
    document = json.loads((repo.root / "report.json").read_text("utf-8"))
    assert outcomes(document) == {"a": "skipped", "new": "skipped"}
    assert not any(change["sent"] for entry in document["assistants"] for change in entry["changes"])


def test_the_option_creates_it_once_and_keeps_the_id(repo: Story) -> None:
    before = repo.record
    document = repo.apply("--create")
    entry = entries(document)["new"]
    new = read_id(repo)
    assert (entry["outcome"], entry["status"], entry["id"]) == ("created", "new", new)
    assert document["summary"]["created"] == 1
    assert {change["sent"] for change in entry["changes"]} == {True}
    body = {key: value for key, value in yaml.safe_load(NEW).items() if key != "id" and value is not None}
    assert repo.sandbox.posts == [body] == [entry["patch"]]
    assert (repo.root / FILE).read_text("utf-8") == NEW.replace("id: new", f"id: {new}")
    assert repo.tree()[FILE]["id"] == new
    assert repo.parents == [repo.head, before]
    assert repo.trailers == []
    fields = "firstMessage, model.model, model.provider, name, voice.provider, voice.voiceId, voicemailMessage"
    assert f"created: {FILE} ({new})\n    {fields}\n" in repo.run("history").stdout


def test_a_fresh_checkout_knows_the_id_from_the_record(repo: Story) -> None:
    repo.apply("--create")
    new = read_id(repo)
    forget_checkout(repo)
    for command in (["plan"], ["plan", "--changed"], ["plan", "--offline"], ["drift"], ["apply", "--yes", "--create"]):
        document = repo.report(*command)
        if entry := entries(document).get("new"):
            assert (entry["id"], entry["status"]) == (new, "in_sync")
    assert len(repo.sandbox.posts) == 1
    repo.sandbox.edit(new, firstMessage="Edited")
    assert statuses(repo.plan())["new"] == "drifted"
    assert statuses(repo.plan("--base", "HEAD"))["new"] == "drifted"
    repo.write("new", NEW.replace("Good day", "Good night"))
    repo.commit()
    assert statuses(repo.plan())["new"] == "conflicted"
    changed = entries(repo.plan("--force-conflicts"))["new"]["changes"][0]
    assert changed["since"]["commit"] == repo.head


def test_the_record_has_the_id_while_the_file_says_new(repo: Story) -> None:
    plain = NEW.replace("# A newcomer.\n", "").replace("  # to be created", "")
    repo.write("new", plain)
    repo.commit()
    repo.apply("--create")
    new = read_id(repo)
    forget_checkout(repo)
    repo.write("new", plain.replace("Good day", "Good night"))
    repo.commit()
    repo.apply()
    assert (repo.tree()[FILE]["id"], repo.tree()[FILE]["firstMessage"]) == (new, "Good night")


def test_pull_brings_the_id_back_to_git(repo: Story) -> None:
    repo.apply("--create")
    new = read_id(repo)
    forget_checkout(repo)
    repo.sandbox.edit(new, firstMessage="Edited")
    result = repo.run("pull")
    assert (result.code, result.stdout) == (0, f"{FILE}: id, firstMessage\n")
    assert (repo.root / FILE).read_text("utf-8") == NEW.replace("id: new", f"id: {new}").replace("Good day", "Edited")
    assert repo.run("pull").stderr.endswith("Nothing to pull.\n")


@pytest.mark.parametrize("moved_to", [FILE, "assistants/moved.yaml"])
def test_the_commit_that_brings_the_id_back_has_set_no_other_value(repo: Story, moved_to: str) -> None:
    repo.apply("--create")
    forget_checkout(repo)
    repo.write("new", NEW.replace("Good day", "Good evening"))
    ada = commit_as(repo, "Ada")
    assert repo.run("pull", "--ids").code == 0
    commit_as(repo, "CI")
    repo.git("mv", FILE, moved_to) if moved_to != FILE else None
    (repo.root / moved_to).write_text((repo.root / moved_to).read_text("utf-8").replace("Newcomer", "Nora"), "utf-8")
    cy = commit_as(repo, "Cy")
    applied = repo.apply()
    assert setters(applied, Path(moved_to).stem) == {"/firstMessage": ada, "/name": cy}
    undone = repo.run("rollback", repo.save_report(applied), "--yes")
    assert f"git revert {cy[0]} && git revert {ada[0]}" in undone.stdout


def test_the_id_in_the_working_tree_or_in_git_is_no_difference(repo: Story) -> None:
    repo.apply("--create")
    new = read_id(repo)
    assert outcomes(repo.apply())["new"] == "unchanged"
    repo.commit("The id")
    assert outcomes(repo.apply("--create"))["new"] == "unchanged"
    repo.git("revert", "--no-edit", "HEAD", "--no-commit")
    repo.commit("Without the id again")
    assert read_id(repo) == "new"
    assert entries(repo.apply("--create"))["new"]["id"] == new
    (repo.root / FILE).write_text(NEW.replace("id: new", "id: asst_a2"), "utf-8")
    assert "differs from HEAD" in repo.run("apply", "--yes").stderr
    assert len(repo.sandbox.posts) == 1


def test_a_definition_that_was_gone_and_comes_back_is_the_same_assistant(repo: Story) -> None:
    repo.apply("--create")
    new = read_id(repo)
    forget_checkout(repo)
    (repo.root / FILE).unlink()
    repo.commit("Reverted")
    assert repo.apply("--create")["no_longer_managed"] == [{"file": FILE, "id": new}]
    assert set(repo.tree()) == {"assistants/a.yaml"}
    repo.write("new", NEW)
    repo.commit("Reverted once more")
    assert (entries(repo.apply("--create"))["new"]["id"], len(repo.sandbox.posts)) == (new, 1)


def test_a_second_file_with_the_id_is_a_duplicate(repo: Story) -> None:
    repo.apply("--create")
    repo.write("copy", NEW.replace("new", read_id(repo), 1).replace("id: new", f"id: {read_id(repo)}"))
    forget_checkout(repo)
    refused = entries(repo.plan())
    assert {entry["error"]["kind"] for entry in refused.values() if entry["error"]} == {"duplicate"}
    # The file that says `id: new` has no id that its reader could find in another one.
    assert "if this file is for another assistant, rename it" in refused["new"]["error"]["message"]
    assert "rename" not in refused["copy"]["error"]["message"]


@pytest.mark.parametrize("status", [500, 408])
def test_an_unclear_answer_stops_all_creation_from_that_file(repo: Story, status: int) -> None:
    with repo.intercept(unclear_answer(status)):
        first = repo.run("apply", "--yes", "--create", "--format", "json")
    entry = entries(json.loads(first.stdout))["new"]
    assert (first.code, entry["outcome"], entry["id"], read_id(repo)) == (1, "indeterminate", None, "new")
    assert "dashboard" in entry["error"]["message"]
    assert repo.trailers == [{"id": "new", "file": FILE, "fields": [], "heads": [repo.head]}]
    for options in (["--create"], ["--create", "--allow-older"]):
        again = repo.run("apply", "--yes", *options, "--format", "json")
        refused = entries(json.loads(again.stdout))["new"]
        assert (again.code, refused["outcome"]) == (1, "refused")
        assert f"reconciler create {FILE}" in refused["error"]["message"]
        assert [trailer["file"] for trailer in repo.trailers] == [FILE]
    result = repo.run("apply", "--yes")
    assert (result.code, len(repo.sandbox.posts)) == (0, 1)
    assert "may have created" in result.stdout
    assert f"unclear: {FILE} (it may have been created)" in repo.run("history").stdout


def test_whoever_has_looked_creates_it_or_names_it(repo: Story) -> None:
    with repo.intercept(unclear_answer(carried_out=False)):
        repo.run("apply", "--yes", "--create")
    result = repo.run("create", FILE, "--yes")
    new = read_id(repo)
    assert result.code == 0, result.stderr
    assert "may have created" in result.stdout
    assert (repo.tree()[FILE]["id"], repo.trailers, len(repo.sandbox.posts)) == (new, [], 1)
    forget_checkout(repo)
    assert entries(repo.apply("--create"))["new"]["id"] == new


def test_naming_the_assistant_settles_it(repo: Story) -> None:
    new_id = ""

    def meddle(request: Request, forward: Forward) -> Answer:
        nonlocal new_id
        answer = forward(request)
        if (request.method, request.path) == ("POST", "/assistants"):
            new_id = answer.json["id"]
            return error_answer(500)
        return answer

    with repo.intercept(meddle):
        repo.run("apply", "--yes", "--create")
    (repo.root / FILE).write_text(NEW.replace("id: new", f"id: {new_id}"), "utf-8")
    assert outcomes(repo.apply())["new"] == "unchanged"
    assert (repo.trailers, repo.tree()[FILE]["id"]) == ([], new_id)


@pytest.mark.parametrize("status", [401, 429])
def test_a_no_leaves_the_file_to_a_later_run(repo: Story, status: int) -> None:
    with repo.intercept(unclear_answer(status, carried_out=False)) as server:
        document = repo.apply("--create")
        request = [request for request in server.requests("POST") if request.path == "/assistants"]
    assert (outcomes(document)["new"], len(request), repo.trailers) == ("failed", 1, [])
    assert outcomes(repo.apply("--create"))["new"] == "created"


def test_a_run_that_is_killed_in_the_middle_leaves_a_trace(repo: Story) -> None:
    """The request is on its way, and the process is gone: what the next run finds in the record is what counts."""
    records: list[list[dict[str, Any]]] = []
    before = repo.record

    def meddle(request: Request, forward: Forward) -> Answer:
        if (request.method, request.path) == ("POST", "/assistants"):
            records.append(repo.trailers)
            killed.append(repo.record)
        return forward(request)

    killed: list[str | None] = []
    with repo.intercept(meddle):
        repo.apply("--create")
    repo.git("update-ref", REF, str(killed[0]))
    forget_checkout(repo)
    assert records == [[{"id": "new", "file": FILE, "fields": [], "heads": [repo.head]}]]
    assert repo.parents == [repo.git("rev-parse", f"{before}^"), before]
    assert outcomes(repo.apply("--create")) == {"a": "unchanged", "new": "refused"}
    assert len(repo.sandbox.posts) == 1


def test_a_report_that_cannot_be_written_announces_nothing(repo: Story) -> None:
    before = repo.record
    place = repo.root.parent / "reports"
    place.mkdir()

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.path == "/assistants/asst_a" and place.is_dir():
            place.rename(repo.root.parent / "gone")
        return forward(request)

    with repo.intercept(meddle):
        result = repo.run("apply", "--yes", "--create", "--report", place / "apply.json")
    assert (result.code, repo.record, repo.sandbox.posts) == (1, before, [])
    assert outcomes(repo.apply("--create"))["new"] == "created"


def test_two_runs_at_once_create_one(repo: Story) -> None:
    others: list[Completed] = []

    def meddle(request: Request, forward: Forward) -> Answer:
        if (request.method, request.path) == ("POST", "/assistants"):
            others.append(run("apply", "--yes", "--create", cwd=repo.root, env=connection_variables(repo.sandbox)))
        return forward(request)

    with repo.intercept(meddle):
        assert outcomes(repo.apply("--create"))["new"] == "created"
    assert ([result.code for result in others], len(repo.sandbox.posts)) == ([1], 1)
    assert "another run is writing from this clone" in others[0].stderr


def test_a_second_clone_that_never_got_the_record_creates_no_second_one_where_the_api_lists(tmp_path: Path) -> None:
    with running_sandbox({"asst_a": {"firstMessage": "old"}}, listing=True) as sandbox:
        repo = commit_new(Story(tmp_path / "work", sandbox))
        before = str(repo.record)
        repo.apply("--create")
        new = read_id(repo)
        # A second laptop: neither the id nor the record of the first one was pushed.
        forget_checkout(repo)
        repo.git("update-ref", REF, before)
        entry = entries(repo.apply("--create"))["new"]
        assert (entry["outcome"], len(repo.sandbox.posts), repo.trailers) == ("refused", 1, [])
        assert f"with this name is already live, {new}" in entry["error"]["message"]
        assert f"put `id: {new}` into the file" in entry["error"]["message"]
        # Whoever has looked, and wants another one of that name, says so.
        repo.git("remote", "add", "origin", "https://hub.test/team/assistants.git")
        result = repo.run("create", FILE, "--yes")
        assert (result.code, len(repo.sandbox.posts)) == (0, 2)
        assert (
            f"Push the record before another clone creates the same assistants: git push origin {REF}\n"
            in result.stderr
        )


def test_each_of_several_assistants_with_the_name_is_looked_up(repo: Story) -> None:
    other = repo.root / "agents/b.yaml"
    other.parent.mkdir()
    other.write_text("id: asst_b\nname: Newcomer\n", "utf-8")
    repo.commit("Another folder")
    listing = [{"id": "asst_lost", "name": "Newcomer"}, {"id": "asst_b", "name": "Newcomer"}, {"id": "c", "name": {}}]

    def meddle(request: Request, forward: Forward) -> Answer:
        is_list = (request.method, request.path) == ("GET", "/assistants")
        return json_answer(200, listing) if is_list else forward(request)

    with repo.intercept(meddle):
        entry = entries(repo.apply("--create"))["new"]
    assert (entry["outcome"], repo.sandbox.posts) == ("refused", [])
    assert "already live, asst_lost, but" in entry["error"]["message"]


def test_a_renamed_file_is_not_created_a_second_time(repo: Story) -> None:
    repo.apply("--create")
    new = read_id(repo)
    forget_checkout(repo)
    repo.git("mv", FILE, "assistants/renamed.yaml")
    repo.commit("Renamed")
    # Nor by a run that comes after one that left or refused it.
    for options in ((), ("--create",), ("--create",)):
        entry = entries(repo.apply(*options))["renamed"]
        assert (entry["outcome"], len(repo.sandbox.posts)) == ("refused" if options else "unchanged", 1)
    assert f"put `id: {new}` into it" in entry["error"]["message"]
    # Once somebody has looked, and created another one, the old entry is gone with its file.
    assert repo.run("create", "assistants/renamed.yaml", "--yes").code == 0
    repo.commit("Another one")
    repo.apply()
    repo.apply()
    assert [*repo.tree()] == ["assistants/a.yaml", "assistants/renamed.yaml"]


@pytest.mark.parametrize("folder", ["assistants", "agents"])
def test_a_renamed_file_of_an_unclear_creation_is_not_created(repo: Story, folder: str) -> None:
    with repo.intercept(unclear_answer()):
        repo.apply("--create")
    repo.git("mv", FILE, "assistants/renamed.yaml")
    if folder != "assistants":
        repo.git("mv", "assistants", folder)
    repo.commit("Renamed")
    again = repo.apply("--create", "--directory", folder)
    assert (outcomes(again)["renamed"], len(repo.sandbox.posts)) == ("refused", 1)
    assert "sends it again" not in repo.run("history", "--directory", folder).stdout
    # Once somebody has looked, it is unclear no more, under neither name.
    assert repo.run("create", f"{folder}/renamed.yaml", "--directory", folder, "--yes", "--force").code == 0
    assert repo.trailers == []


def test_it_needs_a_record_and_counts_as_a_change(repo: Story) -> None:
    refused = repo.run("apply", "--yes", "--create", "--no-record")
    assert (refused.code, refused.stdout) == (1, "")
    assert "--create needs a record" in refused.stderr
    repo.write("second", NEW.replace("Newcomer", "Second"))
    repo.commit()
    assert repo.run("apply", "--yes", "--create", "--max-changes", "1").code == 1
    assert repo.sandbox.posts == []
    assert repo.run("apply", "--yes", "--create", "--max-changes", "2").code == 0
    assert len(repo.sandbox.posts) == 2


def test_the_first_run_of_all_may_create(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        repo.write("new", NEW)
        repo.commit()
        document = repo.apply("--create", "--record", "--base", "none")
        assert (outcomes(document), repo.parents) == ({"new": "created"}, [repo.head])


def test_nothing_is_created_with_an_account_of_another_organisation(repo: Story) -> None:
    repo.project.configure(record=True, org_id="org_ours")
    repo.commit("Ours")
    # What it reads tells whose account it is; where it reads nothing else, only what the API answers.
    refused = entries(repo.apply("--create"))["new"]
    assert (refused["outcome"], refused["error"]["kind"], repo.sandbox.posts) == ("refused", "forbidden", [])
    created = repo.run("apply", "--yes", "--create", FILE, "--format", "json")
    entry = entries(json.loads(created.stdout))["new"]
    assert (created.code, entry["outcome"], entry["error"]["kind"]) == (1, "not_converged", "forbidden")
    assert (len(repo.sandbox.posts), repo.tree()[FILE]["id"]) == (1, read_id(repo))


def test_one_assistant_of_the_organisation_shows_that_the_account_is_right(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": {"orgId": "org_other"}, "b": {"endCallMessage": "Bye"}}) as repo:
        repo.project.configure(record=True, org_id="org_sandbox")
        for name in "ab":
            repo.write(name, endCallMessage="Bye")
        repo.write("new", NEW)
        repo.commit()
        document = repo.apply("--create", "--base", "none")
        assert outcomes(document) == {"a": "refused", "b": "unchanged", "new": "created"}


def test_one_whose_id_has_no_place_is_refused_and_the_others_are_applied(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": {"firstMessage": "old"}}) as repo:
        repo.project.configure(environments={"staging": {"api_url": repo.sandbox.url}})
        repo.write("a", firstMessage="new")
        repo.write("new", NEW)
        repo.commit()
        options = ("--create", "--record", "--base", "none", "--environment", "staging")
        document = repo.report("apply", "--yes", *options, env={"RECONCILER_API_URL": ""})
        assert (outcomes(document), repo.sandbox.posts) == ({"a": "applied", "new": "refused"}, [])
        assert "has no overlay folder for the id" in entries(document)["new"]["error"]["message"]


def test_an_incomplete_object_is_an_error_before_anything_is_sent(repo: Story) -> None:
    repo.write("new", "id: new\nname: Half\nmodel: {temperature: 0.5}\n")
    repo.commit()
    assert entries(repo.plan())["new"]["error"]["kind"] == "invalid"
    assert (outcomes(repo.apply("--create"))["new"], repo.sandbox.posts) == ("refused", [])


def test_live_that_shows_something_else_is_told_and_recorded(repo: Story) -> None:
    def meddle(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.method == "GET" and request.path.startswith("/assistants/") and request.path != "/assistants/asst_a":
            return answer.with_body({**answer.json, "firstMessage": "Hm"})
        return answer

    with repo.intercept(meddle):
        document = repo.apply("--create")
    entry = entries(document)["new"]
    assert (entry["outcome"], entry["remaining"], entry["id"]) == ("not_converged", ["/firstMessage"], read_id(repo))
    assert (repo.tree()[FILE]["firstMessage"], repo.trailers) == ("Hm", [])


def test_a_rollback_leaves_it_where_it_is(repo: Story) -> None:
    document = repo.apply("--create")
    rollback = repo.rollback(document)
    assert rollback["assistants"] == []
    assert rollback["warnings"] == [
        f"{FILE}: the assistant was new, and a rollback deletes nothing; `reconciler delete {FILE}` does"
    ]
    assert repo.sandbox.live(read_id(repo))["name"] == "Newcomer"


def test_a_rollback_of_a_deletion_says_that_it_stays(repo: Story) -> None:
    repo.apply("--create")
    deleted = repo.report("delete", FILE, "--yes", "--name", "Newcomer")
    (note,) = repo.rollback(deleted)["warnings"]
    assert note.startswith(f"{FILE}: the assistant was deleted, and a rollback creates nothing")


def test_the_command_that_a_message_names_can_be_pasted(repo: Story) -> None:
    (repo.root / FILE).rename(repo.root / "assistants" / "new one.yaml")
    repo.commit("A blank")
    with repo.intercept(unclear_answer()):
        entries = repo.apply("--create")["assistants"]
    assert "run `reconciler create 'assistants/new one.yaml'`" in entries[1]["error"]["message"]


def test_a_resume_creates_nothing_and_says_so(repo: Story) -> None:
    with repo.intercept(unclear_answer()):
        report = repo.save_report(repo.apply("--create"))
    resumed = repo.report("apply", "--resume", report, "--yes")
    (entry,) = resumed["assistants"]
    assert (entry["key"], entry["outcome"], resumed["summary"]["refused"]) == ("new", "refused", 1)
    assert not any(change["sent"] for change in entry["changes"])
    assert f"reconciler create {FILE}" in entry["error"]["message"]
    assert (len(repo.sandbox.posts), [trailer["file"] for trailer in repo.trailers]) == (1, [FILE])
    repo.run("create", FILE, "--yes")
    assert repo.report("apply", "--resume", report, "--yes")["assistants"] == []


def test_an_apply_of_a_plan_lists_it_and_leaves_it(repo: Story) -> None:
    plan = repo.save_report(repo.plan())
    document = repo.apply("--plan", plan)
    assert outcomes(document) == {"a": "unchanged", "new": "unchanged"}
    assert (document["summary"]["new"], repo.sandbox.posts) == (1, [])


def test_an_invalid_file_keeps_everything_from_being_created(repo: Story) -> None:
    repo.write("broken", "id: asst_b\nnmae: x\n")
    assert (outcomes(repo.apply("--create"))["new"], repo.sandbox.posts) == ("skipped", [])


TOKEN = ("--create", "--announced", "7-1")


def run_announce(repo: Story, *arguments: str, token: str = "7-1") -> str:
    """What `announce` prints."""
    result = repo.run("announce", *arguments, "--token", token)
    assert result.code == 0, result.stderr
    return result.stdout


def test_what_was_announced_before_is_created_by_that_run_alone(repo: Story) -> None:
    before = repo.record
    assert run_announce(repo) == f"to create: {FILE}\n"
    pushed = repo.record
    assert repo.trailers == [{"id": "new", "file": FILE, "fields": [], "heads": [repo.head], "token": "7-1"}]
    assert repo.sandbox.posts == []
    assert run_announce(repo, token="8-1") == ""
    assert outcomes(repo.apply("--create"))["new"] == "refused"
    assert outcomes(repo.apply("--create", "--announced", "7-2"))["new"] == "refused"
    assert outcomes(repo.apply(*TOKEN))["new"] == "created"
    assert repo.trailers == []
    assert repo.parents[1] != before
    # The push of that record is lost, and the job runs again.
    repo.git("update-ref", REF, str(pushed))
    forget_checkout(repo)
    for options in (["--create"], ["--create", "--announced", "7-2"], []):
        repo.run("apply", "--yes", *options)
        assert [trailer["file"] for trailer in repo.trailers] == [FILE]
    assert len(repo.sandbox.posts) == 1
    assert run_announce(repo, FILE, token="9-1") == f"to create: {FILE}\n", "whoever names it has looked"
    assert [trailer["token"] for trailer in repo.trailers] == ["7-1", "9-1"]
    # That job never begins. What was unclear before it was announced still is.
    result = repo.run("announce", "--token", "9-1", "--withdraw")
    assert (result.code, result.stdout) == (0, f"no longer announced: {FILE}\n")
    assert [trailer["token"] for trailer in repo.trailers] == ["7-1"]
    assert outcomes(repo.apply("--create", "--announced", "9-1"))["new"] == "refused"
    run_announce(repo, FILE, token="10-1")
    repo.apply("assistants/a.yaml")  # another run in between keeps what is safer
    assert [trailer["token"] for trailer in repo.trailers] == ["7-1"]
    run_announce(repo, FILE, token="11-1")
    assert outcomes(repo.apply("--create", "--announced", "11-1"))["new"] == "created"
    assert repo.trailers == []


def test_a_creation_without_a_clear_answer_is_not_repeated_by_an_earlier_job_that_announced_it(repo: Story) -> None:
    run_announce(repo)
    run_announce(repo, FILE, token="9-1")
    with repo.intercept(unclear_answer()):
        assert outcomes(repo.apply("--create", "--announced", "9-1"))["new"] == "indeterminate"
    assert outcomes(repo.apply(*TOKEN))["new"] == "refused"
    assert len(repo.sandbox.posts) == 1


@pytest.mark.parametrize(
    "arguments", [("apply", "--yes", "--create", "--announced="), ("announce", "--token", " ", "--withdraw")]
)
def test_a_token_that_is_empty_is_no_word_of_somebody_who_has_looked(repo: Story, arguments: tuple[str, ...]) -> None:
    """As of a variable that is not set: what is unclear has no token either, and would be created once more."""
    before = repo.record
    result = repo.run(*arguments)
    assert (result.code, repo.sandbox.requests, repo.record) == (1, [], before)
    assert "is empty" in result.stderr


def test_what_was_not_announced_is_not_created_by_a_run_that_goes_by_announcements(repo: Story) -> None:
    document = repo.apply(*TOKEN)
    assert (outcomes(document)["new"], repo.sandbox.posts) == ("refused", [])
    assert "start the whole workflow again" in entries(document)["new"]["error"]["message"]
    assert "--announced works only together with --create" in repo.run("apply", "--yes", "--announced", "7-1").stderr


@pytest.mark.parametrize("way", ["a no", "no login", "too many", "not valid", "no such file"])
def test_an_announcement_of_what_was_not_sent_is_taken_back(repo: Story, way: str) -> None:
    run_announce(repo)
    options: list[str] = []
    hit = {"a no": ("POST", "/assistants", 401), "no login": ("POST", "/auth/login", 500)}.get(way)
    if way == "too many":
        repo.write("a", firstMessage="newer")
        repo.commit()
        options = ["--max-changes", "1"]
    if way == "no such file":
        options = ["assistants/typo.yaml"]
    if way == "not valid":
        repo.write("broken", "id: asst_b\nnmae: x\n")

    def meddle(request: Request, forward: Forward) -> Answer:
        return error_answer(hit[2]) if hit and (request.method, request.path) == hit[:2] else forward(request)

    with repo.intercept(meddle):
        assert repo.run("apply", "--yes", *TOKEN, *options).code == 1
    assert (repo.trailers, len(repo.sandbox.posts)) == ([], 0)
    assert set(repo.tree()) == {"assistants/a.yaml"}
    (repo.root / "assistants" / "broken.yaml").unlink(missing_ok=True)
    assert run_announce(repo, token="8-1") == f"to create: {FILE}\n"


def test_ids_come_back_to_git_without_the_api(repo: Story) -> None:
    repo.apply("--create")
    new = read_id(repo)
    # A request with the ids may follow in the same job, so this must not sound as if there were none.
    assert repo.run("pull", "--ids").stderr == "All recorded ids are in their files.\n"
    forget_checkout(repo)
    repo.sandbox.forget_requests()
    result = repo.run("pull", "--ids")
    assert (result.code, result.stdout, repo.sandbox.requests) == (0, f"{FILE}: id\n", [])
    assert (repo.root / FILE).read_text("utf-8") == NEW.replace("id: new", f"id: {new}")


def test_an_id_that_no_overlay_can_take_any_more_is_named_and_left(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        repo.project.configure(environments={"staging": {"overlay": "environments/staging"}})
        repo.project.overlay("staging", "other", "id: asst_x\n")
        repo.write("other", firstMessage="Hi")
        repo.write("new", NEW)
        repo.commit()
        repo.run("apply", "--yes", "--create", "--record", "--base", "none", "--environment", "staging", FILE)
        assert len(repo.sandbox.posts) == 1
        repo.project.configure(environments={"staging": {}})
        result = repo.run("pull", "--ids", "--environment", "staging")
        after = (repo.root / FILE).read_text("utf-8")
    message = f"{FILE}: not pulled: id: the environment has no overlay folder to write it into"
    assert (result.code, result.stdout, " ".join(result.stderr.split()), after) == (1, "", message, NEW)


def test_two_new_files_of_the_same_words_are_two_assistants_in_an_older_commit_too(repo: Story) -> None:
    repo.write("twin", NEW)
    repo.commit("A twin")
    assert outcomes(repo.apply("--create")) == {"a": "unchanged", "new": "created", "twin": "created"}
    first, second = read_id(repo), read_id(repo, "assistants/twin.yaml")
    repo.git("checkout", "--", "assistants")
    for name in (first, second):
        repo.sandbox.edit(name, firstMessage="Edited")
    document = repo.plan("--base", "HEAD")
    kinds = {key: [change["kind"] for change in entry["changes"]] for key, entry in entries(document).items()}
    assert kinds == {"a": [], "new": ["drift"], "twin": ["drift"]}
