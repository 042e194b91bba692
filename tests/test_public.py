"""What `import reconciler` gives to scripts: the same results as the commands', with types."""

import logging
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from leaks import assert_no_secret
from pages import list_blocks
from projects import MODEL
from stories import Story, story
from two_environments import two_environments

import reconciler

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "python.md"
EXAMPLES = list_blocks(DOCUMENT.read_text("utf-8"), "python")
LIVE = {"a": {"firstMessage": "Hi", "model": MODEL}, "b": {"firstMessage": "Hello", "model": MODEL}}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with story(tmp_path / "project", LIVE) as repo:
        repo.write("a", id="asst_a", firstMessage="Hi there")
        repo.write("b", id="asst_b", firstMessage="Hello")
        repo.commit()
        monkeypatch.chdir(repo.root)
        monkeypatch.setenv("RECONCILER_API_URL", repo.sandbox.url)
        monkeypatch.setenv("RECONCILER_EMAIL", repo.sandbox.admin[0])
        monkeypatch.setenv("RECONCILER_PASSWORD", repo.sandbox.admin[1])
        yield repo


def test_a_script_plans_applies_what_it_reviewed_and_records_it(repo: Story) -> None:
    project = reconciler.load(base="none")
    assert [definition.key for definition in project.definitions] == ["a", "b"]
    with reconciler.connect(project) as api:
        reviewed = reconciler.plan(project, api)
        assert [entry["status"] for entry in reviewed["assistants"]] == ["pending", "in_sync"]
        report = reconciler.apply(project, api, reviewed=reviewed, record=True)
    assert [entry["outcome"] for entry in report["assistants"]] == ["applied", "unchanged"]
    assert repo.sandbox.live("asst_a")["firstMessage"] == "Hi there"
    assert repo.record
    assert repo.plan()["summary"]["in_sync"] == 2


def test_drift_is_measured_against_the_commit_where_there_is_no_record(repo: Story) -> None:
    repo.sandbox.edit("asst_b", firstMessage="Good evening")
    project = reconciler.load(paths=["assistants/b.yaml"])
    with reconciler.connect(project) as api:
        report = reconciler.drift(project, api)
    assert [change["kind"] for entry in report["assistants"] for change in entry["changes"]] == ["drift"]
    assert report["base"] == {"ref": "HEAD", "commit": repo.head}
    assert repo.sandbox.patches == []


def test_what_is_chosen_for_the_connection_holds_for_writes(repo: Story) -> None:
    repo.sandbox.rehearse("PATCH *: 500")
    project = reconciler.load()
    with reconciler.connect(project, concurrency=1, retries=0) as api:
        report = reconciler.apply(project, api)
    assert [entry["outcome"] for entry in report["assistants"]] == ["indeterminate", "unchanged"]
    assert (repo.sandbox.calls["PATCH"], repo.sandbox.most_in_flight) == (1, 1)


def test_more_writes_than_allowed_are_none(repo: Story) -> None:
    project = reconciler.load()
    with reconciler.connect(project, api_url=repo.sandbox.url) as api:
        report = reconciler.apply(project, api, max_changes=0)
        with pytest.raises(reconciler.ReconcilerError, match="max_changes must be a number"):
            reconciler.apply(project, api, max_changes="many")
    assert {entry["outcome"] for entry in report["assistants"]} == {"skipped"}
    note = "1 assistant would be written, but max_changes allows 0; if the plan is right, raise the limit."
    assert f"Nothing was sent: {note}" in report["warnings"]
    assert repo.sandbox.patches == []


@pytest.mark.parametrize("on_drift", ["Keep", "never", True])
def test_an_unknown_choice_about_live_edits_is_an_error_and_reverts_none(repo: Story, on_drift: Any) -> None:
    repo.apply("--record", "--base", "none")
    repo.sandbox.edit("asst_b", firstMessage="Good evening")
    project = reconciler.load()
    error = pytest.raises(reconciler.ReconcilerError, match="on_drift must be keep, revert or fail")
    with reconciler.connect(project) as api, error:
        reconciler.apply(project, api, on_drift=on_drift)
    assert repo.sandbox.live("asst_b")["firstMessage"] == "Good evening"


@pytest.mark.parametrize("paths", ["", [""], ["assistants/a.yaml", ""]])
def test_an_empty_path_is_an_error_and_does_not_select_the_whole_folder(repo: Story, paths: str | list[str]) -> None:
    with pytest.raises(reconciler.ReconcilerError, match="one of PATHS is empty"):
        reconciler.load(paths=paths)


