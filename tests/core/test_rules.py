"""Which rules a definition breaks, on which day, and in which words."""

import datetime
from typing import Any

import pytest

from reconciler.assistant.paths import to_pointer
from reconciler.core.rules import RuleSet, severity_on
from reconciler.core.settings import Dated, Rule, Settings
from reconciler.core.tree import MISSING

TODAY = datetime.date(2027, 2, 1)


def rule(path: str = "a", **changes: Any) -> Rule:
    return Rule(**{"id": "one", "path": tuple(path.split(".")), "reason": "so it is", **changes})


def find_messages(*rules: Rule, key: str = "desk", today: datetime.date = TODAY, **declared: Any) -> list[str]:
    """What is said of a definition: its path, then the message without reason and id."""
    settings = Settings(rules=rules, today=today, extra_fields=(("a",),))
    violations = RuleSet(settings).find_violations(key, declared)
    return [
        f"{to_pointer(violation.path)} {violation.message.removeprefix('so it is: ').removesuffix(' [one]')}"
        for violation in violations
    ]


@pytest.mark.parametrize(
    ("schema", "good", "bad", "words"),
    [
        ({"enum": ["x", 1]}, "x", "y", 'a is "y", and must be one of x, 1'),
        ({"const": "x"}, "x", None, "a is null, and must be x"),
        ({"type": "string"}, "", 3, "a is 3, and must be text"),
        ({"type": ["integer", "null"]}, None, 0.5, "a is 0.5, and must be a whole number or null"),
        ({"maximum": 0.8}, 0.8, 0.81, "a is 0.81, and must be at most 0.8"),
        ({"minimum": 1}, 1, 0, "a is 0, and must be at least 1"),
        ({"exclusiveMaximum": 1}, 0.9, 1, "a is 1, and must be below 1"),
        ({"exclusiveMinimum": 1}, 1.1, 1, "a is 1, and must be above 1"),
        ({"multipleOf": 60}, 120, 90, "a is 90, and must be a multiple of 60"),
        ({"multipleOf": 0.1}, 0.3, 0.35, "a is 0.35, and must be a multiple of 0.1"),
        ({"maxLength": 3}, "abc", "abcd", "a has 4 characters, and may have at most 3"),
        ({"minLength": 2}, "ab", "a", "a has 1 character, and must have at least 2"),
        ({"pattern": "^A"}, "Ab", "b", 'a is "b", and must match the pattern ^A'),
        ({"format": "email"}, "a@b.example", "a", 'a is "a", and must be of the format email'),
        ({"maxItems": 1}, [1], [1, 2], "a has 2 items, and may have at most 1"),
        ({"minItems": 1}, [1], [], "a has 0 items, and must have at least 1"),
        ({"uniqueItems": True}, [1, 2], [1, 1], "a is a list, and must not have an item twice"),
        ({"contains": {"const": 1}}, [2, 1], [2], "a is a list, and must have an item that must be 1"),
        ({"maxProperties": 0}, {}, {"x": 1}, "a has 1 key, and may have at most 0"),
        ({"required": ["x", "y"]}, {"x": 1, "y": 2}, {"x": 1}, "a lacks y"),
        ({"not": {"const": "x"}}, "y", "x", 'a is "x", and must not be x'),
        ({"not": {"enum": [1, 2]}}, 3, 2, "a is 2, and must not be one of 1, 2"),
        ({"not": {"pattern": "s.cret"}}, "x", "a secret", "a must not match the pattern s.cret"),
        ({"not": {"type": "null"}}, 1, None, "a is null, and must not be null"),
        ({"anyOf": [{"const": 1}, {"type": "string"}]}, "x", 2, "a is 2, and must be 1, or must be text"),
        ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, 2, 4, "a is 4, and must be at most 3"),
        ({"if": {"minimum": 5}, "then": {"multipleOf": 5}}, 4, 6, "a is 6, and must be a multiple of 5"),
        ({"$ref": "#/$defs/low", "$defs": {"low": {"maximum": 1}}}, 1, 2, "a is 2, and must be at most 1"),
        ({"$ref": "#low", "$defs": {"x": {"$anchor": "low", "maximum": 1}}}, 1, 2, "a is 2, and must be at most 1"),
        ({"maximum": 1, "items": {"$ref": "#"}}, [1, [0]], [1, [2]], "a[1][0] is 2, and must be at most 1"),
        ({"maxLength": 1.0}, 5, "ab", "a has 2 characters, and may have at most 1"),
        ({"not": {"const": "Tom and Jo"}}, "x", "Tom and Jo", 'a is "Tom and Jo", and must not be Tom and Jo'),
        ({"not": {"not": {"type": "string"}}}, "x", 1, "a is 1, and must be text"),
        (
            {"not": {"anyOf": [{"const": 1}, {"type": "string"}]}},
            2,
            1,
            "a is 1, and must not be 1 and must not be text",
        ),
        (
            {"not": {"allOf": [{"minimum": 1}, {"maximum": 3}]}},
            4,
            2,
            "a is 2, and must not be at least 1 or must not be at most 3",
        ),
        (
            {"anyOf": [{"properties": {"b": {"const": 1}}}, {"required": ["c"]}]},
            {"b": 1},
            {"b": 2},
            "a is a group of keys and values, and the b in it must be 1, or must have c",
        ),
        (
            {"not": {"properties": {"b": {"const": 1}, "c": {"const": 2}}}},
            {"b": 2},
            {"b": 1},
            "a is a group of keys and values, and the b in it must not be 1 or the c in it must not be 2",
        ),
        ({"const": "1"}, "1", 1, 'a is 1, and must be "1"'),
        (
            {"enum": ["a, b", "true", " x", "", None]},
            "",
            "c",
            'a is "c", and must be one of "a, b", "true", " x", "", null',
        ),
        ({"enum": []}, MISSING, 1, "a is 1, and must be one of nothing"),
        ({"const": {"b": [1]}}, {"b": [1]}, {"b": 2}, 'a is a group of keys and values, and must be {"b": [1]}'),
        ({"enum": [[1, 2], "x"]}, [1, 2], [1], "a is a list, and must be one of [1, 2], x"),
        ({"const": "Desk"}, "Desk", "Desk ", 'a is "Desk ", and must be "Desk"'),
        ({"const": "a b"}, "a b", "a\u00a0b", 'a is "a\\u00a0b", and must be "a b"'),
        ({"enum": ["Caf\u00e9"]}, "Caf\u00e9", "Cafe\u0301", 'a is "Cafe\\u0301", and must be one of "Caf\\u00e9"'),
        ({"pattern": "^a  b$"}, "a  b", "a b  ", 'a is "a b  ", and must match the pattern ^a  b$'),
        (
            {"propertyNames": {"maxLength": 2}},
            {"b": 1},
            {"bcd": 1},
            "a.bcd has a name that may have at most 2 characters",
        ),
        ({"not": {"minItems": 2}}, [1], [1, 2], "a is a list, and must not have at least 2 items"),
        ({"dependentRequired": {"b": ["c", "d"]}}, {"c": 1}, {"b": 1, "d": 1}, "a lacks c, which b needs beside it"),
        ({"prefixItems": [True], "items": False}, [1], [1, 2], "a has 2 items, and may have at most 1"),
        (
            {"contains": {"const": 1}, "minContains": 2.0},
            [1, 1],
            [1, 2],
            "a is a list, and must have at least 2 items that must be 1",
        ),
        (
            {"contains": {"const": 1}, "maxContains": 1},
            [1, 2],
            [1, 1],
            "a is a list, and may have at most 1 item that must be 1",
        ),
        (
            {"properties": {"b": True}, "unevaluatedProperties": False},
            {"b": 1},
            {"c": 1},
            "a is a group of keys and values, and may have no keys that this rule does not name",
        ),
        (
            {"prefixItems": [True], "unevaluatedItems": False},
            [1],
            [1, 2],
            "a is a list, and may have no items that this rule does not name",
        ),
    ],
)
def test_a_value_is_told_with_what_it_may_be(schema: Any, good: Any, bad: Any, words: str) -> None:
    assert good is MISSING or find_messages(rule(schema=schema), a=good) == []
    assert [message.partition(" ")[2] for message in find_messages(rule(schema=schema), a=bad)] == [words]
    assert find_messages(rule(schema=schema)) == [], "what is not declared breaks no schema"


