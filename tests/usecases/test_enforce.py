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
def repo(tmp_path: Path, nested: Nested) -> Iterator[Story]:
    """Two recorded assistants that somebody edited live; the goodbye of `legal/a` is enforced."""
    with make_story(tmp_path / "repository", nested) as repo:
        yield repo


def make_story(root: Path, nested: Nested, kind: type[Story] = Story) -> Any:
    return story(root, {"a": GIT, "b": GIT}, nested=nested, kind=kind)


def apply_and_edit(repo: Story) -> None:
    repo.project.configure(enforce=[ENFORCED])
    for key in ("legal/a", "b"):
        repo.write(key, **GIT)
    repo.commit("First")
    repo.apply_and_record()
    for name in ("a", "b"):
        repo.sandbox.edit(f"asst_{name}", **EDIT)


def live(repo: Story, name: str) -> dict[str, Any]:
    return {key: repo.sandbox.live(f"asst_{name}")[key] for key in GIT}


def test_apply_puts_back_what_is_enforced_and_nothing_else(repo: Story) -> None:
    apply_and_edit(repo)
    planned = entries(repo.plan())["legal/a"]
    assert planned["patch"] == {"endCallMessage": BYE}
    assert planned["enforced"] == [{"path": "/endCallMessage", "reason": WORDS}]
    assert outcomes(repo.apply()) == {"b": "unchanged", "legal/a": "applied"}
    assert live(repo, "a") == {"endCallMessage": BYE, "firstMessage": "Hey"}
    assert live(repo, "b") == EDIT
    assert change_kinds(repo.plan())["legal/a"] == {"/firstMessage": "drift"}


def test_a_part_of_a_list_stays_where_the_rest_was_edited_too_and_a_warning_says_so(repo: Story) -> None:
    """A list is sent as one, and nobody asked to put the rest of it back; nor does pull take the enforced part."""
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    repo.project.configure(enforce=[{**ENFORCED, "path": "/metadata/turns/0/content"}])
    file = repo.write("legal/a", metadata={"turns": turns})
    repo.commit("First")
    repo.apply_and_record()
    repo.sandbox.edit("asst_a", metadata={"turns": [{**turns[0], "content": "Be rude."}, turns[1]]})
    assert outcomes(repo.apply()) == {"legal/a": "applied"}
    assert repo.sandbox.live("asst_a")["metadata"] == {"turns": turns}
    edited = {"turns": [{**turn, "content": "Ciao"} for turn in turns]}
    repo.sandbox.edit("asst_a", metadata=edited)
    entry = entries(repo.apply())["legal/a"]
    assert (entry["outcome"], entry["patch"]) == ("unchanged", None)
    assert entry["warnings"][0].startswith("metadata.turns[0].content is enforced, but its live edit stays")
    before = file.read_text("utf-8")
    pulled = repo.run("pull")
    assert (pulled.code, file.read_text("utf-8")) == (1, before)
    assert "not pulled: metadata.turns: metadata.turns[0].content in it is enforced" in pulled.stderr


def test_fail_refuses_for_what_else_was_edited(repo: Story) -> None:
    apply_and_edit(repo)
    assert outcomes(repo.apply("--on-drift", "fail")) == {"b": "refused", "legal/a": "refused"}
    repo.sandbox.edit("asst_a", firstMessage="Hello")
    assert outcomes(repo.apply("--on-drift", "fail")) == {"b": "refused", "legal/a": "applied"}
    assert live(repo, "a") == GIT


def test_a_conflict_stays_a_conflict(repo: Story) -> None:
    apply_and_edit(repo)
    repo.write("legal/a", **{**GIT, "endCallMessage": "The end."})
    repo.commit("Second")
    assert statuses(repo.plan())["legal/a"] == "conflicted"
    assert outcomes(repo.apply())["legal/a"] == "refused"
    assert live(repo, "a") == EDIT


def test_drift_shows_it_and_pull_leaves_it(repo: Story) -> None:
    apply_and_edit(repo)
    shown = repo.run("drift")
    assert f"enforced: assistants/legal/a.yaml: endCallMessage ({WORDS})" in shown.stdout
    result = repo.run("pull", "assistants/legal/a.yaml")
    assert result.stdout == "assistants/legal/a.yaml: firstMessage\n"
    assert f"not pulled: endCallMessage: it is enforced ({WORDS}): every apply restores git's value" in result.stderr
    assert BYE in (repo.root / "assistants/legal/a.yaml").read_text("utf-8")
    assert "endCallMessage" in repo.run("pull", "assistants/b.yaml").stdout


def test_an_entry_that_names_nothing_is_told(repo: Story) -> None:
    apply_and_edit(repo)
    repo.project.configure(enforce=[ENFORCED, {"path": "/voicemailMessage", "reason": "x"}])
    (note,) = repo.plan()["warnings"]
    assert note.startswith("enforce voicemailMessage matches nothing in any definition")


def test_ignore_counts_before_enforce_and_a_warning_says_so(repo: Story) -> None:
    apply_and_edit(repo)
    repo.project.configure(enforce=[ENFORCED], ignore=[{"path": "endCallMessage", "reason": "x"}])
    document = repo.apply("--no-record")
    (note,) = document["warnings"]
    assert note.startswith("endCallMessage is under both ignore and enforce: ignore wins, and live edits stay")
    assert live(repo, "a") == EDIT
    repo.project.configure(enforce=[ENFORCED], ignore=[{"path": "firstMessage", "reason": "x"}])
    assert repo.plan()["warnings"] == []


def test_the_installed_command(tmp_path: Path) -> None:
    with make_story(tmp_path / "repository", "replace", InstalledStory) as repo:
        apply_and_edit(repo)
        planned, applied = repo.run("plan"), repo.run("apply", "--yes")
        assert f'git\'s value would be restored:\n  ~ endCallMessage: "Ciao" -> "{BYE}"\n' in planned.stdout
        assert (applied.code, live(repo, "a")["endCallMessage"]) == (0, BYE)
