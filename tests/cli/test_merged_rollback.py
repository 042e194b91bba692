"""`report 1.json 2.json --report m.json`, then `rollback m.json`: all of it is undone, or the assistant is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from json_reports import Document
from projects import MODEL, outcomes
from stories import Story, story

LIVE = {"name": "Desk", "firstMessage": "Hello!", "model": {**MODEL, "messages": [{"role": "system", "content": "Hi"}]}}


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """A recorded assistant whose temperature somebody has edited live."""
    with story(tmp_path / "repository", {"a": LIVE}) as tale:
        tale.write("a", name="Desk", firstMessage="Hello!", model={"temperature": 0.7})
        tale.commit()
        tale.apply_and_record()
        tale.sandbox.edit("asst_a", model={**LIVE["model"], "temperature": 1.1})  # type: ignore[dict-item]
        yield tale


def apply_twice(tale: Story) -> list[Document]:
    """One run puts the live edit back, the next brings a change of git's."""
    first = tale.apply_and_record("--on-drift", "revert")
    tale.write("a", name="Desk", firstMessage="Good day!", model={"temperature": 0.7})
    tale.commit()
    return [first, tale.apply_and_record()]


def merge_reports(tale: Story, *documents: Document) -> Document:
    files = [str(tale.save_report(document, f"{number}.json")) for number, document in enumerate(documents)]
    result = tale.run("report", *files, "--format", "json")
    assert result.code == 0
    document: Document = json.loads(result.stdout)
    return document


def live(tale: Story) -> dict[str, Any]:
    return {key: tale.sandbox.live("asst_a")[key] for key in LIVE}


@pytest.mark.parametrize("swapped", [False, True])
def test_what_two_runs_sent_under_different_options_is_all_undone(tale: Story, swapped: bool) -> None:
    before = live(tale)
    runs = apply_twice(tale)
    assert live(tale) != before
    rollback = tale.rollback(merge_reports(tale, *(reversed(runs) if swapped else runs)))
    assert outcomes(rollback) == {"a": "applied"}
    assert live(tale) == before


def test_an_edit_between_the_runs_refuses_the_assistant(tale: Story) -> None:
    tale.write("a", name="Desk", firstMessage="Good day!", model={"temperature": 0.7})
    tale.commit()
    first = tale.apply()
    tale.sandbox.edit("asst_a", firstMessage="Theirs")
    tale.write("a", name="Desk", firstMessage="Good evening!", model={"temperature": 0.7})
    tale.commit()
    second = tale.apply("--force-conflicts")
    after = live(tale)
    rollback = tale.rollback(merge_reports(tale, first, second))
    assert outcomes(rollback) == {"a": "refused"}
    (entry,) = rollback["assistants"]
    assert "somebody edited firstMessage between two of the report's runs" in entry["error"]["message"]
    assert live(tale) == after


@pytest.mark.parametrize("arguments", [["rollback", "FILE", "--yes"], ["apply", "--resume", "FILE", "--yes"]])
def test_a_report_that_does_not_say_what_was_sent_is_refused(tale: Story, arguments: list[str]) -> None:
    (report, _) = apply_twice(tale)
    for entry in report["assistants"]:
        for change in entry["changes"]:
            del change["sent"]
    after = live(tale)
    result = tale.run(*[str(tale.save_report(report)) if word == "FILE" else word for word in arguments])
    assert (result.code, result.stdout, live(tale)) == (1, "", after)
    assert "(`sent`)" in result.stderr
    assert "apply again with this version" in result.stderr


def test_an_apply_merged_with_its_rollback_names_both(tale: Story) -> None:
    first = tale.apply_and_record("--on-drift", "revert")
    report = tale.save_report(merge_reports(tale, first, tale.rollback(first)))
    for result in (tale.run("rollback", report, "--yes"), tale.run("apply", "--resume", report, "--yes")):
        assert (result.code, result.stdout) == (1, "")
        assert "this report is merged from runs of `apply` and `rollback`" in result.stderr
        assert "the latest first" in result.stderr


@pytest.mark.parametrize("fields", [{"firstMessage": "Good evening!"}, {"name": "Front desk"}])
def test_an_assistant_that_the_runs_name_by_its_two_ids_is_undone_once(tale: Story, fields: dict[str, Any]) -> None:
    before = live(tale)
    runs = apply_twice(tale)
    tale.write("a", id="local_asst_a", **{"name": "Desk", "firstMessage": "Good day!", **fields})
    tale.commit()
    rollback = tale.rollback(merge_reports(tale, *runs, tale.apply_and_record()))
    assert outcomes(rollback) == {"a": "applied"}
    assert live(tale) == before


def test_fields_inside_one_another_under_two_ids_are_not_undone(tale: Story) -> None:
    first = tale.apply_and_record("--on-drift", "revert")
    second = json.loads(json.dumps(first))
    (entry,) = second["assistants"]
    entry["id"] = "local_asst_a"
    entry["changes"][0] |= {"path": "/model", "live": LIVE["model"], "desired": LIVE["model"]}
    after = live(tale)
    result = tale.run("rollback", tale.save_report(merge_reports(tale, first, second)), "--yes")
    assert (result.code, live(tale)) == (1, after)
    assert "the report names /model and /model/temperature, one inside the other" in result.stderr
