"""What the applied record holds after every kind of run: per definition, the file that says what is live."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, error_answer, json_answer
from projects import outcomes
from stories import BOTH, REF, Nested, Story, entries, story

OLD, NEW = {"firstMessage": "old"}, {"firstMessage": "new"}
LIVE = dict.fromkeys("abcd", OLD)


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """Four definitions that are live as they are committed; nothing is recorded yet."""
    with story(tmp_path / "repository", LIVE) as tale:
        for name in LIVE:
            tale.write(name, **OLD)
        tale.commit("First")
        yield tale


def file(name: str) -> str:
    return f"assistants/{name}.yaml"


def recorded_values(tale: Story, field: str = "firstMessage") -> dict[str, Any]:
    """The one field of every definition in the record's tree."""
    return {Path(path).stem: declared.get(field) for path, declared in tale.tree().items()}


def answer_with(*names: str, method: str = "PATCH", status: int = 400) -> Any:
    """Answer requests of a method for some assistants with a status, and leave everything else to the sandbox."""

    def meddle(request: Request, forward: Forward) -> Answer:
        if request.method == method and request.path.removeprefix("/assistants/asst_") in names:
            return error_answer(status)
        return forward(request)

    return meddle


class TestTheFirstRun:
    def test_needs_to_be_announced(self, tale: Story) -> None:
        result = tale.run("apply", "--yes", "--record")
        assert result.code == 1
        assert f"there is no record {REF} here" in result.stderr
        assert "git fetch origin" in result.stderr
        assert "--base none" in result.stderr
        assert (tale.record, tale.sandbox.requests) == (None, [])

    def test_another_base_does_not_announce_it(self, tale: Story) -> None:
        assert tale.run("apply", "--yes", "--record", "--base", "HEAD").code == 1
        assert tale.record is None

    def test_has_one_parent_and_an_entry_for_each_definition(self, tale: Story) -> None:
        (tale.root / "README").write_text("Not a definition.\n")
        tale.write("a", **NEW)
        head = tale.commit()
        result = tale.run("apply", "--yes", "--record", "--base", "none")
        assert (result.code, tale.parents) == (0, [head])
        assert f"Recorded as {str(tale.record)[:12]}." in result.stderr
        assert recorded_values(tale) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert "README" not in tale.git("ls-tree", "--name-only", REF)
        assert tale.message.splitlines()[:3] == [
            "Apply: 1 applied, 3 unchanged",
            "",
            "applied: assistants/a.yaml (asst_a)",
        ]

    def test_leaves_out_what_did_not_get_there(self, tale: Story) -> None:
        for name in LIVE:
            tale.write(name, **NEW)
        tale.commit()
        with tale.intercept(answer_with("b")):
            document = tale.apply_and_record()
        assert outcomes(document) == {"a": "applied", "b": "failed", "c": "applied", "d": "applied"}
        assert recorded_values(tale) == {"a": "new", "c": "new", "d": "new"}


