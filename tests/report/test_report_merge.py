"""Several reports shown as one."""

import dataclasses
from typing import Any

import pytest
from rendered import render_github, render_html, render_junit, render_markdown, render_text
from report_documents import assistant, change, document, failure, ignored, problem, removed

from reconciler.core.run import Selection
from reconciler.errors import ReportError
from reconciler.report.merge import merge_reports
from reconciler.report.read_back import read_origin
from reconciler.report.report import AssistantEntry, BaseEntry, Report


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
    text = render_text(merge_reports([first, second]))
    for part in ("(staging)", '~ name: "y" -> "x"', "(production)", '~ name: "z" -> "x"'):
        assert part in text


def test_a_check_of_files_does_not_say_that_what_a_plan_read_was_not_read() -> None:
    checked = document(
        "validate", *(assistant(name, status=None) for name in "ab"), problems=[problem("x.yaml", 1, 1, "x")]
    )
    merged = merge_reports([checked, document("plan", assistant("a"))])
    assert (merged.summary["total"], merged.has_failed, len(merged.problems)) == (2, True, 1)
    assert "1 in sync, 0 errors, 1 not read" in render_text(merged)
    assert not merge_reports([checked, document("plan", assistant("a"), assistant("b"))]).has_failed


def test_a_report_that_is_given_twice_is_one_run() -> None:
    run, other = document("plan", assistant("a")), document("plan", assistant("b"))
    assert merge_reports([run, run]) == run
    assert merge_reports([run, other, run]) == merge_reports([run, other])


def test_what_a_rollback_puts_back_is_not_called_a_change_of_gits() -> None:
    moved = change("/name", "y", "x")
    back = change("/name", "x", "y")
    runs = [
        document(name, assistant("a", one, outcome="applied")) for name, one in (("apply", moved), ("rollback", back))
    ]
    merged = merge_reports(runs)
    assert [entry.command for entry in merged.assistants] == ["apply", "rollback"]
    text = render_text(merged)
    assert (text.count("Changed in git"), text.count("Restored")) == (1, 1)
    assert render_markdown(merged).count("| rollback |") == 1
    # Merged once more, each still says whose it is.
    again = merge_reports([merged, document("plan", assistant("b"))])
    assert [entry.command for entry in again.assistants] == ["apply", "rollback", "plan"]


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


@pytest.mark.parametrize(
    ("selections", "merged"),
    [(("changed", "changed"), "changed"), (("changed", None), "changed"), (("named", "named"), None)],
)
def test_what_was_left_out_as_unchanged_is_not_called_checked(
    selections: tuple[Selection | None, ...], merged: Selection | None
) -> None:
    """`issue` closes nothing then, and no plan says that nothing was selected."""
    parts = [
        dataclasses.replace(document("plan"), environment=f"part-{number}", selection=selection)
        for number, selection in enumerate(selections)
    ]
    assert merge_reports(parts).selection == merged


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
    problems = [problem("a.yaml", 1, 1, "x"), problem("a.yaml", 2, 1, "x")]
    first = document("plan", warnings=["one", "two"], problems=problems[:1])
    second = document("plan", warnings=["two", "three"], problems=problems)
    merged = merge_reports([first, second])
    assert merged.warnings == ("one", "two", "three")
    assert merged.problems == tuple(problems)


def test_definitions_that_are_no_longer_managed_stay_listed_each_once() -> None:
    old = removed("assistants/old.yaml", "asst_old")
    older = removed("assistants/older.yaml", "asst_older")
    first, second, third = document("plan", gone=[old, older]), document("plan", gone=[old]), document("plan")
    assert merge_reports([first, second, third]).no_longer_managed == (old, older)
    assert "assistants/older.yaml (asst_older)" in render_text(merge_reports([first, second]))


def test_one_report_is_itself() -> None:
    run = document("plan", assistant("a"))
    assert merge_reports([run]) == run


def merge_environments(*assistants: AssistantEntry, **fields: Any) -> Report:
    """The same run in staging and in production, merged."""
    runs = [document("plan", *assistants, environment=name, **fields) for name in ("staging", "production")]
    return merge_reports(runs)


