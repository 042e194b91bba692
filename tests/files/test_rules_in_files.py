"""Rules in reconciler.yaml and the definitions that break them; the ten rules of docs/rules.md among them."""

import datetime
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from pages import list_blocks

from reconciler.assistant.problem import InvalidSettings
from reconciler.files.definitions import Loaded, load
from reconciler.files.settings import load_settings

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "rules.md"
TODAY = datetime.date(2027, 1, 15)


class Example(NamedTuple):
    title: str
    settings: str
    bad_text: str
    message: str
    good_text: str


def examples() -> list[Example]:
    parts = re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    examples_found = []
    for title, text in parts:
        if blocks := list_blocks(text, "yaml", "text"):
            examples_found.append(Example(title, *blocks))
    return examples_found


def load_with_rules(
    root: Path, settings: str, *, key: str = "admissions/desk", environment: str = "", **texts: str
) -> Loaded:
    (root / "reconciler.yaml").write_text(settings, "utf-8")
    for name, text in texts.items():
        file = root / "assistants" / f"{key if name == 'own' else name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    chosen = load_settings(root / "assistants", root=root, today=TODAY)
    return load(root / "assistants", [], root=root, settings=chosen.choose(environment) if environment else chosen)


def list_messages(loaded: Loaded) -> list[str]:
    return [re.sub(r"^\S+?\.yaml:", "", str(problem)) for problem in loaded.problems]


def test_the_page_has_ten_examples() -> None:
    assert len(examples()) == 10


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
def test_a_rule_to_copy(tmp_path: Path, example: Example) -> None:
    messages = list_messages(load_with_rules(tmp_path, example.settings, own=example.bad_text))
    assert " ".join(messages) == " ".join(example.message.split())
    assert list_messages(load_with_rules(tmp_path, example.settings, own=example.good_text)) == []


RULES = """rules:
  - {id: calm, path: /model/temperature, schema: {maximum: 0.8}, reason: agreed}
  - {id: goodbye, path: /endCallMessage, required: true, reason: the law, severity: warning}
"""


def test_an_error_makes_a_definition_invalid_and_a_warning_does_not(tmp_path: Path) -> None:
    loaded = load_with_rules(tmp_path, RULES, own="id: asst_1\nmodel: {temperature: 0.9}\n", b="id: asst_2\n")
    assert [(entry.key, entry.kind) for entry in loaded.invalid] == [("admissions/desk", "invalid")]
    assert [definition.key for definition in loaded.definitions] == ["b"]
    assert [(problem.severity, problem.line, problem.column) for problem in loaded.problems] == [
        ("warning", 1, 1),
        ("error", 2, 22),
        ("warning", 1, 1),
    ]


def test_a_rule_that_requires_what_no_definition_can_declare_is_what_to_correct(tmp_path: Path) -> None:
    settings = "rules: [{id: goodbye, path: /farewell, required: true, reason: for callers}]\n"
    (message,) = list_messages(load_with_rules(tmp_path, settings, own="id: asst_1\n"))
    assert message == (
        "1:1: for callers: farewell is required, but no definition can declare it: "
        "correct this rule (reconciler.yaml:1) [goodbye]"
    )


def test_a_value_that_the_api_would_not_take_is_told_once(tmp_path: Path) -> None:
    (found,) = list_messages(
        load_with_rules(
            tmp_path, RULES.splitlines()[0] + "\n" + RULES.splitlines()[1], own="id: a\nmodel: {temperature: 3}\n"
        )
    )
    assert "must be between 0 and 2" in found


def test_an_environment_adds_rules_and_its_overlay_counts(tmp_path: Path) -> None:
    own = "environments:\n  a: {overlay: over, rules: [{id: own, path: /name, schema: {const: A}, reason: ours}]}\n"
    overlay = tmp_path / "over" / "admissions" / "desk.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("id: asst_1\nendCallMessage: Bye\nmodel: {temperature: 0.9}\n", "utf-8")
    problems = load_with_rules(
        tmp_path, RULES + own, environment="a", own="name: B\nmodel: {temperature: 0.1}\n"
    ).problems
    assert [(problem.file, problem.line, problem.message.rpartition(" ")[2]) for problem in problems] == [
        ("assistants/admissions/desk.yaml", 1, "[own]"),
        ("over/admissions/desk.yaml", 3, "[calm]"),
    ]


@pytest.mark.parametrize(("environment", "messages"), [("a", []), ("", ["calm"])])
def test_a_shared_definition_lacks_nothing_and_breaks_no_rule_of_an_environment_that_does_not_use_it(
    tmp_path: Path, environment: str, messages: list[str]
) -> None:
    (tmp_path / "over").mkdir()
    loaded = load_with_rules(
        tmp_path,
        RULES + "environments:\n  a: {overlay: over}\n",
        environment=environment,
        own="model: {temperature: 0.9}\n",
    )
    assert [message.rpartition("[")[2].strip("]") for message in list_messages(loaded)] == messages


