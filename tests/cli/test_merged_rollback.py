"""`report 1.json 2.json --report m.json`, then `rollback m.json`: all of it is undone, or the assistant is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import answer_with
from json_reports import Document
from projects import MODEL, outcomes
from stories import Story, story

LIVE = {"name": "Desk", "firstMessage": "Hello!", "model": {**MODEL, "messages": [{"role": "system", "content": "Hi"}]}}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """A recorded assistant whose temperature somebody has edited live."""
    with story(tmp_path / "repository", {"a": LIVE}) as repo:
        repo.write("a", name="Desk", firstMessage="Hello!", model={"temperature": 0.7})
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", model={**LIVE["model"], "temperature": 1.1})  # type: ignore[dict-item]
        yield repo


def apply_twice(repo: Story) -> list[Document]:
    """One run puts the live edit back, the next brings a change of git's."""
    first = repo.apply_and_record("--on-drift", "revert")
    repo.write("a", name="Desk", firstMessage="Good day!", model={"temperature": 0.7})
    repo.commit()
    return [first, repo.apply_and_record()]


def merge_reports(repo: Story, *documents: Document) -> Document:
    files = [str(repo.save_report(document, f"{number}.json")) for number, document in enumerate(documents)]
    result = repo.run("report", *files, "--format", "json")
    assert result.code == 0
    document: Document = json.loads(result.stdout)
    return document


def live(repo: Story) -> dict[str, Any]:
    return {key: repo.sandbox.live("asst_a")[key] for key in LIVE}


def test_what_git_says_after_the_rollback_is_a_change_but_not_where_a_live_edit_is_back(repo: Story) -> None:
    merged = merge_reports(repo, *apply_twice(repo))
    assert outcomes(repo.rollback(merged)) == {"a": "applied"}
    repo.write("a", name="Desk", firstMessage="Good evening!", model={"temperature": 0.5})
    repo.commit()
    changes = {change["path"]: change["kind"] for change in repo.plan()["assistants"][0]["changes"]}
    assert changes == {"/firstMessage": "change", "/model/temperature": "conflict"}


@pytest.mark.parametrize("swapped", [False, True])
def test_what_two_runs_sent_under_different_options_is_all_undone(repo: Story, swapped: bool) -> None:
    before = live(repo)
    runs = apply_twice(repo)
    assert live(repo) != before
    rollback = repo.rollback(merge_reports(repo, *(reversed(runs) if swapped else runs)))
    assert outcomes(rollback) == {"a": "applied"}
    assert live(repo) == before


def test_an_edit_between_the_runs_refuses_the_assistant(repo: Story) -> None:
    repo.write("a", name="Desk", firstMessage="Good day!", model={"temperature": 0.7})
    repo.commit()
    first = repo.apply()
    repo.sandbox.edit("asst_a", firstMessage="Theirs")
    repo.write("a", name="Desk", firstMessage="Good evening!", model={"temperature": 0.7})
    repo.commit()
    second = repo.apply("--force-conflicts")
    after = live(repo)
    rollback = repo.rollback(merge_reports(repo, first, second))
    assert outcomes(rollback) == {"a": "refused"}
    (entry,) = rollback["assistants"]
    assert "somebody edited firstMessage between two of the report's runs" in entry["error"]["message"]
    assert live(repo) == after


@pytest.mark.parametrize("arguments", [["rollback", "FILE", "--yes"], ["apply", "--resume", "FILE", "--yes"]])
def test_a_report_that_does_not_say_what_was_sent_is_refused(repo: Story, arguments: list[str]) -> None:
    (report, _) = apply_twice(repo)
    for entry in report["assistants"]:
        for change in entry["changes"]:
            del change["sent"]
    after = live(repo)
    result = repo.run(*[str(repo.save_report(report)) if word == "FILE" else word for word in arguments])
    assert (result.code, result.stdout, live(repo)) == (1, "", after)
    assert "(`sent`)" in result.stderr
    assert "apply again with this version" in result.stderr


