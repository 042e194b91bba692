"""Texts in files of their own, seen over time: who set them, what a branch changed, what was applied."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import commit_as, setters
from projects import MODEL
from stories import Story, entries, story

PROMPT = "/model/messages"
MAIN = "assistants/prompts/main.md"
DEFINITION = """\
id: asst_{key}
firstMessage: {{$file: prompts/{greeting}.md}}
model:
  messages:
    - role: system
      content: {{$file: prompts/main.md}}
"""


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Two assistants with one prompt, applied and recorded once."""
    with story(tmp_path / "project", {"a": {"model": MODEL}, "b": {"model": MODEL}}) as repo:
        repo.project.configure(extra_fields=["/model/messages"])
        write_prompt(repo, "main", "Be kind.\nBe short.\n")
        write_prompt(repo, "hello", "Hello!\n")
        write_prompt(repo, "hi", "Hi!\n")
        repo.write("a", DEFINITION.format(key="a", greeting="hello"))
        repo.write("b", DEFINITION.format(key="b", greeting="hello"))
        repo.commit()
        assert repo.apply_and_record()["summary"]["applied"] == 2
        yield repo


def write_prompt(repo: Story, name: str, text: str) -> None:
    file = repo.root / f"assistants/prompts/{name}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def test_a_changed_text_is_a_change_of_all_that_mention_it_at_its_file_by_its_commit(repo: Story) -> None:
    assert repo.tree()["assistants/a.yaml"]["model"]["messages"][0]["content"] == "Be kind.\nBe short."
    write_prompt(repo, "main", "Be kind.\nBe brief.\n")
    ada = commit_as(repo, "Ada")
    for document in (repo.plan("--changed"), repo.plan("--offline")):
        assert document["summary"]["pending"] == 2
        for entry in document["assistants"]:
            (change,) = entry["changes"]
            assert (change["path"], change["file"], change["line"]) == (PROMPT, MAIN, 2)
        assert setters(document) == {PROMPT: ada}
    assert repo.apply("--record")["summary"]["applied"] == 2
    assert repo.plan("--changed")["assistants"] == []


def test_another_text_file_is_a_change_by_the_commit_that_names_it(repo: Story) -> None:
    repo.write("a", DEFINITION.format(key="a", greeting="hi"))
    ada = commit_as(repo, "Ada")
    write_prompt(repo, "main", "Be kind!\n")
    bob = commit_as(repo, "Bob")
    # One text becomes two, of which one has moved: what is declared stays the same.
    (repo.root / "assistants" / "texts").mkdir()
    repo.git("mv", MAIN, "assistants/texts/main.md")
    for key in "ab":
        moved = DEFINITION.replace("prompts/main.md", "texts/main.md")
        repo.write(key, moved.format(key=key, greeting={"a": "hi", "b": "hello"}[key]))
    repo.commit()
    document = repo.plan()
    assert {key: [change["path"] for change in entry["changes"]] for key, entry in entries(document).items()} == {
        "a": ["/firstMessage", PROMPT],
        "b": [PROMPT],
    }
    assert setters(document)["/firstMessage"] == ada
    assert bob  # who only moved the text since then comes after him
    assert [entry["key"] for entry in repo.plan("--changed-since", "HEAD~1")["assistants"]] == []


def test_an_edit_in_the_dashboard_is_drift_and_an_older_base_has_its_own_texts(repo: Story) -> None:
    repo.sandbox.edit("asst_a", firstMessage="Edited")
    assert [change["kind"] for change in entries(repo.plan())["a"]["changes"]] == ["drift"]
    assert "file=assistants/prompts/hello.md,line=1" in repo.run("drift", "--format", "github").stdout
    write_prompt(repo, "hello", "Good day!\n")
    repo.commit()
    assert [change["kind"] for change in entries(repo.plan("--base", "HEAD~1"))["a"]["changes"]] == ["conflict"]
    assert [change["kind"] for change in entries(repo.plan("--base", "HEAD~1"))["b"]["changes"]] == ["change"]


def test_a_path_may_name_a_text_and_means_all_that_take_it(repo: Story) -> None:
    repo.write("a", DEFINITION.format(key="a", greeting="hi"))
    assert entries(repo.plan("assistants/prompts/hi.md")).keys() == {"a"}
    assert entries(repo.plan(MAIN)).keys() == {"a", "b"}
    write_prompt(repo, "nobody", "?")
    result = repo.run("validate", "assistants/prompts/nobody.md")
    assert (result.code, "nobody.md is not a definition" in result.stderr) == (1, True)


def test_a_text_that_is_not_committed_is_not_recorded(repo: Story) -> None:
    write_prompt(repo, "hello", "Hello again!\n")
    result = repo.run("apply", "--yes")
    assert (result.code, "assistants/prompts/hello.md differs from HEAD" in result.stderr) == (1, True)
    write_prompt(repo, "hello", "Hello!")  # the line end at the very end is no part of the text
    assert repo.run("apply", "--yes").code == 0


def test_a_text_that_is_gone_is_told_at_its_place_and_named_by_changed(repo: Story) -> None:
    (repo.root / MAIN).unlink()
    result = repo.run("plan", "--changed", "--format", "json")
    assert result.code == 1
    assert (
        "assistants/a.yaml:6:24: model.messages[0].content: there is no file assistants/prompts/main.md"
        in result.stderr
    )


def test_a_large_text_is_recorded_and_is_the_base_of_the_next_plan(repo: Story) -> None:
    write_prompt(repo, "hi", ("x" * 1023 + "\n") * 1024)
    repo.write("a", DEFINITION.format(key="a", greeting="hi"))
    repo.commit()
    assert entries(repo.apply("--record"))["a"]["outcome"] == "applied"
    repo.sandbox.edit("asst_a", firstMessage="Edited")
    assert [change["kind"] for change in entries(repo.plan())["a"]["changes"]] == ["drift"]
