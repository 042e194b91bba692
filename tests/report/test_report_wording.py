"""The sentences of a report."""

from dataclasses import replace

import pytest
from rendered import render_github, render_html, render_junit, render_markdown, render_text
from report_documents import assistant, change, document, failure, ignored, make_since, problem

from reconciler.report import wording
from reconciler.report.meaning import describe_meaning
from reconciler.report.remarks import collect_notes, list_setters
from reconciler.report.report import AssistantEntry, BaseEntry, ChangeEntry, Report
from reconciler.report.wording import write_totals

CHANGED = assistant("changed", change("/name", "B", "A"))
DRIFTED = assistant("drifted", change("/name", "B", "A", kind="drift"))
TORN = assistant("torn", change("/name", "B", "A", kind="conflict"), change("/voicemailMessage", "x"))
GONE = assistant("gone", error=failure("not_found", "no such assistant", 404))
FAILED = assistant("failed", error=failure("server", "500", 500))
FINE = assistant("fine")
WARNING = problem("assistants/fine.yaml", 1, 1, "ends in white space", warning=True)


def assistants_with(*outcomes: str) -> list[AssistantEntry]:
    return [assistant(f"a{place}", outcome=outcome) for place, outcome in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (
            document("plan", CHANGED, DRIFTED, FINE, GONE),
            "Plan: 1 to change, 1 drifted, 0 conflicts, 1 in sync, 1 error.",
        ),
        (document("plan", TORN, GONE, FAILED), "Plan: 0 to change, 0 drifted, 1 conflict, 0 in sync, 2 errors."),
        (document("drift", DRIFTED, FINE), "Drift: 1 drifted, 0 conflicts, 1 in sync, 0 errors."),
        (document("drift", CHANGED), "Drift: 0 drifted, 0 conflicts, 0 in sync, 1 not applied yet, 0 errors."),
        (
            document("drift", assistant("both", change("/a", 1, 2), change("/b", 1, 2, kind="drift")), CHANGED),
            "Drift: 1 drifted, 0 conflicts, 0 in sync, 1 not applied yet, 0 errors.",
        ),
        (document("drift"), "Drift: no definitions selected, nothing to do."),
        (
            document("apply", *assistants_with("applied", "applied", "unchanged")),
            "Apply: 2 applied, 1 unchanged, 0 failed.",
        ),
        (
            document("apply", *assistants_with("failed", "refused", "indeterminate", "not_converged", "skipped")),
            "Apply: 0 applied, 0 unchanged, 1 failed, 1 refused, 1 indeterminate, 1 not converged, 1 skipped.",
        ),
        (document("report", *assistants_with("applied"), FINE), "Report: 1 applied, 0 unchanged, 0 failed."),
        (document("report", FINE), "Report: 0 to change, 0 drifted, 0 conflicts, 1 in sync, 0 errors."),
        (document("validate", FINE), "1 definition is valid."),
        (document("validate", FINE, CHANGED), "2 definitions are valid."),
        (document("validate", FINE, problems=[WARNING]), "1 definition is valid, with 1 warning in 1 file."),
        (
            document("validate", FINE, problems=[WARNING, WARNING], options={"strict": True}),
            "1 definition is valid, with 2 warnings in 1 file, and --strict allows none.",
        ),
        (
            document("validate", FINE, FAILED, problems=[problem("a.yaml", 1, 1, "x"), problem("a.yaml", 2, 1, "y")]),
            "Validate: 2 problems in 1 file, 1 definition is valid.",
        ),
        (
            document("validate", FINE, FAILED, problems=[problem("a.yaml", 1, 1, "x"), WARNING]),
            "Validate: 1 problem and 1 warning in 2 files, 1 definition is valid.",
        ),
    ],
)
def test_the_totals_are_one_sentence(run: Report, sentence: str) -> None:
    assert write_totals(run) == sentence


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (CHANGED, "to change"),
        (TORN, "conflict, to change"),
        (GONE, "missing"),
        (FINE, "in sync"),
        (assistant("a", status="drifted"), "drifted"),
        (assistant("a", outcome="refused"), "refused, nothing was sent"),
        (assistant("a", status=None), "not read"),
    ],
)
def test_where_an_assistant_stands_is_said_in_words(entry: AssistantEntry, words: str) -> None:
    assert wording.describe_standing(entry) == words


def list_notes(report: Report) -> list[str]:
    return list(wording.list_notes(report))


def test_without_a_base_a_reader_is_told_what_that_means() -> None:
    note = "Without a base, live edits look like changes in git."
    assert list_notes(document("plan", FINE)) == [note]
    assert list_notes(document("apply", FINE)) == [note]
    assert list_notes(document("plan", base=BaseEntry(ref="main", commit="1"))) == []
    assert "every difference counts as drift" in list_notes(document("drift"))[0]


