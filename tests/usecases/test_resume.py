"""`apply --resume REPORT`: what had no clear answer is sent again, recomputed from today."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from between import answer_with
from json_reports import Document
from projects import outcomes
from stories import Story, entries, story

LIVE = {name: {"firstMessage": "old", "metadata": {"key": "s3cret-old"}} for name in ("a", "b")}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path / "project", LIVE) as repo:
        for name in ("a", "b"):
            repo.write(name, id=f"asst_{name}", firstMessage="new")
        repo.commit()
        yield repo


def apply_unclear(repo: Story, *, landed: bool, options: tuple[str, ...] = ()) -> Document:
    """The report of an apply whose write to `a` had no clear answer."""
    with repo.intercept(answer_with(502, "a", landed=landed)):
        document = repo.apply(*options)
    assert outcomes(document) == {"a": "indeterminate", "b": "applied"}
    repo.sandbox.forget_requests()
    return document


@pytest.mark.parametrize("landed", [True, False])
def test_the_fields_are_sent_even_where_live_looks_right(repo: Story, landed: bool) -> None:
    report = repo.save_report(apply_unclear(repo, landed=landed))
    document = repo.apply("--resume", report)
    assert outcomes(document) == {"a": "applied"}
    assert repo.sandbox.patches == [{"firstMessage": "new"}]
    assert repo.sandbox.provider("asst_a")["firstMessage"] == "new"


@pytest.mark.parametrize("landed", [True, False])
def test_the_values_are_todays(repo: Story, landed: bool) -> None:
    report = repo.save_report(apply_unclear(repo, landed=landed))
    repo.write("a", id="asst_a", firstMessage="newer", endCallMessage="Bye")
    repo.commit()
    assert outcomes(repo.apply("--resume", report)) == {"a": "applied"}
    assert repo.sandbox.patches == [{"firstMessage": "newer"}]


@pytest.mark.parametrize("recorded", [False, True])
def test_nothing_else_of_the_assistant_is_sent(repo: Story, recorded: bool) -> None:
    """Neither a live edit that looks like a change without a base, nor what git has changed since."""
    options = ("--record", "--base", "none") if recorded else ()
    report = repo.save_report(apply_unclear(repo, landed=True, options=options))
    repo.sandbox.edit("asst_a", voicemailMessage="theirs")
    repo.write("a", id="asst_a", firstMessage="new", endCallMessage="Bye", voicemailMessage="ours")
    repo.commit()
    entry = entries(repo.apply("--resume", report))["a"]
    assert repo.sandbox.patches == [{"firstMessage": "new"}]
    sent = {change["path"]: (change["sent"], change.get("unsent")) for change in entry["changes"]}
    assert sent == {"/endCallMessage": (False, "kept"), "/voicemailMessage": (False, "kept")}
    assert entry["outcome"] == "applied"
    later = entries(repo.plan())["a"]["changes"]
    assert {change["path"]: change["kind"] for change in later} == dict.fromkeys(sent, "change")


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("git_moves", [True, False], ids=["conflict", "drift"])
def test_a_live_edit_of_another_field_stops_nothing(repo: Story, landed: bool, git_moves: bool) -> None:
    """Wherever the write has arrived: the run is about its fields alone."""
    repo.write("a", id="asst_a", firstMessage="old", voicemailMessage="ours")
    repo.commit()
    repo.apply_and_record()
    repo.write("a", id="asst_a", firstMessage="new", voicemailMessage="ours")
    repo.write("b", id="asst_b", firstMessage="newer")
    repo.commit()
    report = repo.save_report(apply_unclear(repo, landed=landed))
    repo.sandbox.edit("asst_a", voicemailMessage="theirs")
    if git_moves:
        repo.write("a", id="asst_a", firstMessage="new", voicemailMessage="ours again")
        repo.commit()
    entry = entries(repo.apply("--resume", report, "--on-drift", "fail"))["a"]
    assert (entry["outcome"], repo.sandbox.patches) == ("applied", [{"firstMessage": "new"}])
    (left,) = [change for change in entry["changes"] if change["path"] == "/voicemailMessage"]
    assert (left["kind"], left.get("unsent")) == ("conflict" if git_moves else "drift", "kept")


@pytest.mark.parametrize("landed", [True, False])
def test_it_does_so_also_against_a_base(repo: Story, landed: bool) -> None:
    report = repo.save_report(apply_unclear(repo, landed=landed))
    document = repo.apply("--resume", report, "--base", "HEAD")  # by which what is not live would have drifted
    assert outcomes(document) == {"a": "applied"}
    assert repo.sandbox.patches == [{"firstMessage": "new"}]


def test_a_third_value_is_somebody_elses(repo: Story) -> None:
    report = repo.save_report(apply_unclear(repo, landed=False))
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    document = repo.apply("--resume", report)
    entry = entries(document)["a"]
    assert entry["outcome"] == "refused"
    assert entry["error"] is not None
    assert (entry["error"]["kind"], "neither the old value" in entry["error"]["message"]) == ("conflict", True)
    assert repo.sandbox.patches == []


def test_what_was_sent_again_is_sent_once_more(repo: Story) -> None:
    first = apply_unclear(repo, landed=True)
    with repo.intercept(answer_with(500, "a")) as server:
        again = repo.apply("--resume", repo.save_report({**first, "api_url": server.url}))
    assert (outcomes(again), entries(again)["a"]["changes"]) == ({"a": "indeterminate"}, [])
    assert outcomes(repo.apply("--resume", repo.save_report(again))) == {"a": "applied"}
    assert repo.sandbox.patches == [{"firstMessage": "new"}]


def test_a_sensitive_value_is_not_in_the_report_and_only_todays_is_known(repo: Story) -> None:
    repo.project.configure(sensitive=["/metadata/key"])
    repo.write("a", id="asst_a", metadata={"key": "s3cret-new"})
    repo.commit()
    landed = repo.save_report(apply_unclear(repo, landed=True), "landed.json")
    assert "s3cret" not in landed.read_text()
    assert outcomes(repo.apply("--resume", landed)) == {"a": "applied"}
    repo.sandbox.edit("asst_a", metadata={"key": "s3cret-old"})
    document = repo.apply("--resume", landed)
    error = entries(document)["a"]["error"]
    assert outcomes(document) == {"a": "refused"}
    assert error is not None
    assert "metadata.key differs from git, and somebody may have changed it" in error["message"]


def test_a_plan_that_sends_an_unclear_write_again_is_a_difference(repo: Story) -> None:
    """Live shows it, and only one of two stores may have it: a pipeline that applies where a plan exits with 2 must."""
    apply_unclear(repo, landed=True, options=("--record", "--base", "none"))
    report = repo.root.parent / "plan.xml"
    result = repo.run("plan", "--detailed-exitcode", "--report", report)
    assert result.code == 2
    # The provider may not have it, so nobody may say that it is in sync; a pull request's comment has it, too.
    assert "0 to change, 0 drifted, 0 conflicts, 1 unclear, 1 in sync" in result.stdout
    files = {name: str(repo.root.parent / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    repo.run("plan", "--format", "github", env=files)
    assert "has_changes=true" in Path(files["GITHUB_OUTPUT"]).read_text("utf-8")
    comment = Path(files["GITHUB_STEP_SUMMARY"]).read_text("utf-8")
    assert "| unclear, the last write may not have arrived |" in comment
    assert "firstMessage is sent again" in comment
    assert "1 unclear, 1 in sync" in repo.run("drift").stdout

    assert '<failure message="firstMessage is sent again although it is live:' in report.read_text("utf-8")
    assert repo.run("drift", "--detailed-exitcode").code == 0
    repo.apply()
    assert repo.run("plan", "--detailed-exitcode").code == 0


def test_the_record_is_settled_by_it(repo: Story) -> None:
    report = repo.save_report(apply_unclear(repo, landed=True, options=("--record", "--base", "none")))
    assert len(repo.trailers) == 1
    assert outcomes(repo.apply_and_record("--resume", report)) == {"a": "applied"}
    assert repo.trailers == []


def test_a_report_that_cannot_be_resumed_here_is_refused_before_anything_is_sent(repo: Story) -> None:
    report = repo.save_report(apply_unclear(repo, landed=False))
    refused = {
        ("--resume", report, "assistants/a.yaml"): "--resume already selects the assistants",
        ("--resume", report, "--plan", report): "--plan and --resume cannot be combined",
    }
    repo.sandbox.forget_requests()
    for arguments, message in refused.items():
        result = repo.run("apply", "--yes", *arguments)
        assert (result.code, message in result.stderr) == (1, True), result.stderr
    (repo.root / "assistants" / "a.yaml").unlink()
    result = repo.run("apply", "--yes", "--resume", report)
    assert (result.code, "the write to asst_a is unclear, but no definition has that id" in result.stderr) == (1, True)
    assert repo.sandbox.patches == []


def test_a_deletion_is_not_resumed(repo: Story) -> None:
    """It would end as unchanged, and nobody knows whether the assistant is gone."""
    file = repo.root.parent / "deleted.json"
    repo.sandbox.rehearse("DELETE *: 500")
    deletion = repo.run("delete", "assistants/a.yaml", "--yes", "--name", "a", "--force-conflicts", "--report", file)
    assert deletion.code == 1
    result = repo.run("apply", "--yes", "--resume", file)
    assert (result.code, result.stdout) == (1, "")
    assert "a deletion" in result.stderr


def test_nothing_unclear_is_nothing_to_do(repo: Story) -> None:
    report = repo.save_report(repo.apply())
    repo.sandbox.forget_requests()
    result = repo.run("apply", "--yes", "--resume", report)
    assert (result.code, repo.sandbox.requests) == (0, []), result.stdout + result.stderr