class TestTheTree:
    @pytest.fixture(autouse=True)
    def first(self, tale: Story) -> None:
        tale.apply_and_record()

    def test_has_heads_files_where_everything_is_live(self, tale: Story) -> None:
        previous = tale.record
        tale.write("a", **NEW)
        head = tale.commit()
        tale.apply_and_record()
        assert tale.parents == [head, previous]
        assert recorded_values(tale) == {"a": "new", "b": "old", "c": "old", "d": "old"}

    @pytest.mark.parametrize(
        ("method", "status", "outcome"),
        [("PATCH", 400, "failed"), ("GET", 500, "failed"), ("PATCH", 500, "indeterminate"), ("PATCH", 404, "failed")],
    )
    def test_keeps_the_record_of_one_that_failed(self, tale: Story, method: str, status: int, outcome: str) -> None:
        for name in "ab":
            tale.write(name, **NEW)
        tale.commit()
        with tale.intercept(answer_with("b", method=method, status=status)):
            assert outcomes(tale.apply_and_record()) == {
                "a": "applied",
                "b": outcome,
                "c": "unchanged",
                "d": "unchanged",
            }
        assert recorded_values(tale) == {"a": "new", "b": "old", "c": "old", "d": "old"}

    def test_keeps_the_record_of_one_that_was_refused(self, tale: Story) -> None:
        tale.sandbox.edit("asst_b", firstMessage="theirs")
        for name in "ab":
            tale.write(name, **NEW)
        tale.commit()
        result = tale.run("apply", "--yes", "--record")
        assert result.code == 1
        assert recorded_values(tale) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert tale.message.splitlines()[0] == "Apply: 1 applied, 1 refused, 2 unchanged"
        assert entries(tale.plan())["b"]["status"] == "conflicted"  # not drift, as if git had won

    def test_keeps_the_record_of_one_that_was_not_selected(self, tale: Story) -> None:
        for name in "abc":
            tale.write(name, **NEW)
        tale.commit()
        assert outcomes(tale.apply_and_record("assistants/a.yaml")) == {"a": "applied"}
        assert recorded_values(tale) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert outcomes(tale.apply_and_record("--changed")) == {"b": "applied", "c": "applied"}
        assert set(recorded_values(tale).values()) == {"new", "old"}

    def test_keeps_the_record_of_one_that_was_skipped(self, tale: Story) -> None:
        for name in "abcd":
            tale.write(name, **NEW)
        tale.commit()
        with tale.intercept(answer_with("a")):
            found = outcomes(tale.apply_and_record("--fail-fast", "--concurrency", "1"))
        assert found == {"a": "failed", "b": "skipped", "c": "skipped", "d": "skipped"}
        assert set(recorded_values(tale).values()) == {"old"}

    def test_keeps_the_record_of_one_that_live_does_not_show(self, tale: Story) -> None:
        def deaf(request: Request, forward: Forward) -> Answer:
            if request.method == "PATCH":
                return json_answer(200, forward(Request("GET", request.path, request.headers, b"", 1)).json)
            return forward(request)

        tale.write("a", **NEW)
        tale.commit()
        with tale.intercept(deaf):
            assert outcomes(tale.apply_and_record())["a"] == "not_converged"
        assert f"  not converged: {file('a')} (asst_a)" in tale.run("history").stdout.splitlines()
        assert recorded_values(tale)["a"] == "old"
        assert tale.trailers == []

    def test_an_entry_follows_its_definition_to_its_new_place(self, tale: Story) -> None:
        tale.git("mv", file("a"), file("z"))
        tale.write("z", id="asst_a", **NEW)
        tale.commit()
        with tale.intercept(answer_with("a")):
            assert outcomes(tale.apply_and_record())["z"] == "failed"
        assert recorded_values(tale) == {"b": "old", "c": "old", "d": "old", "z": "old"}
        assert entries(tale.plan())["z"]["changes"][0]["base"] == "old"

    def test_follows_files_whose_names_were_swapped(self, tale: Story) -> None:
        tale.write("a", id="asst_b", **NEW)
        tale.write("b", id="asst_a", **NEW)
        tale.commit()
        with tale.intercept(answer_with("b")):
            assert outcomes(tale.apply_and_record()) == {
                "a": "failed",
                "b": "applied",
                "c": "unchanged",
                "d": "unchanged",
            }
        tree = tale.tree()
        assert (tree[file("a")], tree[file("b")]) == ({"id": "asst_b", **OLD}, {"id": "asst_a", **NEW})

    @pytest.mark.parametrize("known", [True, False], ids=["both ids known", "the other id not known"])
    def test_of_selected_files_keeps_one_whose_path_is_taken_and_whose_definition_has_its_other_id(
        self, tale: Story, known: bool
    ) -> None:
        ids = ["local_asst_a", "asst_a"] if known else ["asst_a", "local_asst_a"]
        tale.write("a", id=ids[0], **OLD)
        tale.commit("The id", allow_empty=True)
        tale.apply_and_record()
        tale.write("a", id="asst_b", **OLD)
        tale.write("b", id=ids[1], **OLD)
        tale.commit()
        assert outcomes(tale.apply_and_record(file("a"))) == {"a": "unchanged"}
        tale.sandbox.edit("asst_a", firstMessage="theirs")
        assert entries(tale.plan())["b"]["status"] == "drifted"
        assert outcomes(tale.apply_and_record())["b"] == "unchanged"
        assert (tale.sandbox.live("asst_a")["firstMessage"], recorded_values(tale)) == (
            "theirs",
            dict.fromkeys("abcd", "old"),
        )

    def test_of_selected_files_keeps_one_that_is_gone_and_whose_path_is_taken(self, tale: Story) -> None:
        (tale.root / file("b")).unlink()
        tale.write("a", id="asst_b", **OLD)
        tale.commit()
        tale.apply_and_record(file("a"))
        assert [gone["id"] for gone in tale.plan()["no_longer_managed"]] == ["asst_a"]
        tale.apply_and_record()
        assert sorted(tale.tree()) == [file("a"), file("c"), file("d")]

    def test_lacks_one_that_is_new_and_failed(self, tale: Story) -> None:
        tale.sandbox.put({"id": "asst_e", **OLD})
        tale.write("e", **NEW)
        tale.commit()
        with tale.intercept(answer_with("e")):
            assert outcomes(tale.apply_and_record())["e"] == "failed"
        assert file("e") not in tale.tree()

    def test_lacks_one_that_head_deleted(self, tale: Story) -> None:
        (tale.root / file("b")).unlink()
        tale.commit()
        document = tale.apply_and_record()
        assert document["no_longer_managed"] == [{"file": file("b"), "id": "asst_b"}]
        assert recorded_values(tale) == {"a": "old", "c": "old", "d": "old"}
        assert tale.plan()["no_longer_managed"] == []

    def test_keeps_what_a_renamed_folder_held(self, tale: Story) -> None:
        tale.git("mv", "assistants", "bots")
        for name in "ab":
            (tale.root / "bots" / f"{name}.yaml").write_text(f"id: asst_{name}\nfirstMessage: new\n")
        tale.commit()
        tale.apply_and_record("--directory", "bots", "bots/a.yaml")
        assert {path: declared["firstMessage"] for path, declared in tale.tree().items()} == {
            "bots/a.yaml": "new",
            "assistants/b.yaml": "old",
            "assistants/c.yaml": "old",
            "assistants/d.yaml": "old",
        }
        tale.sandbox.edit("asst_b", firstMessage="theirs")
        assert entries(tale.plan("--directory", "bots"))["b"]["status"] == "conflicted"

    def test_keeps_the_record_of_a_definition_that_now_uses_the_other_id(self, tale: Story) -> None:
        tale.write("a", id="local_asst_a", **NEW)
        tale.commit()
        with tale.intercept(
            lambda request, forward: error_answer(400) if request.method == "PATCH" else forward(request)
        ):
            assert outcomes(tale.apply_and_record())["a"] == "failed"
        assert tale.tree()[file("a")] == {"id": "asst_a", **OLD}
        assert entries(tale.plan())["a"]["changes"][0]["base"] == "old"

    def test_an_unselected_file_that_nobody_can_read_keeps_its_place(self, tale: Story) -> None:
        tale.write("b", "id: [\n")
        tale.write("a", **NEW)
        tale.commit()
        tale.apply_and_record("assistants/a.yaml")
        assert recorded_values(tale) == {"a": "new", "b": "old", "c": "old", "d": "old"}

    def test_drift_that_is_kept_is_still_drift_afterwards(self, tale: Story) -> None:
        tale.sandbox.edit("asst_a", firstMessage="theirs")
        tale.write("b", **NEW)
        tale.commit()
        assert outcomes(tale.apply_and_record())["a"] == "unchanged"
        assert entries(tale.plan())["a"]["status"] == "drifted"