def test_kept_drift_is_explained_only_where_there_is_some() -> None:
    base = BaseEntry(ref="main", commit="1")
    chosen = {"on_drift": "keep"}
    assert "left as it is" in list_notes(document("plan", DRIFTED, base=base, options=chosen))[0]
    assert list_notes(document("plan", CHANGED, base=base, options=chosen)) == []


def test_an_apply_that_creates_nothing_says_which_option_creates() -> None:
    base = BaseEntry(ref="main", commit="1")
    new = assistant("new", change("/name", "B", unsent="new"), status="new", outcome="unchanged")
    assert list_notes(document("apply", new, base=base)) == ["New assistants are created only with --create."]
    assert list_notes(document("plan", new, base=base)) == []


@pytest.mark.parametrize(
    ("command", "outcome", "advice"),
    [
        ("apply", "indeterminate", "apply --resume"),
        ("rollback", "indeterminate", "run this rollback again"),
        ("apply", "not_converged", "plan shows"),
        ("rollback", "not_converged", "plan shows"),
    ],
)
def test_what_is_not_settled_says_what_to_do(command: str, outcome: str, advice: str) -> None:
    base = BaseEntry(ref="main", commit="1")
    entry = assistant("a", change("/name", "N", "M"), outcome=outcome)
    (note,) = list_notes(document(command, entry, base=base))
    assert advice in note
    new = assistant("a", change("/name", "N"), status="new", outcome=outcome)
    assert list_notes(document(command, new, base=base)) == [], "its error says what to do"


def test_a_plan_says_what_is_refused_or_replaced_under_its_options() -> None:
    base = BaseEntry(ref="main", commit="1")
    fail, forced = {"on_drift": "fail"}, {"force_conflicts": True}
    stopped = assistant("stopped", change("/name", "B", "A", kind="drift", unsent="drift"))
    assert "was edited live" in list_notes(document("plan", stopped, base=base, options=fail))[0]
    # What a resumed apply is about to leave refuses nothing.
    left = [change(f"/{kind}", "B", "A", kind=kind, base="O", unsent="kept") for kind in ("conflict", "drift")]
    assert list_notes(document("plan", assistant("resumed", *left), base=base, options=fail)) == []
    (note,) = list_notes(document("plan", TORN, base=base))
    assert all(way in note for way in ("--force-conflicts", "remove the field", "pull --conflicts"))
    (note,) = list_notes(document("plan", TORN, base=base, options=forced))
    assert "git's values replace the live ones" in note
    reverted = assistant("reverted", change("/name", "B", "A", kind="drift", unsent=None))
    (note,) = list_notes(document("plan", reverted, TORN, base=base, options=forced | {"on_drift": "revert"}))[:1]
    assert "git's values replace live edits in 1 assistant." in note
    assert list_notes(document("apply", TORN, DRIFTED, base=base, options=forced | {"on_drift": "revert"})) == []
    assert list_notes(document("apply", TORN, DRIFTED, base=base, options=fail)) == []


def list_remarks(*changes: ChangeEntry) -> list[tuple[str, tuple[str, ...]]]:
    return [(remark.text, remark.fields) for remark in list_setters(changes)]


def test_who_set_a_value_is_told_once_for_all_that_one_commit_set() -> None:
    ada = make_since("a" * 40, "Ada", "2026-11-20T09:30:00+01:00")
    bob = make_since("b" * 40, "Bob\n", "2026-11-21T09:30:00+01:00")
    both = [change("/name", "B", "A", since=ada), change("/firstMessage", "B", "A", kind="conflict", since=ada)]
    drifted = change("/endCallMessage", "B", "A", kind="drift")
    assert list_remarks(*both, drifted) == [("aaaaaaa, Ada, 2026-11-20", ())]
    assert list_remarks(*both, change("/maxDurationSeconds", 1, 2, since=bob)) == [
        ("bbbbbbb, Bob\\n, 2026-11-21", ("/maxDurationSeconds",)),
        ("aaaaaaa, Ada, 2026-11-20", ("/name", "/firstMessage")),
    ]
    assert list_remarks(both[0], change("/maxDurationSeconds", 1, 2)) == [("aaaaaaa, Ada, 2026-11-20", ("/name",))]
    assert list_remarks(drifted) == []


def test_when_live_was_last_updated_is_told_where_somebody_edited_it() -> None:
    assert (
        wording.describe_last_edit(DRIFTED)
        == wording.describe_last_edit(TORN)
        == "live last updated 2026-01-02T12:00:00Z"
    )
    assert wording.describe_last_edit(CHANGED) == wording.describe_last_edit(FINE) == ""
    assert wording.describe_last_edit(replace(DRIFTED, live_updated_at=None)) == ""


