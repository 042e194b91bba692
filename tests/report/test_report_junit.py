"""The JUnit report: a case per assistant, counts that agree, and what other readers of JUnit take."""

import datetime
import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from golden_documents import DOCUMENTS
from rendered import render_junit
from report_documents import BASE, assistant, change, document, failure, problem

from reconciler.core.outcome import Outcome
from reconciler.report.report import AssistantEntry, Report

# What Jenkins' `junit-10.xsd` allows: an element's attributes, those that it must have, and what may stand inside.
RULES: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"name", "tests", "failures", "errors"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"time", "classname", "group"},
        {"name"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    **{tag: ({"type", "message"}, set(), set()) for tag in ("skipped", "error", "failure")},
    **{tag: (set(), set(), set()) for tag in ("system-out", "system-err")},
}

DRIFTED = assistant("a", change("/name", "N", "M", kind="drift", base="N"))
CHANGED = assistant("a", change("/name", "N", "M", base="M"))
CONFLICTING = assistant("a", change("/name", "N", "M", kind="conflict", base="O"))
FORCED = assistant("a", change("/name", "N", "M", kind="conflict", base="O", unsent=None))
FAILED = failure("server", "the API answered 500", 500)


def read_suite(run: Report) -> ElementTree.Element:
    suites = ElementTree.fromstring(render_junit(run))
    assert suites.tag == "testsuites"
    (suite_found,) = suites
    assert {key: suite_found.attrib[key] for key in suites.attrib} == suites.attrib
    return suite_found


def read_verdicts(run: Report) -> list[str]:
    """The verdict on each case: `ok`, `failure`, `error` or `skipped`."""
    results = []
    for case in read_suite(run).findall("testcase"):
        tags = [child.tag for child in case if child.tag != "system-out"]
        assert len(tags) <= 1
        results.append(tags[0] if tags else "ok")
    return results


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_counts_are_those_of_the_cases(name: str) -> None:
    run = DOCUMENTS[name]()
    found, counts = read_suite(run), Counter(read_verdicts(run))
    of_the_run = int(counts["skipped"] > 0)
    assert len(found.findall("testcase")) == len(run.assistants) + of_the_run
    totals = {key: int(found.attrib[key]) for key in ("tests", "failures", "errors", "skipped")}
    assert totals == {
        "tests": counts.total(),
        "failures": counts["failure"],
        "errors": counts["error"],
        "skipped": counts["skipped"],
    }


def test_a_case_has_the_error_of_its_own_assistant_although_many_have_the_same() -> None:
    errors = {key: failure("server", f"GET /assistants/asst_{key}: the API answered 500", 500) for key in "ab"}
    run = document("plan", *(assistant(key, error=error) for key, error in errors.items()))
    texts = [case.findtext("error") for case in read_suite(run).findall("testcase")]
    assert texts == [error.message for error in errors.values()]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_report_is_valid_under_jenkins_own_schema(name: str) -> None:
    suites = ElementTree.fromstring(render_junit(DOCUMENTS[name]()))
    assert suites.tag == "testsuites"
    for element in suites.iter():
        allowed, required, inside = RULES[element.tag]
        assert required <= element.attrib.keys() <= allowed | required, element.tag
        assert {child.tag for child in element} <= inside, element.tag
        assert re.fullmatch(r"\d*(\.\d*)?", element.get("time", ""))


def test_a_case_is_named_by_its_file_and_its_assistant() -> None:
    entry = assistant("admissions/enrollment", name="Enrollment | Assistant")
    (case,) = read_suite(document("plan", entry)).findall("testcase")
    assert case.attrib == {
        "classname": "assistants/admissions/enrollment",
        "name": "Enrollment | Assistant",
        "time": "0",
    }


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        ("unchanged", "ok"),
        ("applied", "ok"),
        ("failed", "failure"),
        ("refused", "failure"),
        ("not_converged", "failure"),
        ("indeterminate", "error"),
    ],
)
def test_every_outcome_has_a_verdict(outcome: str, verdict: str) -> None:
    entry = replace(CHANGED, outcome=Outcome(outcome))
    assert read_verdicts(document("apply", entry, base=BASE)) == [verdict]


@pytest.mark.parametrize(
    ("entry", "command", "options", "verdict"),
    [
        (DRIFTED, "plan", {}, "ok"),
        (DRIFTED, "plan", {"detailed_exitcode": True}, "failure"),
        (DRIFTED, "drift", {}, "failure"),
        (CHANGED, "plan", {}, "ok"),
        (CHANGED, "plan", {"detailed_exitcode": True}, "failure"),
        (CHANGED, "drift", {}, "ok"),
        (CONFLICTING, "plan", {}, "failure"),
        (FORCED, "plan", {"force_conflicts": True}, "ok"),
        (CONFLICTING, "drift", {}, "failure"),
        (assistant("a"), "plan", {"detailed_exitcode": True}, "ok"),
        (assistant("a", error=FAILED), "plan", {}, "error"),
        (assistant("a", error=failure("not_found", "gone", 404)), "drift", {}, "error"),
        (assistant("a", status=None), "validate", {}, "ok"),
    ],
)
def test_a_difference_fails_where_that_was_asked_for(
    entry: AssistantEntry, command: str, options: dict[str, bool], verdict: str
) -> None:
    assert read_verdicts(document(command, entry, base=BASE, options=options)) == [verdict]


