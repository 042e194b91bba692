"""What a rollback or a resumed apply takes from a report: by `sent`, and over several runs as one."""

import re
from typing import Any

import pytest
from report_documents import assistant, change, document, make_since, without_sent_marks

from reconciler.core.origin import Since
from reconciler.core.reviewed import Applied
from reconciler.core.tree import MISSING
from reconciler.errors import ReportError
from reconciler.report.merge import merge_reports
from reconciler.report.read_back import list_applied, list_unclear
from reconciler.report.report import AssistantEntry, ChangeEntry, Report

FIRST, SECOND = "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"


def run(started_at: str, *entries: AssistantEntry, command: str = "apply", **fields: Any) -> Report:
    return document(command, *entries, started_at=started_at, finished_at=started_at, **fields)


def applied_assistant(*changes: ChangeEntry, outcome: str = "applied", key: str = "a", **fields: Any) -> AssistantEntry:
    patch: dict[str, Any] = {}
    for entry in changes:
        if entry.sent:
            *parents, last = entry.path[1:].split("/")
            inner = patch
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = entry.desired
    return assistant(key, *changes, outcome=outcome, patch=patch or None, **fields)


def list_fields(applied: Applied) -> dict[str, tuple[Any, Any, Any]]:
    return {"/".join(field.path): (field.old, field.new, field.sent) for field in applied.fields}


def list_field_names(applied: tuple[Applied, ...]) -> dict[str, list[str]]:
    return {entry.key: ["/".join(field.path) for field in entry.fields] for entry in applied}


REVERTED = change("/name", "Desk", "Theirs", kind="drift", base="Desk", unsent=None)
CHANGED = change("/firstMessage", "Hello!", "Hi", base="Hi")


class TestOneReport:
    def test_what_was_sent_is_read_and_nothing_else(self) -> None:
        live_edit = change("/voicemailMessage", "A", "B", kind="drift", base="A")
        assert list_field_names(list_applied(run(FIRST, applied_assistant(REVERTED, CHANGED, live_edit)))) == {
            "a": ["name", "firstMessage"]
        }

    def test_the_options_of_the_run_do_not_count(self) -> None:
        """A merged report has none, if those of the runs differ."""
        report = run(FIRST, applied_assistant(REVERTED), options={"on_drift": "keep"})
        assert list_field_names(list_applied(report)) == {"a": ["name"]}

    @pytest.mark.parametrize("outcome", ["unchanged", "failed", "refused", "skipped"])
    def test_an_assistant_that_was_not_written_is_left_out(self, outcome: str) -> None:
        assert list_applied(run(FIRST, applied_assistant(CHANGED, outcome=outcome))) == ()

    @pytest.mark.parametrize("outcome", ["applied", "indeterminate", "not_converged"])
    @pytest.mark.parametrize("read", [list_applied, list_unclear])
    def test_one_of_an_older_version_is_refused_by_the_key_that_it_lacks(self, outcome: str, read: Any) -> None:
        with pytest.raises(ReportError, match=re.escape("(`sent`)")) as error_info:
            read(without_sent_marks(run(FIRST, applied_assistant(CHANGED, outcome=outcome))))
        assert "apply again with this version" in error_info.value.hint
        assert "by hand" in error_info.value.hint

    def test_one_of_an_older_version_in_which_nothing_was_written_has_nothing_to_undo(self) -> None:
        assert list_applied(without_sent_marks(run(FIRST, applied_assistant(CHANGED, outcome="failed")))) == ()

    @pytest.mark.parametrize("other", ["/metadata/x", "/metadata/x/y"])
    def test_a_field_named_twice_is_refused(self, other: str) -> None:
        with pytest.raises(ReportError, match="one is inside the other"):
            list_applied(run(FIRST, applied_assistant(change("/metadata/x", {}, 1), change(other, 2, 3))))


