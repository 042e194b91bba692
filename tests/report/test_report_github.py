"""The annotations of a workflow: on the YAML's own lines, the most severe first, ten of a kind, and nothing else."""

import re

import pytest
from rendered import render_github
from report_documents import BASE, assistant, change, document, failure, problem

from reconciler.core.outcome import Kind
from reconciler.report.formats.github import MOST_OF_A_KIND
from reconciler.report.formats.workflow_commands import disarm, write_command
from reconciler.report.report import Report

UNSENT_DRIFT = {"keep": "kept", "fail": "drift"}
COMMAND = re.compile(r"::(error|warning|notice)(?: ((?:[a-z]+=[^:,\r\n]*,?)+))?::([^\r\n]*)")


def commands(run: Report) -> list[tuple[str, dict[str, str], str]]:
    """What a runner reads: the kind, the properties and the text of each command, with nothing escaped any more."""
    found = []
    for line in render_github(run).splitlines():
        if line.startswith("::"):
            match = COMMAND.fullmatch(line)
            assert match, line
            properties = dict(part.split("=", 1) for part in (match[2] or "").split(",") if part)
            found.append((match[1], {key: unescaped(value) for key, value in properties.items()}, unescaped(match[3])))
    return found


def unescaped(text: str) -> str:
    for escape, char in {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}.items():
        text = text.replace(escape, char)
    return text


def kinds(run: Report) -> list[str]:
    return [f"{kind} {properties.get('line', '')}".strip() for kind, properties, _ in commands(run)]


def test_a_problem_stands_on_its_own_line_and_column() -> None:
    problems = [
        problem("assistants/a,b.yaml", 3, 16, "50% is no number: write 0.5"),
        problem("b.yaml", 1, 2, "odd", warning=True),
    ]
    assert commands(document("validate", problems=problems)) == [
        (
            "error",
            {"file": "assistants/a,b.yaml", "line": "3", "col": "16", "title": "The definition is not valid"},
            "50% is no number: write 0.5",
        ),
        ("warning", {"file": "b.yaml", "line": "1", "col": "2", "title": "Probably a mistake"}, "odd"),
    ]


def test_with_strict_a_warning_is_an_error() -> None:
    problems = [problem("b.yaml", 1, 2, "odd", warning=True)]
    assert kinds(document("validate", problems=problems, options={"strict": True})) == ["error 1"]


def test_an_invalid_file_is_told_by_its_problems_and_not_once_more_as_a_whole() -> None:
    entry = assistant("bad", error=failure("invalid", "2 problems"))
    other = assistant("other", error=failure("invalid", "the API wants a number", 422))
    run = document("plan", entry, other, problems=[problem(entry.file, 4, 1, "wrong")], base=BASE)
    assert [(properties["file"], text) for _, properties, text in commands(run)] == [
        ("assistants/bad.yaml", "wrong"),
        ("assistants/other.yaml", "the API wants a number"),
    ]


def test_errors_come_before_conflicts_then_live_edits_then_warnings() -> None:
    run = document(
        "plan",
        assistant("a", warnings=["a warning"]),
        assistant("b", change("/name", "N", "M", kind="drift", line=2, unsent=None)),
        assistant("c", change("/name", "N", "M", kind="conflict", base="O", line=3)),
        assistant("d", error=failure("server", "down\ntry again")),
        base=BASE,
        options={"on_drift": "revert"},
        warnings=["a warning of the run"],
    )
    found = commands(run)
    assert [(kind, properties.get("file", "")[-6:]) for kind, properties, _ in found] == [
        ("error", "d.yaml"),
        ("error", "c.yaml"),
        ("warning", "b.yaml"),
        ("warning", ""),
        ("warning", "a.yaml"),
    ]
    assert found[0][2] == "down\ntry again"
    assert found[1][1]["title"] == "Conflict: C"
    assert found[1][2].startswith('name: was "O", git now has "N", live now has "M".\n')
    assert found[2][2] == 'name: "M" -> "N".\napply would restore git\'s value.'
    assert render_github(run).splitlines()[-1] == "Plan: 0 to change, 1 drifted, 1 conflict, 1 in sync, 1 error."


