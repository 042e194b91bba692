"""What becomes of fields that somebody else moved: where the policy comes from, what is refused, in which words."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import NEW, OLD, OTHER, change_kinds
from projects import MODEL
from stories import BOTH, Nested, Story, committed_story, entries, story

LIVE: dict[str, Any] = {"drifted": OLD, "torn": OLD, "changed": OLD}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """One definition drifted live, one was changed in git and live, one in git alone; all are recorded as they were."""
    with committed_story(tmp_path / "repository", LIVE, OLD) as repo:
        repo.apply_and_record()
        repo.sandbox.edit("asst_drifted", **OTHER)
        repo.sandbox.edit("asst_torn", **OTHER)
        repo.write("torn", **NEW)
        repo.write("changed", **NEW)
        repo.commit("Second")
        yield repo


def list_sent(repo: Story, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """The assistants that a plan would write, after a look that nothing was sent."""
    document = repo.plan(*arguments) if env is None else _plan(repo, *arguments, env=env)
    assert repo.sandbox.patches == []
    return {key for key, entry in entries(document).items() if entry["patch"] is not None}


def _plan(repo: Story, *arguments: str, env: dict[str, str]) -> Any:
    return json.loads(repo.run("plan", *arguments, "--format", "json", env=env).stdout)


def test_the_option_beats_the_environment_which_beats_the_file(repo: Story) -> None:
    keep, revert = {"changed"}, {"changed", "drifted"}
    assert list_sent(repo) == keep
    repo.project.configure(on_drift="revert")
    assert list_sent(repo) == revert
    assert list_sent(repo, env={"RECONCILER_ON_DRIFT": "keep"}) == keep
    assert list_sent(repo, "--on-drift", "revert", env={"RECONCILER_ON_DRIFT": "keep"}) == revert
    assert list_sent(repo, "--on-drift", "keep") == keep
    assert list_sent(repo, env={"RECONCILER_ON_DRIFT": ""}) == revert
    repo.project.configure(on_drift="fail")
    assert list_sent(repo) == keep
    assert repo.plan()["options"] == {"on_drift": "fail", "force_conflicts": False}


@pytest.mark.parametrize("value", ["Keep", "undo", ""])
def test_another_word_is_refused_before_any_request(repo: Story, value: str) -> None:
    repo.sandbox.forget_requests()
    result = repo.run("plan", "--on-drift", value)
    assert (result.code, result.stdout) == (1, "")
    assert "keep" in result.stderr
    if value:
        assert repo.run("plan", env={"RECONCILER_ON_DRIFT": value}).code == 1
    assert repo.sandbox.requests == []


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_fail_needs_a_base_and_says_how_to_get_one(repo: Story, command: str) -> None:
    repo.sandbox.forget_requests()
    consent = ["--yes"] if command == "apply" else []
    result = repo.run(command, "--on-drift", "fail", "--base", "none", *consent)
    assert (result.code, result.stdout) == (1, "")
    assert "--on-drift fail needs a base" in result.stderr
    assert "without one, pass --on-drift keep" in result.stderr
    assert "leave out --base none" in result.stderr
    repo.git("update-ref", "-d", "refs/reconciler/applied")
    result = repo.run(command, "--on-drift", "fail", *consent)
    assert "--base REV" in result.stderr
    assert "git fetch origin refs/reconciler/applied:refs/reconciler/applied" in result.stderr
    repo.project.configure(on_drift="fail")
    assert repo.run(command, "--base", "none", *consent).code == 1
    assert repo.sandbox.requests == []
    assert repo.run("drift", "--base", "none").code == 0


def test_drift_alone_is_unchanged_and_exit_0(repo: Story) -> None:
    result = repo.run("apply", "--yes", "assistants/drifted.yaml")
    assert result.code == 0
    assert "1 unchanged" in result.stdout
    assert "is left as it is; --on-drift revert" in result.stdout
    assert entries(repo.apply("assistants/drifted.yaml"))["drifted"]["status"] == "drifted"
    assert repo.sandbox.patches == []


def test_a_conflict_is_refused_with_three_ways_out(repo: Story) -> None:
    result = repo.run("apply", "--yes")
    assert result.code == 1
    words = " ".join(result.stdout.split())
    second = repo.sandbox.live("asst_torn")["updatedAt"].partition(".")[0]
    assert f"live last updated {second}Z error: firstMessage was changed both in git and live use" in words
    assert re.search(rf"set by {repo.head[:7]}, Ada, \S+", words)
    for way in ("git's (--force-conflicts)", "remove the field", "the live value (reconciler pull --conflicts)"):
        assert way in words
    assert repo.sandbox.patches == [NEW]
    assert repo.sandbox.live("asst_torn")["firstMessage"] == "edited live"
    for form in ("text", "markdown"):
        plan = " ".join(repo.run("plan", "--format", form).stdout.split())
        assert "Nothing is sent to an assistant with a conflict" in plan
    assert "Nothing is sent" not in repo.run("plan", "--force-conflicts").stdout


def test_a_way_out_is_about_the_environment_in_which_it_is_needed(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": {"name": "Hello"}}) as repo:
        overlay = repo.root / "environments/staging/a.yaml"
        overlay.parent.mkdir(parents=True)
        overlay.write_text("id: asst_a\n")
        (repo.root / "assistants/a.yaml").write_text("name: Hello\n")
        repo.project.configure(environments={"staging": {"overlay": "environments/staging"}})
        repo.commit("First")
        options = ("--environment", "staging")
        assert repo.run("apply", "--yes", "--record", "--base", "none", *options).code == 0
        (repo.root / "assistants/a.yaml").write_text("name: Ours\n")
        repo.commit("Ours")
        repo.sandbox.edit("asst_a", name="Theirs")
        for command in (("plan",), ("plan", "--format", "github"), ("apply", "--yes")):
            words = " ".join(repo.run(*command, *options).stdout.split())
            assert "(reconciler pull --environment staging --conflicts)" in words, command
        drifted = repo.run("drift", "--base", "HEAD", "--format", "github", *options).stdout
    assert "reconciler pull --environment staging writes the live value into the definition." in drifted


def test_drift_is_refused_under_fail_with_its_own_ways_out(repo: Story) -> None:
    document = repo.apply("--on-drift", "fail", "assistants/drifted.yaml")
    entry = entries(document)["drifted"]
    assert (entry["outcome"], entry["status"], entry["patch"]) == ("refused", "drifted", None)
    assert entry["error"]
    assert (entry["error"]["kind"], entry["error"]["status"]) == ("conflict", None)
    for way in ("git's (--on-drift revert)", "remove the field", "the live value (reconciler pull)"):
        assert way in entry["error"]["message"]
    assert "--force-conflicts" not in entry["error"]["message"]
    assert repo.run("apply", "--yes", "--on-drift", "fail", "assistants/drifted.yaml").code == 1
    assert "was edited live" in " ".join(repo.run("plan", "--on-drift", "fail").stdout.split())
    assert repo.sandbox.patches == []


def test_force_conflicts_lets_git_win_and_touches_no_drift(repo: Story) -> None:
    assert list_sent(repo, "--force-conflicts") == {"changed", "torn"}
    assert repo.apply("--force-conflicts")["summary"]["applied"] == 2
    assert repo.sandbox.live("asst_torn")["firstMessage"] == "new"
    assert repo.sandbox.live("asst_drifted")["firstMessage"] == "edited live"
    assert change_kinds(repo.plan("--force-conflicts")) == {"drifted": {"/firstMessage": "drift"}}
    repo.apply("--force-conflicts", "--on-drift", "revert")
    assert change_kinds(repo.plan()) == {}


def test_releasing_the_field_is_a_way_out(repo: Story) -> None:
    repo.write("torn", name="Torn")
    repo.commit("Leave the greeting to the dashboard")
    document = repo.apply("assistants/torn.yaml")
    assert entries(document)["torn"]["outcome"] == "applied"
    assert entries(document)["torn"]["released"] == ["/firstMessage"]
    assert repo.sandbox.live("asst_torn")["firstMessage"] == "edited live"


def test_writing_the_live_value_into_the_definition_is_a_way_out(repo: Story) -> None:
    repo.write("torn", **OTHER)
    assert "torn" not in change_kinds(repo.plan())
    assert entries(repo.apply("assistants/torn.yaml", "--no-record"))["torn"]["outcome"] == "unchanged"


@pytest.mark.parametrize("nested", BOTH)
def test_a_patch_is_whole_and_keeps_what_drifted_inside_the_object(tmp_path: Path, nested: Nested) -> None:
    live = {"a": {"model": {**MODEL, "maxTokens": 100, "tools": ["undocumented"]}}}
    with story(tmp_path / "repository", live, nested=nested) as repo:
        repo.write("a", model={"temperature": 0.7, "maxTokens": 100})
        base = repo.commit("First")
        repo.sandbox.edit("asst_a", model={**live["a"]["model"], "maxTokens": 999})
        repo.write("a", model={"temperature": 0.2, "maxTokens": 100})
        planned = entries(repo.plan("--base", base))["a"]
        assert planned["status"] == "pending"
        applied = entries(repo.apply("--base", base))["a"]
        whole = {**MODEL, "temperature": 0.2, "maxTokens": 999, "tools": ["undocumented"]}
        assert planned["patch"] == applied["patch"] == {"model": whole}
        assert repo.sandbox.live("asst_a")["model"] == whole
        assert applied["outcome"] == "applied"
        repo.apply("--base", base, "--on-drift", "revert")
        assert repo.sandbox.live("asst_a")["model"] == {**whole, "maxTokens": 100}


@pytest.mark.parametrize("policy", [(), ("--on-drift", "revert"), ("--on-drift", "fail"), ("--force-conflicts",)])
def test_an_ignored_difference_is_accepted_by_all_commands_alike(repo: Story, policy: tuple[str, ...]) -> None:
    rule = {"path": "/firstMessage", "reason": "the campaign", "expires": "2999-01-31"}
    repo.project.configure(ignore=[rule])
    documents = [repo.plan(*policy), repo.apply("--no-record", *policy), repo.report("drift")]
    for document in documents:
        assert change_kinds(document) == {}
        for key in LIVE:
            entry = entries(document)[key]
            assert entry["ignored"] == [{"path": "/firstMessage", "reason": "the campaign", "expires": "2999-01-31"}]
            assert entry["status"] == "in_sync"
    assert set(documents[1]["summary"].items()) >= {("unchanged", 3), ("applied", 0)}
    assert repo.sandbox.patches == []
    assert "ignored: firstMessage (the campaign, until 2999-01-31)" in repo.run("drift").stdout


def test_an_ignored_conflict_refuses_nothing_and_keeps_its_live_value(tmp_path: Path) -> None:
    live = {"a": {"metadata": {"crm": 1, "team": "old", "more": True}}}
    with story(tmp_path / "repository", live) as repo:
        repo.write("a", metadata={"crm": 1, "team": "old"})
        base = repo.commit("First")
        repo.project.configure(ignore=[{"path": "/metadata/crm", "reason": "set by the CRM"}])
        repo.sandbox.edit("asst_a", metadata={"crm": 3, "team": "old", "more": True})
        repo.write("a", metadata={"crm": 2, "team": "new"})
        entry = entries(repo.apply("--base", base, "--on-drift", "fail"))["a"]
        assert entry["outcome"] == "applied"
        assert repo.sandbox.live("asst_a")["metadata"] == {"crm": 3, "team": "new", "more": True}


def test_equal_is_never_a_conflict_whatever_the_base_says(repo: Story) -> None:
    repo.sandbox.edit("asst_torn", **NEW)
    for base in ("HEAD", "HEAD^", "refs/reconciler/applied", "none"):
        assert "torn" not in change_kinds(repo.plan("--base", base))


@pytest.mark.parametrize("moves", [False, True], ids=["emptied", "moved"])
@pytest.mark.parametrize("how", ["the record", "the target branch"])
def test_what_was_sensitive_stays_hidden_in_the_plan_that_ends_it(tmp_path: Path, how: str, moves: bool) -> None:
    """Whoever may open a pull request may empty `sensitive` in it; the value in live is not theirs to see."""
    with story(tmp_path / "repository", {"a": {**OLD, "metadata": {"key": "s3cret", "team": "x"}}}) as repo:
        repo.project.configure(sensitive=["metadata.key"])
        repo.write("a", **OLD, metadata={"key": "s3cret"})
        target = repo.commit("Hidden")
        if how == "the record":
            repo.apply_and_record()
        repo.sandbox.edit("asst_a", metadata={"key": "oth3r"})
        repo.project.configure(sensitive=[])
        repo.write("a", **OLD, metadata={"key": "mine"})
        since = () if how == "the record" else ("--changed-since", target)
        if moves:  # whoever moves the definitions may forget their settings
            repo.project.configure(sensitive=["metadata.key"])
            (repo.root / "voice").mkdir()
            repo.project.folder.rename(repo.root / "voice/assistants")
            since = (*since, "--directory", "voice/assistants")
            if how == "the record":
                result = repo.run("plan", *since)
                assert (result.code, "git mv reconciler.yaml voice/reconciler.yaml" in result.stderr) == (1, True)
            (repo.root / "voice/reconciler.yaml").write_text("on_drift: keep\n", "utf-8")
        repo.commit("Shown")
        for format_ in ("text", "json", "markdown"):
            formatted = repo.run("plan", *since, "--format", format_)
            assert "oth3r" not in formatted.stdout + formatted.stderr
            assert "(sensitive)" in formatted.stdout


@pytest.mark.parametrize("how", ["the record", "the target branch"])
def test_what_was_sensitive_by_linked_settings_stays_hidden(tmp_path: Path, how: str) -> None:
    with story(tmp_path / "repository", {"a": {**OLD, "metadata": {"key": "s3cret"}}}) as repo:
        settings, shared = repo.root / "reconciler.yaml", repo.root / "shared/settings.yaml"
        shared.parent.mkdir()
        shared.write_text("sensitive: [metadata.key]\n", "utf-8")
        settings.symlink_to("shared/settings.yaml")
        repo.write("a", **OLD, metadata={"key": "s3cret"})
        target = repo.commit("Hidden")
        if how == "the record":
            repo.apply_and_record()
        repo.sandbox.edit("asst_a", metadata={"key": "oth3r"})
        shared.write_text("sensitive: []\n", "utf-8")
        repo.write("a", **OLD, metadata={"key": "mine"})
        repo.commit("Shown")
        result = repo.run("plan", *(() if how == "the record" else ("--changed-since", target)))
        assert "oth3r" not in result.stdout + result.stderr
        assert "(sensitive)" in result.stdout
