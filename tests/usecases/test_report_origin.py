"""A run that relies on an earlier report is about the same: kind of run, API and environment."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from between import answer_with
from json_reports import Document, as_report
from stories import Story, story

from reconciler.core.json_values import to_json
from reconciler.report.merge import merge_reports

COMMANDS = {
    "plan": ("apply", "--yes", "--plan"),
    "resume": ("apply", "--yes", "--resume"),
    "rollback": ("rollback", "--yes"),
}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path / "project", {"a": {"firstMessage": "old", "metadata": {"key": "theirs"}}}) as repo:
        repo.write("a", firstMessage="new")
        repo.commit()
        yield repo


def make_report(repo: Story, name: str) -> Document:
    """The report that a command would rely on here; the write of the applies was unclear, and did not arrive."""
    if name == "plan":
        return repo.plan()
    with repo.intercept(answer_with(502, "a")):
        return repo.apply()


def check_refused(repo: Story, name: str, document: Document, message: str) -> None:
    report = repo.save_report(document)
    repo.sandbox.forget_requests()
    result = repo.run(*COMMANDS[name], report)
    assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", []), result.stdout + result.stderr
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_another_run_is_refused_before_any_request(repo: Story, name: str) -> None:
    document = make_report(repo, name)
    wrong = "apply" if name == "plan" else "plan"
    staging, production = (dataclasses.replace(as_report(document), environment=each) for each in ("staging", "prod"))
    elsewhere = dataclasses.replace(as_report(document), api_url="http://other.test/api", head="other")
    for other, message in (
        ({"command": wrong}, f"this is a report of `{wrong}`"),
        ({"command": "drift"}, "this is a report of `drift`"),
        ({"command": "report"}, "this is a report of `report`"),
        ({"api_url": "http://other.test/api"}, "the report is for http://other.test/api, but this run is for http:"),
        ({"api_url": None}, "the report is for no API, or for several, but"),
        ({"environment": "staging"}, "the report is for the environment staging, but this run is for no environment"),
        (to_json(merge_reports([staging, production])), "the report is of several environments: prod, staging"),
        (to_json(merge_reports([as_report(document), staging])), "the report is of several environments: staging"),
        (to_json(merge_reports([as_report(document), elsewhere])), "the report is for no API, or for several"),
    ):
        check_refused(repo, name, {**document, **other}, message)
    if name == "plan":
        check_refused(repo, name, {**document, "offline": True}, "an offline plan cannot be applied")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_was_renamed_is_the_same(repo: Story, name: str) -> None:
    report = repo.save_report(make_report(repo, name))
    repo.git("mv", "assistants", "bots")
    repo.commit()
    result = repo.run(*COMMANDS[name], report, "--directory", "bots")
    assert result.code == 0, result.stdout + result.stderr
