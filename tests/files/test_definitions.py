"""Loading a folder of definitions: what is found, what is selected, what is wrong."""

import os
from pathlib import Path

import pytest

from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError
from reconciler.files.definitions import Loaded, load

SOME_MODE = "assistant-waits-for-user"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assistants").mkdir()
    return tmp_path / "assistants"


def write(folder: Path, **files: str) -> None:
    """Write files; `__` in a name stands for a slash, and `.yaml` is added where there is no suffix."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def load_definitions(folder: Path, *selected: Path, settings: Settings = Settings()) -> Loaded:  # noqa: B008 - a frozen value
    return load(folder, selected, root=folder.parent, settings=settings)


def list_messages(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_definitions_are_found_in_subfolders_and_sorted_by_file(folder: Path) -> None:
    write(folder, b="id: b\n", a__c="id: c\nname: x\n", a="id: a\n")
    (folder / "notes.txt").write_text("not: a definition")
    (folder / "old.yml").write_text("id: old\n")

    loaded = load_definitions(folder)

    assert [(entry.key, entry.file, entry.id) for entry in loaded.definitions] == [
        ("a", "assistants/a.yaml", "a"),
        ("a/c", "assistants/a/c.yaml", "c"),
        ("b", "assistants/b.yaml", "b"),
        ("old", "assistants/old.yml", "old"),
    ]
    assert (loaded.invalid, loaded.problems, loaded.whole) == ((), (), True)


def test_what_is_declared_stays_as_it_was_written(folder: Path) -> None:
    text = "maxDurationSeconds: null\nname: x\nid: a\nmodel: {temperature: 1, provider: openai}\nmetadata: {n: 1.0}\n"
    write(folder, a=text)

    (definition,) = load_definitions(folder).definitions

    assert list(definition.declared) == ["maxDurationSeconds", "name", "model", "metadata"]
    assert repr(definition.declared["model"]) == "{'temperature': 1, 'provider': 'openai'}"
    assert repr(definition.declared["metadata"]) == "{'n': 1.0}"
    assert definition.contents == {definition.file: text}


def test_a_byte_order_mark_and_windows_line_ends(folder: Path) -> None:
    (folder / "a.yaml").write_bytes("\ufeffid: a\r\nfirstMessage: |-\r\n  Hi\r\n  you\r\n".encode())

    (definition,) = load_definitions(folder).definitions

    assert definition.declared == {"firstMessage": "Hi\nyou"}


def test_hidden_files_and_folders_are_skipped(folder: Path) -> None:
    write(folder, a="id: a\n", **{".b": "broken: [", ".c__d": "broken: ["})

    assert [entry.key for entry in load_definitions(folder).definitions] == ["a"]


def test_all_problems_of_a_file_are_told_at_once_sorted_by_place(folder: Path) -> None:
    write(
        folder,
        b="id: a b\ntemperature: 1\nname: yes\nname: 3\nmodel:\n  provider: x\n  temperature: 9\nvoice:\non: 1\n"
        "nmae: no\n",
        a="name: x\n",
    )

    loaded = load_definitions(folder)

    assert [(problem.file, problem.line, problem.column) for problem in loaded.problems] == [
        ("assistants/a.yaml", 1, 1),
        ("assistants/b.yaml", 1, 5),
        ("assistants/b.yaml", 2, 1),
        ("assistants/b.yaml", 3, 7),
        ("assistants/b.yaml", 4, 1),
        ("assistants/b.yaml", 6, 13),
        ("assistants/b.yaml", 7, 16),
        ("assistants/b.yaml", 8, 7),
        ("assistants/b.yaml", 9, 1),
        ("assistants/b.yaml", 10, 1),
        ("assistants/b.yaml", 10, 7),
    ]
    assert loaded.definitions == ()
    assert [entry.message for entry in loaded.invalid] == [
        (
            'line 1: has no "id"; add a line with the assistant\'s id in the API, like: id: asst_123; for a new '
            "assistant, write: id: new"
        ),
        (
            'line 1: the id cannot contain "/", "?", "#", white space or control characters; copy only the id itself '
            "(and 9 more problems in this file)"
        ),
    ]
    assert [entry.id for entry in loaded.invalid] == ["", "a b"]


def test_one_more_problem_is_told_in_the_singular(folder: Path) -> None:
    write(folder, a="id: a\norgId: x\nname: 3\n")

    assert load_definitions(folder).invalid[0].message.endswith("(and 1 more problem in this file)")


def test_equal_ids_are_duplicates_with_both_places(folder: Path) -> None:
    write(folder, a="id: same\n", b="name: x\nid: same\n", c="id: other\n", d="id: same\nname: 1\n")

    loaded = load_definitions(folder)

    assert [entry.key for entry in loaded.definitions] == ["c"]
    assert [(entry.key, entry.kind) for entry in loaded.invalid] == [
        ("a", "duplicate"),
        ("b", "duplicate"),
        ("d", "invalid"),
    ]
    assert [problem.kind for problem in loaded.problems] == ["duplicate", "duplicate", "duplicate", "invalid"]
    rule = "if one of these files is for a new assistant, write id: new in it; if not, keep only one of them"
    assert list_messages(loaded)[:2] == [
        f"assistants/a.yaml:1:5: the id same is also used in assistants/b.yaml:2:5, assistants/d.yaml:1:5; {rule}",
        f"assistants/b.yaml:2:5: the id same is also used in assistants/a.yaml:1:5, assistants/d.yaml:1:5; {rule}",
    ]


def test_many_duplicates_are_counted(folder: Path) -> None:
    write(folder, **{f"a{number}": "id: same\n" for number in range(8)})

    assert "assistants/a5.yaml:1:5 and 2 more;" in list_messages(load_definitions(folder))[0]


def test_two_files_with_one_key(folder: Path) -> None:
    write(folder, a="id: a\n")
    (folder / "a.yml").write_text("id: b\n")

    loaded = load_definitions(folder)

    assert [entry.kind for entry in loaded.invalid] == ["duplicate", "duplicate"]
    assert list_messages(loaded) == [
        "assistants/a.yaml:1:1: assistants/a.yml has the same name except for the suffix; rename or remove one of them",
        "assistants/a.yml:1:1: assistants/a.yaml has the same name except for the suffix; rename or remove one of them",
    ]


def test_with_paths_only_the_selected_files_must_be_valid(folder: Path) -> None:
    write(folder, a="id: a\n", b="broken: [", c__d="id: d\n", c__e="id: e\nname: 3\n", f="id: same\nx: y\n")

    loaded = load_definitions(folder, folder / "a.yaml", folder / "c" / "d.yaml")

    assert [entry.key for entry in loaded.definitions] == ["a", "c/d"]
    assert (loaded.invalid, loaded.problems, loaded.whole) == ((), (), False)
    assert [entry.key for entry in load_definitions(folder, folder / "c").invalid] == ["c/e"]
    assert len(load_definitions(folder, folder).invalid) == 3


def test_a_duplicate_counts_where_one_of_its_files_is_selected(folder: Path) -> None:
    write(folder, a="id: same\n", b="id: same\nname: 3\nx: yes\n", c="id: c\n")

    loaded = load_definitions(folder, folder / "a.yaml")

    assert [(entry.key, entry.kind) for entry in loaded.invalid] == [("a", "duplicate")]
    assert "assistants/b.yaml:1:5" in loaded.problems[0].message
    assert load_definitions(folder, folder / "c.yaml").problems == ()


OTHER_SPELLINGS = {
    "plain": "id: it's_1",
    "doubled quotes": "id: 'it''s_1'",
    "escaped": r'{"\x69d": "it\u0027s\x5f1"}',
    "over two lines": 'id: "it\'s\\\n  _1"',
    "a block": "name: x\nid: >-\n  it's_1",
    "an alias": "metadata: {a: &a it's_1}\nid: *a",
    "new": "id: new",
    "new on the next line": "id:\n  # once it is there\n  new",
    "a tagged new": "id: !!str new",
    "an anchored new": "id: &here new",
    "a quoted new": "'id' : 'new'",
    "an aliased new": "name: &a new\nid: *a",
    "an aliased id": "name: &a id\n*a : new",
    "a new in braces": '{"name": "x", "id": "new"}',
    "a new behind a question mark": "? id\n: new",
}


@pytest.mark.parametrize("text", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS.keys())
def test_the_other_half_of_a_duplicate_is_found_however_it_writes_the_id(folder: Path, text: str) -> None:
    write(folder, a="id: it's_1\n", b=f"{text}\n", c="id: c\nfirstMessage: My id is new to me\n")

    def find_id(file: str) -> str | None:
        return "it's_1" if file == "assistants/b.yaml" else None

    loaded = load(folder, [folder / "a.yaml"], root=folder.parent, settings=Settings(), find_id=find_id)

    assert [(entry.key, entry.kind) for entry in loaded.invalid] == [("a", "duplicate")]
    assert [definition.id for definition in loaded.read_all()] == ["it's_1", "it's_1", "c"]


def test_paths_are_relative_to_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, a="id: a\n", b="id: b\n")
    monkeypatch.chdir(folder.parent)

    loaded = load(Path("assistants"), [Path("assistants/a.yaml")], root=folder.parent, settings=Settings())

    assert [entry.file for entry in loaded.definitions] == ["assistants/a.yaml"]


def test_the_folder_may_be_the_root(folder: Path) -> None:
    write(folder, a="id: a\n")

    assert load(folder, [], root=folder, settings=Settings()).definitions[0].file == "a.yaml"


def test_a_folder_stands_for_all_files_in_it(folder: Path) -> None:
    write(folder, a="id: a\n", b="id: b\n", sub__c="id: c\n", sub__d="id: d\n")
    overlays = folder.parent / "environments" / "staging"
    write(overlays, b="name: B\n", sub___defaults="maxDurationSeconds: 5\n")
    settings = Settings(overlay="environments/staging")

    def keys(path: Path) -> list[str]:
        loaded = load(folder, [path], root=folder.parent, settings=settings)
        return [definition.key for definition in loaded.definitions]

    assert keys(folder / "sub") == ["sub/c", "sub/d"]
    assert keys(overlays) == keys(overlays.parent) == ["b", "sub/c", "sub/d"]
    assert keys(overlays / "sub") == ["sub/c", "sub/d"]
    assert keys(folder) == keys(folder.parent) == ["a", "b", "sub/c", "sub/d"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.yaml", "does not exist"),
        ("../reconciler.yaml", "is not in the definitions' folder"),
        ("notes.txt", "does not end in .yaml or .yml"),
        (".hidden.yaml", "begins with a dot"),
        ("empty", "contains no definition"),
    ],
)
def test_paths_that_cannot_be_used(folder: Path, path: str, message: str) -> None:
    write(folder, a="id: a\n", **{".hidden": "id: b\n"})
    (folder / "notes.txt").touch()
    (folder / "empty").mkdir()
    (folder.parent / "reconciler.yaml").touch()

    with pytest.raises(DefinitionError, match=message):
        load_definitions(folder, folder / path)


def test_no_folder_and_no_definition(folder: Path) -> None:
    with pytest.raises(DefinitionError, match="contains no definition") as error_info:
        load_definitions(folder)
    assert "import" in error_info.value.hint
    with pytest.raises(DefinitionError, match="there is no folder"):
        load_definitions(folder / "nowhere")


def test_links_are_followed_inside_the_folder_only(folder: Path) -> None:
    write(folder, a="id: a\n", sub__b="id: b\n")
    (folder.parent / "secret.yaml").write_text("id: secret\n")
    (folder / "out.yaml").symlink_to(folder.parent / "secret.yaml")
    (folder / "gone.yaml").symlink_to(folder / "nothing.yaml")
    (folder / "round.yaml").symlink_to(folder / "round.yaml")
    (folder / "again").symlink_to(folder / "sub")
    (folder / "same.yaml").symlink_to(folder / "a.yaml")
    (folder / "note.txt").symlink_to("/")
    (folder / "note.txt").unlink()

    loaded = load_definitions(folder)

    assert [entry.key for entry in loaded.definitions] == ["sub/b"]
    by_key = {entry.key: entry for entry in loaded.invalid}
    assert set(by_key) == {"a", "again", "gone", "out", "round", "same"}
    assert by_key["a"].kind == "duplicate"
    assert "outside the definitions' folder" in by_key["out"].message
    assert "cannot be read" in by_key["gone"].message
    assert "links to folders are not followed" in by_key["again"].message
    assert all(problem.line == 1 for problem in loaded.problems)


def test_what_is_no_regular_file_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")

    assert "not a regular file" in load_definitions(folder).invalid[0].message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(folder: Path) -> None:
    write(folder, a="id: a\n", b="id: b\n", c__d="id: d\n")
    (folder / "a.yaml").chmod(0)
    (folder / "c").chmod(0)

    loaded = load_definitions(folder)

    (folder / "a.yaml").chmod(0o600)
    (folder / "c").chmod(0o700)
    assert [(entry.key, entry.message) for entry in loaded.invalid] == [
        ("a", "line 1: this file cannot be read: Permission denied"),
        ("c", "line 1: this folder cannot be read: Permission denied"),
    ]


def test_a_file_of_more_than_a_mebibyte(folder: Path) -> None:
    write(folder, a="id: a\nname: x\n#" + "x" * 1024 * 1024, b="id: b\nname: x\n#" + "x" * 1_000_000)

    loaded = load_definitions(folder)

    assert "larger than 1 MiB" in loaded.invalid[0].message
    assert [entry.key for entry in loaded.definitions] == ["b"]


def test_warnings_leave_a_definition_valid(folder: Path) -> None:
    write(
        folder,
        a="id: a\nfirstMessage: |\n  Hello {{name}\nvoicemailMessage: We are room #5 # or 6\n"
        f"endCallMessage: ' '\nfirstMessageMode: {SOME_MODE}\n",
    )

    loaded = load_definitions(folder)

    assert [entry.key for entry in loaded.definitions] == ["a"]
    assert [(problem.line, problem.column, problem.severity) for problem in loaded.problems] == [
        (2, 15, "warning"),
        (2, 15, "warning"),
        (2, 15, "warning"),
        (4, 19, "warning"),
        (5, 17, "warning"),
    ]
    assert "assistants/a.yaml:4:19: warning: " in list_messages(loaded)[3]


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("firstMessage: Press #1 now", True),
        ("firstMessage: Press#1 now", False),
        ("firstMessage: Press 1 # now", True),
        ("firstMessage: Press\n  the # key", True),
        ("firstMessage: #1 in the state", True),
        ("firstMessage: null # none", False),
        ("firstMessage: 'Press #' # fine", False),
        ("firstMessage: >-\n  Press # now", False),
        ("name: Press # now", False),
        ("firstMessage: Hi\n# a comment", False),
        ("{firstMessage: Press 1 # now\n}", True),
    ],
)
def test_a_message_that_a_comment_cuts_off(folder: Path, line: str, warned: bool) -> None:
    text = line.replace("{", "{id: a, ") if line.startswith("{") else f"id: a\n{line}\n"
    write(folder, a=text)

    loaded = load_definitions(folder)

    assert len(loaded.definitions) == 1
    assert [problem.severity for problem in loaded.problems] == ["warning"] * warned


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("name: &Home of the brave", True),
        ("name: Q&A", False),
        ("metadata: {a: &x 1, b: *x}", False),
        ("name: 'R &D'", False),
    ],
)
def test_a_word_that_is_taken_for_an_anchor(folder: Path, text: str, warned: bool) -> None:
    write(folder, a=f"id: a\n{text}\n")

    loaded = load_definitions(folder)

    assert [(problem.line, problem.column, problem.severity) for problem in loaded.problems] == (
        [(2, 7, "warning")] if warned else []
    )


def test_extra_fields_may_hold_anything(folder: Path) -> None:
    settings = Settings(extra_fields=(("tools",), ("model", "messages"), ("voice", "speed")))
    write(folder, a="id: a\ntools: [{a: 1}]\nmodel: {messages: [x], provider: openai}\nvoice: null\n")

    loaded = load_definitions(folder, settings=settings)

    assert [(problem.line, problem.column) for problem in loaded.problems] == [(4, 8)]
    write(folder, a="id: a\ntools: [{a: 1}]\nmodel: {messages: [x], provider: openai}\n")
    assert load_definitions(folder, settings=settings).definitions[0].declared == {
        "tools": [{"a": 1}],
        "model": {"messages": ["x"], "provider": "openai"},
    }


def test_no_message_quotes_what_is_sensitive(folder: Path) -> None:
    paths = ("metadata", "crmKey"), ("model",), ("voice", "*"), ("firstMessageMode",), ("transcriber", "provider", "x")
    write(
        folder,
        a="id: a\nmetadata: {crmKey: 0123, other: 0456}\nmodel: {provider: hush, hush: 1, temperature: 77}\n"
        "voice: {provider: hush}\ntranscriber: {provider: hush}\nfirstMessageMode: hush\nmaxDurationSeconds: x\n",
        b="id: b\nmetadata: {crmKey: {hush: 1, hush: 2}}\n",
        c="id: c\nmetadata: {crmKey: !hush x}\nmodel: {temperature: 1_000}\n",
    )

    loaded = load_definitions(folder, settings=Settings(sensitive=paths))

    text = "\n".join([*list_messages(loaded), *(entry.message for entry in loaded.invalid)])
    assert len(loaded.problems) == 12
    for secret in ("hush", "0123", "77", "1_000"):
        assert secret not in text
    assert "0456" in text