def test_a_sensitive_value_is_not_quoted(tmp_path: Path) -> None:
    schema = "{maxLength: 3, const: x}"
    rules = f"rules: [{{id: k, path: /metadata/key, schema: {schema}, reason: ours}}]\n"
    loaded = load_with_rules(
        tmp_path, f"sensitive: [/metadata/key]\n{rules}", own="id: asst_1\nmetadata: {key: hidden}\n"
    )
    assert list_messages(loaded) == ["2:17: ours: metadata.key is not what this rule allows [k]"]


def test_what_is_missing_is_told_in_full_beside_a_sensitive_value(tmp_path: Path) -> None:
    rules = """sensitive: [/metadata/key]
rules:
  - {id: a, path: /endCallMessage, required: true, reason: ours}
  - {id: b, path: /metadata/team, required: true, reason: ours}
  - {id: c, path: /metadata, schema: {required: [office]}, reason: ours}
"""
    loaded = load_with_rules(tmp_path, rules, own="id: asst_1\nmetadata: {key: hidden}\n")
    assert list_messages(loaded) == [
        "1:1: ours: endCallMessage is not declared, but is required [a]",
        "2:1: ours: metadata.team is not declared, but is required [b]",
        "2:11: ours: metadata lacks office [c]",
    ]


def test_a_default_that_breaks_a_rule_is_one_problem_at_its_line(tmp_path: Path) -> None:
    defaults, desk = "model:\n  temperature: 0.9\nendCallMessage: Bye\n", "id: asst_{}\n"
    mended = "id: asst_3\nmodel: {temperature: 0.5}\n"
    loaded = load_with_rules(tmp_path, RULES, _defaults=defaults, a=desk.format(1), b=desk.format(2), c=mended)
    (problems,) = loaded.problems
    assert (problems.file, problems.line, problems.column) == ("assistants/_defaults.yaml", 2, 16)
    assert ([definition.key for definition in loaded.definitions], [entry.key for entry in loaded.invalid]) == (
        ["c"],
        ["a", "b"],
    )


TWICE = "{id: a, path: /a, reason: x, required: true}"


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("[{path: /name, reason: x, required: true}]", '1:9: this entry has no "id"; add it'),
        ("[{id: a, reason: x, required: true}]", '1:9: this entry has no "path"; add it'),
        ("[{id: a, path: /name, required: true}]", '1:9: this entry has no "reason"; add it'),
        ("[{id: a, path: /name, reason: x}]", "1:9: this rule requires nothing; add a schema, or `required: true`"),
        ("[{id: a, path: /name, reason: x, required: false}]", "1:9: this rule requires nothing"),
        ("[{id: a, path: /nmae, reason: x, required: 1}]", "1:51: required must be true or false"),
        ("[{id: a, path: /Name, reason: x, required: true}]", "1:23: unknown field Name; did you mean name?"),
        ("[{id: a, path: /name, reason: x, schema: 3}]", "1:49: schema must be a JSON Schema: a group of keywords"),
        (
            "[{id: a, path: /name, reason: x, schema: {maxmum: 3}}]",
            "1:50: maxmum is not a keyword of JSON Schema",
        ),
        ("[{id: a, path: /name, reason: x, schema: {maximum: x}}]", '1:59: maximum is "x", and must be a number'),
        ("[{id: a, path: /name, reason: x, schema: {type: text}}]", "1:56: type must be one of string, number"),
        ("[{id: a, path: /name, reason: x, schema: {pattern: '('}}]", "1:59: ( is not a regular expression"),
        (
            "[{id: a, path: /name, reason: x, schema: {pattern: 'a{99999999999}'}}]",
            "1:59: a{99999999999} is not a regular expression",
        ),
        (
            "[{id: a, path: /name, reason: x, schema: {pattern: '[[:alpha:]]'}}]",
            "1:59: [[:alpha:]] is not a regular expression",
        ),
        ("[{id: a, path: /name, reason: x, schema: {format: uri-}}]", "1:58: the format uri- is not supported"),
        (
            "[{id: a, path: /name, reason: x, schema: {$ref: 'https://a.example/b'}}]",
            "1:56: https://a.example/b does not lead to a schema: a reference is a path inside this",
        ),
        ("[{id: a, path: /name, reason: x, schema: {$ref: '#/$defs/b'}}]", "1:56: #/$defs/b does not lead to a"),
        (
            "[{id: a, path: /name, reason: x, schema: {$ref: '#/$defs/5%25', $defs: {5%25: {}}}}]",
            "1:56: #/$defs/5%25 does not lead to a",
        ),
        ("[{id: a, path: /name, reason: x, schema: {$ref: '#'}}]", "1:56: # refers to itself"),
        ("[{id: a, path: /name, reason: x, schema: {not: {$ref: '#'}}}]", "1:62: # refers to itself"),
        (
            "[{id: a, path: /name, reason: x, schema: {if: {$ref: '#b'}, $defs: {b: {$anchor: b, not: {$ref: '#'}}}}}]",
            "1:61: #b refers to itself",
        ),
        (
            "[{id: a, path: /model, reason: x, schema: {dependentSchemas: {b: {$ref: '#'}}}}]",
            "1:80: # refers to itself",
        ),
        (
            "[{id: a, path: /name, reason: x, schema: {items: {$dynamicAnchor: b}}}]",
            "1:58: $dynamicAnchor is not supported: a reference is a path inside this schema, like #/$defs/NAME",
        ),
        ("[{id: a, path: /name, reason: x, schema: {$ref: '#b', $defs: {b: {$anchor: c}}}}]", "1:56: #b does not lead"),
        (
            "[{id: a, path: /name, reason: x, schema: {$anchor: b, items: {$anchor: b}}}]",
            "1:59: another schema of this rule also has the $anchor b; rename one of them",
        ),
        (
            "[{id: a, path: /name, reason: x, schema: {properties: {b: {items: {minimun: 1}}}}}]",
            "1:75: minimun is not a keyword of JSON Schema 2020-12; did you mean minimum?",
        ),
        ("[{id: a, path: /name, reason: x, schema: {readOnly: true}}]", "1:50: readOnly checks nothing; remove it"),
        ("[{id: a, path: /name, reason: x, required: true, severity: bad}]", "1:67: severity must be one of error,"),
        ("[{id: a, path: /name, reason: x, required: true, from: soon}]", "1:63: from must be a date"),
        ("[{id: a, path: /name, reason: x, required: true, except: [{reason: x}]}]", '1:66: this entry has no "ass'),
        (
            "[{id: a, path: /name, reason: x, required: true}, {id: a, path: /name, reason: x, required: true}]",
            "1:63: another rule also has the id a; rename one of them",
        ),
        (
            f"[{TWICE}]\nenvironments: {{e: {{rules: [{TWICE}]}}}}",
            "2:33: another rule also has the id a",
        ),
    ],
)
def test_rules_that_cannot_be_used(tmp_path: Path, rules: str, problem: str) -> None:
    with pytest.raises(InvalidSettings) as error_info:
        load_with_rules(tmp_path, f"rules: {rules}\n", own="id: asst_1\n")
    assert str(error_info.value).startswith(f"reconciler.yaml:{problem}")