def test_an_apply_merged_with_its_rollback_names_both(repo: Story) -> None:
    first = repo.apply_and_record("--on-drift", "revert")
    report = repo.save_report(merge_reports(repo, first, repo.rollback(first)))
    for result in (repo.run("rollback", report, "--yes"), repo.run("apply", "--resume", report, "--yes")):
        assert (result.code, result.stdout) == (1, "")
        assert "this report is merged from runs of `apply` and `rollback`" in result.stderr
        assert "the latest first" in result.stderr


@pytest.mark.parametrize("key", ["0", "z"])
@pytest.mark.parametrize("name", ["asst_a", "local_asst_a"])
def test_a_file_that_was_renamed_between_the_runs_keeps_their_order(repo: Story, key: str, name: str) -> None:
    before = live(repo)
    runs = apply_twice(repo)
    (repo.project.folder / "a.yaml").unlink()
    repo.write(key, id=name, name="Desk", firstMessage="Good evening!", model={"temperature": 0.7})
    repo.commit()
    first = merge_reports(repo, *runs)
    rollback = repo.rollback(merge_reports(repo, first, repo.apply_and_record()))
    assert outcomes(rollback) == {key: "applied"}
    assert live(repo) == before


@pytest.mark.parametrize("repeated", [False, True])
def test_a_write_that_did_not_arrive_is_nobodys_edit(repo: Story, repeated: bool) -> None:
    before = live(repo)
    runs = apply_twice(repo)
    repo.write("a", name="Desk", firstMessage="Good evening!", model={"temperature": 0.7})
    repo.commit()
    with repo.intercept(answer_with(502, "a", landed=False)):
        runs.append(repo.apply_and_record())
    if repeated:
        runs.append(repo.apply_and_record())
    rollback = repo.rollback(merge_reports(repo, *runs))
    assert (outcomes(runs[2]), outcomes(rollback)) == ({"a": "indeterminate"}, {"a": "applied"})
    assert live(repo) == before


@pytest.mark.parametrize("key", ["0", "z"])
def test_a_write_that_a_later_run_settled_under_another_name_is_not_unclear(repo: Story, key: str) -> None:
    file = repo.write("a", name="Desk", firstMessage="Good day!", model={"temperature": 0.7})
    repo.commit()
    with repo.intercept(answer_with(502, "a", landed=True)):
        first = repo.apply_and_record()
    repo.write(key, file.read_text("utf-8"))
    file.unlink()
    repo.commit()
    second = repo.apply_and_record()
    repo.sandbox.forget_requests()
    resumed = repo.apply("--resume", repo.save_report(merge_reports(repo, first, second)))
    assert (outcomes(first), outcomes(second), resumed["assistants"]) == ({"a": "indeterminate"}, {key: "applied"}, [])
    assert repo.sandbox.patches == []


@pytest.mark.parametrize("fields", [{"firstMessage": "Good evening!"}, {"name": "Front desk"}])
def test_an_assistant_that_the_runs_name_by_its_two_ids_is_undone_once(repo: Story, fields: dict[str, Any]) -> None:
    before = live(repo)
    runs = apply_twice(repo)
    repo.write("a", id="local_asst_a", **{"name": "Desk", "firstMessage": "Good day!", **fields})
    repo.commit()
    rollback = repo.rollback(merge_reports(repo, *runs, repo.apply_and_record()))
    assert outcomes(rollback) == {"a": "applied"}
    assert live(repo) == before


def test_fields_inside_one_another_under_two_ids_are_not_undone(repo: Story) -> None:
    first = repo.apply_and_record("--on-drift", "revert")
    second = json.loads(json.dumps(first))
    (entry,) = second["assistants"]
    entry["id"] = "local_asst_a"
    entry["changes"][0] |= {"path": "/model", "live": LIVE["model"], "desired": LIVE["model"]}
    after = live(repo)
    result = repo.run("rollback", repo.save_report(merge_reports(repo, first, second)), "--yes")
    assert (result.code, live(repo)) == (1, after)
    assert "the report names /model and /model/temperature, and one is inside the other" in result.stderr
    assert "pass the report of each run by itself, the latest first" in result.stderr