def test_one_answer_to_many_requests_is_one_annotation_about_all_of_them() -> None:
    down = {key: failure("server", f"GET /assistants/asst_{key}: the API answered 503", 503) for key in ("a", "b", "c")}
    (found,) = commands(document("plan", *(assistant(key, error=error) for key, error in down.items()), base=BASE))
    assert found[2].startswith("GET /assistants/ID: the API answered 503\nassistants/a.yaml (asst_a), ")


def test_a_rollback_that_is_refused_says_why_and_offers_no_ways_that_it_has_not() -> None:
    moved_on = change("/name", "Old", "Else", kind="conflict", base=None)
    error = failure("conflict", "live has changed since")
    (found,) = commands(document("rollback", assistant("a", moved_on, outcome="refused", error=error)))
    assert found[2] == "live has changed since"


def test_a_conflict_over_what_was_not_set() -> None:
    run = document("plan", assistant("a", change("/name", "N", "M", kind="conflict", base=None)), base=BASE)
    (found,) = commands(run)
    assert found[2].startswith('name: was nothing, git now has "N", live now has "M".\n')


@pytest.mark.parametrize(
    ("command", "on_drift", "annotated"),
    [
        ("plan", "keep", []),
        ("plan", "revert", ["warning 7"]),
        ("plan", "fail", ["warning 7"]),
        ("apply", "keep", []),
        ("apply", "revert", ["warning 7"]),
        ("drift", "keep", ["warning 7"]),
    ],
)
def test_drift_is_annotated_where_it_would_be_reverted_or_was_asked_for(
    command: str, on_drift: str, annotated: list[str]
) -> None:
    unsent = None if on_drift == "revert" else "read_only" if command == "drift" else UNSENT_DRIFT[on_drift]
    entry = assistant("a", change("/name", None, "M", kind="drift", unsent=unsent))
    assert kinds(document(command, entry, base=BASE, options={"on_drift": on_drift})) == annotated


def test_what_git_changes_is_no_annotation() -> None:
    assert kinds(document("plan", assistant("a", change("/name", "N", "M")), base=BASE)) == []


def test_a_forced_conflict_is_a_warning_and_one_that_is_refused_is_told_once() -> None:
    moved = change("/name", "N", "M", kind="conflict", base="O")
    refused = assistant("a", moved, outcome="refused", error=failure("conflict", "both moved"))
    assert kinds(document("apply", refused, base=BASE)) == ["error 7"]
    moved = change("/name", "N", "M", kind="conflict", base="O", unsent=None)
    forced = document("plan", assistant("a", moved), base=BASE, options={"force_conflicts": True})
    assert kinds(forced) == ["warning 7"]
    written = document("apply", assistant("a", moved, outcome="applied"), base=BASE, options={"force_conflicts": True})
    assert "was overwritten" in render_github(written)


def test_a_conflict_that_a_resumed_apply_leaves_does_not_say_that_nothing_is_sent() -> None:
    moved = change("/name", "N", "M", kind="conflict", base="O", unsent="kept")
    (found,) = commands(document("apply", assistant("a", moved, outcome="applied"), base=BASE))
    assert "nothing is sent" not in found[2]
    assert found[2].endswith(f"Both sides changed. To resolve it, {Kind.CONFLICT.explain_ways_out()}.")


def test_what_an_apply_put_back_is_told_as_done() -> None:
    entry = assistant("a", change("/name", "N", "M", kind="drift", unsent=None), outcome="applied")
    assert "Git's value was restored." in render_github(document("apply", entry, options={"on_drift": "revert"}))


def test_a_value_of_an_overlay_is_annotated_in_its_own_file_and_one_without_a_line_on_the_first() -> None:
    moved = change("/name", "N", "M", kind="conflict", line=None, file="environments/staging/a.yaml")
    ((_, properties, _),) = commands(document("plan", assistant("a", moved), base=BASE))
    assert properties == {"file": "environments/staging/a.yaml", "line": "1", "title": "Conflict: A"}