def test_dates_need_no_quotes(tmp_path: Path) -> None:
    text = "rules: [{id: a, path: /name, reason: x, required: true, from: 2027-02-01,"
    text += " except: [{assistants: [b], reason: y, expires: 2027-01-31}]}]\n"
    load_with_rules(tmp_path, text, own="id: asst_1\n")


def test_without_rules_their_library_is_not_loaded() -> None:
    code = "import sys, reconciler.files.definitions as d; from reconciler.core.settings import Settings as S; "
    code += "import pathlib, tempfile; f = pathlib.Path(tempfile.mkdtemp()); (f / 'a.yaml').write_text('id: a'); "
    code += "d.load(f, [], root=f, settings=S()); assert 'jsonschema' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("schema", "line"),
    [
        ("{not: {pattern: '[0-9]{4}'}}", 3),
        ("{not: {anyOf: [{pattern: nowhere}, {pattern: '[0-9]{4}'}, {pattern: '5678'}]}}", 3),
        ("{maxLength: 8}", 2),
        ("{pattern: ^Welcome}", 1),
        ("{const: Hello}", 1),
    ],
)
def test_a_rule_stands_at_its_line_of_a_text_file(tmp_path: Path, schema: str, line: int) -> None:
    settings = f"rules:\n  - {{id: r, path: firstMessage, schema: {schema}, reason: why}}\n"
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "hello.md").write_text("Hello\nand welcome.\nCall 1234\nor 5678.\n", "utf-8")
    (problem,) = load_with_rules(
        tmp_path, settings, key="desk", own="id: a\nfirstMessage: {$file: hello.md}\n"
    ).problems
    assert (problem.file, problem.line, problem.column) == ("assistants/hello.md", line, 1)
    assert problem.source_line == ["Hello", "and welcome.", "Call 1234"][line - 1]


def test_a_pattern_that_would_take_years_is_told_with_its_place(tmp_path: Path) -> None:
    slow = "rules:\n  - {id: r, path: /name, schema: {pattern: '^(a+)+$'}, reason: why}\n"
    messages = list_messages(
        load_with_rules(tmp_path, slow, own=f"id: asst_1\nname: {'a' * 60}!\n", b="id: asst_2\nname: aa\n")
    )
    # One such text says enough of the rule: the others are not tried, and not called good.
    fault = "2:7: why: name cannot be checked: this rule (reconciler.yaml:2) takes too long"
    assert [one.partition(";")[0] for one in messages] == [fault, fault]


def test_no_time_limit_is_left_behind(tmp_path: Path) -> None:
    load_with_rules(tmp_path, RULES, own="id: a\nmodel: {temperature: 0.9}\n")
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_DFL


def test_rules_are_checked_in_a_thread_as_well(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        loaded = pool.submit(load_with_rules, tmp_path, RULES, own="id: a\nmodel: {temperature: 0.9}\n").result()
    assert [problem.severity for problem in loaded.problems] == ["warning", "error"]
