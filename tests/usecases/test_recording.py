"""What the applied record holds after every kind of run: per definition, the file that says what is live."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, answer_with, error_answer, json_answer
from projects import outcomes
from stories import BOTH, REF, Nested, Story, committed_story, entries, story

OLD, NEW = {"firstMessage": "old"}, {"firstMessage": "new"}
LIVE = dict.fromkeys("abcd", OLD)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Four definitions that are live as they are committed; nothing is recorded yet."""
    with committed_story(tmp_path / "repository", LIVE, OLD) as repo:
        yield repo


def file(name: str) -> str:
    return f"assistants/{name}.yaml"


def recorded_values(repo: Story, field: str = "firstMessage") -> dict[str, Any]:
    """The one field of every definition in the record's tree."""
    return {Path(path).stem: declared.get(field) for path, declared in repo.tree().items()}


class TestTheFirstRun:
    def test_needs_to_be_announced(self, repo: Story) -> None:
        result = repo.run("apply", "--yes", "--record")
        assert result.code == 1
        assert f"there is no record {REF} here" in result.stderr
        assert "git fetch origin" in result.stderr
        assert "--base none" in result.stderr
        assert (repo.record, repo.sandbox.requests) == (None, [])

    def test_another_base_does_not_announce_it(self, repo: Story) -> None:
        assert repo.run("apply", "--yes", "--record", "--base", "HEAD").code == 1
        assert repo.record is None

    def test_has_one_parent_and_an_entry_for_each_definition(self, repo: Story) -> None:
        (repo.root / "README").write_text("Not a definition.\n")
        repo.write("a", **NEW)
        head = repo.commit()
        result = repo.run("apply", "--yes", "--record", "--base", "none")
        assert (result.code, repo.parents) == (0, [head])
        assert f"Recorded as {str(repo.record)[:12]}." in result.stderr
        assert recorded_values(repo) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert "README" not in repo.git("ls-tree", "--name-only", REF)
        assert repo.message.splitlines()[:3] == [
            "Apply: 1 applied, 3 unchanged",
            "",
            "applied: assistants/a.yaml (asst_a)",
        ]

    def test_leaves_out_what_did_not_get_there(self, repo: Story) -> None:
        for name in LIVE:
            repo.write(name, **NEW)
        repo.commit()
        with repo.intercept(answer_with(400, "b")):
            document = repo.apply_and_record()
        assert outcomes(document) == {"a": "applied", "b": "failed", "c": "applied", "d": "applied"}
        assert recorded_values(repo) == {"a": "new", "c": "new", "d": "new"}


