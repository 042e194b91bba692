"""The report as OpenMetrics: read by the parser that Prometheus' own client library has."""

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from golden_documents import DOCUMENTS
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from report_documents import assistant, document
from stories import REF, story

from reconciler.core.outcome import Outcome, Status
from reconciler.core.run import AppliedRecord, Run
from reconciler.report.build import build_report
from reconciler.report.formats.openmetrics import render_openmetrics
from reconciler.report.json_text import parse_report
from reconciler.report.merge import merge_reports
from reconciler.report.report import ExpiryEntry, RecordEntry, Report
from reconciler.report.view import make_view

FAMILIES = {
    "reconciler_assistants",
    "reconciler_outcomes",
    "reconciler_record_age_seconds",
    "reconciler_next_expiry_seconds",
    "reconciler_api_requests",
    "reconciler_duration_seconds",
}
DAY = 86_400
PAGE = Path(__file__).parents[2] / "docs" / "reports.md"


def record(age: int) -> RecordEntry:
    date = "2026-01-01T00:00:00+00:00"
    return RecordEntry(ref="refs/reconciler/applied", commit="a" * 40, applied="b" * 40, date=date, age_seconds=age)


def metrics(report: Report) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every family by its name, its samples by their labels. The parser refuses what is no OpenMetrics."""
    families = list(text_string_to_metric_families(render_openmetrics(make_view(report))))
    assert {family.type for family in families} == {"gauge"}
    assert all(family.documentation for family in families)
    return {
        family.name: {tuple(sorted(sample.labels.items())): sample.value for sample in family.samples}
        for family in families
    }


def read_value(report: Report, family: str, **labels: str) -> Any:
    return metrics(report)[family].get(tuple(sorted(labels.items())))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_report_is_open_metrics_and_has_all_families(name: str) -> None:
    assert metrics(DOCUMENTS[name]()).keys() == FAMILIES


def test_every_status_outcome_and_method_is_counted_those_of_none_too() -> None:
    found = metrics(document("apply", assistant("a", outcome="applied"), assistant("b", outcome="unchanged")))
    assert found["reconciler_assistants"] == {
        (("status", status.value),): 2 if status is Status.IN_SYNC else 0 for status in Status
    }
    counted = {Outcome.APPLIED: 1, Outcome.UNCHANGED: 1}
    assert found["reconciler_outcomes"] == {(("outcome", one.value),): counted.get(one, 0) for one in Outcome}
    assert found["reconciler_api_requests"] == {
        (("method", "GET"),): 2,
        (("method", "PATCH"),): 0,
        (("method", "POST"),): 1,
    }


def test_what_a_report_does_not_know_has_no_sample() -> None:
    found = metrics(document("plan"))
    for family in ("record_age_seconds", "next_expiry_seconds", "duration_seconds"):
        assert found[f"reconciler_{family}"] == {}


def test_ages_and_durations_are_what_the_report_says() -> None:
    expiry = ExpiryEntry(expires="2026-01-01", in_seconds=-DAY)
    report = document("drift", record=record(3 * DAY), next_expiry=expiry, duration_seconds=0.25)
    assert read_value(report, "reconciler_record_age_seconds") == 3 * DAY
    assert read_value(report, "reconciler_next_expiry_seconds") == -DAY
    assert read_value(report, "reconciler_duration_seconds") == 0.25


def test_an_assistant_that_was_never_read_does_not_vanish() -> None:
    report = document("drift", assistant("a"), assistant("b", status=None))
    assert read_value(report, "reconciler_assistants", status="not_read") == 1
    assert (
        read_value(document("validate", assistant("a", status=None)), "reconciler_assistants", status="not_read")
        is None
    )


def test_each_environment_of_a_merged_report_has_its_own_numbers() -> None:
    reports = [document("plan", assistant(name), environment=name) for name in ("production", "staging")]
    merged = merge_reports([*reports, document("plan", assistant("shared"))])
    for labels in ({"environment": "production"}, {"environment": "staging"}, {}):
        assert read_value(merged, "reconciler_assistants", status="in_sync", **labels) == 1
        assert read_value(merged, "reconciler_outcomes", outcome="failed", **labels) == 0
    assert read_value(merged, "reconciler_api_requests", method="GET") == 3


def test_environments_are_told_apart_and_a_made_up_name_breaks_nothing() -> None:
    report = document("plan", assistant("a"), environment="staging", api_calls={'G"E\\T\n': 1})
    assert read_value(report, "reconciler_assistants", status="in_sync", environment="staging") == 1
    assert list(metrics(report)["reconciler_api_requests"].values()) == [1]


def test_of_several_reports_the_oldest_record_and_the_nearest_date_count() -> None:
    near, far = (ExpiryEntry(expires="2026-02-01", in_seconds=seconds) for seconds in (5, 50))
    first = document("plan", record=record(10), next_expiry=near, duration_seconds=1.5)
    second = document("plan", record=record(20), next_expiry=far, duration_seconds=2.25)
    merged = merge_reports([first, second, document("plan", duration_seconds=1.0)])
    assert read_value(merged, "reconciler_record_age_seconds") == 20
    assert read_value(merged, "reconciler_next_expiry_seconds") == 5
    assert read_value(merged, "reconciler_duration_seconds") == 4.75
    assert merge_reports([first, document("plan")]).duration_seconds is None


@pytest.mark.parametrize(("day", "seconds"), [("2026-03-02", DAY + 12 * 3600), ("2026-03-01", 12 * 3600)])
def test_an_entry_holds_to_the_end_of_its_last_day(day: str, seconds: int) -> None:
    noon = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    recorded = AppliedRecord(REF, "a" * 40, "b" * 40, "2026-03-01T10:00:00+02:00")
    expiry = datetime.date.fromisoformat(day)
    started = noon - datetime.timedelta(milliseconds=1500)
    report = build_report(Run("drift", started, noon, (), record=recorded, next_expiry=expiry))
    assert read_value(report, "reconciler_next_expiry_seconds") == seconds
    assert read_value(report, "reconciler_record_age_seconds") == 4 * 3600
    assert read_value(report, "reconciler_duration_seconds") == 1.5


def test_a_record_by_a_clock_that_is_ahead_has_no_age_below_zero() -> None:
    noon = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    ahead = AppliedRecord(REF, "a" * 40, "b" * 40, "2026-03-01T12:00:05+00:00")
    earlier = noon - datetime.timedelta(hours=1)  # somebody has set the clock back during the run
    report = build_report(Run("drift", noon, earlier, (), record=ahead))
    assert read_value(report, "reconciler_record_age_seconds") == 0
    assert read_value(report, "reconciler_duration_seconds") == 0


def test_a_run_says_which_record_it_read_and_what_expires_next(tmp_path: Path) -> None:
    with story(tmp_path / "repository", {"a": {"name": "A"}}) as repo:
        repo.write("a", name="B")
        rules = [{"path": "/metadata/x", "reason": "r", "expires": day} for day in ("2999-03-01", "2999-02-01")]
        repo.project.configure(ignore=rules)
        repo.commit()
        repo.apply_and_record()
        result = repo.run("drift", "--report", "drift.prom", "--report", "drift.json")
        assert result.code == 0, result.stderr
        report = parse_report((repo.root / "drift.json").read_text("utf-8"), name="drift.json")
        assert report.record is not None
        assert (report.record.ref, report.record.commit, report.record.applied) == (REF, repo.record, repo.head)
        assert report.next_expiry is not None
        assert report.next_expiry.expires == "2999-02-01"
        text = (repo.root / "drift.prom").read_text("utf-8")
        assert text == render_openmetrics(make_view(report))
        assert 'reconciler_assistants{status="in_sync"} 1' in text
        assert 'reconciler_api_requests{method="GET"} 1' in text


def test_the_alert_rules_of_the_page_name_what_there_is() -> None:
    text = PAGE.read_text("utf-8").partition("\n## OpenMetrics\n")[2]
    rules = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])["groups"][0]["rules"]
    expressions = " ".join(rule["expr"] for rule in rules)
    assert set(re.findall(r"reconciler_\w+", expressions)) <= FAMILIES
    named = {name for found in re.findall(r'(?:status|outcome)=~"(.+?)"', expressions) for name in found.split("|")}
    assert named <= {*Status, *Outcome, "not_read"}
    assert all(f"`{family}" in text for family in FAMILIES)
