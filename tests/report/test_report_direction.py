"""Which way a difference goes, in every format: a live edit that is left alone never reads as if it were sent."""

import dataclasses
import re

import pytest
from rendered import render_github, render_html, render_junit, render_markdown, render_text
from report_documents import BASE, assistant, change, document, failure, without_sent_marks

from reconciler.core.outcome import Unsent
from reconciler.report.json_text import render_json
from reconciler.report.report import Report

GIT, DRIFT = change("/name", "N", "M"), change("/model/temperature", 0.7, 0.9, kind="drift", base=0.7)
LONG = change("/voicemailMessage", "long " * 20, "short")


def run(command: str, *, on_drift: str = "keep") -> Report:
    outcome = None if command in ("plan", "drift") else "applied"
    return document(command, assistant("a", GIT, DRIFT, outcome=outcome), base=BASE, options={"on_drift": on_drift})


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_drift_that_is_kept_is_told_apart_from_what_is_sent(command: str) -> None:
    report_document = run(command)
    for text in (
        render_text(report_document),
        render_markdown(report_document),
        render_text(report_document, colour=True),
        render_junit(report_document),
    ):
        assert "git has 0.7, live now has 0.9" in text
    markdown, page = render_markdown(report_document), render_html(report_document)
    assert ": `name`; left as it is: `model.temperature` |" in markdown
    assert "**Edited in the dashboard (drift), left as it is**" in markdown
    assert "git has <del>0.7</del>, live now has <ins>0.9</ins>" in page
    assert "; left as it is: model.temperature: git has 0.7, live now has 0.9</span>" in page


@pytest.mark.parametrize(("command", "on_drift"), [("drift", "keep"), ("apply", "revert")])
def test_drift_that_is_put_back_or_only_looked_for_is_not_said_to_be_left(command: str, on_drift: str) -> None:
    unsent = Unsent.READ_ONLY if command == "drift" else None
    moved = dataclasses.replace(DRIFT, sent=unsent is None, unsent=unsent)
    report_document = document(command, assistant("a", GIT, moved), base=BASE, options={"on_drift": on_drift})
    assert not any("left as it is" in render(report_document) for render in (render_text, render_markdown, render_html))


def test_a_conflict_that_git_wins_sends_a_value_that_was_never_there() -> None:
    moved = change("/name", "git", "live", kind="conflict", base="old", unsent=None)
    planned = document("plan", assistant("a", moved), base=BASE, options={"force_conflicts": True})
    for render in (render_text, render_markdown, render_html):
        assert "Both sides changed (conflict), git&#39;s value would be sent" in render(planned).replace("'", "&#39;")


def test_a_rollback_says_nothing_of_git() -> None:
    report_document = document("rollback", assistant("a", GIT, LONG, outcome="applied"), base=BASE)
    markdown, page = render_markdown(report_document), render_html(report_document)
    assert "`name`, `voicemailMessage` | rollback |" in markdown
    assert "**Restored**" in markdown
    assert '| `name` | `"M" -> "N"` (another name) |' in markdown
    assert "`voicemailMessage` (another voicemail message)\n\n```diff\n- short\n+ long" in markdown
    assert "git" not in page.split("<main>")[1].split("<script>")[0]


@pytest.mark.parametrize("outcome", ["indeterminate", "not_converged", None])
def test_a_rollback_without_a_clear_outcome_is_not_said_to_have_restored(outcome: str | None) -> None:
    report_document = document("rollback", assistant("a", GIT, LONG, outcome=outcome), base=BASE)
    for render in (render_text, render_markdown, render_html):
        shown = render(report_document)
        assert "To restore" in shown
        assert not re.search("restored", shown, re.IGNORECASE)


def test_a_refused_rollback_says_that_live_has_moved_on() -> None:
    text = "long " * 20
    fields = (
        change("/name", "old", "theirs", kind="conflict", base="new"),
        change("/voicemailMessage", text + "old", text + "theirs", kind="conflict", base=text + "new"),
        change("/endCallMessage", "old", "new", base="new"),
    )
    refused = assistant("a", *fields, outcome="refused", error=failure("conflict", "live has changed since"))
    report_document = document("rollback", refused)
    terminal, markdown, page = (
        " ".join(render(report_document).split()) for render in (render_text, render_markdown, render_html)
    )
    assert '~ name: the apply sent "new", the old value is "old", live now has "theirs"' in terminal
    assert "voicemailMessage: from what was applied to live ~" in terminal
    assert "voicemailMessage: from what was applied to the old value ~" in terminal
    assert "| refused, nothing was sent: live shows neither the value that was applied nor the old one |" in markdown
    assert 'the apply sent "new", the old value is "old", live now has "theirs"' in markdown
    assert "`voicemailMessage` (another voicemail message): from what was applied to live" in markdown
    assert "live shows neither the value that was applied nor the old one" in page
    for report in (terminal, markdown, page.split("<main>")[1].split("<script>")[0]):
        assert not any(words in report.lower() for words in ("git", "both ", "would be", "definition"))
    assert markdown.count("**Not restored**") == page.count("Not restored") == 1


def test_an_offline_plan_never_calls_the_base_live() -> None:
    report_document = document("plan", assistant("a", GIT, LONG), base=BASE, offline=True)
    for text in (
        render_text(report_document),
        render_markdown(report_document),
        render_html(report_document).split("<main>")[1].split("<script>")[0],
    ):
        assert re.findall(r"[^.]*live[^.]*", text) == [": compared with the base, not with what is live"] or (
            re.findall(r"[^.]*\blive\b[^.]*\.", text)[0].endswith("compared with the base, not with what is live.")
        )


def test_an_error_and_what_to_do_about_it_are_one_remark() -> None:
    report_document = document("plan", assistant("a", error=failure("server", "it broke\n\n# try later\n")))
    assert "- **Error:** it broke<br># try later\n" in render_markdown(report_document)
    assert '<b>Error:</b> it broke<span class="line"># try later</span></li>' in render_html(report_document)


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "rollback", "report", "of_tomorrow"])
@pytest.mark.parametrize("kind", ["change", "drift", "conflict"])
def test_a_report_that_does_not_say_what_was_sent_is_shown_in_words_that_claim_nothing(command: str, kind: str) -> None:
    outcome = "applied" if command in ("apply", "rollback") else None
    entry = assistant("a", change("/name", "N", "M", kind=kind, base="O"), outcome=outcome)
    report_document = without_sent_marks(document(command, entry, base=BASE, options={"on_drift": "keep"}))
    for text in (
        render_text(report_document),
        render_markdown(report_document),
        render_html(report_document),
        render_github(report_document),
        render_junit(report_document),
    ):
        shown = text.split("<main>")[-1]
        claims = (
            "Would change",
            "git's value w",
            "Restored",
            "Not restored",
            ", left as it is**",
            "nothing is sent to this assistant",
        )
        assert not [words for words in claims if words in shown]
    assert '"sent"' not in render_json(report_document)


@pytest.mark.parametrize("outcome", ["failed", "refused", "skipped"])
def test_what_was_not_written_is_never_called_changed(outcome: str) -> None:
    """A request that the API refused was sent; live holds what it held."""
    report_document = document("apply", assistant("a", GIT, LONG, outcome=outcome), base=BASE)
    for text in (
        render_markdown(report_document),
        render_html(report_document).split("<main>")[1].split("<script>")[0],
    ):
        assert "Changed in git" in text
        assert not any(words in text for words in ("Would change", "git's value w", "Restored"))