class TestOneFailureDoesNotMakeTheOthersStale:
    def test_the_next_run_tells_changes_from_edits(self, tale: Story) -> None:
        tale.apply_and_record()
        for name in "ab":
            tale.write(name, **NEW)
        tale.commit()
        with tale.intercept(answer_with("b")):
            tale.apply_and_record()
        tale.sandbox.edit("asst_a", firstMessage="theirs")
        found = entries(tale.plan())
        assert {key: entry["status"] for key, entry in found.items()} == {
            "a": "drifted",
            "b": "pending",
            "c": "in_sync",
            "d": "in_sync",
        }

    @pytest.mark.parametrize("nested", BOTH)
    def test_a_retry_converges(self, tmp_path: Path, nested: Nested) -> None:
        with story(tmp_path / "other", {"a": {"metadata": {"k": 1, "own": 2}}}, nested=nested) as tale:
            tale.write("a", metadata={"k": 1})
            tale.commit()
            tale.apply_and_record()
            tale.write("a", metadata={"k": 2})
            head = tale.commit()
            with tale.intercept(answer_with("a")):
                assert outcomes(tale.apply_and_record()) == {"a": "failed"}
            assert outcomes(tale.apply_and_record()) == {"a": "applied"}
            assert (tale.tree(), tale.parents[0]) == (tale.tree(head), head)
            assert tale.sandbox.live("asst_a")["metadata"] == {"k": 2, "own": 2}


