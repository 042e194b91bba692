"""Assistants that are frozen: nothing is sent, everything is shown, and when the freeze ends git's move is a change."""

import contextlib
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import NEW, OLD, OTHER, change_kinds
from projects import Project, outcomes, statuses
from servers import running_sandbox
from stories import BOTH, InstalledStory, Nested, Story, committed_story, entries

REASON = "enrolment week"
HELD = {"reason": REASON, "assistants": ["a"], "expires": "2999-01-15"}


@contextlib.contextmanager
def frozen_story(tmp_path: Path, nested: Nested = "merge", kind: type[Story] = Story) -> Iterator[Story]:
    """Two recorded assistants, of which git has changed both; `a` is frozen."""
    with committed_story(tmp_path / "repository", {"a": OLD, "b": OLD}, OLD, nested=nested, kind=kind) as repo:
        repo.apply_and_record()
        freeze(repo, HELD)
        for name in ("a", "b"):
            repo.write(name, **NEW)
        repo.commit("Second")
        repo.sandbox.forget_requests()
        yield repo


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    with frozen_story(tmp_path) as repo:
        yield repo


def freeze(repo: Story, *held: Any) -> None:
    repo.project.configure(frozen=[*held])
    repo.commit("Settings", allow_empty=True)


def message(repo: Story, name: str) -> Any:
    return repo.sandbox.live(f"asst_{name}")["firstMessage"]


def list_writes(repo: Story) -> list[str]:
    return [path for method, path, _ in repo.sandbox.requests if method != "GET" and path.startswith("/assistants")]


@pytest.mark.parametrize("nested", BOTH)
def test_apply_sends_nothing_there_and_that_is_no_failure(tmp_path: Path, nested: Nested) -> None:
    with frozen_story(tmp_path, nested) as repo:
        before = repo.tree()["assistants/a.yaml"]
        result = repo.run("apply", "--yes", "--record")
        assert (result.code, list_writes(repo)) == (0, ["/assistants/asst_b"])
        assert "assistants/a.yaml: frozen, nothing was sent" in result.stdout
        assert f"frozen ({REASON}, until 2999-01-15)" in result.stdout
        assert "1 applied, 0 unchanged, 0 failed, 1 frozen" in result.stdout
        # The record keeps what it had, so that git's move is a change when the freeze ends.
        assert repo.tree()["assistants/a.yaml"] == before
        assert outcomes(repo.apply_and_record()) == {"a": "frozen", "b": "unchanged"}
        freeze(repo)
        planned = repo.plan()
        assert (change_kinds(planned), statuses(planned)) == (
            {"a": {"/firstMessage": "change"}},
            {"a": "pending", "b": "in_sync"},
        )
        assert outcomes(repo.apply_and_record()) == {"a": "applied", "b": "unchanged"}
        assert message(repo, "a") == "new"


def test_a_plan_shows_what_differs_under_the_status_frozen(repo: Story) -> None:
    document = repo.plan()
    entry = entries(document)["a"]
    assert statuses(document) == {"a": "frozen", "b": "pending"}
    assert entry["patch"] is None
    assert [(change["path"], change["sent"], change["unsent"]) for change in entry["changes"]] == [
        ("/firstMessage", False, "frozen")
    ]
    assert entry["frozen"] == {"reason": REASON, "expires": "2999-01-15"}
    assert {name: document["summary"][name] for name in ("frozen", "pending", "applied")} == {
        "frozen": 1,
        "pending": 1,
        "applied": 0,
    }
    result = repo.run("plan")
    assert "assistants/a.yaml: frozen" in result.stdout
    assert '~ firstMessage: "old" -> "new"' in result.stdout
    assert "Plan: 1 to change, 0 drifted, 0 conflicts, 1 frozen, 0 in sync, 0 errors." in result.stdout


def test_every_format_says_why_it_is_frozen_and_what_is_enforced(repo: Story) -> None:
    repo.project.configure(frozen=[HELD], enforce=[{"path": "/firstMessage", "reason": "the law"}])
    repo.write("b", **OLD)
    repo.commit("Settings")
    repo.sandbox.edit("asst_b", **OTHER)
    names = ("plan.md", "plan.html", "plan.xml", "plan.prom")
    files = {name: repo.root.parent / name for name in names}
    repo.run("plan", *(option for file in files.values() for option in ("--report", file)))
    texts = {name: file.read_text("utf-8") for name, file in files.items()}
    for name in names[:3]:
        assert REASON in texts[name], name
        assert "2999-01-15" in texts[name], name
        assert "the law" in texts[name], name
    assert 'reconciler_assistants{status="frozen"} 1' in texts["plan.prom"]
    assert 'reconciler_outcomes{outcome="frozen"} 0' in texts["plan.prom"]


