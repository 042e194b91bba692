"""Whether a change was sent is decided once: reports that are merged, masked, partial or resumed are undone by it."""

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Meddle, Request, answer_with
from desks import (
    check_success,
    commit_change,
    commit_settings,
    desks,
    ignore_writes,
    live,
    live_value,
    merge_reports,
    roll_back,
)
from json_reports import Document
from projects import outcomes
from stories import InstalledStory, Story, entries


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    with desks(tmp_path / "repository", "a", "b") as repo:
        yield repo


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Story]:
    """The same, told with the installed command: for the rows of the field reports themselves."""
    with desks(tmp_path / "repository", "a", "b", kind=InstalledStory) as repo:
        yield repo


def sent_marks(document: Document) -> dict[str, dict[str, Any]]:
    """What a report says of each change: was it sent, or would it be."""
    return {
        key: {change["path"]: change.get("sent", "not said") for change in entry["changes"]}
        for key, entry in entries(document).items()
    }


# --- every change says whether it is sent


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The options of a run over four desks, and which changes go out under them."""

    options: tuple[str, ...]
    git: bool = True
    drift: bool = False
    conflict: bool = False
    git_beside_drift: bool = True
    git_beside_conflict: bool = False


CHOICES = [
    Choice(options=()),
    Choice(options=("--on-drift", "revert"), drift=True),
    Choice(options=("--on-drift", "fail"), git_beside_drift=False),
    Choice(options=("--force-conflicts",), conflict=True, git_beside_conflict=True),
    Choice(options=("--force-conflicts", "--on-drift", "revert"), drift=True, conflict=True, git_beside_conflict=True),
    Choice(options=("--base", "none", "--record"), drift=True, conflict=True, git_beside_conflict=True),
]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: " ".join(choice.options) or "no options")
def test_a_plan_says_what_apply_sends_and_apply_what_it_sent(tmp_path: Path, choice: Choice) -> None:
    with desks(tmp_path / "repository", "git", "drift", "both", "torn") as repo:
        for name in ("drift", "both", "torn"):
            repo.sandbox.edit(f"asst_{name}", firstMessage="theirs")
        commit_change(repo, "git", firstMessage="ours")
        commit_change(repo, "both", name="Ours")
        commit_change(repo, "torn", name="Ours", firstMessage="ours")
        expected = {
            "git": {"/firstMessage": choice.git},
            "drift": {"/firstMessage": choice.drift},
            "both": {"/name": choice.git_beside_drift, "/firstMessage": choice.drift},
            "torn": {"/name": choice.git_beside_conflict, "/firstMessage": choice.conflict},
        }
        options = [option for option in choice.options if option != "--record"]
        planned, applied = repo.plan(*options), repo.apply(*choice.options)
        patched = {
            name: {f"/{path}" for path in ("name", "firstMessage") if path in (entry["patch"] or {})}
            for name, entry in entries(applied).items()
        }
    assert sent_marks(planned) == expected
    assert sent_marks(applied) == expected
    assert patched == {name: {path for path, is_sent in paths.items() if is_sent} for name, paths in expected.items()}


def drop_answer(request: Request, forward: Forward) -> Answer | None:
    return None if request.method == "PATCH" else forward(request)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the write of a changed desk ends, and whether a request carried it or may have."""

    outcome: str
    sent: bool
    meddle: Meddle | None = None
    options: tuple[str, ...] = ()
    edited_between: bool = False