def test_each_format_says_which_environment_an_assistant_is_of() -> None:
    drift = change("/name", "x", "y", kind="drift", base="x", unsent=None)
    merged = merge_environments(assistant("a", drift), assistant("c", name=None, error=failure("server", "no", 500)))
    assert {(entry.key, entry.environment) for entry in merged.assistants} == {
        (key, name) for key in "ac" for name in ("staging", "production")
    }
    junit = render_junit(merged)
    for name in ("staging", "production"):
        assert f"\n  A in {name} (asst_a)" in render_text(merged)
        assert f"\n| A in {name} |" in render_markdown(merged)
        assert f"<b>A in {name}</b>" in render_markdown(merged)
        assert f'<b class="name">A in {name}</b>' in render_html(merged)
        assert f'classname="assistants/a" name="A in {name}"' in junit
        assert f"title=Edited in the dashboard%3A A in {name}::" in render_github(merged)
        # An error that several have is one card, and names them.
        assert f"assistants/c.yaml in {name} (asst_c)" in render_text(merged)
        assert f'classname="assistants/c" name="c in {name}"' in junit
    assert "Environments: production, staging." in render_text(merged)
    assert "## Plan: production, staging" in render_markdown(merged)


def test_a_report_of_an_environment_and_of_none_names_both() -> None:
    runs = [document("plan", assistant("a", change("/name", "x", "y")), environment=name) for name in ("staging", None)]
    merged = merge_reports(runs)
    assert "Environments: staging, no environment." in render_text(merged)
    assert "## Plan: staging, no environment\n" in render_markdown(merged)
    assert "Environment" not in render_text(runs[1])
    assert "Environment: staging." in render_text(document("plan", environment="staging"))


def test_a_change_that_environments_share_names_each_with_its_environment() -> None:
    merged = merge_environments(*(assistant(key, change("/name", "x", "y")) for key in "ab"))
    text = render_text(merged)
    assert 'name: "y" -> "x" in 4 assistants' in text
    assert "A in staging, and A in production (assistants/a.yaml:7)" in text
    # Where the names are the same, the keys tell assistants apart, and still the environments.
    same = merge_environments(*(assistant(key, change("/name", "x", "y"), name="Desk") for key in "ab"))
    assert "Desk in staging" not in render_text(same, width=200)
    assert "b in staging, and b in production (assistants/b.yaml:7)" in render_text(same, width=200)


@pytest.mark.parametrize("other", ["production", None])
def test_a_command_in_a_hint_is_about_the_environment_of_its_assistant(other: str | None) -> None:
    conflict = change("/name", "N", "M", kind="conflict", base="O")
    environments = {"a": "staging", "b": other}
    runs = [document("plan", assistant(key, conflict), environment=name) for key, name in environments.items()]
    merged = merge_reports(runs)
    commands = [
        f"(reconciler pull --environment {name} --conflicts)" if name else "(reconciler pull --conflicts)"
        for name in environments.values()
    ]
    lines = render_github(merged).splitlines()[:2]
    assert [command in line for line, command in zip(lines, commands, strict=True)] == [True, True]
    # The sentence about all of them cannot name one.
    assert "(reconciler pull --conflicts)" in render_text(merged)


def test_what_stands_after_the_differences_names_its_environment() -> None:
    staging = document(
        "plan",
        assistant("a", ignored=[ignored("/name", "the CRM")], warnings=["odd"]),
        environment="staging",
        warnings=["HEAD is behind", "for all"],
        gone=[removed("assistants/old.yaml", "asst_old")],
    )
    production = document("plan", assistant("a"), environment="production", warnings=["for all"])
    text = render_text(merge_reports([staging, production]))
    assert "ignored: assistants/a.yaml in staging: name (the CRM)" in text
    assert "warning: assistants/a.yaml in staging: odd" in text
    assert "warning: staging: HEAD is behind\n" in text
    assert "warning: for all\n" in text
    assert "assistants/old.yaml in staging (asst_old)" in text


def test_no_run_goes_by_a_report_of_several_environments() -> None:
    """Not even where one of them is no environment at all: the same id is another assistant there."""
    with pytest.raises(ReportError, match="several environments"):
        read_origin(merge_environments(assistant("a")))
    both = [document("apply", assistant("a"), environment=name) for name in (None, "staging")]
    with pytest.raises(ReportError, match="staging"):
        read_origin(merge_reports(both))


def test_merging_again_keeps_each_environment() -> None:
    both_environments = merge_environments(assistant("a"))
    merged = merge_reports([both_environments, document("plan", assistant("a"), environment="test")])
    assert {entry.environment for entry in merged.assistants} == {"staging", "production", "test"}
    assert merge_reports([both_environments, both_environments]).environments == ("production", "staging")
    # One environment is said once, of the whole.
    assert all(entry.environment is None for entry in merge_reports([document("plan", assistant("a"))] * 2).assistants)
