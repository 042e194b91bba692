"""Several reports shown as one."""

import pytest
from rendered import render_text
from report_documents import assistant, change, document, gone, problem

from reconciler.report.merge import merge_reports
from reconciler.report.report import BaseEntry


def test_assistants_are_sorted_and_totals_added_up() -> None:
    first = document("plan", assistant("b", change("/name", "x", "y")), assistant("d"))
    second = document("plan", assistant("c"), assistant("a"))
    merged = merge_reports([first, second])
    assert [entry.key for entry in merged.assistants] == ["a", "b", "c", "d"]
    assert merged.summary["total"] == 4
    assert merged.summary["in_sync"] == 3
    assert merged.api_calls == {"GET": 4, "PATCH": 0, "POST": 2}
    assert render_text(merged).endswith("Plan: 1 to change, 0 drifted, 0 conflicts, 3 in sync, 0 errors.\n")


def test_one_file_in_two_reports_is_told_twice_with_all_that_differs() -> None:
    """As of two environments that share a definition, or of an apply and its rollback."""
    first = document("plan", assistant("a", change("/name", "x", "y"), id_="staging"))
    second = document("plan", assistant("a", change("/name", "x", "z"), id_="production"))
    told = render_text(merge_reports([first, second]))
    for said in ("(staging)", '~ name: "y" -> "x"', "(production)", '~ name: "z" -> "x"'):
        assert said in told


def test_what_the_reports_share_stays_and_what_differs_goes() -> None:
    first = document(
        "plan",
        base=BaseEntry(ref="main", commit="1"),
        options={"on_drift": "keep"},
        started_at="2026-01-01T00:00:05Z",
        finished_at="2026-01-01T00:00:06Z",
        head="abc",
        offline=True,
    )
    second = document(
        "drift",
        base=BaseEntry(ref="main", commit="2"),
        head="abc",
        api_url="http://localhost:4000/api",
        tool_version="0.2.0",
    )
    merged = merge_reports([first, second])
    assert merged.command == "report"
    assert merged.head == "abc"
    assert merged.api_url is None
    assert merged.options == {}
    assert merged.offline is True
    assert merged.tool_version == "0.1.0, 0.2.0"
    assert (merged.started_at, merged.finished_at) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:06Z")


def test_different_bases_are_still_bases_and_a_missing_one_is_not_hidden() -> None:
    with_base = [document("plan", base=BaseEntry(ref="main", commit=commit)) for commit in "12"]
    assert merge_reports(with_base).base == BaseEntry(ref="several", commit="")
    assert merge_reports([with_base[0], with_base[0]]).base == BaseEntry(ref="main", commit="1")
    assert merge_reports([*with_base, document("plan")]).base is None


def test_a_report_that_needs_no_base_takes_none_away() -> None:
    applied = document("apply", base=BaseEntry(ref="main", commit="1"))
    assert merge_reports([applied, document("rollback"), document("validate")]).base == applied.base
    assert "Without a base" not in render_text(merge_reports([applied, document("rollback")]))
    assert merge_reports([document("rollback"), document("rollback")]).base is None


def test_warnings_and_problems_are_said_once() -> None:
    found = [problem("a.yaml", 1, 1, "x"), problem("a.yaml", 2, 1, "x")]
    first = document("plan", warnings=["one", "two"], problems=found[:1])
    second = document("plan", warnings=["two", "three"], problems=found)
    merged = merge_reports([first, second])
    assert merged.warnings == ("one", "two", "three")
    assert merged.problems == tuple(found)


def test_definitions_that_are_no_longer_managed_stay_listed_each_once() -> None:
    old = gone("assistants/old.yaml", "asst_old")
    older = gone("assistants/older.yaml", "asst_older")
    first, second, third = document("plan", gone=[old, older]), document("plan", gone=[old]), document("plan")
    assert merge_reports([first, second, third]).no_longer_managed == (old, older)
    assert "assistants/older.yaml (asst_older)" in render_text(merge_reports([first, second]))


def test_one_report_is_itself_and_none_is_refused() -> None:
    run = document("plan", assistant("a"))
    assert merge_reports([run]) == run
    with pytest.raises(ValueError, match="no report"):
        merge_reports([])
