"""Which way a difference goes, in every format: a live edit that is left alone never reads as if it were sent."""

import dataclasses

import pytest
from report_documents import BASE, assistant, change, document, failure, unsaid

from reconciler.core.outcome import Unsent
from reconciler.report.github import render_github
from reconciler.report.html import render_html
from reconciler.report.json_text import render_json
from reconciler.report.junit import render_junit
from reconciler.report.markdown import render_markdown
from reconciler.report.report import Report
from reconciler.report.text import render_text

GIT, DRIFT = change("/name", "N", "M"), change("/model/temperature", 0.7, 0.9, kind="drift", base=0.7)
LONG = change("/voicemailMessage", "long " * 20, "short")


def run(command: str, *, on_drift: str = "keep") -> Report:
    outcome = None if command in ("plan", "drift") else "applied"
    return document(command, assistant("a", GIT, DRIFT, outcome=outcome), base=BASE, options={"on_drift": on_drift})


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_drift_that_is_kept_is_told_apart_from_what_is_sent(command: str) -> None:
    told = run(command)
    assert "model.temperature: 0.9 -> 0.7 (drift: edited live, left as it is)" in render_text(told, width=100)
    markdown, page = render_markdown(told), render_html(told)
    assert ": `name`; left as it is: `model.temperature` |" in markdown
    assert "**Edited live (drift), left as it is**" in markdown
    assert "| Field | Live | Definition |" in markdown
    assert '<span class="brief">name; left as it is: model.temperature</span>' in page


@pytest.mark.parametrize(("command", "on_drift"), [("drift", "keep"), ("apply", "revert")])
def test_drift_that_is_put_back_or_only_looked_for_is_not_said_to_be_left(command: str, on_drift: str) -> None:
    unsent = Unsent.READ_ONLY if command == "drift" else None
    moved = dataclasses.replace(DRIFT, sent=unsent is None, unsent=unsent)
    told = document(command, assistant("a", GIT, moved), base=BASE, options={"on_drift": on_drift})
    assert not any("left as it is" in render(told) for render in (render_text, render_markdown, render_html))


def test_a_rollback_says_nothing_of_git() -> None:
    told = document("rollback", assistant("a", GIT, LONG, outcome="applied"), base=BASE)
    markdown, page = render_markdown(told), render_html(told)
    assert "`name`, `voicemailMessage` | rollback |" in markdown
    assert "**Put back**" in markdown
    assert "| Field | Before (live) | After (put back) |" in markdown
    assert "`voicemailMessage` (another message for voicemail), from live to what it was before:" in markdown
    assert "git" not in page.split("<main>")[1].split("<script>")[0]


def test_a_refused_rollback_says_that_live_has_moved_on() -> None:
    text = "long " * 20
    fields = (
        change("/name", "old", "theirs", kind="conflict", base="new"),
        change("/voicemailMessage", text + "old", text + "theirs", kind="conflict", base=text + "new"),
        change("/endCallMessage", "old", "new", base="new"),
    )
    refused = assistant("a", *fields, outcome="refused", error=failure("conflict", "live has moved on since"))
    told = document("rollback", refused)
    terminal, markdown, page = (
        " ".join(render(told).split()) for render in (render_text, render_markdown, render_html)
    )
    assert '~ name: "theirs" -> "old" (live moved on from "new")' in terminal
    assert "voicemailMessage: (live moved on) from what was applied to live:" in terminal
    assert "from what was applied to the old value:" in terminal
    assert "Values read: live -> old value." in terminal
    assert "| refused, nothing was sent: live shows neither the value that was applied nor the old one |" in markdown
    assert '| Field | Was applied | Live | Old value | | --- | --- | --- | --- | | `name` | `"new"` |' in markdown
    assert "`voicemailMessage` (another message for voicemail), from what was applied to live:" in markdown
    assert "live shows neither the value that was applied nor the old one" in page
    assert "Was applied <code>" in page
    for report in (terminal, markdown, page.split("<main>")[1].split("<script>")[0]):
        assert not any(words in report.lower() for words in ("git", "both moved", "put back)", "definition"))
    assert markdown.count("**Not put back**") == page.count("Not put back") == 2


def test_an_offline_plan_never_calls_the_base_live() -> None:
    told = document("plan", assistant("a", GIT, LONG), base=BASE, offline=True)
    assert "| Field | Before (base) | After (definition) |" in render_markdown(told)
    assert "from the base to the definition:" in render_markdown(told)


def test_an_error_and_what_to_do_about_it_are_one_remark() -> None:
    told = document("plan", assistant("a", error=failure("server", "it broke\n\n# try later\n")))
    assert "- **Error:** it broke<br># try later\n" in render_markdown(told)
    assert '<b>Error:</b> it broke<span class="line"># try later</span></li>' in render_html(told)


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "rollback", "report", "of_tomorrow"])
@pytest.mark.parametrize("kind", ["change", "drift", "conflict"])
def test_a_report_that_does_not_say_what_was_sent_is_shown_in_words_that_claim_nothing(command: str, kind: str) -> None:
    outcome = "applied" if command in ("apply", "rollback") else None
    entry = assistant("a", change("/name", "N", "M", kind=kind, base="O"), outcome=outcome)
    told = unsaid(document(command, entry, base=BASE, options={"on_drift": "keep"}))
    for text in (render_text(told), render_markdown(told), render_html(told), render_github(told), render_junit(told)):
        shown = text.split("<main>")[-1]
        claims = (
            "Before (live)",
            "After (",
            "Put back",
            "Not put back",
            ", left as it is**",
            "nothing of this assistant",
        )
        assert not [words for words in claims if words in shown]
    assert '"sent"' not in render_json(told)


@pytest.mark.parametrize("outcome", ["failed", "refused", "skipped"])
def test_what_was_not_written_is_never_called_before_and_after(outcome: str) -> None:
    """A request that the API refused was sent; live holds what it held."""
    told = document("apply", assistant("a", GIT, LONG, outcome=outcome), base=BASE)
    assert "| Field | Live | Definition |" in render_markdown(told)
    assert "Before" not in render_html(told).split("<main>")[1].split("<script>")[0]
