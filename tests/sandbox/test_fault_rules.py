"""The fault rules' language: what each rule means, and what is said of one that cannot be read."""

import email.utils
from typing import Any

import pytest
from hypothesis import given, strategies as st

from reconciler.errors import SandboxError
from reconciler.sandbox.fault_rules import LONGEST_RULE, After, Effect, Rule, parse_rule, path_matches


def list_hits(rule: Rule, chances: tuple[float, ...] = (0.0,) * 9) -> list[int]:
    return [count for count, chance in enumerate(chances, 1) if rule.hits(count, chance)]


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("every", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("2nd", [2]),
        ("every 3rd", [3, 6, 9]),
        ("first 2", [1, 2]),
        ("FROM 8th", [8, 9]),
    ],
)
def test_which_requests_are_hit(words: str, counts: list[int]) -> None:
    assert list_hits(parse_rule(f"{words} GET /assistants/*: 503")) == counts


def test_a_share_is_what_chance_makes_it() -> None:
    assert list_hits(parse_rule("12.5% * *: 503"), (0.1249, 0.125, 0.0, 0.99)) == [1, 3]
    assert list_hits(parse_rule("100% * *: 503"), (0.999999,)) == [1]


@pytest.mark.parametrize(
    ("ordinal", "number"), [("1st", 1), ("3rd", 3), ("11th", 11), ("12TH", 12), ("22nd", 22), ("113th", 113)]
)
def test_ordinals_are_english(ordinal: str, number: int) -> None:
    rule = parse_rule(f"{ordinal} * *: 503")
    assert (rule.when, rule.number) == ("nth", number)


@pytest.mark.parametrize(
    ("text", "method", "path"),
    [
        ("* *: 503", "*", "*"),
        ("get /assistants/asst_1: 503", "GET", "/assistants/asst_1"),
        ("PATCH /assistants/a:b : 503", "PATCH", "/assistants/a:b"),
        ("POST   /auth/login:   503", "POST", "/auth/login"),
        ("DELETE /*/*: 503", "DELETE", "/*/*"),
    ],
)
def test_method_and_path(text: str, method: str, path: str) -> None:
    assert parse_rule(text) == Rule(text=text, effect="status", status=503, method=method, path=path)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "/assistants/a", True),
        ("/assistants/*", "/assistants/asst_1", True),
        ("/assistants/*", "/assistants/asst_1/x", False),
        ("/assistants/*", "/assistants", False),
        ("/assistants/**", "/assistants/a", True),
        ("/assistants/asst_*", "/assistants/local_asst_1", False),
        ("/assistants/a.c", "/assistants/abc", False),
    ],
)
def test_a_star_stands_for_one_part_of_a_path(pattern: str, path: str, matches: bool) -> None:
    assert path_matches(pattern, path) is matches


@pytest.mark.parametrize(
    ("text", "does", "fields"),
    [
        ("503", "status", {"status": 503}),
        ("404 after=both", "status", {"status": 404, "after": "both"}),
        ("500 after=provider", "status", {"status": 500, "after": "provider"}),
        ("429 retry-after=2", "status", {"status": 429, "wait": 2}),
        (
            "503 retry-after=date+60 after=database",
            "status",
            {"status": 503, "after": "database", "wait": 60, "wait_as_date": True},
        ),
        ("reset", "reset", {}),
        ("RESET after=both", "reset", {"after": "both"}),
        ("hang", "hang", {}),
        ("hang=0.5 after=both", "hang", {"seconds": 0.5, "after": "both"}),
        ("half", "half", {}),
        ("html", "html", {"status": 200}),
        ("html=502 after=provider", "html", {"status": 502, "after": "provider"}),
        ("drip=0.1", "drip", {"seconds": 0.1}),
        ("lag=2s", "lag", {"seconds": 2}),
        ("LAG=0.5", "lag", {"seconds": 0.5}),
        ("408", "status", {"status": 408}),
        ("524 after=both", "status", {"status": 524, "after": "both"}),
    ],
)
def test_what_happens(text: str, does: Effect, fields: dict[str, Any]) -> None:
    assert parse_rule(f"* *: {text}") == Rule(text=f"* *: {text}", effect=does, **fields)