def test_the_exit_code_does_not_count_what_is_frozen(repo: Story) -> None:
    assert [repo.run("plan", *paths, "--detailed-exitcode").code for paths in ((), ("assistants/a.yaml",))] == [2, 0]
    for name in ("a", "b"):
        repo.sandbox.edit(f"asst_{name}", **OTHER)
    drifted = repo.report("drift")
    assert statuses(drifted) == {"a": "frozen", "b": "conflicted"}
    assert entries(drifted)["a"]["frozen"] == {"reason": REASON, "expires": "2999-01-15"}
    codes = [repo.run("drift", *paths, "--detailed-exitcode").code for paths in ((), ("assistants/a.yaml",))]
    assert codes == [2, 0]


def test_a_run_that_was_stopped_counts_it_once(repo: Story) -> None:
    stopped = repo.run("apply", "--yes", "--max-changes", "0").stdout
    assert stopped.splitlines()[-1] == "Apply: 0 applied, 0 unchanged, 0 failed, 2 skipped."


@pytest.mark.parametrize("policy", [("--on-drift", "fail"), ("--on-drift", "revert", "--force-conflicts")])
def test_a_freeze_stands_above_every_policy(repo: Story, policy: tuple[str, ...]) -> None:
    repo.sandbox.edit("asst_a", **OTHER)
    repo.project.configure(frozen=[HELD], enforce=[{"path": "/firstMessage", "reason": "the law"}])
    result = repo.apply("assistants/a.yaml", "--no-record", *policy)
    assert outcomes(result) == {"a": "frozen"}
    assert (message(repo, "a"), list_writes(repo)) == ("edited live", [])


def test_an_assistant_that_does_not_differ_is_unchanged(repo: Story) -> None:
    repo.write("a", **OLD)
    assert statuses(repo.plan())["a"] == "in_sync"
    assert outcomes(repo.apply("--no-record"))["a"] == "unchanged"


def test_a_plan_that_was_reviewed_before_the_freeze_is_frozen_and_not_stale(repo: Story) -> None:
    freeze(repo)
    file = repo.save_report(repo.plan(), "plan.json")
    freeze(repo, HELD)
    assert outcomes(repo.apply("--no-record", "--plan", str(file))) == {"a": "frozen", "b": "applied"}


def test_a_rollback_goes_on_and_says_so(repo: Story) -> None:
    freeze(repo)
    applied = repo.apply_and_record()
    freeze(repo, {**HELD, "assistants": ["*"]})
    rollback = repo.rollback(applied)
    assert outcomes(rollback) == {"a": "applied", "b": "applied"}
    assert message(repo, "a") == "old"
    for entry in rollback["assistants"]:
        (warning,) = entry["warnings"]
        assert warning == f"the assistant is frozen ({REASON}, until 2999-01-15); rollback continues anyway"


def test_pull_goes_on_and_says_so(repo: Story) -> None:
    repo.write("a", **OLD)
    repo.sandbox.edit("asst_a", **OTHER)
    result = repo.run("pull", "assistants/a.yaml")
    assert (result.code, result.stdout) == (0, "assistants/a.yaml: firstMessage\n")
    assert f"assistants/a.yaml: the assistant is frozen ({REASON}, until 2999-01-15)" in result.stderr
    assert "edited live" in (repo.root / "assistants/a.yaml").read_text("utf-8")


def test_no_assistant_is_created_from_a_frozen_definition(repo: Story) -> None:
    model, voice = {"provider": "openai", "model": "gpt-4o"}, {"provider": "openai", "voiceId": "alloy"}
    file = repo.project.write("c", name="New", model=model, voice=voice)
    freeze(repo, {**HELD, "assistants": ["c"]})
    result = repo.run("create", file, "--yes")
    assert (result.code, result.stdout, list_writes(repo)) == (1, "", [])
    assert f"assistants/c.yaml: it is frozen ({REASON}, until 2999-01-15)" in result.stderr
    freeze(repo, HELD)
    assert repo.run("create", file, "--yes").code == 0


