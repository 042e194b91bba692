"""Texts in files of their own: which files may be named, what they say, and where a problem stands."""

import os
from pathlib import Path

import pytest

from reconciler.core.settings import Environment, Settings
from reconciler.files.definitions import Loaded, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of definitions, with a text in it and one beside it."""
    folder = tmp_path / "assistants"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "main.md").write_text("Be kind.\nBe short.\n", "utf-8")
    (tmp_path / "outside.md").write_text("secret", "utf-8")
    return folder


def load_definition(folder: Path, text: str, key: str = "a", settings: Settings | None = None) -> Loaded:
    file = folder / f"{key}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"id: asst_1\n{text}", "utf-8")
    return load(folder, (), root=folder.parent, settings=settings or Settings(extra_fields=(("model", "messages"),)))


def only_problem(loaded: Loaded) -> str:
    (problems,) = loaded.problems
    return str(problems)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"Hello", "Hello"),
        (b"Hello\n", "Hello"),
        (b"Hello\n\n", "Hello\n"),
        (b"\xef\xbb\xbfA\r\nB\r\n", "A\nB"),
        (b"A\rB", "A\rB"),
        (b" * not: yaml #\n", " * not: yaml #"),
        (b"", ""),
        (b"x" * 1024 * 1024, "x" * 1024 * 1024),
    ],
)
def test_a_text_is_what_its_file_says(folder: Path, content: bytes, text: str) -> None:
    (folder / "prompts" / "main.md").write_bytes(content)
    (definition,) = load_definition(folder, "name: {$file: prompts/main.md}\n").definitions
    assert definition.declared["name"] == text


def test_a_text_may_stand_at_any_depth_and_in_lists_and_is_named_from_where_it_is_said(folder: Path) -> None:
    text = """\
model:
  messages:
    - role: system
      content:
        $file: ../prompts/main.md
