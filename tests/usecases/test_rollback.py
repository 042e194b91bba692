"""Undoing an apply: what its report says was there before is there again, or the assistant is refused whole."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, error_answer, json_answer
from commands import COMMAND, connection_variables, environment
from histories import commit_as, merge
from json_reports import Document
from projects import MODEL, kinds, only_assistant, outcomes
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
def tale(tmp_path: Path, nested: Nested) -> Iterator[Story]:
    """One assistant with fields that nobody declares, under both server semantics."""
    with story(tmp_path / "repository", {"a": LIVE}, nested=nested) as tale:
        yield tale


def read_live(tale: Story, name: str = "a") -> dict[str, Any]:
    return {key: value for key, value in tale.sandbox.live(f"asst_{name}").items() if key not in OURS}


def read_provider(tale: Story, name: str = "a") -> dict[str, Any]:
    return {key: value for key, value in tale.sandbox.provider(f"asst_{name}").items() if key not in OURS}


def apply_fields(tale: Story, *options: str, **fields: Any) -> Document:
    """Declare some fields of `a`, commit and apply them."""
    tale.write("a", **fields)
    tale.commit()
    document = tale.apply(*options)
    assert outcomes(document)["a"] == "applied"
    tale.sandbox.forget_requests()
    return document


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
    def test_are_live_again(self, tale: Story, fields: dict[str, Any]) -> None:
        before = read_live(tale)
        document = apply_fields(tale, **fields)
        assert read_live(tale) != before
        rollback = tale.rollback(document)
        assert outcomes(rollback) == {"a": "applied"}
        assert (read_live(tale), read_provider(tale)["tools"]) == (before, LIVE["tools"])
        assert (rollback["command"], rollback["summary"]["applied"]) == ("rollback", 1)
        assert len(tale.sandbox.patches) == 1

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
    def test_of_every_shape_come_back_exactly(self, tale: Story, old: Any, new: Any) -> None:
        tale.sandbox.edit("asst_a", metadata={"own": 1, "key": old})
        document = apply_fields(tale, metadata={"key": new})
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert json.dumps(read_live(tale)["metadata"], sort_keys=True) == json.dumps(
            {"own": 1, "key": old}, sort_keys=True
        )

    def test_of_undocumented_fields_come_back_too(self, tale: Story) -> None:
        tale.project.configure(extra_fields=["/model/messages"])
        before = read_live(tale)
        document = apply_fields(tale, model={"messages": [{"role": "system", "content": "Hi", "cache": True}]})
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert read_live(tale) == before

    def test_leave_what_somebody_else_edited_meanwhile(self, tale: Story) -> None:
        document = apply_fields(tale, metadata={"key": "new"}, model={"temperature": 1.5})
        tale.sandbox.edit(
            "asst_a",
            name="Theirs",
            metadata={"own": 2, "key": "new", "more": 3},
            model={**read_live(tale)["model"], "maxTokens": 5},
        )
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        found = read_live(tale)
        assert (found["name"], found["metadata"]) == ("Theirs", {"own": 2, "key": "old", "more": 3})
        assert (found["model"]["temperature"], found["model"]["maxTokens"]) == (0.7, 5)

    def test_are_planned_first(self, tale: Story) -> None:
        """Each assistant is read, read again right before its write, and once after it."""
        document = apply_fields(tale, firstMessage="new")
        tale.rollback(document)
        assert [method for method, _, _ in tale.sandbox.requests] == ["POST", "GET", "GET", "PATCH", "GET"]
        assert tale.sandbox.patches == [{"firstMessage": "old"}]

    def test_need_no_definition_any_more(self, tale: Story) -> None:
        before = read_live(tale)
        document = apply_fields(tale, firstMessage="new")
        (tale.root / "assistants/a.yaml").unlink()
        (tale.root / "assistants").rmdir()
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert read_live(tale) == before

    def test_ride_with_what_every_patch_carries(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        tale.project.configure(always_send=["model"])
        tale.rollback(document)
        assert tale.sandbox.patches == [{"firstMessage": "old", "model": LIVE["model"]}]

    def test_that_are_there_already_send_nothing(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new", name="B")
        tale.sandbox.edit("asst_a", firstMessage="old", name="A")
        assert outcomes(tale.rollback(document)) == {"a": "unchanged"}
        assert tale.sandbox.patches == []

    def test_of_one_field_come_back_where_the_other_has_its_own_already(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new", name="B")
        tale.sandbox.edit("asst_a", firstMessage="old")
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert tale.sandbox.patches == [{"name": "A"}]


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
    def test_become_null(self, tale: Story, field: str, value: Any, sent: Any) -> None:
        document = apply_fields(tale, **{field: value})
        assert "live" not in only_assistant(document)["changes"][0]
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert tale.sandbox.patches == [sent]

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"voice": {"provider": "azure", "voiceId": "x"}}, "voice.provider had no value before"),
            ({"model": {"maxTokens": 5}}, "model.maxTokens had no value before"),
            ({"transcriber": {"provider": "deepgram"}}, "transcriber.provider had no value before"),
        ],
    )
    def test_that_cannot_become_null_refuse_the_whole_assistant(
        self, tale: Story, fields: dict[str, Any], named: str
    ) -> None:
        document = apply_fields(tale, **fields, firstMessage="new")
        after = read_live(tale)
        rollback = tale.rollback(document)
        assert (outcomes(rollback), tale.sandbox.patches, read_live(tale)) == ({"a": "refused"}, [], after)
        assert named in read_reason(rollback)
        assert read_reason(rollback).startswith("invalid: this cannot be undone")
        assert "by hand" in read_reason(rollback)

    def test_all_reasons_are_told_at_once(self, tale: Story) -> None:
        document = apply_fields(tale, voice={"provider": "azure", "voiceId": "x"})
        assert "voice.provider" in (reason := read_reason(tale.rollback(document)))
        assert "voice.voiceId" in reason


class TestWhatNobodyCanDeclare:
    @pytest.mark.parametrize("old", [{}, {"x": {}}, {"x": 1, "y": {"z": {}}}, {"x": None}])
    def test_an_empty_object_refuses_the_assistant(self, tale: Story, old: Any) -> None:
        tale.sandbox.edit("asst_a", metadata={"own": 1, "key": old})
        document = apply_fields(tale, metadata={"key": "new"})
        rollback = tale.rollback(document)
        assert (outcomes(rollback), tale.sandbox.patches) == ({"a": "refused"}, [])
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
    def test_is_refused(self, tale: Story, field: str, old: Any, new: Any, theirs: Any) -> None:
        tale.sandbox.edit("asst_a", **{field: old})
        document = apply_fields(tale, **{field: new}, name="B")
        tale.sandbox.edit("asst_a", **{field: theirs})
        after = read_live(tale)
        rollback = tale.rollback(document)
        assert (outcomes(rollback), tale.sandbox.patches, read_live(tale)) == ({"a": "refused"}, [], after)
        assert read_reason(rollback).startswith("conflict: live has changed since")

    def test_between_the_plan_and_the_write_is_stale(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        readings: list[str] = []

        def edit(method: str, path: str, body: Any) -> None:
            if method == "GET":
                readings.append(path)
                if len(readings) == 2:
                    tale.sandbox.edit("asst_a", firstMessage="theirs")

        tale.sandbox.before_each(edit)
        rollback = tale.rollback(document)
        assert (outcomes(rollback), kinds(rollback), tale.sandbox.patches) == ({"a": "refused"}, {"a": "stale"}, [])

    def test_refuses_one_assistant_and_not_the_others(self, tale: Story) -> None:
        tale.sandbox.put({"id": "asst_b", "firstMessage": "old"})
        tale.write("b", firstMessage="new")
        document = apply_fields(tale, firstMessage="new")
        tale.sandbox.edit("asst_b", firstMessage="theirs")
        assert outcomes(tale.rollback(document)) == {"a": "applied", "b": "refused"}
        assert tale.run("rollback", tale.save_report(document), "--yes").code == 1

    def test_an_assistant_that_is_gone_has_failed(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        with tale.sandbox.client() as client:
            client.delete("/assistants/asst_a")
        rollback = tale.rollback(document)
        assert (outcomes(rollback), kinds(rollback)) == ({"a": "failed"}, {"a": "not_found"})

    def test_an_assistant_of_another_organisation_is_refused(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        tale.project.configure(org_id="org_other")
        assert kinds(tale.rollback(document)) == {"a": "forbidden"}
        assert tale.sandbox.patches == []

    def test_outside_of_the_project_nothing_is_sent(self, tale: Story) -> None:
        document = tale.save_report(apply_fields(tale, firstMessage="new"))
        tale.project.configure(org_id="org_other")
        sent = len(tale.sandbox.patches)
        result = tale.run("rollback", document, "--yes", "--directory", "misspelt/assistants")
        assert (result.code, len(tale.sandbox.patches)) == (1, sent)
        assert "there is no project here: neither the folder misspelt/assistants" in result.stderr


class TestWhatThePolicyDecided:
    @pytest.fixture(autouse=True)
    def recorded(self, tale: Story) -> None:
        tale.write("a", firstMessage="old", endCallPhrases=["bye", "so long"], metadata={"key": "old"})
        tale.commit()
        tale.apply_and_record()

    def test_a_forced_conflict_is_undone(self, tale: Story) -> None:
        tale.sandbox.edit("asst_a", firstMessage="theirs")
        document = apply_fields(tale, "--force-conflicts", firstMessage="new")
        assert only_assistant(document)["changes"][0]["kind"] == "conflict"
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert read_live(tale)["firstMessage"] == "theirs"

    def test_drift_that_was_reverted_is_undone(self, tale: Story) -> None:
        tale.sandbox.edit("asst_a", firstMessage="theirs")
        document = apply_fields(tale, "--on-drift", "revert", firstMessage="old", metadata={"key": "new"})
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert (read_live(tale)["firstMessage"], read_live(tale)["metadata"]["key"]) == ("theirs", "old")

    def test_drift_that_was_kept_is_not_touched(self, tale: Story) -> None:
        tale.sandbox.edit("asst_a", firstMessage="theirs", metadata={"own": 1, "key": "old", "more": 1})
        document = apply_fields(tale, firstMessage="old", metadata={"key": "new"})
        assert {change["kind"] for change in only_assistant(document)["changes"]} == {"change", "drift"}
        tale.sandbox.edit("asst_a", firstMessage="theirs again")
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert tale.sandbox.patches == [{"metadata": {"own": 1, "key": "old", "more": 1}}]
        assert read_live(tale)["firstMessage"] == "theirs again"

    def test_what_is_ignored_is_not_touched_and_listed(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new", metadata={"key": "new"})
        tale.project.configure(ignore=[{"path": "/metadata/key", "reason": "set by the CRM"}])
        tale.sandbox.edit("asst_a", metadata={"own": 1, "key": "theirs"})
        rollback = tale.rollback(document)
        assert outcomes(rollback) == {"a": "applied"}
        assert [ignored["path"] for ignored in only_assistant(rollback)["ignored"]] == ["/metadata/key"]
        assert read_live(tale)["metadata"] == {"own": 1, "key": "theirs"}

    def test_the_record_does_not_move(self, tale: Story) -> None:
        tale.write("a", firstMessage="new")
        tale.commit()
        document = tale.apply_and_record()
        record = tale.record
        rollback = tale.rollback(document)
        assert (outcomes(rollback), tale.record, rollback["base"]) == ({"a": "applied"}, record, None)

    def test_reverting_the_commit_that_is_named_settles_it(self, tale: Story) -> None:
        tale.write("a", firstMessage="new", endCallPhrases=["bye", "so long"], metadata={"key": "old"})
        tale.commit()
        document = tale.apply_and_record()
        warning = tale.rollback(document)["warnings"][-1]
        (commit,) = (word.rstrip(",") for word in warning.split() if word.rstrip(",") == tale.head)
        tale.git("-c", "user.name=A", "-c", "user.email=a@example.com", "revert", "--no-edit", commit)
        assert outcomes(tale.apply_and_record()) == {"a": "unchanged"}
        assert tale.plan()["summary"]["in_sync"] == 1


class TestWritesWithoutAClearEnd:
    def meddled(self, tale: Story, *, reaches: bool) -> Document:
        """Apply through something that answers every write with 500, whether the API got it or not."""

        def meddle(request: Request, forward: Forward) -> Answer:
            if request.method == "PATCH":
                if reaches:
                    forward(request)
                return error_answer(500)
            return forward(request)

        tale.write("a", firstMessage="new", name="B")
        tale.commit()
        with tale.intercept(meddle):
            document = tale.apply()
        assert outcomes(document) == {"a": "indeterminate"}
        tale.sandbox.forget_requests()
        return document

    def test_are_undone_where_live_shows_what_was_sent(self, tale: Story) -> None:
        before = read_live(tale)
        assert outcomes(tale.rollback(self.meddled(tale, reaches=True))) == {"a": "applied"}
        assert read_live(tale) == before

    @pytest.mark.parametrize("reaches", ["", " after=provider"], ids=["no store", "the provider"])
    def test_are_undone_where_live_shows_the_old_value(self, tale: Story, reaches: str) -> None:
        """Live is one of two stores: which value the provider has nobody knows."""
        tale.write("a", firstMessage="new", name="B")
        tale.commit()
        before = read_provider(tale)
        tale.sandbox.rehearse(f"PATCH *: 500{reaches}")
        document = tale.apply()
        tale.sandbox.mend()
        rollback = tale.rollback(document)
        assert (outcomes(document), outcomes(rollback)) == ({"a": "indeterminate"}, {"a": "applied"})
        assert read_provider(tale) == read_live(tale) == before

    def test_are_undone_where_live_shows_an_accepted_one_late(self, tale: Story) -> None:
        """Reading may show it any moment: the old value that live has until then is not the end of it."""
        tale.write("a", firstMessage="new", name="B")
        tale.commit()
        before = read_provider(tale)
        tale.sandbox.rehearse("1st PATCH *: lag=60s")
        document = tale.apply()
        assert (outcomes(document), read_provider(tale) == before) == ({"a": "not_converged"}, False)
        tale.rollback(document)
        assert read_provider(tale) == before

    def test_are_refused_where_live_shows_neither(self, tale: Story) -> None:
        document = self.meddled(tale, reaches=True)
        tale.sandbox.edit("asst_a", name="Theirs")
        assert outcomes(tale.rollback(document)) == {"a": "refused"}

    def converging(self, tale: Story, shown: dict[str, Any]) -> Document:
        """Apply through something that accepts writes and stores other values."""

        def meddle(request: Request, forward: Forward) -> Answer:
            if request.method == "PATCH":
                return forward(request.with_body({**request.json, **shown}))
            return forward(request)

        tale.write("a", firstMessage="new", name="B")
        tale.commit()
        with tale.intercept(meddle):
            document = tale.apply()
        assert outcomes(document) == {"a": "not_converged"}
        return document

    def test_that_did_not_converge_are_undone_where_live_shows_what_was_sent(self, tale: Story) -> None:
        before = read_live(tale)
        document = self.converging(tale, {"name": "A"})
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert read_live(tale) == before

    def test_that_did_not_converge_are_refused_where_live_shows_neither(self, tale: Story) -> None:
        document = self.converging(tale, {"name": "SHOUTED"})
        assert outcomes(tale.rollback(document)) == {"a": "refused"}

    @pytest.mark.parametrize("outcome", ["unchanged", "failed", "refused", "skipped", None])
    def test_others_were_not_written(self, tale: Story, outcome: Any) -> None:
        document = apply_fields(tale, firstMessage="new")
        document["assistants"][0]["outcome"] = outcome
        result = tale.run("rollback", tale.save_report(document), "--yes")
        assert (result.code, tale.sandbox.patches) == (0, [])
        assert "Rollback: no definitions to look at, nothing to do." in result.stdout

    def test_an_answer_that_makes_no_sense_can_be_undone_like_any_other(self, tale: Story) -> None:
        before = read_live(tale)

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            return json_answer(200, b"<html>") if request.method == "PATCH" else answer

        tale.write("a", firstMessage="new")
        with tale.intercept(meddle):
            document = tale.apply()
        assert outcomes(document) == {"a": "applied"}
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert read_live(tale) == before


class TestARollbackWithoutAClearEnd:
    """Live, one of two stores, may show the old value already: the record keeps that nobody knows the other one."""

    @pytest.fixture
    def document(self, tale: Story) -> Document:
        tale.write("a", firstMessage="old")
        tale.commit()
        tale.apply_and_record()
        tale.write("a", firstMessage="new")
        tale.commit()
        document = tale.apply_and_record()
        record = tale.record
        tale.sandbox.rehearse("PATCH *: 500 after=database")
        assert outcomes(tale.rollback(document, "--retries", "0")) == {"a": "indeterminate"}
        tale.sandbox.mend()
        assert (read_live(tale)["firstMessage"], read_provider(tale)["firstMessage"]) == ("old", "new")
        assert tale.record != record
        assert [trailer["fields"] for trailer in tale.trailers] == [["/firstMessage"]]
        tale.sandbox.forget_requests()
        return document

    def test_is_sent_again_by_the_next_rollback(self, tale: Story, document: Document) -> None:
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert (read_provider(tale)["firstMessage"], tale.trailers) == ("old", [])
        tale.sandbox.forget_requests()
        assert outcomes(tale.rollback(document)) == {"a": "unchanged"}
        assert tale.sandbox.patches == []

    def test_is_sent_again_by_the_apply_of_the_revert(self, tale: Story, document: Document) -> None:
        tale.write("a", firstMessage="old")
        tale.commit()
        entry = only_assistant(tale.plan())
        assert (entry["status"], entry["patch"]) == ("in_sync", {"firstMessage": "old"})
        assert outcomes(tale.apply_and_record()) == {"a": "applied"}
        assert (read_provider(tale)["firstMessage"], tale.trailers) == ("old", [])

    def test_its_report_can_be_resumed_once_git_has_reverted(self, tale: Story) -> None:
        """Where no record was kept, as in a pipeline whose rollback pushes nothing."""
        document = apply_fields(tale, firstMessage="new")
        tale.sandbox.rehearse("PATCH *: 500 after=database")
        report = tale.save_report(tale.rollback(document, "--retries", "0"), "undo.json")
        tale.sandbox.mend()
        tale.sandbox.forget_requests()
        refused = tale.apply("--resume", report)
        assert (outcomes(refused), tale.sandbox.patches) == ({"a": "refused"}, [])
        assert read_reason(refused).startswith(
            "conflict: git does not have the value of firstMessage that the rollback restored"
        )
        tale.write("a", firstMessage="old")
        tale.commit()
        assert outcomes(tale.apply("--resume", report)) == {"a": "applied"}
        assert (tale.sandbox.patches, read_provider(tale)["firstMessage"]) == ([{"firstMessage": "old"}], "old")

    def test_is_not_called_well_and_changes_no_entry(self, tale: Story, document: Document) -> None:
        assert tale.tree()["assistants/a.yaml"]["firstMessage"] == "new"
        assert "the outcome of the last write of firstMessage is unclear" in tale.run("drift").stdout
        result = tale.run("history", "--limit", "1")
        assert "Rollback: 1 indeterminate, 0 unchanged" in result.stdout
        assert "unclear: assistants/a.yaml (asst_a)" in result.stdout

    def test_what_cannot_be_recorded_is_told_with_what_to_do(self, tale: Story, document: Document) -> None:
        (tale.root / ".git" / "refs" / "reconciler" / "applied.lock").touch()
        result = tale.run("rollback", tale.save_report(document), "--yes")
        assert (result.code, "Rollback: 1 applied" in result.stdout) == (1, True), result.stdout
        assert "the rollback ended as reported, but its unclear writes are not recorded" in result.stderr
        assert "run the same rollback again" in result.stderr
        assert (read_live(tale)["firstMessage"], read_provider(tale)["firstMessage"]) == ("old", "old")

    def test_of_an_unclear_apply_settles_both(self, tale: Story) -> None:
        tale.write("a", firstMessage="old")
        tale.commit()
        tale.apply_and_record()
        tale.write("a", firstMessage="new")
        tale.commit()
        tale.sandbox.rehearse("PATCH *: 500 after=database")
        document = tale.apply_and_record("--retries", "0")
        tale.sandbox.mend()
        assert len(tale.trailers) == 1
        assert outcomes(tale.rollback(document)) == {"a": "applied"}
        assert (tale.trailers, tale.tree()["assistants/a.yaml"]["firstMessage"]) == ([], "old")


class TestRollingBackARollback:
    def test_brings_back_what_was_applied(self, tale: Story) -> None:
        before = read_live(tale)
        document = apply_fields(tale, firstMessage="new", metadata={"key": [{"x": 1}]}, endCallPhrases=["ciao"])
        after = read_live(tale)
        rollback = tale.rollback(document)
        assert read_live(tale) == before
        again = tale.rollback(rollback)
        assert (outcomes(again), read_live(tale)) == ({"a": "applied"}, after)
        assert outcomes(tale.rollback(again)) == {"a": "applied"}
        assert read_live(tale) == before

    def test_of_a_merge_names_the_side_that_stays(self, tale: Story) -> None:
        tale.write("a", firstMessage="old")
        tale.commit()
        tale.git("checkout", "-q", "-b", "branch")
        tale.write("a", firstMessage="new")
        tale.commit()
        tale.git("checkout", "-q", "-")
        merge(tale, "branch")
        rollback = tale.rollback(tale.apply())
        assert any(f"git revert -m 1 {tale.head}" in warning for warning in rollback["warnings"])

    def test_names_the_commits_that_set_what_was_put_back(self, tale: Story) -> None:
        """One apply brought several commits live: a run before it was superseded."""
        tale.sandbox.put({"id": "asst_b", "firstMessage": "old"})
        tale.write("a", firstMessage="old", name="A")
        tale.write("b", firstMessage="old")
        tale.commit()
        tale.apply_and_record()
        tale.write("b", firstMessage="new")
        refused, *_ = commit_as(tale, "Ada", "2026-11-19T09:00:00+01:00")
        tale.write("a", firstMessage="old", name="B")
        older, *_ = commit_as(tale, "Ada", "2026-11-20T09:00:00+01:00")
        tale.git("checkout", "-q", "-b", "branch")
        tale.write("a", firstMessage="new", name="B")
        newer, *_ = commit_as(tale, "Bob", "2026-11-20T08:30:00Z")
        tale.git("checkout", "-q", "-")
        commit_as(tale, "Cy")
        merged = merge(tale, "branch")
        document = tale.apply()
        tale.sandbox.edit("asst_b", firstMessage="theirs")

        warning = tale.rollback(document)["warnings"][-1]
        assert f": git revert -m 1 {merged} && git revert {older}" in warning, "what the merge brought goes with it"
        assert not any(commit in warning for commit in (newer, refused))
        commit_as(tale, "Cy")
        document["head"] = tale.head
        tale.sandbox.edit("asst_a", firstMessage="new", name="B")
        warning = tale.rollback(document)["warnings"][-1]
        assert f": git revert {newer} && git revert {older}" in warning

    def test_names_what_can_be_named(self, tale: Story) -> None:
        tale.write("a", firstMessage="old", name="A")
        tale.commit()
        tale.apply_and_record()
        tale.write("a", firstMessage="new", name="B")
        tale.commit()
        document = tale.apply()
        first, second = only_assistant(document)["changes"]
        first["since"]["commit"] = "HEAD; rm -rf /"
        second["since"] = {"commit": "a" * 40, "author": "", "date": "yesterday"}
        warning = tale.rollback(document)["warnings"][-1]
        assert f": git revert {tale.head} && git revert {'a' * 40}" in warning

    def test_names_no_commit_to_revert(self, tale: Story) -> None:
        rollback = tale.rollback(apply_fields(tale, firstMessage="new"))
        assert any("git revert" in warning for warning in rollback["warnings"])
        again = tale.rollback(rollback)
        assert not any("revert" in warning for warning in again["warnings"])

    @pytest.mark.parametrize(
        "later",
        [
            lambda tale: tale.git("-c", "user.name=A", "-c", "user.email=a@b", "revert", "--no-edit", "HEAD"),
            lambda tale: tale.write("a", firstMessage="old"),
            lambda tale: tale.write("a", name="A"),
            lambda tale: tale.git("rm", "--quiet", "assistants/a.yaml"),
        ],
        ids=["reverted", "old value", "undeclared", "removed"],
    )
    def test_names_no_commit_where_git_no_longer_has_the_change(
        self, tale: Story, later: Callable[[Story], object]
    ) -> None:
        document = apply_fields(tale, firstMessage="new")
        later(tale)
        tale.commit("Later", allow_empty=True)
        rollback = tale.rollback(document)
        assert outcomes(rollback) == {"a": "applied"}
        assert not any("git still has" in warning for warning in rollback["warnings"])

    def test_names_only_the_commits_whose_change_git_still_has(self, tale: Story) -> None:
        tale.write("a", firstMessage="old", name="A")
        tale.commit()
        tale.apply_and_record()
        tale.write("a", firstMessage="new", name="A")
        older = tale.commit("Older")
        document = apply_fields(tale, firstMessage="new", name="B")
        tale.write("a", firstMessage="new")
        tale.commit("The name is left to the dashboard")
        rollback = tale.rollback(document)
        assert any(f": git revert {older}" in warning for warning in rollback["warnings"])
        assert not any(str(document["head"]) in warning for warning in rollback["warnings"])

    def test_names_it_where_the_definition_has_moved(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        (tale.root / "assistants/moved").mkdir()
        tale.git("mv", "assistants/a.yaml", "assistants/moved/a.yaml")
        tale.commit("Later")
        assert any("git revert" in warning for warning in tale.rollback(document)["warnings"])

    def test_twice_is_nothing(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        tale.rollback(document)
        assert outcomes(tale.rollback(document)) == {"a": "unchanged"}


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
        self, tale: Story, path: str, fields: dict[str, Any]
    ) -> None:
        tale.project.configure(sensitive=[path])
        document = apply_fields(tale, **fields)
        rollback = tale.rollback(document)
        assert (outcomes(rollback), tale.sandbox.patches) == ({"a": "refused"}, [])
        assert "sensitive" in read_reason(rollback)

    def test_are_masked_in_the_report_of_the_rollback(self, tale: Story) -> None:
        document = apply_fields(tale, metadata={"key": "secret-new"})
        tale.project.configure(sensitive=["/metadata/key"])
        tale.sandbox.edit("asst_a", metadata={"own": 1, "key": "secret-new"})
        result = tale.run("rollback", tale.save_report(document), "--yes", "--format", "json")
        assert result.code == 0
        assert "secret-new" not in result.stdout + result.stderr
        assert read_live(tale)["metadata"]["key"] == "old"


class TestConsent:
    def test_without_a_terminal_yes_is_needed(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        result = tale.run("rollback", tale.save_report(document))
        assert (result.code, tale.sandbox.requests) == (1, [])
        assert "pass --yes" in result.stderr

    @pytest.mark.parametrize(("answer", "code", "patches"), [("y", 0, 1), ("n", 1, 0), ("", 1, 0)])
    def test_somebody_is_asked(self, tale: Story, answer: str, code: int, patches: int) -> None:
        document = apply_fields(tale, firstMessage="new")
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [COMMAND, "rollback", str(tale.save_report(document))],
            cwd=tale.root,
            env=environment(connection_variables(tale.sandbox)),
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
        assert (process.returncode, len(tale.sandbox.patches)) == (code, patches)
        assert (b"git still has this change" in stdout) == bool(patches)

    @pytest.mark.parametrize("limit", ["50%", 0])
    def test_how_many_an_apply_may_write_holds_no_rollback(self, tale: Story, limit: str | int) -> None:
        """All of what a report names is undone, which is always more than a share of it."""
        before = read_live(tale)
        document = apply_fields(tale, firstMessage="new")
        tale.project.configure(max_changes=limit)
        assert (outcomes(tale.rollback(document)), read_live(tale)) == ({"a": "applied"}, before)


class TestReportsThatAreRefused:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"command": "plan"}, "this is a report of `plan`"),
            ({"command": "drift"}, "this is a report of `drift`"),
            ({"command": "report"}, "this is a report of `report`"),
            ({"api_url": "https://agents.example.com/api"}, "this report is for https://agents.example.com/api"),
            ({"api_url": None}, "RECONCILER_API_URL"),
            ({"format_version": 2}, "has report format 2"),
            ({"assistants": {}}, "is not a report of this tool"),
        ],
    )
    def test_of_something_else(self, tale: Story, change: dict[str, Any], said: str) -> None:
        document = {**apply_fields(tale, firstMessage="new"), **change}
        file = tale.root.parent / "apply.json"
        file.write_text(json.dumps(document))
        result = tale.run("rollback", file, "--yes")
        assert (result.code, result.stdout, tale.sandbox.requests) == (1, "", [])
        assert said in result.stderr

    @pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"format_version": 1}'])
    def test_that_are_none(self, tale: Story, text: str) -> None:
        file = tale.root.parent / "apply.json"
        file.write_text(text)
        result = tale.run("rollback", file, "--yes")
        assert (result.code, result.stdout, tale.sandbox.requests) == (1, "", [])
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
    def test_that_name_a_field_twice(self, tale: Story, paths: list[str]) -> None:
        document = apply_fields(tale, firstMessage="new")
        (change,) = document["assistants"][0]["changes"]
        document["assistants"][0]["changes"] = [{**change, "path": path} for path in paths]
        result = tale.run("rollback", tale.save_report(document), "--yes")
        assert (result.code, tale.sandbox.requests) == (1, [])
        assert "one inside the other" in result.stderr or "twice" in result.stderr

    @pytest.mark.parametrize("field", ["id", "orgId", "createdAt", "updatedAt"])
    def test_that_would_write_what_is_read_only(self, tale: Story, field: str) -> None:
        document = apply_fields(tale, firstMessage="new")
        change = document["assistants"][0]["changes"][0]
        change["path"], change["live"], change["desired"] = f"/{field}", "evil", tale.sandbox.live("asst_a")[field]
        rollback = tale.rollback(document)
        assert (outcomes(rollback), tale.sandbox.patches) == ({"a": "refused"}, [])

    @pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "a b", "a\x1b[31m"])
    def test_that_name_an_id_that_no_assistant_has(self, tale: Story, name: str) -> None:
        document = apply_fields(tale, firstMessage="new")
        document["assistants"][0]["id"] = name
        result = tale.run("rollback", tale.save_report(document), "--yes")
        assert (result.code, tale.sandbox.patches) == (1, [])
        assert "\x1b" not in result.stderr
        assert [request for request in tale.sandbox.requests if request[0] == "GET"] == []

    def test_that_name_an_assistant_twice(self, tale: Story) -> None:
        document = apply_fields(tale, firstMessage="new")
        document["assistants"].append({**document["assistants"][0], "file": "assistants/b.yaml", "key": "b"})
        rollback = tale.rollback(document)
        assert (set(outcomes(rollback).values()), tale.sandbox.patches) == ({"refused"}, [])

    @pytest.mark.parametrize("head", [None, "", "HEAD; rm -rf /", "\x1b[31m", "a" * 39])
    def test_a_commit_that_is_none_is_not_repeated(self, tale: Story, head: Any) -> None:
        document = apply_fields(tale, firstMessage="new")
        document["head"] = head
        rollback = tale.rollback(document)
        assert "revert the commit that was applied" in rollback["warnings"][-1]


def test_a_report_without_a_repository_can_be_undone(tale: Story, tmp_path: Path) -> None:
    before = read_live(tale)
    folder = tmp_path / "plain" / "assistants"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("id: asst_a\nfirstMessage: new\n")
    document = tale.apply("--directory", str(folder))
    assert document["head"] is None
    rollback = tale.rollback(document, "--directory", str(folder))
    assert (outcomes(rollback), read_live(tale)) == ({"a": "applied"}, before)


def test_a_text_report_says_what_goes_back_and_ends_with_what_to_do(tale: Story) -> None:
    document = apply_fields(tale, firstMessage="new")
    result = tale.run("rollback", tale.save_report(document), "--yes")
    assert result.code == 0
    assert '~ firstMessage: "new" -> "old"' in result.stdout
    assert "Rollback: 1 applied, 0 unchanged, 0 failed." in result.stdout
    assert f"revert {tale.head}" in " ".join(result.stdout.split())


def test_entries_are_undone_by_their_other_id_too(tale: Story) -> None:
    before = read_live(tale)
    document = apply_fields(tale, id="local_asst_a", firstMessage="new")
    assert entries(document)["a"]["id"] == "local_asst_a"
    assert outcomes(tale.rollback(document)) == {"a": "applied"}
    assert read_live(tale) == before