@pytest.mark.parametrize("path", ["assistants/a.yaml", Path("assistants/a.yaml")], ids=["text", "path"])
def test_a_single_path_needs_no_list(repo: Story, path: str | Path) -> None:
    assert [definition.key for definition in reconciler.load(paths=path).definitions] == ["a"]


def test_an_invalid_definition_is_a_problem_of_the_project_and_stops_apply(repo: Story) -> None:
    repo.write("c", "id: asst_c\nfirstMesage: Hi\n")
    project = reconciler.load()
    assert [problem.file for problem in project.problems] == ["assistants/c.yaml"]
    with reconciler.connect(project, email=repo.sandbox.admin[0], password=repo.sandbox.admin[1]) as api:
        report = reconciler.apply(project, api)
    assert {entry["outcome"] for entry in report["assistants"]} == {"skipped", "refused"}
    assert repo.sandbox.requests == []


def test_what_could_not_be_recorded_is_told_with_the_report(repo: Story) -> None:
    project = reconciler.load(base="none")
    hook = repo.root / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with reconciler.connect(project) as api, pytest.raises(reconciler.NotRecorded) as error_info:
        reconciler.apply(project, api, record=True)
    assert error_info.value.report["summary"]["applied"] == 1
    assert "live, but not recorded" in str(error_info.value)
    # As it comes out of a pool of processes.
    copy = pickle.loads(pickle.dumps(error_info.value))
    assert (str(copy), copy.hint, copy.report) == (
        str(error_info.value),
        error_info.value.hint,
        error_info.value.report,
    )


def test_a_first_record_and_an_older_commit_are_refused_as_by_the_command(repo: Story) -> None:
    project = reconciler.load()
    with reconciler.connect(project) as api, pytest.raises(reconciler.ReconcilerError, match="there is no record"):
        reconciler.apply(project, api, record=True)
    assert repo.sandbox.patches == []


def test_to_go_back_on_purpose_what_was_applied_meanwhile_is_selected_as_well(repo: Story) -> None:
    older = repo.head
    repo.write("b", id="asst_b", firstMessage="Newer")
    repo.commit()
    repo.apply_and_record()
    repo.git("checkout", "--quiet", older)
    assert reconciler.load(changed=True).definitions == ()
    project = reconciler.load(changed=True, allow_older=True)
    with reconciler.connect(project) as api:
        report = reconciler.apply(project, api, allow_older=True)
    assert [(entry["key"], entry["outcome"]) for entry in report["assistants"]] == [("b", "applied")]
    assert repo.sandbox.live("asst_b")["firstMessage"] == "Hello"