class TestTheTree:
    @pytest.fixture(autouse=True)
    def first(self, repo: Story) -> None:
        repo.apply_and_record()

    def test_has_heads_files_where_everything_is_live(self, repo: Story) -> None:
        previous = repo.record
        repo.write("a", **NEW)
        head = repo.commit()
        repo.apply_and_record()
        assert repo.parents == [head, previous]
        assert recorded_values(repo) == {"a": "new", "b": "old", "c": "old", "d": "old"}

    @pytest.mark.parametrize(
        ("method", "status", "outcome"),
        [("PATCH", 400, "failed"), ("GET", 500, "failed"), ("PATCH", 500, "indeterminate"), ("PATCH", 404, "failed")],
    )
    def test_keeps_the_record_of_one_that_failed(self, repo: Story, method: str, status: int, outcome: str) -> None:
        for name in "ab":
            repo.write(name, **NEW)
        repo.commit()
        with repo.intercept(answer_with(status, "b", method=method)):
            assert outcomes(repo.apply_and_record()) == {
                "a": "applied",
                "b": outcome,
                "c": "unchanged",
                "d": "unchanged",
            }
        assert recorded_values(repo) == {"a": "new", "b": "old", "c": "old", "d": "old"}

    def test_keeps_the_record_of_one_that_was_refused(self, repo: Story) -> None:
        repo.sandbox.edit("asst_b", firstMessage="theirs")
        for name in "ab":
            repo.write(name, **NEW)
        repo.commit()
        result = repo.run("apply", "--yes", "--record")
        assert result.code == 1
        assert recorded_values(repo) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert repo.message.splitlines()[0] == "Apply: 1 applied, 1 refused, 2 unchanged"
        assert entries(repo.plan())["b"]["status"] == "conflicted"  # not drift, as if git had won

    def test_keeps_the_record_of_one_that_was_not_selected(self, repo: Story) -> None:
        for name in "abc":
            repo.write(name, **NEW)
        repo.commit()
        assert outcomes(repo.apply_and_record("assistants/a.yaml")) == {"a": "applied"}
        assert recorded_values(repo) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert outcomes(repo.apply_and_record("--changed")) == {"b": "applied", "c": "applied"}
        assert set(recorded_values(repo).values()) == {"new", "old"}

    def test_keeps_the_record_of_one_that_was_skipped(self, repo: Story) -> None:
        for name in "abcd":
            repo.write(name, **NEW)
        repo.commit()
        with repo.intercept(answer_with(400, "a")):
            found = outcomes(repo.apply_and_record("--fail-fast", "--concurrency", "1"))
        assert found == {"a": "failed", "b": "skipped", "c": "skipped", "d": "skipped"}
        assert set(recorded_values(repo).values()) == {"old"}

    def test_keeps_the_record_of_one_that_live_does_not_show(self, repo: Story) -> None:
        def deaf(request: Request, forward: Forward) -> Answer:
            if request.method == "PATCH":
                return json_answer(200, forward(Request("GET", request.path, request.headers, b"", 1)).json)
            return forward(request)

        repo.write("a", **NEW)
        repo.commit()
        with repo.intercept(deaf):
            assert outcomes(repo.apply_and_record())["a"] == "not_converged"
        assert f"  not converged: {file('a')} (asst_a)" in repo.run("history").stdout.splitlines()
        assert recorded_values(repo)["a"] == "old"
        assert repo.trailers == []

    def test_an_entry_follows_its_definition_to_its_new_place(self, repo: Story) -> None:
        repo.git("mv", file("a"), file("z"))
        repo.write("z", id="asst_a", **NEW)
        repo.commit()
        with repo.intercept(answer_with(400, "a")):
            assert outcomes(repo.apply_and_record())["z"] == "failed"
        assert recorded_values(repo) == {"b": "old", "c": "old", "d": "old", "z": "old"}
        assert entries(repo.plan())["z"]["changes"][0]["base"] == "old"

    def test_follows_files_whose_names_were_swapped(self, repo: Story) -> None:
        repo.write("a", id="asst_b", **NEW)
        repo.write("b", id="asst_a", **NEW)
        repo.commit()
        with repo.intercept(answer_with(400, "b")):
            assert outcomes(repo.apply_and_record()) == {
                "a": "failed",
                "b": "applied",
                "c": "unchanged",
                "d": "unchanged",
            }
        tree = repo.tree()
        assert (tree[file("a")], tree[file("b")]) == ({"id": "asst_b", **OLD}, {"id": "asst_a", **NEW})

    @pytest.mark.parametrize("known", [True, False], ids=["both ids known", "the other id not known"])
    def test_of_selected_files_keeps_one_whose_path_is_taken_and_whose_definition_has_its_other_id(
        self, repo: Story, known: bool
    ) -> None:
        ids = ["local_asst_a", "asst_a"] if known else ["asst_a", "local_asst_a"]
        repo.write("a", id=ids[0], **OLD)
        repo.commit("The id", allow_empty=True)
        repo.apply_and_record()
        repo.write("a", id="asst_b", **OLD)
        repo.write("b", id=ids[1], **OLD)
        repo.commit()
        assert outcomes(repo.apply_and_record(file("a"))) == {"a": "unchanged"}
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        assert entries(repo.plan())["b"]["status"] == "drifted"
        assert outcomes(repo.apply_and_record())["b"] == "unchanged"
        assert (repo.sandbox.live("asst_a")["firstMessage"], recorded_values(repo)) == (
            "theirs",
            dict.fromkeys("abcd", "old"),
        )

    def test_of_selected_files_keeps_one_that_is_gone_and_whose_path_is_taken(self, repo: Story) -> None:
        (repo.root / file("b")).unlink()
        repo.write("a", id="asst_b", **OLD)
        repo.commit()
        repo.apply_and_record(file("a"))
        assert [removed["id"] for removed in repo.plan()["no_longer_managed"]] == ["asst_a"]
        repo.apply_and_record()
        assert sorted(repo.tree()) == [file("a"), file("c"), file("d")]

    def test_lacks_one_that_is_new_and_failed(self, repo: Story) -> None:
        repo.sandbox.put({"id": "asst_e", **OLD})
        repo.write("e", **NEW)
        repo.commit()
        with repo.intercept(answer_with(400, "e")):
            assert outcomes(repo.apply_and_record())["e"] == "failed"
        assert file("e") not in repo.tree()

    def test_lacks_one_that_head_deleted(self, repo: Story) -> None:
        (repo.root / file("b")).unlink()
        repo.commit()
        document = repo.apply_and_record()
        assert document["no_longer_managed"] == [{"file": file("b"), "id": "asst_b"}]
        assert recorded_values(repo) == {"a": "old", "c": "old", "d": "old"}
        assert repo.plan()["no_longer_managed"] == []

    def test_keeps_what_a_renamed_folder_held(self, repo: Story) -> None:
        repo.git("mv", "assistants", "bots")
        for name in "ab":
            (repo.root / "bots" / f"{name}.yaml").write_text(f"id: asst_{name}\nfirstMessage: new\n")
        repo.commit()
        repo.apply_and_record("--directory", "bots", "bots/a.yaml")
        assert {path: declared["firstMessage"] for path, declared in repo.tree().items()} == {
            "bots/a.yaml": "new",
            "assistants/b.yaml": "old",
            "assistants/c.yaml": "old",
            "assistants/d.yaml": "old",
        }
        repo.sandbox.edit("asst_b", firstMessage="theirs")
        assert entries(repo.plan("--directory", "bots"))["b"]["status"] == "conflicted"

    def test_keeps_the_record_of_a_definition_that_now_uses_the_other_id(self, repo: Story) -> None:
        repo.write("a", id="local_asst_a", **NEW)
        repo.commit()
        with repo.intercept(
            lambda request, forward: error_answer(400) if request.method == "PATCH" else forward(request)
        ):
            assert outcomes(repo.apply_and_record())["a"] == "failed"
        assert repo.tree()[file("a")] == {"id": "asst_a", **OLD}
        assert entries(repo.plan())["a"]["changes"][0]["base"] == "old"

    def test_an_unselected_file_that_nobody_can_read_keeps_its_place(self, repo: Story) -> None:
        repo.write("b", "id: [\n")
        repo.write("a", **NEW)
        repo.commit()
        repo.apply_and_record("assistants/a.yaml")
        assert recorded_values(repo) == {"a": "new", "b": "old", "c": "old", "d": "old"}

    def test_drift_that_is_kept_is_still_drift_afterwards(self, repo: Story) -> None:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        repo.write("b", **NEW)
        repo.commit()
        assert outcomes(repo.apply_and_record())["a"] == "unchanged"
        assert entries(repo.plan())["a"]["status"] == "drifted"


