"""Environments: definitions with overlays, settings and records of their own, and nothing of another's."""

from pathlib import Path
from typing import Any

import pytest
from histories import change_kinds, unmanaged_files
from projects import MODEL
from stories import REF, entries, story
from two_environments import NOTHING_ELSE, Two, two_environments

LIVE: dict[str, Any] = {"name": "Enrollment", "firstMessage": "Hello", "model": MODEL}
SHARED: dict[str, Any] = {**LIVE, "metadata": {"a": 1, "b": [1, 2], "c": 3}}
REF_OF_STAGING = "refs/reconciler/staging/applied"


def apply_first(two: Two, *names: str) -> None:
    """Apply and record, for the first time."""
    two.repo.commit()
    for name in names or ("staging", "production"):
        result = two.run(name, "apply", "--yes", "--record", "--base", "none")
        assert result.code == 0, result.stderr


def test_objects_are_merged_null_is_kept_and_everything_else_replaced(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": {"name": "x", "model": MODEL}}) as two:
        two.repo.project.write("a", **SHARED, voicemailMessage="Later")
        two.overlay(
            "staging", id="asst_a", voicemailMessage=None, metadata={"b": [3], "c": None}, model={"temperature": 1}
        )
        two.repo.sandbox.edit("asst_a", voicemailMessage="x", metadata={"c": 9})
        patch = entries(two.report("staging", "plan"))["a"]["patch"]
    assert patch is not None
    assert patch["metadata"] == {"a": 1, "b": [3], "c": None}
    assert patch["model"]["temperature"] == 1
    assert patch["model"]["provider"] == "openai"
    assert patch["voicemailMessage"] is None


def test_definitions_without_an_id_are_not_part_of_an_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared("a")
        two.shared("b")
        two.overlay("staging", id="asst_a")
        staging, production = two.report("staging", "plan"), two.report("production", "plan")
    assert [*entries(staging)] == ["a"]
    assert staging["environment"] == "staging"
    assert [*entries(production)] == []
    assert production["environment"] == "production"


def test_two_urls_are_refused_and_the_option_wins(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared()
        two.overlay("production", id="asst_a")
        staging, production = two.sandboxes["staging"], two.sandboxes["production"]
        both = two.run("production", "plan", env={"RECONCILER_API_URL": staging.url})
        none = [staging.requests, production.requests]
        same = two.run("production", "plan", env={"RECONCILER_API_URL": f"{production.url}/"})
        option = two.run("production", "plan", "--api-url", staging.url, env={"RECONCILER_API_URL": production.url})
    assert both.code == 1
    assert staging.url in both.stderr
    assert production.url in both.stderr
    assert none == [[], []]
    assert same.code == 0, same.stderr
    assert option.code == 0
    assert "GET" in staging.calls


def test_an_environment_without_a_url_does_not_take_the_projects(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        repo.project.configure(api_url=repo.url, environments={"staging": {}})
        repo.write("a", id="asst_a", name="A")
        without = repo.run("plan", "--environment", "staging", env=NOTHING_ELSE)
        result = repo.run("plan", "--environment", "staging")
    assert without.code == 1
    assert "no API URL is configured" in without.stderr
    assert result.code == 0, result.stderr


def test_settings_of_one_environment_are_not_the_others(tmp_path: Path) -> None:
    live = {**LIVE, "orgId": "org_live"}
    with two_environments(tmp_path / "work", {"a": live}) as two:
        ignore = [{"path": "/firstMessage", "reason": "tests"}]
        two.configure({"staging": {"org_id": "org_other"}, "production": {"ignore": ignore, "max_changes": 0}})
        two.shared()
        for name in two.sandboxes:
            two.overlay(name, id="asst_a", firstMessage="New", name="New")
        staging = entries(two.report("staging", "apply", "--yes"))["a"]
        production = two.report("production", "plan")
        limited = two.run("production", "apply", "--yes")
    assert staging["outcome"] == "refused"
    assert staging["error"] is not None
    assert staging["error"]["kind"] == "forbidden"
    assert change_kinds(production) == {"a": {"/name": "change"}}
    assert entries(production)["a"]["ignored"][0]["path"] == "/firstMessage"
    assert limited.code == 1
    assert "PATCH" not in {**two.sandboxes["staging"].calls, **two.sandboxes["production"].calls}


def test_an_assistant_that_another_environment_writes_is_named_and_not_deleted(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as two:
        two.configure({"production": {"api_url": f"{two.sandboxes['staging'].url}/"}})
        for key in "ab":
            two.shared(key)
            two.overlay("staging", key, id=f"asst_{key}")
        two.overlay("production", "a", id="asst_a")
        two.overlay("production", "b", id="local_asst_b")
        planned = two.report("production", "plan")
        deleted = two.run("production", "delete", "assistants/b.yaml", "--yes", "--name", "Enrollment")
        assert two.sandboxes["staging"].live("asst_b")["name"] == "Enrollment"
    for entry in planned["assistants"]:
        (warning,) = entry["warnings"]
        assert f"staging has the same URL and the same id, in environments/staging/{entry['key']}.yaml" in warning
    assert deleted.code == 1
    assert "staging has the same URL and the same id" in deleted.stdout


def test_the_way_out_of_a_missing_record_names_environments_and_a_former_name(tmp_path: Path) -> None:
    """To start anew after a rename would take live edits for changes."""
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.configure(record=True)
        two.shared()
        for name in two.sandboxes:
            two.overlay(name, id="asst_a")
        apply_first(two)
        assert "pass --environment NAME; reconciler.yaml has these: production, staging" in two.repo.run("plan").stderr
        two.repo.git("update-ref", "refs/reconciler/former/applied", REF_OF_STAGING)
        two.repo.git("update-ref", "-d", REF_OF_STAGING)
        renamed = two.run("staging", "plan")
    assert renamed.code == 1
    assert f"git update-ref {REF_OF_STAGING} refs/reconciler/former/applied. Else fetch it" in renamed.stderr


def test_what_one_environment_hides_another_shows_before_and_after_it_is_recorded(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.configure({"staging": {"sensitive": ["metadata.key"]}})
        two.shared()
        for name in two.sandboxes:
            two.overlay(name, id="asst_a", metadata={"key": f"key-of-{name}"})
        apply_first(two)
        for name in two.sandboxes:
            two.overlay(name, id="asst_a", metadata={"key": f"new-key-of-{name}"})
        staging, production = (two.run(name, "plan").stdout for name in two.sandboxes)
    assert "key-of" not in staging
    assert '"key-of-production"' in production


def test_on_drift_of_an_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.configure({"production": {"on_drift": "revert"}})
        two.shared()
        for name in two.sandboxes:
            two.overlay(name, id="asst_a")
        apply_first(two)
        for sandbox in two.sandboxes.values():
            sandbox.edit("asst_a", firstMessage="Edited")
        for name in two.sandboxes:
            two.report(name, "apply", "--yes")
        now = [sandbox.live("asst_a")["firstMessage"] for sandbox in two.sandboxes.values()]
    assert now == ["Edited", "Hello"]


def test_records_are_apart_and_read_with_that_revisions_overlays(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared()
        overlays = [two.overlay(name, id="asst_a", firstMessage="One") for name in two.sandboxes]
        apply_first(two, "staging")
        refs = two.repo.git("for-each-ref", "--format=%(refname)", "refs/reconciler")
        for file in overlays:
            file.write_text("id: asst_a\nfirstMessage: Two\n", "utf-8")
        two.repo.commit()
        staging = two.report("staging", "plan")
        two.sandboxes["staging"].edit("asst_a", firstMessage="Three")
        conflict = two.report("staging", "plan")
        without = two.report("production", "plan")
        history = two.run("staging", "history")
        none = two.run("production", "history")
    (change,) = entries(staging)["a"]["changes"]
    assert refs == REF_OF_STAGING
    assert REF not in refs.split()
    assert (change["base"], change["live"], change["desired"], change["kind"]) == ("One", "One", "Two", "change")
    assert (change.get("file"), change["line"]) == ("environments/staging/a.yaml", 2)
    assert staging["base"] is not None
    assert staging["base"]["ref"] == REF_OF_STAGING
    assert change_kinds(conflict) == {"a": {"/firstMessage": "conflict"}}
    assert without["base"] is None
    assert history.code == 0
    assert "1 applied" in history.stdout
    assert "1 applied" not in none.stdout


@pytest.mark.parametrize("base", ["v1", "record"])
def test_a_date_in_the_settings_hides_no_overlay_of_a_commit(tmp_path: Path, base: str) -> None:
    """Else the base lacks what the overlay says, and a live edit of it looks like a change of git's."""
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.configure(ignore=[{"path": "/voicemailMessage", "reason": "the CRM", "expires": "2099-01-01"}])
        settings = two.root / "reconciler.yaml"
        settings.write_text(settings.read_text("utf-8").replace('"2099-01-01"', "2099-01-01"), "utf-8")
        two.shared(text="name: Enrollment\nvoicemailMessage: null\n")
        two.overlay("production", id="asst_a", firstMessage="Hello!")
        two.repo.commit()
        two.repo.git("tag", "v1")
        recorded = two.report("production", "apply", "--yes", "--record", "--base", "none")
        two.sandboxes["production"].edit("asst_a", firstMessage="Edited live")
        planned = two.report("production", "plan", *(["--base", "v1"] if base == "v1" else []))
    assert entries(recorded)["a"]["outcome"] == "applied"
    assert entries(planned)["a"]["status"] == "drifted"


def test_an_environment_keeps_its_history_where_all_of_it_moves_to_another_folder(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as two:
        for key in ("a", "b"):
            two.shared(key)
            for name in two.sandboxes:
                two.overlay(name, key, id=f"asst_{key}")
        apply_first(two, "staging")
        two.sandboxes["staging"].edit("asst_a", firstMessage="Edited")
        (two.root / "team").mkdir()
        two.repo.git("mv", "assistants", "environments", "reconciler.yaml", "team")
        for file in ("assistants/b.yaml", "environments/staging/b.yaml", "environments/production/b.yaml"):
            (two.root / "team" / file).unlink()
        two.repo.commit("Make room for another team")
        folder = ("--directory", "team/assistants")
        planned = two.report("staging", "plan", *folder)
        result = two.run("staging", "apply", "--yes", "--record", *folder)
        kept = two.sandboxes["staging"].live("asst_a")["firstMessage"]
        again = two.report("staging", "plan", *folder)
    assert change_kinds(planned) == {"a": {"/firstMessage": "drift"}}
    assert unmanaged_files(planned) == ["assistants/b.yaml"]
    assert result.code == 0, result.stderr
    assert kept == "Edited"
    assert change_kinds(again) == {"a": {"/firstMessage": "drift"}}
    assert unmanaged_files(again) == []


@pytest.mark.parametrize("overlaid", [True, False])
def test_a_definition_of_an_environment_keeps_its_history_under_another_name_in_another_folder(
    tmp_path: Path, overlaid: bool
) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared(text=f"firstMessage: Hello\n{'' if overlaid else 'id: asst_a'}\n")
        if overlaid:
            two.overlay("staging", "a", id="asst_a")
        settings = f"environments:\n  staging:  # ask IT\n    api_url: {two.sandboxes['staging'].url}\n"
        overlay = "    overlay: environments/staging\n" if overlaid else ""
        (two.root / "reconciler.yaml").write_text(settings + overlay, "utf-8")
        two.repo.commit()
        two.repo.git("tag", "v1")
        two.sandboxes["staging"].edit("asst_a", firstMessage="Edited")
        (two.root / "team").mkdir()
        two.repo.git("mv", "assistants", "reconciler.yaml", *(["environments"] if overlaid else []), "team")
        two.repo.git("mv", "team/assistants/a.yaml", "team/assistants/desk.yaml")
        if overlaid:
            two.repo.git("mv", "team/environments/staging/a.yaml", "team/environments/staging/desk.yaml")
        two.repo.commit()
        planned = two.report("staging", "plan", "--base", "v1", "--directory", "team/assistants")
    assert change_kinds(planned) == {"desk": {"/firstMessage": "drift"}}


def test_a_base_that_does_not_know_the_environment_says_so(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared()
        two.overlay("staging", "a", id="asst_a")
        two.repo.commit()
        two.repo.git("tag", "v1")
        settings = two.root / "reconciler.yaml"
        settings.write_text(settings.read_text("utf-8").replace("staging:", "stage:"), "utf-8")
        two.repo.commit()
        two.sandboxes["staging"].edit("asst_a", firstMessage="Edited")
        planned = two.run("stage", "plan", "--base", "v1")
    assert "has no environment stage" in planned.stdout
    assert "its live edits look like changes in git" in planned.stdout


def test_a_record_is_refused_where_an_overlay_differs_from_head(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared()
        overlay = two.overlay("staging", id="asst_a")
        two.repo.commit()
        overlay.write_text("id: asst_a\nfirstMessage: Not committed\n", "utf-8")
        result = two.run("staging", "apply", "--yes", "--record", "--base", "none")
        overlay.unlink()
        two.repo.commit()
        two.overlay("staging", id="asst_a")
        untracked = two.run("staging", "apply", "--yes", "--record", "--base", "none")
    assert result.code == 1
    assert "environments/staging/a.yaml" in result.stderr
    assert untracked.code == 1
    assert "environments/staging/a.yaml" in untracked.stderr
    assert "PATCH" not in two.sandboxes["staging"].calls


def test_changed_overlays_are_changed_definitions(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE, "c": LIVE}) as two:
        for key in "abc":
            two.shared(key)
            two.overlay("staging", key, id=f"asst_{key}")
        apply_first(two, "staging")
        two.overlay("staging", "a", id="asst_a", firstMessage="New")
        two.shared("b", "name: New\n")
        two.repo.commit()
        forgotten = two.repo.run("plan", "--changed-since", "HEAD~1", "--api-url", two.repo.url)
        assert "no environment is selected" in forgotten.stderr
        found = two.report("staging", "plan", "--changed")
        named = two.report("staging", "plan", "--changed", "assistants/a.yaml")
        (two.root / "environments/staging/c.yaml").unlink()
        two.repo.commit()
        removed = two.report("staging", "plan", "--changed")
    assert [*entries(found)] == ["a", "b"]
    assert [*entries(named)] == ["a"]
    assert unmanaged_files(removed) == ["assistants/c.yaml"]


def test_a_plan_of_another_environment_is_refused(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared()
        two.configure({"production": {"api_url": two.sandboxes["staging"].url}})
        for name in two.sandboxes:
            two.overlay(name, id="asst_a", firstMessage="New")
        plan = two.repo.save_report(two.report("staging", "plan"))
        result = two.run("production", "apply", "--yes", "--plan", plan)
        same = two.run("staging", "apply", "--yes", "--plan", plan)
    assert result.code == 1
    assert "the plan was made for the environment 'staging'" in result.stderr
    assert same.code == 0, same.stderr


def test_rollback_and_whoami_in_an_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as two:
        two.shared()
        for name in two.sandboxes:
            two.overlay(name, id="asst_a", firstMessage="New")
        report = two.repo.save_report(two.report("staging", "apply", "--yes"))
        other = two.run("production", "rollback", report, "--yes")
        rollback = two.report("staging", "rollback", report, "--yes")
        live = two.sandboxes["staging"].live("asst_a")["firstMessage"]
        who = two.run("production", "whoami")
        asked = two.sandboxes["production"].requests[-1]
    assert other.code == 1
    assert (rollback["environment"], live) == ("staging", "Hello")
    assert who.code == 0
    assert asked[:2] == ("GET", "/auth/me")


def test_a_definition_that_leaves_an_environment_is_no_longer_managed(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as two:
        for key in "ab":
            two.shared(key)
            for name in two.sandboxes:  # a copy of production's assistants has the same ids
                two.overlay(name, key, id=f"asst_{key}")
        apply_first(two, "staging")
        (two.root / "environments/staging/b.yaml").unlink()
        two.repo.commit()
        planned = two.report("staging", "plan")
    assert [*entries(planned)] == ["a"]
    assert unmanaged_files(planned) == ["assistants/b.yaml"]


def test_changed_sees_an_overlay_that_is_gone_and_an_id_that_is_gone(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as two:
        two.shared("a", "id: asst_a\nfirstMessage: Hello\n")
        two.shared("b")
        overlays = [
            two.overlay("staging", "a", firstMessage="New"),
            two.overlay("staging", "b", id="asst_b", firstMessage="New"),
        ]
        apply_first(two, "staging")
        overlays[0].unlink()
        overlays[1].write_text("firstMessage: New\n", "utf-8")
        two.repo.commit()
        found = two.report("staging", "plan", "--changed")
        whole = two.report("staging", "plan")
    assert change_kinds(found) == change_kinds(whole) == {"a": {"/firstMessage": "change"}}
    assert unmanaged_files(found) == unmanaged_files(whole) == ["assistants/b.yaml"]


def test_changed_definitions_are_also_found_by_their_layers(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"s": LIVE}) as two:
        two.shared()
        two.overlay("staging", id="asst_s")
        apply_first(two, "staging")
        two.overlay("staging", id="asst_s", firstMessage="New")
        two.repo.commit()
        for path in ("environments/staging/a.yaml", "environments/staging", "."):
            assert change_kinds(two.report("staging", "plan", "--changed", path)) == {"a": {"/firstMessage": "change"}}


@pytest.mark.parametrize("option", ["--changed", "environments/staging/b.yaml"])
def test_an_overlay_without_a_definition_is_told_where_it_is_looked_at(tmp_path: Path, option: str) -> None:
    with two_environments(tmp_path / "work", {"s": LIVE}) as two:
        two.shared()
        two.overlay("staging", id="asst_s")
        apply_first(two, "staging")
        two.overlay("staging", id="asst_s", name="New")
        two.overlay("staging", "b", id="asst_b")
        two.repo.commit()
        planned, result = two.report("staging", "plan", option), two.run("staging", "plan", option)
        other = two.run("staging", "plan", "assistants/a.yaml")
    assert result.code == 1
    found = {key: entry["status"] for key, entry in entries(planned).items()}
    assert found == {"environments/staging/b": "error", **({"a": "pending"} if option == "--changed" else {})}
    assert "environments/staging/b.yaml:1:1: this overlay has no definition of the same name" in result.stderr
    assert "is not in the definitions' folder" not in result.stderr
    assert (other.code, other.stderr) == (0, "")