def test_a_schema_that_takes_nothing() -> None:
    assert find_messages(rule(schema=False), a=None) == ["/a a is null, and must not be declared"]
    assert find_messages(rule(schema=True), a=None) == find_messages(rule(schema=False)) == []


SHAPE = {
    "type": "object",
    "required": ["role"],
    "additionalProperties": False,
    "properties": {"role": {"enum": ["system"]}, "content": {"type": "string"}},
    "patternProperties": {"^x-": True},
}


def test_each_thing_is_told_at_its_own_place() -> None:
    messages = [{"role": "system", "x-own": 1}, {"contnet": "hi"}, "hi", {"role": "boss", "content": 1}]
    assert find_messages(rule("model.messages.*", schema=SHAPE), model={"messages": messages}) == [
        "/model/messages/1 model.messages[1] lacks role",
        "/model/messages/1/contnet model.messages[1].contnet is not allowed here; did you mean content?",
        '/model/messages/2 model.messages[2] is "hi", and must be a group of keys and values',
        '/model/messages/3/role model.messages[3].role is "boss", and must be one of system',
        "/model/messages/3/content model.messages[3].content is 1, and must be text",
    ]
    names = rule("metadata", schema={"propertyNames": {"pattern": "^[a-z]+$"}})
    assert find_messages(names, metadata={"ok": 1, "Not": 2}) == [
        "/metadata/Not metadata.Not has a name that must match the pattern ^[a-z]+$"
    ]