class TestSeveralReports:
    def merge(self, *reports: Report) -> Report:
        return merge_reports(reports)

    def test_different_fields_of_one_assistant_are_all_undone(self) -> None:
        """One run put a live edit back, the next brought a change, under other options."""
        first = run(FIRST, applied_assistant(REVERTED), options={"on_drift": "revert"})
        second = run(SECOND, applied_assistant(CHANGED), options={"on_drift": "keep"})
        (applied,) = list_applied(self.merge(first, second))
        assert list_fields(applied) == {"name": ("Theirs", "Desk", "Desk"), "firstMessage": ("Hi", "Hello!", "Hello!")}

    @pytest.mark.parametrize("swapped", [False, True])
    def test_a_field_goes_back_to_what_the_first_run_found(self, swapped: bool) -> None:
        runs = [
            run(FIRST, applied_assistant(change("/name", "B", "A"))),
            run(SECOND, applied_assistant(change("/name", "C", "B"))),
        ]
        (applied,) = list_applied(self.merge(*(reversed(runs) if swapped else runs)))
        assert list_fields(applied) == {"name": ("A", "C", "C")}
        assert list(applied.list_obstacles()) == []

    def test_a_key_that_was_not_there_is_not_there_again(self) -> None:
        runs = (
            run(FIRST, applied_assistant(change("/voicemailMessage", "B"))),
            run(SECOND, applied_assistant(change("/voicemailMessage", "C", "B"))),
        )
        (applied,) = list_applied(self.merge(*runs))
        assert list_fields(applied) == {"voicemailMessage": (MISSING, "C", "C")}

    @pytest.mark.parametrize("theirs", ["Theirs", "A", None, MISSING])
    def test_an_edit_in_between_stands_in_the_way(self, theirs: Any) -> None:
        runs = (
            run(FIRST, applied_assistant(change("/name", "B", "A"))),
            run(SECOND, applied_assistant(change("/name", "C", theirs))),
        )
        (applied,) = list_applied(self.merge(*runs))
        assert list(applied.list_obstacles()) == ["somebody edited name between two of the report's runs"]

    def test_an_edit_of_what_nobody_declares_stands_in_the_way_too(self) -> None:
        first = applied_assistant(change("/metadata/list", [{"n": 1}], [{"n": 0}]))
        second = applied_assistant(change("/metadata/list", [{"n": 2}], [{"n": 1, "theirs": 1}]))
        (applied,) = list_applied(self.merge(run(FIRST, first), run(SECOND, second)))
        assert list(applied.list_obstacles()) == ["somebody edited metadata.list between two of the report's runs"]

    def test_an_edit_between_the_first_two_of_three_is_not_forgotten(self) -> None:
        pairs = [("B", "A"), ("C", "Theirs"), ("D", "C")]
        runs = [run(f"2026-01-0{day}", applied_assistant(change("/name", *pair))) for day, pair in enumerate(pairs, 1)]
        (applied,) = list_applied(self.merge(*runs))
        assert list_fields(applied) == {"name": ("A", "D", "D")}
        assert list(applied.list_obstacles()) == ["somebody edited name between two of the report's runs"]

    @pytest.mark.parametrize("found", ["A", "B"])
    def test_after_an_unclear_write_either_value_is_nobody_s_edit(self, found: str) -> None:
        unclear = run(FIRST, applied_assistant(change("/name", "B", "A"), outcome="indeterminate"))
        (applied,) = list_applied(self.merge(unclear, run(SECOND, applied_assistant(change("/name", "C", found)))))
        assert list(applied.list_obstacles()) == []
        assert list_fields(applied) == {"name": ("A", "C", "C")}

    def test_a_run_that_did_not_write_the_assistant_does_not_count(self) -> None:
        runs = (
            run(FIRST, applied_assistant(change("/name", "B", "A"))),
            run(SECOND, applied_assistant(change("/name", "C", "X"), outcome="refused")),
        )
        (applied,) = list_applied(self.merge(*runs))
        assert list_fields(applied) == {"name": ("A", "B", "B")}

    def test_a_field_inside_one_that_another_run_wrote_is_refused(self) -> None:
        runs = (
            run(FIRST, applied_assistant(change("/metadata/x", {"y": 1}, 5))),
            run(SECOND, applied_assistant(change("/metadata/x/y", 2, 1))),
        )
        with pytest.raises(ReportError, match="/metadata/x and /metadata/x/y, and one is inside the other"):
            list_applied(self.merge(*runs))

    def test_hidden_values_stay_hidden(self) -> None:
        hidden = change("/metadata/key", "(sensitive)", "(sensitive)")
        (applied,) = list_applied(
            self.merge(run(FIRST, applied_assistant(hidden)), run(SECOND, applied_assistant(hidden)))
        )
        assert "sensitive" in next(applied.list_obstacles())

    def test_every_commit_that_set_the_field_is_known(self) -> None:
        ada, bob = make_since("a" * 40, "Ada", "2026-01-01"), make_since("b" * 40, "Bob", "2026-01-02")
        runs = (
            run(FIRST, applied_assistant(change("/name", "B", "A", since=ada))),
            run(SECOND, applied_assistant(change("/name", "C", "B", since=bob))),
        )
        (applied,) = list_applied(self.merge(*runs))
        assert [one.author for one in applied.fields[0].setters if isinstance(one, Since)] == ["Ada", "Bob"]