NOT_READ = assistant("b", status=None)
SKIPPED = replace(CHANGED, outcome=Outcome.SKIPPED)
TOO_MANY = "Nothing was sent: 2 of 2 assistants would be written, and at most 1 may be."


@pytest.mark.parametrize(
    ("command", "entries", "message"),
    [
        ("apply", [SKIPPED, replace(SKIPPED, file="assistants/b.yaml")], "2 assistants skipped, not started"),
        ("rollback", [SKIPPED], "1 assistant skipped, not started"),
        ("plan", [CHANGED, NOT_READ], "1 assistant not read"),
        ("report", [SKIPPED, NOT_READ], "1 assistant skipped, not started; 1 assistant not read"),
    ],
)
def test_a_run_that_left_assistants_out_has_a_case_of_its_own_that_fails(
    command: str, entries: list[AssistantEntry], message: str
) -> None:
    """Readers of JUnit take a skipped case for a good one."""
    run = document(command, *entries, base=BASE, warnings=[TOO_MANY])
    assert read_verdicts(run)[-2:] == ["skipped", "error"]
    case = read_suite(run).findall("testcase")[-1]
    assert case.attrib == {"classname": "reconciler", "name": command, "time": "0"}
    error = case.find("error")
    assert error is not None
    assert error.attrib == {"message": message, "type": "unfinished"}
    assert TOO_MANY in (error.text or "")


def test_an_error_in_a_valid_definition_fails_its_case() -> None:
    """One id in two environments of one URL: the file itself is fine."""
    shared = [problem("assistants/a.yaml", 1, 5, "staging and production have the same URL")]
    assert read_verdicts(document("validate", assistant("a", status=None), problems=shared)) == ["error"]


def test_a_failure_carries_what_the_text_report_says() -> None:
    found = read_suite(document("plan", assistant("a", error=FAILED))).find("testcase/error")
    assert found is not None
    assert found.attrib == {"message": "the API answered 500", "type": "server"}
    assert "error: the API answered 500" in (found.text or "")


def test_problems_stand_with_their_case_and_other_files_get_one() -> None:
    bad = assistant("bad", error=failure("invalid", "1 problem"))
    problems = [
        problem("assistants/bad.yaml", 3, 1, "unknown key"),
        problem("assistants/good.yaml", 2, 1, "odd", warning=True),
        problem("notes.yaml", 1, 1, "odd", warning=True),
        problem("reconciler.yaml", 9, 1, "ignore expired"),
    ]
    run = document("validate", bad, assistant("good", status=None), problems=problems)
    assert read_verdicts(run) == ["error", "ok", "ok", "error"]
    assert read_verdicts(replace(run, options={"strict": True})) == ["error", "failure", "error", "error"]
    warned = read_suite(replace(run, options={"strict": True})).find("testcase/failure")
    assert warned is not None
    assert warned.attrib["message"] == "odd"
    cases = read_suite(run).findall("testcase")
    assert "assistants/bad.yaml:3:1: unknown key" in "".join(cases[0].itertext())
    assert "assistants/good.yaml:2:1: warning: odd" in "".join(cases[1].itertext())
    assert cases[3].attrib["name"] == "reconciler.yaml"


def test_times_are_those_of_the_run_in_the_form_that_every_reader_takes() -> None:
    run = document("plan", base=BASE)
    found = read_suite(replace(run, duration_seconds=65.9))
    assert found.attrib["time"] == "65"
    assert datetime.datetime.fromisoformat(found.attrib["timestamp"]).tzinfo is None


@pytest.mark.parametrize("seconds", [None, -1.0, 0.4])
def test_a_duration_that_makes_no_sense_is_none(seconds: float | None) -> None:
    run = document("plan", base=BASE)
    assert read_suite(replace(run, duration_seconds=seconds)).attrib["time"] == "0"


def test_warnings_of_the_run_and_its_totals_are_its_output() -> None:
    out = read_suite(document("plan", warnings=["no\x00 base"], base=BASE)).findtext("system-out")
    assert out is not None
    assert out.splitlines()[0] == r"warning: no\x00 base"
    assert out.splitlines()[-1] == "Plan: no definitions selected, nothing to do."