ENDINGS = {
    "taken": Ending(outcome="applied", sent=True),
    "a bad request": Ending(outcome="failed", sent=True, meddle=answer_with(400, "a")),
    "a server that fails": Ending(outcome="indeterminate", sent=True, meddle=answer_with(502, "a", landed=True)),
    "no answer": Ending(outcome="indeterminate", sent=True, meddle=drop_answer),
    "an API that stores nothing": Ending(outcome="not_converged", sent=True, meddle=ignore_writes),
    "an edit in between": Ending(outcome="refused", sent=False, edited_between=True),
    "too many changes": Ending(outcome="skipped", sent=False, options=("--max-changes", "0")),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_run_says_whether_a_request_carried_a_change(repo: Story, name: str) -> None:
    ending = ENDINGS[name]
    commit_change(repo, "a", firstMessage="ours")
    readings = itertools.count()

    def edit(method: str, path: str, body: Any) -> None:
        if method == "GET" and path.endswith("_a") and next(readings) == 1:
            repo.sandbox.edit("asst_a", firstMessage="theirs")

    if ending.edited_between:
        repo.sandbox.before_each(edit)
    with repo.intercept(ending.meddle or (lambda request, forward: forward(request))):
        document = repo.apply(*ending.options)
    assert outcomes(document)["a"] == ending.outcome
    assert sent_marks(document)["a"] == {"/firstMessage": ending.sent}


def test_what_was_never_begun_was_not_sent(repo: Story) -> None:
    for name in "ab":
        commit_change(repo, name, firstMessage="ours")
    with repo.intercept(answer_with(400, "a")):
        document = repo.apply("--fail-fast", "--concurrency", "1")
    assert outcomes(document) == {"a": "failed", "b": "skipped"}
    assert sent_marks(document) == {"a": {"/firstMessage": True}, "b": {"/firstMessage": False}}


# --- merged reports


def revert_edit(repo: Story) -> Document:
    """The report of a run that put git's greeting of `a` back over somebody's."""
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    document = repo.apply("--on-drift", "revert")
    assert live_value(repo, "a") == "Hello!"
    return document


def apply_change(repo: Story, key: str, *options: str, **fields: Any) -> Document:
    """The report of a run that brought a commit live."""
    commit_change(repo, key, **fields)
    document = repo.apply_and_record(*options)
    assert outcomes(document)[key] == "applied"
    return document


def test_a1_both_runs_of_a_merged_report_are_undone(installed: Story) -> None:
    repo, before = installed, live(installed, "b")
    merged = merge_reports(repo, revert_edit(repo), apply_change(repo, "b", firstMessage="ours"))
    result, became = roll_back(repo, merged)
    assert (result.code, became) == (0, {"a": "applied", "b": "applied"}), result.stderr
    assert (live_value(repo, "a"), live(repo, "b")) == ("theirs", before)


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Two runs that wrote the same desk: what git said in each."""

    first: dict[str, Any]
    second: dict[str, Any]


CHAINS = {
    "the same field": Chain(first={"firstMessage": "one"}, second={"firstMessage": "two"}),
    "the same nested field": Chain(first={"model": {"temperature": 0.1}}, second={"model": {"temperature": 0.2}}),
    "the same list": Chain(first={"endCallPhrases": ["one"]}, second={"endCallPhrases": ["one", "two"]}),
    "a field that was not there": Chain(first={"endCallMessage": "one"}, second={"endCallMessage": "two"}),
    "there and gone again": Chain(first={"voicemailMessage": "one"}, second={"voicemailMessage": None}),
    "other fields": Chain(first={"name": "One"}, second={"name": "One", "firstMessage": "two"}),
    "one more field": Chain(first={"firstMessage": "one"}, second={"firstMessage": "two", "name": "Two"}),
    "there and back": Chain(first={"firstMessage": "one", "name": "One"}, second={"name": "One"}),
}


@pytest.mark.parametrize("name", CHAINS)
def test_values_that_two_runs_changed_go_back_to_where_the_first_began(repo: Story, name: str) -> None:
    before = live(repo, "a")
    chain = CHAINS[name]
    merged = merge_reports(repo, apply_change(repo, "a", **chain.first), apply_change(repo, "a", **chain.second))
    result, became = roll_back(repo, merged)
    assert result.code == 0, result.stderr
    assert set(became.values()) <= {"applied", "unchanged"}
    now = live(repo, "a")
    assert {key: value for key, value in now.items() if value is not None} == before


def test_three_runs_go_back_to_where_the_first_began(repo: Story) -> None:
    merged = merge_reports(repo, *(apply_change(repo, "a", firstMessage=text) for text in ("one", "two", "three")))
    result, _ = roll_back(repo, merged)
    assert (result.code, live_value(repo, "a")) == (0, "Hello!"), result.stderr


def test_the_order_of_the_files_makes_no_half_of_it(repo: Story) -> None:
    first, second = apply_change(repo, "a", firstMessage="one"), apply_change(repo, "a", firstMessage="two")
    result, _ = roll_back(repo, merge_reports(repo, second, first))
    assert (result.code, live_value(repo, "a")) in [(0, "Hello!"), (1, "two")]  # all of it, or nothing


@dataclass(frozen=True, kw_only=True)
class Edited:
    """What somebody did to a desk between two runs that wrote it, and what the second run did about it."""

    edit: dict[str, Any]
    second: dict[str, Any]
    options: tuple[str, ...] = ()


EDITED = {
    "the field that both runs wrote": Edited(
        edit={"firstMessage": "theirs"}, second={"firstMessage": "two"}, options=("--force-conflicts",)
    ),
    "the field that the first run wrote, and the second put back": Edited(
        edit={"firstMessage": "theirs"}, second={"firstMessage": "one"}, options=("--on-drift", "revert")
    ),
    "the field that the first run wrote, and the second left": Edited(
        edit={"firstMessage": "theirs"}, second={"firstMessage": "one", "name": "Two"}
    ),
}


@pytest.mark.parametrize("name", EDITED)
def test_an_edit_between_the_two_runs_refuses_that_assistant_alone(repo: Story, name: str) -> None:
    edited = EDITED[name]
    before = live(repo, "b")
    commit_change(repo, "b", firstMessage="one")
    first = apply_change(repo, "a", firstMessage="one")
    repo.sandbox.edit("asst_a", **edited.edit)
    second = apply_change(repo, "a", *edited.options, **edited.second)
    after = live(repo, "a")
    result, became = roll_back(repo, merge_reports(repo, first, second))
    assert (result.code, became) == (1, {"a": "refused", "b": "applied"}), result.stderr
    assert (live(repo, "a"), live(repo, "b")) == (after, before)


@pytest.mark.parametrize("landed", [True, False], ids=["it had landed", "it had not"])
@pytest.mark.parametrize("which", ["the first", "both"])
def test_a_write_that_was_resumed_is_undone(repo: Story, landed: bool, which: str) -> None:
    commit_change(repo, "a", firstMessage="ours")
    with repo.intercept(answer_with(502, "a", landed=landed)):
        first = repo.apply()
    assert outcomes(first)["a"] == "indeterminate"
    second = repo.apply("--resume", repo.save_report(first))
    assert (outcomes(second), live_value(repo, "a")) == ({"a": "applied"}, "ours")
    report = repo.save_report(first) if which == "the first" else merge_reports(repo, first, second)
    result, _ = roll_back(repo, report)
    assert (result.code, live_value(repo, "a")) == (0, "Hello!"), result.stderr


def test_of_a_partial_run_only_what_was_sent_is_undone(repo: Story) -> None:
    first = apply_change(repo, "a", firstMessage="one")
    for name in "ab":
        commit_change(repo, name, firstMessage="two")
    with repo.intercept(answer_with(400, "a")):
        second = repo.apply("--fail-fast", "--concurrency", "1")
    assert outcomes(second) == {"a": "failed", "b": "skipped"}
    repo.sandbox.edit("asst_b", firstMessage="two")  # somebody typed what the run did not send
    result, _ = roll_back(repo, merge_reports(repo, first, second))
    assert (result.code, live_value(repo, "a"), live_value(repo, "b")) == (0, "Hello!", "two"), result.stderr


def test_drift_that_one_run_reverted_and_another_kept_is_not_mistaken(repo: Story) -> None:
    first = revert_edit(repo)
    repo.sandbox.edit("asst_b", firstMessage="theirs, too")
    second = apply_change(repo, "b", name="Ours")
    assert sent_marks(second)["b"] == {"/name": True, "/firstMessage": False}
    result, _ = roll_back(repo, merge_reports(repo, first, second))
    assert (result.code, live_value(repo, "a"), live_value(repo, "b")) == (0, "theirs", "theirs, too"), result.stderr
    assert live_value(repo, "b", "name") == "Desk"


def test_a_plan_that_was_merged_in_was_never_sent(repo: Story) -> None:
    commit_change(repo, "a", firstMessage="ours")
    planned = repo.plan()
    result = repo.apply()
    commit_change(repo, "b", firstMessage="ours")
    repo.sandbox.edit("asst_b", firstMessage="ours")
    merged = merge_reports(repo, planned, repo.plan(), result)
    ended, _ = roll_back(repo, merged)
    assert live_value(repo, "b") == "ours"
    assert (ended.code, live_value(repo, "a")) in [(0, "Hello!"), (1, "ours")]  # a plan among them may be refused


@pytest.mark.parametrize("form", ["text", "markdown", "github"])
def test_a_merged_report_reads_as_the_reports_that_it_is_made_of(repo: Story, form: str) -> None:
    first = revert_edit(repo)
    repo.sandbox.edit("asst_b", firstMessage="theirs, too")
    second = apply_change(repo, "b", name="Ours")

    def lines(*documents: Document) -> list[str]:
        files = [repo.save_report(document, f"{number}.json") for number, document in enumerate(documents)]
        result = check_success(repo.run("report", *files, "--format", form))
        return sorted(line for line in result.stdout.splitlines() if "firstMessage" in line)

    assert lines(first, second) == sorted([*lines(first), *lines(second)])


# --- masked reports


@pytest.fixture
def secretive(tmp_path: Path) -> Iterator[Story]:
    """Two desks with a value that no report may show."""
    with desks(tmp_path / "repository", "a", "b", metadata={"key": "s3cret"}) as repo:
        commit_settings(repo, sensitive=["/metadata/key"])
        repo.apply_and_record()
        yield repo


def test_a_masked_change_that_was_sent_refuses_the_whole_assistant(secretive: Story) -> None:
    first = apply_change(secretive, "a", metadata={"key": "s3cret-2"})
    commit_change(secretive, "b", metadata={"key": "s3cret"}, firstMessage="ours")
    second = apply_change(secretive, "a", metadata={"key": "s3cret-2"}, firstMessage="ours")
    after = live(secretive, "a")
    merged = merge_reports(secretive, first, second)
    assert "s3cret" not in merged.read_text("utf-8")
    result, became = roll_back(secretive, merged)
    assert (result.code, became) == (1, {"a": "refused", "b": "applied"}), result.stderr
    assert (live(secretive, "a"), live_value(secretive, "b")) == (after, "Hello!")


def test_masked_drift_that_nobody_sent_stands_in_no_ones_way(secretive: Story) -> None:
    first = revert_edit(secretive)
    secretive.sandbox.edit("asst_b", metadata={"own": 1, "key": "s3cret-of-theirs"})
    second = apply_change(secretive, "b", metadata={"key": "s3cret"}, firstMessage="ours")
    assert sent_marks(second)["b"] == {"/firstMessage": True, "/metadata/key": False}
    result, became = roll_back(secretive, merge_reports(secretive, first, second))
    assert (result.code, became) == (0, {"a": "applied", "b": "applied"}), result.stderr
    assert (live_value(secretive, "a"), live_value(secretive, "b")) == ("theirs", "Hello!")
    assert live_value(secretive, "b", "metadata")["key"] == "s3cret-of-theirs"


# --- reports that do not say it

TAKEN_AWAY: dict[str, Callable[[dict[str, Any]], Any]] = {
    "missing": lambda change: change.pop("sent", None),
    "null": lambda change: change.update(sent=None),
    "a word": lambda change: change.update(sent="true"),
    "a number": lambda change: change.update(sent=1),
}


def remove_sent_marks(document: Document, way: str, *keys: str) -> Document:
    """The report of a version that did not say what was sent, in the changes of some assistants."""
    copied = copy.deepcopy(document)
    for key in keys:
        for change in entries(copied)[key]["changes"]:
            TAKEN_AWAY[way](change)
    return copied


@pytest.mark.parametrize("how", TAKEN_AWAY)
@pytest.mark.parametrize("keys", [("a", "b"), ("b",)], ids=["in all changes", "in one"])
def test_a_report_that_does_not_say_what_was_sent_is_refused_by_name(repo: Story, how: str, keys: Any) -> None:
    for name in "ab":
        commit_change(repo, name, firstMessage="ours")
    with repo.intercept(answer_with(502, "b", landed=True)):
        document = repo.apply()
    report = repo.save_report(remove_sent_marks(document, how, *keys), "of_an_older_version.json")
    repo.sandbox.forget_requests()
    commands: list[list[str | Path]] = [["rollback", report, "--yes"], ["apply", "--yes", "--resume", report]]
    for command in commands:
        result = repo.run(*command)
        assert (result.code, result.stdout) == (1, ""), command
        assert re.search("[`'\"/]sent\\b", result.stderr), result.stderr
    assert repo.sandbox.patches == []


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_a_report_that_does_not_say_what_was_sent_can_still_be_read(repo: Story, form: str) -> None:
    commit_change(repo, "b", firstMessage="ours")
    report = repo.save_report(remove_sent_marks(repo.apply(), "missing", "b"), "of_an_older_version.json")
    other = repo.save_report(apply_change(repo, "a", firstMessage="ours"), "other.json")
    for files in ([report], [report, other]):
        result = check_success(repo.run("report", *files, "--format", form))
        if form != "github":
            assert "firstMessage" in result.stdout
            assert "ours" in result.stdout


def test_a_merged_report_with_one_that_does_not_say_it_is_refused(repo: Story) -> None:
    older = remove_sent_marks(apply_change(repo, "a", firstMessage="ours"), "missing", "a")
    result, _ = roll_back(repo, merge_reports(repo, older, apply_change(repo, "b", firstMessage="ours")))
    assert (result.code, "sent" in result.stderr) == (1, True), result.stderr
    assert (live_value(repo, "a"), live_value(repo, "b")) == ("ours", "ours")


def test_a_report_without_any_change_has_nothing_to_say(repo: Story) -> None:
    report = repo.save_report(json.loads(json.dumps(repo.apply())))
    assert repo.run("rollback", report, "--yes").code == 0
