"""Environments: definitions with overlays, settings and records of their own, and nothing of another's."""

from pathlib import Path
from typing import Any

import pytest
from histories import change_kinds, unmanaged_files
from projects import MODEL, only_assistant
from stories import REF, entries, story
from two_environments import NOTHING_ELSE, TwoEnvironments, two_environments

LIVE: dict[str, Any] = {"name": "Enrollment", "firstMessage": "Hello", "model": MODEL}
SHARED: dict[str, Any] = {**LIVE, "metadata": {"a": 1, "b": [1, 2], "c": 3}}
REF_OF_STAGING = "refs/reconciler/staging/applied"


def define_in_all(environments: TwoEnvironments, *keys: str) -> None:
    """Write a definition for each key, with an overlay that has its id in each environment."""
    for key in keys:
        environments.shared(key)
        for name in environments.sandboxes:
            environments.overlay(name, key, id=f"asst_{key}")


def apply_first(environments: TwoEnvironments, *names: str) -> None:
    """Apply and record, for the first time."""
    environments.repo.commit()
    for name in names or ("staging", "production"):
        result = environments.run(name, "apply", "--yes", "--record", "--base", "none")
        assert result.code == 0, result.stderr


def test_objects_are_merged_null_is_kept_and_everything_else_replaced(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": {"name": "x", "model": MODEL}}) as environments:
        environments.repo.project.write("a", **SHARED, voicemailMessage="Later")
        environments.overlay(
            "staging", id="asst_a", voicemailMessage=None, metadata={"b": [3], "c": None}, model={"temperature": 1}
        )
        environments.repo.sandbox.edit("asst_a", voicemailMessage="x", metadata={"c": 9})
        patch = entries(environments.report("staging", "plan"))["a"]["patch"]
    assert patch is not None
    assert patch["metadata"] == {"a": 1, "b": [3], "c": None}
    assert patch["model"]["temperature"] == 1
    assert patch["model"]["provider"] == "openai"
    assert patch["voicemailMessage"] is None


def test_definitions_without_an_id_are_not_part_of_an_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared("a")
        environments.shared("b")
        environments.overlay("staging", id="asst_a")
        staging, production = environments.report("staging", "plan"), environments.report("production", "plan")
    assert [*entries(staging)] == ["a"]
    assert staging["environment"] == "staging"
    assert [*entries(production)] == []
    assert production["environment"] == "production"


def test_two_urls_are_refused_and_the_option_wins(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        environments.overlay("production", id="asst_a")
        staging, production = environments.sandboxes["staging"], environments.sandboxes["production"]
        both = environments.run("production", "plan", env={"RECONCILER_API_URL": staging.url})
        none = [staging.requests, production.requests]
        same = environments.run("production", "plan", env={"RECONCILER_API_URL": f"{production.url}/"})
        option = environments.run(
            "production", "plan", "--api-url", staging.url, env={"RECONCILER_API_URL": production.url}
        )
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
    assert "write api_url into reconciler.yaml, under the environment staging" in without.stderr
    assert result.code == 0, result.stderr


def test_settings_of_one_environment_are_not_the_others(tmp_path: Path) -> None:
    live = {**LIVE, "orgId": "org_live"}
    with two_environments(tmp_path / "work", {"a": live}) as environments:
        ignore = [{"path": "/firstMessage", "reason": "tests"}]
        environments.configure({"staging": {"org_id": "org_other"}, "production": {"ignore": ignore, "max_changes": 0}})
        environments.shared()
        for name in environments.sandboxes:
            environments.overlay(name, id="asst_a", firstMessage="New", name="New")
        staging = entries(environments.report("staging", "apply", "--yes"))["a"]
        production = environments.report("production", "plan")
        limited = environments.run("production", "apply", "--yes")
    assert staging["outcome"] == "refused"
    assert staging["error"] is not None
    assert staging["error"]["kind"] == "forbidden"
    assert change_kinds(production) == {"a": {"/name": "change"}}
    assert entries(production)["a"]["ignored"][0]["path"] == "/firstMessage"
    assert limited.code == 1
    assert "PATCH" not in {**environments.sandboxes["staging"].calls, **environments.sandboxes["production"].calls}


def test_an_assistant_that_another_environment_writes_is_named_and_not_deleted(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as environments:
        environments.configure({"production": {"api_url": f"{environments.sandboxes['staging'].url}/"}})
        for key in "ab":
            environments.shared(key)
            environments.overlay("staging", key, id=f"asst_{key}")
        environments.overlay("production", "a", id="asst_a")
        environments.overlay("production", "b", id="local_asst_b")
        planned = environments.report("production", "plan")
        deleted = environments.run("production", "delete", "assistants/b.yaml", "--yes", "--name", "Enrollment")
        assert environments.sandboxes["staging"].live("asst_b")["name"] == "Enrollment"
    for entry in planned["assistants"]:
        (warning,) = entry["warnings"]
        assert f"staging has the same URL and the same id, in environments/staging/{entry['key']}.yaml" in warning
    assert deleted.code == 1
    assert "staging has the same URL and the same id" in deleted.stdout


def test_the_way_out_of_a_missing_record_names_environments_and_a_former_name(tmp_path: Path) -> None:
    """To start anew after a rename would take live edits for changes."""
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.configure(record=True)
        define_in_all(environments, "a")
        apply_first(environments)
        assert (
            "pass --environment NAME; reconciler.yaml has these: production, staging"
            in environments.repo.run("plan").stderr
        )
        environments.repo.git("update-ref", "refs/reconciler/former/applied", REF_OF_STAGING)
        environments.repo.git("update-ref", "-d", REF_OF_STAGING)
        renamed = environments.run("staging", "plan")
    assert renamed.code == 1
    assert f"git update-ref {REF_OF_STAGING} refs/reconciler/former/applied. Otherwise, fetch it" in renamed.stderr


def test_what_one_environment_hides_another_shows_before_and_after_it_is_recorded(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.configure({"staging": {"sensitive": ["metadata.key"]}})
        environments.shared()
        for name in environments.sandboxes:
            environments.overlay(name, id="asst_a", metadata={"key": f"key-of-{name}"})
        apply_first(environments)
        for name in environments.sandboxes:
            environments.overlay(name, id="asst_a", metadata={"key": f"new-key-of-{name}"})
        staging, production = (environments.run(name, "plan").stdout for name in environments.sandboxes)
    assert "key-of" not in staging
    assert '"key-of-production"' in production


def test_on_drift_of_an_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.configure({"production": {"on_drift": "revert"}})
        define_in_all(environments, "a")
        apply_first(environments)
        for sandbox in environments.sandboxes.values():
            sandbox.edit("asst_a", firstMessage="Edited")
        for name in environments.sandboxes:
            environments.report(name, "apply", "--yes")
        now = [sandbox.live("asst_a")["firstMessage"] for sandbox in environments.sandboxes.values()]
    assert now == ["Edited", "Hello"]


def test_records_are_apart_and_read_with_that_revisions_overlays(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        overlays = [environments.overlay(name, id="asst_a", firstMessage="One") for name in environments.sandboxes]
        apply_first(environments, "staging")
        refs = environments.repo.git("for-each-ref", "--format=%(refname)", "refs/reconciler")
        for file in overlays:
            file.write_text("id: asst_a\nfirstMessage: Two\n", "utf-8")
        environments.repo.commit()
        staging = environments.report("staging", "plan")
        environments.sandboxes["staging"].edit("asst_a", firstMessage="Three")
        conflict = environments.report("staging", "plan")
        without = environments.report("production", "plan")
        history = environments.run("staging", "history")
        none = environments.run("production", "history")
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
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.configure(ignore=[{"path": "/voicemailMessage", "reason": "the CRM", "expires": "2099-01-01"}])
        settings = environments.root / "reconciler.yaml"
        settings.write_text(settings.read_text("utf-8").replace('"2099-01-01"', "2099-01-01"), "utf-8")
        environments.shared(text="name: Enrollment\nvoicemailMessage: null\n")
        environments.overlay("production", id="asst_a", firstMessage="Hello!")
        environments.repo.commit()
        environments.repo.git("tag", "v1")
        recorded = environments.report("production", "apply", "--yes", "--record", "--base", "none")
        environments.sandboxes["production"].edit("asst_a", firstMessage="Edited live")
        planned = environments.report("production", "plan", *(["--base", "v1"] if base == "v1" else []))
    assert entries(recorded)["a"]["outcome"] == "applied"
    assert entries(planned)["a"]["status"] == "drifted"


def test_an_environment_keeps_its_history_where_all_of_it_moves_to_another_folder(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as environments:
        define_in_all(environments, "a", "b")
        apply_first(environments, "staging")
        environments.sandboxes["staging"].edit("asst_a", firstMessage="Edited")
        (environments.root / "team").mkdir()
        environments.repo.git("mv", "assistants", "environments", "reconciler.yaml", "team")
        for file in ("assistants/b.yaml", "environments/staging/b.yaml", "environments/production/b.yaml"):
            (environments.root / "team" / file).unlink()
        environments.repo.commit("Make room for another team")
        folder = ("--directory", "team/assistants")
        planned = environments.report("staging", "plan", *folder)
        result = environments.run("staging", "apply", "--yes", "--record", *folder)
        greeting = environments.sandboxes["staging"].live("asst_a")["firstMessage"]
        again = environments.report("staging", "plan", *folder)
    assert change_kinds(planned) == {"a": {"/firstMessage": "drift"}}
    assert unmanaged_files(planned) == ["assistants/b.yaml"]
    assert result.code == 0, result.stderr
    assert greeting == "Edited"
    assert change_kinds(again) == {"a": {"/firstMessage": "drift"}}
    assert unmanaged_files(again) == []


@pytest.mark.parametrize("overlaid", [True, False])
def test_a_definition_of_an_environment_keeps_its_history_under_another_name_in_another_folder(
    tmp_path: Path, overlaid: bool
) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared(text=f"firstMessage: Hello\n{'' if overlaid else 'id: asst_a'}\n")
        if overlaid:
            environments.overlay("staging", "a", id="asst_a")
        settings = f"environments:\n  staging:  # ask IT\n    api_url: {environments.sandboxes['staging'].url}\n"
        overlay = "    overlay: environments/staging\n" if overlaid else ""
        (environments.root / "reconciler.yaml").write_text(settings + overlay, "utf-8")
        environments.repo.commit()
        environments.repo.git("tag", "v1")
        environments.sandboxes["staging"].edit("asst_a", firstMessage="Edited")
        (environments.root / "team").mkdir()
        environments.repo.git("mv", "assistants", "reconciler.yaml", *(["environments"] if overlaid else []), "team")
        environments.repo.git("mv", "team/assistants/a.yaml", "team/assistants/desk.yaml")
        if overlaid:
            environments.repo.git("mv", "team/environments/staging/a.yaml", "team/environments/staging/desk.yaml")
        environments.repo.commit()
        planned = environments.report("staging", "plan", "--base", "v1", "--directory", "team/assistants")
    assert change_kinds(planned) == {"desk": {"/firstMessage": "drift"}}


def test_a_base_that_does_not_know_the_environment_says_so(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        environments.overlay("staging", "a", id="asst_a")
        environments.repo.commit()
        environments.repo.git("tag", "v1")
        settings = environments.root / "reconciler.yaml"
        settings.write_text(settings.read_text("utf-8").replace("staging:", "stage:"), "utf-8")
        environments.repo.commit()
        environments.sandboxes["staging"].edit("asst_a", firstMessage="Edited")
        planned = environments.run("stage", "plan", "--base", "v1")
    assert "has no environment stage" in planned.stdout
    assert "its live edits look like changes in git" in planned.stdout


def test_a_record_is_refused_where_an_overlay_differs_from_head(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        overlay = environments.overlay("staging", id="asst_a")
        environments.repo.commit()
        overlay.write_text("id: asst_a\nfirstMessage: Not committed\n", "utf-8")
        result = environments.run("staging", "apply", "--yes", "--record", "--base", "none")
        overlay.unlink()
        environments.repo.commit()
        environments.overlay("staging", id="asst_a")
        untracked = environments.run("staging", "apply", "--yes", "--record", "--base", "none")
    assert result.code == 1
    assert "environments/staging/a.yaml" in result.stderr
    assert untracked.code == 1
    assert "environments/staging/a.yaml" in untracked.stderr
    assert "PATCH" not in environments.sandboxes["staging"].calls


def test_changed_overlays_are_changed_definitions(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE, "c": LIVE}) as environments:
        for key in "abc":
            environments.shared(key)
            environments.overlay("staging", key, id=f"asst_{key}")
        apply_first(environments, "staging")
        environments.overlay("staging", "a", id="asst_a", firstMessage="New")
        environments.shared("b", "name: New\n")
        environments.repo.commit()
        forgotten = environments.repo.run("plan", "--changed-since", "HEAD~1", "--api-url", environments.repo.url)
        assert "no environment is selected" in forgotten.stderr
        found = environments.report("staging", "plan", "--changed")
        named = environments.report("staging", "plan", "--changed", "assistants/a.yaml")
        (environments.root / "environments/staging/c.yaml").unlink()
        environments.repo.commit()
        removed = environments.report("staging", "plan", "--changed")
    assert [*entries(found)] == ["a", "b"]
    assert [*entries(named)] == ["a"]
    assert unmanaged_files(removed) == ["assistants/c.yaml"]


def test_a_plan_of_another_environment_is_refused(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        environments.configure({"production": {"api_url": environments.sandboxes["staging"].url}})
        for name in environments.sandboxes:
            environments.overlay(name, id="asst_a", firstMessage="New")
        plan = environments.repo.save_report(environments.report("staging", "plan"))
        result = environments.run("production", "apply", "--yes", "--plan", plan)
        same = environments.run("staging", "apply", "--yes", "--plan", plan)
    assert result.code == 1
    assert "the report is for the environment staging, but this run is for the environment production" in result.stderr
    assert same.code == 0, same.stderr


def test_doctor_names_the_first_run_of_the_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        environments.overlay("staging", id="asst_a")
        environments.repo.commit()
        result = environments.run("staging", "doctor")
    assert "`reconciler apply --environment staging --base none`" in " ".join((result.stdout + result.stderr).split())


def test_rollback_and_whoami_in_an_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        for name in environments.sandboxes:
            environments.overlay(name, id="asst_a", firstMessage="New")
        report = environments.repo.save_report(environments.report("staging", "apply", "--yes"))
        other = environments.run("production", "rollback", report, "--yes")
        rollback = environments.report("staging", "rollback", report, "--yes")
        live = environments.sandboxes["staging"].live("asst_a")["firstMessage"]
        who = environments.run("production", "whoami")
        asked = environments.sandboxes["production"].requests[-1]
    assert other.code == 1
    assert (rollback["environment"], live) == ("staging", "Hello")
    assert who.code == 0
    assert asked[:2] == ("GET", "/auth/me")


def test_a_rollback_in_one_environment_says_how_to_leave_the_others_alone(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.configure(record=True)
        for name in environments.sandboxes:
            environments.overlay(name, "a", id="asst_a")
        for greeting in ("Hello", "Hi"):
            environments.shared(text=f"name: Enrollment\nfirstMessage: {greeting}\n")
            environments.repo.commit()
            first = ("--base", "none") if greeting == "Hello" else ()
            reports = [environments.report(name, "apply", "--yes", *first) for name in environments.sandboxes]
        report = environments.repo.save_report(reports[0])
        warnings = environments.report("staging", "rollback", report, "--yes")["warnings"]
        assert "can also change other environments" in warnings[-1]
        command = warnings[-1].rpartition("`reconciler ")[2].rstrip("`").split()
        assert environments.repo.run(*command, env=NOTHING_ELSE).code == 0
        environments.repo.commit("Only in staging")
        for name, sandbox in environments.sandboxes.items():
            assert only_assistant(environments.report(name, "plan"))["status"] == "in_sync"
            assert sandbox.live("asst_a")["firstMessage"] == ("Hello" if name == "staging" else "Hi")


def test_what_a_rollback_restored_in_an_environment_is_a_change_once_the_overlay_moves_on(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared()
        (environments.root / "assistants" / "_defaults.yaml").write_text("metadata: {team: a}\n", "utf-8")
        for greeting in ("Hello", "New"):
            environments.overlay("staging", id="asst_a", firstMessage=greeting)
            environments.repo.commit()
            options = ("--base", "none") if greeting == "Hello" else ()
            report = environments.report("staging", "apply", "--yes", "--record", *options)
        environments.run("staging", "rollback", environments.repo.save_report(report), "--yes")
        kept = environments.report("staging", "plan")
        environments.overlay("staging", id="asst_a", firstMessage="Newer")
        environments.repo.git("mv", "assistants/a.yaml", "assistants/b.yaml")
        environments.repo.git("mv", "environments/staging/a.yaml", "environments/staging/b.yaml")
        environments.repo.commit()
        moved_on = environments.report("staging", "plan")
    assert change_kinds(kept) == {"a": {"/firstMessage": "drift"}}
    assert change_kinds(moved_on) == {"b": {"/firstMessage": "change"}}


def test_a_definition_that_leaves_an_environment_is_no_longer_managed(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as environments:
        for key in "ab":
            environments.shared(key)
            for name in environments.sandboxes:  # a copy of production's assistants has the same ids
                environments.overlay(name, key, id=f"asst_{key}")
        apply_first(environments, "staging")
        (environments.root / "environments/staging/b.yaml").unlink()
        environments.repo.commit()
        planned = environments.report("staging", "plan")
    assert [*entries(planned)] == ["a"]
    assert unmanaged_files(planned) == ["assistants/b.yaml"]


def test_changed_sees_an_overlay_that_is_gone_and_an_id_that_is_gone(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as environments:
        environments.shared("a", "id: asst_a\nfirstMessage: Hello\n")
        environments.shared("b")
        overlays = [
            environments.overlay("staging", "a", firstMessage="New"),
            environments.overlay("staging", "b", id="asst_b", firstMessage="New"),
        ]
        apply_first(environments, "staging")
        overlays[0].unlink()
        overlays[1].write_text("firstMessage: New\n", "utf-8")
        environments.repo.commit()
        found = environments.report("staging", "plan", "--changed")
        whole = environments.report("staging", "plan")
    assert change_kinds(found) == change_kinds(whole) == {"a": {"/firstMessage": "change"}}
    assert unmanaged_files(found) == unmanaged_files(whole) == ["assistants/b.yaml"]


def test_changed_definitions_are_also_found_by_their_layers(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"s": LIVE}) as environments:
        environments.shared()
        environments.overlay("staging", id="asst_s")
        apply_first(environments, "staging")
        environments.overlay("staging", id="asst_s", firstMessage="New")
        environments.repo.commit()
        for path in ("environments/staging/a.yaml", "environments/staging", "."):
            assert change_kinds(environments.report("staging", "plan", "--changed", path)) == {
                "a": {"/firstMessage": "change"}
            }


@pytest.mark.parametrize("option", ["--changed", "environments/staging/b.yaml"])
def test_an_overlay_without_a_definition_is_told_where_it_is_looked_at(tmp_path: Path, option: str) -> None:
    with two_environments(tmp_path / "work", {"s": LIVE}) as environments:
        environments.shared()
        environments.overlay("staging", id="asst_s")
        apply_first(environments, "staging")
        environments.overlay("staging", id="asst_s", name="New")
        environments.overlay("staging", "b", id="asst_b")
        environments.repo.commit()
        planned, result = environments.report("staging", "plan", option), environments.run("staging", "plan", option)
        other = environments.run("staging", "plan", "assistants/a.yaml")
    assert result.code == 1
    found = {key: entry["status"] for key, entry in entries(planned).items()}
    assert found == {"environments/staging/b": "error", **({"a": "pending"} if option == "--changed" else {})}
    assert "environments/staging/b.yaml:1:1: this overlay has no definition of the same name" in result.stderr
    assert "is not in the definitions' folder" not in result.stderr
    assert (other.code, other.stderr) == (0, "")


def test_an_entry_follows_its_assistant_where_another_one_takes_its_file(tmp_path: Path) -> None:
    """Else an older entry stays, and is the base once the definition moves again: git's way back would be drift."""
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as environments:

        def define(names: dict[str, str], greeting: str) -> None:
            for file in [*environments.root.glob("assistants/*"), *environments.root.glob("environments/staging/*")]:
                file.unlink()
            for key, name in names.items():
                environments.shared(key, f"firstMessage: {greeting}\n")
                environments.overlay("staging", key, id=f"asst_{name}")

        define({"a": "a", "b": "b"}, "One")
        apply_first(environments, "staging")
        define({"z": "a", "a": "b"}, "Two")
        environments.repo.commit()
        environments.report("staging", "apply", "--yes", "z")
        files = {file: entry["id"] for file, entry in environments.repo.tree(REF_OF_STAGING).items()}
        define({"c": "a", "a": "b"}, "One")
        environments.repo.commit()
        planned = environments.report("staging", "plan")
    assert files == {"assistants/z.yaml": "asst_a", "assistants/b.yaml": "asst_b"}
    assert change_kinds(planned)["c"] == {"/firstMessage": "change"}


def test_an_entry_whose_path_is_taken_does_not_move_to_an_overlay_of_another_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as environments:
        define_in_all(environments, "a", "b")
        apply_first(environments, "staging")
        # The definition of b is now in a, under its other id, and no run has read it yet.
        environments.overlay("staging", "a", id="local_asst_b")
        environments.overlay("staging", "b", id="asst_a")
        environments.repo.commit()
        environments.report("staging", "apply", "--yes", "b")
        entry_ids = {file: entry["id"] for file, entry in environments.repo.tree(REF_OF_STAGING).items()}
    assert entry_ids == {"assistants/b.yaml": "asst_a", "assistants/b.yaml.asst_b.yaml": "asst_b"}