class TestOneFailureDoesNotMakeTheOthersStale:
    def test_the_next_run_tells_changes_from_edits(self, repo: Story) -> None:
        repo.apply_and_record()
        for name in "ab":
            repo.write(name, **NEW)
        repo.commit()
        with repo.intercept(answer_with(400, "b")):
            repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        found = entries(repo.plan())
        assert {key: entry["status"] for key, entry in found.items()} == {
            "a": "drifted",
            "b": "pending",
            "c": "in_sync",
            "d": "in_sync",
        }

    @pytest.mark.parametrize("nested", BOTH)
    def test_a_retry_converges(self, tmp_path: Path, nested: Nested) -> None:
        with story(tmp_path / "other", {"a": {"metadata": {"k": 1, "own": 2}}}, nested=nested) as repo:
            repo.write("a", metadata={"k": 1})
            repo.commit()
            repo.apply_and_record()
            repo.write("a", metadata={"k": 2})
            head = repo.commit()
            with repo.intercept(answer_with(400, "a")):
                assert outcomes(repo.apply_and_record()) == {"a": "failed"}
            assert outcomes(repo.apply_and_record()) == {"a": "applied"}
            assert (repo.tree(), repo.parents[0]) == (repo.tree(head), head)
            assert repo.sandbox.live("asst_a")["metadata"] == {"k": 2, "own": 2}