@pytest.mark.parametrize(
    ("path", "declared", "missing"),
    [
        ("a", {"a": 0}, []),
        ("a", {"a": None}, ["/a a is null, but a value is required"]),
        ("a", {}, [" a is not declared, but is required"]),
        ("a.b", {}, [" a.b is not declared, but is required"]),
        ("a.b", {"a": {"c": 1}}, ["/a a.b is not declared, but is required"]),
        ("a.b", {"a": None}, ["/a a.b is not declared, but is required"]),
        ("a.*.b", {}, []),
        ("a.*.b", {"a": []}, []),
        ("a.*.b", {"a": [{"b": 1}, {}]}, ["/a/1 a[1].b is not declared, but is required"]),
        ("a.*.b", {"a": {"x": {"b": None}}}, ["/a/x/b a.x.b is null, but a value is required"]),
        ("a.*", {"a": {"x": None, "y": 1}}, ["/a/x a.x is null, but a value is required"]),
        ("a.0", {"a": ["x"]}, []),
        ("a.1", {"a": ["x"]}, ["/a a[1] is not declared, but is required"]),
    ],
)
def test_what_is_required(path: str, declared: dict[str, Any], missing: list[str]) -> None:
    assert find_messages(rule(path, required=True), **declared) == missing
    assert find_messages(rule(path), **declared) == []


def test_a_null_under_a_required_path_is_told_once() -> None:
    assert find_messages(rule(required=True, schema={"enum": ["x"]}), a=None) == [
        "/a a is null, but a value is required"
    ]
    assert find_messages(rule(schema={"enum": ["x"]}), a=None) == ["/a a is null, and must be one of x"]


@pytest.mark.parametrize(
    ("days", "severity", "judged"),
    [
        (None, "error", "error"),
        (None, "warning", "warning"),
        (0, "error", "error"),
        (-1, "error", "error"),
        (1, "error", "warning"),
        (30, "error", "warning"),
        (31, "error", None),
        (0, "warning", "warning"),
        (30, "warning", "warning"),
        (31, "warning", None),
    ],
)
def test_a_rule_is_a_warning_from_30_days_ahead(days: int | None, severity: Any, judged: str | None) -> None:
    starts = TODAY + datetime.timedelta(days=days) if days is not None else None
    tested_rule = rule(schema={"maximum": 1}, starts=starts, severity=severity)
    violations = [*RuleSet(Settings(rules=(tested_rule,), today=TODAY)).find_violations("desk", {"a": 2})]
    assert severity_on(tested_rule, TODAY) == judged
    assert [problem.severity for problem in violations] == ([judged] if judged else [])
    for problem in violations:
        assert (f"(an error from {starts} on)" in problem.message) == (judged != severity)


def test_a_rule_concerns_some_assistants_and_has_exceptions() -> None:
    pilot = Dated(assistants=("admissions/pilot",), reason="a trial", expires=TODAY)
    tested_rule = rule(schema={"maximum": 1}, assistants=("admissions/*",), exceptions=(pilot,))
    broken = {
        key: bool(find_messages(tested_rule, key=key, a=2)) for key in ("admissions/desk", "admissions/pilot", "desk")
    }
    assert broken == {"admissions/desk": True, "admissions/pilot": False, "desk": False}
    later = TODAY + datetime.timedelta(days=1)
    assert find_messages(tested_rule, key="admissions/pilot", a=2, today=later) == [], "past its date it still counts"


def test_a_message_without_the_value_says_what_it_is_about() -> None:
    (found,) = RuleSet(Settings(rules=(rule(schema={"const": "x"}),), today=TODAY)).find_violations(
        "d", {"a": "secret"}
    )
    assert "secret" in found.message
    assert found.discreet == "so it is: a is not what this rule allows [one]"


def test_a_schema_that_never_ends_is_told() -> None:
    loop = {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}
    (message,) = find_messages(rule(schema=loop), a=1)
    assert "refers to itself endlessly" in message
