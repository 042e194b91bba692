"""Sensitive values leave a document whatever their place; nothing else does."""

import copy
import json

import pytest
from rendered import render_html, render_markdown, render_text
from report_documents import assistant, change, document, failure, problem

from reconciler.assistant.paths import parse_pointer
from reconciler.core.tree import MISSING
from reconciler.report.json_text import render_json
from reconciler.report.masking import mask_report
from reconciler.report.report import BaseEntry, ChangeEntry

SECRET = 's3cr3t-"quoted"-\u00e9'
HIDDEN = "(sensitive)"


def masked(entry: ChangeEntry, *patterns: str) -> ChangeEntry:
    run = document("plan", assistant("a", entry))
    return mask_report(run, [parse_pointer(pattern) for pattern in patterns]).assistants[0].changes[0]


@pytest.mark.parametrize(
    ("path", "value", "pattern", "remaining"),
    [
        ("/metadata/crmKey", SECRET, "/metadata/crmKey", HIDDEN),
        ("/metadata/crm/key", SECRET, "/metadata/crm", HIDDEN),
        ("/metadata/crm/key", SECRET, "/metadata/*/key", HIDDEN),
        ("/metadata/crm", {"key": SECRET, "user": "x"}, "/metadata/crm/key", {"key": HIDDEN, "user": "x"}),
        (
            "/metadata",
            {"a": {"key": 5}, "b": {"key": [1]}},
            "/metadata/*/key",
            {"a": {"key": HIDDEN}, "b": {"key": HIDDEN}},
        ),
        ("/metadata/keys", ["x", SECRET], "/metadata/keys/1", ["x", HIDDEN]),
        ("/metadata/keys", [{"k": SECRET}], "/metadata/keys/*/k", [{"k": HIDDEN}]),
        ("/metadata/crm", "a text", "/metadata/crm/key", "a text"),
        ("/metadata/other", SECRET, "/metadata/crmKey", SECRET),
        ("/metadata/crmKey", None, "/metadata/crmKey", None),
        ("/metadata/crmKey", False, "/metadata/crmKey", HIDDEN),
    ],
)
def test_a_value_is_masked_at_below_and_above_a_named_field(
    path: str, value: object, pattern: str, remaining: object
) -> None:
    entry = masked(change(path, value, value, base=value), pattern)
    assert (entry.desired, entry.live, entry.base) == (remaining, remaining, remaining)


def test_a_side_that_has_no_such_key_stays_without_it() -> None:
    entry = masked(change("/metadata/crmKey", SECRET), "/metadata/crmKey")
    assert (entry.live, entry.base) == (MISSING, MISSING)


def test_a_masked_value_still_reads_as_changed() -> None:
    run = document("plan", assistant("a", change("/metadata/crmKey", SECRET, "old-secret")))
    text = render_text(mask_report(run, [("metadata", "crmKey")]))
    assert "  ~ metadata.crmKey: (sensitive) -> (sensitive)\n" in text


def test_no_format_shows_a_sensitive_value_anywhere() -> None:
    quoted = json.dumps(SECRET)
    run = document(
        "plan",
        assistant(
            "a",
            change("/metadata/crmKey", SECRET, "old-secret", base="older-secret"),
            change("/metadata/list", [{"key": "secret-in-a-list"}], None),
            name="secret-name",
            patch={"name": "secret-name", "metadata": {"crmKey": SECRET, "live": "secret-live", "plain": "stays"}},
            warnings=[f"old-secret was replaced by {SECRET}", "secret-live vanished"],
            error=failure("invalid", f'the API said: {{"crmKey": {quoted}}}', 400),
        ),
        warnings=["older-secret"],
        problems=[problem("a.yaml", 1, 1, "secret-in-a-list is odd")],
    )
    before = copy.deepcopy(run)
    patterns = ["/metadata/crmKey", "/metadata/live", "/metadata/list/*/key", "/name"]
    hidden = mask_report(run, [parse_pointer(pattern) for pattern in patterns])
    assert run == before
    for text in (render_json(hidden), render_text(hidden), render_markdown(hidden)):
        assert "secret" not in text.replace("no_secret", "")
        assert "s3cr3t" not in text
    assert hidden.assistants[0].patch == {
        "name": HIDDEN,
        "metadata": {"crmKey": HIDDEN, "live": HIDDEN, "plain": "stays"},
    }
    assert hidden.assistants[0].warnings == ("(sensitive) was replaced by (sensitive)", "(sensitive) vanished")