def test_an_offline_report_says_so() -> None:
    offline = document("plan", FINE, base=BaseEntry(ref="main", commit="1"), offline=True)
    assert list_notes(offline)[0].startswith("Offline")


def test_an_error_without_a_message_still_says_what_its_kind_means() -> None:
    assert wording.describe_error(assistant("a", error=failure("timeout", " "))) == ["the API took too long"]
    assert wording.describe_error(assistant("a", error=failure("of_tomorrow", ""))) == ["of_tomorrow"]
    assert wording.describe_error(FINE) == []


def test_a_reason_is_told_with_its_date() -> None:
    both = assistant("a", ignored=[ignored("/name", "set by the CRM", "2027-01-31"), ignored("/voicemailMessage", "")])
    notes = collect_notes(document("plan", both))
    assert [note.text for note in notes] == ["name (set by the CRM, until 2027-01-31)", "voicemailMessage"]


def test_a_comment_says_that_a_change_in_git_is_ignored() -> None:
    crm = [assistant(key, ignored=[ignored("/name", "crm")]) for key in ("a", "b")]
    run = document("plan", crm[0], replace(crm[1], ignored_changes=("/name",)))
    assert [note.about for note in collect_notes(run)] == [("assistants/a.yaml", "assistants/b.yaml")]
    assert [note.about for note in collect_notes(run, of_changed=True)] == [("assistants/b.yaml",)]


def test_equal_notes_are_one_and_a_comment_has_those_of_changed_definitions() -> None:
    odd = [problem(f"assistants/{key}.yaml", 3, 1, "odd [x]", warning=True) for key in ("changed", "drifted", "fine")]
    run = document("plan", CHANGED, DRIFTED, FINE, problems=odd, warnings=["of the run"])
    notes = {note.text: note.about for note in collect_notes(run)}
    assert notes == {
        "of the run": (),
        "odd [x]": tuple(f"assistants/{key}.yaml:3:1" for key in ("changed", "drifted", "fine")),
    }
    assert [note.about for note in collect_notes(run, of_changed=True)] == [(), ("assistants/changed.yaml:3:1",)]
    markdown = render_markdown(run)
    assert markdown.index("`name`") < markdown.index("odd")
    assert "fine.yaml" not in markdown


def test_an_issue_about_live_edits_has_the_notes_of_the_edited_assistants() -> None:
    entries = [replace(entry, warnings=(f"note of {entry.key}",)) for entry in (DRIFTED, FINE)]
    markdown = render_markdown(document("drift", *entries))
    assert "note of drifted" in markdown
    assert "note of fine" not in markdown


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        ("/model/temperature", 0.6, 0.7, "more varied answers"),
        ("/model/temperature", 1, 0.5, "more consistent answers"),
        ("/model/temperature", None, 0.5, ""),
        ("/model/maxTokens", 100, 200, "longer answers possible"),
        ("/maxDurationSeconds", 60, 1800, "calls of up to 30 minutes"),
        ("/maxDurationSeconds", None, 60, "calls of up to 1 minute"),
        ("/maxDurationSeconds", None, 90, "calls of up to 90 seconds"),
        ("/maxDurationSeconds", None, 1, "calls of up to 1 second"),
        ("/maxDurationSeconds", 60, None, "no maximum call length"),
        ("/firstMessageMode", None, "assistant-waits-for-user", "the assistant waits for the caller"),
        ("/firstMessageMode", None, ["odd"], ""),
        ("/voice/voiceId", "nova", "alloy", "another voice"),
        ("/voice/voiceId", None, "alloy", ""),
        ("/model/temperature", 0.5, True, ""),
        ("/metadata/anything", 1, 2, ""),
        ("/metadata/anything", 1, None, ""),
        ("/endCallPhrases", ["bye"], [], "no phrase ends the call"),
        ("/endCallPhrases", [], ["bye"], ""),
        ("/firstMessage", "Hi", "", "no greeting"),
        ("/firstMessage", "", "Hi", ""),
    ],
)
def test_some_fields_say_what_their_change_means(path: str, old: object, new: object, words: str) -> None:
    assert describe_meaning(path, old, new) == words


def test_a_report_names_its_environment_in_every_format() -> None:
    report = document("plan", CHANGED, base=BaseEntry(ref="main", commit="abc"), environment="staging")
    assert render_markdown(report).startswith("## Plan: staging\n\n")
    assert "\nEnvironment: staging.\nPlan: 1 to change" in render_text(report)
    assert "Environment: staging.\nPlan: 1 to change" in render_github(report)
    assert '<testsuite name="reconciler plan staging"' in render_junit(report)
    assert "<dt>Environment</dt><dd>staging</dd>" in render_html(report)
