"""The lints in definition files: what YAML made of a text, the places, and the levels that settings give."""

import json
from pathlib import Path

import pytest

from reconciler.assistant.lints import LINTS
from reconciler.assistant.problem import InvalidSettings
from reconciler.files.definitions import Loaded, load
from reconciler.files.settings import load_settings

BLANKS = 'id: asst_1\nfirstMessage: "Hello "\n'


def load_definition(root: Path, text: str, settings: str = "", *, key: str = "desk", environment: str = "") -> Loaded:
    file = root / "assistants" / f"{key}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    (root / "reconciler.yaml").write_text(settings or "{}", "utf-8")
    chosen = load_settings(root / "assistants", root=root)
    return load(root / "assistants", [], root=root, settings=chosen.choose(environment) if environment else chosen)


def list_problems(loaded: Loaded) -> list[str]:
    """`line:column severity id` of each problem."""
    return [
        f"{problem.line}:{problem.column} {problem.severity} {problem.lint or problem.message}"
        for problem in loaded.problems
    ]


MESSAGES = "id: asst_1\nmetadata:\n  rules: "


@pytest.mark.parametrize(
    ("value", "is_folded"),
    [
        ('"Rules:\n    - one\n    - two"', True),
        ("'Rules:\n    * one\n    * two'", True),
        (">-\n    | a | b |\n    |---|---|\n    | 1 | 2 |", True),
        (">-\n    either a | b\n    or | c", False),
        ("Rules\n    - one\n    - two", True),
        (">-\n    Rules:\n    - one\n    - two", True),
        (">\n    Rules:\n    1. one\n    2. two", True),
        (">-\n    ```\n    call()\n    ```", True),
        (">-\n    Rules:\n    \u2022 one\n    \u2022 two", True),
        (">-\n    **Role**: kind\n    **Style**: short", True),
        (">-\n    This is\n    **important** today", False),
        (">-\n    > Be kind.\n    > Be short.", True),
        (">-\n    # Role\n    You are kind.", True),
        ('"# Role\n    You are kind."', True),
        ('"Rules: - one\n    - two"', False),
        ("|-\n    Rules:\n    - one\n    - two", False),
        (">-\n    Rules:\n\n    - one\n\n    - two", False),
        ('"Rules:\\n- one\\n- two"', False),
        (">-\n    Monday\n    - Friday, from nine", False),
        ("We are open Monday - Friday", False),
        (">-\n    # Role", False),
        ('"C # and\n    B - flat"', False),
    ],
)
def test_markdown_that_yaml_has_folded(tmp_path: Path, value: str, is_folded: bool) -> None:
    messages = list_problems(load_definition(tmp_path, f"{MESSAGES}{value}\n"))
    assert messages == (["3:10 warning folded-markdown"] if is_folded else [])


def test_folded_markdown_in_a_list_of_messages_has_its_place(tmp_path: Path) -> None:
    text = "id: asst_1\nmodel:\n  messages:\n    - role: system\n      content: >-\n        - one\n        - two\n"
    assert list_problems(load_definition(tmp_path, text, "extra_fields: [/model/messages]")) == [
        "5:16 warning folded-markdown"
    ]


@pytest.mark.parametrize(
    ("value", "is_told"),
    [
        ("&Tom and Jerry", True),
        ("&Tom !!str and Jerry", True),
        ("&list\n    - a", False),
        ("&list\n  - a", False),
        ("&group\n    a: b", False),
        ("&list [a]", False),
    ],
)
def test_a_text_after_an_ampersand_that_yaml_takes_for_a_name(tmp_path: Path, value: str, is_told: bool) -> None:
    message = '3:10 warning the word after this "&" is read as a name, not as text; put the text in quotes'
    assert list_problems(load_definition(tmp_path, f"{MESSAGES}{value}\n")) == ([message] if is_told else [])


def test_what_an_overlay_writes_well_is_not_folded(tmp_path: Path) -> None:
    overlay = tmp_path / "over" / "desk.yaml"
    overlay.parent.mkdir()
    overlay.write_text("metadata:\n  rules: |-\n    - one\n    - three\n", "utf-8")
    settings = "environments: {a: {overlay: over}}"
    assert (
        list_problems(load_definition(tmp_path, f"{MESSAGES}>-\n    - one\n    - two\n", settings, environment="a"))
        == []
    )
    overlay.write_text("metadata:\n  rules: >-\n    - one\n    - three\n", "utf-8")
    (problems,) = load_definition(tmp_path, f"{MESSAGES}|-\n    - one\n    - two\n", settings, environment="a").problems
    assert (problems.file, problems.line, problems.lint) == ("over/desk.yaml", 2, "folded-markdown")