def test_an_assistant_to_come_and_one_to_go_wait(repo: Story) -> None:
    model, voice = {"provider": "openai", "model": "gpt-4o"}, {"provider": "openai", "voiceId": "alloy"}
    repo.project.write("c", id="new", name="New", model=model, voice=voice)
    freeze(repo, {**HELD, "assistants": ["*"]})
    planned = repo.run("plan", "--detailed-exitcode")
    assert (planned.code, f"A new assistant, frozen ({REASON}, until 2999-01-15):" in planned.stdout) == (0, True)
    assert outcomes(repo.apply_and_record("--create")) == {"a": "frozen", "b": "frozen", "c": "frozen"}
    result = repo.run("delete", "assistants/a.yaml", "--yes", "--name", "A")
    assert (result.code, list_writes(repo)) == (1, [])
    assert f"assistants/a.yaml: it is frozen ({REASON}, until 2999-01-15)" in result.stderr


def test_the_installed_command_and_an_expired_freeze(tmp_path: Path) -> None:
    with frozen_story(tmp_path, kind=InstalledStory) as repo:
        result = repo.run("apply", "--yes")
        assert (result.code, message(repo, "a"), message(repo, "b")) == (0, "old", "new")
        freeze(repo, {**HELD, "expires": "2020-01-15"})
        validated, applied = repo.run("validate"), repo.run("apply", "--yes")
        assert validated.code == 1
        expired = "the freeze (enrolment week) expired on 2020-01-15"
        assert f"reconciler.yaml:2:3: {expired} and no longer applies" in validated.stdout
        assert (applied.code, message(repo, "a")) == (0, "new")
        assert expired in applied.stdout


START, END = datetime.date(2027, 1, 11), datetime.date(2027, 1, 15)


@pytest.mark.parametrize(
    ("moment", "is_frozen", "warned"),
    [
        ("2027-01-10T23:59:59Z", False, True),
        ("2027-01-11T00:00:00Z", True, True),
        ("2027-01-15T23:59:59Z", True, True),
        ("2027-01-16T00:00:00Z", False, True),
        ("2027-01-01T00:00:00Z", False, True),
        ("2026-12-31T23:59:59Z", False, False),
    ],
)
def test_a_freeze_holds_from_its_first_to_its_last_day_in_utc(
    project: Project, moment: str, is_frozen: bool, warned: bool
) -> None:
    project.started_at = datetime.datetime.fromisoformat(moment)
    project.configure(frozen=[{"reason": REASON, "from": str(START), "expires": str(END)}])
    project.write("a", id="asst_1", name="New")
    with running_sandbox({"asst_1": {"name": "Old"}}) as sandbox:
        planned, applied = project.plan(sandbox.url), project.apply(sandbox.url)
    assert statuses(planned) == {"a": "frozen" if is_frozen else "pending"}
    assert outcomes(applied) == {"a": "frozen" if is_frozen else "applied"}
    assert {planned["started_at"], applied["started_at"]} == {moment}
    assert len(planned["warnings"]) == warned


def test_an_environment_adds_its_own_freezes(project: Project) -> None:
    own = {"reason": "a move", "assistants": ["b"]}
    project.configure(frozen=[HELD], environments={"staging": {"frozen": [own]}})
    assert [entry.reason for entry in project.settings.choose("staging").frozen] == [REASON, "a move"]


def test_a_freeze_of_nothing_is_told_in_whole_runs_only(repo: Story) -> None:
    freeze(repo, HELD, {**HELD, "assistants": ["admission/*"]})
    warnings = [note for note in repo.plan()["warnings"] if "matches no definition" in note]
    (note,) = warnings
    assert note.startswith(
        "the freeze (enrolment week) matches no definition: remove it from reconciler.yaml, or correct its `assistants`"
    )
    assert not [note for note in repo.plan("assistants/b.yaml")["warnings"] if "matches no definition" in note]


def test_the_report_of_a_freeze_is_read_back(repo: Story) -> None:
    file = repo.save_report(repo.plan(), "plan.json")
    again = json.loads(repo.run("report", file, "--format", "json").stdout)
    assert entries(again)["a"]["frozen"] == {"reason": REASON, "expires": "2999-01-15"}
    assert "1 frozen" in repo.run("report", file).stdout