class TestUnclearWrites:
    @pytest.fixture
    def unclear(self, repo: Story) -> Story:
        """The last write to `a` had no clear answer, and reached the local database all the same."""
        repo.apply_and_record()
        repo.write("a", **NEW)
        repo.commit()
        with repo.intercept(answer_with(500, "a", landed=True)):
            assert outcomes(repo.apply_and_record())["a"] == "indeterminate"
        repo.sandbox.forget_requests()
        return repo

    def test_a_trailer_names_the_fields(self, unclear: Story) -> None:
        trailer = {"id": "asst_a", "file": file("a"), "fields": ["/firstMessage"], "heads": [unclear.head]}
        assert unclear.trailers == [trailer]
        assert unclear.message.splitlines()[0] == "Apply: 1 indeterminate, 3 unchanged"
        assert recorded_values(unclear)["a"] == "old"

    def test_the_next_plan_shows_them_although_live_looks_right(self, unclear: Story) -> None:
        entry = entries(unclear.plan())["a"]
        assert unclear.sandbox.live("asst_a")["firstMessage"] == "new"
        assert (entry["status"], entry["changes"], entry["patch"]) == ("in_sync", [], NEW)
        assert "sent again" in entry["warnings"][0]
        assert "firstMessage" in unclear.run("plan").stdout
        # A look at live alone must not say that all is well.
        assert "the last write of firstMessage is unclear: live shows git's value" in unclear.run("drift").stdout

    @pytest.mark.parametrize("options", [[], ["--changed"], ["assistants/a.yaml"], ["--base", "none"]])
    def test_the_next_apply_sends_them_again_and_settles_them(self, unclear: Story, options: list[str]) -> None:
        assert outcomes(unclear.apply_and_record(*options))["a"] == "applied"
        assert unclear.sandbox.patches == [NEW]
        assert unclear.sandbox.provider("asst_a")["firstMessage"] == "new"
        assert (unclear.trailers, recorded_values(unclear)["a"]) == ([], "new")
        unclear.sandbox.forget_requests()
        assert outcomes(unclear.apply_and_record())["a"] == "unchanged"
        assert unclear.sandbox.patches == []

    def test_a_write_that_was_accepted_settles_what_live_shows_of_it(self, unclear: Story) -> None:
        """Another field did not converge, and is sent again: what arrived is neither unclear nor sent once more."""
        unclear.write("a", **NEW, endCallMessage="Bye ")
        unclear.commit()
        unclear.sandbox.rehearse("normalise trim endCallMessage")
        assert outcomes(unclear.apply_and_record())["a"] == "not_converged"
        assert unclear.trailers == []
        assert entries(unclear.plan())["a"]["patch"] == {"endCallMessage": "Bye "}

    def test_a_write_that_did_not_arrive_settles_nothing(self, unclear: Story) -> None:
        unclear.write("a", firstMessage="newer")
        unclear.commit()

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if request.method == "PATCH":
                unclear.sandbox.edit("asst_a", firstMessage="theirs")
            return answer

        with unclear.intercept(meddle):
            assert outcomes(unclear.apply_and_record())["a"] == "not_converged"
        assert [trailer["fields"] for trailer in unclear.trailers] == [["/firstMessage"]]
        assert entries(unclear.plan())["a"]["patch"] is None

    def test_without_record_they_are_sent_again_and_again(self, unclear: Story) -> None:
        for _ in range(2):
            assert outcomes(unclear.apply("--no-record"))["a"] == "applied"
        assert unclear.sandbox.patches == [NEW, NEW]
        assert len(unclear.trailers) == 1

    def test_they_stay_until_they_are_settled(self, unclear: Story) -> None:
        unclear.write("b", **NEW)
        unclear.commit()
        unclear.apply_and_record("assistants/b.yaml")
        assert [trailer["id"] for trailer in unclear.trailers] == ["asst_a"]
        with unclear.intercept(answer_with(400, "a")):
            assert outcomes(unclear.apply_and_record())["a"] == "failed"
        assert [trailer["id"] for trailer in unclear.trailers] == ["asst_a"]

    def test_a_second_unclear_write_keeps_the_fields_of_the_first(self, unclear: Story) -> None:
        unclear.write("a", **NEW, endCallMessage="Bye")
        unclear.commit()
        with unclear.intercept(answer_with(502, "a")):
            assert outcomes(unclear.apply_and_record())["a"] == "indeterminate"
        assert [trailer["fields"] for trailer in unclear.trailers] == [["/endCallMessage", "/firstMessage"]]

    def test_of_two_unclear_writes_the_first_may_be_the_one_that_landed(self, unclear: Story) -> None:
        first = unclear.head
        unclear.write("a", firstMessage="newer")
        second = unclear.commit()
        for _ in range(2):
            with unclear.intercept(answer_with(502, "a")):
                assert outcomes(unclear.apply_and_record())["a"] == "indeterminate"
        assert [trailer["heads"] for trailer in unclear.trailers] == [[first, second]]
        assert unclear.sandbox.live("asst_a")["firstMessage"] == "new"
        assert outcomes(unclear.apply_and_record())["a"] == "applied"
        assert unclear.sandbox.provider("asst_a")["firstMessage"] == "newer"

    @pytest.mark.parametrize("id_", ["asst_a", "local_asst_a"], ids=["the provider's id", "the local database's id"])
    def test_a_field_that_git_puts_back_is_a_change_and_nobody_s_edit(self, repo: Story, id_: str) -> None:
        repo.write("a", id=id_, **OLD)
        repo.commit("The id", allow_empty=True)
        repo.apply_and_record()
        repo.write("a", id=id_, **NEW)
        repo.commit()

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            return error_answer(500) if request.method == "PATCH" else answer

        with repo.intercept(meddle):
            assert outcomes(repo.apply_and_record())["a"] == "indeterminate"
        repo.write("a", id=id_, **OLD)
        repo.commit("Back")
        assert entries(repo.plan())["a"]["status"] == "pending"
        assert outcomes(repo.apply_and_record())["a"] == "applied"
        assert (repo.sandbox.live("asst_a")["firstMessage"], repo.trailers) == ("old", [])

    def test_they_are_recomputed_from_todays_definition(self, unclear: Story) -> None:
        unclear.write("a", firstMessage="newer")
        unclear.commit()
        unclear.sandbox.edit("asst_a", firstMessage="old")
        assert outcomes(unclear.apply_and_record())["a"] == "applied"
        assert unclear.sandbox.patches == [{"firstMessage": "newer"}]
        assert unclear.trailers == []

    def test_one_that_somebody_else_has_written_since_is_refused(self, unclear: Story) -> None:
        unclear.sandbox.edit("asst_a", firstMessage="theirs")
        assert outcomes(unclear.apply_and_record())["a"] == "refused"
        assert (unclear.sandbox.patches, len(unclear.trailers)) == ([], 1)

    def test_a_field_that_is_no_longer_declared_is_left_alone_until_it_is_declared_again(self, unclear: Story) -> None:
        unclear.write("a", name="A")
        unclear.sandbox.edit("asst_a", name="A")
        unclear.commit()
        assert outcomes(unclear.apply_and_record())["a"] == "unchanged"
        assert (unclear.sandbox.patches, len(unclear.trailers)) == ([], 1)
        entry = entries(unclear.plan())["a"]
        warning = "the outcome of the last write of firstMessage, which is no longer declared, is unclear"
        assert (entry["released"], entry["warnings"]) == ([], [warning])
        unclear.write("a", name="A", **NEW)  # live shows it, and the provider may not have it
        unclear.commit()
        assert outcomes(unclear.apply_and_record())["a"] == "applied"
        assert (unclear.sandbox.patches, unclear.trailers) == ([NEW], [])

    def test_one_that_is_ignored_now_waits_and_is_named(self, unclear: Story) -> None:
        unclear.project.configure(ignore=[{"path": "/firstMessage", "reason": "theirs for a while"}])
        unclear.commit()
        warning = "the outcome of the last write of firstMessage, which is now ignored, is unclear"
        assert entries(unclear.plan())["a"]["warnings"] == [warning]
        assert outcomes(unclear.apply_and_record())["a"] == "unchanged"
        assert (unclear.sandbox.patches, len(unclear.trailers)) == ([], 1)

    def test_a_null_above_it_is_sent_although_live_has_nothing_there(self, repo: Story) -> None:
        repo.apply_and_record()
        repo.write("a", metadata={"key": "value"})
        repo.commit()
        repo.sandbox.rehearse("PATCH *: 500 after=provider")
        assert outcomes(repo.apply_and_record())["a"] == "indeterminate"
        repo.sandbox.mend()
        repo.write("a", metadata=None)
        repo.commit()
        assert outcomes(repo.apply_and_record())["a"] == "applied"
        assert (repo.sandbox.provider("asst_a")["metadata"], repo.trailers) == (None, [])

    def test_a_rollback_of_another_field_does_not_settle_it(self, repo: Story) -> None:
        repo.apply_and_record()
        repo.write("a", **OLD, endCallMessage="Bye")
        repo.commit()
        applied = repo.apply_and_record()
        repo.write("a", **NEW, endCallMessage="Bye")
        repo.commit()
        repo.sandbox.rehearse("PATCH *: 500")
        assert outcomes(repo.apply_and_record())["a"] == "indeterminate"
        repo.sandbox.mend()
        assert outcomes(repo.rollback(applied)) == {"a": "applied"}
        assert [trailer["fields"] for trailer in repo.trailers] == [["/firstMessage"]]

    def test_a_field_that_only_drifted_is_not_settled_by_another(self, unclear: Story) -> None:
        unclear.write("a", **OLD, endCallMessage="Bye")  # git went back, and somebody edits live
        unclear.commit()
        unclear.sandbox.edit("asst_a", firstMessage="theirs")
        document = unclear.apply_and_record()
        assert outcomes(document)["a"] == "applied"
        assert "the last write of firstMessage is unclear" in entries(document)["a"]["warnings"][0]
        assert unclear.sandbox.patches == [{"endCallMessage": "Bye"}]
        assert [trailer["fields"] for trailer in unclear.trailers] == [["/firstMessage"]]
        assert outcomes(unclear.apply_and_record("--on-drift", "revert"))["a"] == "applied"
        assert unclear.trailers == []

    @pytest.mark.parametrize("wanted", ["old", "newer"])
    def test_where_the_write_did_land_git_moves_on_from_it(self, unclear: Story, wanted: str) -> None:
        unclear.write("a", firstMessage=wanted)
        unclear.commit()
        assert [change["kind"] for change in entries(unclear.plan())["a"]["changes"]] == ["change"]
        assert outcomes(unclear.apply_and_record())["a"] == "applied"
        assert (unclear.sandbox.live("asst_a")["firstMessage"], unclear.trailers) == (wanted, [])

    def test_the_definition_may_move_and_use_the_other_id(self, unclear: Story) -> None:
        (unclear.root / file("a")).unlink()
        unclear.write("z", id="local_asst_a", **NEW)
        unclear.commit()
        assert outcomes(unclear.apply_and_record())["z"] == "applied"
        assert (unclear.sandbox.patches, unclear.trailers) == ([NEW], [])

    def test_the_trailer_follows_a_definition_that_moves(self, unclear: Story) -> None:
        (unclear.root / file("a")).unlink()
        unclear.write("z", id="asst_a", **NEW)
        unclear.commit()
        with unclear.intercept(answer_with(400, "a")):
            assert outcomes(unclear.apply_and_record())["z"] == "failed"
        assert [trailer["file"] for trailer in unclear.trailers] == [file("z")]

    def test_history_names_them(self, unclear: Story) -> None:
        assert "unclear: assistants/a.yaml (asst_a)\n" in unclear.run("history").stdout

    def test_one_without_a_definition_waits_until_it_is_back(self, unclear: Story) -> None:
        """It may be written at the provider alone: to forget it would leave that so, unseen."""
        (unclear.root / file("a")).unlink()
        unclear.commit()
        unclear.apply_and_record()
        assert "a" not in outcomes(unclear.apply_and_record("--changed"))
        waiting = "unclear: assistants/a.yaml (asst_a): its definition was removed; if it is restored, an apply"
        assert unclear.run("history").stdout.count(waiting) == 1
        assert unclear.sandbox.patches == []
        unclear.write("z", id="local_asst_a", **NEW)
        unclear.commit()
        assert outcomes(unclear.apply_and_record())["z"] == "applied"
        assert (unclear.sandbox.patches, unclear.trailers) == ([NEW], [])

    def test_one_whose_definition_moved_is_not_called_gone(self, unclear: Story) -> None:
        (unclear.root / file("a")).unlink()
        unclear.write("z", id="asst_a", **NEW)
        unclear.commit()
        assert "gone" not in unclear.run("history").stdout

    def test_a_conflict_elsewhere_keeps_them_unsent(self, unclear: Story) -> None:
        unclear.write("a", **NEW, endCallMessage="Bye")
        unclear.commit()
        unclear.apply_and_record()
        unclear.sandbox.edit("asst_a", endCallMessage="theirs")
        unclear.write("a", **NEW, endCallMessage="See you")
        unclear.commit()
        unclear.sandbox.forget_requests()
        assert outcomes(unclear.apply_and_record())["a"] == "refused"
        assert unclear.sandbox.patches == []