def test_the_id_stands_behind_the_message(tmp_path: Path) -> None:
    (problems,) = load_definition(tmp_path, BLANKS).problems
    assert str(problems) == (
        "assistants/desk.yaml:2:15: warning: firstMessage ends in white space; remove it [trailing-space]"
    )


@pytest.mark.parametrize(
    ("levels", "told_of"),
    [
        ("{}", "warning"),
        ("{trailing-space: warning}", "warning"),
        ("{trailing-space: error}", "error"),
        ("{trailing-space: none}", None),
        ("{trailing-newline: none}", "warning"),
        ("{trailing-space: {level: error}}", "error"),
        ('{trailing-space: {level: none, assistants: ["old/*"]}}', None),
        ('{trailing-space: {level: error, assistants: [new, "old/d*"]}}', "error"),
        ('{trailing-space: {level: none, assistants: ["older/*", new]}}', "warning"),
    ],
)
def test_a_level_counts_for_the_assistants_that_it_names(tmp_path: Path, levels: str, told_of: str | None) -> None:
    loaded = load_definition(tmp_path, BLANKS, f"lints: {levels}", key="old/desk")
    assert [problem.severity for problem in loaded.problems] == ([told_of] if told_of else [])
    # An error makes the definition invalid, so that no apply begins.
    assert [definition.key for definition in loaded.definitions] == ([] if told_of == "error" else ["old/desk"])


@pytest.mark.parametrize(
    ("project", "own", "told_of"),
    [
        ("{trailing-space: none}", "{trailing-space: error}", ["error"]),
        ("{trailing-space: error}", "{trailing-space: none}", []),
        ("{trailing-space: error}", "{trailing-space: {level: none, assistants: [other]}}", ["error"]),
        ("{trailing-space: error}", "{trailing-newline: none}", ["error"]),
    ],
)
def test_an_environments_level_comes_after_the_projects(
    tmp_path: Path, project: str, own: str, told_of: list[str]
) -> None:
    settings = f"lints: {project}\nenvironments: {{a: {{lints: {own}}}}}\n"
    assert [
        problem.severity for problem in load_definition(tmp_path, BLANKS, settings, environment="a").problems
    ] == told_of


@pytest.mark.parametrize("name", LINTS)
def test_every_lint_has_a_level(tmp_path: Path, name: str) -> None:
    load_definition(tmp_path, BLANKS, json.dumps({"lints": {name: "none"}}))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("lints: {trailing-spaces: none}", "1:9: unknown setting trailing-spaces; did you mean trailing-space?"),
        ("lints: {nothing-like-it: none}", "1:9: unknown setting nothing-like-it; allowed here: blank-text, "),
        ("lints: {trailing-space: off}", "1:25: trailing-space must be one of error, warning, none"),
        ("lints: {trailing-space: fatal}", "1:25: trailing-space must be one of error, warning, none"),
        ("lints: {trailing-space: 3}", "1:25: trailing-space must be one of error, warning, none, or a group"),
        ("lints: {trailing-space: {assistants: [a]}}", '1:25: this entry has no "level"; add it'),
        ("lints: {trailing-space: {level: fatal}}", "1:33: trailing-space must be one of error, warning, none"),
        ("lints: {trailing-space: {level: none, assistants: []}}", "1:51: assistants cannot be an empty list"),
        ("lints: {trailing-space: {level: none, assistant: [a]}}", "1:39: unknown setting assistant; did you mean"),
        ("lints: {trailing-space: }", "1:25: trailing-space cannot be empty"),
        ("lints: [trailing-space]", "1:8: lints must be a group of keys and values"),
        ("environments: {a: {lints: {trailing-space: fatal}}}", "1:44: trailing-space must be one of error"),
    ],
)
def test_levels_that_cannot_be_used(tmp_path: Path, settings: str, problem: str) -> None:
    with pytest.raises(InvalidSettings) as error_info:
        load_definition(tmp_path, BLANKS, settings)
    assert str(error_info.value).startswith(f"reconciler.yaml:{problem}")


def test_a_key_inside_a_sensitive_value_is_not_named(tmp_path: Path) -> None:
    text = "id: asst_1\nmetadata:\n  logins: {hush: 1, Hush: 2}\n"
    (shown,) = load_definition(tmp_path, text).problems
    (hidden,) = load_definition(tmp_path, text, "sensitive: [/metadata/logins]").problems
    assert "Hush" in shown.message
    assert "hush" not in hidden.message.lower()
    assert (hidden.line, hidden.column, hidden.lint) == (3, 21, "similar-names")


def test_a_sensitive_text_is_not_quoted(tmp_path: Path) -> None:
    text = "id: asst_1\nfirstMessage: Call ${secret}\n"
    (shown,) = load_definition(tmp_path, text).problems
    (hidden,) = load_definition(tmp_path, text, "sensitive: [/firstMessage]").problems
    assert "${secret}" in shown.message
    assert "secret" not in hidden.message