def test_a_project_stays_what_it_is_where_the_working_directory_changes(
    repo: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, selected = reconciler.load(base="none"), reconciler.load(paths="assistants/b.yaml")
    monkeypatch.chdir("/")
    with reconciler.connect(project) as api:
        drifted = reconciler.drift(selected, api)  # reads it again, against HEAD
        report = reconciler.apply(project, api, record=True)
    assert [(entry["file"], entry["status"]) for entry in drifted["assistants"]] == [("assistants/b.yaml", "in_sync")]
    assert [entry["outcome"] for entry in report["assistants"]] == ["applied", "unchanged"]
    assert repo.tree().keys() == {"assistants/a.yaml", "assistants/b.yaml"}


def test_definitions_that_were_read_before_somebody_else_applied_are_not_applied(repo: Story) -> None:
    """A late run must not undo a newer one, also where it began before that one had ended."""
    project = reconciler.load(base="none")
    repo.apply_and_record("--base", "none")
    repo.sandbox.forget_requests()
    with reconciler.connect(project) as api, pytest.raises(reconciler.ReconcilerError, match="moved while this run"):
        reconciler.apply(project, api)
    assert repo.sandbox.requests == []


def test_credentials_that_are_missing_are_named(repo: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    project = reconciler.load()
    monkeypatch.delenv("RECONCILER_PASSWORD")
    with pytest.raises(reconciler.ReconcilerError, match="no credentials"):
        reconciler.connect(project)
    with reconciler.connect(project, token="secret-token-nobody-knows") as api:
        report = reconciler.plan(project, api)
    assert {entry["error"]["kind"] for entry in report["assistants"] if entry["error"]} == {"auth"}


def test_the_api_of_one_environment_is_not_that_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILER_API_URL", raising=False)
    with two_environments(tmp_path / "project", LIVE) as environments:
        environments.shared()
        for name, sandbox in environments.sandboxes.items():
            environments.overlay(name, id="asst_a")
            email, password = sandbox.admin
        monkeypatch.chdir(environments.root)
        projects = {name: reconciler.load(environment=name) for name in environments.sandboxes}
        with reconciler.connect(projects["production"], email=email, password=password) as api:
            for call in (reconciler.plan, reconciler.apply, reconciler.drift):
                with pytest.raises(reconciler.ReconcilerError, match="is staging, but the API's is production"):
                    call(projects["staging"], api)
            assert all(sandbox.requests == [] for sandbox in environments.sandboxes.values())
            # Read once more, it is still the same environment.
            report = reconciler.apply(reconciler.load(environment="production"), api)
        assert [entry["outcome"] for entry in report["assistants"]] == ["applied"]


@pytest.mark.parametrize("left_out", ["email", "password"])
def test_a_login_of_which_one_half_is_left_out_takes_that_half_alone_from_the_variables(
    repo: Story, left_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, password = repo.sandbox.admin
    other = {"RECONCILER_EMAIL": "other@sandbox.test", "RECONCILER_PASSWORD": "another password"}
    # The variables have one right half, and a token that must not stand in for the login that was asked for.
    other |= {"email": {"RECONCILER_EMAIL": email}, "password": {"RECONCILER_PASSWORD": password}}[left_out]
    for name, value in {**other, "RECONCILER_AUTH_TOKEN": "secret-token-nobody-knows"}.items():
        monkeypatch.setenv(name, value)
    arguments = {"email": email, "password": password}
    del arguments[left_out]
    project = reconciler.load()
    with reconciler.connect(project, email=arguments.get("email"), password=arguments.get("password")) as api:
        report = reconciler.plan(project, api)
    assert report["summary"]["error"] == 0
    logins = [body for method, path, body in repo.sandbox.requests if path == "/auth/login"]
    assert logins == [{"email": email, "password": password}]
    assert repo.sandbox.calls == {"POST": 1, "GET": 2}


@pytest.mark.parametrize("timeout", [float("inf"), float("nan"), 0.0, -1.0])
def test_a_timeout_that_no_clock_takes_is_an_error_before_any_request(repo: Story, timeout: float) -> None:
    project = reconciler.load()
    with pytest.raises(reconciler.ReconcilerError, match="--timeout more than 0 and at most 86400"):
        reconciler.connect(project, timeout=timeout)


def test_a_script_that_logs_everything_does_not_log_the_token(repo: Story, caplog: pytest.LogCaptureFixture) -> None:
    project = reconciler.load()
    with caplog.at_level(logging.DEBUG), reconciler.connect(project) as api:
        reconciler.apply(project, api)
    assert "httpcore" in caplog.text
    assert_no_secret(caplog.text, "the log")


def test_other_names_are_not_there() -> None:
    assert "plan" in dir(reconciler)
    with pytest.raises(AttributeError, match="no attribute 'planning'"):
        getattr(reconciler, "planning")  # noqa: B009 - a name that no type checker would let through


@pytest.mark.parametrize("example", EXAMPLES, ids=["plan", "apply"])
def test_the_examples_of_the_document_run(repo: Story, example: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", example], cwd=repo.root, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_callers_that_check_their_types_strictly_see_ours(tmp_path: Path) -> None:
    caller = tmp_path / "caller.py"
    wrong = [
        "reconciler.plan(project)",
        "reconciler.plan(project, api, on_drift='never')",
        "report.assistants",
        "reconciler.load(environment=1)",
        "reconciler.planning",
    ]
    caller.write_text("\n".join([*EXAMPLES, *wrong, ""]), "utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-version=3.11", "--no-error-summary", "caller.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "MYPY_CACHE_DIR": str(tmp_path / "cache")},
    )
    first = caller.read_text("utf-8").splitlines().index(wrong[0]) + 1
    lines = [int(line) for line in re.findall(r"^caller\.py:(\d+): error", result.stdout, re.MULTILINE)]
    assert sorted(set(lines)) == list(range(first, first + len(wrong))), result.stdout + result.stderr
