"""From live into git, and from git into live: afterwards nothing differs, whatever PATCH does inside objects.

Told with the installed command.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from histories import change_kinds
from projects import MODEL
from stories import BOTH, InstalledStory, Nested, entries, story
from two_environments import SHARED, two_environments

COMMENTED = """# What callers hear.
id: asst_a
name: Enrollment   # as in the dashboard
firstMessage: "Hello"   # said first
model: {provider: openai, model: gpt-4o, temperature: 0.7}   # see the wiki
"""
LIVE: dict[str, Any] = {
    "name": "Enrollment",
    "firstMessage": "Hello",
    "model": {**MODEL, "tools": [{"type": "endCall"}]},
}
NEW = """# Not there yet.
name: Newcomer
firstMessage: "Good day"   # said first
voicemailMessage: ~
model: {provider: openai, model: gpt-4o, temperature: 0.7}
voice: {provider: openai, voiceId: alloy}
"""


@pytest.mark.parametrize("nested", BOTH)
def test_a_live_edit_is_drift_then_pulled_then_in_sync(tmp_path: Path, nested: Nested) -> None:
    with story(tmp_path / "work", {"a": LIVE}, nested=nested, kind=InstalledStory) as repo:
        file = repo.write("a", COMMENTED)
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage="Welcome", model={**LIVE["model"], "temperature": 1.5})
        drifted = change_kinds(repo.report("drift"))
        repo.sandbox.forget_requests()
        result = repo.run("pull")
        planned, again = repo.plan("--detailed-exitcode"), repo.run("pull")
        text = file.read_text("utf-8")
        repo.commit()
        applied = repo.apply_and_record()
        calls = repo.sandbox.calls
    assert drifted == {"a": {"/firstMessage": "drift", "/model/temperature": "drift"}}
    assert (result.code, result.stdout) == (0, "assistants/a.yaml: firstMessage, model.temperature\n")
    assert text == COMMENTED.replace('"Hello"', '"Welcome"').replace("0.7", "1.5")
    assert change_kinds(planned) == {}
    assert planned["summary"]["in_sync"] == 1
    assert (again.code, again.stdout, again.stderr) == (0, "", "Nothing to pull.\n")
    assert applied["summary"]["unchanged"] == 1
    assert "PATCH" not in calls


@pytest.mark.parametrize("nested", BOTH)
def test_a_created_assistant_is_in_sync_and_takes_edits(tmp_path: Path, nested: Nested) -> None:
    with story(tmp_path / "work", {}, nested=nested, kind=InstalledStory) as repo:
        file = repo.write("new", NEW)
        result = repo.run("create", "--yes", file)
        text = file.read_text("utf-8")
        new = yaml.safe_load(text)["id"]
        repo.commit()
        created = repo.plan()
        repo.apply_and_record()
        file.write_text(text.replace("Good day", "Good evening").replace("0.7", "0.2"), "utf-8")
        repo.commit()
        edited = repo.plan()
        applied = repo.apply_and_record()
        planned = repo.plan()
        live, provider = repo.sandbox.live(new), repo.sandbox.provider(new)
        posts = [path for method, path, _ in repo.sandbox.requests if method == "POST" and path != "/auth/login"]
    assert (result.code, result.stderr) == (0, f"Wrote the id {new} into assistants/new.yaml.\n")
    assert text == f"# Not there yet.\nid: {new}\n" + NEW.partition("\n")[2]
    assert change_kinds(created) == {}
    assert created["summary"]["in_sync"] == 1
    assert change_kinds(edited) == {"new": {"/firstMessage": "change", "/model/temperature": "change"}}
    assert applied["summary"]["applied"] == 1
    assert planned["summary"]["in_sync"] == 1
    assert live["firstMessage"] == provider["firstMessage"] == "Good evening"
    assert live["model"]["temperature"] == 0.2
    assert posts == ["/assistants"]


@pytest.mark.parametrize("nested", BOTH)
def test_one_definition_serves_two_environments_and_a_drift_goes_to_one_overlay(tmp_path: Path, nested: Nested) -> None:
    live = {"name": "Enrollment", "firstMessage": "Hello", "model": MODEL, "voicemailMessage": "by hand"}
    with two_environments(
        tmp_path / "work", {"s": live, "p": live}, nested=nested, kind=InstalledStory
    ) as environments:
        shared = environments.shared()
        staging = environments.overlay("staging", "a", "id: asst_s   # of staging\nfirstMessage: Test  # only here\n")
        production = environments.overlay("production", id="asst_p")
        environments.repo.commit()
        first = {
            name: environments.report(name, "apply", "--yes", "--record", "--base", "none")
            for name in environments.sandboxes
        }
        greetings = [
            environments.sandboxes["staging"].live("asst_s")["firstMessage"],
            environments.sandboxes["production"].live("asst_p")["firstMessage"],
        ]
        before = [file.read_bytes() for file in (shared, production)]
        environments.sandboxes["staging"].edit("asst_s", firstMessage="Test 2", model={**MODEL, "temperature": 1.1})
        drifted = {name: change_kinds(environments.report(name, "drift")) for name in environments.sandboxes}
        pulled = {name: environments.run(name, "pull") for name in environments.sandboxes}
        planned = {name: environments.report(name, "plan") for name in environments.sandboxes}
        again = environments.run("staging", "pull")
        after = [file.read_bytes() for file in (shared, production)]
        overlay = staging.read_text("utf-8")
        environments.repo.commit()
        second = {name: environments.report(name, "apply", "--yes", "--record") for name in environments.sandboxes}
    assert {name: report["environment"] for name, report in first.items()} == {n: n for n in first}
    assert entries(first["staging"])["a"]["outcome"] == "applied"
    assert entries(first["production"])["a"]["outcome"] == "unchanged"
    assert greetings == ["Test", "Hello"]
    assert drifted == {"staging": {"a": {"/firstMessage": "drift", "/model/temperature": "drift"}}, "production": {}}
    assert pulled["staging"].code == 0, pulled["staging"].stderr
    assert pulled["staging"].stdout == "environments/staging/a.yaml: firstMessage, model.temperature\n"
    assert pulled["production"].stderr == again.stderr.splitlines(keepends=True)[-1] == "Nothing to pull.\n"
    assert after == before
    assert before[0] == SHARED.encode()
    assert overlay.startswith("id: asst_s   # of staging\nfirstMessage: Test 2  # only here\n")
    assert yaml.safe_load(overlay) == {"id": "asst_s", "firstMessage": "Test 2", "model": {"temperature": 1.1}}
    assert [planned[name]["summary"]["in_sync"] for name in planned] == [1, 1]
    assert [second[name]["summary"]["unchanged"] for name in second] == [1, 1]


def test_a_new_assistant_of_one_environment_is_none_of_the_other(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {}) as environments:
        file = environments.shared("new", NEW)
        before = environments.run("production", "plan")
        result = environments.run("staging", "create", "--yes", file)
        overlay = (environments.root / "environments/staging/new.yaml").read_text("utf-8")
        untouched = file.read_text("utf-8")
        environments.repo.commit()
        planned = environments.report("staging", "plan")
        other = environments.report("production", "plan")
        post_count = environments.sandboxes["production"].calls.get("POST", 0)
    assert before.code == 0, before.stderr
    assert result.code == 0, result.stderr
    assert result.stderr.endswith(" into environments/staging/new.yaml.\n")
    assert yaml.safe_load(overlay).keys() == {"id"}
    assert untouched == NEW
    assert planned["summary"]["in_sync"] == planned["summary"]["total"] == 1
    assert other["summary"]["total"] == 0
    assert post_count <= 2  # logins alone