def test_what_live_does_not_show_is_an_error() -> None:
    voice = change("/voice/voiceId", "alloy", "nova", line=9)
    entry = assistant("a", change("/name", "N"), voice, outcome="not_converged", remaining=["/voice/voiceId"])
    ((kind, properties, text),) = commands(document("apply", entry, base=BASE))
    assert (kind, properties["line"], properties["title"], text) == (
        "error",
        "9",
        "Not converged, live has another value: A",
        "Not live: voice.voiceId",
    )


def test_assistants_that_were_never_started_are_an_error_since_the_job_is_red() -> None:
    entries = [assistant(key, change("/name", "N", "M"), outcome="skipped") for key in "ab"]
    run = document("apply", *entries, base=BASE, warnings=["Nothing was sent: too many changes."])
    assert [(kind, text) for kind, _, text in commands(run)] == [
        ("error", "2 assistants skipped, not started."),
        ("warning", "Nothing was sent: too many changes."),
    ]


@pytest.mark.parametrize(("number", "more"), [(10, []), (11, ["1 more error"]), (25, ["15 more errors"])])
def test_ten_of_a_kind_are_shown_and_the_rest_is_counted(number: int, more: list[str]) -> None:
    problems = [problem("a.yaml", line, 1, "wrong") for line in range(number, 0, -1)]
    lines = commands(document("validate", problems=problems))
    assert [properties["line"] for kind, properties, _ in lines if kind == "error"] == [
        str(line) for line in range(1, MOST_OF_A_KIND + 1)
    ]
    assert [text.split(" not shown")[0] for kind, _, text in lines if kind == "notice"] == more


def test_each_kind_is_counted_by_itself() -> None:
    problems = [problem("a.yaml", line, 1, "w", warning=line % 2 == 0) for line in range(1, 31)]
    *_, (kind, _, text) = commands(document("validate", problems=problems))
    assert (kind, text.split(" not shown")[0]) == ("notice", "5 more errors and 5 more warnings")


def test_a_long_value_is_begun_and_what_is_lacking_is_counted() -> None:
    old, new = ("\n".join(f"{side * 90}{number}" for number in range(200)) for side in "ab")
    entry = assistant("a", change("/firstMessage", new, old, kind="conflict"), name="n" * 500)
    ((_, properties, text),) = commands(document("plan", entry, base=BASE))
    assert len(text) < 10_000
    line_count = len(re.findall("^[-+~] ", text, re.MULTILINE))
    assert f"\u2026 {400 - line_count} more lines of firstMessage. The job's summary" in text
    assert len(properties["title"]) <= 120


def test_what_is_no_annotation_is_counted_by_lines_and_fields() -> None:
    text = "\n".join(map(str, range(60)))
    entry = assistant("a", change("/name", "N", "M"), change("/firstMessage", text, "x"))
    assert "Differences not shown here: 1 line of name, 60 lines of firstMessage." in render_github(
        document("plan", entry)
    )


def test_what_many_share_in_one_place_is_annotated_once() -> None:
    moved = change("/name", "N", "M", kind="conflict", base="O", file="assistants/_defaults.yaml", line=3)
    ((_, properties, _),) = commands(document("plan", *(assistant(key, moved) for key in "abcd"), base=BASE))
    assert properties == {"file": "assistants/_defaults.yaml", "line": "3", "title": "Conflict: 4 assistants"}


@pytest.mark.parametrize("name", ["::stop-commands::x", "##[debug]x", "  ::error::x"])
def test_a_report_with_a_made_up_command_commands_nothing(name: str) -> None:
    text = render_github(document(name))
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())


def test_a_command_is_one_line_whatever_it_carries() -> None:
    text = write_command("error", {"file": "a:b,c%\n", "line": 3, "col": ""}, "50%\r\n::x::")
    assert text == "::error file=a%3Ab%2Cc%25%0A,line=3::50%25%0D%0A::x::"
    assert write_command("notice", {}, "") == "::notice::"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a :: b\n::error::x", "a :: b\n: :error::x"),
        ("\n \t::x::", "\n \t: :x::"),
        (":::x", ": ::x"),
        ("a ##[set-output]x", "a # #[set-output]x"),
        ("####[x", "### #[x"),
        ("# [x] #1", "# [x] #1"),
    ],
)
def test_text_that_looks_like_a_command_is_none(text: str, harmless: str) -> None:
    assert disarm(text) == harmless
