"""Enforced fields: their live edits are put back by every apply, whatever is said about drift."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import change_kinds
from projects import outcomes, statuses
from stories import InstalledStory, Nested, Story, entries, story

BYE, WORDS = "This call is over.", "the law wants these words"
ENFORCED = {"path": "/endCallMessage", "assistants": ["legal/*"], "reason": WORDS}
GIT = {"endCallMessage": BYE, "firstMessage": "Hello"}
EDIT = {"endCallMessage": "Ciao", "firstMessage": "Hey"}


@pytest.fixture
def tale(tmp_path: Path, nested: Nested) -> Iterator[Story]:
    """Two recorded assistants that somebody edited live; the goodbye of `legal/a` is enforced."""
    with make_story(tmp_path / "repository", nested) as tale:
        yield tale


def make_story(root: Path, nested: Nested, kind: type[Story] = Story) -> Any:
    return story(root, {"a": GIT, "b": GIT}, nested=nested, kind=kind)


def apply_and_edit(tale: Story) -> None:
    tale.project.configure(enforce=[ENFORCED])
    for key in ("legal/a", "b"):
        tale.write(key, **GIT)
    tale.commit("First")
    tale.apply_and_record()
    for name in ("a", "b"):
        tale.sandbox.edit(f"asst_{name}", **EDIT)


def live(tale: Story, name: str) -> dict[str, Any]:
    return {key: tale.sandbox.live(f"asst_{name}")[key] for key in GIT}


def test_apply_puts_back_what_is_enforced_and_nothing_else(tale: Story) -> None:
    apply_and_edit(tale)
    planned = entries(tale.plan())["legal/a"]
    assert planned["patch"] == {"endCallMessage": BYE}
    assert planned["enforced"] == [{"path": "/endCallMessage", "reason": WORDS}]
    assert outcomes(tale.apply()) == {"b": "unchanged", "legal/a": "applied"}
    assert live(tale, "a") == {"endCallMessage": BYE, "firstMessage": "Hey"}
    assert live(tale, "b") == EDIT
    assert change_kinds(tale.plan())["legal/a"] == {"/firstMessage": "drift"}


def test_a_part_of_a_list_stays_where_the_rest_was_edited_too_and_a_warning_says_so(tale: Story) -> None:
    """A list is sent as one, and nobody asked to put the rest of it back; nor does pull take the enforced part."""
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    tale.project.configure(enforce=[{**ENFORCED, "path": "/metadata/turns/0/content"}])
    file = tale.write("legal/a", metadata={"turns": turns})
    tale.commit("First")
    tale.apply_and_record()
    tale.sandbox.edit("asst_a", metadata={"turns": [{**turns[0], "content": "Be rude."}, turns[1]]})
    assert outcomes(tale.apply()) == {"legal/a": "applied"}
    assert tale.sandbox.live("asst_a")["metadata"] == {"turns": turns}
    edited = {"turns": [{**turn, "content": "Ciao"} for turn in turns]}
    tale.sandbox.edit("asst_a", metadata=edited)
    kept = entries(tale.apply())["legal/a"]
    assert (kept["outcome"], kept["patch"]) == ("unchanged", None)
    assert kept["warnings"][0].startswith("metadata.turns.0.content is enforced, and its live edit stays")
    before = file.read_text("utf-8")
    pulled = tale.run("pull")
    assert (pulled.code, file.read_text("utf-8")) == (1, before)
    assert "not pulled: metadata.turns: metadata.turns.0.content in it is enforced" in pulled.stderr


def test_fail_refuses_for_what_else_was_edited(tale: Story) -> None:
    apply_and_edit(tale)
    assert outcomes(tale.apply("--on-drift", "fail")) == {"b": "refused", "legal/a": "refused"}
    tale.sandbox.edit("asst_a", firstMessage="Hello")
    assert outcomes(tale.apply("--on-drift", "fail")) == {"b": "refused", "legal/a": "applied"}
    assert live(tale, "a") == GIT


def test_a_conflict_stays_a_conflict(tale: Story) -> None:
    apply_and_edit(tale)
    tale.write("legal/a", **{**GIT, "endCallMessage": "The end."})
    tale.commit("Second")
    assert statuses(tale.plan())["legal/a"] == "conflicted"
    assert outcomes(tale.apply())["legal/a"] == "refused"
    assert live(tale, "a") == EDIT


def test_drift_shows_it_and_pull_leaves_it(tale: Story) -> None:
    apply_and_edit(tale)
    shown = tale.run("drift")
    assert f"enforced: assistants/legal/a.yaml: endCallMessage ({WORDS})" in shown.stdout
    result = tale.run("pull", "assistants/legal/a.yaml")
    assert result.stdout == "assistants/legal/a.yaml: firstMessage\n"
    assert f"not pulled: endCallMessage: it is enforced ({WORDS}): every apply restores git's value" in result.stderr
    assert BYE in (tale.root / "assistants/legal/a.yaml").read_text("utf-8")
    assert "endCallMessage" in tale.run("pull", "assistants/b.yaml").stdout


def test_an_entry_that_names_nothing_is_told(tale: Story) -> None:
    apply_and_edit(tale)
    tale.project.configure(enforce=[ENFORCED, {"path": "/voicemailMessage", "reason": "x"}])
    (note,) = tale.plan()["warnings"]
    assert note.startswith("enforce voicemailMessage matches nothing that a definition declares")


def test_ignore_counts_before_enforce_and_a_warning_says_so(tale: Story) -> None:
    apply_and_edit(tale)
    tale.project.configure(enforce=[ENFORCED], ignore=[{"path": "endCallMessage", "reason": "x"}])
    document = tale.apply("--no-record")
    (note,) = document["warnings"]
    assert note.startswith("endCallMessage is under both ignore and enforce: ignore wins, and live edits stay")
    assert live(tale, "a") == EDIT


def test_the_installed_command(tmp_path: Path) -> None:
    with make_story(tmp_path / "repository", "replace", InstalledStory) as tale:
        apply_and_edit(tale)
        planned, applied = tale.run("plan"), tale.run("apply", "--yes")
        assert f'git\'s value would be put back:\n  ~ endCallMessage: "Ciao" -> "{BYE}"\n' in planned.stdout
        assert (applied.code, live(tale, "a")["endCallMessage"]) == (0, BYE)