def test_a_lint_of_a_text_file_stands_in_its_line(tmp_path: Path) -> None:
    texts = {
        "prompt": "Be kind.\nBe short. \nBe quick.\n",
        "hello": "Hello!\n\n- one\n- two\n",
        "bye": "Bye.\nSee https://example.edu/x\n\n",
        "voicemail": "Hi\nthere \n",
    }
    for name, content in texts.items():
        (tmp_path / "assistants").mkdir(exist_ok=True)
        (tmp_path / f"assistants/{name}.txt").write_text(content, "utf-8")
    fields = {"firstMessage": "hello", "endCallMessage": "bye", "voicemailMessage": "voicemail"}
    text = "id: asst_1\nmetadata: {prompt: {$file: prompt.txt}}\n"
    text += "".join(f"{field}: {{$file: {name}.txt}}\n" for field, name in fields.items())
    problems = load_definition(tmp_path, text).problems
    assert [
        (problem.file.rpartition("/")[2], problem.line, problem.lint, problem.source_line) for problem in problems
    ] == [
        ("bye.txt", 2, "trailing-newline", "See https://example.edu/x"),
        ("bye.txt", 2, "spoken-link", "See https://example.edu/x"),
        ("hello.txt", 3, "spoken-markdown", "- one"),
        ("prompt.txt", 2, "line-end-blanks", "Be short. "),
        ("voicemail.txt", 2, "trailing-space", "there "),
    ]
    assert "metadata.prompt has spaces at the end of line 2;" in problems[3].message
    hidden = load_definition(tmp_path, text, "sensitive: [/firstMessage]").problems
    assert [one.source_line for one in hidden if one.lint == "spoken-markdown"] == [""]


def test_advice_fits_the_file_in_which_the_text_is(tmp_path: Path) -> None:
    text = "id: asst_1\nfirstMessage: |\n  \u201cHi\u201d\nendCallMessage: {$file: bye.md}\n"
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "bye.md").write_text("\u201cBye\u201d\n\n", "utf-8")
    quotes = "has curly quotes around it, which become part of the text"
    messages = {
        str(problem).rpartition(" [")[0].partition("warning: ")[2]
        for problem in load_definition(tmp_path, text).problems
    }
    assert messages == {
        f'firstMessage {quotes}; use "..."',
        'firstMessage ends in a line break; remove it, or write "|-" or ">-" instead of "|" or ">"',
        f"endCallMessage {quotes}; remove them",
        "endCallMessage ends in a line break; remove the empty line at the end",
    }


def test_a_file_that_is_not_read_goes_by_the_name_that_it_should_have(tmp_path: Path) -> None:
    (tmp_path / "assistants" / "old").mkdir(parents=True)
    (tmp_path / "assistants" / "old" / "x.yaml.txt").write_text("", "utf-8")
    level = "lints: {skipped-file: {level: error, assistants: [old/x]}}"
    assert list_problems(load_definition(tmp_path, "id: asst_1\n", level)) == ["1:1 error skipped-file"]


@pytest.mark.parametrize(
    "text",
    [
        "endCallMesage: sk-123\n",
        "crmKey: sk-123\n",
        "model:\n  crm: >-\n    sk-123\n  temperature: x\n",
        "crmKye: 0123  # sk-123\n",
        "{endCallMessage:sk-123: 1}\n",
        "endCallMessage=sk-123: x\n",
    ],
)
def test_a_sensitive_value_under_a_name_with_a_slip_is_not_shown(tmp_path: Path, text: str) -> None:
    whole = text if text.startswith("{") else f"id: asst_1\n{text}"
    problems = load_definition(tmp_path, whole, "sensitive: [/metadata/crmKey, /endCallMessage]").problems
    assert problems
    assert all("sk-123" not in f"{problem.message} {problem.source_line}" for problem in problems)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("metadata:\n  key: sk-123\n  n: &x 1\n", "  n: &x 1"),
        ("metadata:\n  key: |\n    one\n\n    sk-123\n  n: &x 1\n", "  n: &x 1"),
        ("metadata: {key: sk-123,\n  n: &x 1}\n", "  n: &x 1}"),
        ("metadata: {key: sk-123, n: &x 1}\n", ""),
        ("metadata: {key: [one,\n  sk-123], n: &x 1}\n", ""),
        ("metadata:\n  key:\n    - one\n    - &x sk-123\n  n: 1\n", ""),
        ("metadata:\n  key: one\n  key: sk-123\n", ""),
    ],
)
def test_a_line_is_shown_up_to_a_sensitive_value_and_behind_it(tmp_path: Path, text: str, shown: str) -> None:
    (problem,) = load_definition(tmp_path, f"id: asst_1\n{text}", "sensitive: [/metadata/key]").problems
    assert problem.source_line == shown