class TestTheObjectOfAnEntry:
    """A definition that says all by itself is recorded as the file that `HEAD` has: the next run need not read it."""

    def blob(self, repo: Story, revision: str) -> str:
        return repo.git("rev-parse", f"{revision}:{file('a')}")

    def test_is_heads_file_word_for_word(self, repo: Story) -> None:
        repo.write("a", "id: asst_a\nfirstMessage: 'new'\n")
        repo.commit()
        repo.apply_and_record()
        assert self.blob(repo, REF) == self.blob(repo, "HEAD")

    def test_stays_the_older_one_where_only_a_comment_is_new(self, repo: Story) -> None:
        repo.apply_and_record()
        before = self.blob(repo, REF)
        repo.write("a", "# The front door.\nid: asst_a\nfirstMessage: old\n")
        repo.write("b", **NEW)
        repo.commit()
        repo.apply_and_record()
        assert self.blob(repo, REF) == before
        assert repo.plan()["summary"]["in_sync"] == 4

    @pytest.mark.parametrize(
        ("files", "messages"),
        [
            ({"_defaults.yaml": "endCallMessage: Bye\n"}, {**OLD, "endCallMessage": "Bye"}),
            ({"a.yaml": "id: asst_a\nfirstMessage: {$file: a.md}\n", "a.md": "old\n"}, OLD),
            ({"../reconciler.yaml": "ignore: [{path: /firstMessage, assistants: [a], reason: theirs}]\n"}, {}),
        ],
    )
    def test_is_its_own_where_the_file_alone_does_not_say_it(
        self, repo: Story, files: dict[str, str], messages: dict[str, str]
    ) -> None:
        for name, text in files.items():
            (repo.root / "assistants" / name).write_text(text)
        repo.commit()
        repo.apply_and_record()
        assert self.blob(repo, REF) != self.blob(repo, "HEAD")
        assert repo.tree()[file("a")] == {"id": "asst_a", **messages}

    def test_is_its_own_where_the_working_tree_says_it_in_other_words(self, repo: Story) -> None:
        repo.git("update-index", "--assume-unchanged", file("a"))
        repo.write("a", "# Not in git.\nid: asst_a\nfirstMessage: old\n")
        repo.apply_and_record()
        assert "#" not in repo.git("show", f"{REF}:{file('a')}")