endCallPhrases: [bye, {$file: ../prompts/main.md}]
metadata: {deep: [{er: {$file: "../prompts/./main.md"}}]}
"""
    (definition,) = load_definition(folder, text, "sub/a").definitions
    assert definition.declared["model"]["messages"][0]["content"] == "Be kind.\nBe short."
    assert definition.declared["endCallPhrases"] == ["bye", "Be kind.\nBe short."]
    assert definition.declared["metadata"] == {"deep": [{"er": "Be kind.\nBe short."}]}
    assert definition.locate(("metadata", "deep", "0", "er")) == ("assistants/prompts/main.md", 1, 1)
    assert definition.locate(("metadata", "deep", "0", "er"), "key") == ("assistants/sub/a.yaml", 8, 20)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: {$file: main.md}", "2:15: name: there is no file assistants/main.md"),
        (
            "name: {$file: prompts/Main.md}",
            "2:15: name: there is no file assistants/prompts/Main.md; did you mean main.md?",
        ),
        ("name:\n  $file: ../outside.md", "3:10: name: outside.md is outside assistants"),
        ("name: {$file: /etc/hostname}", "2:15: name: /etc/hostname is outside assistants"),
        ("name: {$file: desk.md}", "2:15: name: there is no file assistants/desk.md; correct the path"),
        ("name: {$file: prompts/main.md/}", "2:15: $file must be the path of a text file"),
        ("name: {$file: prompts}", "2:15: name: assistants/prompts is not a file"),
        ("name: {$file: link.md}", "2:15: name: assistants/link.md is a link"),
        ("name: {$file: linked/main.md}", "2:15: name: assistants/linked/main.md is a link"),
        ("name: {$file: pipe.md}", "2:15: name: assistants/pipe.md is not a file"),
        ("name: {$file: b.yaml}", "2:15: a text file cannot end in .yaml"),
        ("name: {$file: B.YML}", "2:15: a text file cannot end in .yaml"),
        ("name: {$file: prompts\\main.md}", "2:15: the path after $file uses /"),
        ('name: {$file: "a\\0b.md"}', "2:15: the path after $file contains a control character"),
        ("name: {$file: 5}", "2:15: $file must be the path of a text file"),
        ("name: {$file: null}", "2:15: $file must be the path of a text file"),
        ('name: {$file: ""}', "2:15: $file must be the path of a text file"),
        ("name: {$file: [a.md]}", "2:15: $file must be the path of a text file"),
        ("name: {$file: ..}", "2:15: $file must be the path of a text file"),
        ("name: {$file: prompts/main.md, more: 1}", "2:32: $file cannot be combined"),
        ("model: {$file: prompts/main.md}", "2:9: $file inserts a text, but model is not a text field"),
        ("model:\n  temperature: {$file: prompts/main.md}", "3:17: $file inserts a text, but model.temperature"),
        ("endCallPhrases: {$file: prompts/main.md}", "2:18: $file inserts a text, but endCallPhrases"),
        ("metadata: {$file: prompts/main.md}", "2:12: $file inserts a text, but metadata is not a text field"),
        ("$file: prompts/main.md", "2:1: $file inserts one text, not a whole file"),
        ("firstMesage: {$file: prompts/main.md}", "2:1: unknown field firstMesage; did you mean firstMessage?"),
        ("firstMessageMode: {$file: prompts/main.md}", "prompts/main.md:1:1: firstMessageMode must be one of"),
        (
            "name: {$file: cafe\u0301.md}",
            "2:15: name: there is no file assistants/cafe\u0301.md; did you mean caf\u00e9.md? The two differ only",
        ),
        ("name: {$file: latin.md}", "2:15: name: assistants/latin.md is not saved as UTF-8 (see line 2)"),
        ("name: {$file: utf16.md}", "2:15: name: assistants/utf16.md is saved as UTF-16"),
        ("name: {$file: large.md}", "2:15: name: assistants/large.md is larger than 1 MiB"),
        (
            "name: {$file: nul.md}",
            "2:15: name: assistants/nul.md has an invisible control character (U+0000) in line 2, column 3; remove it",
        ),
        ("name: {$file: feed.md}", "2:15: name: assistants/feed.md has an invisible control character (U+000C)"),
        (
            "name: {$file: merged.md}",
            "2:15: name: assistants/merged.md has an unresolved git merge conflict in line 2; keep the lines above or",
        ),
    ],
)
def test_what_cannot_be_a_text_is_one_problem_at_its_place(folder: Path, text: str, message: str) -> None:
    (folder / "link.md").symlink_to("prompts/main.md")
    (folder / "linked").symlink_to("prompts")
    os.mkfifo(folder / "pipe.md")
    (folder / "latin.md").write_bytes(b"one\nZo\xeb")
    (folder / "utf16.md").write_bytes("Hello".encode("utf-16"))
    (folder / "large.md").write_bytes(b"x" * (1024 * 1024 + 1))
    (folder / "nul.md").write_bytes(b"x" * 100 + b"\r\nis\0")
    (folder / "feed.md").write_bytes(b"a\f")
    (folder / "merged.md").write_text("# Rules\n<<<<<<< HEAD\nBe kind.\n=======\nBe brief.\n>>>>>>> brief\n")
    (folder / "caf\u00e9.md").write_text("Hi")
    (folder / "desk.yaml").write_text("id: desk\n")
    place = "assistants/" if message.startswith("prompts") else "assistants/a.yaml:"
    loaded = load_without_links(folder, text)
    assert only_problem(loaded).startswith(place + message)
    assert [entry.file for entry in loaded.invalid] == ["assistants/a.yaml"]


def load_without_links(folder: Path, text: str) -> Loaded:
    """Links to folders are a problem of their own, wherever definitions are looked for."""
    loaded = load_definition(folder, text)
    problems = tuple(problem for problem in loaded.problems if problem.file != "assistants/linked")
    invalid = tuple(entry for entry in loaded.invalid if entry.file != "assistants/linked")
    return Loaded(loaded.definitions, invalid, problems, loaded.whole)


def test_texts_that_are_too_large_together_are_refused(folder: Path) -> None:
    (folder / "large.md").write_bytes(b"x" * 1024 * 1024)
    texts = "".join("  - {$file: large.md}\n" for _ in range(5))
    assert "a.yaml:7:13: endCallPhrases[4]: its text files are over 4 MiB together" in only_problem(
        load_definition(folder, f"endCallPhrases:\n{texts}")
    )


def test_an_overlay_may_name_files_of_its_own_folder_and_of_the_definitions(folder: Path) -> None:
    overlays = folder.parent / "environments" / "staging"
    overlays.mkdir(parents=True)
    (overlays / "bye.txt").write_text("Bye, staging", "utf-8")
    (overlays.parent / "other.txt").write_text("secret", "utf-8")
    settings = Settings(environments={"staging": Environment(overlay="environments/staging")}).choose("staging")
    overlay = overlays / "a.yaml"
    overlay.write_text("endCallMessage: {$file: bye.txt}\nname: {$file: ../../assistants/prompts/main.md}\n", "utf-8")
    (definition,) = load_definition(folder, "endCallMessage: {$file: prompts/main.md}\n", settings=settings).definitions
    assert definition.declared == {"endCallMessage": "Bye, staging", "name": "Be kind.\nBe short."}
    overlay.write_text("endCallMessage: {$file: ../other.txt}\n", "utf-8")
    wrong = "environments/staging/a.yaml:1:25: endCallMessage: environments/other.txt is outside assistants or"
    assert only_problem(load_definition(folder, "", settings=settings)).startswith(wrong)
    # What others share cannot reach into one environment's folder.
    overlay.write_text("name: A\n", "utf-8")
    shared = "endCallMessage: {$file: ../environments/staging/bye.txt}\n"
    assert "is outside assistants;" in only_problem(load_definition(folder, shared, settings=settings))
