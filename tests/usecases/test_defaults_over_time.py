"""Shared values, seen over time: planned, recorded, pulled, rolled back."""

import json
from pathlib import Path

import pytest
from histories import commit_as, setters
from stories import InstalledStory, Nested, Story, entries, story

DEFAULTS = "assistants/_defaults.yaml"
LIVE = {"name": "A", "voice": {"provider": "azure", "voiceId": "x", "speed": 1}}


@pytest.mark.parametrize(("nested", "kind"), [("merge", Story), ("replace", InstalledStory)])
def test_one_changed_default_is_a_change_of_all_that_take_it_and_of_nobody_else(
    tmp_path: Path, nested: Nested, kind: type[Story]
) -> None:
    with story(tmp_path / "work", dict.fromkeys("abc", LIVE), nested=nested, kind=kind) as repo:
        defaults = repo.root / DEFAULTS
        defaults.write_text("# All of them.\nvoice:\n  provider: azure\n  voiceId: x\nendCallMessage: Bye\n", "utf-8")
        for key in ("a", "sub/b"):
            repo.write(key)
        repo.write("sub/c", voice={"voiceId": "own"})
        repo.commit()
        assert repo.apply_and_record()["summary"]["applied"] == 3
        assert repo.sandbox.live("asst_c")["voice"] == {"provider": "azure", "voiceId": "own", "speed": 1}
        assert repo.tree().keys() == {"assistants/a.yaml", "assistants/sub/b.yaml", "assistants/sub/c.yaml"}
        assert repo.tree()["assistants/a.yaml"]["voice"] == {"provider": "azure", "voiceId": "x"}

        defaults.write_text(defaults.read_text("utf-8").replace("voiceId: x", "voiceId: y"), "utf-8")
        ada = commit_as(repo, "Ada")
        document = repo.plan("--changed")
        assert entries(document).keys() == {"a", "sub/b"}
        for key in ("a", "sub/b"):
            (change,) = entries(document)[key]["changes"]
            assert (change["path"], change["file"], change["line"]) == ("/voice/voiceId", DEFAULTS, 4)
            assert setters(document, key) == {"/voice/voiceId": ada}
        assert repo.plan("--offline")["summary"]["pending"] == 2
        assert repo.run("apply", "--yes", "--max-changes", "1").code == 1

        # One cannot be written: it stays to be changed, whoever runs next.
        repo.sandbox.rehearse("every PATCH /assistants/asst_b: 400")
        applied = repo.apply("--record")
        assert {key: entry["outcome"] for key, entry in entries(applied).items()} == {
            "a": "applied",
            "sub/b": "failed",
            "sub/c": "unchanged",
        }
        repo.sandbox.rehearse()
        (only_entry,) = repo.plan("--changed")["assistants"]
        assert (only_entry["key"], [change["kind"] for change in only_entry["changes"]]) == ("sub/b", ["change"])
        assert repo.rollback(applied)["summary"]["applied"] == 1
        assert repo.sandbox.live("asst_a")["voice"]["voiceId"] == "x"


def test_a_value_that_moves_between_layers_is_no_change_and_a_default_that_goes_is_released(tmp_path: Path) -> None:
    with story(tmp_path / "work", {key: {"name": "A"} for key in "ab"}) as repo:
        for key in "ab":
            repo.write(key, endCallMessage="Bye", maxDurationSeconds=600)
        repo.commit()
        repo.apply_and_record()
        for key in "ab":
            repo.write(key, maxDurationSeconds=600)
        (repo.root / DEFAULTS).write_text("endCallMessage: Bye\n", "utf-8")
        repo.commit()
        assert repo.plan()["summary"]["in_sync"] == 2
        assert repo.plan("--changed")["assistants"] == []
        assert repo.run("apply", "--yes").code == 0
        (repo.root / DEFAULTS).unlink()
        repo.commit()
        document = repo.plan("--changed")
        assert {key: entry["released"] for key, entry in entries(document).items()} == {
            "a": ["/endCallMessage"],
            "b": ["/endCallMessage"],
        }


def test_a_live_edit_is_pulled_into_the_definition_and_the_default_keeps_its_value(tmp_path: Path) -> None:
    with story(tmp_path / "work", dict.fromkeys("abc", LIVE)) as repo:
        text = "voice: {provider: azure, voiceId: x}\nendCallMessage: Bye\nfirstMessage: Hi\n"
        (repo.root / DEFAULTS).write_text(text, "utf-8")
        for key in "ab":
            repo.write(key, f"id: asst_{key}   # mine\n")
        repo.write("c", "id: asst_c\nendCallMessage: Own\n")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", endCallMessage="Edited", firstMessage=None, voice={**LIVE["voice"], "voiceId": "z"})  # type: ignore[dict-item]
        assert [change["kind"] for change in entries(repo.plan())["a"]["changes"]] == ["drift"] * 3
        result = repo.run("pull")
        assert (result.code, result.stdout) == (0, "assistants/a.yaml: endCallMessage, firstMessage, voice.voiceId\n")
        assert f"endCallMessage came from {DEFAULTS}, which keeps its value for b\n" in result.stderr
        assert f"voice.voiceId came from {DEFAULTS}, which keeps its value for b, c\n" in result.stderr
        assert (repo.root / DEFAULTS).read_text("utf-8") == text
        own = (repo.root / "assistants/a.yaml").read_text("utf-8")
        assert own == "id: asst_a   # mine\nendCallMessage: Edited\nfirstMessage: null\nvoice:\n  voiceId: z\n"
        assert json.loads(repo.run("plan", "--base", "none", "--format", "json").stdout)["summary"]["in_sync"] == 3


def test_what_many_definitions_hold_alike_is_hinted_at(tmp_path: Path) -> None:
    with story(tmp_path / "work", {}) as repo:
        for number in range(7):
            fields = {"endCallMessage": "Bye", "voice": {"voiceId": "x"}} if number < 5 else {"endCallMessage": "Bye"}
            repo.write(f"a{number}", name="Same", **fields)
        result = repo.run("validate", "--strict")
        quiet = repo.run("validate", "--quiet")
        repo.write("b", "id: asst_x\nname: 1\n")
        selected = repo.run("validate", "assistants/a1.yaml")
    assert (result.code, result.stderr.splitlines()) == (
        0,
        [
            "7 definitions have the same endCallMessage; it could be moved to _defaults.yaml",
            "5 definitions have the same voice; it could be moved to _defaults.yaml",
        ],
    )
    assert (quiet.stderr, selected.stderr) == ("", "")