def test_nothing_new_is_not_recorded(repo: Story) -> None:
    repo.apply_and_record()
    record = repo.record
    result = repo.run("apply", "--yes", "--record")
    assert (result.code, repo.record) == (0, record)
    assert "The record is already up to date." in result.stderr


def test_a_new_commit_is_recorded_even_if_it_changes_no_definition(repo: Story) -> None:
    repo.apply_and_record()
    previous, head = repo.record, repo.commit("Nothing", allow_empty=True)
    repo.apply_and_record("--changed")
    assert repo.parents == [head, previous]
    assert recorded_values(repo) == dict.fromkeys("abcd", "old")


def test_what_was_written_is_recorded_even_if_the_files_are_the_same(repo: Story) -> None:
    repo.apply_and_record()
    previous = repo.record
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    assert outcomes(repo.apply_and_record("--on-drift", "revert"))["a"] == "applied"
    assert repo.parents == [repo.head, previous]
    assert "applied: assistants/a.yaml (asst_a)" in repo.message


class TestTwoFoldersInOneRecord:
    """An apply of one folder says nothing of the other one's definitions: they wait for their own."""

    @pytest.fixture(autouse=True)
    def agents(self, repo: Story) -> None:
        (repo.root / "agents").mkdir()
        for name in "cd":
            repo.git("mv", file(name), f"agents/{name}.yaml")
        (repo.root / "unlike.yaml").write_text("name: No definition\n")
        repo.commit()

    def agents_applied(self, repo: Story) -> dict[str, str | None]:
        result = repo.run("apply", "--yes", "--record", "--changed", "--directory", "agents", "--format", "json")
        assert result.code == 0, result.stderr
        return outcomes(json.loads(result.stdout))

    def test_a_first_run_begins_with_its_own(self, repo: Story) -> None:
        repo.apply_and_record()
        assert repo.tree().keys() == {file("a"), file("b")}
        assert self.agents_applied(repo) == {"c": "unchanged", "d": "unchanged"}
        assert repo.tree() == {path: fields for path, fields in repo.tree("HEAD").items() if path != "unlike.yaml"}

    def test_a_change_is_applied_although_the_other_folder_was_recorded_first(self, repo: Story) -> None:
        repo.apply_and_record()
        self.agents_applied(repo)
        repo.write("a", **NEW)
        (repo.root / "agents" / "c.yaml").write_text("id: asst_c\nfirstMessage: new\n")
        repo.git("mv", "agents/d.yaml", "agents/moved.yaml")
        repo.commit()
        repo.sandbox.edit("asst_d", firstMessage="theirs")
        assert outcomes(repo.apply_and_record("--changed")) == {"a": "applied"}
        assert recorded_values(repo) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert self.agents_applied(repo) == {"c": "applied", "moved": "unchanged"}
        assert repo.sandbox.live("asst_d")["firstMessage"] == "theirs", "drift stays drift, wherever its file went"
        assert repo.tree() == {path: fields for path, fields in repo.tree("HEAD").items() if path != "unlike.yaml"}

    @pytest.mark.parametrize("ids", [("asst_a", "local_asst_a"), ("local_asst_a", "asst_a"), ("asst_a", "asst_a")])
    def test_each_may_declare_a_part_of_one_assistant(self, repo: Story, ids: tuple[str, str]) -> None:
        """By whichever of its ids, and wherever in its folder the file goes: a live edit of either part stays."""
        repo.write("a", id=ids[0], **OLD)
        part = {"id": ids[1], "endCallMessage": "Bye"}
        (repo.root / "agents" / "part.yaml").write_text(json.dumps(part))
        repo.sandbox.edit("asst_a", endCallMessage="Bye")
        repo.commit("Two parts", allow_empty=True)
        repo.apply_and_record()
        self.agents_applied(repo)
        repo.apply_and_record()
        assert repo.tree()["agents/part.yaml"] == part
        repo.git("mv", "agents/part.yaml", "agents/renamed.yaml")
        repo.git("mv", file("a"), file("z"))
        repo.commit()
        repo.sandbox.edit("asst_a", firstMessage="theirs", endCallMessage="theirs")
        assert entries(repo.plan())["z"]["status"] == "drifted"
        assert self.agents_applied(repo)["renamed"] == "unchanged"
        assert outcomes(repo.apply_and_record())["z"] == "unchanged"
        assert repo.tree()["agents/renamed.yaml"] == part

    def test_what_moves_between_them_is_in_one_of_them(self, repo: Story) -> None:
        repo.apply_and_record()
        self.agents_applied(repo)
        repo.git("mv", "agents/c.yaml", file("c"))
        repo.commit()
        assert self.agents_applied(repo) == {}
        repo.sandbox.edit("asst_c", firstMessage="theirs")
        assert outcomes(repo.apply_and_record("--changed")) == {"c": "unchanged"}
        assert repo.tree() == {path: fields for path, fields in repo.tree("HEAD").items() if path != "unlike.yaml"}

    def test_files_that_change_places_in_a_circle_keep_their_entries(self, repo: Story) -> None:
        """Each of the three takes another one's path, and one of the folders alone is applied."""
        repo.apply_and_record()
        self.agents_applied(repo)
        circle = {"agents/c.yaml": file("a"), file("a"): file("b"), file("b"): "agents/c.yaml"}
        texts = {new: (repo.root / old).read_text() for old, new in circle.items()}
        for path, text in texts.items():
            (repo.root / path).write_text(text)
        repo.commit()
        assert self.agents_applied(repo) == {"c": "unchanged"}
        assert {path: entry["id"] for path, entry in repo.tree().items()} == {
            "agents/c.yaml": "asst_b",
            "agents/d.yaml": "asst_d",
            file("a"): "asst_c",
            file("b"): "asst_a",
        }
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        assert outcomes(repo.apply_and_record()) == {"a": "unchanged", "b": "unchanged"}
        assert repo.sandbox.live("asst_a")["firstMessage"] == "theirs"

    def test_a_path_that_another_assistant_has_taken_leaves_no_older_entry_behind(self, repo: Story) -> None:
        repo.apply_and_record()
        self.agents_applied(repo)
        repo.git("mv", file("a"), "agents/a.yaml")
        repo.write("a", id="asst_e", firstMessage="another")
        repo.commit()
        assert self.agents_applied(repo) == {"a": "unchanged"}
        assert [path for path, entry in repo.tree().items() if entry["id"] == "asst_a"] == ["agents/a.yaml"]

    def test_a_path_of_one_that_is_gone_is_free_for_another(self, repo: Story) -> None:
        repo.apply_and_record()
        (repo.root / file("a")).write_text((repo.root / file("b")).read_text())
        repo.git("rm", "--quiet", file("b"))
        repo.commit()
        repo.apply_and_record()
        assert {path: entry["id"] for path, entry in repo.tree().items()} == {file("a"): "asst_b"}

    def test_an_unclear_write_of_one_is_not_a_changed_file_of_the_other(self, repo: Story) -> None:
        repo.apply_and_record()
        self.agents_applied(repo)
        repo.write("a", **NEW)
        repo.commit()
        repo.sandbox.rehearse("PATCH *: 500")
        assert outcomes(repo.apply_and_record())["a"] == "indeterminate"
        assert self.agents_applied(repo) == {}
        assert [trailer["file"] for trailer in repo.trailers] == [file("a")]
