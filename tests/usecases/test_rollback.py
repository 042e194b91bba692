"""Undoing an apply: what its report says was there before is there again, or the assistant is refused whole."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, answer_with, json_answer
from commands import COMMAND, connection_variables, environment
from histories import commit_as, merge
from json_reports import Document
from projects import MODEL, kinds, only_assistant, outcomes, paths
from stories import Nested, Story, entries, story

LIVE = {
    "name": "A",
    "firstMessage": "old",
    "model": {**MODEL, "messages": [{"role": "system", "content": "Hi"}]},
    "metadata": {"own": 1, "key": "old"},
    "endCallPhrases": ["bye", "so long"],
    "tools": [{"kind": "transfer"}],
}
OURS = ("updatedAt",)


@pytest.fixture
def repo(tmp_path: Path, nested: Nested) -> Iterator[Story]:
    """One assistant with fields that nobody declares, under both server semantics."""
    with story(tmp_path / "repository", {"a": LIVE}, nested=nested) as repo:
        yield repo


def read_live(repo: Story, name: str = "a") -> dict[str, Any]:
    return {key: value for key, value in repo.sandbox.live(f"asst_{name}").items() if key not in OURS}


def read_provider(repo: Story, name: str = "a") -> dict[str, Any]:
    return {key: value for key, value in repo.sandbox.provider(f"asst_{name}").items() if key not in OURS}


def apply_fields(repo: Story, *options: str, **fields: Any) -> Document:
    """Declare some fields of `a`, commit and apply them."""
    repo.write("a", **fields)
    repo.commit()
    document = repo.apply(*options)
    assert outcomes(document)["a"] == "applied"
    repo.sandbox.forget_requests()
    return document


def apply_new(repo: Story) -> Document:
    """Apply a new `firstMessage` of `a`, and record it."""
    repo.write("a", firstMessage="new")
    repo.commit()
    return repo.apply_and_record()


def read_reason(document: Document) -> str:
    error = only_assistant(document)["error"]
    assert error is not None
    return f"{error['kind']}: {error['message']}"


class TestOldValues:
    @pytest.mark.parametrize(
        "fields",
        [
            {"firstMessage": "new"},
            {"firstMessage": None},
            {"name": "B", "firstMessage": "new\n\nlines "},
            {"model": {"temperature": 1.0}},
            {"model": {"provider": "anthropic", "model": "claude", "temperature": 0}},
            {"metadata": {"key": "new"}},
            {"metadata": {"key": None}},
            {"metadata": {"key": {"deep": 1, "deeper": {"x": [1]}}}},
            {"metadata": {"key": ["a", {"b": 1}]}},
            {"metadata": {"key": True}},
            {"metadata": None},
            {"endCallPhrases": ["goodbye"]},
            {"endCallPhrases": []},
            {"endCallPhrases": None},
            {"endCallPhrases": ["bye", "so long", "bye"]},
        ],
    )
    def test_are_live_again(self, repo: Story, fields: dict[str, Any]) -> None:
        before = read_live(repo)
        document = apply_fields(repo, **fields)
        assert read_live(repo) != before
        rollback = repo.rollback(document)
        assert outcomes(rollback) == {"a": "applied"}
        assert (read_live(repo), read_provider(repo)["tools"]) == (before, LIVE["tools"])
        assert (rollback["command"], rollback["summary"]["applied"]) == ("rollback", 1)
        assert len(repo.sandbox.patches) == 1

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ([{"a": 1}], [{"a": 1, "b": 2}]),
            ([{"a": 1, "own": 9}, {"b": 1}], [{"a": 1}, {"b": 2}]),
            ([{"a": 1}, {"b": 1}], [{"a": 1, "x": 2}, {"b": 2}]),
            ([[1], []], [[1]]),
            ([{}], []),
            ([None, 1], [1]),
            ({"p": 1, "own": {"q": [{"r": 1}]}}, "text"),
            ({"p": [{"r": 1}]}, None),
            ("text", {"p": {"q": 1}}),
            (0, False),
            (1, "1"),
            (False, None),
        ],
    )
    def test_of_every_shape_come_back_exactly(self, repo: Story, old: Any, new: Any) -> None:
        repo.sandbox.edit("asst_a", metadata={"own": 1, "key": old})
        document = apply_fields(repo, metadata={"key": new})
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert json.dumps(read_live(repo)["metadata"], sort_keys=True) == json.dumps(
            {"own": 1, "key": old}, sort_keys=True
        )

    def test_of_undocumented_fields_come_back_too(self, repo: Story) -> None:
        repo.project.configure(extra_fields=["/model/messages"])
        before = read_live(repo)
        document = apply_fields(repo, model={"messages": [{"role": "system", "content": "Hi", "cache": True}]})
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert read_live(repo) == before

    def test_leave_what_somebody_else_edited_meanwhile(self, repo: Story) -> None:
        document = apply_fields(repo, metadata={"key": "new"}, model={"temperature": 1.5})
        repo.sandbox.edit(
            "asst_a",
            name="Theirs",
            metadata={"own": 2, "key": "new", "more": 3},
            model={**read_live(repo)["model"], "maxTokens": 5},
        )
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        found = read_live(repo)
        assert (found["name"], found["metadata"]) == ("Theirs", {"own": 2, "key": "old", "more": 3})
        assert (found["model"]["temperature"], found["model"]["maxTokens"]) == (0.7, 5)

    def test_are_planned_first(self, repo: Story) -> None:
        """Each assistant is read, read again right before its write, and once after it."""
        document = apply_fields(repo, firstMessage="new")
        repo.rollback(document)
        assert [method for method, _, _ in repo.sandbox.requests] == ["POST", "GET", "GET", "PATCH", "GET"]
        assert repo.sandbox.patches == [{"firstMessage": "old"}]

    def test_need_no_definition_any_more(self, repo: Story) -> None:
        before = read_live(repo)
        document = apply_fields(repo, firstMessage="new")
        (repo.root / "assistants/a.yaml").unlink()
        (repo.root / "assistants").rmdir()
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert read_live(repo) == before

    def test_ride_with_what_every_patch_carries(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        repo.project.configure(always_send=["model"])
        repo.rollback(document)
        assert repo.sandbox.patches == [{"firstMessage": "old", "model": LIVE["model"]}]

    def test_that_are_there_already_send_nothing(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new", name="B")
        repo.sandbox.edit("asst_a", firstMessage="old", name="A")
        assert outcomes(repo.rollback(document)) == {"a": "unchanged"}
        assert repo.sandbox.patches == []

    def test_of_one_field_come_back_where_the_other_has_its_own_already(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new", name="B")
        repo.sandbox.edit("asst_a", firstMessage="old")
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert repo.sandbox.patches == [{"name": "A"}]


class TestFieldsThatWereNotThere:
    @pytest.mark.parametrize(
        ("field", "value", "sent"),
        [
            ("endCallMessage", "Bye", {"endCallMessage": None}),
            ("voicemailMessage", "Beep", {"voicemailMessage": None}),
            ("maxDurationSeconds", 60, {"maxDurationSeconds": None}),
            ("metadata", {"new": 1}, {"metadata": {"own": 1, "key": "old", "new": None}}),
            ("metadata", {"new": {"x": 1}}, {"metadata": {"own": 1, "key": "old", "new": {"x": None}}}),
        ],
    )
    def test_become_null(self, repo: Story, field: str, value: Any, sent: Any) -> None:
        document = apply_fields(repo, **{field: value})
        assert "live" not in only_assistant(document)["changes"][0]
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert repo.sandbox.patches == [sent]

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"voice": {"provider": "azure", "voiceId": "x"}}, "voice.provider had no value before"),
            ({"model": {"maxTokens": 5}}, "model.maxTokens had no value before"),
            ({"transcriber": {"provider": "deepgram"}}, "transcriber.provider had no value before"),
        ],
    )
    def test_that_cannot_become_null_refuse_the_whole_assistant(
        self, repo: Story, fields: dict[str, Any], named: str
    ) -> None:
        document = apply_fields(repo, **fields, firstMessage="new")
        after = read_live(repo)
        rollback = repo.rollback(document)
        assert (outcomes(rollback), repo.sandbox.patches, read_live(repo)) == ({"a": "refused"}, [], after)
        assert named in read_reason(rollback)
        assert read_reason(rollback).startswith("invalid: this cannot be undone")
        assert "by hand" in read_reason(rollback)

    @pytest.mark.parametrize("old", [{"name": None}, {"model": {**MODEL, "temperature": None}}])
    def test_that_were_null_and_cannot_be_sent_so_refuse_the_assistant(self, repo: Story, old: dict[str, Any]) -> None:
        repo.sandbox.edit("asst_a", **old)
        rollback = repo.rollback(apply_fields(repo, name="new", model={"temperature": 0.5}))
        assert (outcomes(rollback), repo.sandbox.patches) == ({"a": "refused"}, [])
        assert "had no value before" in read_reason(rollback)

    def test_all_reasons_are_told_at_once(self, repo: Story) -> None:
        document = apply_fields(repo, voice={"provider": "azure", "voiceId": "x"})
        assert "voice.provider" in (reason := read_reason(repo.rollback(document)))
        assert "voice.voiceId" in reason


class TestWhatNobodyCanDeclare:
    @pytest.mark.parametrize("old", [{}, {"x": {}}, {"x": 1, "y": {"z": {}}}, {"x": None}])
    def test_an_empty_object_refuses_the_assistant(self, repo: Story, old: Any) -> None:
        repo.sandbox.edit("asst_a", metadata={"own": 1, "key": old})
        document = apply_fields(repo, metadata={"key": "new"})
        rollback = repo.rollback(document)
        assert (outcomes(rollback), repo.sandbox.patches) == ({"a": "refused"}, [])
        assert "metadata.key contains an empty object" in read_reason(rollback)


class TestLiveThatHasMovedOn:
    @pytest.mark.parametrize(
        ("field", "old", "new", "theirs"),
        [
            ("firstMessage", "old", "new", "theirs"),
            ("firstMessage", "old", "new", None),
            ("firstMessage", "old", None, "theirs"),
            ("endCallPhrases", ["bye"], ["ciao"], ["ciao", "bye"]),
            ("metadata", {"key": 1}, {"key": 2}, {"key": 3}),
            ("metadata", {"key": 1}, {"key": 2}, {}),
            ("metadata", {"key": [{"a": 1}]}, {"key": [{"a": 2}]}, {"key": [{"a": 2, "theirs": 1}]}),
            ("metadata", {"key": "text"}, {"key": {"a": 1}}, {"key": {"a": 1, "theirs": 1}}),
            ("metadata", {"key": 1}, None, {"theirs": 1}),
        ],
    )
    def test_is_refused(self, repo: Story, field: str, old: Any, new: Any, theirs: Any) -> None:
        repo.sandbox.edit("asst_a", **{field: old})
        document = apply_fields(repo, **{field: new}, name="B")
        repo.sandbox.edit("asst_a", **{field: theirs})
        after = read_live(repo)
        rollback = repo.rollback(document)
        assert (outcomes(rollback), repo.sandbox.patches, read_live(repo)) == ({"a": "refused"}, [], after)
        assert read_reason(rollback).startswith("conflict: live has neither the value that was applied nor the old one")

    def test_between_the_plan_and_the_write_is_stale(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        readings: list[str] = []

        def edit(method: str, path: str, body: Any) -> None:
            if method == "GET":
                readings.append(path)
                if len(readings) == 2:
                    repo.sandbox.edit("asst_a", firstMessage="theirs")

        repo.sandbox.before_each(edit)
        rollback = repo.rollback(document)
        assert (outcomes(rollback), kinds(rollback), repo.sandbox.patches) == ({"a": "refused"}, {"a": "stale"}, [])

    def test_refuses_one_assistant_and_not_the_others(self, repo: Story) -> None:
        repo.sandbox.put({"id": "asst_b", "firstMessage": "old"})
        repo.write("b", firstMessage="new")
        document = apply_fields(repo, firstMessage="new")
        repo.sandbox.edit("asst_b", firstMessage="theirs")
        assert outcomes(repo.rollback(document)) == {"a": "applied", "b": "refused"}
        assert repo.run("rollback", repo.save_report(document), "--yes").code == 1

    def test_an_assistant_that_is_gone_has_failed(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        with repo.sandbox.client() as client:
            client.delete("/assistants/asst_a")
        rollback = repo.rollback(document)
        assert (outcomes(rollback), kinds(rollback)) == ({"a": "failed"}, {"a": "not_found"})

    def test_an_assistant_of_another_organisation_is_refused(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        repo.project.configure(org_id="org_other")
        assert kinds(repo.rollback(document)) == {"a": "forbidden"}
        assert repo.sandbox.patches == []

    def test_outside_of_the_project_nothing_is_sent(self, repo: Story) -> None:
        document = repo.save_report(apply_fields(repo, firstMessage="new"))
        repo.project.configure(org_id="org_other")
        sent = len(repo.sandbox.patches)
        result = repo.run("rollback", document, "--yes", "--directory", "misspelt/assistants")
        assert (result.code, len(repo.sandbox.patches)) == (1, sent)
        assert "there is no project here: neither the folder misspelt/assistants" in result.stderr


class TestWhatThePolicyDecided:
    @pytest.fixture(autouse=True)
    def recorded(self, repo: Story) -> None:
        repo.write("a", firstMessage="old", endCallPhrases=["bye", "so long"], metadata={"key": "old"})
        repo.commit()
        repo.apply_and_record()

    def test_a_forced_conflict_is_undone(self, repo: Story) -> None:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        document = apply_fields(repo, "--force-conflicts", firstMessage="new")
        assert only_assistant(document)["changes"][0]["kind"] == "conflict"
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert read_live(repo)["firstMessage"] == "theirs"

    def test_drift_that_was_reverted_is_undone(self, repo: Story) -> None:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        document = apply_fields(repo, "--on-drift", "revert", firstMessage="old", metadata={"key": "new"})
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert (read_live(repo)["firstMessage"], read_live(repo)["metadata"]["key"]) == ("theirs", "old")

    def test_drift_that_was_kept_is_not_touched(self, repo: Story) -> None:
        repo.sandbox.edit("asst_a", firstMessage="theirs", metadata={"own": 1, "key": "old", "more": 1})
        document = apply_fields(repo, firstMessage="old", metadata={"key": "new"})
        assert {change["kind"] for change in only_assistant(document)["changes"]} == {"change", "drift"}
        repo.sandbox.edit("asst_a", firstMessage="theirs again")
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert repo.sandbox.patches == [{"metadata": {"own": 1, "key": "old", "more": 1}}]
        assert read_live(repo)["firstMessage"] == "theirs again"

    def test_what_is_ignored_is_not_touched_and_listed(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new", metadata={"key": "new"})
        repo.project.configure(ignore=[{"path": "/metadata/key", "reason": "set by the CRM"}])
        repo.sandbox.edit("asst_a", metadata={"own": 1, "key": "theirs"})
        rollback = repo.rollback(document)
        assert outcomes(rollback) == {"a": "applied"}
        assert [ignored["path"] for ignored in only_assistant(rollback)["ignored"]] == ["/metadata/key"]
        assert read_live(repo)["metadata"] == {"own": 1, "key": "theirs"}

    def test_the_entries_of_the_record_stay(self, repo: Story) -> None:
        document = apply_new(repo)
        before = repo.git("rev-parse", "refs/reconciler/applied^{tree}", "refs/reconciler/applied^1")
        rollback = repo.rollback(document)
        assert (outcomes(rollback), rollback["base"]) == ({"a": "applied"}, None)
        assert repo.git("rev-parse", "refs/reconciler/applied^{tree}", "refs/reconciler/applied^1") == before
        assert "Rollback: 1 applied" in repo.run("history").stdout

    def test_what_is_restored_is_a_live_edit_as_long_as_git_stays(self, repo: Story) -> None:
        repo.rollback(apply_new(repo))
        repo.write("a", firstMessage="new", endCallPhrases=["bye"], metadata={"key": "new"})
        repo.commit()
        document = repo.apply_and_record()
        assert "/firstMessage drift" in paths(document)
        assert [
            "firstMessage has this value since a rollback" in each for each in only_assistant(document)["warnings"]
        ] == [True]
        assert read_live(repo)["firstMessage"] == "old"

    @pytest.mark.parametrize("between", [False, True], ids=["at once", "after another apply"])
    def test_the_next_value_in_git_is_a_change(self, repo: Story, *, between: bool) -> None:
        repo.rollback(apply_new(repo))
        if between:
            repo.write("a", firstMessage="new", endCallPhrases=["bye"])
            repo.commit()
            repo.apply_and_record()
        repo.write("a", firstMessage="newer")
        repo.commit()
        document = repo.apply_and_record()
        assert (outcomes(document), paths(document)) == ({"a": "applied"}, ["/firstMessage change"])
        assert read_live(repo)["firstMessage"] == "newer"

    def test_the_next_value_of_a_list_is_a_change(self, repo: Story) -> None:
        for phrases in (["bye"], ["bye", "see you"]):
            repo.write("a", firstMessage="old", endCallPhrases=phrases)
            repo.commit()
            document = repo.apply_and_record()
        repo.rollback(document)
        assert read_live(repo)["endCallPhrases"] == ["bye"]
        repo.write("a", firstMessage="old", endCallPhrases=["later"])
        repo.commit()
        document = repo.apply_and_record()
        assert (outcomes(document), paths(document)) == ({"a": "applied"}, ["/endCallPhrases change"])

    @pytest.mark.parametrize(
        ("field", "live", "new", "newer"),
        [
            ("endCallMessage", None, "Bye", "Bye bye"),
            ("name", "A", "Desk", "Front desk"),
            ("model", MODEL, {"temperature": 0.1}, {"temperature": 0.2}),
            ("metadata", {"key": {"a": 1}}, {"key": "text"}, {"key": ["list"]}),
            ("metadata", {"key": "text"}, {"key": {"a": 1}}, {"key": {"a": 2}}),
        ],
    )
    def test_the_next_value_of_a_field_that_git_had_not_managed_before_is_a_change(
        self, repo: Story, field: str, live: Any, new: Any, newer: Any
    ) -> None:
        repo.write("a", firstMessage="old")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", **({field: live} if live else {}))
        repo.write("a", firstMessage="old", **{field: new})
        repo.commit()
        repo.rollback(repo.apply_and_record())
        assert [each.split()[-1] for each in paths(repo.plan())] == ["drift"]
        assert "since a rollback" in only_assistant(repo.plan())["warnings"][0]
        repo.write("a", firstMessage="old", **{field: newer})
        repo.commit()
        document = repo.apply_and_record()
        assert (outcomes(document), [each.split()[-1] for each in paths(document)]) == ({"a": "applied"}, ["change"])
        assert "Rolled-Back" not in repo.git("log", "-1", "--format=%B", "refs/reconciler/applied")

    def test_the_next_value_is_a_change_although_the_field_was_ignored_for_a_while(self, repo: Story) -> None:
        repo.rollback(apply_new(repo))
        for ignore in ([{"path": "/firstMessage", "reason": "a trial"}], []):
            repo.project.configure(ignore=ignore)
            repo.commit()
            assert outcomes(repo.apply_and_record()) == {"a": "unchanged"}
        repo.write("a", firstMessage="newer")
        repo.commit()
        assert paths(repo.apply_and_record()) == ["/firstMessage change"]

    def test_an_edit_of_what_is_restored_is_somebody_s(self, repo: Story) -> None:
        repo.rollback(apply_new(repo))
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        repo.write("a", firstMessage="newer")
        repo.commit()
        assert outcomes(repo.apply_and_record()) == {"a": "refused"}
        assert read_live(repo)["firstMessage"] == "theirs"

    def test_an_edit_that_a_forced_apply_had_replaced_is_still_somebody_s(self, repo: Story) -> None:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        repo.write("a", firstMessage="new")
        repo.commit()
        repo.rollback(repo.apply_and_record("--force-conflicts"))
        repo.write("a", firstMessage="newer")
        repo.commit()
        assert outcomes(repo.apply_and_record()) == {"a": "refused"}
        assert read_live(repo)["firstMessage"] == "theirs"

    def test_the_value_that_returns_later_by_hand_is_somebody_s(self, repo: Story) -> None:
        repo.rollback(apply_new(repo))
        repo.write("a", firstMessage="newer")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage="old")
        repo.write("a", firstMessage="newest")
        repo.commit()
        assert outcomes(repo.apply_and_record()) == {"a": "refused"}

    def test_a_rollback_that_is_undone_leaves_git_s_value(self, repo: Story) -> None:
        repo.rollback(repo.rollback(apply_new(repo)))
        assert repo.plan()["summary"]["in_sync"] == 1
        repo.sandbox.edit("asst_a", firstMessage="old")
        repo.write("a", firstMessage="newer")
        repo.commit()
        assert outcomes(repo.apply_and_record()) == {"a": "refused"}

    def test_reverting_the_commit_that_is_named_settles_it(self, repo: Story) -> None:
        repo.write("a", firstMessage="new", endCallPhrases=["bye", "so long"], metadata={"key": "old"})
        repo.commit()
        document = repo.apply_and_record()
        warning = repo.rollback(document)["warnings"][-1]
        (commit,) = (word.rstrip(",") for word in warning.split() if word.rstrip(",") == repo.head)
        repo.git("-c", "user.name=A", "-c", "user.email=a@example.com", "revert", "--no-edit", commit)
        assert outcomes(repo.apply_and_record()) == {"a": "unchanged"}
        assert repo.plan()["summary"]["in_sync"] == 1


class TestWritesWithoutAClearEnd:
    def apply_unclear(self, repo: Story, *, landed: bool) -> Document:
        """Apply through something that answers every write with 500, whether the API got it or not."""
        repo.write("a", firstMessage="new", name="B")
        repo.commit()
        with repo.intercept(answer_with(500, "a", landed=landed)):
            document = repo.apply()
        assert outcomes(document) == {"a": "indeterminate"}
        repo.sandbox.forget_requests()
        return document

    def test_are_undone_where_live_shows_what_was_sent(self, repo: Story) -> None:
        before = read_live(repo)
        assert outcomes(repo.rollback(self.apply_unclear(repo, landed=True))) == {"a": "applied"}
        assert read_live(repo) == before

    @pytest.mark.parametrize("reaches", ["", " after=provider"], ids=["no store", "the provider"])
    def test_are_undone_where_live_shows_the_old_value(self, repo: Story, reaches: str) -> None:
        """Live is one of two stores: which value the provider has nobody knows."""
        repo.write("a", firstMessage="new", name="B")
        repo.commit()
        before = read_provider(repo)
        repo.sandbox.rehearse(f"PATCH *: 500{reaches}")
        document = repo.apply()
        repo.sandbox.mend()
        rollback = repo.rollback(document)
        assert (outcomes(document), outcomes(rollback)) == ({"a": "indeterminate"}, {"a": "applied"})
        assert read_provider(repo) == read_live(repo) == before

    def test_are_undone_where_live_shows_an_accepted_one_late(self, repo: Story) -> None:
        """Reading may show it any moment: the old value that live has until then is not the end of it."""
        repo.write("a", firstMessage="new", name="B")
        repo.commit()
        before = read_provider(repo)
        repo.sandbox.rehearse("1st PATCH *: lag=60s")
        document = repo.apply()
        assert (outcomes(document), read_provider(repo) == before) == ({"a": "not_converged"}, False)
        repo.rollback(document)
        assert read_provider(repo) == before

    def test_are_refused_where_live_shows_neither(self, repo: Story) -> None:
        document = self.apply_unclear(repo, landed=True)
        repo.sandbox.edit("asst_a", name="Theirs")
        assert outcomes(repo.rollback(document)) == {"a": "refused"}

    def converging(self, repo: Story, shown: dict[str, Any]) -> Document:
        """Apply through something that accepts writes and stores other values."""

        def meddle(request: Request, forward: Forward) -> Answer:
            if request.method == "PATCH":
                return forward(request.with_body({**request.json, **shown}))
            return forward(request)

        repo.write("a", firstMessage="new", name="B")
        repo.commit()
        with repo.intercept(meddle):
            document = repo.apply()
        assert outcomes(document) == {"a": "not_converged"}
        return document

    def test_that_did_not_converge_are_undone_where_live_shows_what_was_sent(self, repo: Story) -> None:
        before = read_live(repo)
        document = self.converging(repo, {"name": "A"})
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert read_live(repo) == before

    def test_that_did_not_converge_are_refused_where_live_shows_neither(self, repo: Story) -> None:
        document = self.converging(repo, {"name": "SHOUTED"})
        rollback = repo.rollback(document)
        assert outcomes(rollback) == {"a": "refused"}
        assert "or the API stores it differently" in read_reason(rollback)

    @pytest.mark.parametrize("outcome", ["unchanged", "failed", "refused", "skipped", None])
    def test_others_were_not_written(self, repo: Story, outcome: Any) -> None:
        document = apply_fields(repo, firstMessage="new")
        document["assistants"][0]["outcome"] = outcome
        result = repo.run("rollback", repo.save_report(document), "--yes")
        assert (result.code, repo.sandbox.patches) == (0, [])
        assert "Rollback: nothing to undo." in result.stdout

    def test_an_answer_that_makes_no_sense_can_be_undone_like_any_other(self, repo: Story) -> None:
        before = read_live(repo)

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            return json_answer(200, b"<html>") if request.method == "PATCH" else answer

        repo.write("a", firstMessage="new")
        with repo.intercept(meddle):
            document = repo.apply()
        assert outcomes(document) == {"a": "applied"}
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert read_live(repo) == before


@pytest.mark.parametrize("file", ["/elsewhere/assistants/a.yaml", "../a.yaml", ""])
def test_a_report_with_another_path_is_of_the_same_assistant(repo: Story, file: str) -> None:
    before = read_live(repo)
    document = apply_fields(repo, firstMessage="new")
    only_assistant(document)["file"] = file
    undone = repo.rollback(document)
    assert (only_assistant(undone)["file"], only_assistant(undone)["outcome"]) == ("assistants/a.yaml", "applied")
    assert read_live(repo) == before


class TestARollbackWithoutAClearEnd:
    """Live, one of two stores, may show the old value already: the record keeps that nobody knows the other one."""

    @pytest.fixture
    def document(self, repo: Story) -> Document:
        repo.write("a", firstMessage="old")
        repo.commit()
        repo.apply_and_record()
        repo.write("a", firstMessage="new")
        repo.commit()
        document = repo.apply_and_record()
        record = repo.record
        repo.sandbox.rehearse("PATCH *: 500 after=database")
        assert outcomes(repo.rollback(document, "--retries", "0")) == {"a": "indeterminate"}
        repo.sandbox.mend()
        assert (read_live(repo)["firstMessage"], read_provider(repo)["firstMessage"]) == ("old", "new")
        assert repo.record != record
        assert [trailer["fields"] for trailer in repo.trailers] == [["/firstMessage"]]
        repo.sandbox.forget_requests()
        return document

    def test_is_sent_again_by_the_next_rollback(self, repo: Story, document: Document) -> None:
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert (read_provider(repo)["firstMessage"], repo.trailers) == ("old", [])
        repo.sandbox.forget_requests()
        assert outcomes(repo.rollback(document)) == {"a": "unchanged"}
        assert repo.sandbox.patches == []

    def test_is_sent_again_by_the_apply_of_the_revert(self, repo: Story, document: Document) -> None:
        repo.write("a", firstMessage="old")
        repo.commit()
        entry = only_assistant(repo.plan())
        assert (entry["status"], entry["patch"]) == ("in_sync", {"firstMessage": "old"})
        assert outcomes(repo.apply_and_record()) == {"a": "applied"}
        assert (read_provider(repo)["firstMessage"], repo.trailers) == ("old", [])

    def test_its_report_can_be_resumed_once_git_has_reverted(self, repo: Story) -> None:
        """Where no record was kept, as in a pipeline whose rollback pushes nothing."""
        document = apply_fields(repo, firstMessage="new")
        repo.sandbox.rehearse("PATCH *: 500 after=database")
        report = repo.save_report(repo.rollback(document, "--retries", "0"), "undo.json")
        repo.sandbox.mend()
        repo.sandbox.forget_requests()
        refused = repo.apply("--resume", report)
        assert (outcomes(refused), repo.sandbox.patches) == ({"a": "refused"}, [])
        assert read_reason(refused).startswith(
            "conflict: git does not have the value of firstMessage that the rollback restored"
        )
        repo.write("a", firstMessage="old")
        repo.commit()
        assert outcomes(repo.apply("--resume", report)) == {"a": "applied"}
        assert (repo.sandbox.patches, read_provider(repo)["firstMessage"]) == ([{"firstMessage": "old"}], "old")

    def test_is_not_called_well_and_changes_no_entry(self, repo: Story, document: Document) -> None:
        assert repo.tree()["assistants/a.yaml"]["firstMessage"] == "new"
        assert "the outcome of the last write of firstMessage is unclear" in repo.run("drift").stdout
        result = repo.run("history", "--limit", "1")
        assert "Rollback: 1 indeterminate, 0 unchanged" in result.stdout
        assert "unclear: assistants/a.yaml (asst_a)" in result.stdout

    def test_is_known_of_a_definition_that_has_moved(self, repo: Story) -> None:
        document = apply_fields(repo, "--record", "--base", "none", firstMessage="new")
        repo.git("mv", "assistants/a.yaml", "assistants/moved.yaml")
        repo.project.configure(frozen=[{"assistants": ["moved"], "reason": "today"}])
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.rehearse("PATCH *: 500 after=database")
        undone = only_assistant(repo.rollback(document))
        repo.sandbox.mend()
        assert (undone["file"], undone["outcome"]) == ("assistants/moved.yaml", "indeterminate")
        assert "frozen" in undone["warnings"][0]
        assert [trailer["file"] for trailer in repo.trailers] == ["assistants/moved.yaml"]
        assert [*entries(repo.plan("--changed"))] == ["moved"]

    def test_what_cannot_be_recorded_is_told_with_what_to_do(self, repo: Story, document: Document) -> None:
        (repo.root / ".git" / "refs" / "reconciler" / "applied.lock").touch()
        result = repo.run("rollback", repo.save_report(document), "--yes")
        assert (result.code, "Rollback: 1 applied" in result.stdout) == (1, True), result.stdout
        assert "the rollback ended as reported, but it is not recorded" in result.stderr
        assert "run the same rollback again" in result.stderr
        assert (read_live(repo)["firstMessage"], read_provider(repo)["firstMessage"]) == ("old", "old")

    def test_of_an_unclear_apply_settles_both(self, repo: Story) -> None:
        repo.write("a", firstMessage="old")
        repo.commit()
        repo.apply_and_record()
        repo.write("a", firstMessage="new")
        repo.commit()
        repo.sandbox.rehearse("PATCH *: 500 after=database")
        document = repo.apply_and_record("--retries", "0")
        repo.sandbox.mend()
        assert len(repo.trailers) == 1
        assert outcomes(repo.rollback(document)) == {"a": "applied"}
        assert (repo.trailers, repo.tree()["assistants/a.yaml"]["firstMessage"]) == ([], "old")


class TestRollingBackARollback:
    def test_brings_back_what_was_applied(self, repo: Story) -> None:
        before = read_live(repo)
        document = apply_fields(repo, firstMessage="new", metadata={"key": [{"x": 1}]}, endCallPhrases=["ciao"])
        after = read_live(repo)
        rollback = repo.rollback(document)
        assert read_live(repo) == before
        again = repo.rollback(rollback)
        assert (outcomes(again), read_live(repo)) == ({"a": "applied"}, after)
        assert outcomes(repo.rollback(again)) == {"a": "applied"}
        assert read_live(repo) == before

    def test_of_a_merge_names_the_side_that_stays(self, repo: Story) -> None:
        repo.write("a", firstMessage="old")
        repo.commit()
        repo.git("checkout", "-q", "-b", "branch")
        repo.write("a", firstMessage="new")
        repo.commit()
        repo.git("checkout", "-q", "-")
        merge(repo, "branch")
        rollback = repo.rollback(repo.apply())
        [command] = [line for line in rollback["warnings"] if f"git revert -m 1 {repo.head}" in line]
        assert len(f"warning: {command}") <= 80, "a terminal breaks no longer line, and so not inside the command"

    def test_names_the_commits_that_set_what_was_put_back(self, repo: Story) -> None:
        """One apply brought several commits live: a run before it was superseded."""
        repo.sandbox.put({"id": "asst_b", "firstMessage": "old"})
        repo.write("a", firstMessage="old", name="A")
        repo.write("b", firstMessage="old")
        repo.commit()
        repo.apply_and_record()
        repo.write("b", firstMessage="new")
        refused, *_ = commit_as(repo, "Ada", "2026-11-19T09:00:00+01:00")
        repo.write("a", firstMessage="old", name="B")
        older, *_ = commit_as(repo, "Ada", "2026-11-20T09:00:00+01:00")
        repo.git("checkout", "-q", "-b", "branch")
        repo.write("a", firstMessage="new", name="B")
        newer, *_ = commit_as(repo, "Bob", "2026-11-20T08:30:00Z")
        repo.git("checkout", "-q", "-")
        commit_as(repo, "Cy")
        merged = merge(repo, "branch")
        document = repo.apply()
        repo.sandbox.edit("asst_b", firstMessage="theirs")

        warning = repo.rollback(document)["warnings"][-1]
        assert f": git revert -m 1 {merged} && git revert {older}" in warning, "what the merge brought goes with it"
        assert not any(commit in warning for commit in (newer, refused))
        commit_as(repo, "Cy")
        document["head"] = repo.head
        repo.sandbox.edit("asst_a", firstMessage="new", name="B")
        warning = repo.rollback(document)["warnings"][-1]
        assert f": git revert {newer} && git revert {older}" in warning

    def test_names_the_later_commit_first_whatever_its_date_says(self, repo: Story) -> None:
        """As after a rebase."""
        repo.write("a", firstMessage="old", name="A")
        repo.commit()
        repo.apply_and_record()
        repo.write("a", firstMessage="new", name="A")
        first, *_ = commit_as(repo, "Ada", "2026-11-21T09:00:00Z")
        repo.write("a", firstMessage="new", name="B")
        second, *_ = commit_as(repo, "Bob", "2026-11-20T09:00:00Z")
        repo.commit("Later", allow_empty=True)
        warning = repo.rollback(repo.apply())["warnings"][-1]
        assert f": git revert {second} && git revert {first}" in warning

    def test_names_what_can_be_named(self, repo: Story) -> None:
        repo.write("a", firstMessage="old", name="A")
        repo.commit()
        repo.apply_and_record()
        repo.write("a", firstMessage="new", name="B")
        repo.commit()
        document = repo.apply()
        first, second = only_assistant(document)["changes"]
        first["since"]["commit"] = "HEAD; rm -rf /"
        second["since"] = {"commit": "a" * 40, "author": "", "date": "yesterday"}
        warning = repo.rollback(document)["warnings"][-1]
        assert f": git revert {repo.head} && git revert {'a' * 40}" in warning

    @pytest.mark.parametrize("name", ["A", "B"])
    def test_names_no_commit_for_a_live_edit(self, repo: Story, name: str) -> None:
        """The apply reverted the edit, and may have brought a commit live as well."""
        repo.write("a", firstMessage="old", name="A")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage="edited")
        repo.write("a", firstMessage="old", name=name)
        setter = repo.commit(allow_empty=True)
        repo.write("b", firstMessage="old")
        repo.commit("What an edit has nothing to do with")
        warnings = repo.rollback(repo.apply("--on-drift", "revert"))["warnings"]
        reverts = [warning for warning in warnings if "git revert" in warning]
        assert reverts == ([f"to remove it: git revert {setter}"] if name == "B" else [])
        assert any("edits that were restored; to keep them, run `reconciler pull`" in warning for warning in warnings)

    def test_names_no_commit_to_revert(self, repo: Story) -> None:
        rollback = repo.rollback(apply_fields(repo, firstMessage="new"))
        assert any("git revert" in warning for warning in rollback["warnings"])
        again = repo.rollback(rollback)
        assert not any("revert" in warning for warning in again["warnings"])

    @pytest.mark.parametrize(
        "later",
        [
            lambda repo: repo.git("-c", "user.name=A", "-c", "user.email=a@b", "revert", "--no-edit", "HEAD"),
            lambda repo: repo.write("a", firstMessage="old"),
            lambda repo: repo.write("a", name="A"),
            lambda repo: repo.git("rm", "--quiet", "assistants/a.yaml"),
        ],
        ids=["reverted", "old value", "undeclared", "removed"],
    )
    def test_names_no_commit_where_git_no_longer_has_the_change(
        self, repo: Story, later: Callable[[Story], object]
    ) -> None:
        document = apply_fields(repo, firstMessage="new")
        later(repo)
        repo.commit("Later", allow_empty=True)
        rollback = repo.rollback(document)
        assert outcomes(rollback) == {"a": "applied"}
        assert not any("git still has" in warning for warning in rollback["warnings"])

    def test_names_only_the_commits_whose_change_git_still_has(self, repo: Story) -> None:
        repo.write("a", firstMessage="old", name="A")
        repo.commit()
        repo.apply_and_record()
        repo.write("a", firstMessage="new", name="A")
        older = repo.commit("Older")
        document = apply_fields(repo, firstMessage="new", name="B")
        repo.write("a", firstMessage="new")
        repo.commit("The name is left to the dashboard")
        rollback = repo.rollback(document)
        assert any(f": git revert {older}" in warning for warning in rollback["warnings"])
        assert not any(str(document["head"]) in warning for warning in rollback["warnings"])

    def test_names_it_where_the_definition_has_moved(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        (repo.root / "assistants/moved").mkdir()
        repo.git("mv", "assistants/a.yaml", "assistants/moved/a.yaml")
        repo.commit("Later")
        assert any("git revert" in warning for warning in repo.rollback(document)["warnings"])

    def test_twice_is_nothing(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        repo.rollback(document)
        assert outcomes(repo.rollback(document)) == {"a": "unchanged"}


class TestSensitiveValues:
    @pytest.mark.parametrize(
        ("path", "fields"),
        [
            ("/firstMessage", {"firstMessage": "new", "name": "B"}),
            ("/metadata/key", {"metadata": {"key": "new"}}),
            ("/metadata/key/0", {"metadata": {"key": ["new"]}}),
            ("/metadata", {"metadata": {"key": "new"}}),
        ],
    )
    def test_that_the_report_does_not_hold_refuse_the_whole_assistant(
        self, repo: Story, path: str, fields: dict[str, Any]
    ) -> None:
        repo.project.configure(sensitive=[path])
        document = apply_fields(repo, **fields)
        rollback = repo.rollback(document)
        assert (outcomes(rollback), repo.sandbox.patches) == ({"a": "refused"}, [])
        assert "sensitive" in read_reason(rollback)

    def test_are_masked_in_the_report_of_the_rollback(self, repo: Story) -> None:
        document = apply_fields(repo, metadata={"key": "secret-new"})
        repo.project.configure(sensitive=["/metadata/key"])
        repo.sandbox.edit("asst_a", metadata={"own": 1, "key": "secret-new"})
        result = repo.run("rollback", repo.save_report(document), "--yes", "--format", "json")
        assert result.code == 0
        assert "secret-new" not in result.stdout + result.stderr
        assert read_live(repo)["metadata"]["key"] == "old"

    def test_have_no_digest_in_the_record(self, repo: Story) -> None:
        document = apply_new(repo)
        repo.project.configure(sensitive=["/firstMessage"])
        repo.rollback(document)
        assert "Rolled-Back" not in repo.git("log", "-1", "--format=%B", "refs/reconciler/applied")


class TestConsent:
    def test_without_a_terminal_yes_is_needed(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        result = repo.run("rollback", repo.save_report(document))
        assert (result.code, repo.sandbox.requests) == (1, [])
        assert "pass --yes" in result.stderr

    @pytest.mark.parametrize(("answer", "code", "patches"), [("y", 0, 1), ("n", 1, 0), ("", 1, 0)])
    def test_somebody_is_asked(self, repo: Story, answer: str, code: int, patches: int) -> None:
        document = apply_fields(repo, firstMessage="new")
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [COMMAND, "rollback", str(repo.save_report(document))],
            cwd=repo.root,
            env=environment(connection_variables(repo.sandbox)),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            os.write(ours, f"{answer}\n".encode())
            stdout, stderr = process.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert b"Write to 1 assistant at " in stderr
        assert b'"new" -> "old"' in stderr
        assert b"Rollback: 1 to change" in stderr
        assert (process.returncode, len(repo.sandbox.patches)) == (code, patches)
        assert (b"git still has this change" in stdout) == bool(patches)

    @pytest.mark.parametrize("limit", ["50%", 0])
    def test_how_many_an_apply_may_write_holds_no_rollback(self, repo: Story, limit: str | int) -> None:
        """All of what a report names is undone, which is always more than a share of it."""
        before = read_live(repo)
        document = apply_fields(repo, firstMessage="new")
        repo.project.configure(max_changes=limit)
        assert (outcomes(repo.rollback(document)), read_live(repo)) == ({"a": "applied"}, before)


class TestReportsThatAreRefused:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"format_version": 2}, "has report format 2"),
            ({"assistants": {}}, "is not a report of this tool"),
        ],
    )
    def test_of_something_else(self, repo: Story, change: dict[str, Any], message: str) -> None:
        document = {**apply_fields(repo, firstMessage="new"), **change}
        file = repo.root.parent / "apply.json"
        file.write_text(json.dumps(document))
        result = repo.run("rollback", file, "--yes")
        assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", [])
        assert message in result.stderr

    @pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"format_version": 1}'])
    def test_that_are_none(self, repo: Story, text: str) -> None:
        file = repo.root.parent / "apply.json"
        file.write_text(text)
        result = repo.run("rollback", file, "--yes")
        assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", [])
        assert "apply.json" in result.stderr

    @pytest.mark.parametrize(
        "paths",
        [
            ["/metadata", "/metadata/key"],
            ["/metadata/key", "/metadata"],
            ["/firstMessage", "/firstMessage"],
            ["/metadata/a/b", "/metadata/a0", "/metadata/a"],
        ],
    )
    def test_that_name_a_field_twice(self, repo: Story, paths: list[str]) -> None:
        document = apply_fields(repo, firstMessage="new")
        (change,) = document["assistants"][0]["changes"]
        document["assistants"][0]["changes"] = [{**change, "path": path} for path in paths]
        result = repo.run("rollback", repo.save_report(document), "--yes")
        assert (result.code, repo.sandbox.requests) == (1, [])
        assert "one is inside the other" in result.stderr or "twice" in result.stderr

    @pytest.mark.parametrize("field", ["id", "orgId", "createdAt", "updatedAt"])
    def test_that_would_write_what_is_read_only(self, repo: Story, field: str) -> None:
        document = apply_fields(repo, firstMessage="new")
        change = document["assistants"][0]["changes"][0]
        change["path"], change["live"], change["desired"] = f"/{field}", "evil", repo.sandbox.live("asst_a")[field]
        rollback = repo.rollback(document)
        assert (outcomes(rollback), repo.sandbox.patches) == ({"a": "refused"}, [])

    @pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "a b", "a\x1b[31m"])
    def test_that_name_an_id_that_no_assistant_has(self, repo: Story, name: str) -> None:
        document = apply_fields(repo, firstMessage="new")
        document["assistants"][0]["id"] = name
        result = repo.run("rollback", repo.save_report(document), "--yes")
        assert (result.code, repo.sandbox.patches) == (1, [])
        assert "\x1b" not in result.stderr
        assert [request for request in repo.sandbox.requests if request[0] == "GET"] == []

    def test_that_name_an_assistant_twice(self, repo: Story) -> None:
        document = apply_fields(repo, firstMessage="new")
        document["assistants"].append({**document["assistants"][0], "file": "assistants/b.yaml", "key": "b"})
        rollback = repo.rollback(document)
        assert (set(outcomes(rollback).values()), repo.sandbox.patches) == ({"refused"}, [])

    @pytest.mark.parametrize("head", [None, "", "HEAD; rm -rf /", "\x1b[31m", "a" * 39])
    def test_a_commit_that_is_none_is_not_repeated(self, repo: Story, head: Any) -> None:
        document = apply_fields(repo, firstMessage="new")
        document["head"] = head
        rollback = repo.rollback(document)
        assert "revert the commit that was applied" in rollback["warnings"][-1]


def test_a_report_without_a_repository_can_be_undone(repo: Story, tmp_path: Path) -> None:
    before = read_live(repo)
    folder = tmp_path / "plain" / "assistants"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("id: asst_a\nfirstMessage: new\n")
    document = repo.apply("--directory", str(folder))
    assert document["head"] is None
    rollback = repo.rollback(document, "--directory", str(folder))
    assert (outcomes(rollback), read_live(repo)) == ({"a": "applied"}, before)


def test_a_text_report_says_what_goes_back_and_ends_with_what_to_do(repo: Story) -> None:
    document = apply_fields(repo, firstMessage="new")
    result = repo.run("rollback", repo.save_report(document), "--yes")
    assert result.code == 0
    assert '~ firstMessage: "new" -> "old"' in result.stdout
    assert "Rollback: 1 applied, 0 unchanged, 0 failed." in result.stdout
    assert f"revert {repo.head}" in " ".join(result.stdout.split())


def test_entries_are_undone_by_their_other_id_too(repo: Story) -> None:
    before = read_live(repo)
    document = apply_fields(repo, id="local_asst_a", firstMessage="new")
    assert entries(document)["a"]["id"] == "local_asst_a"
    assert outcomes(repo.rollback(document)) == {"a": "applied"}
    assert read_live(repo) == before
