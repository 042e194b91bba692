"""`plan --offline`: without API and credentials, the base stands in for live."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import NEW, OLD, change_kinds, unmanaged_files
from stories import REF, Story, committed_story, entries

LIVE: dict[str, Any] = dict.fromkeys("ab", OLD)
NO_API = dict.fromkeys(("RECONCILER_API_URL", "RECONCILER_EMAIL", "RECONCILER_PASSWORD"), "")
MARK = "Offline: compared with the base, not with what is live. This report can't be applied."


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Two definitions in a first commit."""
    with committed_story(tmp_path / "repository", LIVE, OLD) as repo:
        yield repo


def plan_offline(repo: Story, *arguments: str | Path) -> Any:
    result = repo.run("plan", "--offline", "--format", "json", *arguments, env=NO_API)
    assert result.stdout, result.stderr
    assert repo.sandbox.requests == []
    return json.loads(result.stdout)


def test_the_base_stands_in_for_live(repo: Story) -> None:
    base = repo.head
    repo.sandbox.edit("asst_b", firstMessage="edited live")
    repo.write("a", **NEW, metadata={"team": "a"})
    repo.write("new", **NEW)
    repo.commit("Change")
    document = plan_offline(repo, "--base", base)
    assert change_kinds(document) == {
        "a": {"/firstMessage": "change", "/metadata/team": "change"},
        "new": {"/firstMessage": "change"},
    }
    assert (document["offline"], document["api_url"]) == (True, None)
    assert document["api_calls"] == {"GET": 0, "PATCH": 0, "POST": 0}
    greeting, team = entries(document)["a"]["changes"]
    assert (greeting["live"], greeting["base"], greeting["desired"]) == ("old", "old", "new")
    assert ("live" in team, team["since"]["commit"]) == (False, repo.head)
    for entry in document["assistants"]:
        assert (entry["patch"], entry["digest"], entry["live_updated_at"]) == (None, None, None)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_every_format_says_so(repo: Story, form: str, tmp_path: Path) -> None:
    report = tmp_path / "offline.json"
    result = repo.run("plan", "--offline", "--base", "HEAD", "--format", form, "--report", report, env=NO_API)
    assert (result.code, result.stderr) == (0, "")
    assert MARK in " ".join(result.stdout.split())
    assert MARK in " ".join(repo.run("report", report, "--format", form).stdout.split())


def test_its_report_cannot_be_applied(repo: Story, tmp_path: Path) -> None:
    report = tmp_path / "offline.json"
    repo.write("a", **NEW)
    repo.run("plan", "--offline", "--base", "HEAD", "--report", report)
    result = repo.run("apply", "--plan", report, "--yes")
    assert result.code == 1
    assert "offline plan cannot be applied" in result.stderr
    assert repo.sandbox.requests == []


def test_it_needs_a_base(repo: Story) -> None:
    for options in ((), ("--base", "none")):
        result = repo.run("plan", "--offline", *options, env=NO_API)
        assert (result.code, result.stdout) == (1, "")
        assert "needs a base" in result.stderr
        assert "--base REV" in result.stderr
        assert f"git fetch origin {REF}:{REF}" in result.stderr
    repo.git("update-ref", REF, repo.commit("More", allow_empty=True))
    assert plan_offline(repo)["base"] == {"ref": REF, "commit": repo.head}
    refused = repo.run("plan", "--offline", "--base", "none", env=NO_API)
    assert (refused.code, "leave out --base none" in refused.stderr, "git fetch" in refused.stderr) == (1, True, False)


def test_exit_codes(repo: Story) -> None:
    arguments = ["plan", "--offline", "--base", "HEAD", "--detailed-exitcode"]
    assert repo.run(*arguments, env=NO_API).code == 0
    repo.write("a", **NEW)
    assert repo.run(*arguments, env=NO_API).code == 2
    assert repo.run(*arguments[:-1], env=NO_API).code == 0
    repo.write("b", "firstMessage: 1\n")
    result = repo.run(*arguments, env=NO_API)
    assert result.code == 1
    assert "assistants/b.yaml:1:1" in result.stderr


def test_what_is_gone_released_and_ignored_is_listed_as_ever(repo: Story) -> None:
    repo.write("a", **OLD, metadata={"crm": 1, "team": "a"}, endCallMessage="Bye")
    base = repo.commit("More fields")
    (repo.root / "assistants/b.yaml").unlink()
    repo.write("a", **OLD, metadata={"crm": 2, "team": "b"})
    repo.project.configure(ignore=[{"path": "/metadata/crm", "reason": "set by the CRM"}], sensitive=["/metadata/team"])
    document = plan_offline(repo, "--base", base)
    entry = entries(document)["a"]
    assert unmanaged_files(document) == ["assistants/b.yaml"]
    assert entry["released"] == ["/endCallMessage"]
    assert [ignored["path"] for ignored in entry["ignored"]] == ["/metadata/crm"]
    assert [(change["path"], change["desired"], change["live"]) for change in entry["changes"]] == [
        ("/metadata/team", "(sensitive)", "(sensitive)")
    ]
    assert "team: b" not in json.dumps(document)


def test_changed_narrows_it(repo: Story) -> None:
    base = repo.head
    repo.write("a", **NEW)
    document = plan_offline(repo, "--base", base, "--changed")
    assert list(entries(document)) == ["a"]


def test_no_environment_variable_of_the_api_is_looked_at(repo: Story) -> None:
    odd = {**NO_API, "RECONCILER_API_URL": "http://nowhere.example/api", "RECONCILER_AUTH_TOKEN": "\n"}
    assert repo.run("plan", "--offline", "--base", "HEAD", env=odd).code == 0
    assert os.environ.get("RECONCILER_AUTH_TOKEN") is None