class TestUnclearWrites:
    @pytest.fixture
    def unclear(self, tale: Story) -> Story:
        """The last write to `a` had no clear answer, and reached the local database all the same."""
        tale.apply_and_record()
        tale.write("a", **NEW)
        tale.commit()

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            return error_answer(500) if request.method == "PATCH" else answer

        with tale.intercept(meddle):
            assert outcomes(tale.apply_and_record())["a"] == "indeterminate"
        tale.sandbox.forget_requests()
        return tale

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

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if request.method == "PATCH":
                unclear.sandbox.edit("asst_a", endCallMessage="Bye")
            return answer

        with unclear.intercept(meddle):
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
        with unclear.intercept(answer_with("a")):
            assert outcomes(unclear.apply_and_record())["a"] == "failed"
        assert [trailer["id"] for trailer in unclear.trailers] == ["asst_a"]

    def test_a_second_unclear_write_keeps_the_fields_of_the_first(self, unclear: Story) -> None:
        unclear.write("a", **NEW, endCallMessage="Bye")
        unclear.commit()
        with unclear.intercept(answer_with("a", status=502)):
            assert outcomes(unclear.apply_and_record())["a"] == "indeterminate"
        assert [trailer["fields"] for trailer in unclear.trailers] == [["/endCallMessage", "/firstMessage"]]

    def test_of_two_unclear_writes_the_first_may_be_the_one_that_landed(self, unclear: Story) -> None:
        first = unclear.head
        unclear.write("a", firstMessage="newer")
        second = unclear.commit()
        with unclear.intercept(answer_with("a", status=502)):
            assert outcomes(unclear.apply_and_record())["a"] == "indeterminate"
        assert [trailer["heads"] for trailer in unclear.trailers] == [[first, second]]
        assert unclear.sandbox.live("asst_a")["firstMessage"] == "new"
        assert outcomes(unclear.apply_and_record())["a"] == "applied"
        assert unclear.sandbox.provider("asst_a")["firstMessage"] == "newer"

    @pytest.mark.parametrize("id_", ["asst_a", "local_asst_a"], ids=["the provider's id", "the local database's id"])
    def test_a_field_that_git_puts_back_is_a_change_and_nobody_s_edit(self, tale: Story, id_: str) -> None:
        tale.write("a", id=id_, **OLD)
        tale.commit("The id", allow_empty=True)
        tale.apply_and_record()
        tale.write("a", id=id_, **NEW)
        tale.commit()

        def meddle(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            return error_answer(500) if request.method == "PATCH" else answer

        with tale.intercept(meddle):
            assert outcomes(tale.apply_and_record())["a"] == "indeterminate"
        tale.write("a", id=id_, **OLD)
        tale.commit("Back")
        assert entries(tale.plan())["a"]["status"] == "pending"
        assert outcomes(tale.apply_and_record())["a"] == "applied"
        assert (tale.sandbox.live("asst_a")["firstMessage"], tale.trailers) == ("old", [])

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
        assert entries(unclear.plan())["a"]["released"] == []
        unclear.write("a", name="A", **NEW)  # live shows it, and the provider may not have it
        unclear.commit()
        assert outcomes(unclear.apply_and_record())["a"] == "applied"
        assert (unclear.sandbox.patches, unclear.trailers) == ([NEW], [])

    def test_a_null_above_it_is_sent_although_live_has_nothing_there(self, tale: Story) -> None:
        tale.apply_and_record()
        tale.write("a", metadata={"key": "value"})
        tale.commit()
        tale.sandbox.rehearse("PATCH *: 500 after=provider")
        assert outcomes(tale.apply_and_record())["a"] == "indeterminate"
        tale.sandbox.mend()
        tale.write("a", metadata=None)
        tale.commit()
        assert outcomes(tale.apply_and_record())["a"] == "applied"
        assert (tale.sandbox.provider("asst_a")["metadata"], tale.trailers) == (None, [])

    def test_a_rollback_of_another_field_does_not_settle_it(self, tale: Story) -> None:
        tale.apply_and_record()
        tale.write("a", **OLD, endCallMessage="Bye")
        tale.commit()
        applied = tale.apply_and_record()
        tale.write("a", **NEW, endCallMessage="Bye")
        tale.commit()
        tale.sandbox.rehearse("PATCH *: 500")
        assert outcomes(tale.apply_and_record())["a"] == "indeterminate"
        tale.sandbox.mend()
        assert outcomes(tale.rollback(applied)) == {"a": "applied"}
        assert [trailer["fields"] for trailer in tale.trailers] == [["/firstMessage"]]

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
        with unclear.intercept(answer_with("a")):
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

    def blob(self, tale: Story, revision: str) -> str:
        return tale.git("rev-parse", f"{revision}:{file('a')}")

    def test_is_heads_file_word_for_word(self, tale: Story) -> None:
        tale.write("a", "id: asst_a\nfirstMessage: 'new'\n")
        tale.commit()
        tale.apply_and_record()
        assert self.blob(tale, REF) == self.blob(tale, "HEAD")

    def test_stays_the_older_one_where_only_a_comment_is_new(self, tale: Story) -> None:
        tale.apply_and_record()
        before = self.blob(tale, REF)
        tale.write("a", "# The front door.\nid: asst_a\nfirstMessage: old\n")
        tale.write("b", **NEW)
        tale.commit()
        tale.apply_and_record()
        assert self.blob(tale, REF) == before
        assert tale.plan()["summary"]["in_sync"] == 4

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            ({"_defaults.yaml": "endCallMessage: Bye\n"}, {**OLD, "endCallMessage": "Bye"}),
            ({"a.yaml": "id: asst_a\nfirstMessage: {$file: a.md}\n", "a.md": "old\n"}, OLD),
            ({"../reconciler.yaml": "ignore: [{path: /firstMessage, assistants: [a], reason: theirs}]\n"}, {}),
        ],
    )
    def test_is_its_own_where_the_file_alone_does_not_say_it(
        self, tale: Story, files: dict[str, str], said: dict[str, str]
    ) -> None:
        for name, text in files.items():
            (tale.root / "assistants" / name).write_text(text)
        tale.commit()
        tale.apply_and_record()
        assert self.blob(tale, REF) != self.blob(tale, "HEAD")
        assert tale.tree()[file("a")] == {"id": "asst_a", **said}

    def test_is_its_own_where_the_working_tree_says_it_in_other_words(self, tale: Story) -> None:
        tale.git("update-index", "--assume-unchanged", file("a"))
        tale.write("a", "# Not in git.\nid: asst_a\nfirstMessage: old\n")
        tale.apply_and_record()
        assert "#" not in tale.git("show", f"{REF}:{file('a')}")


