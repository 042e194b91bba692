"""Live edits of texts that stand in files of their own: which file takes them, and what each file then holds."""

from pathlib import Path
from typing import Any

import pytest
from projects import MODEL
from stories import Story, story
from two_environments import two_environments

LIVE: dict[str, Any] = {"model": MODEL}
DEFINITION = """\
id: asst_a
firstMessage: {$file: texts/hello.txt}   # what callers hear
voicemailMessage: {$file: texts/away.txt}
endCallMessage: {$file: texts/shared.txt}
metadata: {bye: {$file: texts/shared.txt}}
model:
  messages:
    # who they are
    - role: system
      content:
        $file: texts/main.md
"""
TEXTS = {
    "hello.txt": b"Hello!",
    "away.txt": b"We are closed.\n",
    "shared.txt": b"Goodbye!\n",
    "main.md": b"\xef\xbb\xbfBe kind.\r\nBe short.\r\nSay goodbye.\n",
}


def write_texts(repo: Story) -> dict[str, Path]:
    repo.project.configure(extra_fields=["/model/messages"])
    (repo.root / "assistants" / "texts").mkdir()
    files = {name: repo.root / "assistants" / "texts" / name for name in TEXTS}
    for name, content in TEXTS.items():
        files[name].write_bytes(content)
    repo.write("a", DEFINITION)
    repo.commit()
    repo.apply_and_record()
    return files


def test_each_text_goes_into_its_file_as_that_is_written(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        files = write_texts(repo)
        messages = [{"role": "system", "content": "Be kind.\nBe brief.\n\nBe quick.\nSay goodbye."}]
        repo.sandbox.edit(
            "asst_a", firstMessage="Good day!\n", voicemailMessage=None, model={**MODEL, "messages": messages}
        )
        check = repo.run("pull", "--check")
        result = repo.run("pull")
        statuses = repo.plan("--base", "none")["summary"]
        text = (repo.root / "assistants/a.yaml").read_text("utf-8")
    assert check.code == 2
    assert "-Be short.\n+Be brief.\n" in check.stdout.replace("\\r", "")
    assert (result.code, result.stderr) == (
        0,
        "assistants/a.yaml: assistants/texts/away.txt was kept; voicemailMessage no longer uses it\n",
    )
    assert result.stdout.splitlines() == [
        "assistants/texts/hello.txt: firstMessage",
        "assistants/texts/main.md: model.messages",
        "assistants/a.yaml: voicemailMessage",
    ]
    assert text == DEFINITION.replace("{$file: texts/away.txt}", "null")
    assert files["hello.txt"].read_bytes() == b"Good day!\n\n"
    assert files["main.md"].read_bytes() == b"\xef\xbb\xbfBe kind.\r\nBe brief.\r\n\r\nBe quick.\r\nSay goodbye.\n"
    assert files["away.txt"].exists()
    assert statuses["in_sync"] == 1


def test_a_text_that_several_fields_take_and_one_that_no_file_can_hold_are_left(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        files = write_texts(repo)
        repo.sandbox.edit("asst_a", firstMessage="One\r\ntwo", endCallMessage="Farewell!")
        result = repo.run("pull")
    assert result.stdout == ""
    assert "not pulled: endCallMessage: assistants/texts/shared.txt is used 2 times" in result.stderr
    assert (
        "not pulled: firstMessage: assistants/texts/hello.txt cannot store it: a text file turns CRLF into LF"
        in result.stderr
    )
    assert {name: file.read_bytes() for name, file in files.items()} == TEXTS


def test_a_message_more_is_written_into_the_definition_beside_the_text_that_stays(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        files = write_texts(repo)
        first = {"role": "system", "content": "Be kind.\nBe short.\nSay goodbye."}
        repo.sandbox.edit("asst_a", model={**MODEL, "messages": [first, {"role": "user", "content": "Hi"}]})
        result = repo.run("pull")
        text = (repo.root / "assistants/a.yaml").read_text("utf-8")
    assert (result.code, result.stdout, result.stderr) == (0, "assistants/a.yaml: model.messages\n", "")
    assert text == DEFINITION + "    - role: user\n      content: Hi\n"
    assert files["main.md"].read_bytes() == TEXTS["main.md"]


def test_of_a_field_that_is_left_no_text_is_said_to_be_unused(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        files = write_texts(repo)
        repo.write("a", DEFINITION + "    - role: user\n      content: {$file: texts/hello.txt}\n")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", model={**MODEL, "messages": [{"role": "system", "content": "One\vtwo"}]})
        result = repo.run("pull")
    assert (result.code, result.stdout) == (1, "")
    assert "not pulled: model.messages: assistants/texts/main.md cannot store it" in result.stderr
    assert "no longer uses it" not in result.stderr
    assert {name: file.read_bytes() for name, file in files.items()} == TEXTS


@pytest.mark.parametrize("own", [True, False])
def test_with_an_environment_its_own_text_file_takes_the_text_and_else_its_overlay(tmp_path: Path, own: bool) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.shared("a", "firstMessage: {$file: hello.txt}\n")
        shared = environments.root / "assistants" / "hello.txt"
        shared.write_text("Hello!\n", "utf-8")
        above = environments.root / "environments" / "staging" / "hello.txt"
        above.write_text("Hello, staging!\n", "utf-8")
        for name in environments.sandboxes:
            environments.overlay(name, "a", "id: asst_a\n")
        if own:
            environments.overlay("staging", "a", "id: asst_a\nfirstMessage: {$file: hello.txt}\n")
        environments.repo.commit()
        assert environments.run("staging", "apply", "--yes", "--record", "--base", "none").code == 0
        environments.sandboxes["staging"].edit("asst_a", firstMessage="Edited")
        result = environments.run("staging", "pull")
        changed = environments.repo.git("diff", "--name-only").splitlines()
        overlay = (environments.root / "environments" / "staging" / "a.yaml").read_text("utf-8")
    assert result.code == 0
    assert shared.read_text("utf-8") == "Hello!\n"
    if own:
        assert (changed, above.read_text("utf-8")) == (["environments/staging/hello.txt"], "Edited\n")
    else:
        assert changed == ["environments/staging/a.yaml"]
        assert overlay == "id: asst_a\nfirstMessage: Edited\n"