@pytest.mark.parametrize(
    ("text", "does", "fields"),
    [
        ("limit 4 in flight", "limit", {"number": 4}),
        ("Limit 5 per second retry-after=1", "limit", {"number": 5, "seconds": 1, "wait": 1}),
        ("limit 90 per minute", "limit", {"number": 90, "seconds": 60}),
        ("token lives 10 requests", "token", {"number": 10}),
        ("token lives 1 request", "token", {"number": 1}),
        ("normalise trim firstMessage", "trim", {"field": ("firstMessage",)}),
        ("normalize sort *", "sort", {"field": ()}),
        ("normalise round=1 model.temperature", "round", {"field": ("model", "temperature"), "digits": 1}),
        ("drop unknown keys", "drop", {}),
        (
            "edit name=Ada before PATCH *",
            "edit",
            {"field": ("name",), "value": "Ada", "moment": "before", "method": "PATCH", "path": "*"},
        ),
    ],
)
def test_the_other_rules(text: str, does: Effect, fields: dict[str, Any]) -> None:
    assert parse_rule(text) == Rule(text=text, effect=does, **fields)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("now or after lunch", "now or after lunch"),
        ("0.5", 0.5),
        ('"5"', "5"),
        ("null", None),
        ('["a", "b"]', ["a", "b"]),
        ("NaN", "NaN"),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_an_edit_sets_json_or_the_text_as_it_is(text: str, value: Any) -> None:
    rule = parse_rule(f"edit metadata.note={text} after 2nd GET /assistants/asst_1")
    assert (rule.effect, rule.field, rule.value, rule.moment) == ("edit", ("metadata", "note"), value, "after")
    assert (rule.when, rule.number, rule.method, rule.path) == ("nth", 2, "GET", "/assistants/asst_1")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2nd PACH /assistants/*: 503", "`2nd PATCH /assistants/*: 503`"),
        ("limti 3 in flight", "`limit 4 in flight`"),
        ("limit 3 per day", "`limit 5 per second retry-after=1`"),
        ("limit", "`limit 4 in flight`"),
        ("edit", "`edit name=Ada before PATCH /assistants/*`"),
        ("token lives 3 days", "`token lives 10 requests`"),
        ("normalise trimm name", "`normalise trim firstMessage`"),
        ("normalise round=x model.temperature", "`normalise round=1 model.temperature`"),
        ("drop unknown key", "`drop unknown keys`"),
        *(
            (f"edit {rest}", "`edit name=Ada before PATCH /assistants/*`")
            for rest in ("name=Ada", "id=x before PATCH *")
        ),
        ("edit name=x before PATCH *: 503", ""),
        *(
            (f"{when} GET *: 503", "")
            for when in ("2", "0th", "first no", "first \u00b2", "0%", "200%", "%", "from here")
        ),
        *((f"GET {rest}", "") for rest in ("", "/assistants/* 503", "/assistants/*:503", "*:")),
        *(
            (f"GET *: {what}", "")
            for what in ("200", "5033", "html=304", "rest", "drip", "hang=0", "hang=1e9", "half=2")
        ),
        *((f"GET *: {what}", "") for what in ("lag", "lag=2m", "lag=2s after=both", "500 after=all", "500 aftr=both")),
        *((f"GET *: 429 {what}", "") for what in ("retry-after=soon", "retry-after=99999s", "after=both after=both")),
        ("GET *: reset retry-after=2", ""),
    ],
)
def test_a_rule_that_cannot_be_read_is_shown_with_one_that_can(text: str, hint: str) -> None:
    with pytest.raises(SandboxError) as error_info:
        parse_rule(text)
    assert str(error_info.value) == f"The fault rule `{text}` cannot be read"
    assert hint in error_info.value.hint
    assert parse_rule(error_info.value.hint.split("`")[1])


@pytest.mark.parametrize(
    ("text", "problem", "suggestion"),
    [
        ("GET /assistant/*: 503", "the API does not have", "/assistants/*"),
        ("GET assistants/*: 503", "the API does not have", "/assistants/*"),
        ("GET /api/auth/me: 503", "the API does not have", "/auth/me"),
        ("GET /x?y: 503", "the API does not have", "/assistants/*"),
        ("edit name=x before POST /auth/login", "is not the path of an assistant", "/assistants/*"),
        ("edit name=x before PATCH /assistants", "is not the path of an assistant", "/assistants/*"),
    ],
)
def test_a_path_that_no_request_can_have_is_refused(text: str, problem: str, suggestion: str) -> None:
    with pytest.raises(SandboxError, match=f"names the path '.+', which {problem}$") as error_info:
        parse_rule(text)
    assert error_info.value.hint.startswith(f"write {suggestion}; ")


@pytest.mark.parametrize("text", ["", " \t"])
def test_an_empty_rule_is_told(text: str) -> None:
    with pytest.raises(SandboxError, match="is empty"):
        parse_rule(text)


def test_a_long_rule_is_told_in_short() -> None:
    with pytest.raises(SandboxError, match=f"longer than {LONGEST_RULE} characters") as error_info:
        parse_rule("GET *: " + "5" * LONGEST_RULE)
    assert len(str(error_info.value)) < 150


def test_nothing_that_a_terminal_obeys_is_shown() -> None:
    with pytest.raises(SandboxError) as error_info:
        parse_rule("GET\n\x1b[2J *: 503")
    assert str(error_info.value).isprintable()


# Texts that are nearly rules: these find more than noise does.
PIECES = (
    *("2nd", "every", "first", "from", "10%", "GET", "*", "/assistants/*", "*:", "/assistants/*:", ":", "503"),
    *(
        "reset",
        "hang=5",
        "half",
        "html",
        "drip=1",
        "lag=1s",
        "after=both",
        "retry-after=date+2",
        "limit",
        "5",
        "per",
        "second",
    ),
    *("in", "flight", "token", "lives", "requests", "normalise", "trim", "round=1", "model.x", "drop", "unknown"),
    *("keys", "edit", "a=b", "a.b=[1", "before", "after", "\x1b", "\ud800", "²", "é", "="),
)


@given(st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=9).map(" ".join))
def test_every_text_is_a_rule_or_a_complaint(text: str) -> None:
    complaint: SandboxError | None = None
    try:
        assert parse_rule(text).text == text
    except SandboxError as caught:
        complaint = caught
    assert complaint is None or (complaint.hint and str(complaint).encode())


_COUNTS = st.integers(1, 200)
_KINDS: tuple[tuple[Effect, bool], ...] = (("reset", False), ("hang", False), ("half", False), ("drip", True))


@given(
    st.sampled_from(("GET", "PATCH", "*")),
    st.sampled_from(("*", "/assistants/*")),
    st.sampled_from(_KINDS),
    st.sampled_from((None, "provider", "database", "both")),
    _COUNTS,
)
def test_what_is_written_is_what_is_meant(
    method: str, path: str, kind: tuple[Effect, bool], after: After | None, count: int
) -> None:
    name, timed = kind
    text = f"first {count} {method} {path}: {name}{f'={count}' if timed else ''}{f' after={after}' if after else ''}"
    seconds = count if timed else None
    assert parse_rule(text) == Rule(
        text=text, effect=name, when="first", number=count, method=method, path=path, seconds=seconds, after=after
    )


def test_an_http_date_is_never_too_early() -> None:
    header = parse_rule("* *: 429 retry-after=date+2").retry_after(1_700_000_000.4)["retry-after"]
    assert header == "Tue, 14 Nov 2023 22:13:23 GMT"
    assert email.utils.parsedate_to_datetime(header).timestamp() >= 1_700_000_002.4
    assert parse_rule("* *: 429 retry-after=2").retry_after(0) == {"retry-after": "2"}
    assert parse_rule("* *: 429").retry_after(0) == {}