def test_nothing_new_is_not_recorded(tale: Story) -> None:
    tale.apply_and_record()
    record = tale.record
    result = tale.run("apply", "--yes", "--record")
    assert (result.code, tale.record) == (0, record)
    assert "The record is already up to date." in result.stderr


def test_a_new_commit_is_recorded_even_if_it_changes_no_definition(tale: Story) -> None:
    tale.apply_and_record()
    previous, head = tale.record, tale.commit("Nothing", allow_empty=True)
    tale.apply_and_record("--changed")
    assert tale.parents == [head, previous]
    assert recorded_values(tale) == dict.fromkeys("abcd", "old")


def test_what_was_written_is_recorded_even_if_the_files_are_the_same(tale: Story) -> None:
    tale.apply_and_record()
    previous = tale.record
    tale.sandbox.edit("asst_a", firstMessage="theirs")
    assert outcomes(tale.apply_and_record("--on-drift", "revert"))["a"] == "applied"
    assert tale.parents == [tale.head, previous]
    assert "applied: assistants/a.yaml (asst_a)" in tale.message


class TestTwoFoldersInOneRecord:
    """An apply of one folder says nothing of the other one's definitions: they wait for their own."""

    @pytest.fixture(autouse=True)
    def agents(self, tale: Story) -> None:
        (tale.root / "agents").mkdir()
        for name in "cd":
            tale.git("mv", file(name), f"agents/{name}.yaml")
        (tale.root / "unlike.yaml").write_text("name: No definition\n")
        tale.commit()

    def agents_applied(self, tale: Story) -> dict[str, str | None]:
        result = tale.run("apply", "--yes", "--record", "--changed", "--directory", "agents", "--format", "json")
        assert result.code == 0, result.stderr
        return outcomes(json.loads(result.stdout))

    def test_a_first_run_begins_with_its_own(self, tale: Story) -> None:
        tale.apply_and_record()
        assert tale.tree().keys() == {file("a"), file("b")}
        assert self.agents_applied(tale) == {"c": "unchanged", "d": "unchanged"}
        assert tale.tree() == {path: fields for path, fields in tale.tree("HEAD").items() if path != "unlike.yaml"}

    def test_a_change_is_applied_although_the_other_folder_was_recorded_first(self, tale: Story) -> None:
        tale.apply_and_record()
        self.agents_applied(tale)
        tale.write("a", **NEW)
        (tale.root / "agents" / "c.yaml").write_text("id: asst_c\nfirstMessage: new\n")
        tale.git("mv", "agents/d.yaml", "agents/moved.yaml")
        tale.commit()
        tale.sandbox.edit("asst_d", firstMessage="theirs")
        assert outcomes(tale.apply_and_record("--changed")) == {"a": "applied"}
        assert recorded_values(tale) == {"a": "new", "b": "old", "c": "old", "d": "old"}
        assert self.agents_applied(tale) == {"c": "applied", "moved": "unchanged"}
        assert tale.sandbox.live("asst_d")["firstMessage"] == "theirs", "drift stays drift, wherever its file went"
        assert tale.tree() == {path: fields for path, fields in tale.tree("HEAD").items() if path != "unlike.yaml"}

    @pytest.mark.parametrize("ids", [("asst_a", "local_asst_a"), ("local_asst_a", "asst_a"), ("asst_a", "asst_a")])
    def test_each_may_declare_a_part_of_one_assistant(self, tale: Story, ids: tuple[str, str]) -> None:
        """By whichever of its ids, and wherever in its folder the file goes: a live edit of either part stays."""
        tale.write("a", id=ids[0], **OLD)
        part = {"id": ids[1], "endCallMessage": "Bye"}
        (tale.root / "agents" / "part.yaml").write_text(json.dumps(part))
        tale.sandbox.edit("asst_a", endCallMessage="Bye")
        tale.commit("Two parts", allow_empty=True)
        tale.apply_and_record()
        self.agents_applied(tale)
        tale.apply_and_record()
        assert tale.tree()["agents/part.yaml"] == part
        tale.git("mv", "agents/part.yaml", "agents/renamed.yaml")
        tale.git("mv", file("a"), file("z"))
        tale.commit()
        tale.sandbox.edit("asst_a", firstMessage="theirs", endCallMessage="theirs")
        assert entries(tale.plan())["z"]["status"] == "drifted"
        assert self.agents_applied(tale)["renamed"] == "unchanged"
        assert outcomes(tale.apply_and_record())["z"] == "unchanged"
        assert tale.tree()["agents/renamed.yaml"] == part

    def test_what_moves_between_them_is_in_one_of_them(self, tale: Story) -> None:
        tale.apply_and_record()
        self.agents_applied(tale)
        tale.git("mv", "agents/c.yaml", file("c"))
        tale.commit()
        assert self.agents_applied(tale) == {}
        tale.sandbox.edit("asst_c", firstMessage="theirs")
        assert outcomes(tale.apply_and_record("--changed")) == {"c": "unchanged"}
        assert tale.tree() == {path: fields for path, fields in tale.tree("HEAD").items() if path != "unlike.yaml"}

    def test_files_that_change_places_in_a_circle_keep_their_entries(self, tale: Story) -> None:
        """Each of the three takes another one's path, and one of the folders alone is applied."""
        tale.apply_and_record()
        self.agents_applied(tale)
        circle = {"agents/c.yaml": file("a"), file("a"): file("b"), file("b"): "agents/c.yaml"}
        texts = {new: (tale.root / old).read_text() for old, new in circle.items()}
        for path, text in texts.items():
            (tale.root / path).write_text(text)
        tale.commit()
        assert self.agents_applied(tale) == {"c": "unchanged"}
        assert {path: entry["id"] for path, entry in tale.tree().items()} == {
            "agents/c.yaml": "asst_b",
            "agents/d.yaml": "asst_d",
            file("a"): "asst_c",
            file("b"): "asst_a",
        }
        tale.sandbox.edit("asst_a", firstMessage="theirs")
        assert outcomes(tale.apply_and_record()) == {"a": "unchanged", "b": "unchanged"}
        assert tale.sandbox.live("asst_a")["firstMessage"] == "theirs"

    def test_a_path_that_another_assistant_has_taken_leaves_no_older_entry_behind(self, tale: Story) -> None:
        tale.apply_and_record()
        self.agents_applied(tale)
        tale.git("mv", file("a"), "agents/a.yaml")
        tale.write("a", id="asst_e", firstMessage="another")
        tale.commit()
        assert self.agents_applied(tale) == {"a": "unchanged"}
        assert [path for path, entry in tale.tree().items() if entry["id"] == "asst_a"] == ["agents/a.yaml"]

    def test_a_path_of_one_that_is_gone_is_free_for_another(self, tale: Story) -> None:
        tale.apply_and_record()
        (tale.root / file("a")).write_text((tale.root / file("b")).read_text())
        tale.git("rm", "--quiet", file("b"))
        tale.commit()
        tale.apply_and_record()
        assert {path: entry["id"] for path, entry in tale.tree().items()} == {file("a"): "asst_b"}

    def test_an_unclear_write_of_one_is_not_a_changed_file_of_the_other(self, tale: Story) -> None:
        tale.apply_and_record()
        self.agents_applied(tale)
        tale.write("a", **NEW)
        tale.commit()
        tale.sandbox.rehearse("PATCH *: 500")
        assert outcomes(tale.apply_and_record())["a"] == "indeterminate"
        assert self.agents_applied(tale) == {}
        assert [trailer["file"] for trailer in tale.trailers] == [file("a")]
