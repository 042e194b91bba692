"""JSON reports: written the same every time, read with suspicion."""

import json
from typing import Any

import pytest
from report_documents import assistant, change, document, failure

from reconciler.core.json_values import to_json
from reconciler.errors import ReportError
from reconciler.report.json_text import LARGEST_REPORT, parse_report, render_json

RUN = document("plan", assistant("a", change("/name", "B", "A"), error=failure("server", "x", 500)))


def report_with(**fields: Any) -> str:
    return json.dumps({**to_json(RUN), **fields})


def report_with_entry(**fields: Any) -> str:
    return report_with(assistants=[{**to_json(RUN.assistants[0]), **fields}])


def test_what_is_written_is_read_back() -> None:
    text = render_json(RUN)
    assert parse_report(text, name="r.json") == RUN
    assert text.endswith("}\n")
    assert render_json(parse_report(text, name="r.json")) == text


def test_text_that_utf8_or_a_terminal_cannot_take_is_escaped_and_comes_back() -> None:
    odd = "\ud800 \x9b31m \u202e \u2028 é \U0001f600"
    text = render_json(document("plan", assistant("a", change("/name", odd))))
    assert parse_report(text, name="r.json").assistants[0].changes[0].desired == odd
    text.encode()
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert "é \U0001f600" in text


def test_a_byte_order_mark_and_unknown_keys_do_no_harm() -> None:
    assert parse_report("\ufeff" + report_with(of_tomorrow=1), name="r.json").command == "plan"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON: Expecting value (line 1, column 1)"),
        ("{", "is not JSON"),
        ('{"a": NaN}', "an invalid number"),
        ('{"a": 1e999}', "an invalid number"),
        ('{"a": ' + "1" * 5000 + "}", "an invalid number"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 300 + "]" * 300, "nested too deeply"),
        ("[]", "the report should be an object, not a list"),
        ("{}", "the report has no 'format_version'"),
        (report_with(format_version=2), "has report format 2, but this version reads only up to 1"),
        (report_with(format_version=0), "/format_version should be 1"),
        (report_with(format_version="1"), "/format_version should be 1"),
        (report_with(assistants={}), "/assistants should be a list, not an object"),
        (report_with(summary={"total": "x"}), "/summary/total should be a whole number, not a text"),
        (report_with(summary=[]), "/summary should be an object, not a list"),
        (report_with(offline=0), "/offline should be true or false, not a whole number"),
        (report_with(api_url=1.5), "/api_url should be a text, not a number"),
        (report_with(warnings=[None]), "/warnings/0 should be a text, not null"),
        (report_with_entry(status="odd"), "/assistants/0/status should be one of error, missing"),
        (report_with_entry(status=[]), "/assistants/0/status should be one of"),
        (report_with_entry(changes=[{"path": "/a"}]), "/assistants/0/changes/0 has no 'kind'"),
        (
            report_with_entry(released=["a"]),
            "/assistants/0/released/0 names a field wrongly: a JSON Pointer begins with '/'",
        ),
    ],
)
def test_a_file_that_is_no_report_is_refused_with_its_name_and_a_reason(text: str, message: str) -> None:
    with pytest.raises(ReportError) as error_info:
        parse_report(text, name="plan.json")
    assert str(error_info.value).startswith("plan.json: ")
    assert message in str(error_info.value)
    assert error_info.value.hint


def test_a_refusal_quotes_no_value_and_escapes_the_name() -> None:
    with pytest.raises(ReportError) as error_info:
        parse_report(report_with_entry(status="s3cr3t"), name="a\x1b.json")
    assert "s3cr3t" not in str(error_info.value)
    assert str(error_info.value).startswith(r"a\x1b.json: ")


@pytest.mark.parametrize(
    "text", ["x" * (LARGEST_REPORT + 1), "\u20ac" * (LARGEST_REPORT // 3 + 1)], ids=["ascii", "wide"]
)
def test_a_file_too_large_is_refused_before_it_is_parsed(text: str) -> None:
    with pytest.raises(ReportError, match="larger than 24 MiB"):
        parse_report(text, name="big.json")


def test_numbers_keep_their_kind() -> None:
    run = document("plan", assistant("a", change("/x", [1, 1.0, 1e300, True, None])))
    back = parse_report(render_json(run), name="r.json").assistants[0].changes[0].desired
    assert list(map(type, back)) == [int, float, float, bool, type(None)]


def test_a_large_report_with_emoji_can_be_read_back() -> None:
    large = document("plan", assistant("a", change("/firstMessage", "\U0001f600" + "x" * 17_000_000, "Hi")))
    text = render_json(large)
    assert "\U0001f600" not in text
    assert parse_report(text, name="r.json") == large