class TestUnclearWrites:
    def test_a_later_write_of_the_same_fields_settles_them(self) -> None:
        unclear = run(FIRST, applied_assistant(CHANGED, outcome="indeterminate"))
        assert list_field_names(list_unclear(unclear)) == {"a": ["firstMessage"]}
        assert list_unclear(merge_reports([unclear, run(SECOND, applied_assistant(CHANGED))])) == ()

    def test_so_does_one_that_sent_again_what_live_showed_already(self) -> None:
        """As `apply --resume` does: nothing differs, and the patch carries the field."""
        resumed = assistant("a", outcome="applied", patch={"firstMessage": "Hello!"})
        unclear = run(FIRST, applied_assistant(CHANGED, outcome="indeterminate"))
        assert list_unclear(merge_reports([unclear, run(SECOND, resumed)])) == ()

    def test_a_later_write_of_other_fields_does_not(self) -> None:
        unclear = run(FIRST, applied_assistant(CHANGED, change("/name", "B", "A"), outcome="indeterminate"))
        later = run(SECOND, applied_assistant(change("/name", "B", "A")))
        assert list_field_names(list_unclear(merge_reports([unclear, later]))) == {"a": ["firstMessage"]}

    def test_an_earlier_write_does_not(self) -> None:
        unclear = run(SECOND, applied_assistant(CHANGED, outcome="indeterminate"))
        assert list_field_names(list_unclear(merge_reports([unclear, run(FIRST, applied_assistant(CHANGED))]))) == {
            "a": ["firstMessage"]
        }

    def test_a_reading_that_found_nothing_to_do_does_not(self) -> None:
        """GET shows the local database; the provider may still hold the old value."""
        unclear = run(FIRST, applied_assistant(CHANGED, outcome="indeterminate"))
        later = run(SECOND, assistant("a", outcome="unchanged"))
        assert list_field_names(list_unclear(merge_reports([unclear, later]))) == {"a": ["firstMessage"]}

    def test_where_the_order_cannot_be_told_nothing_is_settled(self) -> None:
        """The file was moved between the runs, and reports are sorted by file."""
        moved = applied_assistant(CHANGED, key="b", id_="asst_a")
        unclear = run(SECOND, applied_assistant(CHANGED, outcome="indeterminate"))
        assert list_field_names(list_unclear(merge_reports([unclear, run(FIRST, moved)]))) == {"a": ["firstMessage"]}

    def test_what_two_runs_left_unclear_is_all_unclear_with_the_values_of_the_later_one(self) -> None:
        first = run(FIRST, applied_assistant(CHANGED, change("/name", "B", "A"), outcome="indeterminate"))
        second = run(SECOND, applied_assistant(change("/name", "C", "B"), outcome="indeterminate"))
        (unclear,) = list_unclear(merge_reports([first, second]))
        assert list_fields(unclear) == {"firstMessage": ("Hi", "Hello!", "Hello!"), "name": ("B", "C", "C")}
