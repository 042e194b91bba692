"""What becomes of fields that somebody else moved: where the policy comes from, what is refused, in which words."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import NEW, OLD, OTHER, change_kinds
from projects import MODEL
from stories import BOTH, Nested, Story, entries, story

LIVE: dict[str, Any] = {"drifted": OLD, "torn": OLD, "changed": OLD}


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """One definition drifted live, one was changed in git and live, one in git alone; all are recorded as they were."""
    with story(tmp_path / "repository", LIVE) as tale:
        for name in LIVE:
            tale.write(name, **OLD)
        tale.commit("First")
        tale.apply_and_record()
        tale.sandbox.edit("asst_drifted", **OTHER)
        tale.sandbox.edit("asst_torn", **OTHER)
        tale.write("torn", **NEW)
        tale.write("changed", **NEW)
        tale.commit("Second")
        yield tale


def list_sent(tale: Story, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """The assistants that a plan would write, after a look that nothing was sent."""
    document = tale.plan(*arguments) if env is None else _plan(tale, *arguments, env=env)
    assert tale.sandbox.patches == []
    return {key for key, entry in entries(document).items() if entry["patch"] is not None}


def _plan(tale: Story, *arguments: str, env: dict[str, str]) -> Any:
    return json.loads(tale.run("plan", *arguments, "--format", "json", env=env).stdout)


def test_the_option_beats_the_environment_which_beats_the_file(tale: Story) -> None:
    keep, revert = {"changed"}, {"changed", "drifted"}
    assert list_sent(tale) == keep
    tale.project.configure(on_drift="revert")
    assert list_sent(tale) == revert
    assert list_sent(tale, env={"RECONCILER_ON_DRIFT": "keep"}) == keep
    assert list_sent(tale, "--on-drift", "revert", env={"RECONCILER_ON_DRIFT": "keep"}) == revert
    assert list_sent(tale, "--on-drift", "keep") == keep
    assert list_sent(tale, env={"RECONCILER_ON_DRIFT": ""}) == revert
    tale.project.configure(on_drift="fail")
    assert list_sent(tale) == keep
    assert tale.plan()["options"] == {"on_drift": "fail", "force_conflicts": False}


@pytest.mark.parametrize("value", ["Keep", "undo", ""])
def test_another_word_is_refused_before_any_request(tale: Story, value: str) -> None:
    tale.sandbox.forget_requests()
    result = tale.run("plan", "--on-drift", value)
    assert (result.code, result.stdout) == (1, "")
    assert "keep" in result.stderr
    if value:
        assert tale.run("plan", env={"RECONCILER_ON_DRIFT": value}).code == 1
    assert tale.sandbox.requests == []


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_fail_needs_a_base_and_says_how_to_get_one(tale: Story, command: str) -> None:
    tale.sandbox.forget_requests()
    consent = ["--yes"] if command == "apply" else []
    result = tale.run(command, "--on-drift", "fail", "--base", "none", *consent)
    assert (result.code, result.stdout) == (1, "")
    assert "--on-drift fail needs a base" in result.stderr
    assert "for the first run, pass --on-drift keep" in result.stderr
    assert "--base REV" in result.stderr
    assert "git fetch origin refs/reconciler/applied:refs/reconciler/applied" in result.stderr
    tale.project.configure(on_drift="fail")
    assert tale.run(command, "--base", "none", *consent).code == 1
    assert tale.sandbox.requests == []
    assert tale.run("drift", "--base", "none").code == 0


def test_drift_alone_is_unchanged_and_exit_0(tale: Story) -> None:
    result = tale.run("apply", "--yes", "assistants/drifted.yaml")
    assert result.code == 0
    assert "1 unchanged" in result.stdout
    assert "Drift is left as it is" in result.stdout
    assert entries(tale.apply("assistants/drifted.yaml"))["drifted"]["status"] == "drifted"
    assert tale.sandbox.patches == []


def test_a_conflict_is_refused_with_three_ways_out(tale: Story) -> None:
    result = tale.run("apply", "--yes")
    assert result.code == 1
    words = " ".join(result.stdout.split())
    second = tale.sandbox.live("asst_torn")["updatedAt"].partition(".")[0]
    who = rf"set in git by {tale.head[:7]}, Ada, \S+; live last updated {second}Z"
    assert re.search(rf"firstMessage was changed both in git and live \({who}\) apply with", words)
    for way in ("--force-conflicts to use git's value", "remove the field", "pull the live value into the definition"):
        assert way in words
    assert tale.sandbox.patches == [NEW]
    assert tale.sandbox.live("asst_torn")["firstMessage"] == "edited live"
    for form in ("text", "markdown"):
        plan = " ".join(tale.run("plan", "--format", form).stdout.split())
        assert "An assistant with a conflict is refused" in plan
    assert "is refused" not in tale.run("plan", "--force-conflicts").stdout


def test_drift_is_refused_under_fail_with_its_own_ways_out(tale: Story) -> None:
    document = tale.apply("--on-drift", "fail", "assistants/drifted.yaml")
    entry = entries(document)["drifted"]
    assert (entry["outcome"], entry["status"], entry["patch"]) == ("refused", "drifted", None)
    assert entry["error"]
    assert (entry["error"]["kind"], entry["error"]["status"]) == ("conflict", None)
    for way in ("--on-drift revert", "remove the field", "pull the live value into the definition"):
        assert way in entry["error"]["message"]
    assert "--force-conflicts" not in entry["error"]["message"]
    assert tale.run("apply", "--yes", "--on-drift", "fail", "assistants/drifted.yaml").code == 1
    assert "edited live is refused" in " ".join(tale.run("plan", "--on-drift", "fail").stdout.split())
    assert tale.sandbox.patches == []


def test_force_conflicts_lets_git_win_and_touches_no_drift(tale: Story) -> None:
    assert list_sent(tale, "--force-conflicts") == {"changed", "torn"}
    assert tale.apply("--force-conflicts")["summary"]["applied"] == 2
    assert tale.sandbox.live("asst_torn")["firstMessage"] == "new"
    assert tale.sandbox.live("asst_drifted")["firstMessage"] == "edited live"
    assert change_kinds(tale.plan("--force-conflicts")) == {"drifted": {"/firstMessage": "drift"}}
    tale.apply("--force-conflicts", "--on-drift", "revert")
    assert change_kinds(tale.plan()) == {}


def test_releasing_the_field_is_a_way_out(tale: Story) -> None:
    tale.write("torn", name="Torn")
    tale.commit("Leave the greeting to the dashboard")
    document = tale.apply("assistants/torn.yaml")
    assert entries(document)["torn"]["outcome"] == "applied"
    assert entries(document)["torn"]["released"] == ["/firstMessage"]
    assert tale.sandbox.live("asst_torn")["firstMessage"] == "edited live"


def test_writing_the_live_value_into_the_definition_is_a_way_out(tale: Story) -> None:
    tale.write("torn", **OTHER)
    assert "torn" not in change_kinds(tale.plan())
    assert entries(tale.apply("assistants/torn.yaml", "--no-record"))["torn"]["outcome"] == "unchanged"


@pytest.mark.parametrize("nested", BOTH)
def test_a_patch_is_whole_and_keeps_what_drifted_inside_the_object(tmp_path: Path, nested: Nested) -> None:
    live = {"a": {"model": {**MODEL, "maxTokens": 100, "tools": ["undocumented"]}}}
    with story(tmp_path / "repository", live, nested=nested) as tale:
        tale.write("a", model={"temperature": 0.7, "maxTokens": 100})
        base = tale.commit("First")
        tale.sandbox.edit("asst_a", model={**live["a"]["model"], "maxTokens": 999})
        tale.write("a", model={"temperature": 0.2, "maxTokens": 100})
        planned = entries(tale.plan("--base", base))["a"]
        assert planned["status"] == "pending"
        applied = entries(tale.apply("--base", base))["a"]
        whole = {**MODEL, "temperature": 0.2, "maxTokens": 999, "tools": ["undocumented"]}
        assert planned["patch"] == applied["patch"] == {"model": whole}
        assert tale.sandbox.live("asst_a")["model"] == whole
        assert applied["outcome"] == "applied"
        tale.apply("--base", base, "--on-drift", "revert")
        assert tale.sandbox.live("asst_a")["model"] == {**whole, "maxTokens": 100}


@pytest.mark.parametrize("policy", [(), ("--on-drift", "revert"), ("--on-drift", "fail"), ("--force-conflicts",)])
def test_an_ignored_difference_is_accepted_by_all_commands_alike(tale: Story, policy: tuple[str, ...]) -> None:
    rule = {"path": "/firstMessage", "reason": "the campaign", "expires": "2999-01-31"}
    tale.project.configure(ignore=[rule])
    documents = [tale.plan(*policy), tale.apply("--no-record", *policy), tale.report("drift")]
    for document in documents:
        assert change_kinds(document) == {}
        for key in LIVE:
            entry = entries(document)[key]
            assert entry["ignored"] == [{"path": "/firstMessage", "reason": "the campaign", "expires": "2999-01-31"}]
            assert entry["status"] == "in_sync"
    assert set(documents[1]["summary"].items()) >= {("unchanged", 3), ("applied", 0)}
    assert tale.sandbox.patches == []
    assert "ignored: firstMessage (the campaign, until 2999-01-31)" in tale.run("drift").stdout


def test_an_ignored_conflict_refuses_nothing_and_keeps_its_live_value(tmp_path: Path) -> None:
    live = {"a": {"metadata": {"crm": 1, "team": "old", "more": True}}}
    with story(tmp_path / "repository", live) as tale:
        tale.write("a", metadata={"crm": 1, "team": "old"})
        base = tale.commit("First")
        tale.project.configure(ignore=[{"path": "/metadata/crm", "reason": "set by the CRM"}])
        tale.sandbox.edit("asst_a", metadata={"crm": 3, "team": "old", "more": True})
        tale.write("a", metadata={"crm": 2, "team": "new"})
        entry = entries(tale.apply("--base", base, "--on-drift", "fail"))["a"]
        assert entry["outcome"] == "applied"
        assert tale.sandbox.live("asst_a")["metadata"] == {"crm": 3, "team": "new", "more": True}


def test_equal_is_never_a_conflict_whatever_the_base_says(tale: Story) -> None:
    tale.sandbox.edit("asst_torn", **NEW)
    for base in ("HEAD", "HEAD^", "refs/reconciler/applied", "none"):
        assert "torn" not in change_kinds(tale.plan("--base", base))


@pytest.mark.parametrize("moves", [False, True], ids=["emptied", "moved"])
@pytest.mark.parametrize("how", ["the record", "the target branch"])
def test_what_was_sensitive_stays_hidden_in_the_plan_that_ends_it(tmp_path: Path, how: str, moves: bool) -> None:
    """Whoever may open a pull request may empty `sensitive` in it; the value in live is not theirs to see."""
    with story(tmp_path / "repository", {"a": {**OLD, "metadata": {"key": "s3cret", "team": "x"}}}) as tale:
        tale.project.configure(sensitive=["metadata.key"])
        tale.write("a", **OLD, metadata={"key": "s3cret"})
        target = tale.commit("Hidden")
        if how == "the record":
            tale.apply_and_record()
        tale.sandbox.edit("asst_a", metadata={"key": "oth3r"})
        tale.project.configure(sensitive=[])
        tale.write("a", **OLD, metadata={"key": "mine"})
        since = () if how == "the record" else ("--changed-since", target)
        if moves:  # whoever moves the definitions may forget their settings
            tale.project.configure(sensitive=["metadata.key"])
            (tale.root / "voice").mkdir()
            tale.project.folder.rename(tale.root / "voice/assistants")
            since = (*since, "--directory", "voice/assistants")
            if how == "the record":
                result = tale.run("plan", *since)
                assert (result.code, "git mv reconciler.yaml voice/reconciler.yaml" in result.stderr) == (1, True)
            (tale.root / "voice/reconciler.yaml").write_text("on_drift: keep\n", "utf-8")
        tale.commit("Shown")
        for format_ in ("text", "json", "markdown"):
            told = tale.run("plan", *since, "--format", format_)
            assert "oth3r" not in told.stdout + told.stderr
            assert "(sensitive)" in told.stdout


@pytest.mark.parametrize("how", ["the record", "the target branch"])
def test_what_was_sensitive_by_linked_settings_stays_hidden(tmp_path: Path, how: str) -> None:
    with story(tmp_path / "repository", {"a": {**OLD, "metadata": {"key": "s3cret"}}}) as tale:
        settings, shared = tale.root / "reconciler.yaml", tale.root / "shared/settings.yaml"
        shared.parent.mkdir()
        shared.write_text("sensitive: [metadata.key]\n", "utf-8")
        settings.symlink_to("shared/settings.yaml")
        tale.write("a", **OLD, metadata={"key": "s3cret"})
        target = tale.commit("Hidden")
        if how == "the record":
            tale.apply_and_record()
        tale.sandbox.edit("asst_a", metadata={"key": "oth3r"})
        shared.write_text("sensitive: []\n", "utf-8")
        tale.write("a", **OLD, metadata={"key": "mine"})
        tale.commit("Shown")
        result = tale.run("plan", *(() if how == "the record" else ("--changed-since", target)))
        assert "oth3r" not in result.stdout + result.stderr
        assert "(sensitive)" in result.stdout
