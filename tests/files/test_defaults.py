"""`_defaults.yaml`: what a definition declares with it, where each value stands, and whose a problem is."""

from pathlib import Path

import pytest

from reconciler.core.settings import Environment, LintLevel, Settings
from reconciler.errors import DefinitionError
from reconciler.files.definitions import Loaded, load

STAGING = Settings(environments={"staging": Environment(overlay="environments/staging")}).choose("staging")
DEFAULTS = "assistants/_defaults.yaml"


def write_files(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


def load_files(root: Path, files: dict[str, str], *paths: str, settings: Settings | None = None) -> Loaded:
    write_files(root, files)
    chosen = [root / path for path in paths]
    return load(root / "assistants", chosen, root=root, settings=settings or Settings())


def test_the_outermost_comes_first_and_the_definition_last(tmp_path: Path) -> None:
    loaded = load_files(
        tmp_path,
        {
            DEFAULTS: "voice: {provider: azure, voiceId: x}\nendCallMessage: Bye\n"
            "endCallPhrases: [a, b]\nfirstMessage: Hi\n",
            "assistants/sub/_defaults.yaml": "voice: {voiceId: y}\nendCallMessage: null\nfirstMessage: null\n",
            "assistants/sub/deep/_defaults.yaml": "metadata: {team: a, null_stays: null}\n",
            "assistants/sub/deep/a.yaml": "id: asst_a\nendCallPhrases: [c]\nfirstMessage: Own\nmetadata: {own: 1}\n",
            "assistants/b.yaml": "id: asst_b\nvoice: {voiceId: z}\n",
        },
    )
    own, deep = loaded.definitions
    assert loaded.problems == ()
    assert (deep.key, deep.declared) == (
        "sub/deep/a",
        {
            "voice": {"provider": "azure", "voiceId": "y"},
            "endCallMessage": None,
            "endCallPhrases": ["c"],
            "firstMessage": "Own",
            "metadata": {"team": "a", "null_stays": None, "own": 1},
        },
    )
    assert own.declared["voice"] == {"provider": "azure", "voiceId": "z"}
    assert own.declared["firstMessage"] == "Hi"
    assert deep.locate(("voice", "provider")) == (DEFAULTS, 1, 19)
    assert deep.locate(("voice", "voiceId")) == ("assistants/sub/_defaults.yaml", 1, 18)
    assert deep.locate(("firstMessage",)) == ("assistants/sub/deep/a.yaml", 3, 15)


def test_with_an_environment_its_defaults_stand_between_the_folder_s_and_the_definition(tmp_path: Path) -> None:
    files = {
        DEFAULTS: "firstMessage: folder\nendCallMessage: folder\nvoicemailMessage: folder\nmaxDurationSeconds: 1\n",
        "environments/staging/_defaults.yaml": "endCallMessage: env\nvoicemailMessage: env\nmaxDurationSeconds: 2\n",
        "assistants/sub/a.yaml": "voicemailMessage: own\nmaxDurationSeconds: 3\n",
        "environments/staging/sub/a.yaml": "id: asst_a\nmaxDurationSeconds: 4\n",
        "environments/staging/sub/_defaults.yaml": "metadata: {env: {$file: text.md}}\n",
        "environments/staging/sub/text.md": "text\n",
    }
    (definition,) = load_files(tmp_path, files, settings=STAGING).definitions
    assert (definition.id, definition.declared) == (
        "asst_a",
        {
            "firstMessage": "folder",
            "endCallMessage": "env",
            "voicemailMessage": "own",
            "maxDurationSeconds": 4,
            "metadata": {"env": "text"},
        },
    )
    assert definition.locate(("metadata", "env")) == ("environments/staging/sub/text.md", 1, 1)


def test_problems_are_reported_once_at_their_own_lines_and_make_all_that_take_from_it_invalid(tmp_path: Path) -> None:
    files = {f"assistants/sub/a{n}.yaml": f"id: asst_{n}\nmodel: {{temperature: 1}}\n" for n in range(60)}
    files |= {"assistants/b.yaml": "id: asst_b\nfirstMessageMode: assistant-waits-for-user\n"}
    files |= {DEFAULTS: "firstMessage: 'Hello '\n"}
    files |= {"assistants/sub/_defaults.yaml": "id: asst_x\nname: Desk\nmodel:\n  temperature: 7\nvoicee: 1\nzzz: 1\n"}
    files |= {"assistants/sub/c.yaml": "endCallMessage: Bye\n"}
    loaded = load_files(tmp_path, files)
    assert "zzz; allowed here: firstMessage, firstMessageMode, model, voice, " in str(loaded.problems[-2])
    assert [str(problem).partition(";")[0].partition(" with this")[0] for problem in loaded.problems] == [
        f"{DEFAULTS}:1:15: warning: firstMessage ends in white space",
        f"{DEFAULTS}:1:15: warning: firstMessage is never spoken:",
        "assistants/sub/_defaults.yaml:1:1: _defaults.yaml cannot contain id, which belongs to a single assistant",
        "assistants/sub/_defaults.yaml:2:1: _defaults.yaml cannot contain name, which belongs to a single assistant",
        "assistants/sub/_defaults.yaml:4:16: model.temperature must be between 0 and 2",
        "assistants/sub/_defaults.yaml:5:1: unknown field voicee",
        "assistants/sub/_defaults.yaml:6:1: unknown field zzz",
        'assistants/sub/c.yaml:1:1: has no "id"',
    ]
    assert [definition.key for definition in loaded.definitions] == ["b"]
    assert len(loaded.invalid) == 61
    assert loaded.invalid[0].id == "asst_0"
    assert loaded.invalid[0].message.startswith("assistants/sub/_defaults.yaml, line 1: _defaults.yaml cannot contain")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: this file is empty; write the shared values"),
        ("voice: [", "1:9: "),
        ("- a", '1:1: shared values consist of lines like "maxDurationSeconds: 1800", not of a list'),
        ("firstMessage: {$file: none.md}", "1:23: firstMessage: there is no file assistants/none.md"),
        ("endCallMessage: 'a\ufeff", "1:"),
    ],
)
def test_one_that_cannot_be_read_is_no_definition_and_stops_its_own(tmp_path: Path, text: str, message: str) -> None:
    loaded = load_files(
        tmp_path, {DEFAULTS: text, "assistants/a.yaml": "id: asst_a\n", "assistants/b.yaml": "id: asst_b\n"}
    )
    (problem,) = loaded.problems
    assert str(problem).startswith(f"{DEFAULTS}:{message}")
    assert [entry.key for entry in loaded.invalid] == ["a", "b"]


