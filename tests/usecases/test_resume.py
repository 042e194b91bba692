"""`apply --resume REPORT`: what had no clear answer is sent again, recomputed from today."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from between import Answer, Forward, Request, error_answer
from json_reports import Document
from projects import outcomes
from stories import Story, entries, story

LIVE = {name: {"firstMessage": "old", "metadata": {"key": "s3cret-old"}} for name in ("a", "b")}


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path / "project", LIVE) as tale:
        for name in ("a", "b"):
            tale.write(name, id=f"asst_{name}", firstMessage="new")
        tale.commit()
        yield tale


def apply_unclear(tale: Story, *, landed: bool, options: tuple[str, ...] = ()) -> Document:
    """The report of an apply whose write to `a` had no clear answer."""

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == "PATCH" and request.path.endswith("_a"):
            if landed:
                forward(request)
            return error_answer(502)
        return forward(request)

    with tale.intercept(meddle):
        document = tale.apply(*options)
    assert outcomes(document) == {"a": "indeterminate", "b": "applied"}
    tale.sandbox.forget_requests()
    return document


@pytest.mark.parametrize("landed", [True, False])
def test_the_fields_are_sent_even_where_live_looks_right(tale: Story, landed: bool) -> None:
    report = tale.save_report(apply_unclear(tale, landed=landed))
    document = tale.apply("--resume", report)
    assert outcomes(document) == {"a": "applied"}
    assert tale.sandbox.patches == [{"firstMessage": "new"}]
    assert tale.sandbox.provider("asst_a")["firstMessage"] == "new"


@pytest.mark.parametrize("landed", [True, False])
def test_the_values_are_todays(tale: Story, landed: bool) -> None:
    report = tale.save_report(apply_unclear(tale, landed=landed))
    tale.write("a", id="asst_a", firstMessage="newer", endCallMessage="Bye")
    tale.commit()
    assert outcomes(tale.apply("--resume", report)) == {"a": "applied"}
    assert tale.sandbox.patches == [{"firstMessage": "newer", "endCallMessage": "Bye"}]


@pytest.mark.parametrize("landed", [True, False])
def test_it_does_so_also_against_a_base(tale: Story, landed: bool) -> None:
    report = tale.save_report(apply_unclear(tale, landed=landed))
    document = tale.apply("--resume", report, "--base", "HEAD")  # by which what is not live would have drifted
    assert outcomes(document) == {"a": "applied"}
    assert tale.sandbox.patches == [{"firstMessage": "new"}]


def test_a_third_value_is_somebody_elses(tale: Story) -> None:
    report = tale.save_report(apply_unclear(tale, landed=False))
    tale.sandbox.edit("asst_a", firstMessage="theirs")
    document = tale.apply("--resume", report)
    entry = entries(document)["a"]
    assert entry["outcome"] == "refused"
    assert entry["error"] is not None
    assert (entry["error"]["kind"], "neither the old value" in entry["error"]["message"]) == ("conflict", True)
    assert tale.sandbox.patches == []


def test_what_was_sent_again_is_sent_once_more(tale: Story) -> None:
    first = apply_unclear(tale, landed=True)

    def meddle(request: Request, forward: Forward) -> Answer:
        return error_answer(500) if request.method == "PATCH" else forward(request)

    with tale.intercept(meddle) as server:
        again = tale.apply("--resume", tale.save_report({**first, "api_url": server.url}))
    assert (outcomes(again), entries(again)["a"]["changes"]) == ({"a": "indeterminate"}, [])
    assert outcomes(tale.apply("--resume", tale.save_report(again))) == {"a": "applied"}
    assert tale.sandbox.patches == [{"firstMessage": "new"}]


def test_a_sensitive_value_is_not_in_the_report_and_only_todays_is_known(tale: Story) -> None:
    tale.project.configure(sensitive=["/metadata/key"])
    tale.write("a", id="asst_a", metadata={"key": "s3cret-new"})
    tale.commit()
    landed = tale.save_report(apply_unclear(tale, landed=True), "landed.json")
    assert "s3cret" not in landed.read_text()
    assert outcomes(tale.apply("--resume", landed)) == {"a": "applied"}
    tale.sandbox.edit("asst_a", metadata={"key": "s3cret-old"})
    assert outcomes(tale.apply("--resume", landed)) == {"a": "refused"}


def test_a_plan_that_sends_an_unclear_write_again_is_a_difference(tale: Story) -> None:
    """Live shows it, and only one of two stores may have it: a pipeline that applies where a plan exits with 2 must."""
    apply_unclear(tale, landed=True, options=("--record", "--base", "none"))
    report = tale.root.parent / "plan.xml"
    result = tale.run("plan", "--detailed-exitcode", "--report", report)
    assert result.code == 2
    # The provider may not have it, so nobody may say that it is in sync; a pull request's comment has it, too.
    assert "0 to change, 0 drifted, 0 conflicts, 1 unclear, 1 in sync" in result.stdout
    files = {name: str(tale.root.parent / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    tale.run("plan", "--format", "github", env=files)
    assert "has_changes=true" in Path(files["GITHUB_OUTPUT"]).read_text("utf-8")
    comment = Path(files["GITHUB_STEP_SUMMARY"]).read_text("utf-8")
    assert "| unclear, the last write may not have arrived |" in comment
    assert "firstMessage is sent again" in comment
    assert "1 unclear, 1 in sync" in tale.run("drift").stdout

    assert '<failure message="firstMessage is sent again although it is live:' in report.read_text("utf-8")
    assert tale.run("drift", "--detailed-exitcode").code == 0
    tale.apply()
    assert tale.run("plan", "--detailed-exitcode").code == 0


def test_the_record_is_settled_by_it(tale: Story) -> None:
    report = tale.save_report(apply_unclear(tale, landed=True, options=("--record", "--base", "none")))
    assert len(tale.trailers) == 1
    assert outcomes(tale.apply_and_record("--resume", report)) == {"a": "applied"}
    assert tale.trailers == []


def test_a_report_that_cannot_be_resumed_here_is_refused_before_anything_is_sent(tale: Story) -> None:
    unresolved = apply_unclear(tale, landed=False)
    report = tale.save_report(unresolved)
    refused = {
        ("--resume", report, "assistants/a.yaml"): "--resume already selects the assistants",
        ("--resume", report, "--plan", report): "--plan and --resume cannot be combined",
        ("--resume", tale.save_report(tale.plan(), "plan.json")): "this is a report of `plan`",
        (
            "--resume",
            tale.save_report({**unresolved, "api_url": "http://other.test/api"}, "other.json"),
        ): "this report is for http://other",
    }
    tale.sandbox.forget_requests()
    for arguments, message in refused.items():
        result = tale.run("apply", "--yes", *arguments)
        assert (result.code, message in result.stderr) == (1, True), result.stderr
    (tale.root / "assistants" / "a.yaml").unlink()
    result = tale.run("apply", "--yes", "--resume", report)
    assert (result.code, "the write to asst_a is unclear, and no definition has that id" in result.stderr) == (1, True)
    assert tale.sandbox.patches == []


def test_nothing_unclear_is_nothing_to_do(tale: Story) -> None:
    report = tale.save_report(tale.apply())
    tale.sandbox.forget_requests()
    result = tale.run("apply", "--yes", "--resume", report)
    assert (result.code, tale.sandbox.requests) == (0, []), result.stdout + result.stderr