@pytest.mark.parametrize(
    "quotation",
    [
        '(k: Top secret\u00e9 "x" second line, is wrong)',  # on one line, as an answer is quoted
        '({"k":"Top secret\\u00e9 \\"x\\"\\nsecond line,"})',
        "(&#34;? no: Top secret\u00e9 &quot;x&quot; second line,)",
        "(second line, is wrong)",
        'the API answered 400 ({"k":"Top sec...)',  # cut off
        'the API answered 400 (k: Top secret\u00e9 "x" seco...): not valid',
    ],
)
def test_what_an_api_quotes_of_a_sensitive_text_is_hidden_too(quotation: str) -> None:
    secret = 'Top secret\u00e9 "x"\nsecond line,\n\nok'
    entry = assistant("a", change("/metadata/k", secret), error=failure("invalid", quotation, 400))
    error = mask_report(document("plan", entry), [("metadata", "k")]).assistants[0].error
    assert error is not None
    assert HIDDEN in error.message
    assert "sec" not in error.message


@pytest.mark.parametrize(("value", "quotation"), [(91827364, "91827364"), (-0.3125, "-0.3125"), ([918273], "[918273]")])
def test_a_sensitive_number_that_an_api_quotes_is_hidden_too(value: object, quotation: str) -> None:
    entry = assistant("a", change("/metadata/k", value), error=failure("invalid", f"k: {quotation}, True, None", 400))
    error = mask_report(document("plan", entry), [("metadata", "k")]).assistants[0].error
    assert error is not None
    assert error.message == f"k: {quotation.replace(quotation.strip('[]'), HIDDEN)}, True, None"
    flags = assistant("a", change("/metadata/k", [True, None]), warnings=["True, None"])
    assert mask_report(document("plan", flags), [("metadata", "k")]).assistants[0].warnings == ("True, None",)


def test_a_short_value_is_not_searched_for_in_sentences() -> None:
    run = document("plan", assistant("a", change("/metadata/pin", "the", "a"), warnings=["the end"]))
    assert mask_report(run, [("metadata", "pin")]).assistants[0].warnings == ("the end",)
    blank = document(
        "plan", assistant("a", change("/metadata/pin", "x\n         \ny", "    "), warnings=["one    two"])
    )
    assert mask_report(blank, [("metadata", "pin")]).assistants[0].warnings == ("one    two",)


def test_a_secret_that_is_part_of_the_mask_is_replaced_once() -> None:
    run = document(
        "plan",
        assistant("a", change("/metadata/k", "sensitive", ["x", {"y": "long-one"}])),
        warnings=["sensitive long-one"],
    )
    assert mask_report(run, [("metadata", "k")]).warnings == ("(sensitive) (sensitive)",)


def test_masking_twice_is_masking_once_and_without_patterns_nothing() -> None:
    run = document("plan", assistant("a", change("/metadata/k", SECRET), warnings=["(sensitive)"]))
    once = mask_report(run, [("metadata", "k")])
    assert mask_report(once, [("metadata", "k")]) == once
    assert mask_report(run, []) == run


@pytest.mark.parametrize("kind", ["change", "drift", "conflict"])
@pytest.mark.parametrize(("path", "words"), [("/metadata/key", ""), ("/firstMessage", "another greeting; ")])
def test_two_sides_that_read_alike_are_said_to_differ(kind: str, path: str, words: str) -> None:
    entry = assistant("a", change(path, SECRET, "old-secret", kind=kind, base="older-secret"))
    run = mask_report(document("plan", entry, base=BaseEntry(ref="main", commit="abc")), [parse_pointer(path)])
    message = f"{words}the hidden values differ"
    assert f"(sensitive)` ({message})" in render_markdown(run)
    assert message in render_html(run)


@pytest.mark.parametrize(("desired", "live"), [(None, SECRET), (SECRET, None), ({"key": SECRET, "a": 1}, "x")])
def test_sides_that_read_otherwise_need_no_such_words(desired: object, live: object) -> None:
    run = mask_report(
        document("plan", assistant("a", change("/metadata/crm", desired, live))), [("metadata", "crm", "key")]
    )
    assert "not shown" not in render_markdown(run)