def test_paths_that_name_defaults_select_all_that_take_from_them(tmp_path: Path) -> None:
    files = {
        DEFAULTS: "maxDurationSeconds: 600\n",
        "assistants/sub/_defaults.yaml": "maxDurationSeconds: none\n",
        "assistants/sub/a.yaml": "id: asst_a\n",
        "assistants/b.yaml": "id: asst_b\n",
    }
    assert [entry.key for entry in load_files(tmp_path, files, "assistants/b.yaml").definitions] == ["b"]
    below = load_files(tmp_path, files, "assistants/sub/_defaults.yaml")
    assert ([entry.key for entry in below.definitions], [entry.key for entry in below.invalid]) == ([], ["sub/a"])
    assert [entry.key for entry in load_files(tmp_path, files, DEFAULTS).definitions] == ["b"]
    (tmp_path / "assistants/a/c").mkdir(parents=True)
    (tmp_path / "assistants/a/c/_defaults.yaml").write_text("name: A\n", "utf-8")
    with pytest.raises(DefinitionError):
        load_files(tmp_path, {}, "assistants/a/c")
    assert any(problem.file == "assistants/a/c/_defaults.yaml" for problem in load_files(tmp_path, {}).problems)


def test_a_folder_of_defaults_alone_holds_no_definition(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="contains no definition") as error_info:
        load_files(tmp_path, {DEFAULTS: "maxDurationSeconds: 600\n"})
    assert error_info.value.hint.startswith("write one that ends in .yaml")


def test_a_lint_of_a_default_is_told_once_as_grave_as_it_is_for_anybody(tmp_path: Path) -> None:
    markdown = [LintLevel(lint="spoken-markdown", level="error", assistants=("b",))]
    files = {DEFAULTS: "endCallMessage: '**Bye**'\n", "assistants/a.yaml": "id: a\n", "assistants/b.yaml": "id: b\n"}
    (problem,) = load_files(tmp_path, files, settings=Settings(lints=tuple(markdown))).problems
    assert (problem.file, problem.line, problem.severity) == (DEFAULTS, 1, "error")
    (problem,) = load_files(tmp_path, files, "assistants/a.yaml", settings=Settings(lints=tuple(markdown))).problems
    assert problem.severity == "warning"


def test_defaults_without_their_underscore_are_told_their_name(tmp_path: Path) -> None:
    (problem,) = load_files(tmp_path, {"assistants/defaults.yaml": "endCallMessage: Bye\n"}).problems
    assert problem.message.endswith("rename it to _defaults.yaml")


def test_settings_inside_the_folder_are_told_where_they_belong(tmp_path: Path) -> None:
    missing, _ = load_files(tmp_path, {"assistants/reconciler.yaml": "record: true\n"}).problems
    assert missing.message.endswith("; if it contains the settings, move it out of this folder, beside it")
